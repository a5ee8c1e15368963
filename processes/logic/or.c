/* Three-valued or: true decides, else a missing operand makes the result missing. */
#include "processes/process.h"

static int or_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_OR, "x", "y", result);
}

const struct process process_or = {.id = "or", .shape = PROCESS_VALUE, .call = or_call};
