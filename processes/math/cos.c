/* Cosine of an angle in radians. */
#include "processes/process.h"

static int cos_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_COS, "x", result);
}

const struct process process_cos = {.id = "cos", .shape = PROCESS_VALUE, .call = cos_call};
