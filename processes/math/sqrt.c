/* Square root: NaN below zero. */
#include "processes/process.h"

static int sqrt_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_SQRT, "x", result);
}

const struct process process_sqrt = {.id = "sqrt", .shape = PROCESS_VALUE, .call = sqrt_call};
