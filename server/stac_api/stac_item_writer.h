/* Items as they are sent: a document of the catalogue with the links that lead around here, or what is wanted of it. */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_ITEM_WRITER_H
#define TWINCUBE_SERVER_STAC_API_STAC_ITEM_WRITER_H

#include "server/server.h"
#include "server/stac_api/stac_fields.h"

#include "datacube/base/buffer.h"
#include "stac/search/search.h"

struct stac_item_writer {
  const char *base;
  const struct stac_fields *fields; /* NULL: all is wanted */
};

/* Writes an item; `w` wants a value. Error: out of memory. */
int stac_item_write(const struct stac_item_writer *writer, const struct found_item *item, struct json_writer *w,
                    struct error *error);

/* The item of that id of the collection in the path, for the page's `take`; the page's token is the caller's. Errors
 * CollectionNotFound, NotFound. (stac_items.c) */
int stac_item_find(const struct exchange *exchange, const char *id, struct item_page *page, struct error *error);

/* The state of an item, as an ETag with its quotation marks: another one where its document is another. */
enum { STAC_ETAG_SIZE = 40 };
void stac_item_etag(const char *document, size_t length, char out[STAC_ETAG_SIZE]);

#endif
