/* Numbers of periods: months count from year 0, days and weeks from 1970. ISO weeks start on Monday; week 1 holds the
 * year's first Thursday; in other calendars their own days are counted. A season that spans the turn of the year is
 * named after the year in which it starts. */
#include "processes/aggregate/periods.h"

#include <stdio.h>
#include <string.h>

static int64_t floor_div(int64_t a, int64_t b)
{
  return a / b - (a % b < 0);
}

enum period period_from_name(const char *name)
{
  static const char *const names[] = {"hour", "day",    "week",     "dekad", "month", "season", "tropical-season",
                                      "year", "decade", "decade-ad"};
  for (int i = 0; i < PERIOD_COUNT; i++)
    if (strcmp(name, names[i]) == 0)
      return (enum period)i;
  return PERIOD_COUNT;
}

int64_t period_of(enum period period, int64_t instant, enum calendar calendar)
{
  struct civil c = instant_civil(instant, calendar);
  int64_t months = c.year * INT64_C(12) + c.month - 1;
  int third = c.day <= 10 ? 0 : c.day <= 20 ? 1 : 2;
  switch (period) {
  case PERIOD_HOUR:
    return floor_div(instant, MS_PER_DAY / 24);
  case PERIOD_DAY:
    return floor_div(instant, MS_PER_DAY);
  case PERIOD_WEEK:
    return floor_div(floor_div(instant, MS_PER_DAY) + 3, 7);
  case PERIOD_DEKAD:
    return months * 3 + third;
  case PERIOD_MONTH:
    return months;
  case PERIOD_SEASON:
    return floor_div(months + 1, 3);
  case PERIOD_TROPICAL_SEASON:
    return floor_div(months + 2, 6);
  case PERIOD_YEAR:
    return c.year;
  case PERIOD_DECADE:
    return floor_div(c.year, 10);
  case PERIOD_DECADE_AD:
    return floor_div(c.year - 1, 10);
  case PERIOD_COUNT:
    break;
  }
  return 0;
}

static int64_t month_instant(int64_t months, int day, enum calendar calendar)
{
  int64_t year = floor_div(months, 12);
  return instant_from_civil((struct civil){.year = (int)year, .month = (int)(months - year * 12) + 1, .day = day},
                            calendar);
}

int64_t period_start(enum period period, int64_t number, enum calendar calendar)
{
  switch (period) {
  case PERIOD_HOUR:
    return number * (MS_PER_DAY / 24);
  case PERIOD_DAY:
    return number * MS_PER_DAY;
  case PERIOD_WEEK:
    return (number * 7 - 3) * MS_PER_DAY;
  case PERIOD_DEKAD:
    return month_instant(floor_div(number, 3), 1 + 10 * (int)(number - 3 * floor_div(number, 3)), calendar);
  case PERIOD_MONTH:
    return month_instant(number, 1, calendar);
  case PERIOD_SEASON:
    return month_instant(number * 3 - 1, 1, calendar);
  case PERIOD_TROPICAL_SEASON:
    return month_instant(number * 6 - 2, 1, calendar);
  case PERIOD_YEAR:
    return month_instant(number * 12, 1, calendar);
  case PERIOD_DECADE:
    return month_instant(number * 120, 1, calendar);
  case PERIOD_DECADE_AD:
    return month_instant(number * 120 + 12, 1, calendar);
  case PERIOD_COUNT:
    break;
  }
  return 0;
}

/* Year and number of the ISO week that starts on a Monday: those of its Thursday. */
static int iso_week(int64_t monday, enum calendar calendar, int *year)
{
  struct civil thursday = instant_civil(monday + 3 * MS_PER_DAY, calendar);
  *year = thursday.year;
  return (day_of_year(thursday, calendar) - 1) / 7 + 1;
}

void period_label(enum period period, int64_t number, enum calendar calendar, char out[40])
{
  static const char *const seasons[] = {"djf", "mam", "jja", "son"};
  int64_t start = period_start(period, number, calendar);
  struct civil c = instant_civil(start, calendar);
  int number_of_year = c.year, week = period == PERIOD_WEEK ? iso_week(start, calendar, &number_of_year) : 0;
  char year[16];
  year_format(number_of_year, year);
  switch (period) {
  case PERIOD_HOUR:
    snprintf(out, 40, "%s-%02d-%02d-%02d", year, c.month, c.day, c.hour);
    break;
  case PERIOD_DAY:
    snprintf(out, 40, "%s-%03d", year, day_of_year(c, calendar));
    break;
  case PERIOD_WEEK:
    snprintf(out, 40, "%s-%02d", year, week);
    break;
  case PERIOD_DEKAD:
    snprintf(out, 40, "%s-%02d", year, (c.month - 1) * 3 + (c.day - 1) / 10 + 1);
    break;
  case PERIOD_MONTH:
    snprintf(out, 40, "%s-%02d", year, c.month);
    break;
  case PERIOD_SEASON:
    snprintf(out, 40, "%s-%s", year, seasons[c.month / 3 % 4]);
    break;
  case PERIOD_TROPICAL_SEASON:
    snprintf(out, 40, "%s-%s", year, c.month == 11 ? "ndjfma" : "mjjaso");
    break;
  default:
    snprintf(out, 40, "%s", year);
  }
}

void period_cycle_label(enum period period, int64_t number, enum calendar calendar, char out[40])
{
  char label[40];
  period_label(period, number, calendar, label);
  const char *last = period < PERIOD_YEAR ? strrchr(label, '-') : NULL;
  snprintf(out, 40, "%s", last ? last + 1 : label);
}
