/* e to the power p. */
#include "processes/process.h"

static int exp_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_EXP, "p", result);
}

const struct process process_exp = {.id = "exp", .shape = PROCESS_VALUE, .call = exp_call};
