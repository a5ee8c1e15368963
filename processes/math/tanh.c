/* Hyperbolic tangent. */
#include "processes/process.h"

static int tanh_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_TANH, "x", result);
}

const struct process process_tanh = {.id = "tanh", .shape = PROCESS_VALUE, .call = tanh_call};
