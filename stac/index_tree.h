/* Nodes of the search tree, read and written as such.
 *
 * SQLite's R*Tree keeps its nodes as rows of tables of its own, whose format its documentation gives: a node is a blob
 * of a depth (of the root: how many levels lie below it; else 0), a count, and cells of a number and eight coordinates,
 * all with the highest byte first. The number is that of an item in the lowest level, of a node above. */
#ifndef TWINCUBE_STAC_INDEX_TREE_H
#define TWINCUBE_STAC_INDEX_TREE_H

#include "stac/index.h"

#include "datacube/base/arena.h"

enum {
  TREE_AXES = 4, /* longitude, latitude, collection, time: as the columns of item_boxes */
  TREE_CELL = 8 + 4 * 2 * TREE_AXES,
  TREE_HEAD = 4,
  TREE_ROOT = 1, /* its number */
  TREE_DEEPEST = 12
};

struct tree_query {
  double low[TREE_AXES], high[TREE_AXES]; /* both included */
};

struct tree_keys {
  int64_t *all; /* the arena's */
  size_t count, room;
};

/* Adds the keys of items whose boxes meet the query's, as they come, until there are `most`. Inside a transaction.
 * Error StorageFailure: the tree is damaged. */
int index_tree_find(struct index *index, struct arena *arena, const struct tree_query *query, size_t most,
                    struct tree_keys *out, struct error *error);

#endif
