/* Laying geometries on the plane of a cube: moved into its CRS, drawn on a north-up grid, then mirrored where the
 * cube's axes run the other way, so that a centre on a boundary belongs to the same pixel however the cube is stored.
 * Where the CRS repeats itself, parts are drawn a turn to either side as well. */
#include "datacube/coverage.h"

#include "datacube/turn.h"

#include <math.h>
#include <string.h>

static const double edge_tolerance = 0.01; /* of a pixel: how exactly transformed edges are drawn */

struct laid_plane {
  struct pixel_plane pixels; /* north up, west first */
  bool mirrored[2];          /* y from the south, x from the east */
  double turn;               /* of the CRS */
};

struct laying {
  struct laid_plane plane;
  struct arena *arena;
  struct error *error;
  struct pixel_box *boxes;
};

/* ---- the plane --------------------------------------------------------------------------------------------------- */

struct laid_axis { /* y southwards, x eastwards */
  struct cell_axis cells;
  double edge, step; /* coordinate of cell edge 0, and distance of a cell edge to the next */
  bool mirrored;
};

/* Distance between labels, on the whole; 1 where it cannot be known. */
static double mean_step(const struct dimension *d)
{
  double range = d->labels == LABEL_NUMBER && d->size > 1 ? fabs(d->numbers[d->size - 1] - d->numbers[0]) : 0;
  if (d->labels == LABEL_STEP)
    return fabs(d->step);
  return range > 0 ? range / (double)(d->size - 1) : 1;
}

/* Cells of one size, from label 0 on. */
static struct laid_axis lay_steps(const struct dimension *d, double step, int direction)
{
  double start = d->size ? dimension_label_number(d, 0) : 0;
  bool mirrored = step * direction < 0;
  return (struct laid_axis){.cells = {.size = d->size},
                            .edge = mirrored ? start + step * ((double)d->size - 0.5) : start - 0.5 * step,
                            .step = mirrored ? -step : step,
                            .mirrored = mirrored};
}

/* Cells around the labels, which the axis counts in the coordinate itself: edge 0, step 1 in its direction. */
static int lay_numbers(const struct laying *l, const struct dimension *d, int direction, struct laid_axis *out)
{
  double *centres = ARENA_ARRAY(l->arena, double, d->size);
  if (!centres)
    return error_memory(l->error);
  *out = (struct laid_axis){.step = direction, .mirrored = direction * (d->numbers[1] - d->numbers[0]) < 0};
  for (size_t i = 0; i < d->size; i++)
    centres[i] = direction * d->numbers[out->mirrored ? d->size - 1 - i : i];
  if (!cells_ascend(centres, d->size))
    return error_parameter(l->error, ERROR_ProcessParameterInvalid, "data",
                           "geometries cannot be laid on the labels of '%s': they neither rise nor fall throughout",
                           d->name);
  out->cells = cells_around(l->arena, centres, d->size);
  return out->cells.edges ? 0 : error_memory(l->error);
}

/* A single pixel is as large as those of the other axis. */
static int lay_axis(const struct laying *l, const struct dimension *d, const struct dimension *other, int direction,
                    struct laid_axis *out)
{
  bool numbers = d->labels == LABEL_NUMBER && d->size > 1;
  double step = d->labels == LABEL_STEP ? d->step : direction * mean_step(other);
  if (numbers)
    return lay_numbers(l, d, direction, out);
  if ((d->labels != LABEL_STEP && d->labels != LABEL_NUMBER) || step == 0 || !isfinite(step))
    return error_parameter(l->error, ERROR_ProcessParameterInvalid, "data",
                           "geometries cannot be laid on the labels of '%s': they are no coordinates", d->name);
  *out = lay_steps(d, step, direction);
  return 0;
}

static int find_plane(struct laying *l, const struct cube *cube)
{
  size_t iy = cube_find_axis(cube, 'y'), ix = cube_find_axis(cube, 'x');
  struct laid_axis rows, columns;
  if (iy == SIZE_MAX || ix == SIZE_MAX || !cube->crs)
    return error_parameter(l->error, ERROR_ProcessParameterInvalid, "data",
                           "the cube has no x and y with a CRS to lay geometries on (its dimensions: %s)",
                           cube_dimension_names(l->arena, cube));
  const struct dimension *y = &cube->dimension[iy], *x = &cube->dimension[ix];
  if (lay_axis(l, y, x, -1, &rows) != 0 || lay_axis(l, x, y, 1, &columns) != 0)
    return -1;
  const struct grid grid = {.west = columns.edge,
                            .north = rows.edge,
                            .res_x = columns.step,
                            .res_y = -rows.step,
                            .width = x->size,
                            .height = y->size,
                            .crs = cube->crs};
  l->plane = (struct laid_plane){.pixels = {.grid = grid, .rows = rows.cells, .columns = columns.cells},
                                 .mirrored = {rows.mirrored, columns.mirrored},
                                 .turn = crs_turn(cube->crs)};
  return 0;
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

static void part_range(const struct geometry_part *part, double *low, double *high)
{
  for (size_t i = 0; i < part->count; i++) {
    *low = fmin(*low, part->x[i]);
    *high = fmax(*high, part->x[i]);
  }
}

/* The turns of a polygon (or line, or point) that may meet the grid: from *first to *last. */
static void find_turns(const struct laid_plane *plane, const struct geometry_part *parts, size_t count, int *first,
                       int *last)
{
  double low = INFINITY, high = -INFINITY;
  const struct grid *grid = &plane->pixels.grid;
  const struct cell_axis *columns = &plane->pixels.columns;
  double west = grid->west + grid->res_x * cell_edge(columns, 0);
  double east = grid->west + grid->res_x * cell_edge(columns, columns->size);
  for (size_t i = 0; i < count; i++)
    part_range(&parts[i], &low, &high);
  *first = *last = 0;
  if (!(plane->turn > 0) || !(low <= high))
    return;
  *first = (int)fmax(-4, ceil((west - high) / plane->turn));
  *last = (int)fmin(4, floor((east - low) / plane->turn));
}

static size_t polygon_end(const struct geometry *geometry, size_t from)
{
  const struct geometry_part *parts = geometry->parts;
  size_t to = from + 1;
  while (parts[from].kind == PART_RING && to < geometry->part_count && parts[to].kind == PART_RING &&
         parts[to].polygon == parts[from].polygon)
    to++;
  return to;
}

static int turn_part(const struct laying *l, const struct geometry_part *part, double by, size_t polygon,
                     struct geometry_part *out)
{
  *out = *part;
  out->polygon = polygon;
  if (by == 0)
    return 0;
  double *x = ARENA_ARRAY(l->arena, double, part->count);
  if (!x)
    return error_memory(l->error);
  for (size_t i = 0; i < part->count; i++)
    x[i] = part->x[i] + by;
  out->x = x;
  return 0;
}

/* The geometry with each of its members as often as a turn of it meets the grid. */
static int turn_geometry(const struct laying *l, const struct geometry *geometry, struct geometry *out)
{
  size_t count = 0, polygon = 0;
  int first, last;
  for (size_t i = 0, next; i < geometry->part_count; i = next) {
    next = polygon_end(geometry, i);
    find_turns(&l->plane, &geometry->parts[i], next - i, &first, &last);
    count += last >= first ? (size_t)(last - first + 1) * (next - i) : 0;
  }
  struct geometry_part *parts = ARENA_ARRAY(l->arena, struct geometry_part, count);
  if (!parts)
    return error_memory(l->error);
  *out = *geometry;
  out->parts = parts;
  out->part_count = count;
  for (size_t i = 0, next; i < geometry->part_count; i = next) {
    next = polygon_end(geometry, i);
    find_turns(&l->plane, &geometry->parts[i], next - i, &first, &last);
    for (int turn = first; turn <= last; turn++, polygon++)
      for (size_t p = i; p < next; p++)
        if (turn_part(l, &geometry->parts[p], turn * l->plane.turn, polygon, parts++) != 0)
          return -1;
  }
  return 0;
}

static int turn_set(const struct laying *l, const struct geometry_set *set, struct geometry_set *out)
{
  struct geometry *items = ARENA_ARRAY(l->arena, struct geometry, set->count);
  if (!items)
    return error_memory(l->error);
  *out = *set;
  out->items = items;
  for (size_t i = 0; i < set->count; i++)
    if (turn_geometry(l, &set->items[i], &items[i]) != 0)
      return -1;
  return 0;
}

/* ---- boxes ------------------------------------------------------------------------------------------------------- */

static void stretch(struct pixel_box *box, size_t k, size_t from, size_t to)
{
  size_t end = box->start[k] + box->count[k];
  bool empty = box->count[k] == 0;
  box->start[k] = empty || from < box->start[k] ? from : box->start[k];
  box->count[k] = (empty || to > end ? to : end) - box->start[k];
}

struct bounds { /* of coordinates */
  double west, east, south, north;
};

static const struct bounds nothing = {INFINITY, -INFINITY, INFINITY, -INFINITY};

static void widen(struct bounds *range, const struct geometry *geometry)
{
  for (size_t p = 0; p < geometry->part_count; p++) {
    const struct geometry_part *part = &geometry->parts[p];
    part_range(part, &range->west, &range->east);
    for (size_t i = 0; i < part->count; i++) {
      range->south = fmin(range->south, part->y[i]);
      range->north = fmax(range->north, part->y[i]);
    }
  }
}

static struct pixel_box box_of(const struct pixel_plane *plane, const struct bounds *range)
{
  const struct grid *grid = &plane->grid;
  struct pixel_box box = {{0, 0}, {0, 0}};
  size_t first[2], end[2];
  if (!(range->west <= range->east))
    return box;
  cells_in(&plane->rows, (grid->north - range->north) / grid->res_y, (grid->north - range->south) / grid->res_y,
           &first[0], &end[0]);
  cells_in(&plane->columns, (range->west - grid->west) / grid->res_x, (range->east - grid->west) / grid->res_x,
           &first[1], &end[1]);
  for (size_t k = 0; k < 2 && first[0] < end[0] && first[1] < end[1]; k++) {
    box.start[k] = first[k];
    box.count[k] = end[k] - first[k];
  }
  return box;
}

/* Boxes of all geometries, and one of them together behind these. */
static int find_boxes(struct laying *l, const struct geometry_set *set, const struct zone_span *runs, size_t count)
{
  struct pixel_box *boxes = ARENA_ARRAY(l->arena, struct pixel_box, set->count + 1);
  struct bounds all = nothing;
  if (!boxes)
    return error_memory(l->error);
  for (size_t g = 0; g < set->count; g++) {
    struct bounds own = nothing;
    widen(&own, &set->items[g]);
    widen(&all, &set->items[g]);
    boxes[g] = box_of(&l->plane.pixels, &own);
  }
  boxes[set->count] = box_of(&l->plane.pixels, &all);
  for (size_t i = 0; i < count; i++) {
    const size_t zones[] = {runs[i].zone, set->count};
    for (size_t k = 0; k < 2; k++) {
      stretch(&boxes[zones[k]], 0, runs[i].row, runs[i].row + 1);
      stretch(&boxes[zones[k]], 1, runs[i].first, runs[i].last);
    }
  }
  l->boxes = boxes;
  return 0;
}

/* ---- mirrors ----------------------------------------------------------------------------------------------------- */

static void reverse(struct zone_span *runs, size_t count)
{
  for (size_t i = 0; i < count / 2; i++) {
    struct zone_span other = runs[count - 1 - i];
    runs[count - 1 - i] = runs[i];
    runs[i] = other;
  }
}

/* Reverses each run of spans of one row (and one zone). */
static void reverse_groups(struct zone_span *runs, size_t count, bool by_zone)
{
  for (size_t i = 0, next; i < count; i = next) {
    next = i + 1;
    while (next < count && runs[next].row == runs[i].row && (!by_zone || runs[next].zone == runs[i].zone))
      next++;
    reverse(runs + i, next - i);
  }
}

static void mirror(const struct laying *l, size_t zones, struct zone_span *runs, size_t count)
{
  const size_t size[] = {l->plane.pixels.rows.size, l->plane.pixels.columns.size};
  for (size_t k = 0; k < 2; k++)
    for (size_t z = 0; l->plane.mirrored[k] && z <= zones; z++)
      if (l->boxes[z].count[k] > 0)
        l->boxes[z].start[k] = size[k] - l->boxes[z].start[k] - l->boxes[z].count[k];
  for (size_t i = 0; i < count; i++) {
    struct zone_span run = runs[i];
    runs[i].row = l->plane.mirrored[0] ? size[0] - 1 - run.row : run.row;
    runs[i].first = l->plane.mirrored[1] ? size[1] - run.last : run.first;
    runs[i].last = l->plane.mirrored[1] ? size[1] - run.first : run.last;
  }
  if (l->plane.mirrored[0]) {
    reverse(runs, count);
    reverse_groups(runs, count, false);
  }
  if (l->plane.mirrored[1])
    reverse_groups(runs, count, true);
}

int coverage_make(const struct geometry_set *set, const struct cube *cube, struct arena *arena, struct coverage *out,
                  struct error *error)
{
  struct laying l = {.arena = arena, .error = error};
  const struct geometry_set *moved;
  struct geometry_set turned;
  const struct zone_span *runs;
  size_t count;
  if (find_plane(&l, cube) != 0)
    return -1;
  const struct pixel_plane *plane = &l.plane.pixels;
  const struct grid *grid = &plane->grid;
  double smallest = fmin(grid->res_x * cell_smallest(&plane->columns), grid->res_y * cell_smallest(&plane->rows));
  if (geometry_transform(set, grid->crs, edge_tolerance * smallest, arena, &moved, error) != 0 ||
      turn_set(&l, moved, &turned) != 0 || geometry_spans(&turned, plane, arena, &runs, &count, error) != 0 ||
      find_boxes(&l, &turned, runs, count) != 0)
    return -1;
  mirror(&l, set->count, (struct zone_span *)(uintptr_t)runs, count); /* ours: nobody else has seen them */
  *out = (struct coverage){.rows = grid->height,
                           .columns = grid->width,
                           .zones = set->count,
                           .runs = runs,
                           .run_count = count,
                           .boxes = l.boxes,
                           .box = l.boxes[set->count]};
  return 0;
}
