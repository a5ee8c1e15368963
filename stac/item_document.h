/* The document of an item, a STAC item without assets, since the files are the server's own.
 *
 * It is made once, when its collection is added, but for what depends on the address that asks: the links. */
#ifndef TWINCUBE_STAC_ITEM_DOCUMENT_H
#define TWINCUBE_STAC_ITEM_DOCUMENT_H

#include "datacube/lonlat.h"
#include "stac/json_tree.h"

#include <stdint.h>

/* What the items of a collection have in common. */
struct item_common {
  const char *collection;  /* its id */
  bool undated;            /* nothing in it has a date … */
  const char *start, *end; /* … but this interval is told of it, or "" */
};

struct item_facts {
  const char *id;
  int64_t instant;
  struct extent box; /* normal (lonlat.h) */
};

/* Adds the members of the item, "type" to "properties", for json_write_members. The properties are those of the source,
 * with a date where they have none; NULL: none. */
void item_document(const struct item_common *common, const struct item_facts *item, const json_t *properties,
                   struct buffer *out);

#endif
