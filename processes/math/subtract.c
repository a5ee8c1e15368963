/* x - y. */
#include "processes/process.h"

static int subtract_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_SUB, "x", "y", result);
}

const struct process process_subtract = {.id = "subtract", .shape = PROCESS_VALUE, .call = subtract_call};
