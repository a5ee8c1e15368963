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

/* When an item was taken. */
struct item_times {
  int64_t instant;     /* its datetime, else its start_datetime: what items are sorted by */
  int64_t first, last; /* both included; INDEX_FAR away where it has no date */
};

/* By the properties, which may be NULL; an item without a date of its own has the instant given. */
struct item_times item_times_of(const json_t *properties, int64_t instant, bool undated);

/* How far they reach from the instant, at most. */
int64_t item_times_span(const struct item_times *times);

/* The item as an object without links. The properties are those of the source, with a date where they have none; NULL:
 * none. */
void item_document(const struct item_common *common, const struct item_facts *item, const json_t *properties,
                   struct buffer *out);

#endif
