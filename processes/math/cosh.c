/* Hyperbolic cosine. */
#include "processes/process.h"

static int cosh_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_COSH, "x", result);
}

const struct process process_cosh = {.id = "cosh", .shape = PROCESS_VALUE, .call = cosh_call};
