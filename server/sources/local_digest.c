#include "server/sources/local_digest.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
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

int local_digest(const char *path, struct hash *out, struct error *error)
{
  char *root = strdup(path);
  char *const roots[] = {root, NULL};
  FTS *tree = root ? fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL) : NULL;
  int status = tree ? 0 : error_memory(error);
  *out = (struct hash){0, 0};
  for (FTSENT *entry; status == 0 && (entry = fts_read(tree)) != NULL;) {
    if (entry->fts_level == 0 && (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR))
      status = error_parameter(error, ERROR_FileNotFound, "path", "%s: %s", path, strerror(entry->fts_errno));
    else if (entry->fts_level > 0 && entry->fts_name[0] == '.' && entry->fts_info == FTS_D)
      fts_set(tree, entry, FTS_SKIP);
    else if (entry->fts_info == FTS_F)
      add_entry(out, entry);
  }
  if (tree)
    fts_close(tree);
  free(root);
  return status;
}
