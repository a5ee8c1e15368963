/* An array with one value more. */
#include "processes/array/join.h"

/* The label of the new value: the one given, else its index. */
static int new_label(struct call *call, const struct value *data, struct value *out)
{
  char room[32];
  *out = call_has(call, "label") ? *call_argument(call, "label") : value_number((double)array_length(data));
  if (!array_is_labelled(data))
    return call_has(call, "label") ? error_parameter(call->error, ERROR_ArrayNotLabeled, "label",
                                                     "the array has no labels, so the value can have none")
                                   : 0;
  if (out->kind != VALUE_TEXT && out->kind != VALUE_NUMBER)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "label",
                           "the label must be a string or a number that does not depend on the pixel");
  if (array_find_label(data, out) == SIZE_MAX)
    return 0;
  return error_parameter(call->error, ERROR_LabelExists, "label", "the array has the label '%s' already",
                         label_text(out, room));
}

static int array_append_call(struct call *call, struct value *result)
{
  const struct value *data = call_filtered(call, "data");
  struct value *item = arena_copy(call->arena, call_argument(call, "value"), sizeof *item);
  struct value *label = ARENA_NEW(call->arena, struct value);
  if (data == NULL)
    return -1;
  if (item == NULL || label == NULL)
    return error_memory(call->error);
  if (new_label(call, data, label) != 0)
    return -1;
  bool labelled = array_is_labelled(data);
  const struct value parts[] = {*data, value_labelled(item, labelled ? label : NULL, 1)};
  return array_join(call, parts, 2, labelled, result);
}

const struct process process_array_append = {.id = "array_append", .shape = PROCESS_SERIES, .call = array_append_call};
