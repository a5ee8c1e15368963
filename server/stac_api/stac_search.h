/* From what is asked for to a search of the catalogue's items (stac/search/search.h). */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_SEARCH_H
#define TWINCUBE_SERVER_STAC_API_STAC_SEARCH_H

#include "server/stac_api/stac_query.h"

#include "datacube/base/arena.h"
#include "stac/search/search.h"

struct stac_search {
  struct arena *arena; /* owned: all that the search points to */
  struct item_search items;
  const char *only[1]; /* the one collection */
  struct item_condition condition;
  const struct cql2_filter *filter; /* what the condition is made of; or NULL */
};

enum { STAC_PAGE_ITEMS = 10, STAC_MOST_ITEMS = 10000, STAC_SEARCH_MS = 10000 };

/* Reads the query. `collection`: the only one that is searched, or NULL. The query must stay. To be freed in any case.
 * Errors QueryParameterInvalid,
 * FilterInvalid. */
int stac_search_make(const json_t *query, const char *collection, struct stac_search *out, struct error *error);
void stac_search_free(struct stac_search *search);

#endif
