/* Sign: -1, 0 or 1; NaN stays NaN. */
#include "processes/process.h"

static int sgn_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_SGN, "x", result);
}

const struct process process_sgn = {.id = "sgn", .shape = PROCESS_VALUE, .call = sgn_call};
