/* Regridding: into the source where possible, else a warp with y and x as the last dimensions. */
#include "processes/resample/regrid.h"

static bool crops_only(const struct node *node)
{
  for (; node->kind == NODE_VIEW; node = node->input) {
    size_t x = cube_find_axis(node->input->cube, 'x'), y = cube_find_axis(node->input->cube, 'y');
    if (x == SIZE_MAX || y == SIZE_MAX || node->view[x].indexes || node->view[y].indexes || node->view[x].out == NO_DIMENSION ||
        node->view[y].out == NO_DIMENSION)
      return false;
  }
  return node->kind == NODE_SOURCE && node->source->ops->regrid && node->source->cube.crs;
}

static void set_grid(struct cube *cube, const struct grid *grid)
{
  size_t x = cube_find_axis(cube, 'x'), y = cube_find_axis(cube, 'y');
  const char *x_name = cube->dimension[x].name, *y_name = cube->dimension[y].name;
  cube->dimension[x] = dimension_steps(x_name, 'x', grid->west + grid->res_x / 2, grid->res_x, grid->width);
  cube->dimension[y] = dimension_steps(y_name, 'y', grid->north - grid->res_y / 2, -grid->res_y, grid->height);
  cube->crs = grid->crs;
}

/* The views of `node` again, over the new source; x and y are whole in each. */
static int rebuild(struct call *call, const struct node *node, const struct grid *grid, enum resampling method, const struct node **out)
{
  if (node->kind == NODE_SOURCE) {
    const struct source *source;
    struct extent clip = {.crs = node->source->cube.crs};
    const struct regrid_request request = {.grid = grid, .method = method, .clip = &clip};
    cube_bounds(&node->source->cube, &clip.west, &clip.south, &clip.east, &clip.north);
    if (node->source->ops->regrid(node->source, call->arena, &request, &source, call->error) != 0)
      return -1;
    *out = node_source(call->arena, (struct node_origin){node->id, node->process}, source);
    return *out ? 0 : error_memory(call->error);
  }
  const struct node *input;
  if (rebuild(call, node->input, grid, method, &input) != 0)
    return -1;
  struct cube *cube = cube_copy(call->arena, node->cube);
  struct view_dimension *view = arena_copy(call->arena, node->view, CUBE_MAX_DIMENSIONS * sizeof *view);
  if (!cube || !view)
    return error_memory(call->error);
  size_t x = cube_find_axis(node->input->cube, 'x'), y = cube_find_axis(node->input->cube, 'y');
  view[x].offset = view[y].offset = 0;
  set_grid(cube, grid);
  cube->type = input->cube->type;
  cube->has_nodata = input->cube->has_nodata;
  cube->nodata = input->cube->nodata;
  *out = node_view(call->arena, (struct node_origin){node->id, node->process}, input, cube, view);
  return *out ? 0 : error_memory(call->error);
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

static int warp_tiles(struct call *call, const struct node *data, const struct grid *grid, enum resampling method, const struct node **out)
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
  if (moved && permute(call, data, order, &ordered) != 0)
    return -1;
  struct cube *cube = cube_copy(call->arena, ordered->cube);
  if (!cube)
    return error_memory(call->error);
  set_grid(cube, grid);
  if (!cube->has_nodata) { /* pixels outside the input need a value of their own */
    cube->has_nodata = true;
    cube->nodata = __builtin_nan("");
    if (!element_info(cube->type)->is_float)
      return error_parameter(call->error, "FeatureUnsupported", "data",
                             "resampling computed values of type %s without a no-data value is not supported; resample before computing",
                             element_info(cube->type)->name);
  }
  *out = node_warp(call->arena, call_origin(call), ordered, cube, grid, method);
  if (!*out)
    return error_memory(call->error);
  return moved ? permute(call, *out, back, out) : 0;
}

int regrid(struct call *call, const struct node *data, const struct grid *grid, enum resampling method, const struct node **out)
{
  struct grid from;
  if (grid_of_cube(data->cube, &from) != 0 || !data->cube->crs)
    return error_parameter(call->error, "ProcessParameterInvalid", "data",
                           "the cube has no regular spatial grid with a coordinate reference system (its dimensions: %s)",
                           cube_dimension_names(call->arena, data->cube));
  if (crops_only(data))
    return rebuild(call, data, grid, method, out);
  return warp_tiles(call, data, grid, method, out);
}

int regrid_like(struct call *call, const struct node *data, const struct node *like, const char *parameter, const struct node **out)
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
    return error_parameter(call->error, "IncompatibleDataCubes", parameter, "the cubes' x and y differ and cannot be aligned: there is no regular grid with a CRS");
  return regrid(call, data, &grid, RESAMPLE_NEAREST, out);
}
