/* Hyperbolic sine. */
#include "processes/process.h"

static int sinh_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_SINH, "x", result);
}

const struct process process_sinh = {.id = "sinh", .shape = PROCESS_VALUE, .call = sinh_call};
