/* drop_dimension: a dimension with one label left goes. */
#include "processes/cube/shape.h"

static int drop_dimension_call(struct call *call, struct value *result)
{
  const struct node *data;
  size_t dropped;
  if (call_cube(call, "data", &data) != 0 || call_dimension(call, "name", data, &dropped) != 0)
    return -1;
  if (data->cube->dimension[dropped].size != 1)
    return error_parameter(call->error, ERROR_DimensionLabelCountMismatch, "name",
                           "the dimension '%s' has %zu labels; reduce it to one first",
                           data->cube->dimension[dropped].name, data->cube->dimension[dropped].size);
  if (view_drop(call, data, dropped, 0, &data) != 0)
    return -1;
  *result = value_cube(data);
  return 0;
}

const struct process process_drop_dimension = {
    .id = "drop_dimension", .shape = PROCESS_CUBE, .call = drop_dimension_call};
