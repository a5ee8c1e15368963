/* TIFF predictors: differences that compress better than the values. */
#ifndef TWINCUBE_DATACUBE_SINK_PREDICTOR_H
#define TWINCUBE_DATACUBE_SINK_PREDICTOR_H

#include <stddef.h>

enum predictor { PREDICTOR_NONE = 1, PREDICTOR_HORIZONTAL = 2, PREDICTOR_FLOAT = 3 }; /* the tag's values */

/* Encodes `rows` rows of `columns` samples of `size` bytes from `in` to `out` (same length, not overlapping).
 * HORIZONTAL takes 1, 2 and 4 bytes, FLOAT 4 and 8. */
void predictor_encode(enum predictor predictor, const void *in, size_t rows, size_t columns, size_t size, void *out);

#endif
