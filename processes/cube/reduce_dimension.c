/* reduce_dimension: the values along a dimension become one. */
#include "processes/cube/along.h"

static int reduce_dimension_call(struct call *call, struct value *result)
{
  struct along along = {.parameter = "reducer"};
  if (call_cube(call, "data", &along.data) != 0 ||
      call_dimension(call, "dimension", along.data, &along.dimension) != 0 ||
      call_callback_argument(call, "reducer", &along.callback) != 0)
    return -1;
  const struct node *node;
  if (along_reduce(call, &along, NULL, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_reduce_dimension = {
    .id = "reduce_dimension", .shape = PROCESS_CUBE, .call = reduce_dimension_call};
