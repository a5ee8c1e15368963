/* What is asked of items beyond place and time: the filter (CQL2 as text or JSON) and the query extension, which
 * becomes a filter too. */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_CONDITION_H
#define TWINCUBE_SERVER_STAC_API_STAC_CONDITION_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"
#include "stac/cql2/cql2.h"

#include <jansson.h>

/* Reads `filter`, `filter-lang`, `filter-crs` and `query`; *out is NULL where there are none. The filter is the
 * arena's. Errors QueryParameterInvalid, FilterInvalid. */
int stac_condition_read(const json_t *query, struct arena *arena, const struct cql2_filter **out, struct error *error);

#endif
