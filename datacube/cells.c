/* Cells along an axis: arithmetic where they are equal, halving where they are not. */
#include "datacube/cells.h"

#include <math.h>

static const double noise = 1e-9; /* of a cell: of computed coordinates */

/* How many of the ascending numbers lie before the limit, or at it as well. */
static size_t count_before(const double *numbers, size_t count, double limit, bool and_at)
{
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (numbers[middle] < limit || (and_at && numbers[middle] == limit))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bool cells_ascend(const double *centres, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (!isfinite(centres[i]) || (i > 0 && !(centres[i] > centres[i - 1])))
      return false;
  return true;
}

struct cell_axis cells_around(struct arena *arena, const double *centres, size_t size)
{
  double *edges = ARENA_ARRAY(arena, double, size + 1);
  if (edges) {
    for (size_t i = 1; i < size; i++)
      edges[i] = centres[i - 1] + (centres[i] - centres[i - 1]) / 2;
    edges[0] = centres[0] - (edges[1] - centres[0]);
    edges[size] = centres[size - 1] + (centres[size - 1] - edges[size - 1]);
  }
  return (struct cell_axis){.size = size, .centres = centres, .edges = edges};
}

double cell_edge(const struct cell_axis *axis, size_t i)
{
  return axis->edges ? axis->edges[i] : (double)i;
}

double cell_centre(const struct cell_axis *axis, size_t i)
{
  return axis->centres ? axis->centres[i] : (double)i + 0.5;
}

double cell_smallest(const struct cell_axis *axis)
{
  double smallest = axis->edges || axis->size == 0 ? INFINITY : 1;
  for (size_t i = 0; axis->edges && i < axis->size; i++)
    smallest = fmin(smallest, axis->edges[i + 1] - axis->edges[i]);
  return smallest;
}

/* A number of cells as an index, 0 … size. */
static size_t index_of(double number, size_t size)
{
  return !(number > 0) ? 0 : number < (double)size ? (size_t)number : size;
}

size_t cell_from(const struct cell_axis *axis, double coordinate)
{
  if (axis->centres)
    return count_before(axis->centres, axis->size, coordinate, false);
  return index_of(ceil(coordinate - 0.5), axis->size);
}

void cells_in(const struct cell_axis *axis, double low, double high, size_t *first, size_t *end)
{
  if (axis->centres) {
    double near = noise * (axis->edges[axis->size] - axis->edges[0]) / (double)axis->size;
    *first = count_before(axis->centres, axis->size, low - near, false);
    *end = count_before(axis->centres, axis->size, high + near, true);
    return;
  }
  *first = index_of(ceil(low - 0.5 - noise), axis->size);
  *end = index_of(floor(high - 0.5 + noise) + 1, axis->size);
}

/* A number kept within -1 … size. */
static ptrdiff_t kept_near(double number, size_t size)
{
  return number < 0 ? -1 : number < (double)size ? (ptrdiff_t)number : (ptrdiff_t)size;
}

ptrdiff_t cell_at(const struct cell_axis *axis, double coordinate)
{
  if (axis->edges)
    return (ptrdiff_t)count_before(axis->edges, axis->size + 1, coordinate, true) - 1;
  return kept_near(floor(coordinate), axis->size);
}

ptrdiff_t cell_before(const struct cell_axis *axis, double coordinate)
{
  if (axis->edges)
    return (ptrdiff_t)count_before(axis->edges, axis->size + 1, coordinate, false) - 1;
  return kept_near(ceil(coordinate) - 1, axis->size);
}
