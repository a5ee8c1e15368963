/* Found by buckets; let go from the end of the list that has them in the order of their use. */
#include "server/fetch/fetch_cache.h"

#include "server/store/folder.h"

#include "datacube/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

static const uint64_t longest_file = UINT64_C(1) << 38; /* bytes: a byte for each page is held in memory */

/* A path that nobody can guess. */
static int random_path(const struct fetch_cache *cache, char out[512], struct error *error)
{
  uint64_t name[2];
  if (getrandom(name, sizeof name, 0) != (ssize_t)sizeof name)
    return error_set(error, ERROR_Internal, "no random number can be had: %s", strerror(errno));
  snprintf(out, 512, "%s/%016" PRIx64 "%016" PRIx64, cache->folder, name[0], name[1]);
  return 0;
}

int fetch_cache_open(struct fetch_cache *cache, const char *folder, uint64_t most, struct error *error)
{
  char slots[512];
  *cache = (struct fetch_cache){.most = most, .lock = -1, .slots.fd = -1};
  if (snprintf(cache->folder, sizeof cache->folder, "%s", folder) >= (int)sizeof cache->folder)
    return error_set(error, ERROR_StorageFailure, "the folder %.200s has too long a name", folder);
  if (folder_make(folder, error) != 0)
    return -1;
  cache->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cache->lock < 0 || flock(cache->lock, LOCK_EX | LOCK_NB) != 0)
    return error_set(error, ERROR_StorageFailure, "the folder %.200s is another process's: %s", folder,
                     strerror(errno));
  folder_clear(folder);
  return random_path(cache, slots, error) == 0 ? fetch_slots_open(&cache->slots, slots, error) : -1;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static struct fetch_file **bucket_of_url(struct fetch_cache *cache, const char *url)
{
  struct hash sum = {0, 0};
  hash_text(&sum, url);
  return &cache->urls[sum.a % FETCH_BUCKETS];
}

static void enlist(struct fetch_cache *cache, struct fetch_file *file)
{
  file->earlier = cache->latest;
  file->later = NULL;
  *(cache->latest ? &cache->latest->later : &cache->earliest) = file;
  cache->latest = file;
}

static void strike(struct fetch_cache *cache, struct fetch_file *file)
{
  *(file->later ? &file->later->earlier : &cache->latest) = file->earlier;
  *(file->earlier ? &file->earlier->later : &cache->earliest) = file->later;
}

static void enter_buckets(struct fetch_cache *cache, struct fetch_file *file)
{
  struct fetch_file **urls = bucket_of_url(cache, file->url), **numbers = &cache->numbers[file->number % FETCH_BUCKETS];
  file->same_url = *urls;
  file->same_number = *numbers;
  *urls = *numbers = file;
}

static void leave_buckets(struct fetch_cache *cache, struct fetch_file *file)
{
  struct fetch_file **place = bucket_of_url(cache, file->url);
  while (*place != file)
    place = &(*place)->same_url;
  *place = file->same_url;
  place = &cache->numbers[file->number % FETCH_BUCKETS];
  while (*place != file)
    place = &(*place)->same_number;
  *place = file->same_number;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void free_file(struct fetch_cache *cache, struct fetch_file *file)
{
  strike(cache, file);
  leave_buckets(cache, file);
  cache->count--;
  cache->reserved -= file->reserved;
  if (file->path[0])
    unlink(file->path);
  if (file->fd >= 0)
    close(file->fd);
  if (file->has_slot)
    fetch_slots_give(&cache->slots, file->slot);
  free(file->url);
  free(file->moved);
  free(file->pages);
  free(file);
}

void fetch_cache_close(struct fetch_cache *cache)
{
  for (struct fetch_file *file = cache->latest; file; file = file->earlier)
    file->has_slot = false; /* they go together */
  fetch_slots_close(&cache->slots);
  while (cache->latest)
    free_file(cache, cache->latest);
  if (cache->lock >= 0) {
    rmdir(cache->folder);
    close(cache->lock);
  }
}

struct fetch_file *fetch_cache_find(struct fetch_cache *cache, const char *url)
{
  struct fetch_file *f = *bucket_of_url(cache, url);
  while (f && (f->is_outdated || strcmp(f->url, url) != 0))
    f = f->same_url;
  if (f) {
    strike(cache, f);
    enlist(cache, f);
  }
  return f;
}

struct fetch_file *fetch_cache_older(const struct fetch_file *file)
{
  struct fetch_file *f = file->same_url;
  while (f && (f->is_outdated || f->state != FETCH_READY || strcmp(f->url, file->url) != 0))
    f = f->same_url;
  return f;
}

struct fetch_file *fetch_cache_number(struct fetch_cache *cache, uint64_t number)
{
  struct fetch_file *f = cache->numbers[number % FETCH_BUCKETS];
  while (f && f->number != number)
    f = f->same_number;
  return f;
}

/* The longest unused file that nobody holds; NULL where there is none. */
static struct fetch_file *longest_unused(const struct fetch_cache *cache)
{
  struct fetch_file *f = cache->earliest;
  while (f && f->holds > 0)
    f = f->later;
  return f;
}

struct fetch_file *fetch_cache_add(struct fetch_cache *cache, const char *url, struct error *error)
{
  struct fetch_file *file = calloc(1, sizeof *file);
  if (file)
    *file = (struct fetch_file){.url = strdup(url), .fd = -1, .number = ++cache->last_number, .holds = 1};
  if (!file || !file->url) {
    free(file);
    error_memory(error);
    return NULL;
  }
  struct fetch_file *old = cache->count >= FETCH_FILES_MOST ? longest_unused(cache) : NULL;
  if (old)
    free_file(cache, old);
  cache->count++;
  enlist(cache, file);
  enter_buckets(cache, file);
  return file;
}

void fetch_cache_release(struct fetch_cache *cache, struct fetch_file *file)
{
  if (--file->holds > 0)
    return;
  if (file->is_outdated || (file->state == FETCH_OVER && !file->is_absent))
    free_file(cache, file);
  else
    fetch_file_shut(file);
}

void fetch_file_shut(struct fetch_file *file)
{
  if (file->fd >= 0)
    close(file->fd);
  file->fd = -1;
}

void fetch_cache_forget(struct fetch_cache *cache, struct fetch_file *file)
{
  file->is_outdated = true;
  if (file->holds == 0)
    free_file(cache, file);
}

int fetch_cache_reserve(struct fetch_cache *cache, struct fetch_file *file, uint64_t bytes, struct error *error)
{
  while (bytes > cache->most - cache->reserved) {
    struct fetch_file *old = longest_unused(cache);
    if (!old)
      return error_set(error, ERROR_FileSizeExceeded,
                       "%.200s: what is read at once from other hosts takes more than the %" PRIu64
                       " MB that are kept of it here",
                       file->url, cache->most >> 20);
    free_file(cache, old);
  }
  cache->reserved += bytes;
  file->reserved += bytes;
  return 0;
}

bool fetch_cache_spares(const struct fetch_cache *cache, uint64_t bytes)
{
  uint64_t held = cache->reserved;
  if (held + bytes > cache->most / 2) { /* some of it may be of files that can go */
    held = 0;
    for (const struct fetch_file *f = cache->latest; f; f = f->earlier)
      held += f->holds > 0 ? f->reserved : 0;
  }
  return held + bytes <= cache->most / 2;
}

void fetch_cache_unreserve(struct fetch_cache *cache, struct fetch_file *file, uint64_t bytes)
{
  cache->reserved -= bytes;
  file->reserved -= bytes;
}

/* ---- their bytes ------------------------------------------------------------------------------------------------- */

static int cannot_store(struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "what is fetched cannot be stored: %s", strerror(errno));
}

static int write_all(int fd, const char *bytes, size_t length, uint64_t at, struct error *error)
{
  for (size_t done = 0; done < length;) {
    const ssize_t written = pwrite(fd, bytes + done, length - done, (off_t)(at + done));
    if (written < 0 && errno != EINTR)
      return cannot_store(error);
    done += written > 0 ? (size_t)written : 0;
  }
  return 0;
}

/* What the slot has, which is counted once more. */
static int leave_slot(struct fetch_cache *cache, struct fetch_file *file, struct error *error)
{
  char bytes[FETCH_SLOT_BYTES];
  const ssize_t got = pread(cache->slots.fd, bytes, sizeof bytes, (off_t)file->slot);
  if (got < 0)
    return cannot_store(error);
  const uint64_t kept = file->pages && file->size < (uint64_t)got ? file->size : (uint64_t)got;
  if (fetch_cache_reserve(cache, file, kept, error) != 0)
    return -1;
  return write_all(file->fd, bytes, (size_t)kept, 0, error);
}

static int make_own(struct fetch_cache *cache, struct fetch_file *file, struct error *error)
{
  if (random_path(cache, file->path, error) != 0) {
    file->path[0] = '\0';
    return -1;
  }
  file->fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file->fd < 0) {
    file->path[0] = '\0';
    return error_set(error, ERROR_StorageFailure, "no file for what is fetched can be made: %s", strerror(errno));
  }
  int status = file->has_slot ? leave_slot(cache, file, error) : 0;
  if (status == 0 && file->pages && ftruncate(file->fd, (off_t)file->size) != 0)
    status = cannot_store(error);
  if (status != 0) {
    unlink(file->path);
    file->path[0] = '\0';
    fetch_file_shut(file);
  }
  return status;
}

int fetch_cache_own(struct fetch_cache *cache, struct fetch_file *file, struct error *error)
{
  if (file->path[0] == '\0')
    return make_own(cache, file, error);
  if (file->fd < 0)
    file->fd = open(file->path, O_RDWR | O_CLOEXEC);
  return file->fd >= 0
             ? 0
             : error_set(error, ERROR_StorageFailure, "what was fetched cannot be opened: %s", strerror(errno));
}

/* An address with a query may be one that was signed for somebody: then its bytes do not lie beside others'. */
static bool may_share(const struct fetch_file *file)
{
  return strchr(file->url, '?') == NULL;
}

int fetch_cache_write(struct fetch_cache *cache, struct fetch_file *file, uint64_t offset, const char *bytes,
                      size_t length, struct error *error)
{
  if (file->path[0] == '\0' && offset + length <= FETCH_SLOT_BYTES && may_share(file)) {
    if (!file->has_slot)
      file->slot = fetch_slots_take(&cache->slots);
    file->has_slot = true;
    return write_all(cache->slots.fd, bytes, length, file->slot + offset, error);
  }
  return fetch_cache_own(cache, file, error) == 0 ? write_all(file->fd, bytes, length, offset, error) : -1;
}

int fetch_file_set_size(struct fetch_file *file, uint64_t size, struct error *error)
{
  if (size > longest_file)
    return error_set(error, ERROR_FileSizeExceeded, "%.200s has %" PRIu64 " bytes, more than are read", file->url,
                     size);
  file->page_count = (size_t)((size + REMOTE_PAGE - 1) / REMOTE_PAGE);
  free(file->pages);
  file->pages = calloc(file->page_count + 1, 1);
  file->size = size;
  if (!file->pages)
    return error_memory(error);
  return file->fd < 0 || ftruncate(file->fd, (off_t)size) == 0 ? 0 : cannot_store(error);
}

void fetch_file_mark(struct fetch_file *file, size_t first, size_t end, enum fetch_page state)
{
  memset(file->pages + first, state, end - first);
  file->is_complete = state == PAGE_THERE;
  for (size_t i = 0; i < file->page_count && file->is_complete; i++)
    file->is_complete = file->pages[i] == PAGE_THERE;
}
