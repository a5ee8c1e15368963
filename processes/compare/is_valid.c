/* Whether x is there: neither missing nor NaN. Texts, arrays and objects always are. */
#include "processes/process.h"

#include <math.h>

static int is_valid_call(struct call *call, struct value *result)
{
  const struct value *x = call_argument(call, "x");
  if (x->kind == VALUE_LANES && !x->lanes.is_array)
    return emit_unary(call, KOP_IS_VALID, "x", result);
  *result = value_boolean(x->kind != VALUE_NULL && !(x->kind == VALUE_NUMBER && isnan(x->number)));
  return 0;
}

const struct process process_is_valid = {.id = "is_valid", .shape = PROCESS_VALUE, .call = is_valid_call};
