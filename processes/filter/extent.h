/* Extents as openEO writes them. */
#ifndef TWINCUBE_PROCESSES_FILTER_EXTENT_H
#define TWINCUBE_PROCESSES_FILTER_EXTENT_H

#include "datacube/grid.h"
#include "processes/process.h"

/* A bounding box object {west, south, east, north, crs}; errors name the parameter. */
int extent_read(struct call *call, const char *parameter, const struct value *value, struct extent *out);

struct interval { /* half-open */
  bool has_start, has_end;
  int64_t start, end;
};
/* A two-element array of dates, date-times or nulls. Error TemporalExtentEmpty where the end is not after the start. */
int interval_read(struct call *call, const char *parameter, const struct value *value, enum calendar calendar,
                  struct interval *out);

#endif
