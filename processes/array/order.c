/* The indexes that would sort an array. */
#include "processes/array/ordering.h"

static int order_call(struct call *call, struct value *result)
{
  const struct value *data = call_array(call, "data");
  struct ordering ordering;
  size_t *order = NULL, count = 0;
  if (data == NULL || read_ordering(call, &ordering) != 0)
    return -1;
  if (!value_is_host(data))
    return emit_ordering(call, KSER_ORDER, ordering, result);
  if (sorted_indexes(call, data, ordering, &order, &count) != 0)
    return -1;
  struct value *items = ARENA_ARRAY(call->arena, struct value, count);
  if (items == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++)
    items[i] = value_number((double)order[i]);
  *result = value_array(items, count);
  return 0;
}

const struct process process_order = {.id = "order", .shape = PROCESS_SERIES, .call = order_call};
