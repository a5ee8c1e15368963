/* Parts of filters as SQL. */
#ifndef TWINCUBE_STAC_CQL2_SQL_H
#define TWINCUBE_STAC_CQL2_SQL_H

#include "stac/cql2/cql2_tree.h"
#include "stac/search/search.h"

struct cql2_sql {
  struct arena *arena;
  struct buffer text;        /* the caller frees it */
  struct item_value *values; /* of its parameters, in order */
  size_t count, room;
  bool failed; /* out of memory */
};

/* Adds the node as SQL that is 1, 0 or NULL where it is true, false or unknown. False, and nothing added: it cannot be
 * said. */
bool cql2_sql_exact(struct cql2_sql *sql, const struct cql2_node *node);
/* Adds SQL that is 1 wherever the node is true. False, and nothing added: nothing of it can be said. */
bool cql2_sql_needed(struct cql2_sql *sql, const struct cql2_node *node);

/* Whether that is of the item itself, not among its properties. */
bool cql2_is_own(const char *name);

#endif
