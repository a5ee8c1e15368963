/* Inverse hyperbolic cosine: NaN below one. */
#include "processes/process.h"

static int arcosh_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_ARCOSH, "x", result);
}

const struct process process_arcosh = {.id = "arcosh", .shape = PROCESS_VALUE, .call = arcosh_call};
