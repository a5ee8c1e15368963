/* A cube with x and y that somebody can point at. */
#include "processes/map/map_result.h"

#include "processes/cube/unpacked.h"

static int no_map(const char *what, struct error *error)
{
  return error_set(error, ERROR_FormatUnsuitable, "a map shows a cube with regular x and y and a CRS; the result is %s",
                   what);
}

int map_cube_check(struct arena *arena, const struct cube *cube, struct error *error)
{
  struct grid grid;
  if (cube->dimensions > 0 && cube_find_type(cube, DIMENSION_GEOMETRY) != SIZE_MAX)
    return no_map("a cube of geometries", error);
  if (grid_under_cube(cube, &grid) != 0 || !cube->crs)
    return error_set(error, ERROR_FormatUnsuitable,
                     "a map shows a cube with regular x and y and a CRS; the result has the dimensions %s%s",
                     cube_dimension_names(arena, cube), cube->crs ? "" : " and no CRS");
  if (element_info(cube->type)->is_complex)
    return no_map("a cube of complex numbers", error);
  return 0;
}

int map_stored_result(struct arena *arena, const struct map_request *request, const struct node **out,
                      struct error *error)
{
  const struct graph *graph;
  const struct bound *bound;
  struct outcome outcome;
  if (graph_parse(arena, request->graph, request->graph_length, false, &graph, error) != 0 ||
      graph_bind(arena, graph, &request->options, &bound, error) != 0 ||
      graph_lower(arena, bound, &request->options, &outcome, error) != 0)
    return graph_blame(arena, error);
  const struct outcome_output *result = outcome.is_value ? NULL : outcome_result(&outcome);
  if (outcome.is_value)
    return no_map(value_kind_name(&outcome.value), error);
  if (!result || !result->node)
    return no_map("several files", error);
  if (map_cube_check(arena, result->node->cube, error) != 0)
    return -1;
  *out = result->node;
  return 0;
}

int map_result(struct arena *arena, const struct map_request *request, const struct node **out, struct error *error)
{
  if (map_stored_result(arena, request, out, error) != 0)
    return -1;
  *out = unpacked(arena, *out);
  return *out ? 0 : error_memory(error);
}
