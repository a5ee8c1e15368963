/* Arc cosine in radians: NaN outside -1 … 1. */
#include "processes/process.h"

static int arccos_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_ARCCOS, "x", result);
}

const struct process process_arccos = {.id = "arccos", .shape = PROCESS_VALUE, .call = arccos_call};
