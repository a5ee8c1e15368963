/* Whether a date, or a time of day, lies within bounds. A date without a time is its first instant. */
#include "processes/date/stamp.h"

static int date_between_call(struct call *call, struct value *result)
{
  static const char *const names[] = {"x", "min", "max"};
  struct stamp stamps[3];
  int64_t at[3];
  bool exclude_max;
  for (size_t i = 0; i < 3; i++) {
    if (call_stamp(call, names[i], true, &stamps[i]) != 0)
      return -1;
    if ((stamps[i].kind == STAMP_TIME) != (stamps[0].kind == STAMP_TIME))
      return error_parameter(
          call->error, ERROR_ProcessParameterInvalid, names[i], "'%s' is a %s and 'x' a %s: these cannot be compared",
          names[i], stamps[i].kind == STAMP_TIME ? "time" : "date", stamps[0].kind == STAMP_TIME ? "time" : "date");
    at[i] = stamp_instant(&stamps[i]);
  }
  if (call_boolean(call, "exclude_max", &exclude_max) != 0)
    return -1;
  *result = value_boolean(at[1] <= at[0] && at[1] <= at[2] && (exclude_max ? at[0] < at[2] : at[0] <= at[2]));
  return 0;
}

const struct process process_date_between = {.id = "date_between", .shape = PROCESS_VALUE, .call = date_between_call};
