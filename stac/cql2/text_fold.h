/* Texts without what case and accents tell apart: for CASEI and ACCENTI.
 *
 * Case is folded as Unicode has it (full, not of Turkish); accents go by taking characters for what they are composed
 * of, without combining marks. */
#ifndef TWINCUBE_STAC_CQL2_TEXT_FOLD_H
#define TWINCUBE_STAC_CQL2_TEXT_FOLD_H

#include "datacube/base/arena.h"

/* NULL: out of memory. What is no UTF-8 stays. */
const char *text_fold_case(struct arena *arena, const char *text);
const char *text_fold_accents(struct arena *arena, const char *text);

#endif
