/* x + y. */
#include "processes/process.h"

static int add_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_ADD, "x", "y", result);
}

const struct process process_add = {.id = "add", .shape = PROCESS_VALUE, .call = add_call};
