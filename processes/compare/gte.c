/* x >= y for numbers; false for other types, missing where an operand is missing. */
#include "processes/process.h"
#include "processes/compare/operands.h"

static int gte_call(struct call *call, struct value *result)
{
  return emit_comparison(call, KOP_GTE, result);
}

const struct process process_gte = {.id = "gte", .shape = PROCESS_VALUE, .call = gte_call};
