#include "datacube/grib/grib_times.h"

#include "datacube/grib/grib_sections.h"

static bool add_time(int64_t from, int64_t count, unsigned unit, int64_t *out)
{
  static const int64_t seconds[] = {60, 3600, 86400, 0, 0, 0, 0, 0, 0, 0, 3 * 3600, 6 * 3600, 12 * 3600};
  static const int months[] = {0, 0, 0, 1, 12, 120};
  if (count < -100000000 || count > 100000000)
    return false;
  if (unit < sizeof months / sizeof months[0] && months[unit] != 0) {
    struct civil date = instant_civil(from, CALENDAR_GREGORIAN);
    if (count < -100000 || count > 100000)
      return false;
    date.month += (int)count * months[unit];
    *out = instant_from_civil(date, CALENDAR_GREGORIAN);
    return true;
  }
  if (unit >= sizeof seconds / sizeof seconds[0] || seconds[unit] == 0)
    return false;
  *out = from + count * seconds[unit] * MS_PER_SECOND;
  return true;
}

bool grib_is_date(const struct civil *c)
{
  return c->year >= 1 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
         c->day <= days_in_month(c->year, c->month, CALENDAR_GREGORIAN) && c->hour <= 24 && c->minute < 60 &&
         c->second <= 60;
}

/* Seven octets: year of two, month, day, hour, minute, second. */
static bool date_2(const unsigned char *at, int64_t *out)
{
  const struct civil date = {
      .year = (int)grib_number(at, 2), .month = at[2], .day = at[3], .hour = at[4], .minute = at[5], .second = at[6]};
  *out = instant_from_civil(date, CALENDAR_GREGORIAN);
  return grib_is_date(&date);
}

size_t grib_interval_2(const unsigned char *product, size_t length)
{
  const unsigned number = (unsigned)grib_number(product + 7, 2);
  if (number <= 2)
    return length >= (number == 0 ? 34 : number == 1 ? 37 : 36) ? 0 : SIZE_MAX;
  const size_t at = number == 8 ? 34 : number == 11 ? 37 : number == 12 ? 36 : 0;
  return at > 0 && length >= at + 24 ? at : SIZE_MAX;
}

bool grib_has_step_2(const unsigned char *product)
{
  const int64_t steps = grib_signed(product + 18, 4);
  int64_t ignored;
  return grib_number(product + 7, 2) > 15 || steps == 0 || product[17] == 13 ||
         add_time(0, steps, product[17], &ignored);
}

bool grib_times_2(const unsigned char *identification, const unsigned char *product, size_t length,
                  struct grib_product *out)
{
  static const unsigned second = 13;
  const size_t interval = grib_interval_2(product, length);
  if (interval == SIZE_MAX || !date_2(identification + 12, &out->reference))
    return false;
  const int64_t steps = grib_signed(product + 18, 4);
  const bool in_seconds = product[17] == second;
  if (in_seconds)
    out->start = out->reference + steps * MS_PER_SECOND;
  else if (!add_time(out->reference, steps, product[17], &out->start))
    return false;
  out->valid = out->start;
  return interval == 0 || date_2(product + interval, &out->valid);
}

bool grib_times_1(const unsigned char *p, struct grib_product *out)
{
  const struct civil date = {
      .year = (p[24] - 1) * 100 + p[12], .month = p[13], .day = p[14], .hour = p[15], .minute = p[16]};
  const unsigned unit = p[17], range = p[20];
  if (!grib_is_date(&date) || unit > 12) /* 254 are seconds, 13 and 14 parts of an hour: by ecCodes */
    return false;
  out->reference = instant_from_civil(date, CALENDAR_GREGORIAN);
  if (range == 0 || range == 1 || range == 10) {
    const int64_t steps = range == 10 ? (int64_t)grib_number(p + 18, 2) : range == 1 ? 0 : p[18];
    out->start = out->valid = out->reference;
    return steps == 0 ||
           (add_time(out->reference, steps, unit, &out->valid) && add_time(out->reference, steps, unit, &out->start));
  }
  return range >= 2 && range <= 5 && add_time(out->reference, p[18], unit, &out->start) &&
         add_time(out->reference, p[19], unit, &out->valid);
}
