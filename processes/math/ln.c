/* Natural logarithm: NaN below zero, -infinity at zero. */
#include "processes/process.h"

static int ln_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_LN, "x", result);
}

const struct process process_ln = {.id = "ln", .shape = PROCESS_VALUE, .call = ln_call};
