/* Shelves 00 … ff by the first byte of the key. When the folder is full, one shelf after the other gives away the
 * half of its tiles that was used last the longest time ago: nearly what the least recently used would be, without a
 * list of all. */
#include "server/services/tile_folder.h"

#include "server/store/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHELVES = 256, PATH_ROOM = 1200, BLOCK = 4096, MOST_TILE = 64 << 20 };
static const char magic[8] = "TCtile1";

struct tile_head { /* of a file, before the tile's bytes */
  char magic[8];
  struct hash key, revision, tag; /* tag: of the bytes */
  uint64_t length;
};

struct tile_folder {
  pthread_mutex_t lock; /* guards what follows */
  uint64_t bytes, most; /* on the disk */
  unsigned shelf;       /* that gives away next */
  unsigned written;     /* counts, for names of files on their way */
  char path[1024];
};

struct shelf_tile { /* of a list of what lies on a shelf */
  char name[40];
  int64_t used; /* nanoseconds */
  uint64_t bytes;
};

static uint64_t room_of(uint64_t length)
{
  return (length + BLOCK - 1) / BLOCK * BLOCK;
}

/* ---- shelves ----------------------------------------------------------------------------------------------------- */

struct shelf_list {
  int fd; /* of the shelf */
  struct shelf_tile *tiles;
  size_t count, room;
  uint64_t bytes;
};

/* Leftovers of a server that was killed go; tiles are noted. */
static void list_entry(struct shelf_list *list, const char *name)
{
  struct stat status;
  if (name[0] == '.' || fstatat(list->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
    return;
  if (strlen(name) != 32) {
    unlinkat(list->fd, name, 0);
    return;
  }
  if (list->count == list->room) {
    const size_t room = list->room > 0 ? 2 * list->room : 64;
    struct shelf_tile *more = realloc(list->tiles, room * sizeof *more);
    if (more == NULL)
      return;
    list->tiles = more;
    list->room = room;
  }
  struct shelf_tile *tile = &list->tiles[list->count++];
  snprintf(tile->name, sizeof tile->name, "%.32s", name);
  tile->used = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
  tile->bytes = room_of((uint64_t)status.st_size);
  list->bytes += tile->bytes;
}

/* What lies on a shelf; nothing where it is missing. The list's shelf stays open until list_end. */
static void list_shelf(const struct tile_folder *folder, unsigned shelf, struct shelf_list *out)
{
  char path[PATH_ROOM];
  *out = (struct shelf_list){.fd = -1};
  snprintf(path, sizeof path, "%s/%02x", folder->path, shelf);
  DIR *directory = opendir(path);
  if (directory == NULL)
    return;
  out->fd = dup(dirfd(directory));
  for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
    list_entry(out, entry->d_name);
  closedir(directory);
}

static void list_end(struct shelf_list *list)
{
  if (list->fd >= 0)
    close(list->fd);
  free(list->tiles);
}

static int compare_use(const void *a, const void *b)
{
  const int64_t x = ((const struct shelf_tile *)a)->used, y = ((const struct shelf_tile *)b)->used;
  return (x > y) - (x < y);
}

/* Called under the lock. */
static void clear_half(struct tile_folder *folder, unsigned shelf)
{
  struct shelf_list list;
  list_shelf(folder, shelf, &list);
  if (list.count > 0)
    qsort(list.tiles, list.count, sizeof *list.tiles, compare_use);
  for (size_t i = 0; i < (list.count + 1) / 2; i++)
    if (unlinkat(list.fd, list.tiles[i].name, 0) == 0)
      folder->bytes -= list.tiles[i].bytes < folder->bytes ? list.tiles[i].bytes : folder->bytes;
  list_end(&list);
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

int tile_folder_open(const char *path, uint64_t bytes, struct tile_folder **out, struct error *error)
{
  struct tile_folder *folder = calloc(1, sizeof *folder);
  if (folder == NULL)
    return error_memory(error);
  pthread_mutex_init(&folder->lock, NULL);
  folder->most = bytes;
  if (snprintf(folder->path, sizeof folder->path, "%s", path) >= (int)sizeof folder->path)
    error_set(error, ERROR_StorageFailure, "the path of the tiles is too long");
  if (error_is_set(error) || folder_make(path, error) != 0) {
    tile_folder_close(folder);
    return -1;
  }
  for (unsigned shelf = 0; shelf < SHELVES; shelf++) {
    struct shelf_list list;
    list_shelf(folder, shelf, &list);
    folder->bytes += list.bytes;
    list_end(&list);
  }
  *out = folder;
  return 0;
}

void tile_folder_close(struct tile_folder *folder)
{
  if (folder == NULL)
    return;
  pthread_mutex_destroy(&folder->lock);
  free(folder);
}

static void path_of(const struct tile_folder *folder, struct hash key, char out[PATH_ROOM])
{
  snprintf(out, PATH_ROOM, "%s/%02x/%016" PRIx64 "%016" PRIx64, folder->path, (unsigned)(key.a >> 56), key.a, key.b);
}

static bool read_tile(FILE *file, struct hash key, struct buffer *out, struct hash *revision)
{
  struct tile_head head;
  struct hash tag = {0, 0};
  if (fread(&head, sizeof head, 1, file) != 1 || memcmp(head.magic, magic, sizeof magic) != 0 ||
      !hash_equal(head.key, key) || head.length == 0 || head.length > MOST_TILE)
    return false;
  char *bytes = malloc((size_t)head.length);
  bool is_sound = bytes != NULL && fread(bytes, 1, (size_t)head.length, file) == head.length;
  if (is_sound) {
    hash_bytes(&tag, bytes, (size_t)head.length);
    is_sound = hash_equal(tag, head.tag);
  }
  if (is_sound)
    buffer_add(out, bytes, (size_t)head.length);
  free(bytes);
  *revision = head.revision;
  return is_sound && !out->failed;
}

bool tile_folder_get(struct tile_folder *folder, struct hash key, struct buffer *out, struct hash *revision)
{
  char path[PATH_ROOM];
  if (folder == NULL)
    return false;
  path_of(folder, key, path);
  const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;
  if (file == NULL) {
    if (fd >= 0)
      close(fd);
    return false;
  }
  const bool found = read_tile(file, key, out, revision);
  if (found)
    futimens(fd, NULL); /* used now */
  fclose(file);
  return found;
}

static bool write_tile(const char *path, const struct tile_head *head, const void *bytes)
{
  FILE *file = fopen(path, "wbxe");
  if (file == NULL)
    return false;
  bool written =
      fwrite(head, sizeof *head, 1, file) == 1 && fwrite(bytes, 1, (size_t)head->length, file) == head->length;
  if (fclose(file) != 0)
    written = false;
  if (!written)
    unlink(path);
  return written;
}

/* Room for so many bytes, and a number for the file on its way. */
static unsigned make_room(struct tile_folder *folder, uint64_t bytes)
{
  pthread_mutex_lock(&folder->lock);
  for (unsigned i = 0; i < SHELVES && folder->bytes + bytes > folder->most; i++)
    clear_half(folder, folder->shelf++ % SHELVES);
  folder->bytes += bytes;
  const unsigned number = folder->written++;
  pthread_mutex_unlock(&folder->lock);
  return number;
}

static void give_room_back(struct tile_folder *folder, uint64_t bytes)
{
  pthread_mutex_lock(&folder->lock);
  folder->bytes -= bytes < folder->bytes ? bytes : folder->bytes;
  pthread_mutex_unlock(&folder->lock);
}

void tile_folder_put(struct tile_folder *folder, struct hash key, struct hash revision, const void *bytes,
                     size_t length)
{
  struct tile_head head = {.key = key, .revision = revision, .length = length};
  char path[PATH_ROOM], temporary[PATH_ROOM + 32];
  struct stat old;
  const uint64_t room = room_of(sizeof head + length);
  if (folder == NULL || length == 0 || length > MOST_TILE || room > folder->most / 16)
    return;
  memcpy(head.magic, magic, sizeof magic);
  hash_bytes(&head.tag, bytes, length);
  path_of(folder, key, path);
  const unsigned number = make_room(folder, room);
  snprintf(temporary, sizeof temporary, "%s.%u", path, number);
  struct error ignored = {0};
  *strrchr(path, '/') = '\0';
  const bool is_made = folder_make(path, &ignored) == 0;
  path_of(folder, key, path);
  const bool replaces = lstat(path, &old) == 0;
  if (is_made && write_tile(temporary, &head, bytes) && rename(temporary, path) == 0) {
    if (replaces)
      give_room_back(folder, room_of((uint64_t)old.st_size));
    return;
  }
  unlink(temporary);
  give_room_back(folder, room);
}
