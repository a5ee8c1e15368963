/* rename_dimension: another name for a dimension. */
#include "processes/cube/shape.h"

#include <string.h>

static int rename_dimension_call(struct call *call, struct value *result)
{
  const struct node *data;
  const char *target;
  size_t d;
  if (call_cube(call, "data", &data) != 0 || call_dimension(call, "source", data, &d) != 0 ||
      call_text(call, "target", &target) != 0)
    return -1;
  if (cube_find_dimension(data->cube, target) != SIZE_MAX)
    return error_parameter(call->error, "DimensionExists", "target", "a dimension named '%s' exists already", target);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct view_dimension *view = view_identity(call->arena, data->cube);
  if (!cube || !view)
    return error_memory(call->error);
  cube->dimension[d].name = target;
  *result = value_cube(node_view(call->arena, call_origin(call), data, cube, view));
  return result->cube ? 0 : error_memory(call->error);
}

const struct process process_rename_dimension = {
    .id = "rename_dimension", .shape = PROCESS_CUBE, .call = rename_dimension_call};
