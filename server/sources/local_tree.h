/* What lies below a path of this machine, as collections are made of it (stac/file_list.h): links are followed only
 * where a collection takes them, and then only to what lies below the path too; hidden folders are left alone. */
#ifndef TWINCUBE_SERVER_SOURCES_LOCAL_TREE_H
#define TWINCUBE_SERVER_SOURCES_LOCAL_TREE_H

#include "datacube/base/error.h"

#include <fts.h>
#include <limits.h>
#include <stdbool.h>

struct local_tree {
  FTS *walk;
  char root[PATH_MAX];
  bool follow;
};

/* Error FileNotFound. */
int local_tree_open(struct local_tree *tree, const char *path, bool follow, struct error *error);

/* The next file (FTS_F) or folder (FTS_D); NULL: that was all. */
const FTSENT *local_tree_next(struct local_tree *tree);

void local_tree_close(struct local_tree *tree);

#endif
