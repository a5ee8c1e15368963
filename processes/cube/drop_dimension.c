/* drop_dimension: a dimension with one label left goes. */
#include "processes/cube/shape.h"

static int drop_dimension_call(struct call *call, struct value *result)
{
  const struct node *data;
  size_t dropped;
  if (call_cube(call, "data", &data) != 0 || call_dimension(call, "name", data, &dropped) != 0)
    return -1;
  if (data->cube->dimension[dropped].size != 1)
    return error_parameter(call->error, "DimensionLabelCountMismatch", "name",
                           "the dimension '%s' has %zu labels; reduce it to one first",
                           data->cube->dimension[dropped].name, data->cube->dimension[dropped].size);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct view_dimension *view = view_identity(call->arena, data->cube);
  if (!cube || !view)
    return error_memory(call->error);
  cube_remove_dimension(cube, dropped);
  for (size_t d = 0; d < data->cube->dimensions; d++)
    view[d].out = d == dropped ? NO_DIMENSION : (int)(d < dropped ? d : d - 1);
  *result = value_cube(node_view(call->arena, call_origin(call), data, cube, view));
  return result->cube ? 0 : error_memory(call->error);
}

const struct process process_drop_dimension = {
    .id = "drop_dimension", .shape = PROCESS_CUBE, .call = drop_dimension_call};
