/* What a map's values are like, where nobody says it. */
#ifndef TWINCUBE_SERVER_SERVICES_MAP_RANGE_H
#define TWINCUBE_SERVER_SERVICES_MAP_RANGE_H

#include "processes/map/map.h"

/* map_describe, with a member "range": for each band [low, high]. 8-bit numbers have 0 to 255, booleans 0 to 1; others
 * the second and the 98th percentile of a few hundred pixels' square in the middle of the map, or in one of its
 * quarters where the middle holds nothing; else 0 … 1. */
int map_describe_with_range(const struct map_request *request, struct buffer *out, struct error *error);

/* That of values, which it sorts: the second and the 98th percentile. false, with `range` as it was, where all are
 * missing. */
bool map_range_find(double *values, size_t count, double range[2]);

#endif
