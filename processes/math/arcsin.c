/* Arc sine in radians: NaN outside -1 … 1. */
#include "processes/process.h"

static int arcsin_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_ARCSIN, "x", result);
}

const struct process process_arcsin = {.id = "arcsin", .shape = PROCESS_VALUE, .call = arcsin_call};
