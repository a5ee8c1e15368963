/* GeoJSON and vector cubes are told apart here, once for all processes that take geometries. */
#include "processes/vector/geometry_argument.h"

#include "hpc/plan/node.h"
#include "processes/vector/geojson.h"

int geometries_of_value(struct call *call, const char *parameter, const struct value *geojson, struct dimension *out)
{
  const struct geometry_set *set;
  if (geojson_read(call, parameter, geojson, &set) != 0)
    return -1;
  return geometry_dimension(call->arena, "geometry", set, out, call->error);
}

int call_geometries(struct call *call, const char *parameter, struct dimension *out)
{
  const struct value *value = call_argument(call, parameter);
  if (!value || value->kind != VALUE_CUBE) {
    static const struct value none = {.kind = VALUE_NULL};
    return geometries_of_value(call, parameter, value ? value : &none, out);
  }
  size_t d = cube_find_geometries(value->cube->cube);
  if (d == SIZE_MAX)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                           "the data cube has no dimension of geometries (its dimensions: %s)",
                           cube_dimension_names(call->arena, value->cube->cube));
  *out = value->cube->cube->dimension[d];
  return 0;
}
