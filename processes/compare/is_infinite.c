/* Whether x is a positive or negative infinity. */
#include "processes/process.h"

#include <math.h>

static int is_infinite_call(struct call *call, struct value *result)
{
  const struct value *x = call_argument(call, "x");
  if (x->kind == VALUE_LANES && !x->lanes.is_array)
    return emit_unary(call, KOP_IS_INFINITE, "x", result);
  *result = value_boolean(x->kind == VALUE_NUMBER && isinf(x->number));
  return 0;
}

const struct process process_is_infinite = {.id = "is_infinite", .shape = PROCESS_VALUE, .call = is_infinite_call};
