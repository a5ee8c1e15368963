/* Exclusive or: missing where an operand is missing. */
#include "processes/process.h"

static int xor_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_XOR, "x", "y", result);
}

const struct process process_xor = {.id = "xor", .shape = PROCESS_VALUE, .call = xor_call};
