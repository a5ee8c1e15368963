/* Angle of the point (x, y) in radians, -pi … pi. */
#include "processes/process.h"

static int arctan2_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_ARCTAN2, "y", "x", result);
}

const struct process process_arctan2 = {.id = "arctan2", .shape = PROCESS_VALUE, .call = arctan2_call};
