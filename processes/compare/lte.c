/* x <= y for numbers; false for other types, missing where an operand is missing. */
#include "processes/process.h"
#include "processes/compare/operands.h"

static int lte_call(struct call *call, struct value *result)
{
  return emit_comparison(call, KOP_LTE, result);
}

const struct process process_lte = {.id = "lte", .shape = PROCESS_VALUE, .call = lte_call};
