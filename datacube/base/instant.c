/* Calendars. Gregorian days by the era method (400-year cycles of 146097 days from 0000-03-01), Julian ones likewise
 * (years of 365.25 days), the others by plain counting of fixed years. */
#include "datacube/base/instant.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *calendar_name(enum calendar calendar)
{
  static const char *const names[] = {[CALENDAR_GREGORIAN] = "proleptic_gregorian",
                                      [CALENDAR_NOLEAP] = "noleap",
                                      [CALENDAR_ALL_LEAP] = "all_leap",
                                      [CALENDAR_360_DAY] = "360_day",
                                      [CALENDAR_JULIAN] = "julian"};
  return names[calendar];
}

static int64_t floor_div(int64_t a, int64_t b)
{
  int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

static bool is_leap(int64_t year, enum calendar calendar)
{
  if (calendar == CALENDAR_GREGORIAN)
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return calendar == CALENDAR_ALL_LEAP || (calendar == CALENDAR_JULIAN && year % 4 == 0);
}

int days_in_month(int year, int month, enum calendar calendar)
{
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (calendar == CALENDAR_360_DAY)
    return 30;
  return days[month - 1] + (month == 2 && is_leap(year, calendar) ? 1 : 0);
}

static int year_days(enum calendar calendar)
{
  return calendar == CALENDAR_360_DAY ? 360 : calendar == CALENDAR_ALL_LEAP ? 366 : 365;
}

/* Days from 1970-01-01 to the first of a month; month 1 … 12. */
static int64_t month_start(int64_t year, int month, enum calendar calendar)
{
  int64_t y = year - (month <= 2);
  int64_t day_of_march_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
  if (calendar == CALENDAR_JULIAN)
    return y * 365 + floor_div(y, 4) + day_of_march_year - 719483;
  if (calendar == CALENDAR_GREGORIAN) {
    int64_t era = floor_div(y, 400), of_era = y - era * 400;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_march_year - 719468;
  }
  int64_t days = (year - 1970) * year_days(calendar);
  for (int m = 1; m < month; m++)
    days += days_in_month(2001, m, calendar);
  return days;
}

int64_t instant_from_civil(struct civil c, enum calendar calendar)
{
  int64_t months = (int64_t)c.month - 1;
  int64_t year = c.year + floor_div(months, 12);
  int month = (int)(months - floor_div(months, 12) * 12) + 1;
  int64_t days = month_start(year, month, calendar) + c.day - 1;
  return days * MS_PER_DAY + ((c.hour * INT64_C(60) + c.minute) * 60 + c.second) * MS_PER_SECOND + c.millisecond;
}

struct civil instant_civil(int64_t instant, enum calendar calendar)
{
  int64_t days = floor_div(instant, MS_PER_DAY), ms = instant - days * MS_PER_DAY;
  int64_t year = 1970 + (calendar == CALENDAR_GREGORIAN ? floor_div(days * 400, 146097)
                         : calendar == CALENDAR_JULIAN  ? floor_div(days * 4, 1461)
                                                        : floor_div(days, year_days(calendar)));
  while (month_start(year, 1, calendar) > days)
    year--;
  while (month_start(year + 1, 1, calendar) <= days)
    year++;
  int month = 1;
  while (month < 12 && month_start(year, month + 1, calendar) <= days)
    month++;
  return (struct civil){.year = (int)year,
                        .month = month,
                        .day = (int)(days - month_start(year, month, calendar)) + 1,
                        .hour = (int)(ms / 3600000),
                        .minute = (int)(ms / 60000 % 60),
                        .second = (int)(ms / 1000 % 60),
                        .millisecond = (int)(ms % 1000)};
}

int instant_weekday(int64_t instant)
{
  int64_t days = floor_div(instant, MS_PER_DAY) + 3; /* 1970-01-01 was a Thursday */
  return (int)(days - floor_div(days, 7) * 7) + 1;
}

int day_of_year(struct civil c, enum calendar calendar)
{
  int day = c.day;
  for (int m = 1; m < c.month; m++)
    day += days_in_month(c.year, m, calendar);
  return day;
}

/* Reads exactly `digits` digits. */
static bool read_digits(const char **text, int digits, int *out)
{
  int value = 0;
  for (int i = 0; i < digits; i++) {
    char c = (*text)[i];
    if (c < '0' || c > '9')
      return false;
    value = value * 10 + (c - '0');
  }
  *text += digits;
  *out = value;
  return true;
}

/* Four digits; with a sign, or before a dash, up to six. */
static bool read_year(const char **text, int *out)
{
  int sign = **text == '-' ? -1 : 1;
  bool has_sign = **text == '-' || **text == '+';
  *text += has_sign;
  size_t digits = strspn(*text, "0123456789");
  bool fits = digits == 4 || ((digits == 5 || digits == 6) && (has_sign || (*text)[digits] == '-'));
  if (!fits || !read_digits(text, (int)digits, out))
    return false;
  *out *= sign;
  return true;
}

static bool read_field(const char **text, char separator, int low, int high, int *out)
{
  if (**text != separator)
    return false;
  (*text)++;
  return read_digits(text, 2, out) && *out >= low && *out <= high;
}

static bool read_fraction(const char **text, int *millisecond)
{
  int scale = 100;
  if (**text != '.')
    return true;
  if (*++*text < '0' || **text > '9')
    return false;
  for (; **text >= '0' && **text <= '9'; (*text)++, scale /= 10)
    *millisecond += (**text - '0') * scale;
  return true;
}

static bool read_offset(const char **text, int64_t *ms)
{
  int hour = 0, minute = 0;
  if (**text == 'Z' || **text == 'z') {
    (*text)++;
    return true;
  }
  if (**text != '+' && **text != '-')
    return true; /* no zone: UTC */
  int sign = **text == '-' ? -1 : 1;
  (*text)++;
  if (!read_digits(text, 2, &hour) || hour > 23)
    return false;
  if (**text == ':')
    (*text)++;
  if (!read_digits(text, 2, &minute) || minute > 59)
    return false;
  *ms = sign * (hour * INT64_C(60) + minute) * 60000;
  return true;
}

int instant_parse(const char *text, enum calendar calendar, int64_t *out)
{
  struct civil c = {.month = 1, .day = 1};
  int64_t offset = 0;
  if (!read_year(&text, &c.year))
    return -1;
  if (*text && !read_field(&text, '-', 1, 12, &c.month))
    return -1;
  if (*text && (!read_field(&text, '-', 1, 31, &c.day) || c.day > days_in_month(c.year, c.month, calendar)))
    return -1;
  if (*text == 'T' || *text == 't' || *text == ' ') {
    text++;
    if (!read_digits(&text, 2, &c.hour) || c.hour > 24 || !read_field(&text, ':', 0, 59, &c.minute))
      return -1;
    if (*text == ':' && (!read_field(&text, ':', 0, 60, &c.second) || !read_fraction(&text, &c.millisecond)))
      return -1;
    if (c.hour == 24 && (c.minute || c.second || c.millisecond))
      return -1;
    if (!read_offset(&text, &offset))
      return -1;
  } else if (*text == 'Z')
    text++;
  if (*text)
    return -1;
  *out = instant_from_civil(c, calendar) - offset;
  return 0;
}

void year_format(int year, char out[16])
{
  snprintf(out, 16, "%s%04d", year < 0 ? "-" : year > 9999 ? "+" : "", abs(year));
}

void instant_format(int64_t instant, enum calendar calendar, char out[40])
{
  struct civil c = instant_civil(instant, calendar);
  char year[16];
  year_format(c.year, year);
  if (c.millisecond)
    snprintf(out, 40, "%s-%02d-%02dT%02d:%02d:%02d.%03dZ", year, c.month, c.day, c.hour, c.minute, c.second,
             c.millisecond);
  else
    snprintf(out, 40, "%s-%02d-%02dT%02d:%02d:%02dZ", year, c.month, c.day, c.hour, c.minute, c.second);
}
