/* Whether x is missing. */
#include "processes/process.h"

static int is_nodata_call(struct call *call, struct value *result)
{
  const struct value *x = call_argument(call, "x");
  if (x->kind == VALUE_LANES && !x->lanes.is_array)
    return emit_unary(call, KOP_IS_NODATA, "x", result);
  *result = value_boolean(x->kind == VALUE_NULL);
  return 0;
}

const struct process process_is_nodata = {.id = "is_nodata", .shape = PROCESS_VALUE, .call = is_nodata_call};
