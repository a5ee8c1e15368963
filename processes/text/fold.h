/* Comparing texts without regard to case: the simple case folding of Unicode, one character for one. Independent of the
 * locale. Bytes that are no UTF-8 are compared as they are. */
#ifndef TWINCUBE_PROCESSES_TEXT_FOLD_H
#define TWINCUBE_PROCESSES_TEXT_FOLD_H

#include "datacube/base/arena.h"

#include <stdbool.h>

bool text_equal_folded(const char *a, const char *b);
/* Folded copy in the arena; NULL when out of memory. */
const char *text_folded(struct arena *arena, const char *text);

#endif
