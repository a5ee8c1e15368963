/* Calendar periods: hours to decades, numbered without gaps. */
#ifndef TWINCUBE_PROCESSES_AGGREGATE_PERIODS_H
#define TWINCUBE_PROCESSES_AGGREGATE_PERIODS_H

#include "datacube/base/instant.h"

#include <stdbool.h>

enum period { PERIOD_HOUR, PERIOD_DAY, PERIOD_WEEK, PERIOD_DEKAD, PERIOD_MONTH, PERIOD_SEASON, PERIOD_TROPICAL_SEASON,
              PERIOD_YEAR, PERIOD_DECADE, PERIOD_DECADE_AD, PERIOD_COUNT };

enum period period_from_name(const char *name); /* PERIOD_COUNT where there is none */
int64_t period_of(enum period period, int64_t instant, enum calendar calendar);
int64_t period_start(enum period period, int64_t number, enum calendar calendar);
/* "2018-01", "2018-djf", …; 40 bytes of room. */
void period_label(enum period period, int64_t number, enum calendar calendar, char out[40]);
/* The label without the years: "03", "djf", "365"; of years and decades the whole. 40 bytes of room. */
void period_cycle_label(enum period period, int64_t number, enum calendar calendar, char out[40]);

#endif
