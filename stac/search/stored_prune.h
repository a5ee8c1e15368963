/* Taking from a stored collection what its source has no longer. */
#ifndef TWINCUBE_STAC_SEARCH_STORED_PRUNE_H
#define TWINCUBE_STAC_SEARCH_STORED_PRUNE_H

#include "stac/catalogue.h"

/* Removes the items of a stored collection that are not wanted, in one step; their number goes to *removed. The others
 * keep their places, so pages of searches go on. Error CollectionNotFound. */
int catalogue_prune_items(struct catalogue *catalogue, const char *collection,
                          bool (*is_wanted)(void *data, const char *id), void *data, size_t *removed,
                          struct error *error);

#endif
