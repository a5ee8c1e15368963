/* Labels of an array; its indexes where it has none. */
#include "processes/array/elements.h"

static int array_labels_call(struct call *call, struct value *result)
{
  const struct value *data = call_array(call, "data");
  const struct value *labels;
  if (data == NULL || array_labels_list(call, data, &labels) != 0)
    return -1;
  size_t count = array_length(data);
  if (labels == NULL) {
    struct value *indexes = ARENA_ARRAY(call->arena, struct value, count);
    if (indexes == NULL)
      return error_memory(call->error);
    for (size_t i = 0; i < count; i++)
      indexes[i] = value_number((double)i);
    labels = indexes;
  }
  *result = value_array(labels, count);
  return 0;
}

const struct process process_array_labels = {.id = "array_labels", .shape = PROCESS_SERIES, .call = array_labels_call};
