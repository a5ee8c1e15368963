/* STAC items of another host, taken into the catalogue as they are: of an API or a static catalogue, collection by
 * collection, each in one step. Their assets stay where they are; relative addresses become whole ones, since they lead
 * nowhere from here. */
#ifndef TWINCUBE_SERVER_SOURCES_SOURCE_LOAD_H
#define TWINCUBE_SERVER_SOURCES_SOURCE_LOAD_H

#include "server/sources/source_session.h"
#include "stac/search/bulk_load.h"

#define SOURCE_ITEMS "items" /* what such a source is called where it is kept (stac/source_book.h) */

struct source_load {
  struct catalogue *catalogue;
  const struct bulk_load *load; /* without a collection */
  const char *address;          /* of a Catalog, a Collection, an ItemCollection, an item, or a page of items */
  bool replaces;                /* items of its collections that are not there any more go */
  char name[256];               /* out: the first document's id, else the last part of its address */
};

/* Pages and links are followed, each address once. The report has a line. Errors as of source_ask and
 * catalogue_load_items. What was loaded before an error stays. */
int source_load(struct source_load *what, struct source_session *session, struct buffer *report, struct error *error);

#endif
