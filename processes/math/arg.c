/* Angle of a complex number in radians, -pi … pi. */
#include "processes/process.h"

static int arg_call(struct call *call, struct value *result)
{
  struct lanes x;
  if (call_lanes(call, "x", &x) != 0)
    return -1;
  *result = value_lanes(program_argument(call->program, x));
  return 0;
}

const struct process process_arg = {.id = "arg", .shape = PROCESS_VALUE, .call = arg_call};
