/* Walked without following links, and no further than the answer needs. */
#include "server/udf/scratch_folder.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int scratch_folder_make(const char *parent, uid_t uid, gid_t gid, char *out, size_t size)
{
  if (snprintf(out, size, "%s/script-XXXXXX", parent) >= (int)size) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (mkdtemp(out) == NULL)
    return -1;
  return uid == (uid_t)-1 ? 0 : chown(out, uid, gid);
}

static FTS *open_walk(const char *path)
{
  char *copy = strdup(path);
  char *const paths[] = {copy, NULL};
  FTS *walk = copy != NULL ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL) : NULL;
  free(copy);
  return walk;
}

void scratch_folder_remove(const char *path)
{
  FTS *walk = open_walk(path);
  for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;) {
    if (entry->fts_info == FTS_DNR) { /* closed by who made it */
      chmod(entry->fts_path, 0700);
      if (entry->fts_number++ == 0)
        fts_set(walk, entry, FTS_AGAIN);
    } else if (entry->fts_info == FTS_DP)
      rmdir(entry->fts_path);
    else if (entry->fts_info != FTS_D)
      unlink(entry->fts_path);
  }
  if (walk != NULL)
    fts_close(walk);
}

bool scratch_folder_exceeds(const char *path, size_t bytes, size_t files)
{
  size_t sum = 0, count = 0;
  FTS *walk = open_walk(path);
  for (const FTSENT *entry; walk != NULL && sum <= bytes && count <= files && (entry = fts_read(walk)) != NULL;) {
    count += entry->fts_info != FTS_DP;
    if (entry->fts_info == FTS_F)
      sum += (size_t)entry->fts_statp->st_blocks * 512;
  }
  if (walk != NULL)
    fts_close(walk);
  return sum > bytes || count > files;
}
