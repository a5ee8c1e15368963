/* Sorting the runs of zones into squares. Linear in runs and pixels: each run is cut at the squares' edges, counted, then
 * written behind those before it in its square. */
#include "hpc/stage/zone_squares.h"

#include "datacube/base/checked.h"

#include <string.h>

static const size_t most_pixels = (size_t)1 << 30;

struct sorting {
  const struct zones *zones;
  size_t across;            /* squares in a row of them */
  struct zone_square *cells; /* of the whole grid of squares */
  size_t cell_count;
};

static size_t square_of(const struct sorting *s, size_t row, size_t column)
{
  return row / ZONE_SQUARE * s->across + column / ZONE_SQUARE;
}

static void stretch(struct zone_square *cell, size_t row, size_t first, size_t last)
{
  const size_t low[] = {row, first}, high[] = {row + 1, last};
  for (size_t k = 0; k < 2; k++) {
    size_t end = cell->start[k] + cell->count[k];
    size_t start = cell->count[k] == 0 || low[k] < cell->start[k] ? low[k] : cell->start[k];
    end = cell->count[k] == 0 || high[k] > end ? high[k] : end;
    cell->start[k] = start;
    cell->count[k] = end - start;
  }
}

/* Calls `each` for the parts of a run that lie in one square each. */
static void cut_runs(struct sorting *s, void (*each)(struct zone_square *cell, const struct zone_span *part, void *data), void *data)
{
  for (size_t i = 0; i < s->zones->run_count; i++) {
    struct zone_span part = s->zones->runs[i];
    for (size_t end = part.last; part.first < end; part.first = part.last) {
      size_t edge = (part.first / ZONE_SQUARE + 1) * ZONE_SQUARE;
      part.last = edge < end ? edge : end;
      each(&s->cells[square_of(s, part.row, part.first)], &part, data);
    }
  }
}

static void count_part(struct zone_square *cell, const struct zone_span *part, void *data)
{
  (void)data;
  cell->last += part->last - part->first;
  stretch(cell, part->row, part->first, part->last);
}

struct lists {
  uint32_t *pixel, *zone;
};

static void write_part(struct zone_square *cell, const struct zone_span *part, void *data)
{
  const struct lists *lists = data;
  size_t row = (part->row - cell->start[0]) * cell->count[1];
  for (size_t column = part->first; column < part->last; column++) {
    lists->pixel[cell->last] = (uint32_t)(row + column - cell->start[1]);
    lists->zone[cell->last++] = part->zone;
  }
}

static int make_cells(struct arena *arena, struct sorting *s, struct error *error)
{
  size_t rows = 0, columns = 0;
  for (size_t i = 0; i < s->zones->run_count; i++) {
    const struct zone_span *run = &s->zones->runs[i];
    rows = run->row >= rows ? run->row + 1 : rows;
    columns = run->last > columns ? run->last : columns;
  }
  s->across = (columns + ZONE_SQUARE - 1) / ZONE_SQUARE;
  s->cell_count = saturated_mul(s->across, (rows + ZONE_SQUARE - 1) / ZONE_SQUARE);
  s->cells = ARENA_ARRAY(arena, struct zone_square, s->cell_count);
  return s->cells ? 0 : error_memory(error);
}

int zone_squares_make(struct arena *arena, const struct zones *zones, const struct zone_squares **out, struct error *error)
{
  struct zone_squares *squares = ARENA_NEW(arena, struct zone_squares);
  struct sorting s = {.zones = zones};
  if (!squares)
    return error_memory(error);
  if (make_cells(arena, &s, error) != 0)
    return -1;
  cut_runs(&s, count_part, NULL);
  for (size_t c = 0; c < s.cell_count; c++) {
    size_t count = s.cells[c].last;
    s.cells[c].first = s.cells[c].last = squares->pixels;
    squares->pixels += count;
  }
  if (squares->pixels > most_pixels)
    return error_set(error, "ProcessGraphComplexity", "the geometries cover %zu pixels, more than %zu", squares->pixels, most_pixels);
  struct lists lists = {ARENA_ARRAY(arena, uint32_t, squares->pixels), ARENA_ARRAY(arena, uint32_t, squares->pixels)};
  if (!lists.pixel || !lists.zone)
    return error_memory(error);
  cut_runs(&s, write_part, &lists);
  for (size_t c = 0; c < s.cell_count; c++)
    if (s.cells[c].last > s.cells[c].first)
      s.cells[squares->count++] = s.cells[c];
  squares->squares = s.cells;
  squares->pixel = lists.pixel;
  squares->zone = lists.zone;
  *out = squares;
  return 0;
}
