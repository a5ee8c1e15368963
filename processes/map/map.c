/* From the graph's text to an open run on the lattice, and boxes of it.
 *
 * The run's output covers the cube, in whole squares of SQUARE pixels of the lattice, so that tiles of 256 and 512
 * pixels are boxes of whole tiles of the plan. */
#include "processes/map/map.h"

#include "datacube/sink/layout.h"
#include "datacube/sink/values.h"
#include "processes/map/map_choice.h"
#include "processes/map/map_node.h"
#include "processes/map/map_result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SQUARE = 256 };
static const double most_side = 1e9; /* pixels of the cube on the lattice */

struct map {
  struct arena *arena; /* of the plan and of all below */
  const struct plan *plan;
  struct run *run;
  int64_t column, row; /* of the lattice: the plan's first pixel */
  size_t width, height;
};

/* ---- the lattice ------------------------------------------------------------------------------------------------- */

static int too_many(double pixels, struct error *error)
{
  return error_set(error, ERROR_ProcessGraphComplexity,
                   "at this resolution the map would be %.0f pixels wide or high; at most %.0f", pixels, most_side);
}

/* The squares of the lattice that hold the cube: *first and *count along one axis. `low` and `high` are pixels from the
 * origin. */
static int find_squares(double low, double high, int64_t *first, size_t *count, struct error *error)
{
  const double spare = fmin(1e-6, (high - low) / 4); /* of a pixel: rounding opens no new square */
  const double from = floor((low + spare) / SQUARE) * SQUARE, to = ceil((high - spare) / SQUARE) * SQUARE;
  if (!(high > low) || !isfinite(from) || !isfinite(to))
    return error_set(error, ERROR_NoDataAvailable, "the result has no place in the map's projection");
  if (to - from > most_side || fabs(from) > 1e15)
    return too_many(to - from, error);
  *first = (int64_t)from;
  *count = (size_t)(to - from);
  return 0;
}

static int grid_on_lattice(struct map *map, const struct map_lattice *lattice, const struct cube *cube,
                           struct grid *grid, struct error *error)
{
  struct extent own = {.crs = cube->crs}, image;
  cube_bounds(cube, &own.west, &own.south, &own.east, &own.north);
  image = own;
  if (!crs_equal(cube->crs, lattice->crs) && extent_transform_in_use(&own, lattice->crs, &image, error) != 0)
    return -1;
  if (find_squares((image.west - lattice->west) / lattice->res_x, (image.east - lattice->west) / lattice->res_x,
                   &map->column, &map->width, error) != 0 ||
      find_squares((lattice->north - image.north) / lattice->res_y, (lattice->north - image.south) / lattice->res_y,
                   &map->row, &map->height, error) != 0)
    return -1;
  *grid = (struct grid){.west = lattice->west + (double)map->column * lattice->res_x,
                        .north = lattice->north - (double)map->row * lattice->res_y,
                        .res_x = lattice->res_x,
                        .res_y = lattice->res_y,
                        .width = map->width,
                        .height = map->height,
                        .crs = arena_strdup(map->arena, lattice->crs)};
  return grid->crs ? 0 : error_memory(error);
}

static int put_on_lattice(struct map *map, const struct map_request *request, const struct node *node,
                          const struct node **out, struct error *error)
{
  struct map_target *target = ARENA_NEW(map->arena, struct map_target);
  if (!target)
    return error_memory(error);
  *target = (struct map_target){.method = request->method, .overviews = true, .cancel = request->options.cancel};
  if (grid_on_lattice(map, &request->lattice, node->cube, &target->grid, error) != 0)
    return -1;
  return map_node(map->arena, node, target, out, error);
}

/* The cube's own pixels. */
static int keep_grid(struct map *map, const struct cube *cube)
{
  map->width = cube->dimension[cube_find_axis(cube, 'x')].size;
  map->height = cube->dimension[cube_find_axis(cube, 'y')].size;
  return 0;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int plan_map(struct map *map, const struct map_request *request, const struct node *node, struct error *error)
{
  struct plan_options options = {.memory = request->options.memory,
                                 .threads = request->options.threads,
                                 .cancel = request->options.cancel,
                                 .devices = request->options.devices};
  options.prefer[cube_find_axis(node->cube, 'x')] = SQUARE;
  options.prefer[cube_find_axis(node->cube, 'y')] = SQUARE;
  if (plan_make(map->arena, node, &options, &map->plan, error) != 0)
    return graph_blame(map->arena, error);
  return run_open(map->plan, NULL, NULL, &map->run, error);
}

static int fill_map(struct map *map, const struct map_request *request, struct error *error)
{
  const struct node *node;
  if (map_result(map->arena, request, &node, error) != 0 ||
      map_choose(map->arena, node, &request->choice, &node, error) != 0)
    return -1;
  if ((request->lattice.crs ? put_on_lattice(map, request, node, &node, error) : keep_grid(map, node->cube)) != 0)
    return graph_blame(map->arena, error);
  return plan_map(map, request, node, error);
}

static struct arena *make_arena(const struct map_request *request, struct error *error)
{
  struct arena *arena = arena_new(request->options.memory ? request->options.memory : (size_t)2 << 30);
  if (!arena)
    error_memory(error);
  return arena;
}

int map_open(const struct map_request *request, struct map **out, struct error *error)
{
  struct arena *arena = make_arena(request, error);
  struct map *map = calloc(1, sizeof *map);
  if (!arena || !map) {
    arena_free(arena);
    free(map);
    return error_memory(error);
  }
  map->arena = arena;
  if (fill_map(map, request, error) != 0) {
    map_close(map);
    return -1;
  }
  *out = map;
  return 0;
}

void map_close(struct map *map)
{
  if (!map)
    return;
  run_close(map->run);
  arena_free(map->arena);
  free(map);
}

const struct cube *map_cube(const struct map *map)
{
  return plan_cube(map->plan);
}

struct hash map_hash(const struct map *map)
{
  return plan_hash(map->plan);
}

size_t map_memory(const struct map *map)
{
  return plan_peak_memory(map->plan);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct pixel_sink { /* takes a box of the run into a window's pixels */
  struct sink sink;
  const struct cube *cube; /* of the box */
  struct layout layout;
  size_t column, row; /* of the window: the box's first pixel */
  struct map_pixels *pixels;
};

/* A row of floats whose missing values are NaN: what most maps are made of. */
static void put_floats(const float *from, size_t count, double *to)
{
  for (size_t x = 0; x < count; x++)
    to[x] = (double)from[x];
}

static void put_view(const struct pixel_sink *to, const struct plane_view *view)
{
  const struct map_pixels *pixels = to->pixels;
  const struct cube *cube = to->cube;
  const bool is_plain = cube->type == ELEMENT_F32 && view->column_stride == (ptrdiff_t)sizeof(float) &&
                        (!cube->has_nodata || isnan(cube->nodata));
  for (size_t y = 0; y < view->height; y++) {
    double *line = pixels->values + (view->plane * pixels->height + to->row + view->row + y) * pixels->width +
                   to->column + view->column;
    if (is_plain) {
      put_floats((const float *)(const void *)(view->data + (ptrdiff_t)y * view->row_stride), view->width, line);
      continue;
    }
    for (size_t x = 0; x < view->width; x++) {
      const char *at = view->data + (ptrdiff_t)y * view->row_stride + (ptrdiff_t)x * view->column_stride;
      line[x] = value_missing(cube, at, 0) ? (double)NAN : value_load(cube->type, at, 0);
    }
  }
}

static int put_pixels(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  struct pixel_sink *to = (struct pixel_sink *)sink;
  struct plane_walk walk;
  struct plane_view view;
  (void)error;
  plane_walk_start(&walk, &to->layout, box, data, element_info(to->cube->type)->size);
  while (plane_walk_next(&walk, &view))
    put_view(to, &view);
  return 0;
}

static const struct sink_ops pixel_sink_ops = {.put = put_pixels};

/* Where [column, column + width) of the lattice lies on [first, first + size) of the plan: start there, and in the
 * window; 0: nowhere. */
static size_t overlap(int64_t column, size_t width, int64_t first, size_t size, size_t *in_plan, size_t *in_window)
{
  const int64_t from = column > first ? column : first;
  const int64_t end = column + (int64_t)width < first + (int64_t)size ? column + (int64_t)width : first + (int64_t)size;
  if (end <= from)
    return 0;
  *in_plan = (size_t)(from - first);
  *in_window = (size_t)(from - column);
  return (size_t)(end - from);
}

static int read_box(struct map *map, const struct map_window *window, const struct run_limits *limits,
                    struct map_pixels *out, struct error *error)
{
  const struct cube *whole = map_cube(map);
  struct cube part = *whole;
  struct box box = cube_box(whole);
  struct pixel_sink sink = {.sink = {.ops = &pixel_sink_ops}, .cube = &part, .pixels = out};
  size_t x = cube_find_axis(whole, 'x'), y = cube_find_axis(whole, 'y');
  box.count[x] = overlap(window->column, window->width, map->column, map->width, &box.start[x], &sink.column);
  box.count[y] = overlap(window->row, window->height, map->row, map->height, &box.start[y], &sink.row);
  if (box.count[x] == 0 || box.count[y] == 0)
    return 0;
  part.dimension[x].size = box.count[x];
  part.dimension[y].size = box.count[y];
  if (layout_of_cube(&part, "A map", "", &sink.layout, error) != 0)
    return -1;
  run_renew(map->run, limits, NULL);
  int status = run_box(map->run, 0, &box, &sink.sink, error);
  run_renew(map->run, NULL, NULL);
  return status;
}

int map_read(struct map *map, const struct map_window *window, const volatile int *cancel, struct map_pixels *out,
             struct error *error)
{
  const struct cube *cube = map_cube(map);
  const struct run_limits limits = {.cancel = cancel};
  const size_t plane = window->width * window->height;
  *out = (struct map_pixels){.planes = 1, .width = window->width, .height = window->height};
  for (size_t d = 0; d < cube->dimensions; d++)
    if (cube->dimension[d].axis != 'x' && cube->dimension[d].axis != 'y')
      out->planes *= cube->dimension[d].size;
  out->values = out->planes > 0 && plane > 0 && plane <= SIZE_MAX / sizeof(double) / out->planes
                    ? malloc(out->planes * plane * sizeof(double))
                    : NULL;
  if (!out->values)
    return error_memory(error);
  for (size_t i = 0; i < out->planes * plane; i++)
    out->values[i] = (double)NAN;
  if (read_box(map, window, &limits, out, error) == 0)
    return 0;
  map_pixels_free(out);
  return -1;
}

void map_pixels_free(struct map_pixels *pixels)
{
  free(pixels->values);
  *pixels = (struct map_pixels){0};
}
