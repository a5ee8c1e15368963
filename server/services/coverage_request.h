/* The part of a coverage that a request asks for, by the OGC API (19-087) or by WCS 2.0.1 with its extensions for range
 * subsets, scaling, CRSs and interpolation: the same words with other names and, for factors, the other way round.
 *
 *   {"intervals": [[dimension, from, to or null], …], "box": [west, south, east, north] (null: open), "box_crs": …,
 *    "crs": …, "size": [across, down], "scale": [across, down], "properties": [names], "method": …, "format": …}
 *
 * CRSs are "EPSG:n"; members that are not asked for are left out. */
#ifndef TWINCUBE_SERVER_SERVICES_COVERAGE_REQUEST_H
#define TWINCUBE_SERVER_SERVICES_COVERAGE_REQUEST_H

#include "server/server.h"
#include "server/services/service_view.h"

enum coverage_dialect { COVERAGE_OGC_API, COVERAGE_WCS };

/* A new object. NULL: error set: CRSInvalid; QueryParameterInvalid naming the parameter, or "axis" where an axis is
 * none of the coverage's. */
json_t *coverage_request_read(const struct exchange *exchange, const struct service_view *view,
                              enum coverage_dialect dialect, struct error *error);

struct coverage_format { /* that coverages are offered in */
  const char *sink;      /* name of the output format */
  const char *media_type;
};
extern const struct coverage_format coverage_formats[]; /* ends with a row without a name; the first is the usual one */

/* Labels of the axes of a cube's CRS as its documents name them: Lat and Long, or E and N. */
struct coverage_axes {
  const char *x, *y;
  bool north_first; /* the order of the CRS */
};
struct coverage_axes coverage_axes_of(const char *crs);

#endif
