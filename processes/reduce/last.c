/* Last element; by default the last that is not missing. Elements of a host array may be of any type. */
#include "processes/process.h"

static int last_call(struct call *call, struct value *result)
{
  const struct value *data = call_argument(call, "data");
  bool ignore_nodata = true;
  if (!value_is_host(data) || data->kind != VALUE_ARRAY)
    return emit_reduce(call, KRED_LAST, result);
  if (call_has(call, "ignore_nodata") && call_boolean(call, "ignore_nodata", &ignore_nodata) != 0)
    return -1;
  *result = value_null();
  for (size_t i = 0; i < data->count; i++) {
    *result = data->items[data->count - 1 - i];
    if (!ignore_nodata || result->kind != VALUE_NULL)
      break;
  }
  return 0;
}

const struct process process_last = {.id = "last", .shape = PROCESS_REDUCER, .call = last_call};
