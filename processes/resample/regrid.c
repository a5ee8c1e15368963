/* Regridding: a warp with y and x as the last dimensions. The planner makes it the source's own, where it can. */
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

static int warp_tiles(struct call *call, const struct node *data, const struct grid *grid, enum resampling method,
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
  if (with_nodata(call, data, &data) != 0 || (moved && permute(call, data, order, &ordered) != 0))
    return -1;
  ordered = moved ? ordered : data;
  struct cube *cube = cube_copy(call->arena, ordered->cube);
  if (!cube)
    return error_memory(call->error);
  set_grid(cube, grid);
  *out = node_warp(call->arena, call_origin(call), ordered, cube, grid, method);
  if (!*out)
    return error_memory(call->error);
  return moved ? permute(call, *out, back, out) : 0;
}

int regrid(struct call *call, const struct node *data, const struct grid *grid, enum resampling method,
           const struct node **out)
{
  struct grid from;
  if (grid_of_cube(data->cube, &from) != 0 || !data->cube->crs)
    return error_parameter(
        call->error, ERROR_ProcessParameterInvalid, "data",
        "the cube has no regular spatial grid with a coordinate reference system (its dimensions: %s)",
        cube_dimension_names(call->arena, data->cube));
  return warp_tiles(call, data, grid, method, out);
}

int regrid_like(struct call *call, const struct node *data, const struct node *like, const char *parameter,
                const struct node **out)
{
  size_t ax = cube_find_axis(data->cube, 'x'), ay = cube_find_axis(data->cube, 'y');
  size_t bx = cube_find_axis(like->cube, 'x'), by = cube_find_axis(like->cube, 'y');
  struct grid grid;
  *out = data;
  if (ax == SIZE_MAX || ay == SIZE_MAX || bx == SIZE_MAX || by == SIZE_MAX)
    return 0;
  bool crs = !data->cube->crs || !like->cube->crs || crs_equal(data->cube->crs, like->cube->crs);
  if (crs && dimension_labels_equal(&data->cube->dimension[ax], &like->cube->dimension[bx]) &&
      dimension_labels_equal(&data->cube->dimension[ay], &like->cube->dimension[by]))
    return 0;
  if (grid_of_cube(like->cube, &grid) != 0 || !like->cube->crs || !data->cube->crs)
    return error_parameter(call->error, ERROR_IncompatibleDataCubes, parameter,
                           "the cubes' x and y differ and cannot be aligned: there is no regular grid with a CRS");
  return regrid(call, data, &grid, RESAMPLE_NEAREST, out);
}
