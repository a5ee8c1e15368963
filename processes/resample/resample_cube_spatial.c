/* resample_cube_spatial: onto the pixels of another cube. */
#include "processes/resample/regrid.h"

static int resample_cube_spatial_call(struct call *call, struct value *result)
{
  const struct node *data, *target, *node;
  const char *name;
  if (call_cube(call, "data", &data) != 0 || call_cube(call, "target", &target) != 0 ||
      call_text(call, "method", &name) != 0)
    return -1;
  enum resampling method = resampling_from_name(name);
  if (method == RESAMPLE_COUNT)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "method", "there is no resampling method '%s'",
                           name);
  if (regrid_onto(call, data, target, method, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_resample_cube_spatial = {
    .id = "resample_cube_spatial", .shape = PROCESS_CUBE, .call = resample_cube_spatial_call};
