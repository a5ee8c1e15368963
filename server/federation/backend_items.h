/* Items of a back-end: a page of a search there, each item as one of ours.
 *
 * Pages come as the API there gives them: its links say where the next one is, and must not lead to another host. A
 * page is gone through as text, one item at a time becomes a tree, and is kept as the text that is sent. */
#ifndef TWINCUBE_SERVER_FEDERATION_BACKEND_ITEMS_H
#define TWINCUBE_SERVER_FEDERATION_BACKEND_ITEMS_H

#include "server/federation/federation_settings.h"

#include "datacube/base/error.h"
#include "stac/cql2/cql2.h"

#include <stdatomic.h>

struct gathered_item {
  char *json;   /* the item, as it is sent here */
  json_t *keys; /* array: what it is sorted by */
};
struct item_list {
  struct gathered_item *items;
  size_t count, room;
};

/* Adds an item, takes the text and the keys (NULL: memory was short). 0, or -1: out of memory. */
int item_list_add(struct item_list *list, char *json, json_t *keys);
void item_list_free(struct item_list *list);

struct item_shape {   /* how items are sent and sorted here */
  const char *base;   /* of this server's STAC API, for links */
  const json_t *sort; /* [{field, direction}], or NULL: datetime descending */
  /* What is wanted of an item: a new tree, NULL where memory is short. NULL: everything. */
  json_t *(*pick)(void *data, const json_t *item);
  void *data;
};

/* What an item is sorted by: a value a key (null where it has none; dates as numbers), its id, its collection. NULL
 * where memory is short. */
json_t *item_keys(const json_t *sort, const json_t *item);

struct backend_page_place {
  const struct backend_settings *backend;
  const char *search;         /* address of the search there */
  const json_t *body;         /* of the first page */
  const json_t *at;           /* of another page: {"href", "method", "body": members that differ from those}; or NULL */
  struct cql2_tester *tester; /* of what is asked for and not judged there; or NULL */
  double seconds;
  const atomic_bool *stopping;
};

/* Whether an address is of the host that the operator named. */
bool backend_is_there(const struct backend_settings *backend, const char *url);

/* Adds the page's items to the list, those that are asked for. *next: of the page behind it, a new tree, or NULL.
 * Errors as of web_fetch, InfrastructureBusy where the answer is none. */
int backend_items_page(const struct backend_page_place *place, const struct item_shape *shape, struct item_list *list,
                       json_t **next, struct error *error);

/* An item of a back-end as one of ours, changed in place: its collection's name, links, addresses. false where it
 * cannot be one. */
bool backend_item_make(const struct backend_settings *backend, const char *url, const char *base, json_t *item);

#endif
