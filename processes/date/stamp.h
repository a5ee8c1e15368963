/* Dates and times as texts have them: RFC 3339, with the zone that they were written in. */
#ifndef TWINCUBE_PROCESSES_DATE_STAMP_H
#define TWINCUBE_PROCESSES_DATE_STAMP_H

#include "processes/process.h"

enum stamp_kind { STAMP_DATE, STAMP_DATE_TIME, STAMP_TIME };
enum stamp_unit { UNIT_MILLISECOND, UNIT_SECOND, UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR };

struct stamp {
  enum stamp_kind kind;
  int64_t local;    /* milliseconds since 1970-01-01T00:00:00 (TIME: since midnight), as the clock of its zone shows */
  int64_t offset;   /* milliseconds that this clock is ahead of UTC */
  const char *zone; /* as written: "Z", "+02:00", or "" */
  bool leap;        /* a leap second was given: `local` is in the second before */
};

/* The argument: YYYY-MM-DD, YYYY-MM-DDThh:mm:ss[.fff](Z|±hh:mm), or with `times` hh:mm:ss[Z]. Without a zone it is
 * UTC. A second 60 is taken where UTC can have one. Error ProcessParameterInvalid saying what is wrong. */
int call_stamp(struct call *call, const char *name, bool times, struct stamp *out);
int64_t stamp_instant(const struct stamp *stamp); /* in UTC; a leap second comes with the second after it */
int call_unit(struct call *call, const char *name, enum stamp_unit *out);

enum { STAMP_MAX_SHIFT = 10000 }; /* years: what separates any two dates is less */

/* The local time that many units later. A day that the month does not have becomes its last one. `value` is at most
 * STAMP_MAX_SHIFT years. */
int64_t stamp_shifted(int64_t local, int64_t value, enum stamp_unit unit);
/* Milliseconds of a unit; 0 for months and years. */
int64_t unit_length(enum stamp_unit unit);

#endif
