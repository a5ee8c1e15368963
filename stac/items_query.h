/* What a STAC API is asked for, so that it sends no items that a load request would leave out. */
#ifndef TWINCUBE_STAC_ITEMS_QUERY_H
#define TWINCUBE_STAC_ITEMS_QUERY_H

#include "stac/catalogue.h"

/* "limit=…&bbox=…&datetime=…" of the request's box and interval, each where it has one that can be said so. Items
 * that do not fit are left out by the load all the same. NULL: out of memory. */
const char *items_query(struct arena *arena, const struct load_request *request);

#endif
