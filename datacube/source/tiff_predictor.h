/* Undoing TIFF predictors, row by row. Internal to tiff_blocks. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_PREDICTOR_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_PREDICTOR_H

#include <stddef.h>

struct tiff_row {
  unsigned predictor; /* 1, 2 or 3 as in the Predictor tag */
  size_t size;        /* bytes of a pixel: 1, 2, 4 or 8; with predictor 3: 4 or 8 */
  size_t width;       /* pixels of the stored row */
};

/* Writes the first `columns` <= width pixels of a stored row of one band to `to`, of any alignment, apart from `from`.
 * Spoils `from` with predictor 3. */
void tiff_row_undo(const struct tiff_row *row, unsigned char *from, size_t columns, unsigned char *to);

#endif
