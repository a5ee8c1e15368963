/* The extent that a collection has by its items. */
#ifndef TWINCUBE_STAC_ITEMS_EXTENT_H
#define TWINCUBE_STAC_ITEMS_EXTENT_H

#include <jansson.h>
#include <stddef.h>

/* As in a STAC collection, owned by the caller: around boxes and dates of the items, and the extent `before` of a
 * collection that had one (NULL: it is new). Ends that were open stay open; items without a box are anywhere. NULL: out
 * of memory. */
json_t *items_extent(const json_t *before, json_t *const *items, size_t count);

#endif
