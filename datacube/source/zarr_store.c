/* The documents of a Zarr hierarchy, found by going through its folders. What one array says is zarr_array.c's. */
#include "datacube/source/zarr_store.h"

#include "datacube/base/rooted_path.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/zarr_place.h"
#include "datacube/source/zarr_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_ENTRIES = 100000 };

bool zarr_is(const char *path)
{
  static const char *const names[] = {"zarr.json", ".zgroup", ".zarray", ".zmetadata"};
  if (zarr_references_is(path))
    return true;
  if (remote_is(path))
    return zarr_place_is_remote(path);
  const int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool found = false;
  for (size_t i = 0; root >= 0 && !found && i < sizeof names / sizeof names[0]; i++)
    found = faccessat(root, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  if (root >= 0)
    close(root);
  return found;
}

/* Bytes of an open regular file, in the arena; NULL where it is none, or too long. */
static char *read_all(struct zarr_walk *w, int file, size_t *length)
{
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > ZARR_DOCUMENT_MOST)
    return NULL;
  char *bytes = arena_alloc(w->arena, (size_t)status.st_size + 1);
  *length = 0;
  while (bytes && *length < (size_t)status.st_size) {
    const ssize_t got = read(file, bytes + *length, (size_t)status.st_size - *length);
    if (got <= 0)
      return NULL;
    *length += (size_t)got;
  }
  return bytes;
}

/* A document in the folder: 1, or 0 where there is none. */
static int read_document(struct zarr_walk *w, const char *folder, const char *name, const struct zarr_json **out)
{
  const char *path = *folder ? arena_printf(w->arena, "%s/%s", folder, name) : name;
  size_t length;
  *out = NULL;
  if (!path)
    return error_memory(w->error);
  const int file = rooted_open(w->root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0 && errno == ENOENT)
    return 0;
  char *bytes = file >= 0 ? read_all(w, file, &length) : NULL;
  *out = bytes ? zarr_json_read(w->arena, bytes, length) : NULL;
  if (file >= 0)
    close(file);
  if (!zarr_json_is(*out, ZARR_JSON_OBJECT))
    return error_set(w->error, ERROR_FileContentInvalid, "%.200s is no document of Zarr", path);
  return 1;
}

int zarr_walk_add(struct zarr_walk *w, const struct zarr_node *node)
{
  struct zarr_store *store = w->store;
  if (store->array_count == ZARR_ARRAYS_MOST)
    return error_set(w->error, ERROR_FileContentInvalid, "it has more than %d arrays", ZARR_ARRAYS_MOST);
  if (store->array_count == w->room) {
    const size_t room = w->room > 0 ? 2 * w->room : 16;
    struct zarr_array *rows = ARENA_ARRAY(w->arena, struct zarr_array, room);
    if (!rows)
      return error_memory(w->error);
    if (store->array_count > 0)
      memcpy(rows, store->arrays, store->array_count * sizeof *rows);
    store->arrays = rows;
    w->room = room;
  }
  struct zarr_array *array = &store->arrays[store->array_count++];
  const int status = zarr_array_read(w->arena, node, array, w->error);
  array->references = w->references;
  return status;
}

static int compare_text(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the folders in a folder, sorted. */
static int list_folders(struct zarr_walk *w, const char *folder, const char ***out, size_t *count)
{
  const int opened = *folder ? rooted_open(w->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : dup(w->root);
  DIR *listing = opened >= 0 ? fdopendir(opened) : NULL;
  size_t room = 64;
  int status = 0;
  *count = 0;
  *out = ARENA_ARRAY(w->arena, const char *, room);
  if (!listing && opened >= 0)
    close(opened);
  if (listing)
    rewinddir(listing);
  for (struct dirent *entry; status == 0 && *out && listing && (entry = readdir(listing));) {
    char plain[ROOTED_PATH_SIZE];
    struct stat about;
    struct error ignored = {0};
    if (++w->entries > MOST_ENTRIES)
      status = error_set(w->error, ERROR_FileContentInvalid, "its groups have more than %d entries", MOST_ENTRIES);
    else if (entry->d_name[0] != '.' && fstatat(dirfd(listing), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
             S_ISDIR(about.st_mode) && rooted_path_read(entry->d_name, plain, &ignored) == 0) {
      if (*count == room) {
        const char **more = ARENA_ARRAY(w->arena, const char *, 2 * room);
        if (more)
          memcpy(more, *out, room * sizeof *more);
        *out = more;
        room *= 2;
      }
      if (*out && !((*out)[(*count)++] = arena_strdup(w->arena, plain)))
        *out = NULL;
    }
  }
  if (listing)
    closedir(listing);
  if (status == 0 && !*out)
    return error_memory(w->error);
  if (status == 0)
    qsort(*out, *count, sizeof **out, compare_text);
  return status;
}

static int read_node(struct zarr_walk *w, const char *folder, const char *group, const char *name, unsigned depth);

static int read_group(struct zarr_walk *w, const char *folder, unsigned depth)
{
  const char **names;
  size_t count;
  const char *group = arena_printf(w->arena, "/%s", folder);
  if (depth > ZARR_DEEP_MOST)
    return error_set(w->error, ERROR_FileContentInvalid, "its groups nest deeper than %d", ZARR_DEEP_MOST);
  if (!group)
    return error_memory(w->error);
  if (list_folders(w, folder, &names, &count) != 0)
    return -1;
  for (size_t i = 0; i < count; i++) {
    const char *below = *folder ? arena_printf(w->arena, "%s/%s", folder, names[i]) : names[i];
    if (!below)
      return error_memory(w->error);
    if (read_node(w, below, group, names[i], depth + 1) != 0)
      return -1;
  }
  return 0;
}

/* An array, or a group with all in it; a folder that is neither is passed over. */
static int read_node(struct zarr_walk *w, const char *folder, const char *group, const char *name, unsigned depth)
{
  struct zarr_node node = {.folder = folder, .group = group, .name = name, .version = 3};
  int found = read_document(w, folder, "zarr.json", &node.document);
  bool is_array = false;
  if (found == 1) {
    const char *type = zarr_json_text(node.document, "node_type");
    node.attributes = zarr_json_member(node.document, "attributes");
    is_array = type && strcmp(type, "array") == 0;
  } else if (found == 0) {
    node.version = 2;
    found = read_document(w, folder, ".zarray", &node.document);
    is_array = found == 1;
    if (found == 0)
      found = read_document(w, folder, ".zgroup", &node.document);
    if (found == 1 && read_document(w, folder, ".zattrs", &node.attributes) < 0)
      found = -1;
  }
  if (found <= 0)
    return found;
  if (is_array)
    return zarr_walk_add(w, &node);
  if (depth == 0)
    w->store->attributes = node.attributes;
  return read_group(w, folder, depth);
}

int zarr_store_of(struct arena *arena, const char *path, const struct zarr_references *references,
                  struct zarr_store *out, struct error *error)
{
  struct zarr_walk w = {.arena = arena, .store = out, .references = references, .error = error};
  *out = (struct zarr_store){.path = path};
  return zarr_walk_consolidated(&w);
}

int zarr_store_read(struct arena *arena, const char *path, struct zarr_store *out, struct error *error)
{
  struct zarr_walk w = {.arena = arena, .store = out, .error = error};
  *out = (struct zarr_store){.path = path};
  if (zarr_references_is(path)) {
    const struct zarr_references *references;
    return zarr_references_read(arena, path, &references, error) == 0
               ? zarr_store_of(arena, path, references, out, error)
               : -1;
  }
  if (zarr_place_is_remote(path))
    return zarr_walk_consolidated(&w);
  w.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (w.root < 0)
    return error_set(error, ERROR_FileContentInvalid, "it cannot be opened: %s", strerror(errno));
  const int status = read_node(&w, "", "/", "data", 0);
  close(w.root);
  return status;
}

const char *zarr_folder(struct arena *arena, const char *store, const struct zarr_array *array)
{
  const bool is_remote = zarr_place_is_remote(store);
  return arena_printf(arena, "%s%s%s", store, *array->folder && !is_remote ? "/" : "", array->folder);
}

const char *zarr_document(struct arena *arena, const char *store, const struct zarr_array *array)
{
  if (array->references || array->dap)
    return store;
  const char *folder = zarr_folder(arena, store, array);
  return folder ? arena_printf(arena, "%s/%s", folder, array->version == 2 ? ".zarray" : "zarr.json") : NULL;
}

const struct zarr_array *zarr_store_find(const struct zarr_store *store, const char *group, const char *name)
{
  for (size_t i = 0; i < store->array_count; i++)
    if (strcmp(store->arrays[i].group, group) == 0 && strcmp(store->arrays[i].name, name) == 0)
      return &store->arrays[i];
  return NULL;
}
