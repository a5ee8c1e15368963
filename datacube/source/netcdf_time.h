/* CF time coordinates as instants. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_TIME_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_TIME_H

#include "datacube/base/error.h"
#include "datacube/base/instant.h"

#include <stdbool.h>
#include <stddef.h>

/* "days since 1990-01-01" taken apart. */
struct netcdf_time_units {
  double unit;            /* milliseconds; 0 where the unit is months */
  int months;             /* calendar months in one unit: 1, or 12 for years; 0 for fixed units */
  struct civil reference; /* fields of the reference date */
  int64_t shift;          /* milliseconds to add: time zone of the reference */
  enum calendar calendar;
  bool mixed; /* calendar "standard": Julian before 1582-10-15 */
};

/* Whether the text is of the form "UNIT since DATE" at all. */
bool netcdf_is_time_units(const char *units);
/* calendar may be NULL (standard). Error FileContentInvalid: a calendar without a counterpart (julian, none), an
 * unknown unit, a reference date that cannot be read. */
int netcdf_time_units_parse(const char *units, const char *calendar, struct netcdf_time_units *out,
                            struct error *error);
/* Error FileContentInvalid where a value is missing or out of all bounds. */
int netcdf_times_decode(const struct netcdf_time_units *units, const double *values, size_t count, int64_t *out,
                        struct error *error);

#endif
