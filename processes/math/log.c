/* Logarithm of x to a base: NaN below zero, -infinity at zero. */
#include "processes/process.h"

static int log_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_LOG, "x", "base", result);
}

const struct process process_log = {.id = "log", .shape = PROCESS_VALUE, .call = log_call};
