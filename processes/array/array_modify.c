/* An array with some elements removed and others put in their place. */
#include "processes/array/join.h"

/* Labels stay where both arrays have them, or one is empty. */
static bool labels_stay(const struct value *data, const struct value *values)
{
  bool some = array_is_labelled(data) || array_is_labelled(values);
  return some && (array_is_labelled(data) || array_length(data) == 0) &&
         (array_is_labelled(values) || array_length(values) == 0);
}

static int slice(struct call *call, const struct value *array, size_t first, size_t last, struct value *out)
{
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, last - first);
  if (indexes == NULL)
    return error_memory(call->error);
  for (size_t i = first; i < last; i++)
    indexes[i - first] = i;
  return array_pick(call, array, indexes, last - first, out);
}

static int array_modify_call(struct call *call, struct value *result)
{
  const struct value *data = call_array(call, "data"), *values = data ? call_array(call, "values") : NULL;
  int64_t index = 0, removed = 0;
  struct value parts[3];
  if (values == NULL || call_integer(call, "index", 0, INT64_C(1) << 53, &index) != 0 ||
      call_integer(call, "length", 0, INT64_C(1) << 53, &removed) != 0)
    return -1;
  size_t count = array_length(data), at = (size_t)index;
  if (at > count)
    return error_parameter(call->error, ERROR_ArrayElementNotAvailable, "index",
                           "there is no place before element %zu in an array of %zu elements", at, count);
  size_t end = (size_t)removed > count - at ? count : at + (size_t)removed;
  if (array_is_labelled(data) && array_is_labelled(values) && labels_conflict(call, data, values, "values") != 0)
    return -1;
  if (slice(call, data, 0, at, &parts[0]) != 0 || slice(call, data, end, count, &parts[2]) != 0)
    return -1;
  parts[1] = *values;
  return array_join(call, parts, 3, labels_stay(data, values), result);
}

const struct process process_array_modify = {.id = "array_modify", .shape = PROCESS_SERIES, .call = array_modify_call};
