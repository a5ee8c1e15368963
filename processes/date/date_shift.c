/* A date some units later or earlier, in the zone and the form that it was given in. */
#include "processes/date/stamp.h"

#include "datacube/base/instant.h"

static int write_stamp(struct call *call, const struct stamp *stamp, struct value *result)
{
  struct civil c = instant_civil(stamp->local, CALENDAR_GREGORIAN);
  const char *text;
  if (c.year < 0 || c.year > 9999)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "value",
                           "the date would lie outside the years 0000 to 9999");
  if (stamp->kind == STAMP_DATE)
    text = arena_printf(call->arena, "%04d-%02d-%02d", c.year, c.month, c.day);
  else if (c.millisecond != 0)
    text = arena_printf(call->arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%s", c.year, c.month, c.day, c.hour, c.minute,
                        c.second, c.millisecond, stamp->zone);
  else
    text = arena_printf(call->arena, "%04d-%02d-%02dT%02d:%02d:%02d%s", c.year, c.month, c.day, c.hour, c.minute,
                        c.second, stamp->zone);
  if (text == NULL)
    return error_memory(call->error);
  *result = value_text(text);
  return 0;
}

/* How many of the unit at most: what leads out of the years anyway. */
static int64_t most(enum stamp_unit unit)
{
  static const int64_t year = 366 * MS_PER_DAY;
  if (unit == UNIT_YEAR || unit == UNIT_MONTH)
    return unit == UNIT_YEAR ? STAMP_MAX_SHIFT : 12 * STAMP_MAX_SHIFT;
  return STAMP_MAX_SHIFT * year / unit_length(unit);
}

static int date_shift_call(struct call *call, struct value *result)
{
  struct stamp stamp;
  enum stamp_unit unit;
  int64_t value;
  if (call_stamp(call, "date", false, &stamp) != 0 || call_unit(call, "unit", &unit) != 0 ||
      call_integer(call, "value", -most(unit), most(unit), &value) != 0)
    return -1;
  stamp.local = stamp_shifted(stamp.local, value, unit);
  return write_stamp(call, &stamp, result);
}

const struct process process_date_shift = {.id = "date_shift", .shape = PROCESS_VALUE, .call = date_shift_call};
