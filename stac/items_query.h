/* What a STAC API is asked for, so that it sends no items that a load request would leave out. */
#ifndef TWINCUBE_STAC_ITEMS_QUERY_H
#define TWINCUBE_STAC_ITEMS_QUERY_H

#include "stac/catalogue.h"

/* The request's box in longitude and latitude, normal; false: it has none, or none that can be told. */
bool items_box(const struct load_request *request, struct extent *out);
/* "limit=…&bbox=…&datetime=…" of the request's box and interval, each where it has one that can be said so. Items
 * that do not fit are left out by the load all the same. NULL: out of memory. */
const char *items_query(struct arena *arena, const struct load_request *request);

#endif
