/* Sine of an angle in radians. */
#include "processes/process.h"

static int sin_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_SIN, "x", result);
}

const struct process process_sin = {.id = "sin", .shape = PROCESS_VALUE, .call = sin_call};
