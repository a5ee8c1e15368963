/* An array in another order: element i of the result is element order[i]. Elements may be left out or repeated. */
#include "processes/array/elements.h"
#include "processes/graph/graph.h"

#include <math.h>

static int read_order(struct call *call, size_t length, size_t **out, size_t *count)
{
  const struct value *order = call_argument(call, "order");
  if (order->kind != VALUE_ARRAY || order->count > GRAPH_MAX_ARRAY)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "order",
                           "the order must be an array of indexes that does not depend on the pixel");
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, order->count);
  if (indexes == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < order->count; i++) {
    const struct value *item = &order->items[i];
    if (item->kind != VALUE_NUMBER || !(item->number >= 0 && item->number < (double)length) ||
        item->number != trunc(item->number))
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "order",
                             "element %zu of the order is no index of an array of %zu elements", i, length);
    indexes[i] = (size_t)item->number;
  }
  *out = indexes;
  *count = order->count;
  return 0;
}

static int rearrange_call(struct call *call, struct value *result)
{
  const struct value *data = call_array(call, "data");
  size_t *order = NULL, count = 0;
  if (data == NULL || read_order(call, array_length(data), &order, &count) != 0)
    return -1;
  if (data->kind == VALUE_LANES) {
    *result = value_lanes(program_pick(call->program, data->lanes, order, count));
    return 0;
  }
  struct value *items = ARENA_ARRAY(call->arena, struct value, count);
  if (items == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++)
    items[i] = data->items[order[i]];
  *result = value_array(items, count);
  return 0;
}

const struct process process_rearrange = {.id = "rearrange", .shape = PROCESS_SERIES, .call = rearrange_call};
