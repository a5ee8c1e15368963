/* Inverse hyperbolic tangent: NaN outside -1 … 1. */
#include "processes/process.h"

static int artanh_call(struct call *call, struct value *result)
{
  return emit_unary(call, KOP_ARTANH, "x", result);
}

const struct process process_artanh = {.id = "artanh", .shape = PROCESS_VALUE, .call = artanh_call};
