/* What a back-end is asked in a search of all: the body of the search here, in names and words that it knows. */
#ifndef TWINCUBE_SERVER_FEDERATION_FEDERATED_QUESTION_H
#define TWINCUBE_SERVER_FEDERATION_FEDERATED_QUESTION_H

#include "server/federation/federated_items.h"
#include "server/federation/federation_state.h"

struct federated_question {
  json_t *body;        /* of the first page there, a tree of its own; NULL: the back-end has none of the collections */
  bool sorts;          /* what it answers is in the order asked for */
  bool is_judged_here; /* what it answers is to be judged by the filter */
};

/* Collections are called there by their ids, in filters as well: where a filter compares their names with something
 * else than a text, it is not sent. `limit` is that of a page of one that does not sort. Under the lock. */
struct federated_question federated_question_make(const struct backend *backend, const struct federated_search *search,
                                                  long limit);

/* Whether the search names collections, and the back-end has one of them. Under the lock. */
bool federated_question_names_any(const json_t *query, const char *collection);
bool federated_question_has_any(const struct backend *backend, const json_t *query, const char *collection);

#endif
