/* Which rows of a copy a change writes.
 *
 * New ones have keys beyond the greatest that there was, or those of rows that left in the same change. What is changed
 * and what leaves is noted by triggers of the connection, in a table of its own that others do not see. */
#ifndef TWINCUBE_STAC_SHARED_TOUCHED_ROWS_H
#define TWINCUBE_STAC_SHARED_TOUCHED_ROWS_H

#include "stac/shared/shared_rows.h"

/* Makes table and triggers. */
int touched_rows_watch(struct index *index, struct error *error);
/* What was noted is forgotten; before[k]: the greatest key of a kind now. */
int touched_rows_forget(struct index *index, struct error *error);
int touched_rows_begin(struct index *index, int64_t before[SHARED_KINDS], struct error *error);
/* The keys that were written since. The caller frees them. */
int touched_rows_read(struct index *index, const int64_t before[SHARED_KINDS], struct key_ranges out[SHARED_KINDS],
                      struct error *error);

#endif
