/* The time from one date to another, in a unit.
 *
 * Months and years have no fixed length. From a to a later b these are the whole ones by which date_shift moves a
 * without passing b, and the rest as a part of the next one. Where a shift back from b meets a exactly (from the 31st
 * of March to the 29th of February) that counts. So the difference undoes date_shift, and changes its sign with the
 * order. */
#include "processes/date/stamp.h"

#include "datacube/base/instant.h"

static double calendar_units(int64_t a, int64_t b, enum stamp_unit unit)
{
  struct civil from = instant_civil(a, CALENDAR_GREGORIAN), to = instant_civil(b, CALENDAR_GREGORIAN);
  int64_t whole = to.year - from.year;
  if (unit == UNIT_MONTH)
    whole = 12 * whole + to.month - from.month;
  if (stamp_shifted(b, -whole, unit) == a)
    return (double)whole;
  if (stamp_shifted(a, whole, unit) > b)
    whole--;
  int64_t start = stamp_shifted(a, whole, unit), end = stamp_shifted(a, whole + 1, unit);
  return (double)whole + (double)(b - start) / (double)(end - start);
}

static int date_difference_call(struct call *call, struct value *result)
{
  struct stamp first, second;
  enum stamp_unit unit;
  if (call_stamp(call, "date1", false, &first) != 0 || call_stamp(call, "date2", false, &second) != 0 ||
      call_unit(call, "unit", &unit) != 0)
    return -1;
  int64_t a = stamp_instant(&first), b = stamp_instant(&second);
  if (unit_length(unit) > 0) {
    *result = value_number((double)(b - a) / (double)unit_length(unit));
    return 0;
  }
  /* months begin with the local day, where both have one zone */
  int64_t offset = first.offset == second.offset ? first.offset : 0;
  a += offset;
  b += offset;
  *result = value_number(a <= b ? calendar_units(a, b, unit) : -calendar_units(b, a, unit));
  return 0;
}

const struct process process_date_difference = {
    .id = "date_difference", .shape = PROCESS_VALUE, .call = date_difference_call};
