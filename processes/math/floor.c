/* The largest integer that is not above x. */
#include "processes/process.h"

static int floor_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_FLOOR, "x", result);
}

const struct process process_floor = {.id = "floor", .shape = PROCESS_VALUE, .call = floor_call};
