/* A new array: the given one, as often as asked, one behind the other. Labels are dropped. */
#include "processes/array/elements.h"
#include "processes/graph/graph.h"

static int array_create_call(struct call *call, struct value *result)
{
  struct value empty = value_array(NULL, 0);
  const struct value *data = call_has(call, "data") ? call_array(call, "data") : &empty;
  int64_t repeat = 1;
  if (data == NULL)
    return -1;
  if (call_has(call, "repeat") && call_integer(call, "repeat", 1, GRAPH_MAX_ARRAY, &repeat) != 0)
    return -1;
  size_t length = array_length(data), times = (size_t)repeat;
  if (length > 0 && times > GRAPH_MAX_ARRAY / length)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "repeat",
                           "the array would have %zu times %zu elements; the limit is %d", times, length,
                           (int)GRAPH_MAX_ARRAY);
  struct value *items = ARENA_ARRAY(call->arena, struct value, length * times);
  if (items == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < length; i++) {
    struct value item = array_item(call, data, i);
    for (size_t k = 0; k < times; k++)
      items[k * length + i] = item;
  }
  *result = value_array(items, length * times);
  return 0;
}

const struct process process_array_create = {.id = "array_create", .shape = PROCESS_SERIES, .call = array_create_call};
