/* Three-valued and: false decides, else a missing operand makes the result missing. */
#include "processes/process.h"

static int and_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_AND, "x", "y", result);
}

const struct process process_and = {.id = "and", .shape = PROCESS_VALUE, .call = and_call};
