/* Regridding: a warp with y and x as the last dimensions. The planner makes it the source's own, where it can. Grids
 * run to the east and to the south; a cube that runs otherwise is turned by a view before, or after. */
#include "processes/resample/regrid.h"

static void set_grid(struct cube *cube, const struct grid *grid)
{
  size_t x = cube_find_axis(cube, 'x'), y = cube_find_axis(cube, 'y');
  const char *x_name = cube->dimension[x].name, *y_name = cube->dimension[y].name;
  cube->dimension[x] = dimension_steps(x_name, 'x', grid->west + grid->res_x / 2, grid->res_x, grid->width);
  cube->dimension[y] = dimension_steps(y_name, 'y', grid->north - grid->res_y / 2, -grid->res_y, grid->height);
  cube->crs = grid->crs;
}

/* Moves y and x behind the other dimensions, or back: order[i] is the old index of new dimension i. */
static int permute(struct call *call, const struct node *node, const size_t *order, const struct node **out)
{
  struct cube *cube = cube_copy(call->arena, node->cube);
  struct view_dimension *view = view_identity(call->arena, node->cube);
  if (!cube || !view)
    return error_memory(call->error);
  for (size_t i = 0; i < cube->dimensions; i++) {
    cube->dimension[i] = node->cube->dimension[order[i]];
    view[order[i]].out = (int)i;
  }
  *out = node_view(call->arena, call_origin(call), node, cube, view);
  return *out ? 0 : error_memory(call->error);
}

/* Pixels outside the input need a value of their own: where there is none, floats with NaN. */
static int with_nodata(struct call *call, const struct node *data, const struct node **out)
{
  const struct element_info *info = element_info(data->cube->type);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct program *program = program_new(call->arena);
  *out = data;
  if (data->cube->has_nodata)
    return 0;
  if (!cube || !program)
    return error_memory(call->error);
  cube->has_nodata = true;
  cube->nodata = __builtin_nan("");
  if (!info->is_float && !info->is_complex)
    cube->type = info->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  if (!input)
    return error_memory(call->error);
  *input = (struct kernel_input){.node = data, .array_dimension = NO_DIMENSION};
  for (size_t d = 0; d < cube->dimensions; d++)
    input->to_output[d] = (int)d;
  struct lanes same = program_input(program, 0, false, 1, data->cube->type, NULL);
  *out = node_kernel(call->arena, call_origin(call), cube, input, 1, program, same, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

/* Whether the centre of every pixel of `to` lies well inside `from`; false where that cannot be told. */
static bool covers(const struct grid *from, const struct grid *to)
{
  const double spare = 0.01; /* of a pixel: how exactly centres are transformed */
  struct extent centres = {to->west + to->res_x / 2, to->north - to->res_y * ((double)to->height - 0.5),
                           to->west + to->res_x * ((double)to->width - 0.5), to->north - to->res_y / 2, to->crs};
  struct extent image = centres;
  struct error ignored = {0};
  if (!crs_equal(from->crs, to->crs) && extent_transform(&centres, from->crs, &image, &ignored) != 0)
    return false;
  return image.west >= from->west + spare * from->res_x &&
         image.east <= from->west + from->res_x * ((double)from->width - spare) &&
         image.north <= from->north - spare * from->res_y &&
         image.south >= from->north - from->res_y * ((double)from->height - spare) && image.west <= image.east;
}

static int warp_tiles(struct call *call, const struct node *data, const struct warp_target *target, bool covered,
                      const struct node **out)
{
  size_t x = cube_find_axis(data->cube, 'x'), y = cube_find_axis(data->cube, 'y'), n = data->cube->dimensions;
  size_t order[CUBE_MAX_DIMENSIONS], back[CUBE_MAX_DIMENSIONS], at = 0;
  const struct node *ordered = data;
  bool moved = y != n - 2 || x != n - 1;
  for (size_t d = 0; d < n; d++)
    if (d != x && d != y)
      order[at++] = d;
  order[at++] = y;
  order[at] = x;
  for (size_t i = 0; i < n; i++)
    back[order[i]] = i;
  if ((!covered && with_nodata(call, data, &data) != 0) || (moved && permute(call, data, order, &ordered) != 0))
    return -1;
  ordered = moved ? ordered : data;
  struct cube *cube = cube_copy(call->arena, ordered->cube);
  if (!cube)
    return error_memory(call->error);
  set_grid(cube, &target->grid);
  *out = node_warp(call->arena, call_origin(call), ordered, cube, &target->grid, target->method);
  if (!*out)
    return error_memory(call->error);
  return moved ? permute(call, *out, back, out) : 0;
}

/* The node with the labels of dimension d in the reverse order. */
static int turn(struct call *call, const struct node *node, size_t d, const struct node **out)
{
  const struct dimension *own = &node->cube->dimension[d];
  struct dimension turned = *own;
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, own->size + 1);
  if (!indexes)
    return error_memory(call->error);
  for (size_t i = 0; i < own->size; i++)
    indexes[i] = own->size - 1 - i;
  turned.start = own->size ? dimension_label_number(own, own->size - 1) : own->start;
  turned.step = -own->step;
  return view_spread(call, node, d, &turned, indexes, out);
}

/* Turns the axes of step labels that do not run as wanted: x to the east (or not), y to the south (or not). */
static int turn_axes(struct call *call, const struct node *node, bool east, bool south, const struct node **out)
{
  const struct {
    size_t dimension;
    bool up;
  } axes[2] = {{cube_find_axis(node->cube, 'x'), east}, {cube_find_axis(node->cube, 'y'), !south}};
  *out = node;
  for (size_t k = 0; k < 2; k++)
    if ((node->cube->dimension[axes[k].dimension].step > 0) != axes[k].up &&
        turn(call, *out, axes[k].dimension, out) != 0)
      return -1;
  return 0;
}

int regrid(struct call *call, const struct node *data, const struct grid *grid, enum resampling method,
           const struct node **out)
{
  struct grid from;
  if (grid_under_cube(data->cube, &from) != 0 || !data->cube->crs)
    return error_parameter(
        call->error, ERROR_ProcessParameterInvalid, "data",
        "the cube has no regular spatial grid with a coordinate reference system (its dimensions: %s)",
        cube_dimension_names(call->arena, data->cube));
  const struct warp_target target = {*grid, method};
  return turn_axes(call, data, true, true, &data) != 0 ? -1 : warp_tiles(call, data, &target, covers(&from, grid), out);
}

static bool same_pixels(const struct cube *a, const struct cube *b)
{
  static const char axes[] = {'x', 'y'};
  bool same = !a->crs || !b->crs || crs_equal(a->crs, b->crs);
  for (size_t k = 0; same && k < 2; k++)
    same = dimension_labels_equal(&a->dimension[cube_find_axis(a, axes[k])], &b->dimension[cube_find_axis(b, axes[k])]);
  return same;
}

int regrid_onto(struct call *call, const struct node *data, const struct node *like, enum resampling method,
                const struct node **out)
{
  const struct cube *cube = like->cube;
  struct grid grid, own;
  if (grid_under_cube(cube, &grid) != 0 || !cube->crs)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "target",
                           "the cube has no regular spatial grid with a CRS (its dimensions: %s)",
                           cube_dimension_names(call->arena, cube));
  bool east = cube->dimension[cube_find_axis(cube, 'x')].step > 0;
  bool south = cube->dimension[cube_find_axis(cube, 'y')].step < 0;
  if (grid_under_cube(data->cube, &own) == 0 && data->cube->crs) {
    if (turn_axes(call, data, east, south, out) != 0)
      return -1;
    if (same_pixels((*out)->cube, cube))
      return 0;
  }
  return regrid(call, data, &grid, method, &data) != 0 ? -1 : turn_axes(call, data, east, south, out);
}

int regrid_like(struct call *call, const struct node *data, const struct node *like, const char *parameter,
                const struct node **out)
{
  size_t ax = cube_find_axis(data->cube, 'x'), ay = cube_find_axis(data->cube, 'y');
  size_t bx = cube_find_axis(like->cube, 'x'), by = cube_find_axis(like->cube, 'y');
  struct grid grid;
  *out = data;
  if (ax == SIZE_MAX || ay == SIZE_MAX || bx == SIZE_MAX || by == SIZE_MAX || same_pixels(data->cube, like->cube))
    return 0;
  if (grid_under_cube(like->cube, &grid) != 0 || !like->cube->crs || !data->cube->crs)
    return error_parameter(call->error, ERROR_IncompatibleDataCubes, parameter,
                           "the cubes' x and y differ and cannot be aligned: there is no regular grid with a CRS");
  return regrid_onto(call, data, like, RESAMPLE_NEAREST, out);
}
