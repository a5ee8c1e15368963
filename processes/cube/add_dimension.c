/* add_dimension: a new dimension with one label, in front of the others. */
#include "processes/cube/given_labels.h"
#include "processes/cube/shape.h"

#include <string.h>

static char free_axis(const struct cube *cube)
{
  for (const char *axis = "xyz"; *axis; axis++)
    if (cube_find_axis(cube, *axis) == SIZE_MAX)
      return *axis;
  return 0;
}

static int read_type(struct call *call, enum dimension_type *out)
{
  const char *name;
  if (call_text(call, "type", &name) != 0)
    return -1;
  for (int type = DIMENSION_SPATIAL; type <= DIMENSION_OTHER; type++)
    if (strcmp(name, dimension_type_name((enum dimension_type)type)) == 0)
      *out = (enum dimension_type)type;
  return 0;
}

static int add_dimension_call(struct call *call, struct value *result)
{
  const struct node *data;
  const char *name;
  enum dimension_type type = DIMENSION_OTHER;
  if (call_cube(call, "data", &data) != 0 || call_text(call, "name", &name) != 0 || read_type(call, &type) != 0)
    return -1;
  if (cube_find_dimension(data->cube, name) != SIZE_MAX)
    return error_parameter(call->error, ERROR_DimensionExists, "name", "a dimension named '%s' exists already", name);
  if (data->cube->dimensions == CUBE_MAX_DIMENSIONS)
    return error_set(call->error, ERROR_ProcessGraphComplexity, "a cube has at most %d dimensions",
                     (int)CUBE_MAX_DIMENSIONS);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct view_dimension *view = view_identity(call->arena, data->cube);
  if (!cube || !view)
    return error_memory(call->error);
  if (type == DIMENSION_BANDS && cube_find_type(cube, DIMENSION_BANDS) != SIZE_MAX)
    cube->bands = NULL; /* those of the first */
  memmove(&cube->dimension[1], &cube->dimension[0], cube->dimensions * sizeof cube->dimension[0]);
  cube->dimensions++;
  cube->dimension[0] = dimension_enumerated(name, type, 1);
  if (type == DIMENSION_SPATIAL) {
    cube->dimension[0].axis = free_axis(data->cube);
    if (!cube->dimension[0].axis)
      return error_parameter(call->error, ERROR_DimensionExists, "type", "the cube has the axes x, y and z already");
  }
  if (dimension_give_labels(call->arena, call_argument(call, "label"), 1, &cube->dimension[0], call->error) != 0)
    return error_at_parameter(call->error, "label");
  for (size_t d = 0; d < data->cube->dimensions; d++)
    view[d].out = (int)d + 1;
  *result = value_cube(node_view(call->arena, call_origin(call), data, cube, view));
  return result->cube ? 0 : error_memory(call->error);
}

const struct process process_add_dimension = {.id = "add_dimension", .shape = PROCESS_CUBE, .call = add_dimension_call};
