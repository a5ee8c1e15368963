/* Coverages as sets of pixels: united, inverted, cropped. All are linear in runs and rows. */
#include "datacube/coverage.h"

#include <stdlib.h>

static size_t row_end(const struct coverage *coverage, size_t from)
{
  size_t to = from + 1;
  while (to < coverage->run_count && coverage->runs[to].row == coverage->runs[from].row)
    to++;
  return to;
}

static int by_first(const void *a, const void *b)
{
  const struct zone_span *x = a, *y = b;
  return (x->first > y->first) - (x->first < y->first);
}

/* The runs of one row, sorted, joined in place. Returns their number. */
static size_t unite_row(struct zone_span *runs, size_t count, size_t shared[2])
{
  size_t kept = 0;
  uint32_t reaches = runs[0].zone; /* the zone whose run reaches farthest so far */
  for (size_t i = 0; i < count; i++) {
    struct zone_span run = runs[i];
    if (kept > 0 && run.first < runs[kept - 1].last && shared && shared[0] == SIZE_MAX) {
      shared[0] = reaches < run.zone ? reaches : run.zone;
      shared[1] = reaches < run.zone ? run.zone : reaches;
    }
    if (kept == 0 || run.last > runs[kept - 1].last)
      reaches = run.zone;
    if (kept > 0 && run.first <= runs[kept - 1].last)
      runs[kept - 1].last = run.last > runs[kept - 1].last ? run.last : runs[kept - 1].last;
    else
      runs[kept++] = (struct zone_span){.zone = 0, .row = run.row, .first = run.first, .last = run.last};
  }
  return kept;
}

int coverage_unite(const struct coverage *coverage, struct arena *arena, struct coverage *out, size_t shared[2],
                   struct error *error)
{
  struct zone_span *runs = arena_copy(arena, coverage->runs, coverage->run_count * sizeof *runs);
  size_t kept = 0;
  if (!runs)
    return error_memory(error);
  if (shared)
    shared[0] = shared[1] = SIZE_MAX;
  for (size_t i = 0, next; i < coverage->run_count; i = next) {
    next = row_end(coverage, i);
    qsort(runs + i, next - i, sizeof *runs, by_first);
    size_t count = unite_row(runs + i, next - i, shared);
    for (size_t k = 0; k < count; k++)
      runs[kept++] = runs[i + k];
  }
  *out = (struct coverage){
      .rows = coverage->rows, .columns = coverage->columns, .zones = 1, .runs = runs, .run_count = kept};
  return 0;
}

int coverage_invert(const struct coverage *united, struct arena *arena, struct coverage *out, struct error *error)
{
  struct zone_span *runs = ARENA_ARRAY(arena, struct zone_span, united->run_count + united->rows);
  size_t count = 0, i = 0;
  if (!runs)
    return error_memory(error);
  for (size_t row = 0; row < united->rows; row++) {
    size_t from = 0;
    for (; i < united->run_count && united->runs[i].row == row; i++) {
      if (united->runs[i].first > from)
        runs[count++] = (struct zone_span){0, row, from, united->runs[i].first};
      from = united->runs[i].last;
    }
    if (from < united->columns)
      runs[count++] = (struct zone_span){0, row, from, united->columns};
  }
  *out =
      (struct coverage){.rows = united->rows, .columns = united->columns, .zones = 1, .runs = runs, .run_count = count};
  return 0;
}

int coverage_crop(const struct coverage *coverage, const struct pixel_box *box, struct arena *arena,
                  struct coverage *out, struct error *error)
{
  struct zone_span *runs = ARENA_ARRAY(arena, struct zone_span, coverage->run_count);
  size_t count = 0, west = box->start[1], east = west + box->count[1];
  if (!runs)
    return error_memory(error);
  for (size_t i = 0; i < coverage->run_count; i++) {
    struct zone_span run = coverage->runs[i];
    if (run.row < box->start[0] || run.row - box->start[0] >= box->count[0] || run.first >= east || run.last <= west)
      continue;
    run.row -= box->start[0];
    run.first = run.first > west ? run.first - west : 0;
    run.last = (run.last < east ? run.last : east) - west;
    runs[count++] = run;
  }
  *out = (struct coverage){
      .rows = box->count[0], .columns = box->count[1], .zones = coverage->zones, .runs = runs, .run_count = count};
  return 0;
}

const size_t *coverage_row_starts(const struct coverage *coverage, struct arena *arena)
{
  size_t *starts = ARENA_ARRAY(arena, size_t, coverage->rows + 1), i = 0;
  for (size_t row = 0; starts && row <= coverage->rows; row++) {
    while (i < coverage->run_count && coverage->runs[i].row < row)
      i++;
    starts[row] = i;
  }
  return starts;
}
