/* What the files share that answer searches for items: of this server's catalogue (stac_items.c), and of the federation
 * besides (stac_federated.c). */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_ITEMS_REPLY_H
#define TWINCUBE_SERVER_STAC_API_STAC_ITEMS_REPLY_H

#include "server/stac_api/stac_item_writer.h"
#include "server/stac_api/stac_search.h"

enum { ITEMS_PAGE_BYTES = 32 << 20 };

struct items_reply {
  struct exchange *exchange;
  const json_t *query;
  struct stac_search search;
  struct stac_fields fields;
  struct stac_item_writer writer;
  struct json_writer *w;
};

/* "links" of a page; `next`: token of the page behind it, `back`: of the one before; or NULL. */
void items_write_links(const struct items_reply *reply, const char *next, const char *back);

/* Whether the federation has a say in it; then its page, a whole FeatureCollection. `collection` as in reply_items. */
bool federated_reply_is_wanted(const struct items_reply *reply, const char *collection);
int federated_write_items(struct items_reply *reply, const char *collection, struct error *error);
/* Whether a collection of that name is in the federation, or may be. */
bool federated_has_collection(const struct exchange *exchange, const char *collection);
/* The item of a back-end's collection. Error where the federation has no such collection, or no such item. */
int federated_write_item(const struct exchange *exchange, struct json_writer *w, struct error *error);

#endif
