/* Tangent of an angle in radians. */
#include "processes/process.h"

static int tan_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_TAN, "x", result);
}

const struct process process_tan = {.id = "tan", .shape = PROCESS_VALUE, .call = tan_call};
