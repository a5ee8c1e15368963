#include "datacube/source/zarr_place.h"

#include "datacube/base/hash.h"
#include "datacube/base/rooted_path.h"
#include "datacube/remote/remote_file.h"
#include "datacube/remote/remote_states.h"
#include "datacube/source/block_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool zarr_place_is_remote(const char *path)
{
  return remote_is(path) && path[strlen(path) - 1] == '/';
}

const char *zarr_place_names(const char *path)
{
  const char *found = zarr_place_is_remote(path) ? strstr(path, ZARR_PLACE_NAMES) : NULL;
  return found ? found + sizeof ZARR_PLACE_NAMES - 1 : NULL;
}

int zarr_place_open(const char *path, const struct zarr_references *references, struct zarr_place *out,
                    struct error *error)
{
  path = references ? references->folder : path;
  *out = (struct zarr_place){.root = -1, .path = path, .references = references};
  if (remote_is(path))
    return 0;
  out->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return out->root >= 0 ? 0
                        : error_set(error, ERROR_FileContentInvalid, "%s cannot be opened: %s", path, strerror(errno));
}

void zarr_place_close(struct zarr_place *place)
{
  if (place->root >= 0)
    close(place->root);
  place->root = -1;
}

/* False where the name is too long. */
static bool full_name(const struct zarr_place *place, const char *name, char out[REMOTE_URL_SIZE])
{
  const char *names = zarr_place_names(place->path);
  const size_t length = names ? (size_t)(names - place->path) - (sizeof ZARR_PLACE_NAMES - 2) : strlen(place->path);
  return snprintf(out, REMOTE_URL_SIZE, "%.*s%s", (int)length, place->path, name) < REMOTE_URL_SIZE;
}

/* What is known of one that was opened; its state goes on from that of what leads there. */
static void note_remote(struct zarr_file *out, const char *path, struct hash state)
{
  hash_text(&state, path);
  hash_text(&state, remote_validator(out->remote));
  out->size = remote_size(out->remote);
  out->state = state.a;
}

static int open_remote(const struct zarr_place *place, const char *name, uint64_t most, struct zarr_file *out,
                       struct error *error)
{
  char path[REMOTE_URL_SIZE];
  struct error reason = {0};
  if (!full_name(place, name, path))
    return -1;
  const int status =
      most > 0 ? remote_open_whole(path, most, &out->remote, &reason) : remote_open(path, &out->remote, &reason);
  if (status != 0) {
    if (error_is(&reason, ERROR_FileNotFound))
      return 0;
    *error = error_is_set(error) ? *error : reason;
    return -1;
  }
  note_remote(out, path, (struct hash){0, 0});
  return 1;
}

/* ---- references -------------------------------------------------------------------------------------------------- */

static uint64_t target_state(const struct zarr_place *place, const struct zarr_reference *row,
                             const struct stat *status)
{
  return block_file_id(row->target, status, hash_mix(place->references->state ^ hash_mix(row->at)) ^ row->length);
}

/* Targets come in runs, and are told apart by their names in the table. */
static int open_kept(struct zarr_kept *kept, const char *target, struct zarr_file *out, struct error *error)
{
  if (kept && kept->file && kept->target != target) {
    remote_close(kept->file);
    *kept = (struct zarr_kept){.file = NULL};
  }
  if ((!kept || !kept->file) && remote_open(target, &out->remote, error) != 0)
    return -1;
  if (!kept)
    return 0;
  if (!kept->file) {
    kept->file = out->remote;
    kept->target = target;
  }
  out->remote = kept->file;
  out->kept = kept;
  return 0;
}

/* A file that is referred to must be there, and be as long as that. */
static int open_target(const struct zarr_place *place, const struct zarr_reference *row, struct zarr_file *out,
                       struct error *error)
{
  struct stat status;
  if (remote_is(row->target)) {
    if (open_kept(place->kept, row->target, out, error) != 0)
      return -1;
    note_remote(out, row->target, (struct hash){place->references->state, row->at});
    return 0;
  }
  out->descriptor = rooted_open(place->root, row->target, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (out->descriptor < 0 || fstat(out->descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return error_set(error, ERROR_FileContentInvalid, "%.200s, to which %.100s refers, cannot be opened", row->target,
                     row->key);
  out->size = (uint64_t)status.st_size;
  out->state = target_state(place, row, &status);
  return 0;
}

static int open_reference(const struct zarr_place *place, const char *name, struct zarr_file *out, struct error *error)
{
  const struct zarr_reference *row = zarr_references_find(place->references, name);
  struct error reason = {0};
  if (!row)
    return 0;
  out->bytes = row->bytes;
  out->size = row->length;
  out->state = place->references->state;
  out->skipped = row->skipped;
  out->part = row->part;
  if (row->bytes)
    return 1;
  int status = open_target(place, row, out, &reason);
  if (status == 0 && (row->at > out->size || (row->length != UINT64_MAX && row->length > out->size - row->at)))
    status = error_set(&reason, ERROR_FileContentInvalid, "%.100s refers to bytes behind the end of %.200s", row->key,
                       remote_url(row->target));
  if (status != 0) {
    zarr_file_close(out);
    *error = error_is_set(error) ? *error : reason;
    return -1;
  }
  out->start = row->at;
  out->size = row->length != UINT64_MAX ? row->length : out->size;
  return 1;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

int zarr_file_open(const struct zarr_place *place, const char *name, uint64_t most, struct zarr_file *out,
                   struct error *error)
{
  struct stat status;
  *out = (struct zarr_file){.descriptor = -1};
  if (place->references)
    return open_reference(place, name, out, error);
  if (zarr_place_is_remote(place->path))
    return open_remote(place, name, most, out, error);
  out->descriptor = rooted_open(place->root, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (out->descriptor < 0)
    return errno == ENOENT ? 0 : -1;
  if (fstat(out->descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 0) {
    zarr_file_close(out);
    return -1;
  }
  out->size = (uint64_t)status.st_size;
  out->state = block_file_id("", &status, out->size);
  return 1;
}

int zarr_file_open_path(const char *path, struct zarr_file *out, struct error *error)
{
  struct stat status;
  *out = (struct zarr_file){.descriptor = -1};
  if (remote_is(path)) {
    if (remote_open(path, &out->remote, error) != 0)
      return -1;
    note_remote(out, path, (struct hash){0, 0});
    return 1;
  }
  out->descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (out->descriptor < 0 || fstat(out->descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    zarr_file_close(out);
    return 0;
  }
  out->size = (uint64_t)status.st_size;
  out->state = block_file_id(path, &status, 0);
  return 1;
}

void zarr_file_close(struct zarr_file *file)
{
  if (file->remote && !file->kept)
    remote_close(file->remote); /* with its descriptor */
  else if (!file->remote && file->descriptor >= 0)
    close(file->descriptor);
  *file = (struct zarr_file){.descriptor = -1};
}

static int need(const struct zarr_file *file, const struct remote_range *range, struct error *error)
{
  struct zarr_kept *kept = file->kept;
  if (!kept || kept->ahead_count == 0)
    return remote_need(file->remote, range, 1, error);
  if (kept->ahead_count == REMOTE_RANGES_MOST)
    kept->ahead_count--;
  kept->ahead[kept->ahead_count] = *range;
  const size_t count = kept->ahead_count + 1;
  kept->ahead_count = 0;
  return remote_need(file->remote, kept->ahead, count, error);
}

bool zarr_file_read(const struct zarr_file *file, uint64_t at, size_t length, void *to, struct error *error)
{
  if (file->bytes) {
    const bool is_within = at <= file->size && length <= file->size - at;
    if (is_within)
      memcpy(to, file->bytes + at, length);
    return is_within;
  }
  at += file->start;
  if (file->remote && length > 0 && need(file, &(struct remote_range){at, length}, error) != 0)
    return false;
  for (size_t done = 0; done < length;) {
    const ssize_t got = file->remote ? remote_read(file->remote, (char *)to + done, length - done, at + done)
                                     : pread(file->descriptor, (char *)to + done, length - done, (off_t)(at + done));
    if (got == 0 || (got < 0 && errno != EINTR))
      return false;
    done += got > 0 ? (size_t)got : 0;
  }
  return true;
}

bool zarr_file_is_remote(const struct zarr_place *place, const char *name)
{
  if (!place->references)
    return zarr_place_is_remote(place->path);
  const struct zarr_reference *row = zarr_references_find(place->references, name);
  return row && row->target && remote_is(row->target);
}

static bool note_ahead(const struct zarr_place *place, const struct zarr_reference *row)
{
  struct zarr_kept *kept = place->kept;
  if (!row || !row->target || !remote_is(row->target))
    return true;
  struct zarr_file first = {.descriptor = -1};
  struct error ignored = {0};
  if (kept && !kept->file)
    open_kept(kept, row->target, &first, &ignored); /* what fails is told to whoever reads it */
  if (!kept || kept->target != row->target)
    return remote_prefetch(row->target, 0);
  const uint64_t size = remote_size(kept->file);
  if (row->length > 0 && row->at < size && row->length <= size - row->at && kept->ahead_count < REMOTE_RANGES_MOST)
    kept->ahead[kept->ahead_count++] = (struct remote_range){row->at, row->length};
  return true;
}

bool zarr_file_ahead(const struct zarr_place *place, const char *name, uint64_t most)
{
  char path[REMOTE_URL_SIZE];
  if (place->references)
    return note_ahead(place, zarr_references_find(place->references, name));
  return !zarr_place_is_remote(place->path) || !full_name(place, name, path) || remote_prefetch(path, most);
}

/* What the work at hand has read of another host is of one state for as long as it goes on. */
static uint64_t remote_state(const struct zarr_place *place, const char *name)
{
  struct buffer work = {0};
  struct hash state = {0, 0};
  remote_states_identity("", &work);
  hash_text(&state, work.failed ? "" : work.data);
  hash_text(&state, place->path);
  hash_text(&state, name);
  buffer_free(&work);
  return state.a;
}

uint64_t zarr_remote_state(const char *path)
{
  return remote_state(&(struct zarr_place){.path = ""}, path);
}

uint64_t zarr_file_state(const struct zarr_place *place, const char *name)
{
  struct stat status;
  const struct zarr_reference *row = place->references ? zarr_references_find(place->references, name) : NULL;
  if (row && row->target && remote_is(row->target))
    return remote_state(place, row->target) ^ hash_mix(place->references->state ^ hash_mix(row->at)) ^ row->length;
  if (place->references) {
    if (!row || !row->target)
      return place->references->state;
    return target_state(place, row,
                        fstatat(place->root, row->target, &status, AT_SYMLINK_NOFOLLOW) == 0 ? &status : NULL);
  }
  if (zarr_place_is_remote(place->path))
    return remote_state(place, name);
  return block_file_id(name, fstatat(place->root, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? &status : NULL, 0);
}
