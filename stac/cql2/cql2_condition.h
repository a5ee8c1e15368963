/* Filters as conditions of searches (stac/search/search.h): as much as SQL can say exactly is SQL, the rest is decided
 * on documents.
 *
 *   whole filter exact in SQL     sql, no accept
 *   some operands of "and" exact  sql of these, accept for all
 *   none                          accept
 *
 * What SQL says is what cql2_test says. It takes numbers, texts, dates, truths, arithmetic without powers and
 * remainders, LIKE, CASEI, ACCENTI, IN, BETWEEN, null and all temporal functions; not two properties compared with each
 * other (their types are known item by item only), shapes and arrays. */
#ifndef TWINCUBE_STAC_CQL2_CONDITION_H
#define TWINCUBE_STAC_CQL2_CONDITION_H

#include "stac/cql2/cql2.h"
#include "stac/search/search.h"

#include <sqlite3.h>

/* The condition lives in the arena, and is one thread's. The filter outlives it. */
int cql2_condition(struct arena *arena, const struct cql2_filter *filter, struct item_condition *out,
                   struct error *error);

/* Narrows a search to what the filter implies: collections, ids and the interval of "datetime" that all wanted items
 * have. Sets what the search has less of; new lists are in the arena. */
int cql2_narrow(struct arena *arena, const struct cql2_filter *filter, struct item_search *search, struct error *error);

/* The functions that the SQL uses, for a connection: item_properties (of a document), cql2_first, cql2_last (of a
 * date's text), cql2_fold, cql2_like. A code of SQLite. */
int cql2_register(sqlite3 *db);

#endif
