/* |x| */
#include "processes/process.h"

static int absolute_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_ABS, "x", result);
}

const struct process process_absolute = {.id = "absolute", .shape = PROCESS_VALUE, .call = absolute_call};
