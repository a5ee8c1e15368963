/* The pixels of geometries: a scanline per row of pixel centres for polygons, a walk over the rows for lines.
 *
 * Everything happens in pixel coordinates: u columns from the west, v rows from the north edge of the grid, so that the
 * centre of pixel (row, column) is (column + 1/2, row + 1/2); along an axis of unequal cells u is x and v is -y. An
 * edge is computed from its upper end, whichever way it is drawn, and rows and columns are taken from cell_from alone:
 * what two polygons share is one number for both. */
#include "datacube/geometry.h"

#include <math.h>
#include <stdlib.h>

/* Rows that edges may cross in all: linear as the work is, tall grids and long edges could multiply it without end. */
static const size_t most_crossed = (size_t)1 << 26;

struct pixel_run { /* pixels first … last - 1 of a row */
  size_t row, first, last;
};

struct cover { /* the geometry at work, and what was found of those before */
  const struct pixel_plane *plane;
  struct pixel_run *runs; /* malloc: of the geometry */
  size_t run_count, run_capacity;
  struct zone_span *spans; /* malloc: of all, by zone */
  size_t span_count, span_capacity;
  double *crossings; /* malloc: u where edges cross the row centres, by row */
  size_t *row_start; /* malloc: first crossing of each row of the polygon, then their end */
  size_t crossing_capacity, row_capacity;
  size_t crossed; /* rows, by edges */
  struct error *error;
};

struct edge { /* upper end first */
  double u0, v0, u1, v1;
};

/* items with room for `count`; the old ones stay valid (and NULL is returned) when out of memory. */
static void *with_room(void *items, size_t count, size_t *capacity, size_t size)
{
  if (count <= *capacity)
    return items;
  size_t more = count + *capacity;
  void *moved = more > SIZE_MAX / size ? NULL : realloc(items, more * size);
  if (moved)
    *capacity = more;
  return moved;
}

static int add_run(struct cover *cover, size_t row, size_t first, size_t last)
{
  struct pixel_run *runs = with_room(cover->runs, cover->run_count + 1, &cover->run_capacity, sizeof *runs);
  if (!runs)
    return error_memory(cover->error);
  cover->runs = runs;
  runs[cover->run_count++] = (struct pixel_run){row, first, last};
  return 0;
}

static int cross(struct cover *cover, size_t rows)
{
  cover->crossed += rows;
  if (cover->crossed <= most_crossed)
    return 0;
  return error_set(cover->error, ERROR_ProcessGraphComplexity,
                   "the edges of the geometries cross more than %zu rows of pixels", most_crossed);
}

static double column_of(const struct pixel_plane *plane, double x)
{
  return (x - plane->grid.west) / plane->grid.res_x;
}

static double row_of(const struct pixel_plane *plane, double y)
{
  return (plane->grid.north - y) / plane->grid.res_y;
}

static struct edge edge_of(const struct pixel_plane *plane, const struct geometry_part *part, size_t i)
{
  size_t k = (i + 1) % part->count;
  double u0 = column_of(plane, part->x[i]), v0 = row_of(plane, part->y[i]);
  double u1 = column_of(plane, part->x[k]), v1 = row_of(plane, part->y[k]);
  return v0 <= v1 ? (struct edge){u0, v0, u1, v1} : (struct edge){u1, v1, u0, v0};
}

/* ---- polygons ---------------------------------------------------------------------------------------------------- */

struct rings { /* one polygon */
  const struct geometry_part *parts;
  size_t count;
  size_t top, bottom; /* rows whose centres it may hold: top … bottom - 1 */
};

static void find_rows(const struct pixel_plane *plane, struct rings *rings)
{
  rings->top = plane->rows.size;
  rings->bottom = 0;
  for (size_t p = 0; p < rings->count; p++)
    for (size_t i = 0; i < rings->parts[p].count; i++) {
      size_t row = cell_from(&plane->rows, row_of(plane, rings->parts[p].y[i]));
      rings->top = row < rings->top ? row : rings->top;
      rings->bottom = row > rings->bottom ? row : rings->bottom;
    }
}

static int count_crossed(struct cover *cover, const struct rings *rings)
{
  const struct pixel_plane *plane = cover->plane;
  for (size_t p = 0; p < rings->count; p++)
    for (size_t i = 0; i < rings->parts[p].count; i++) {
      struct edge e = edge_of(plane, &rings->parts[p], i);
      if (cross(cover, cell_from(&plane->rows, e.v1) - cell_from(&plane->rows, e.v0)) != 0)
        return -1;
    }
  return 0;
}

/* Counts the crossings of each row into row_start[row + 2 - top], or, with `place`, puts them where row_start[row + 1 -
 * top] says and moves that on. */
static void each_crossing(struct cover *cover, const struct rings *rings, bool place)
{
  const struct pixel_plane *plane = cover->plane;
  for (size_t p = 0; p < rings->count; p++)
    for (size_t i = 0; i < rings->parts[p].count; i++) {
      struct edge e = edge_of(plane, &rings->parts[p], i);
      size_t to = cell_from(&plane->rows, e.v1);
      double slope = (e.u1 - e.u0) / (e.v1 - e.v0);
      for (size_t row = cell_from(&plane->rows, e.v0); row < to; row++) {
        size_t k = row - rings->top;
        if (place)
          cover->crossings[cover->row_start[k + 1]++] = e.u0 + (cell_centre(&plane->rows, row) - e.v0) * slope;
        else
          cover->row_start[k + 2]++;
      }
    }
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void sort_numbers(double *numbers, size_t count)
{
  if (count > 32) {
    qsort(numbers, count, sizeof *numbers, by_value);
    return;
  }
  for (size_t i = 1; i < count; i++) {
    double number = numbers[i];
    size_t k = i;
    for (; k > 0 && numbers[k - 1] > number; k--)
      numbers[k] = numbers[k - 1];
    numbers[k] = number;
  }
}

/* Sorts the crossings by row; those of row top + k are row_start[k] … row_start[k + 1] - 1. */
static int sort_crossings(struct cover *cover, const struct rings *rings)
{
  size_t rows = rings->bottom - rings->top;
  size_t *start = with_room(cover->row_start, rows + 2, &cover->row_capacity, sizeof *start);
  if (!start)
    return error_memory(cover->error);
  cover->row_start = start;
  for (size_t k = 0; k < rows + 2; k++)
    start[k] = 0;
  each_crossing(cover, rings, false);
  for (size_t k = 1; k < rows + 2; k++)
    start[k] += start[k - 1];
  double *crossings = with_room(cover->crossings, start[rows + 1] + 1, &cover->crossing_capacity, sizeof *crossings);
  if (!crossings)
    return error_memory(cover->error);
  cover->crossings = crossings;
  each_crossing(cover, rings, true);
  return 0;
}

static int cover_polygon(struct cover *cover, const struct geometry_part *parts, size_t count)
{
  struct rings rings = {.parts = parts, .count = count};
  const struct cell_axis *columns = &cover->plane->columns;
  find_rows(cover->plane, &rings);
  if (rings.top >= rings.bottom)
    return 0;
  if (count_crossed(cover, &rings) != 0 || sort_crossings(cover, &rings) != 0)
    return -1;
  for (size_t k = 0; k < rings.bottom - rings.top; k++) {
    double *u = cover->crossings + cover->row_start[k];
    size_t n = cover->row_start[k + 1] - cover->row_start[k];
    sort_numbers(u, n);
    for (size_t i = 0; i + 1 < n; i += 2) {
      size_t first = cell_from(columns, u[i]), last = cell_from(columns, u[i + 1]);
      if (first < last && add_run(cover, rings.top + k, first, last) != 0)
        return -1;
    }
  }
  return 0;
}

/* ---- lines and points -------------------------------------------------------------------------------------------- */

static int add_cells(struct cover *cover, size_t row, ptrdiff_t first, ptrdiff_t last)
{
  ptrdiff_t width = (ptrdiff_t)cover->plane->columns.size;
  first = first < 0 ? 0 : first;
  last = last < width ? last : width - 1;
  return first <= last ? add_run(cover, row, (size_t)first, (size_t)last + 1) : 0;
}

/* The cells of one row: the part of the edge from the row's upper edge up to, but without, its lower one. */
static int cover_edge_row(struct cover *cover, const struct edge *e, size_t row)
{
  const struct cell_axis *columns = &cover->plane->columns;
  double top = cell_edge(&cover->plane->rows, row), bottom = cell_edge(&cover->plane->rows, row + 1);
  double slope = e->v1 > e->v0 ? (e->u1 - e->u0) / (e->v1 - e->v0) : 0;
  double from = e->v0 >= top ? e->u0 : e->u0 + (top - e->v0) * slope;
  double to = e->v1 < bottom ? e->u1 : e->u0 + (bottom - e->v0) * slope;
  bool without_end = e->v1 >= bottom;
  if (to <= from)
    return add_cells(cover, row, cell_at(columns, to), cell_at(columns, from));
  return add_cells(cover, row, cell_at(columns, from), without_end ? cell_before(columns, to) : cell_at(columns, to));
}

static int cover_line(struct cover *cover, const struct geometry_part *line)
{
  const struct cell_axis *rows = &cover->plane->rows;
  for (size_t i = 0; i + 1 < line->count; i++) {
    struct edge e = edge_of(cover->plane, line, i);
    ptrdiff_t top = cell_at(rows, e.v0), bottom = cell_at(rows, e.v1);
    bottom = bottom < (ptrdiff_t)rows->size ? bottom : (ptrdiff_t)rows->size - 1;
    top = top < 0 ? 0 : top;
    if (bottom >= top && cross(cover, (size_t)(bottom - top) + 1) != 0)
      return -1;
    for (ptrdiff_t row = top; row <= bottom; row++)
      if (cover_edge_row(cover, &e, (size_t)row) != 0)
        return -1;
  }
  return 0;
}

static int cover_point(struct cover *cover, const struct geometry_part *point)
{
  const struct pixel_plane *plane = cover->plane;
  ptrdiff_t column = cell_at(&plane->columns, column_of(plane, point->x[0]));
  ptrdiff_t row = cell_at(&plane->rows, row_of(plane, point->y[0]));
  if (column < 0 || row < 0 || row == (ptrdiff_t)plane->rows.size)
    return 0;
  return add_cells(cover, (size_t)row, column, column);
}

/* ---- geometries -------------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
  const struct pixel_run *x = a, *y = b;
  return x->row != y->row ? (x->row > y->row) - (x->row < y->row) : (x->first > y->first) - (x->first < y->first);
}

/* The runs of the geometry, joined where they meet, as spans of the zone. */
static int finish_zone(struct cover *cover, uint32_t zone)
{
  bool sorted = true;
  for (size_t i = 1; sorted && i < cover->run_count; i++)
    sorted = by_place(&cover->runs[i - 1], &cover->runs[i]) <= 0;
  if (!sorted)
    qsort(cover->runs, cover->run_count, sizeof *cover->runs, by_place);
  size_t wanted = cover->span_count + cover->run_count;
  struct zone_span *spans = with_room(cover->spans, wanted + 1, &cover->span_capacity, sizeof *spans);
  if (!spans)
    return error_memory(cover->error);
  cover->spans = spans;
  size_t begin = cover->span_count;
  for (size_t i = 0; i < cover->run_count; i++) {
    struct pixel_run run = cover->runs[i];
    struct zone_span *before = cover->span_count > begin ? &spans[cover->span_count - 1] : NULL;
    if (before && before->row == run.row && run.first <= before->last)
      before->last = run.last > before->last ? run.last : before->last;
    else
      spans[cover->span_count++] = (struct zone_span){zone, run.row, run.first, run.last};
  }
  return 0;
}

static int cover_geometry(struct cover *cover, const struct geometry *geometry, uint32_t zone)
{
  cover->run_count = 0;
  for (size_t i = 0, next; i < geometry->part_count; i = next) {
    const struct geometry_part *part = &geometry->parts[i];
    int status = 0;
    next = i + 1;
    while (part->kind == PART_RING && next < geometry->part_count && geometry->parts[next].kind == PART_RING &&
           geometry->parts[next].polygon == part->polygon)
      next++;
    switch (part->kind) {
    case PART_POINT:
      status = cover_point(cover, part);
      break;
    case PART_LINE:
      status = cover_line(cover, part);
      break;
    case PART_RING:
      status = cover_polygon(cover, part, next - i);
      break;
    }
    if (status != 0)
      return -1;
  }
  return finish_zone(cover, zone);
}

/* The spans of all zones, by row; within a row they keep their order, which is by zone. */
static int sort_by_row(const struct cover *cover, struct arena *arena, const struct zone_span **out)
{
  size_t height = cover->plane->rows.size;
  struct zone_span *sorted = ARENA_ARRAY(arena, struct zone_span, cover->span_count);
  size_t *start = calloc(height + 1, sizeof *start);
  if (!sorted || !start) {
    free(start);
    return error_memory(cover->error);
  }
  for (size_t i = 0; i < cover->span_count; i++)
    start[cover->spans[i].row + 1]++;
  for (size_t row = 1; row <= height; row++)
    start[row] += start[row - 1];
  for (size_t i = 0; i < cover->span_count; i++)
    sorted[start[cover->spans[i].row]++] = cover->spans[i];
  free(start);
  *out = sorted;
  return 0;
}

int geometry_spans(const struct geometry_set *set, const struct pixel_plane *plane, struct arena *arena,
                   const struct zone_span **out, size_t *count, struct error *error)
{
  struct cover cover = {.plane = plane, .error = error};
  int status = 0;
  if (set->count >= UINT32_MAX)
    status = error_set(error, ERROR_ProcessGraphComplexity, "there are too many geometries: %zu", set->count);
  for (size_t i = 0; status == 0 && i < set->count; i++)
    status = cover_geometry(&cover, &set->items[i], (uint32_t)i);
  if (status == 0)
    status = sort_by_row(&cover, arena, out);
  *count = cover.span_count;
  free(cover.runs);
  free(cover.spans);
  free(cover.crossings);
  free(cover.row_start);
  return status;
}
