/* Items of all: one search goes to this server's catalogue and to the back-ends that have something to say, at once and
 * for a bounded time; what they answer becomes one list in the order that is asked for.
 *
 * The place of the next page is where each of them goes on: the page that it is at, and how many items of that have
 * been told. One that does not answer is told of (federation:missing) and stays where it was: its items come on a later
 * page, when it is back. One that is known to be away is not asked, nor one whose searches failed twice or more, for a
 * second, two, four, … up to a minute. A page ends before it is full where the next item
 * may be one that a back-end has not sent yet.
 *
 * A back-end that does not say that it filters is asked for all, and its items are judged here. Of one that does not
 * say that it sorts, four pages of 250 are put in order together: where it has more, the order is that of these. */
#ifndef TWINCUBE_SERVER_FEDERATION_FEDERATED_ITEMS_H
#define TWINCUBE_SERVER_FEDERATION_FEDERATED_ITEMS_H

#include "server/federation/backend_items.h"
#include "server/federation/federation.h"

enum { FEDERATED_SECONDS = 5, FEDERATED_ITEMS_MOST = 1000 };

struct own_items { /* this server's part of the search */
  void *data;
  /* Adds up to `limit` items behind the place of the token (NULL: the first ones); `token` gets the place behind them,
   * nothing where these are the last. */
  int (*page)(void *data, const char *token, long limit, struct item_list *list, struct buffer *token_behind,
              struct error *error);
};

struct federated_search {
  const json_t *query;              /* body of a search: collections by their names here */
  const struct cql2_filter *filter; /* its filter and its query; or NULL */
  const char *collection;           /* the only one, or NULL: as the query says */
  const json_t *state;              /* of the page before, or NULL: the first page */
  long limit;                       /* at most FEDERATED_ITEMS_MOST */
  const struct item_shape *shape;
};

struct federated_page {
  struct item_list list; /* in order */
  size_t count;          /* of the items */
  json_t *state;         /* of the next page; NULL: this is the last */
  json_t *missing;       /* array of ids of back-ends; NULL: none */
};

/* Whether a back-end is to be asked: one of the collections may be of another, or none is named and some can be
 * searched. The query may be NULL where a collection is given. */
bool federated_items_wanted(struct federation *federation, const json_t *query, const char *collection);
/* To be freed in any case. Errors of the own part. */
int federated_items_page(struct federation *federation, const struct federated_search *search,
                         const struct own_items *own, struct federated_page *out, struct error *error);
void federated_page_free(struct federated_page *page);

/* An item of a back-end's collection as one of ours, a new tree. Errors as of federation_find, NotFound,
 * InfrastructureBusy. */
int federated_item(struct federation *federation, const char *collection, const char *id, const char *base,
                   json_t **out, struct error *error);

#endif
