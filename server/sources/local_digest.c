#include "server/sources/local_digest.h"

#include "server/sources/local_tree.h"

#include <sys/stat.h>

/* Independent of the order in which a folder gives its entries, so the sums of the entries are added. */
static void add_entry(struct hash *sum, const FTSENT *entry)
{
  struct hash own = {0, 0};
  hash_text(&own, entry->fts_path);
  hash_word(&own, (uint64_t)entry->fts_statp->st_size);
  hash_word(&own, (uint64_t)entry->fts_statp->st_mtim.tv_sec);
  hash_word(&own, (uint64_t)entry->fts_statp->st_mtim.tv_nsec);
  hash_word(&own, (uint64_t)entry->fts_statp->st_ino);
  sum->a += own.a;
  sum->b += own.b;
}

int local_digest(const char *path, bool follow, struct hash *out, struct error *error)
{
  struct local_tree tree;
  *out = (struct hash){0, 0};
  const int status = local_tree_open(&tree, path, follow, error);
  for (const FTSENT *entry; status == 0 && (entry = local_tree_next(&tree)) != NULL;)
    if (entry->fts_info == FTS_F)
      add_entry(out, entry);
  local_tree_close(&tree);
  return status;
}
