/* vector_reproject: the points of geometries in another reference system. */
#include "processes/vector/vector_cube.h"

#include <math.h>
#include <string.h>

static int target_crs(struct call *call, const char **out)
{
  const struct value *projection = call_argument(call, "projection");
  const char *text =
      projection->kind == VALUE_NUMBER ? arena_printf(call->arena, "EPSG:%.0f", projection->number) : projection->text;
  if (!text)
    return error_memory(call->error);
  return crs_canonical(call->arena, text, out, call->error) == 0 ? 0 : error_at_parameter(call->error, "projection");
}

/* Index of the dimension that is named, SIZE_MAX for all. */
static int chosen_dimension(struct call *call, const struct node *node, size_t *out)
{
  *out = SIZE_MAX;
  if (!call_has(call, "dimension"))
    return 0;
  if (call_dimension(call, "dimension", node, out) != 0)
    return -1;
  if (node->cube->dimension[*out].labels == LABEL_GEOMETRY)
    return 0;
  return error_parameter(call->error, ERROR_DimensionNotAvailable, "dimension",
                         "the dimension '%s' holds no geometries", node->cube->dimension[*out].name);
}

static int vector_reproject_call(struct call *call, struct value *result)
{
  struct vector_cube cube;
  const char *crs;
  size_t chosen;
  if (call_vector_cube(call, "data", &cube) != 0 || target_crs(call, &crs) != 0 ||
      chosen_dimension(call, cube.node, &chosen) != 0)
    return -1;
  for (size_t d = 0; d < cube.node->cube->dimensions; d++) {
    const struct geometry_set *moved;
    cube.labels = &cube.node->cube->dimension[cube.at = d];
    if (cube.labels->labels != LABEL_GEOMETRY || (chosen != SIZE_MAX && chosen != d))
      continue;
    if (geometry_transform(cube.labels->geometries, crs, INFINITY, call->arena, &moved, call->error) != 0)
      return error_at_parameter(call->error, "data");
    if (vector_cube_with(call, &cube, moved, NULL, result) != 0)
      return -1;
    cube.node = result->cube;
  }
  return 0;
}

const struct process process_vector_reproject = {
    .id = "vector_reproject", .shape = PROCESS_CUBE, .call = vector_reproject_call};
