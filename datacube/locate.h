/* Where the pixels of a target grid lie in a source grid: the transformation, interpolated with a checked error.
 *
 * The target is cut into cells of LOCATE_SIDE squared pixels, counted from its first pixel. In a cell both source
 * coordinates are biquadratic polynomials through nine exactly transformed points; at four more points, where such a
 * polynomial is worst, they are compared with the exact transformation, and a cell that is off by more than
 * LOCATE_TOLERANCE is cut into four. Cells of LOCATE_LEAST pixels that still fail are transformed point by point. Cells
 * depend on the two grids alone, so coordinates do not depend on how the target is cut into boxes.
 *
 * Frames: target pixels and source pixels, x from the west edge, y from the north edge. Where the source is geographic,
 * longitudes are taken modulo 360 degrees into the circle round its middle. One thread at a time. */
#ifndef TWINCUBE_DATACUBE_LOCATE_H
#define TWINCUBE_DATACUBE_LOCATE_H

#include "datacube/base/error.h"
#include "datacube/grid.h"

struct transform;

enum { LOCATE_SIDE = 128, LOCATE_LEAST = 4 };
#define LOCATE_TOLERANCE 2e-4 /* source pixels, at the checked points; */
#define LOCATE_ERROR 1e-3     /* taken as the most between them */

enum cell_kind {
  CELL_SMOOTH, /* by its polynomials */
  CELL_EXACT,  /* point by point: linear, or near the edge of a projection */
  CELL_VOID    /* no point has an image */
};

struct located_cell {
  enum cell_kind kind;
  size_t row, column;      /* first target pixel of the part inside the box */
  size_t height, width;    /* of that part */
  size_t top, left;        /* first target pixel of the whole cell, from which the polynomials count */
  bool even;               /* smooth or linear, and no more than LOCATE_EVEN source pixels a target pixel anywhere */
  double x[3][3], y[3][3]; /* [i][j]: coefficient of (row - top)^i (column - left)^j */
};
#define LOCATE_EVEN 1.1

struct locator {
  struct grid from, to;        /* crs not kept */
  struct transform *transform; /* to -> from, borrowed */
  double circle;               /* source pixels in 360 degrees; 0 where the source is not geographic */
  struct located_cell *cells;  /* of the last box */
  size_t count, room;
};

/* Locator from pixels of `to` to pixels of `from`. transform: from to's CRS to from's, outlives the locator. */
struct locator locator_make(struct transform *transform, const struct grid *from, const struct grid *to);
void locator_clear(struct locator *locator); /* frees the cells */
/* Cells that cover a box of the target; valid until the next call. [0] is y. Error: out of memory. */
int locator_box(struct locator *locator, const size_t start[2], const size_t count[2], struct error *error);
/* Box of source coordinates that holds every point of the cell's part inside the box, its outer corners included, with
 * LOCATE_ERROR allowed for. false where that is not known without looking at the points. [0] is y. */
bool locator_bounds(const struct locator *locator, const struct located_cell *cell, double low[2], double high[2]);
/* Source coordinates of n points of the cell at (column, row), (column + 1, row), …, in target pixels (a pixel's
 * centre is half a pixel from its first corner); NaN for a point without an image. */
void locator_row(const struct locator *locator, const struct located_cell *cell, double column, double row, size_t n,
                 double *x, double *y);

/* The same, where points within LOCATE_ERROR of a source pixel's edge are exact: every point is in the pixel where the
 * transformation puts it. n at most LOCATE_SIDE. */
void locator_row_settled(const struct locator *locator, const struct located_cell *cell, double column, double row,
                         size_t n, double *x, double *y);

#endif
