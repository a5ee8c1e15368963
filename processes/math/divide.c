/* x / y as IEEE 754 has it: x/0 is an infinity, 0/0 is NaN. */
#include "processes/process.h"

static int divide_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_DIV, "x", "y", result);
}

const struct process process_divide = {.id = "divide", .shape = PROCESS_VALUE, .call = divide_call};
