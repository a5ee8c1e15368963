/* Number of elements: the valid ones (not missing, not NaN), all of them, or those for which a condition is true. */
#include "processes/array/each.h"
#include "processes/array/elements.h"
#include "processes/array/kept.h"

#include <math.h>

enum count_mode { COUNT_VALID, COUNT_ALL, COUNT_TRUE };

static bool host_counts(const struct value *value, enum count_mode mode)
{
  switch (mode) {
  case COUNT_VALID:
    return value->kind != VALUE_NULL && !(value->kind == VALUE_NUMBER && isnan(value->number));
  case COUNT_TRUE:
    return value->kind == VALUE_BOOLEAN && value->boolean;
  default:
    return true;
  }
}

static int count_elements(struct call *call, const struct value *data, enum count_mode mode, struct value *result)
{
  const struct lanes *kept = data->kind == VALUE_LANES ? data->kept : NULL;
  if (mode == COUNT_ALL && kept == NULL) {
    *result = value_number((double)array_length(data));
    return 0;
  }
  if (value_is_host(data)) {
    size_t count = 0;
    for (size_t i = 0; i < data->count; i++)
      count += host_counts(&data->items[i], mode);
    *result = value_number((double)count);
    return 0;
  }
  if (kept == NULL && !value_is_lanes_array_like(data))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "an array with pixel values can only hold numbers, booleans and nulls beside them");
  double parameters[] = {1, (double)mode};
  struct lanes array = value_as_lanes_array(call->program, data);
  *result = value_lanes(kept_reduce(call->program, KRED_COUNT, array, kept, parameters, 2));
  return 0;
}

static int count_call(struct call *call, struct value *result)
{
  const struct value *data = call_argument(call, "data");
  const struct value *condition = call_argument(call, "condition");
  struct value answers;
  if (!is_array(data))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data", "'data' must be an array");
  if (condition == NULL || condition->kind == VALUE_NULL)
    return count_elements(call, data, COUNT_VALID, result);
  if (condition->kind == VALUE_BOOLEAN && condition->boolean)
    return count_elements(call, data, COUNT_ALL, result);
  if (condition->kind != VALUE_CALLBACK)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "condition",
                           "'condition' must be a process graph, true or null");
  if (each_element(call, data, condition->callback, &answers) != 0)
    return -1;
  if (data->kind == VALUE_LANES && data->kept != NULL && value_is_lanes_array_like(&answers))
    answers = value_filtered(value_as_lanes_array(call->program, &answers), data->kept);
  return count_elements(call, &answers, COUNT_TRUE, result);
}

const struct process process_count = {.id = "count", .shape = PROCESS_REDUCER, .call = count_call};
