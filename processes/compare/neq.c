/* The negation of eq; missing where an operand is missing. */
#include "processes/process.h"
#include "processes/compare/operands.h"

static int neq_call(struct call *call, struct value *result)
{
  struct value equal;
  if (emit_equality(call, &equal) != 0)
    return -1;
  *result = value_negated(call, &equal);
  return 0;
}

const struct process process_neq = {.id = "neq", .shape = PROCESS_VALUE, .call = neq_call};
