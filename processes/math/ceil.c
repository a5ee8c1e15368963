/* The smallest integer that is not below x. */
#include "processes/process.h"

static int ceil_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_CEIL, "x", result);
}

const struct process process_ceil = {.id = "ceil", .shape = PROCESS_VALUE, .call = ceil_call};
