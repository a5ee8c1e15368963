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

int zarr_place_open(const char *path, struct zarr_place *out, struct error *error)
{
  *out = (struct zarr_place){-1, path};
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
  *out = (struct zarr_file){remote_descriptor(out->remote), remote_size(out->remote), state.a, out->remote};
  return 1;
}

int zarr_file_open(const struct zarr_place *place, const char *name, uint64_t most, struct zarr_file *out,
                   struct error *error)
{
  struct stat status;
  *out = (struct zarr_file){.descriptor = -1};
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

bool zarr_file_ahead(const struct zarr_place *place, const char *name, uint64_t most)
{
  char path[REMOTE_URL_SIZE];
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
  if (zarr_place_is_remote(place->path))
    return remote_state(place, name);
  return block_file_id(name, fstatat(place->root, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? &status : NULL, 0);
}
