/* Undoing TIFF predictors and byte orders, row by row. Internal to tiff_blocks. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_PREDICTOR_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_PREDICTOR_H

#include <stddef.h>

struct tiff_row {
  unsigned predictor; /* 1, 2 or 3 as in the Predictor tag */
  size_t size;        /* bytes of a value; with predictor 2: 1, 2, 4 or 8; with predictor 3: 4 or 8 */
  size_t swap;        /* bytes to be turned round, of each such many: 2, 4 or 8; 1: none */
  size_t width;       /* pixels of the stored row */
};

/* A stored row of pixels of several samples as such many rows of one, one after another in `to`, apart from `from`. */
void tiff_row_split(const struct tiff_row *row, size_t samples, const unsigned char *from, unsigned char *to);

/* Writes the first `columns` <= width values of a stored row of one sample to `to`, of any alignment, apart from
 * `from`. May spoil `from`. */
void tiff_row_undo(const struct tiff_row *row, unsigned char *from, size_t columns, unsigned char *to);

#endif
