/* resample_cube_spatial: onto the pixels of another cube. */
#include "processes/resample/regrid.h"

#include "datacube/grid.h"

static int resample_cube_spatial_call(struct call *call, struct value *result)
{
  const struct node *data, *target, *node;
  const char *name;
  struct grid from, to;
  if (call_cube(call, "data", &data) != 0 || call_cube(call, "target", &target) != 0 ||
      call_text(call, "method", &name) != 0)
    return -1;
  enum resampling method = resampling_from_name(name);
  if (method == RESAMPLE_COUNT)
    return error_parameter(call->error, "ProcessParameterInvalid", "method", "there is no resampling method '%s'",
                           name);
  if (grid_of_cube(target->cube, &to) != 0 || !target->cube->crs)
    return error_parameter(call->error, "ProcessParameterInvalid", "target",
                           "the cube has no regular spatial grid with a CRS (its dimensions: %s)",
                           cube_dimension_names(call->arena, target->cube));
  bool same = grid_of_cube(data->cube, &from) == 0 && data->cube->crs && from.width == to.width &&
              from.height == to.height && from.west == to.west && from.north == to.north && from.res_x == to.res_x &&
              from.res_y == to.res_y && crs_equal(from.crs, to.crs);
  if (!same && regrid(call, data, &to, method, &node) != 0)
    return -1;
  *result = value_cube(same ? data : node);
  return 0;
}

const struct process process_resample_cube_spatial = {
    .id = "resample_cube_spatial", .shape = PROCESS_CUBE, .call = resample_cube_spatial_call};
