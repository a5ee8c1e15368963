/* Laying geometries on the plane of a cube: moved into its CRS, drawn on a north-up grid, then mirrored where the
 * cube's axes run the other way, so that a centre on a boundary belongs to the same pixel however the cube is stored.
 * Where the CRS repeats itself, parts are drawn a turn to either side as well. */
#include "datacube/coverage.h"

#include "datacube/turn.h"

#include <math.h>
#include <string.h>

static const double edge_tolerance = 0.01;   /* of a pixel: how exactly transformed edges are drawn */
static const double centre_tolerance = 1e-9; /* of a pixel: arithmetic noise of a bounding box's edge */

struct laid_plane {
  struct grid grid; /* north up, west first */
  bool mirrored[2]; /* y from the south, x from the east */
  double turn;      /* of the CRS */
};

struct laying {
  struct laid_plane plane;
  struct arena *arena;
  struct error *error;
  struct pixel_box *boxes;
};

/* ---- the plane --------------------------------------------------------------------------------------------------- */

/* First label and step of an axis; the step of a single pixel of unknown size is `other`. */
static bool read_axis(const struct dimension *d, double other, double *start, double *step)
{
  *start = d->size ? dimension_label_number(d, 0) : 0;
  *step = d->labels == LABEL_STEP ? d->step : other;
  return (d->labels == LABEL_STEP || (d->labels == LABEL_NUMBER && d->size <= 1)) && *step != 0 && isfinite(*step);
}

static double known_step(const struct dimension *d)
{
  return d->labels == LABEL_STEP ? fabs(d->step) : 1;
}

static int find_plane(const struct cube *cube, struct arena *arena, struct laid_plane *out, struct error *error)
{
  size_t iy = cube_find_axis(cube, 'y'), ix = cube_find_axis(cube, 'x');
  double start[2], step[2];
  bool fits = iy != SIZE_MAX && ix != SIZE_MAX && cube->crs;
  const struct dimension *y = fits ? &cube->dimension[iy] : NULL, *x = fits ? &cube->dimension[ix] : NULL;
  if (!fits || !read_axis(y, known_step(x), &start[0], &step[0]) || !read_axis(x, known_step(y), &start[1], &step[1]))
    return error_parameter(error, ERROR_ProcessParameterInvalid, "data",
                           "the cube has no regular spatial grid with a CRS (its dimensions: %s)",
                           cube_dimension_names(arena, cube));
  *out = (struct laid_plane){.mirrored = {step[0] > 0, step[1] < 0}, .turn = crs_turn(cube->crs)};
  double north = out->mirrored[0] ? start[0] + step[0] * ((double)y->size - 0.5) : start[0] - 0.5 * step[0];
  double west = out->mirrored[1] ? start[1] + step[1] * ((double)x->size - 0.5) : start[1] - 0.5 * step[1];
  out->grid = (struct grid){.west = west,
                            .north = north,
                            .res_x = fabs(step[1]),
                            .res_y = fabs(step[0]),
                            .width = x->size,
                            .height = y->size,
                            .crs = cube->crs};
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
  double west = plane->grid.west, east = west + plane->grid.res_x * (double)plane->grid.width;
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

/* First index and end of the centres in [low, high], pixels from the edge. */
static void centres_in(double low, double high, size_t size, size_t *first, size_t *end)
{
  double from = ceil(low - 0.5 - centre_tolerance), to = floor(high - 0.5 + centre_tolerance) + 1;
  *first = !(from > 0) ? 0 : from < (double)size ? (size_t)from : size;
  *end = !(to > 0) ? 0 : to < (double)size ? (size_t)to : size;
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

static struct pixel_box box_of(const struct grid *grid, const struct bounds *range)
{
  struct pixel_box box = {{0, 0}, {0, 0}};
  size_t first[2], end[2];
  if (!(range->west <= range->east))
    return box;
  centres_in((grid->north - range->north) / grid->res_y, (grid->north - range->south) / grid->res_y, grid->height,
             &first[0], &end[0]);
  centres_in((range->west - grid->west) / grid->res_x, (range->east - grid->west) / grid->res_x, grid->width, &first[1],
             &end[1]);
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
    boxes[g] = box_of(&l->plane.grid, &own);
  }
  boxes[set->count] = box_of(&l->plane.grid, &all);
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
  const size_t size[] = {l->plane.grid.height, l->plane.grid.width};
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
  if (find_plane(cube, arena, &l.plane, error) != 0)
    return -1;
  const struct grid *grid = &l.plane.grid;
  double tolerance = edge_tolerance * fmin(grid->res_x, grid->res_y);
  if (geometry_transform(set, grid->crs, tolerance, arena, &moved, error) != 0 || turn_set(&l, moved, &turned) != 0 ||
      geometry_spans(&turned, grid, arena, &runs, &count, error) != 0 || find_boxes(&l, &turned, runs, count) != 0)
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
