/* reduce_spatial: the pixels of the plane as an array, which a reducer makes one value of. */
#include "processes/cube/along.h"
#include "processes/cube/regrouping.h"

static int reduce_spatial_call(struct call *call, struct value *result)
{
  struct along along = {.parameter = "reducer"};
  const struct node *data, *node;
  if (call_cube(call, "data", &data) != 0 || call_callback_argument(call, "reducer", &along.callback) != 0)
    return -1;
  if (cube_find_axis(data->cube, 'y') == SIZE_MAX || cube_find_axis(data->cube, 'x') == SIZE_MAX)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the cube has no x and y (its dimensions: %s)",
                           cube_dimension_names(call->arena, data->cube));
  if (plane_as_array(call, data, &along.data) != 0)
    return -1;
  along.dimension = along.data->cube->dimensions - 1;
  if (along_reduce(call, &along, NULL, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_reduce_spatial = {
    .id = "reduce_spatial", .shape = PROCESS_CUBE, .call = reduce_spatial_call};
