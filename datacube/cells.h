/* Cells along an axis: where the pixels of a plane begin, end and have their centres.
 *
 * Coordinates are of a line on which cells follow each other in ascending order. Equal cells have edges 0, 1, 2 … and
 * centres between. Unequal ones are given by their centres; a cell then ends half way to the next centre, and the outer
 * ones reach as far beyond their centre as they do on its other side. */
#ifndef TWINCUBE_DATACUBE_CELLS_H
#define TWINCUBE_DATACUBE_CELLS_H

#include "datacube/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct cell_axis {
  size_t size;
  const double *centres; /* size; NULL: equal cells */
  const double *edges;   /* size + 1 */
};

/* Unequal cells around two or more centres, which the axis borrows. NULL in edges when out of memory. */
struct cell_axis cells_around(struct arena *arena, const double *centres, size_t size);
/* Whether they can be cells at all: finite, each greater than the one before. */
bool cells_ascend(const double *centres, size_t size);

double cell_edge(const struct cell_axis *axis, size_t i); /* 0 … size */
double cell_centre(const struct cell_axis *axis, size_t i);
double cell_smallest(const struct cell_axis *axis); /* width; infinite where there is no cell */

/* The first cell whose centre is at or behind the coordinate, 0 … size. */
size_t cell_from(const struct cell_axis *axis, double coordinate);
/* Cells whose centres lie in [low, high], but for arithmetic noise: first … end - 1. */
void cells_in(const struct cell_axis *axis, double low, double high, size_t *first, size_t *end);
/* The cell that holds the coordinate; its lower edge is its own. -1 before all of them, size behind. */
ptrdiff_t cell_at(const struct cell_axis *axis, double coordinate);
/* The last cell that begins before the coordinate. */
ptrdiff_t cell_before(const struct cell_axis *axis, double coordinate);

#endif
