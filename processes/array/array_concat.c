/* Two arrays, one behind the other. Labels stay where both have them. A single value counts as an array of it. */
#include "processes/array/join.h"

static int as_array(struct call *call, const char *name, struct value *out)
{
  const struct value *value = call_argument(call, name);
  *out = *value;
  if (is_array(value))
    return 0;
  struct value *item = arena_copy(call->arena, value, sizeof *value);
  if (item == NULL)
    return error_memory(call->error);
  *out = value_array(item, 1);
  return 0;
}

static int array_concat_call(struct call *call, struct value *result)
{
  struct value parts[2];
  if (as_array(call, "array1", &parts[0]) != 0 || as_array(call, "array2", &parts[1]) != 0)
    return -1;
  bool labelled = array_is_labelled(&parts[0]) && array_is_labelled(&parts[1]);
  if (labelled && labels_conflict(call, &parts[0], &parts[1], "array2") != 0)
    return -1;
  return array_join(call, parts, 2, labelled, result);
}

const struct process process_array_concat = {
    .id = "array_concat", .shape = PROCESS_SERIES, .call = array_concat_call, .takes_single = true};
