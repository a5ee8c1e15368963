/* Negation; missing stays missing. */
#include "processes/process.h"

static int not_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_NOT, "x", result);
}

const struct process process_not = {.id = "not", .shape = PROCESS_VALUE, .call = not_call};
