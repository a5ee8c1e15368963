/* CF time coordinates (CF conventions 1.10, section 4.4) as instants.
 *
 * A fixed unit counts milliseconds from the reference date. Months and years are counted on the calendar (the UDUNITS
 * month, a twelfth of a tropical year, is never what a writer meant); a fraction of a month is that part of its days.
 * The calendar "standard" is Julian before 1582-10-15: a reference date before that day is taken as Julian, so that
 * "days since 0001-01-01" comes out right for every date after it; dates before 1582 are shown proleptic Gregorian. */
#include "datacube/source/netcdf_time.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct unit_row {
  const char *name;
  double milliseconds;
  int months;
} unit_rows[] = {
    {"days", 86400e3, 0},
    {"day", 86400e3, 0},
    {"d", 86400e3, 0},
    {"hours", 3600e3, 0},
    {"hour", 3600e3, 0},
    {"hrs", 3600e3, 0},
    {"hr", 3600e3, 0},
    {"h", 3600e3, 0},
    {"minutes", 60e3, 0},
    {"minute", 60e3, 0},
    {"mins", 60e3, 0},
    {"min", 60e3, 0},
    {"seconds", 1e3, 0},
    {"second", 1e3, 0},
    {"secs", 1e3, 0},
    {"sec", 1e3, 0},
    {"s", 1e3, 0},
    {"milliseconds", 1, 0},
    {"millisecond", 1, 0},
    {"msec", 1, 0},
    {"ms", 1, 0},
    {"microseconds", 1e-3, 0},
    {"microsecond", 1e-3, 0},
    {"us", 1e-3, 0},
    {"nanoseconds", 1e-6, 0},
    {"nanosecond", 1e-6, 0},
    {"ns", 1e-6, 0},
    {"weeks", 7 * 86400e3, 0},
    {"week", 7 * 86400e3, 0},
    {"months", 0, 1},
    {"month", 0, 1},
    {"years", 0, 12},
    {"year", 0, 12},
    {"common_years", 0, 12},
    {"common_year", 0, 12},
};

static const struct calendar_row {
  const char *name;
  enum calendar calendar;
  bool mixed;
} calendar_rows[] = {
    {"standard", CALENDAR_GREGORIAN, true},
    {"gregorian", CALENDAR_GREGORIAN, true},
    {"proleptic_gregorian", CALENDAR_GREGORIAN, false},
    {"noleap", CALENDAR_NOLEAP, false},
    {"365_day", CALENDAR_NOLEAP, false},
    {"all_leap", CALENDAR_ALL_LEAP, false},
    {"366_day", CALENDAR_ALL_LEAP, false},
    {"360_day", CALENDAR_360_DAY, false},
    {"julian", CALENDAR_JULIAN, false},
};

static const char *find_since(const char *units)
{
  for (const char *p = units; (p = strcasestr(p, "since")) != NULL; p += 5)
    if (p > units && isspace((unsigned char)p[-1]) && isspace((unsigned char)p[5]))
      return p;
  return NULL;
}

bool netcdf_is_time_units(const char *units)
{
  return units != NULL && find_since(units) != NULL;
}

static int parse_unit(const char *units, struct netcdf_time_units *out)
{
  units += strspn(units, " \t");
  const size_t length = strcspn(units, " \t");
  for (size_t i = 0; i < sizeof unit_rows / sizeof unit_rows[0]; i++)
    if (strlen(unit_rows[i].name) == length && strncasecmp(unit_rows[i].name, units, length) == 0) {
      out->unit = unit_rows[i].milliseconds;
      out->months = unit_rows[i].months;
      return 0;
    }
  return -1;
}

static int parse_calendar(const char *calendar, struct netcdf_time_units *out)
{
  const char *name = calendar == NULL || *calendar == '\0' ? "standard" : calendar;
  for (size_t i = 0; i < sizeof calendar_rows / sizeof calendar_rows[0]; i++)
    if (strcasecmp(calendar_rows[i].name, name) == 0) {
      out->calendar = calendar_rows[i].calendar;
      out->mixed = calendar_rows[i].mixed;
      return 0;
    }
  return -1;
}

/* Digits of at most 9 places; -1 where there are none. Moves *text on. */
static int take_number(const char **text, int *out)
{
  const char *p = *text;
  int value = 0, digits = 0;
  for (; isdigit((unsigned char)*p) && digits < 9; p++, digits++)
    value = value * 10 + (*p - '0');
  if (digits == 0 || isdigit((unsigned char)*p))
    return -1;
  *text = p;
  *out = value;
  return 0;
}

static int take_date(const char **text, struct civil *out)
{
  const bool negative = **text == '-';
  if (negative || **text == '+')
    (*text)++;
  *out = (struct civil){.month = 1, .day = 1};
  if (take_number(text, &out->year) != 0)
    return -1;
  if (negative)
    out->year = -out->year;
  int *const parts[] = {&out->month, &out->day};
  for (size_t i = 0; i < 2 && **text == '-'; i++) {
    (*text)++;
    if (take_number(text, parts[i]) != 0)
      return -1;
  }
  return out->month > 12 || out->day > 31 ? -1 : 0;
}

/* h[:m[:s[.fraction]]] */
static int take_clock(const char **text, struct civil *out)
{
  int *const parts[] = {&out->hour, &out->minute, &out->second};
  for (size_t i = 0; i < 3; i++) {
    if (i > 0 && *(*text)++ != ':')
      return -1;
    if (take_number(text, parts[i]) != 0)
      return -1;
    if (**text != ':')
      break;
  }
  if (**text == '.') {
    char *end;
    out->millisecond = (int)lrint(strtod(*text, &end) * 1e3);
    *text = end;
  }
  return out->hour > 24 || out->minute > 60 || out->second > 60 ? -1 : 0;
}

/* "", "Z", "UTC", "GMT", "+hh", "+h:mm", "-hhmm": *shift is what turns local time into UTC, in milliseconds. */
static int take_zone(const char *text, int64_t *shift)
{
  *shift = 0;
  if (*text == '\0' || strcasecmp(text, "z") == 0 || strcasecmp(text, "utc") == 0 || strcasecmp(text, "gmt") == 0)
    return 0;
  if (strncasecmp(text, "utc", 3) == 0 || strncasecmp(text, "gmt", 3) == 0)
    text += 3;
  const int sign = *text == '-' ? 1 : -1;
  if (*text != '+' && *text != '-')
    return -1;
  text++;
  int hours, minutes = 0;
  if (take_number(&text, &hours) != 0)
    return -1;
  if (*text == ':') {
    text++;
    if (take_number(&text, &minutes) != 0)
      return -1;
  } else if (hours > 99) {
    minutes = hours % 100;
    hours /= 100;
  }
  *shift = sign * (hours * 60 + minutes) * 60 * MS_PER_SECOND;
  return *text != '\0' || hours > 24 || minutes > 59 ? -1 : 0;
}

static int parse_reference(const char *text, struct netcdf_time_units *out)
{
  text += strspn(text, " \t");
  if (take_date(&text, &out->reference) != 0)
    return -1;
  if (*text == 'T' || *text == 't')
    text++;
  text += strspn(text, " \t");
  if (isdigit((unsigned char)*text) && take_clock(&text, &out->reference) != 0)
    return -1;
  text += strspn(text, " \t");
  return take_zone(text, &out->shift);
}

int netcdf_time_units_parse(const char *units, const char *calendar, struct netcdf_time_units *out, struct error *error)
{
  *out = (struct netcdf_time_units){0};
  if (parse_calendar(calendar, out) != 0)
    return error_set(error, ERROR_FileContentInvalid, "the calendar \"%.40s\" is not supported", calendar);
  const char *since = find_since(units);
  if (since == NULL || parse_unit(units, out) != 0)
    return error_set(error, ERROR_FileContentInvalid, "\"%.80s\" is no unit of time", units);
  if (parse_reference(since + 5, out) != 0)
    return error_set(error, ERROR_FileContentInvalid, "the reference date of \"%.80s\" cannot be read", units);
  return 0;
}

/* Days from 1970-01-01 (Gregorian) to a date of the Julian calendar. */
static int64_t julian_days(const struct civil *date)
{
  const int64_t before_march = date->month < 3 ? 1 : 0;
  const int64_t year = date->year + 4800 - before_march;
  const int64_t month = date->month + 12 * before_march - 3;
  return date->day + (153 * month + 2) / 5 + 365 * year + (int64_t)floor((double)year / 4) - 32083 - 2440588;
}

static bool before_gregorian(const struct civil *date)
{
  return date->year < 1582 || (date->year == 1582 && (date->month < 10 || (date->month == 10 && date->day < 15)));
}

static int64_t reference_instant(const struct netcdf_time_units *units, struct civil date)
{
  if (units->mixed && before_gregorian(&date))
    return julian_days(&date) * MS_PER_DAY + ((date.hour * 60 + date.minute) * 60 + date.second) * MS_PER_SECOND +
           date.millisecond + units->shift;
  return instant_from_civil(date, units->calendar) + units->shift;
}

static int64_t add_months(const struct netcdf_time_units *units, double value)
{
  const double months = floor(value * units->months);
  struct civil date = units->reference;
  date.month += (int)months;
  const int64_t start = reference_instant(units, date);
  date.month += 1;
  const int64_t end = reference_instant(units, date);
  return start + llrint((value * units->months - months) * (double)(end - start));
}

int netcdf_times_decode(const struct netcdf_time_units *units, const double *values, size_t count, int64_t *out,
                        struct error *error)
{
  const double limit = units->months > 0 ? 1e6 / units->months : 3e15 / units->unit; /* some 90 000 years */
  const int64_t reference = reference_instant(units, units->reference);
  for (size_t i = 0; i < count; i++) {
    if (!(fabs(values[i]) <= limit))
      return error_set(error, ERROR_FileContentInvalid, "time %zu is missing or out of bounds", i);
    out[i] = units->months > 0 ? add_months(units, values[i]) : reference + llrint(values[i] * units->unit);
  }
  return 0;
}
