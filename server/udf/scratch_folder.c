/* Walked without following links, and no further than the answer needs. */
#include "server/udf/scratch_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <limits.h>
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

/* Whether an entry of /proc/PID/fd is a file without a name, of that folder. */
static bool is_nameless(int open_files, const char *name, const char *folder, struct stat *out)
{
  char target[PATH_MAX];
  const ssize_t length = readlinkat(open_files, name, target, sizeof target - 1);
  target[length > 0 ? length : 0] = '\0';
  return strstr(target, folder) != NULL && fstatat(open_files, name, out, 0) == 0 && S_ISREG(out->st_mode) &&
         out->st_nlink == 0;
}

/* Bytes of files that the process has open, each once, and that no name leads to any more. */
static size_t nameless_bytes(const char *path, pid_t pid)
{
  enum { FILES_MOST = 256 }; /* more than an interpreter may open */
  char place[40];
  const char *folder = strrchr(path, '/'); /* its name is its own, wherever links lead */
  ino_t seen[FILES_MOST];
  size_t sum = 0, count = 0;
  struct stat state;
  snprintf(place, sizeof place, "/proc/%ld/fd", (long)pid);
  DIR *list = opendir(place);
  for (const struct dirent *entry; list != NULL && count < FILES_MOST && (entry = readdir(list)) != NULL;) {
    if (!is_nameless(dirfd(list), entry->d_name, folder != NULL ? folder : path, &state))
      continue;
    size_t i = 0;
    while (i < count && seen[i] != state.st_ino)
      i++;
    if (i < count)
      continue;
    seen[count++] = state.st_ino;
    sum += (size_t)state.st_blocks * 512;
  }
  if (list != NULL)
    closedir(list);
  return sum;
}

bool scratch_folder_exceeds(const char *path, pid_t pid, size_t bytes, size_t files)
{
  size_t sum = nameless_bytes(path, pid), count = 0;
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
