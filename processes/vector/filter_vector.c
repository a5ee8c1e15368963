/* filter_vector: labels whose geometry stands in a relation to others. */
#include "processes/cube/shape.h"
#include "processes/vector/geometry_argument.h"
#include "processes/vector/vector_cube.h"

#include <math.h>
#include <string.h>

static int read_relation(struct call *call, enum geometry_relation *out)
{
  static const char *const names[RELATION_COUNT] = {
      [RELATION_INTERSECTS] = "intersects", [RELATION_DISJOINT] = "disjoint", [RELATION_EQUALS] = "equals",
      [RELATION_TOUCHES] = "touches",       [RELATION_CROSSES] = "crosses",   [RELATION_OVERLAPS] = "overlaps",
      [RELATION_CONTAINS] = "contains",     [RELATION_WITHIN] = "within"};
  const char *name;
  if (call_text(call, "relation", &name) != 0)
    return -1;
  for (int i = 0; i < RELATION_COUNT; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (enum geometry_relation)i;
      return 0;
    }
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "relation", "there is no relation '%s'", name);
}

static int filter_vector_call(struct call *call, struct value *result)
{
  const struct geometry_work work = vector_cube_work(call);
  struct vector_cube cube;
  struct dimension base;
  const struct geometry_set *moved;
  enum geometry_relation relation = RELATION_INTERSECTS;
  if (call_vector_cube(call, "data", &cube) != 0 || call_geometries(call, "geometries", &base) != 0 ||
      read_relation(call, &relation) != 0)
    return -1;
  if (geometry_transform(base.geometries, cube.set->crs, INFINITY, call->arena, &moved, call->error) != 0)
    return error_at_parameter(call->error, "geometries");
  bool *holds = ARENA_ARRAY(call->arena, bool, cube.set->count);
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, cube.set->count), count = 0;
  if (!holds || !indexes)
    return error_memory(call->error);
  if (geometry_relate(&work, cube.set, moved, relation, holds, call->error) != 0)
    return error_at_parameter(call->error, "geometries");
  for (size_t i = 0; i < cube.set->count; i++)
    if (holds[i])
      indexes[count++] = i;
  return view_pick(call, cube.node, cube.at, indexes, count, result);
}

const struct process process_filter_vector = {.id = "filter_vector", .shape = PROCESS_CUBE, .call = filter_vector_call};
