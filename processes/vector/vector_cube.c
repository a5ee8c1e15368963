/* Vector cubes are cubes: other geometries are another dimension behind a view. */
#include "processes/vector/vector_cube.h"

#include "processes/cube/shape.h"
#include "processes/graph/lower.h"
#include "processes/vector/geometry_argument.h"

#include <math.h>

int vector_cube_of(struct call *call, const struct node *node, struct vector_cube *out)
{
  *out = (struct vector_cube){.node = node, .at = cube_find_geometries(node->cube)};
  if (out->at == SIZE_MAX)
    return error_set(call->error, ERROR_Internal, "a vector cube has no geometries");
  out->labels = &node->cube->dimension[out->at];
  out->set = out->labels->geometries;
  return 0;
}

int call_vector_cube(struct call *call, const char *parameter, struct vector_cube *out)
{
  if (call_cube(call, parameter, &out->node) != 0)
    return -1;
  out->at = cube_find_geometries(out->node->cube);
  if (out->at == SIZE_MAX)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "expected a vector data cube; this one has no dimension of geometries (its dimensions: %s)",
                           cube_dimension_names(call->arena, out->node->cube));
  return vector_cube_of(call, out->node, out);
}

int vector_cube_with(struct call *call, const struct vector_cube *cube, const struct geometry_set *set,
                     const size_t *indexes, struct value *result)
{
  struct cube *described = cube_copy(call->arena, cube->node->cube);
  struct view_dimension *view = view_identity(call->arena, cube->node->cube);
  if (!described || !view)
    return error_memory(call->error);
  if (geometry_dimension(call->arena, cube->labels->name, set, &described->dimension[cube->at], call->error) != 0)
    return -1;
  described->crs = set->crs;
  view[cube->at].indexes = indexes;
  *result = value_cube(node_view(call->arena, call_origin(call), cube->node, described, view));
  return result->cube ? 0 : error_memory(call->error);
}

int vector_cube_in_metres(struct call *call, const struct vector_cube *cube)
{
  bool geographic = crs_is_geographic(cube->set->crs);
  if (!geographic && fabs(crs_unit_metres(cube->set->crs) - 1) < 1e-9)
    return 0;
  return error_parameter(call->error, ERROR_UnitMismatch, "distance",
                         "the distance is in metres, but the geometries' reference system (%.60s) has %s: use "
                         "vector_reproject first",
                         cube->set->crs, geographic ? "degrees" : "another unit");
}

struct geometry_work vector_cube_work(const struct call *call)
{
  return (struct geometry_work){.arena = call->arena, .cancel = call->lowering->options->cancel};
}
