/* x < y for numbers; false for other types, missing where an operand is missing. */
#include "processes/process.h"
#include "processes/compare/operands.h"

static int lt_call(struct call *call, struct value *result)
{
  return emit_comparison(call, KOP_LT, result);
}

const struct process process_lt = {.id = "lt", .shape = PROCESS_VALUE, .call = lt_call};
