/* The real part. */
#include "processes/process.h"

static int real_call(struct call *call, struct value *result)
{
  struct lanes x;
  if (call_lanes(call, "x", &x) != 0)
    return -1;
  *result = value_lanes(program_real(call->program, x));
  return 0;
}

const struct process process_real = {.id = "real", .shape = PROCESS_VALUE, .call = real_call};
