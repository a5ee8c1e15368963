/* Inverse hyperbolic sine. */
#include "processes/process.h"

static int arsinh_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_ARSINH, "x", result);
}

const struct process process_arsinh = {.id = "arsinh", .shape = PROCESS_VALUE, .call = arsinh_call};
