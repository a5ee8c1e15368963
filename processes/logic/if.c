/* One of two values by a condition: accept where it is true, reject where it is false or missing.
 *
 * A condition known when the graph is lowered chooses any value, data cubes included. A condition that depends on the
 * pixel chooses between numbers, booleans, nulls and arrays of them. */
#include "processes/process.h"

static int branch(struct call *call, const char *name, bool *is_array, struct lanes *out)
{
  const struct value *value = call_argument(call, name);
  struct value missing = value_null();
  if (value == NULL)
    value = &missing;
  *is_array = value_is_lanes_array_like(value);
  if (*is_array)
    *out = value_as_lanes_array(call->program, value);
  else if (value_is_lanes_like(value))
    *out = value_as_lanes(call->program, value);
  else
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                           "where the condition depends on the pixel, '%s' must be a number, a boolean, null or an "
                           "array of these; it is a value of type %s",
                           name, value_kind_name(value));
  return 0;
}

static bool keeps_booleans(const struct call *call, const char *name, const struct lanes *lanes)
{
  return !call_has(call, name) || lanes->class == LANES_BOOLEAN;
}

static int choose_lanes(struct call *call, const struct value *condition, struct value *result)
{
  struct lanes accept, reject;
  bool accept_array, reject_array;
  if (!value_is_lanes_like(condition))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "value",
                           "the condition must be a boolean or null");
  if (branch(call, "accept", &accept_array, &accept) != 0 || branch(call, "reject", &reject_array, &reject) != 0)
    return -1;
  if (accept_array && reject_array && accept.length != reject.length)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "reject",
                           "'accept' has %zu elements and 'reject' has %zu", accept.length, reject.length);
  struct lanes chosen = program_ternary(call->program, KOP_SELECT, accept, reject, condition->lanes);
  bool booleans = call_has(call, "accept") || call_has(call, "reject");
  if (booleans && keeps_booleans(call, "accept", &accept) && keeps_booleans(call, "reject", &reject))
    chosen.class = LANES_BOOLEAN;
  *result = value_lanes(chosen);
  return 0;
}

static int if_call(struct call *call, struct value *result)
{
  const struct value *condition = call_argument(call, "value");
  if (condition->kind == VALUE_LANES)
    return choose_lanes(call, condition, result);
  bool accepted = condition->kind == VALUE_BOOLEAN && condition->boolean;
  const struct value *chosen = call_argument(call, accepted ? "accept" : "reject");
  *result = chosen == NULL ? value_null() : *chosen;
  return 0;
}

const struct process process_if = {.id = "if", .shape = PROCESS_VALUE, .call = if_call};
