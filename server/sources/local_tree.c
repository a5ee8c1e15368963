#include "server/sources/local_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64 };

int local_tree_open(struct local_tree *tree, const char *path, bool follow, struct error *error)
{
  char *const roots[] = {tree->root, NULL};
  tree->walk = NULL;
  tree->follow = follow;
  if (!realpath(path, tree->root))
    return error_parameter(error, ERROR_FileNotFound, "path", "%s: %s", path, strerror(errno));
  tree->walk = fts_open(roots, (follow ? FTS_LOGICAL : FTS_PHYSICAL) | FTS_NOCHDIR, NULL);
  return tree->walk ? 0 : error_memory(error);
}

static bool is_below(const struct local_tree *tree, const char *path)
{
  char real[PATH_MAX];
  const size_t length = strlen(tree->root);
  return realpath(path, real) && strncmp(real, tree->root, length) == 0 &&
         (real[length] == '/' || tree->root[length - 1] == '/');
}

static bool is_taken(const struct local_tree *tree, const FTSENT *entry)
{
  if (entry->fts_level == 0)
    return true;
  if (entry->fts_info == FTS_D && (entry->fts_name[0] == '.' || entry->fts_level > DEEPEST))
    return false;
  return !tree->follow || is_below(tree, entry->fts_path);
}

const FTSENT *local_tree_next(struct local_tree *tree)
{
  for (FTSENT *entry; (entry = fts_read(tree->walk)) != NULL;) {
    if (entry->fts_info != FTS_F && entry->fts_info != FTS_D)
      continue;
    if (is_taken(tree, entry))
      return entry;
    if (entry->fts_info == FTS_D)
      fts_set(tree->walk, entry, FTS_SKIP);
  }
  return NULL;
}

void local_tree_close(struct local_tree *tree)
{
  if (tree->walk)
    fts_close(tree->walk);
}
