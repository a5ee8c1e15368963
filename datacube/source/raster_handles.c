/* Open files of one reader. See raster_handles.h. */
#include "datacube/source/raster_handles.h"

#include "datacube/remote/remote_file.h"
#include "datacube/source/raster_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEAD_BYTES = 64 << 10 };

int raster_handles_init(struct raster_handles *h, const char *const *paths, size_t count, struct error *error)
{
  *h = (struct raster_handles){.paths = paths};
  h->slot_of_file = calloc(count, sizeof *h->slot_of_file);
  if (!h->slot_of_file)
    return error_memory(error);
  for (size_t i = 0; i < count; i++)
    h->slot_of_file[i] = SIZE_MAX;
  return tiff_blocks_new(&h->blocks, error);
}

static void close_slot(struct raster_handles *h, size_t slot)
{
  if (!h->slots[slot].is_open)
    return;
  raster_quiet_begin();
  tiff_file_close(h->slots[slot].tiff);
  raster_levels_free(h->slots[slot].levels);
  if (h->slots[slot].dataset)
    GDALClose(h->slots[slot].dataset);
  raster_quiet_end();
  h->slot_of_file[h->slots[slot].file] = SIZE_MAX;
  h->slots[slot] = (struct raster_handle){.is_open = false};
}

void raster_handles_free(struct raster_handles *h)
{
  for (size_t i = 0; i < RASTER_OPEN_FILES; i++)
    close_slot(h, i);
  tiff_blocks_free(h->blocks);
  free(h->slot_of_file);
}

static size_t longest_unused(const struct raster_handles *h)
{
  size_t best = 0;
  for (size_t i = 0; i < RASTER_OPEN_FILES; i++) {
    if (!h->slots[i].is_open)
      return i;
    if (h->slots[i].used < h->slots[best].used)
      best = i;
  }
  return best;
}

/* Opens a file; where that fails, once more with all others closed, for the process may be out of descriptors. */
static int open_file(struct raster_handles *h, const char *path, GDALDatasetH *out, struct error *error)
{
  struct error first = {.code = ""};
  if (raster_open(path, ERROR_FileContentInvalid, out, &first) == 0)
    return 0;
  for (size_t i = 0; i < RASTER_OPEN_FILES; i++)
    close_slot(h, i);
  return raster_open(path, ERROR_FileContentInvalid, out, error);
}

/* Puts a file into the slot that is longest unused. */
static const struct raster_handle *keep(struct raster_handles *h, const struct raster_handle *opened)
{
  const size_t slot = longest_unused(h);
  close_slot(h, slot);
  h->slots[slot] = *opened;
  h->slots[slot].is_open = true;
  h->slots[slot].used = ++h->clock;
  h->slot_of_file[opened->file] = slot;
  return &h->slots[slot];
}

const struct raster_handle *raster_handles_image(struct raster_handles *h, size_t file)
{
  const size_t slot = h->slot_of_file[file];
  if (slot != SIZE_MAX) {
    h->slots[slot].used = ++h->clock;
    return h->slots[slot].dataset ? NULL : &h->slots[slot];
  }
  struct raster_handle opened = {.file = file};
  opened.tiff = tiff_file_open_image(h->paths[file], &opened.image);
  return opened.tiff ? keep(h, &opened) : NULL;
}

int raster_handles_get(struct raster_handles *h, size_t file, const struct raster_handle **out, struct error *error)
{
  const size_t slot = h->slot_of_file[file];
  if (slot != SIZE_MAX && h->slots[slot].dataset) {
    h->slots[slot].used = ++h->clock;
    *out = &h->slots[slot];
    return 0;
  }
  if (slot != SIZE_MAX)
    close_slot(h, slot);
  struct raster_handle opened = {.file = file};
  const char *path = h->paths[file];
  if (open_file(h, path, &opened.dataset, error))
    return -1;
  opened.tiff = tiff_file_open(opened.dataset, path);
  opened.levels = raster_levels_new(opened.dataset, path);
  *out = keep(h, &opened);
  return 0;
}

void raster_handles_ahead(const struct raster_handles *h, size_t file)
{
  if (h->slot_of_file[file] != SIZE_MAX)
    return;
  if (remote_is(h->paths[file])) {
    remote_prefetch(h->paths[file], 0);
    return;
  }
  const int descriptor = open(h->paths[file], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0)
    return;
  posix_fadvise(descriptor, 0, HEAD_BYTES, POSIX_FADV_WILLNEED);
  close(descriptor);
}
