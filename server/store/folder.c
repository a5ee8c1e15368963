/* Walks by directory descriptors (openat, unlinkat), so that a link swapped in cannot lead elsewhere. */
#include "server/store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 16 };

int folder_make(const char *path, struct error *error)
{
  char part[PATH_MAX];
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof part)
    return error_set(error, ERROR_StorageFailure, "the folder's name is too long");
  for (size_t i = 1; i <= length; i++) {
    if (path[i] != '/' && path[i] != '\0')
      continue;
    memcpy(part, path, i);
    part[i] = '\0';
    if (mkdir(part, 0700) != 0 && errno != EEXIST)
      return error_set(error, ERROR_StorageFailure, "cannot make the folder %s: %s", part, strerror(errno));
  }
  return 0;
}

static bool is_dots(const char *name)
{
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Empties an open folder; takes the descriptor. */
static void clear_at(int fd, int depth)
{
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  if (folder == NULL) {
    if (fd >= 0)
      close(fd);
    return;
  }
  const struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    if (is_dots(entry->d_name) || unlinkat(dirfd(folder), entry->d_name, 0) == 0 || depth >= MAX_DEPTH)
      continue;
    clear_at(openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), depth + 1);
    unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
  }
  closedir(folder);
}

void folder_clear(const char *path)
{
  clear_at(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
}

void folder_remove(const char *path)
{
  folder_clear(path);
  rmdir(path);
}

void folder_each(const char *path, void (*visit)(void *data, const char *name), void *data)
{
  DIR *folder = opendir(path);
  if (folder == NULL)
    return;
  const struct dirent *entry;
  while ((entry = readdir(folder)) != NULL)
    if (!is_dots(entry->d_name))
      visit(data, entry->d_name);
  closedir(folder);
}

int folder_sync(const char *path, struct error *error)
{
  DIR *folder = opendir(path);
  if (folder == NULL)
    return error_set(error, ERROR_StorageFailure, "cannot open %s", path);
  int status = 0;
  const struct dirent *entry;
  while (status == 0 && (entry = readdir(folder)) != NULL) {
    if (is_dots(entry->d_name))
      continue;
    int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
      status = error_set(error, ERROR_StorageFailure, "cannot write %s: %s", entry->d_name, strerror(errno));
    if (fd >= 0)
      close(fd);
  }
  if (status == 0 && fsync(dirfd(folder)) != 0)
    status = error_set(error, ERROR_StorageFailure, "cannot write %s: %s", path, strerror(errno));
  closedir(folder);
  return status;
}

int folder_sync_name(const char *path, struct error *error)
{
  char parent[1024];
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/')
    length--;
  while (length > 1 && path[length - 1] != '/')
    length--;
  if (length >= sizeof parent)
    return error_set(error, ERROR_StorageFailure, "the path %s is too long", path);
  snprintf(parent, sizeof parent, "%.*s", (int)length, path);
  const int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int status = fd >= 0 ? fsync(fd) : -1;
  if (status != 0)
    error_set(error, ERROR_StorageFailure, "cannot write %s: %s", parent, strerror(errno));
  if (fd >= 0)
    close(fd);
  return status;
}

int folder_open_file(const char *folder, const char *path, uint64_t *size)
{
  size_t length = strlen(folder);
  if (strncmp(path, folder, length) != 0)
    return -1;
  const char *name = path + length;
  while (*name == '/')
    name++;
  if (*name == '\0' || is_dots(name) || strchr(name, '/') != NULL)
    return -1;
  int parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int fd = parent < 0 ? -1 : openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (parent >= 0)
    close(parent);
  struct stat state;
  if (fd >= 0 && (fstat(fd, &state) != 0 || !S_ISREG(state.st_mode))) {
    close(fd);
    return -1;
  }
  if (fd >= 0)
    *size = (uint64_t)state.st_size;
  return fd;
}
