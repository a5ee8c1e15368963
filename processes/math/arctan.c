/* Arc tangent in radians. */
#include "processes/process.h"

static int arctan_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_ARCTAN, "x", result);
}

const struct process process_arctan = {.id = "arctan", .shape = PROCESS_VALUE, .call = arctan_call};
