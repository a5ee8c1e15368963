/* Labels of one dimension looked up in another: all at once, in the time of sorting them. */
#ifndef TWINCUBE_DATACUBE_LABEL_MATCH_H
#define TWINCUBE_DATACUBE_LABEL_MATCH_H

#include "datacube/dimension.h"
#include "datacube/base/error.h"

/* out[i]: the index in `in` of the label i of `of` (of equal ones the first), or SIZE_MAX. out
 * has room for of->size. Scratch memory is freed again. Error Internal when out of memory. */
int labels_match(const struct dimension *in, const struct dimension *of, size_t *out, struct error *error);

#endif
