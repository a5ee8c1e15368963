/* Which source pixels a box of the target needs.
 *
 * A cell's bounds tell it where every pixel looks about as far; else its points or footprints do. A need may be more
 * than what is looked at, never less. */
#include "datacube/warp_state.h"

#include "datacube/base/checked.h"

#include <math.h>

static void range_add(struct range *r, int axis, size_t first, size_t end)
{
  r->first[axis] = r->end[axis] && r->first[axis] < first ? r->first[axis] : first;
  r->end[axis] = r->end[axis] > end ? r->end[axis] : end;
}

static void range_of_feet(const struct warper *w, const union foot *feet, size_t n, struct range *r)
{
  const size_t sizes[2] = {w->from.height, w->from.width};
  for (size_t i = 0; i < n; i++) {
    size_t first[2], end[2];
    if (isnan(feet[i].kernel.x))
      continue;
    for (int axis = 0; axis < 2; axis++)
      foot_range(w->method, &feet[i], axis, sizes[axis], &first[axis], &end[axis]);
    if (first[0] >= end[0] || first[1] >= end[1])
      continue;
    range_add(r, 0, first[0], end[0]);
    range_add(r, 1, first[1], end[1]);
  }
}

/* What centres from low to high need where all scales are 1. Some are in the source. */
static void range_of_span(const struct warper *w, const double low[2], const double high[2], struct range *r)
{
  double radius = method_radius(w->method);
  const size_t sizes[2] = {w->from.height, w->from.width};
  for (int axis = 0; axis < 2; axis++) {
    size_t first = (size_t)larger(floor(low[axis] - LOCATE_ERROR - radius), 0);
    size_t end = (size_t)larger(floor(high[axis] + LOCATE_ERROR + radius), 0) + 1;
    range_add(r, axis, least(first, sizes[axis] - 1), least(end, sizes[axis]));
  }
}

/* The same where all scales are 1: from the outermost centres inside the source, and the error of where they are. */
static void range_of_centres(const struct warper *w, const double *x, const double *y, size_t n, struct range *r)
{
  const double e = LOCATE_ERROR, right = (double)w->from.width + e, below = (double)w->from.height + e;
  double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
  for (size_t i = 0; i < n; i++) {
    if (!(x[i] > -e && y[i] > -e && x[i] < right && y[i] < below))
      continue;
    low[0] = smaller(low[0], y[i]), high[0] = larger(high[0], y[i]);
    low[1] = smaller(low[1], x[i]), high[1] = larger(high[1], x[i]);
  }
  if (low[0] > high[0])
    return;
  range_of_span(w, low, high, r);
}

static void range_of_segment(const struct warper *w, const struct located_cell *cell, const size_t at[2], size_t n,
                             struct range *r)
{
  if (w->method == RESAMPLE_NEAREST || (cell->even && method_interpolates(w->method))) {
    double x[SEGMENT], y[SEGMENT];
    locator_row(&w->locator, cell, (double)at[1] + 0.5, (double)at[0] + 0.5, n, x, y);
    range_of_centres(w, x, y, n, r);
    return;
  }
  union foot feet[SEGMENT];
  warper_feet(w, cell, at, n, feet);
  range_of_feet(w, feet, n, r);
}

/* A cell's need from its bounds; false where its points have to be looked at. */
static bool range_of_cell(const struct warper *w, const struct located_cell *cell, struct range *r)
{
  double low[2], high[2];
  bool plain = w->method == RESAMPLE_NEAREST || (cell->even && method_interpolates(w->method));
  if (!plain || !locator_bounds(&w->locator, cell, low, high))
    return false;
  if (high[0] > 0 && high[1] > 0 && low[0] < (double)w->from.height && low[1] < (double)w->from.width)
    range_of_span(w, low, high, r);
  return true;
}

/* Adds what the located box needs. */
static void range_of_located(const struct warper *w, struct range *r)
{
  for (size_t k = 0; k < w->locator.count; k++) {
    const struct located_cell *cell = &w->locator.cells[k];
    if (range_of_cell(w, cell, r))
      continue;
    for (size_t row = 0; cell->kind != CELL_VOID && row < cell->height; row++)
      for (size_t i = 0; i < cell->width; i += SEGMENT)
        range_of_segment(w, cell, (const size_t[2]){cell->row + row, cell->column + i},
                         cell->width - i < SEGMENT ? cell->width - i : SEGMENT, r);
  }
}

/* A box too large to keep: its edge rows and columns and some between, and a margin for what lies between those. */
static int range_of_sampled(struct warper *w, const size_t start[2], const size_t count[2], struct range *r,
                            struct error *error)
{
  enum { LINES = 64 };
  for (int axis = 0; axis < 2; axis++) {
    size_t lines = count[axis] < LINES ? count[axis] : LINES;
    for (size_t i = 0; i < lines; i++) {
      size_t s[2] = {start[0], start[1]}, c[2] = {count[0], count[1]};
      s[axis] += lines > 1 ? i * (count[axis] - 1) / (lines - 1) : 0;
      c[axis] = 1;
      if (warper_locate(w, s, c, error))
        return -1;
      range_of_located(w, r);
    }
  }
  const size_t sizes[2] = {w->from.height, w->from.width};
  for (int axis = 0; axis < 2; axis++) {
    size_t margin = (r->end[axis] - r->first[axis]) / 64 + 2;
    if (r->end[axis] == 0)
      continue;
    r->first[axis] = r->first[axis] > margin ? r->first[axis] - margin : 0;
    r->end[axis] = r->end[axis] + margin < sizes[axis] ? r->end[axis] + margin : sizes[axis];
  }
  return 0;
}

int warper_need(struct warper *w, const size_t to_start[2], const size_t to_count[2], size_t from_start[2],
                size_t from_count[2], struct error *error)
{
  struct range r = {{0, 0}, {0, 0}};
  size_t pixels;
  if (checked_mul(to_count[0], to_count[1], &pixels) || pixels > 4 * (size_t)WARP_BOX_PIXELS) {
    if (range_of_sampled(w, to_start, to_count, &r, error))
      return -1;
  } else if (pixels > 0) {
    if (warper_locate(w, to_start, to_count, error))
      return -1;
    if (!w->range_known) {
      w->range = (struct range){{0, 0}, {0, 0}};
      range_of_located(w, &w->range);
      w->range_known = true;
    }
    r = w->range;
  }
  for (int axis = 0; axis < 2; axis++) {
    from_start[axis] = r.first[axis];
    from_count[axis] = r.end[axis] - r.first[axis];
  }
  return 0;
}
