/* Which collections are wanted, by their documents' text: free text, box, interval. */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_COLLECTION_MATCH_H
#define TWINCUBE_SERVER_STAC_API_STAC_COLLECTION_MATCH_H

#include "server/stac_api/stac_query.h"

#include "datacube/base/buffer.h"
#include "datacube/grid.h"

struct collection_wish {
  const json_t *terms; /* any of these, in title, description, keywords or id; NULL: all are wanted */
  bool has_box, has_interval;
  struct extent box; /* normal (datacube/lonlat.h) */
  struct stac_interval interval;
};

/* Error QueryParameterInvalid. */
int collection_wish_read(const json_t *query, struct collection_wish *out, struct error *error);
/* Whether a collection is wanted. The document is valid JSON. */
bool collection_is_wanted(const struct collection_wish *wish, const struct buffer *document);

/* A member of the outermost object of valid JSON as a tree; NULL: there is none. The caller owns it. */
json_t *document_member(const struct buffer *document, const char *name);

#endif
