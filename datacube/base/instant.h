/* Instants and calendars.
 *
 * An instant is a count of milliseconds since 1970-01-01T00:00:00 in its own calendar. In the proleptic Gregorian
 * calendar that is Unix time; in noleap, all_leap and 360_day every year has 365, 366 or 360 days, in the Julian one
 * every fourth has 366. Instants of different calendars are not compared. Text is RFC 3339 ("2018-01-06T00:00:00Z"),
 * and ISO 8601 for years that it has no room for ("-0044-03-15T00:00:00Z", "+12000-01-01T00:00:00Z"). */
#ifndef TWINCUBE_DATACUBE_BASE_INSTANT_H
#define TWINCUBE_DATACUBE_BASE_INSTANT_H

#include <stddef.h>
#include <stdint.h>

enum calendar { CALENDAR_GREGORIAN, CALENDAR_NOLEAP, CALENDAR_ALL_LEAP, CALENDAR_360_DAY, CALENDAR_JULIAN };

const char *calendar_name(enum calendar calendar); /* as CF has it */

#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_DAY INT64_C(86400000)

struct civil {          /* fields of a calendar date */
  int year, month, day; /* month and day from 1 */
  int hour, minute, second, millisecond;
};

struct civil instant_civil(int64_t instant, enum calendar calendar);
/* Fields outside their range carry over (month 13 is January of the next year, day 0 the last of the month before). */
int64_t instant_from_civil(struct civil civil, enum calendar calendar);
/* 1 = Monday … 7 = Sunday, Gregorian. */
int instant_weekday(int64_t instant);
int days_in_month(int year, int month, enum calendar calendar);
int day_of_year(struct civil civil, enum calendar calendar);

/* A year with four digits at least, and a sign where it is below 0 or above 9999. 16 bytes of room. */
void year_format(int year, char out[16]);
/* Reads YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm[:ss[.fff]][Z|±hh:mm]; the start of the period is returned;
 * years may have a sign and up to six digits.
 * 0, or -1 where the text is no such date (a day that the month lacks included). */
int instant_parse(const char *text, enum calendar calendar, int64_t *out);
/* "2018-01-06T00:00:00Z", with ".123" where there are milliseconds. 40 bytes of room suffice. */
void instant_format(int64_t instant, enum calendar calendar, char out[40]);

#endif
