/* Whether x is the number NaN; missing values and other types are not. */
#include "processes/process.h"

#include <math.h>

static int is_nan_call(struct call *call, struct value *result)
{
  const struct value *x = call_argument(call, "x");
  if (x->kind == VALUE_LANES && !x->lanes.is_array)
    return emit_unary(call, KOP_IS_NAN, "x", result);
  *result = value_boolean(x->kind == VALUE_NUMBER && isnan(x->number));
  return 0;
}

const struct process process_is_nan = {.id = "is_nan", .shape = PROCESS_VALUE, .call = is_nan_call};
