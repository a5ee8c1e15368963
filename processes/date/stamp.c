/* Reading leaves the syntax to instant_parse: once with the zone for the instant, once without for the local clock. */
#include "processes/date/stamp.h"

#include "datacube/base/instant.h"

#include <string.h>

static int invalid_stamp(struct call *call, const char *name, bool times)
{
  return error_parameter(
      call->error, ERROR_ProcessParameterInvalid, name,
      "'%.60s' is no date that exists: expected YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, with Z or ±hh:mm "
      "as the zone%s",
      call_argument(call, name)->text, times ? ", or hh:mm:ss" : "");
}

static bool matches(const char *text, const char *pattern)
{
  for (; *pattern != '\0'; pattern++, text++)
    if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
      return false;
  return true;
}

/* The end of hh:mm:ss[.fff], NULL where it is none. */
static const char *end_of_time(const char *text)
{
  if (!matches(text, "00:00:00"))
    return NULL;
  text += 8;
  if (*text != '.')
    return text;
  for (text++; *text >= '0' && *text <= '9'; text++)
    ;
  return text;
}

/* A leap second comes at the end of a day in UTC; it is read as the second before it. */
static int settle_leap(struct stamp *out, int64_t *instant)
{
  if (!out->leap)
    return 0;
  *instant -= MS_PER_SECOND;
  out->local -= MS_PER_SECOND;
  return (*instant % MS_PER_DAY + MS_PER_DAY) % MS_PER_DAY / MS_PER_SECOND == 86399 ? 0 : -1;
}

static int parse_date_time(struct call *call, const char *text, struct stamp *out)
{
  const char *end = end_of_time(text + 11);
  char *local = end == NULL ? NULL : arena_strndup(call->arena, text, (size_t)(end - text));
  int64_t instant;
  if (local == NULL || instant_parse(text, CALENDAR_GREGORIAN, &instant) != 0 ||
      instant_parse(local, CALENDAR_GREGORIAN, &out->local) != 0)
    return -1;
  out->kind = STAMP_DATE_TIME;
  out->zone = end;
  out->leap = matches(text + 17, "60");
  out->offset = out->local - instant;
  return settle_leap(out, &instant);
}

static int parse_time(struct call *call, const char *text, struct stamp *out)
{
  const char *end = end_of_time(text);
  const char *dated = arena_printf(call->arena, "1970-01-01T%s", text);
  if (end == NULL || (*end != '\0' && strcmp(end, "Z") != 0) || dated == NULL || parse_date_time(call, dated, out) != 0)
    return -1;
  out->kind = STAMP_TIME;
  return 0;
}

static int parse_stamp(struct call *call, const char *text, bool times, struct stamp *out)
{
  *out = (struct stamp){.zone = ""};
  if (times && matches(text, "00:"))
    return parse_time(call, text, out);
  if (!matches(text, "0000-00-00"))
    return -1;
  if (text[10] == '\0')
    return instant_parse(text, CALENDAR_GREGORIAN, &out->local);
  return parse_date_time(call, text, out);
}

int call_stamp(struct call *call, const char *name, bool times, struct stamp *out)
{
  const char *text;
  if (call_text(call, name, &text) != 0)
    return -1;
  return parse_stamp(call, text, times, out) == 0 ? 0 : invalid_stamp(call, name, times);
}

int64_t stamp_instant(const struct stamp *stamp)
{
  return stamp->local - stamp->offset + (stamp->leap ? MS_PER_SECOND : 0);
}

static const struct {
  const char *name;
  int64_t length; /* ms; 0: it depends */
} units[] = {{"millisecond", 1},  {"second", MS_PER_SECOND}, {"minute", 60000}, {"hour", 3600000},
             {"day", MS_PER_DAY}, {"week", 7 * MS_PER_DAY},  {"month", 0},      {"year", 0}};

int call_unit(struct call *call, const char *name, enum stamp_unit *out)
{
  const char *text;
  if (call_text(call, name, &text) != 0)
    return -1;
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(units[i].name, text) == 0) {
      *out = (enum stamp_unit)i;
      return 0;
    }
  }
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, name, "there is no unit '%.40s'", text);
}

int64_t unit_length(enum stamp_unit unit)
{
  return units[unit].length;
}

int64_t stamp_shifted(int64_t local, int64_t value, enum stamp_unit unit)
{
  if (unit_length(unit) > 0)
    return local + value * unit_length(unit);
  struct civil c = instant_civil(local, CALENDAR_GREGORIAN);
  int64_t months = c.year * INT64_C(12) + c.month - 1 + (unit == UNIT_YEAR ? 12 : 1) * value;
  int64_t year = months / 12 - (months % 12 < 0);
  c.year = (int)year;
  c.month = (int)(months - 12 * year) + 1;
  int last = days_in_month(c.year, c.month, CALENDAR_GREGORIAN);
  c.day = c.day > last ? last : c.day;
  return instant_from_civil(c, CALENDAR_GREGORIAN);
}
