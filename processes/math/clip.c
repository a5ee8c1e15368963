/* x limited to min … max. A NaN bound gives NaN. */
#include "processes/process.h"

static int clip_call(struct call *call, struct value *result)
{
  struct lanes x, min, max;
  const struct value *low = call_argument(call, "min");
  const struct value *high = call_argument(call, "max");
  if (call_lanes(call, "x", &x) != 0 || call_lanes(call, "min", &min) != 0 || call_lanes(call, "max", &max) != 0)
    return -1;
  if (low->kind == VALUE_NUMBER && high->kind == VALUE_NUMBER && low->number > high->number)
    return error_parameter(call->error, ERROR_MinMaxSwapped, "min", "the lower bound %g is above the upper bound %g",
                           low->number, high->number);
  struct lanes raised = program_binary(call->program, KOP_MAX, x, min);
  *result = value_lanes(program_binary(call->program, KOP_MIN, raised, max));
  return 0;
}

const struct process process_clip = {.id = "clip", .shape = PROCESS_VALUE, .call = clip_call};
