/* Index of a label; missing where the array has no such label, or none at all. */
#include "processes/array/elements.h"

static int array_find_label_call(struct call *call, struct value *result)
{
  const struct value *data = call_array(call, "data"), *label = call_argument(call, "label");
  if (data == NULL)
    return -1;
  if (label->kind != VALUE_TEXT && label->kind != VALUE_NUMBER)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "label",
                           "the label must be a string or a number that does not depend on the pixel");
  size_t index = array_is_labelled(data) ? array_find_label(data, label) : SIZE_MAX;
  *result = index == SIZE_MAX ? value_null() : value_number((double)index);
  return 0;
}

const struct process process_array_find_label = {
    .id = "array_find_label", .shape = PROCESS_REDUCER, .call = array_find_label_call};
