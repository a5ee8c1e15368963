/* x * y. */
#include "processes/process.h"

static int multiply_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_MUL, "x", "y", result);
}

const struct process process_multiply = {.id = "multiply", .shape = PROCESS_VALUE, .call = multiply_call};
