/* Strict equality: types must agree; missing where an operand is missing. */
#include "processes/process.h"
#include "processes/compare/operands.h"

static int eq_call(struct call *call, struct value *result)
{
  return emit_equality(call, result);
}

const struct process process_eq = {.id = "eq", .shape = PROCESS_VALUE, .call = eq_call};
