/* base to the power p. */
#include "processes/process.h"

static int power_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_POW, "base", "p", result);
}

const struct process process_power = {.id = "power", .shape = PROCESS_VALUE, .call = power_call};
