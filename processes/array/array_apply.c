/* A process for each element of an array. */
#include "processes/array/each.h"
#include "processes/array/elements.h"

static int array_apply_call(struct call *call, struct value *result)
{
  const struct value *data = call_filtered(call, "data");
  const struct callback *process;
  if (data == NULL || call_callback_argument(call, "process", &process) != 0 ||
      each_element(call, data, process, result) != 0)
    return -1;
  if (data->kind != VALUE_LANES || data->kept == NULL)
    return 0;
  if (!value_is_lanes_array_like(result))
    return error_parameter(call->error, ERROR_FeatureUnsupported, "process",
                           "of an array that was filtered pixel by pixel, the process can make numbers and booleans");
  *result = value_filtered(value_as_lanes_array(call->program, result), data->kept);
  return 0;
}

const struct process process_array_apply = {.id = "array_apply", .shape = PROCESS_SERIES, .call = array_apply_call};
