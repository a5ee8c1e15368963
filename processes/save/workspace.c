/* Files are copied under a temporary name and linked to their own, which fails where it is taken; the list of a
 * catalogue is made anew under its lock. Paths go by descriptors (rooted_path.h): no link is followed. */
#include "processes/save/workspace.h"

#include "datacube/base/disk_room.h"
#include "datacube/base/rooted_path.h"
#include "datacube/base/write_fully.h"
#include "stac/result_item.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_ITEMS = 10000, MOST_NUMBERS = 10000, COPY_STEP = 8 << 20 };
static const char temporary[] = ".exporting";

struct exporting {
  const struct workspace_room *room;
  const struct workspace_result *result;
  const volatile int *cancel;
  int folder;                /* of the catalogue */
  char catalogue[256];       /* its name */
  char stem[200];            /* of the file's name … */
  char extension[40];        /* … with the dot, or "" */
  char file[300], item[300]; /* names that were free */
  struct error *error;
};

static int failed(const struct exporting *e, const char *what)
{
  return error_set(e->error, ERROR_StorageFailure, "%s: %s", what, strerror(errno));
}

/* ---- folders ---------------------------------------------------------------------------------------------------- */

static int open_workspace(const char *folder, const char *id)
{
  char path[ROOTED_PATH_SIZE];
  struct error ignored = {0};
  const int all = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (all < 0)
    return -1;
  const bool fits = rooted_path_read(id, path, &ignored) == 0 && strchr(path, '/') == NULL;
  const int found = fits ? rooted_open(all, path, O_RDONLY | O_DIRECTORY) : -1;
  close(all);
  return found;
}

int workspace_find(const struct workspace_room *room, const char *id, enum workspace_kind *out, struct error *error)
{
  const int found = room ? open_workspace(room->folder, id) : -1;
  bool is_named = false;
  if (found >= 0)
    close(found);
  else if (room && room->find && room->find(room->context, id, &is_named, error) != 0)
    return -1;
  *out = found >= 0 ? WORKSPACE_FOLDER : is_named ? WORKSPACE_NAMED : WORKSPACE_NONE;
  return 0;
}

/* A folder that is not there yet: the name, or the name with a number. */
static int make_new(const struct exporting *e, int workspace, char *out, size_t room)
{
  for (unsigned i = 1; i <= MOST_NUMBERS; i++) {
    snprintf(out, room, i > 1 ? "%.200s-%u" : "%.200s", e->result->name, i);
    if (mkdirat(workspace, out, 0700) == 0)
      return 0;
    if (errno != EEXIST)
      break;
  }
  return failed(e, "no catalogue can be made in the workspace");
}

static int open_catalogue(struct exporting *e)
{
  char path[ROOTED_PATH_SIZE + 2];
  const char *name;
  const int workspace = open_workspace(e->room->folder, e->result->workspace);
  if (workspace < 0)
    return error_parameter(e->error, ERROR_ProcessParameterInvalid, "workspace", "there is no workspace '%.100s'",
                           e->result->workspace);
  int status = 0;
  if (e->result->catalogue != NULL)
    snprintf(path, sizeof path, "%s", e->result->catalogue);
  else
    status = make_new(e, workspace, path, ROOTED_PATH_SIZE);
  snprintf(e->catalogue, sizeof e->catalogue, "%.250s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
  if (status == 0) {
    strncat(path, "/x", sizeof path - strlen(path) - 1); /* the folder of something in it */
    e->folder = rooted_parent(workspace, path, true, &name);
    if (e->folder < 0)
      status = error_parameter(e->error, ERROR_FilePathInvalid, "merge", "'%.200s' is no folder of the workspace",
                               e->result->catalogue ? e->result->catalogue : e->catalogue);
  }
  close(workspace);
  return status;
}

/* ---- room ------------------------------------------------------------------------------------------------------- */

static uint64_t bytes_below(const char *folder)
{
  char *const roots[] = {(char *)(uintptr_t)folder, NULL}; /* only read */
  FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
  uint64_t sum = 0;
  for (FTSENT *entry; tree && (entry = fts_read(tree)) != NULL;)
    if (entry->fts_info == FTS_F)
      sum += (uint64_t)entry->fts_statp->st_size;
  if (tree)
    fts_close(tree);
  return sum;
}

static int check_room(const struct exporting *e, uint64_t size)
{
  const uint64_t most = e->room->most, kept = most > 0 ? bytes_below(e->room->folder) : 0;
  struct disk_room disk;
  if (most > 0 && (size > most || kept > most - size))
    return error_set(e->error, ERROR_StorageQuotaExceeded,
                     "the user's workspaces hold %llu bytes and may hold %llu: there is no room for %llu more",
                     (unsigned long long)kept, (unsigned long long)most, (unsigned long long)size);
  if (disk_room_read(e->room->folder, &disk) && (double)size > disk.free - disk.reserve)
    return error_set(e->error, ERROR_StorageFailure, "the workspace's disk has no room for %llu bytes more",
                     (unsigned long long)size);
  return 0;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static int copy_bytes(const struct exporting *e, int from, int to, uint64_t size)
{
  char *part = malloc(COPY_STEP);
  uint64_t done = 0;
  ssize_t count = 1;
  if (!part)
    return error_memory(e->error);
  while (done < size && count > 0) {
    if (e->cancel && *e->cancel)
      break;
    count = read(from, part, COPY_STEP);
    if (count > 0 && write_fully(to, part, (size_t)count) != 0)
      count = -1;
    done += count > 0 ? (uint64_t)count : 0;
  }
  free(part);
  if (e->cancel && *e->cancel)
    return error_set(e->error, ERROR_RequestTimeout, "the request was cancelled");
  return done == size ? 0 : failed(e, "the result cannot be copied to the workspace");
}

static int make_temporary(const struct exporting *e)
{
  unlinkat(e->folder, temporary, 0);
  const int fd = openat(e->folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  return fd >= 0 ? fd : failed(e, "the workspace cannot be written");
}

/* Gives the temporary file a name that is free: the stem, or the stem with a number. */
static int name_file(struct exporting *e)
{
  for (unsigned i = 1; i <= MOST_NUMBERS; i++) {
    char stem[220];
    snprintf(stem, sizeof stem, i > 1 ? "%s-%u" : "%s", e->stem, i);
    snprintf(e->file, sizeof e->file, "%s%s", stem, e->extension);
    snprintf(e->item, sizeof e->item, "%s.json", stem);
    if (strcmp(e->item, RESULT_CATALOGUE_NAME) == 0 ||
        faccessat(e->folder, e->item, F_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0)
      continue;
    if (strcmp(e->item, e->file) == 0) /* a result in JSON beside its item */
      snprintf(e->file, sizeof e->file, "%s.data%s", stem, e->extension);
    if (linkat(e->folder, temporary, e->folder, e->file, 0) == 0)
      return 0;
    if (errno != EEXIST)
      break;
  }
  return failed(e, "the result cannot be named in the workspace");
}

static int copy_file(struct exporting *e, uint64_t *size)
{
  struct stat state;
  const int from = open(e->result->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0 || fstat(from, &state) != 0) {
    const int status = failed(e, "the result cannot be read");
    if (from >= 0)
      close(from);
    return status;
  }
  *size = (uint64_t)state.st_size;
  int status = check_room(e, *size);
  const int to = status == 0 ? make_temporary(e) : -1;
  if (to >= 0)
    status = copy_bytes(e, from, to, *size);
  if (to >= 0 && status == 0 && fsync(to) != 0)
    status = failed(e, "the result cannot be copied to the workspace");
  close(from);
  if (to < 0)
    return -1;
  close(to);
  if (status == 0)
    status = name_file(e);
  unlinkat(e->folder, temporary, 0);
  return status;
}

/* A document in place of one of that name. */
static int put_document(const struct exporting *e, const char *name, const struct buffer *text)
{
  const int fd = make_temporary(e);
  if (fd < 0)
    return -1;
  bool written = write_fully(fd, text->data, text->length) == 0 && fsync(fd) == 0;
  written = close(fd) == 0 && written && renameat(e->folder, temporary, e->folder, name) == 0;
  return written ? 0 : failed(e, "the workspace cannot be written");
}

/* ---- the catalogue ---------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_item(const char *name)
{
  const char *dot = strrchr(name, '.');
  return dot && dot != name && strcmp(dot, ".json") == 0 && strcmp(name, RESULT_CATALOGUE_NAME) != 0 &&
         !(dot - name > 5 && memcmp(dot - 5, ".data", 5) == 0);
}

static int list_items(const struct exporting *e, char ***out, size_t *count)
{
  char **names = calloc(MOST_ITEMS, sizeof *names);
  const int fd = openat(e->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd >= 0 && names ? fdopendir(fd) : NULL;
  const struct dirent *entry;
  *out = names;
  *count = 0;
  if (!folder) {
    if (fd >= 0)
      close(fd);
    return names ? failed(e, "the workspace cannot be read") : error_memory(e->error);
  }
  while (*count < MOST_ITEMS && (entry = readdir(folder)) != NULL)
    if (is_item(entry->d_name) && (names[*count] = strdup(entry->d_name)) != NULL)
      ++*count;
  closedir(folder);
  qsort(names, *count, sizeof *names, by_text);
  return 0;
}

static int write_catalogue(const struct exporting *e)
{
  struct buffer text = {0};
  char **names;
  size_t count;
  int status = list_items(e, &names, &count);
  if (status == 0)
    status = result_catalogue_write(e->catalogue, (const char *const *)names, count, &text, e->error);
  if (status == 0)
    status = put_document(e, RESULT_CATALOGUE_NAME, &text);
  for (size_t i = 0; i < count; i++)
    free(names[i]);
  free(names);
  buffer_free(&text);
  return status;
}

static int write_item(const struct exporting *e, uint64_t size)
{
  struct buffer text = {0};
  char id[256];
  snprintf(id, sizeof id, "%.*s", (int)strlen(e->item) - 5, e->item);
  const struct result_item item = {.id = id,
                                   .file = e->file,
                                   .media_type = e->result->media_type,
                                   .size = size,
                                   .metadata = e->result->metadata,
                                   .changes = e->result->changes};
  int status = result_item_write(&item, &text, e->error);
  if (status == 0)
    status = put_document(e, e->item, &text);
  buffer_free(&text);
  return status;
}

static void split_name(struct exporting *e)
{
  const char *slash = strrchr(e->result->path, '/'), *name = slash ? slash + 1 : e->result->path;
  const char *dot = strrchr(name, '.');
  const size_t length = dot && dot != name ? (size_t)(dot - name) : strlen(name);
  snprintf(e->stem, sizeof e->stem, "%.*s", (int)length, name);
  snprintf(e->extension, sizeof e->extension, "%s", name + length);
}

int workspace_export(const struct workspace_room *room, const struct workspace_result *result,
                     const volatile int *cancel, struct error *error)
{
  struct exporting e = {.room = room, .result = result, .cancel = cancel, .folder = -1, .error = error};
  uint64_t size = 0;
  split_name(&e);
  if (open_catalogue(&e) != 0)
    return -1;
  int status = flock(e.folder, LOCK_EX) == 0 ? 0 : failed(&e, "the workspace cannot be locked");
  if (status == 0)
    status = copy_file(&e, &size);
  if (status == 0)
    status = write_item(&e, size);
  if (status == 0)
    status = write_catalogue(&e);
  close(e.folder);
  return status;
}
