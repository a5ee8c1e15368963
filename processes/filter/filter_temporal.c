/* filter_temporal: labels within a half-open interval. */
#include "processes/cube/shape.h"
#include "processes/filter/extent.h"

static int filter_one(struct call *call, size_t d, const struct node **node)
{
  const struct dimension *dimension = &(*node)->cube->dimension[d];
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, dimension->size), count = 0;
  struct interval interval;
  struct value value;
  if (!indexes)
    return error_memory(call->error);
  if (interval_read(call, "extent", call_argument(call, "extent"), dimension->calendar, &interval) != 0)
    return -1;
  if (dimension->labels != LABEL_TIME && dimension->size > 0)
    return error_parameter(call->error, "DimensionNotAvailable", "dimension",
                           "the labels of dimension '%s' are not dates", dimension->name);
  for (size_t i = 0; i < dimension->size; i++)
    if (!(interval.has_start && dimension->times[i] < interval.start) &&
        !(interval.has_end && dimension->times[i] >= interval.end))
      indexes[count++] = i;
  if (view_pick(call, *node, d, indexes, count, &value) != 0)
    return -1;
  *node = value.cube;
  return 0;
}

static int filter_temporal_call(struct call *call, struct value *result)
{
  const struct node *node;
  size_t d;
  if (call_cube(call, "data", &node) != 0)
    return -1;
  if (call_has(call, "dimension")) {
    if (call_dimension(call, "dimension", node, &d) != 0)
      return -1;
    if (node->cube->dimension[d].type != DIMENSION_TEMPORAL)
      return error_parameter(call->error, "DimensionNotAvailable", "dimension", "'%s' is not a temporal dimension",
                             node->cube->dimension[d].name);
    if (filter_one(call, d, &node) != 0)
      return -1;
  } else {
    if (cube_count_type(node->cube, DIMENSION_TEMPORAL) == 0)
      return error_parameter(call->error, "DimensionNotAvailable", "dimension", "the cube has no temporal dimension");
    for (d = 0; d < node->cube->dimensions; d++)
      if (node->cube->dimension[d].type == DIMENSION_TEMPORAL && filter_one(call, d, &node) != 0)
        return -1;
  }
  *result = value_cube(node);
  return 0;
}

const struct process process_filter_temporal = {
    .id = "filter_temporal", .shape = PROCESS_CUBE, .call = filter_temporal_call};
