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

int zarr_place_open(const char *path, const struct zarr_references *references, struct zarr_place *out,
                    struct error *error)
{
  path = references ? references->folder : path;
  *out = (struct zarr_place){-1, path, references};
  if (zarr_place_is_remote(path))
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
  return snprintf(out, REMOTE_URL_SIZE, "%s%s", place->path, name) < REMOTE_URL_SIZE;
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
  struct hash state = {0, 0};
  hash_text(&state, path);
  hash_text(&state, remote_validator(out->remote));
  out->descriptor = remote_descriptor(out->remote);
  out->size = remote_size(out->remote);
  out->state = state.a;
  return 1;
}

/* ---- references -------------------------------------------------------------------------------------------------- */

static uint64_t target_state(const struct zarr_place *place, const struct zarr_reference *row,
                             const struct stat *status)
{
  return block_file_id(row->target, status, hash_mix(place->references->state ^ hash_mix(row->at)) ^ row->length);
}

/* A file that is referred to must be there, and be as long as that. */
static int open_target(const struct zarr_place *place, const struct zarr_reference *row, struct zarr_file *out,
                       struct error *error)
{
  struct stat status;
  if (remote_is(row->target)) {
    if (remote_open(row->target, &out->remote, error) != 0)
      return -1;
    struct hash state = {place->references->state, row->at};
    hash_text(&state, row->target);
    hash_text(&state, remote_validator(out->remote));
    out->descriptor = remote_descriptor(out->remote);
    out->size = remote_size(out->remote);
    out->state = state.a;
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

void zarr_file_close(struct zarr_file *file)
{
  if (file->remote)
    remote_close(file->remote); /* with its descriptor */
  else if (file->descriptor >= 0)
    close(file->descriptor);
  *file = (struct zarr_file){.descriptor = -1};
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
  const struct remote_range range = {at, length};
  if (file->remote && length > 0 && remote_need(file->remote, &range, 1, error) != 0)
    return false;
  for (size_t done = 0; done < length;) {
    const ssize_t got = pread(file->descriptor, (char *)to + done, length - done, (off_t)(at + done));
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

bool zarr_file_ahead(const struct zarr_place *place, const char *name, uint64_t most)
{
  char path[REMOTE_URL_SIZE];
  if (place->references)
    return !zarr_file_is_remote(place, name) ||
           remote_prefetch(zarr_references_find(place->references, name)->target, 0);
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

uint64_t zarr_file_state(const struct zarr_place *place, const char *name)
{
  struct stat status;
  if (zarr_file_is_remote(place, name))
    return remote_state(place, name);
  if (place->references) {
    const struct zarr_reference *row = zarr_references_find(place->references, name);
    if (!row || !row->target)
      return place->references->state;
    return target_state(place, row,
                        fstatat(place->root, row->target, &status, AT_SYMLINK_NOFOLLOW) == 0 ? &status : NULL);
  }
  return block_file_id(name, fstatat(place->root, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? &status : NULL, 0);
}
