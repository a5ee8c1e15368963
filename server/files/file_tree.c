/* Every step goes through a folder's descriptor (rooted_path.h): a link in the tree is never followed. */
#include "server/files/file_tree.h"

#include "server/store/folder.h"

#include "datacube/base/rooted_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the root --------------------------------------------------------------------------------------------------- */

static void root_path(const char *data, const char *folder, char out[FILE_TREE_PATH])
{
  snprintf(out, FILE_TREE_PATH, "%.1000s/files/%.100s", data, folder);
}

int file_tree_path(struct store *store, const char *data, const char *user, char out[FILE_TREE_PATH],
                   struct error *error)
{
  char folder[USER_FOLDER_SIZE];
  out[0] = '\0';
  if (store_user_folder(store, user, false, folder, error) != 0)
    return -1;
  if (folder[0] != '\0')
    root_path(data, folder, out);
  return 0;
}

int file_tree_open(const char *data, const char *folder)
{
  char path[FILE_TREE_PATH];
  root_path(data, folder, path);
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int file_tree_make(const char *data, const char *folder, int *root, struct error *error)
{
  char path[FILE_TREE_PATH];
  root_path(data, folder, path);
  *root = folder_make(path, error) == 0 ? file_tree_open(data, folder) : -1;
  if (*root >= 0 || error_is_set(error))
    return *root >= 0 ? 0 : -1;
  return error_set(error, ERROR_StorageFailure, "the user's folder cannot be opened: %s", strerror(errno));
}

/* ---- the list --------------------------------------------------------------------------------------------------- */

static void describe(const struct stat *state, struct file_entry *out)
{
  out->size = (uint64_t)state->st_size;
  out->modified = (int64_t)state->st_mtim.tv_sec * 1000 + state->st_mtim.tv_nsec / 1000000;
  snprintf(out->tag, sizeof out->tag, "%" PRIx64 "-%" PRIx64 "-%" PRIx64, (uint64_t)state->st_ino,
           (uint64_t)state->st_mtim.tv_sec * 1000000000U + (uint64_t)state->st_mtim.tv_nsec, out->size);
}

static int add_entry(struct file_listing *list, const char *path, const struct stat *state, struct error *error)
{
  if (list->count == list->capacity) {
    const size_t capacity = list->capacity ? 2 * list->capacity : 64;
    struct file_entry *more = realloc(list->entries, capacity * sizeof *more);
    if (more == NULL)
      return error_memory(error);
    list->entries = more;
    list->capacity = capacity;
  }
  struct file_entry *entry = &list->entries[list->count];
  describe(state, entry);
  entry->path = strdup(path);
  if (entry->path == NULL)
    return error_memory(error);
  list->count++;
  list->bytes += entry->size;
  return 0;
}

static int walk(int fd, char path[ROOTED_PATH_SIZE], size_t depth, struct file_listing *list, struct error *error);

/* One name of a folder; path[0 .. length) is the folder's own, with a slash at its end unless it is the root. */
static int visit(int folder, const char *name, char path[ROOTED_PATH_SIZE], size_t depth, struct file_listing *list,
                 struct error *error)
{
  struct stat state;
  const size_t length = strlen(path), room = ROOTED_PATH_SIZE - length;
  int status = 0;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) + 2 > room ||
      fstatat(folder, name, &state, AT_SYMLINK_NOFOLLOW) != 0)
    return 0;
  if (S_ISREG(state.st_mode)) {
    snprintf(path + length, room, "%s", name);
    status = add_entry(list, path, &state, error);
  } else if (S_ISDIR(state.st_mode) && depth < ROOTED_PIECES) {
    snprintf(path + length, room, "%s/", name);
    status = walk(openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path, depth + 1, list, error);
  }
  path[length] = '\0';
  return status;
}

/* Takes the descriptor; a folder that went meanwhile is empty. */
static int walk(int fd, char path[ROOTED_PATH_SIZE], size_t depth, struct file_listing *list, struct error *error)
{
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  if (folder == NULL) {
    if (fd >= 0)
      close(fd);
    return 0;
  }
  int status = 0;
  const struct dirent *entry;
  while (status == 0 && (entry = readdir(folder)) != NULL)
    status = visit(dirfd(folder), entry->d_name, path, depth, list, error);
  closedir(folder);
  return status;
}

static int by_path(const void *a, const void *b)
{
  return strcmp(((const struct file_entry *)a)->path, ((const struct file_entry *)b)->path);
}

int file_tree_list(int root, struct file_listing *out, struct error *error)
{
  char path[ROOTED_PATH_SIZE] = "";
  *out = (struct file_listing){0};
  if (walk(openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path, 0, out, error) != 0)
    return -1;
  if (out->count > 1)
    qsort(out->entries, out->count, sizeof *out->entries, by_path);
  return 0;
}

void file_listing_free(struct file_listing *list)
{
  for (size_t i = 0; i < list->count; i++)
    free(list->entries[i].path);
  free(list->entries);
  *list = (struct file_listing){0};
}

/* ---- one file --------------------------------------------------------------------------------------------------- */

static int not_found(const char *path, struct error *error)
{
  return error_set(error, ERROR_FileNotFound, "there is no file '%s'", path);
}

static int is_folder(const char *path, struct error *error)
{
  return error_set(error, ERROR_FileOperationUnsupported, "'%s' is a folder; this works for files only", path);
}

int file_tree_read(int root, const char *path, int *fd, struct file_entry *out, struct error *error)
{
  struct stat state;
  *out = (struct file_entry){0};
  *fd = rooted_open(root, path, O_RDONLY | O_NONBLOCK);
  if (*fd < 0)
    return not_found(path, error);
  if (fstat(*fd, &state) == 0 && S_ISREG(state.st_mode)) {
    describe(&state, out);
    return 0;
  }
  close(*fd);
  *fd = -1;
  return S_ISDIR(state.st_mode) ? is_folder(path, error) : not_found(path, error);
}

/* Removes the folders of a path that are empty, from the innermost on. */
static void prune(int root, const char *path)
{
  char folder[ROOTED_PATH_SIZE];
  snprintf(folder, sizeof folder, "%s", path);
  for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
    const char *name;
    *slash = '\0';
    const int parent = rooted_parent(root, folder, false, &name);
    const bool removed = parent >= 0 && unlinkat(parent, name, AT_REMOVEDIR) == 0;
    if (parent >= 0)
      close(parent);
    if (!removed)
      return;
  }
}

static int put_failed(const char *path, int why, struct error *error)
{
  if (why == ENOTDIR || why == ELOOP)
    return error_set(error, ERROR_FilePathInvalid, "a part of '%s' that should be a folder is a file", path);
  if (why == EISDIR || why == EEXIST || why == ENOTEMPTY)
    return error_set(error, ERROR_FilePathInvalid, "'%s' is a folder", path);
  return error_set(error, ERROR_StorageFailure, "'%s' cannot be stored: %s", path, strerror(why));
}

int file_tree_put(int root, const char *path, const char *file, struct file_entry *out, struct error *error)
{
  const char *name;
  struct stat state;
  *out = (struct file_entry){0};
  int parent = rooted_parent(root, path, true, &name);
  if (parent < 0 || renameat(AT_FDCWD, file, parent, name) != 0 || fsync(parent) != 0 ||
      fstatat(parent, name, &state, AT_SYMLINK_NOFOLLOW) != 0) {
    const int why = errno;
    if (parent >= 0)
      close(parent);
    prune(root, path);
    return put_failed(path, why, error);
  }
  close(parent);
  describe(&state, out);
  return 0;
}

int file_tree_remove(int root, const char *path, struct error *error)
{
  const char *name;
  struct stat state = {0};
  int parent = rooted_parent(root, path, false, &name);
  bool found = parent >= 0 && fstatat(parent, name, &state, AT_SYMLINK_NOFOLLOW) == 0;
  int status = 0;
  if (!found)
    status = not_found(path, error);
  else if (S_ISDIR(state.st_mode))
    status = is_folder(path, error);
  else if (unlinkat(parent, name, 0) != 0)
    status = error_set(error, ERROR_StorageFailure, "'%s' cannot be removed: %s", path, strerror(errno));
  if (parent >= 0)
    close(parent);
  if (status == 0)
    prune(root, path);
  return status;
}
