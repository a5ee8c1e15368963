/* Walked without following links, and no further than the answer needs: what a script makes may be as it likes. */
#include "server/udf/scratch_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static int move_up(int top, int folder, const char *name, unsigned *moved)
{
  char to[32];
  int status;
  fchmodat(folder, name, 0700, 0);
  do {
    snprintf(to, sizeof to, "moved-%u", (*moved)++);
    status = renameat(folder, name, top, to);
  } while (status != 0 && (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)); /* there is one of that name */
  return status;
}

/* Removes what a folder of the top has, and moves its folders up to the top: no path grows, however deep they lie. "."
 * is the top itself. The number of things done. */
static unsigned sweep(int top, const char *name, unsigned *moved)
{
  unsigned done = 0;
  fchmodat(top, name, 0700, 0); /* closed by who made it */
  const int folder = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *list = folder >= 0 ? fdopendir(folder) : NULL;
  for (const struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
    const char *own = entry->d_name;
    if (strcmp(own, ".") == 0 || strcmp(own, "..") == 0)
      continue;
    if (unlinkat(folder, own, 0) == 0 || unlinkat(folder, own, AT_REMOVEDIR) == 0)
      done++;
    else if (strcmp(name, ".") != 0)
      done += move_up(top, folder, own, moved) == 0;
    else {
      done += sweep(top, own, moved);
      done += unlinkat(top, own, AT_REMOVEDIR) == 0;
    }
  }
  if (list != NULL)
    closedir(list);
  else if (folder >= 0)
    close(folder);
  return done;
}

void scratch_folder_remove(const char *path)
{
  unsigned moved = 0;
  chmod(path, 0700);
  const int top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  while (top >= 0 && sweep(top, ".", &moved) > 0)
    ;
  if (top >= 0)
    close(top);
  rmdir(path);
}

/* ---- how much it is ---------------------------------------------------------------------------------------------- */

enum { INODES_MOST = 256 }; /* more than an interpreter may have open */

struct inodes {
  ino_t item[INODES_MOST];
  size_t count;
};

static bool inodes_have(const struct inodes *set, ino_t inode)
{
  for (size_t i = 0; i < set->count; i++)
    if (set->item[i] == inode)
      return true;
  return false;
}

/* False: it was there, or there is no room. */
static bool inodes_add(struct inodes *set, ino_t inode)
{
  if (set->count == INODES_MOST || inodes_have(set, inode))
    return false;
  set->item[set->count++] = inode;
  return true;
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
static size_t nameless_bytes(const char *folder, pid_t pid, struct inodes *seen)
{
  char place[40];
  size_t sum = 0;
  struct stat state;
  snprintf(place, sizeof place, "/proc/%ld/fd", (long)pid);
  DIR *list = opendir(place);
  for (const struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;)
    if (is_nameless(dirfd(list), entry->d_name, folder, &state) && inodes_add(seen, state.st_ino))
      sum += (size_t)state.st_blocks * 512;
  if (list != NULL)
    closedir(list);
  return sum;
}

/* Files of the folder that the process has mapped, and that no name leads to any more: lines of "addresses rights
 * offset device inode path (deleted)". */
static void find_mapped(const char *folder, pid_t pid, struct inodes *out)
{
  char place[40], *line = NULL;
  size_t room = 0;
  snprintf(place, sizeof place, "/proc/%ld/maps", (long)pid);
  FILE *maps = fopen(place, "re");
  while (maps != NULL && getline(&line, &room, maps) > 0) {
    const char *at = strstr(line, folder) != NULL && strstr(line, " (deleted)") != NULL ? line : NULL;
    for (int column = 0; at != NULL && column < 4; column++)
      at = strchr(at, ' ') != NULL ? strchr(at, ' ') + 1 : NULL;
    if (at != NULL)
      inodes_add(out, (ino_t)strtoull(at, NULL, 10));
  }
  free(line);
  if (maps != NULL)
    fclose(maps);
}

/* Those that are mapped but not open have a size that nobody can ask for. Before and after, as one may be closed
 * between two looks. */
static bool hides_some(const struct inodes *before, const struct inodes *seen, const char *folder, pid_t pid)
{
  struct inodes after = {.count = 0};
  bool has_read = false, found = false;
  for (size_t i = 0; i < before->count && !found; i++) {
    if (inodes_have(seen, before->item[i]))
      continue;
    if (!has_read)
      find_mapped(folder, pid, &after);
    has_read = true;
    found = inodes_have(&after, before->item[i]);
  }
  return found;
}

/* A folder that is closed, or too deep for a path. What has gone meanwhile is none. */
static bool is_closed(const FTSENT *entry)
{
  return (entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR) &&
         entry->fts_errno != ENOENT;
}

bool scratch_folder_exceeds(const char *path, pid_t pid, size_t bytes, size_t files)
{
  const char *slash = strrchr(path, '/'), *folder = slash != NULL ? slash : path; /* its own, wherever links lead */
  struct inodes mapped = {.count = 0}, seen = {.count = 0};
  char *copy = strdup(path);
  char *const paths[] = {copy, NULL};
  find_mapped(folder, pid, &mapped);
  size_t sum = nameless_bytes(folder, pid, &seen), count = 0;
  bool is_hidden = hides_some(&mapped, &seen, folder, pid);
  FTS *walk = copy != NULL ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL) : NULL;
  for (const FTSENT *entry;
       walk != NULL && !is_hidden && sum <= bytes && count <= files && (entry = fts_read(walk)) != NULL;) {
    count += entry->fts_info != FTS_DP;
    is_hidden = is_closed(entry);
    if (entry->fts_info == FTS_F)
      sum += (size_t)entry->fts_statp->st_blocks * 512;
  }
  if (walk != NULL)
    fts_close(walk);
  free(copy);
  return is_hidden || sum > bytes || count > files;
}
