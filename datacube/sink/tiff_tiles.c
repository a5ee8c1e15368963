/* Writing the pixel data of a TIFF. See the header for the idea.
 *
 * Adaptive compression: results of band arithmetic are mostly float noise that deflate shrinks by a quarter at
 * 100 MB/s, which would take longer than everything before it. What pays are masks, classes and areas without data. So
 * a hundredth of each tile is compressed on trial, and a tile that does not promise to shrink to a quarter is stored in
 * its deflate stream, which costs as much as a copy. */
#include "datacube/sink/tiff_tiles.h"

#include "datacube/base/checked.h"
#include "datacube/sink/output.h"

#include <libdeflate.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_BYTES = 4096, SAMPLES = 3 };

struct scratch { /* what encoding one tile takes; in the free list or with one caller */
  struct scratch *next;
  char *tile, *predicted, *packed;
  size_t packed_room;
  struct libdeflate_compressor *compressor, *store;
};

struct pending { /* a tile of which a part has come */
  char *data;    /* NULL: nothing has come, or it is written */
  size_t pixels; /* so many have come */
};

struct tiff_tiles {
  struct tiff_shape shape;
  int file;
  size_t across, down, count; /* tiles a row, a column, in all */
  size_t tile_bytes;
  _Atomic uint64_t end; /* of the file */
  uint64_t *offsets, *lengths;
  struct statistics *statistics; /* of each tile's pixels */
  pthread_mutex_t lock;          /* guards what follows */
  struct pending *pending;
  struct scratch *free_scratch;
};

static void scratch_free(struct scratch *scratch)
{
  if (scratch == NULL)
    return;
  free(scratch->tile);
  free(scratch->predicted);
  free(scratch->packed);
  libdeflate_free_compressor(scratch->compressor);
  libdeflate_free_compressor(scratch->store);
  free(scratch);
}

static struct scratch *scratch_new(const struct tiff_tiles *tiles)
{
  struct scratch *s = calloc(1, sizeof *s);
  if (s == NULL)
    return NULL;
  s->tile = malloc(tiles->tile_bytes);
  s->predicted = malloc(tiles->tile_bytes);
  bool whole = s->tile != NULL && s->predicted != NULL;
  if (tiles->shape.level > 0) {
    s->compressor = libdeflate_alloc_compressor(tiles->shape.level);
    s->store = libdeflate_alloc_compressor(0);
    if (s->compressor != NULL && s->store != NULL) {
      size_t packed = libdeflate_zlib_compress_bound(s->compressor, tiles->tile_bytes);
      size_t stored = libdeflate_zlib_compress_bound(s->store, tiles->tile_bytes);
      s->packed_room = packed > stored ? packed : stored;
      s->packed = malloc(s->packed_room);
    }
    whole = whole && s->packed != NULL;
  }
  if (whole)
    return s;
  scratch_free(s);
  return NULL;
}

static struct scratch *scratch_take(struct tiff_tiles *tiles, struct error *error)
{
  pthread_mutex_lock(&tiles->lock);
  struct scratch *s = tiles->free_scratch;
  if (s != NULL)
    tiles->free_scratch = s->next;
  pthread_mutex_unlock(&tiles->lock);
  if (s == NULL)
    s = scratch_new(tiles);
  if (s == NULL)
    error_memory(error);
  return s;
}

static void scratch_return(struct tiff_tiles *tiles, struct scratch *scratch)
{
  pthread_mutex_lock(&tiles->lock);
  scratch->next = tiles->free_scratch;
  tiles->free_scratch = scratch;
  pthread_mutex_unlock(&tiles->lock);
}

int tiff_tiles_new(const struct tiff_shape *shape, int file, uint64_t start, struct tiff_tiles **out,
                   struct error *error)
{
  *out = NULL;
  struct tiff_tiles *tiles = calloc(1, sizeof *tiles);
  if (tiles == NULL)
    return error_memory(error);
  tiles->shape = *shape;
  tiles->file = file;
  atomic_init(&tiles->end, (start + 1) & ~(uint64_t)1);
  tiles->across = (shape->width + shape->tile_width - 1) / shape->tile_width;
  tiles->down = (shape->height + shape->tile_height - 1) / shape->tile_height;
  pthread_mutex_init(&tiles->lock, NULL);
  size_t pixels;
  if (checked_mul(tiles->across, tiles->down, &tiles->count) != 0 ||
      checked_mul(tiles->count, shape->planes, &tiles->count) != 0 ||
      checked_mul(shape->tile_width, shape->tile_height, &pixels) != 0 ||
      checked_mul(pixels, shape->element_size, &tiles->tile_bytes) != 0)
    goto no_memory;
  tiles->offsets = calloc(tiles->count, sizeof *tiles->offsets);
  tiles->lengths = calloc(tiles->count, sizeof *tiles->lengths);
  tiles->statistics = calloc(tiles->count, sizeof *tiles->statistics);
  tiles->pending = calloc(tiles->count, sizeof *tiles->pending);
  if (tiles->offsets == NULL || tiles->lengths == NULL || tiles->statistics == NULL || tiles->pending == NULL)
    goto no_memory;
  *out = tiles;
  return 0;
no_memory:
  tiff_tiles_free(tiles);
  return error_memory(error);
}

void tiff_tiles_free(struct tiff_tiles *tiles)
{
  if (tiles == NULL)
    return;
  for (size_t i = 0; tiles->pending != NULL && i < tiles->count; i++)
    free(tiles->pending[i].data);
  while (tiles->free_scratch != NULL) {
    struct scratch *next = tiles->free_scratch->next;
    scratch_free(tiles->free_scratch);
    tiles->free_scratch = next;
  }
  pthread_mutex_destroy(&tiles->lock);
  free(tiles->pending);
  free(tiles->offsets);
  free(tiles->lengths);
  free(tiles->statistics);
  free(tiles);
}

/* Pixels of the picture in a tile: less than its size at the right and lower edge. */
static void tile_valid(const struct tiff_tiles *tiles, size_t tile, size_t *width, size_t *height)
{
  const struct tiff_shape *s = &tiles->shape;
  size_t left = tile % tiles->across * s->tile_width;
  size_t top = tile / tiles->across % tiles->down * s->tile_height;
  *width = s->width - left < s->tile_width ? s->width - left : s->tile_width;
  *height = s->height - top < s->tile_height ? s->height - top : s->tile_height;
}

/* Whether a tile promises to shrink to a quarter: from pieces spread over it. */
static bool worth_compressing(struct scratch *scratch, const char *data, size_t bytes)
{
  if (bytes < 8 * SAMPLES * SAMPLE_BYTES)
    return true;
  size_t packed = 0;
  for (size_t i = 0; i < SAMPLES; i++) {
    size_t at = bytes * (2 * i + 1) / (2 * SAMPLES) / SAMPLE_BYTES * SAMPLE_BYTES;
    packed +=
        libdeflate_zlib_compress(scratch->compressor, data + at, SAMPLE_BYTES, scratch->packed, scratch->packed_room);
  }
  return packed * 4 < SAMPLES * SAMPLE_BYTES;
}

static void look_at_tile(struct tiff_tiles *tiles, size_t tile, const char *data, size_t width, size_t height)
{
  const struct tiff_shape *s = &tiles->shape;
  for (size_t row = 0; statistics_possible(s->rule.type) && row < height; row++)
    statistics_add(&tiles->statistics[tile], &s->rule, data + row * s->tile_width * s->element_size, width);
}

/* Encodes the tile at data and writes it at the end of the file. */
static int write_tile(struct tiff_tiles *tiles, struct scratch *scratch, size_t tile, const char *data,
                      struct error *error)
{
  const struct tiff_shape *s = &tiles->shape;
  size_t width, rows;
  tile_valid(tiles, tile, &width, &rows);
  look_at_tile(tiles, tile, data, width, rows);
  if (!s->strips)
    rows = s->tile_height;
  size_t length = s->tile_width * rows * s->element_size;
  if (s->predictor != PREDICTOR_NONE) {
    predictor_encode(s->predictor, data, rows, s->tile_width, s->element_size, scratch->predicted);
    data = scratch->predicted;
  }
  if (s->level > 0) {
    bool pack = !s->adaptive || worth_compressing(scratch, data, length);
    length = libdeflate_zlib_compress(pack ? scratch->compressor : scratch->store, data, length, scratch->packed,
                                      scratch->packed_room);
    data = scratch->packed;
  }
  uint64_t offset = atomic_fetch_add(&tiles->end, (length + 1) & ~(uint64_t)1);
  tiles->offsets[tile] = offset;
  tiles->lengths[tile] = length;
  return output_write_at(tiles->file, data, length, offset, error);
}

static void fill_tile(const struct tiff_tiles *tiles, char *data)
{
  size_t size = tiles->shape.element_size;
  memcpy(data, tiles->shape.fill, size);
  for (size_t done = size; done < tiles->tile_bytes;) {
    size_t n = done < tiles->tile_bytes - done ? done : tiles->tile_bytes - done;
    memcpy(data + done, data, n);
    done += n;
  }
}

struct patch { /* part of a view that lies in one tile */
  size_t tile;
  size_t column, row, width, height; /* in the tile */
  const char *data;
};

static void copy_patch(const struct tiff_tiles *tiles, const struct plane_view *view, const struct patch *patch,
                       char *tile)
{
  size_t size = tiles->shape.element_size;
  for (size_t r = 0; r < patch->height; r++) {
    char *to = tile + ((patch->row + r) * tiles->shape.tile_width + patch->column) * size;
    const char *from = patch->data + view->row_stride * (ptrdiff_t)r;
    if (view->column_stride == (ptrdiff_t)size) {
      memcpy(to, from, patch->width * size);
      continue;
    }
    for (size_t c = 0; c < patch->width; c++)
      memcpy(to + c * size, from + view->column_stride * (ptrdiff_t)c, size);
  }
}

/* Adds a part of a tile to what waits; *whole becomes the tile's buffer, the caller's now, once all has come. */
static int add_pending(struct tiff_tiles *tiles, const struct plane_view *view, const struct patch *patch, size_t valid,
                       char **whole, struct error *error)
{
  struct pending *pending = &tiles->pending[patch->tile];
  pthread_mutex_lock(&tiles->lock);
  if (pending->data == NULL && (pending->data = malloc(tiles->tile_bytes)) != NULL)
    fill_tile(tiles, pending->data);
  char *data = pending->data;
  pthread_mutex_unlock(&tiles->lock);
  if (data == NULL)
    return error_memory(error);
  copy_patch(tiles, view, patch, data);
  pthread_mutex_lock(&tiles->lock);
  pending->pixels += patch->width * patch->height;
  if (pending->pixels >= valid) {
    *whole = pending->data;
    pending->data = NULL;
  }
  pthread_mutex_unlock(&tiles->lock);
  return 0;
}

static int put_patch(struct tiff_tiles *tiles, struct scratch *scratch, const struct plane_view *view,
                     const struct patch *patch, struct error *error)
{
  size_t width, height;
  tile_valid(tiles, patch->tile, &width, &height);
  if (patch->width == width && patch->height == height) {
    if (width < tiles->shape.tile_width || height < tiles->shape.tile_height)
      fill_tile(tiles, scratch->tile);
    copy_patch(tiles, view, patch, scratch->tile);
    return write_tile(tiles, scratch, patch->tile, scratch->tile, error);
  }
  char *whole = NULL;
  if (add_pending(tiles, view, patch, width * height, &whole, error) != 0)
    return -1;
  int status = whole == NULL ? 0 : write_tile(tiles, scratch, patch->tile, whole, error);
  free(whole);
  return status;
}

static size_t smaller(size_t a, size_t b)
{
  return a < b ? a : b;
}

int tiff_tiles_put(struct tiff_tiles *tiles, const struct plane_view *view, struct error *error)
{
  const struct tiff_shape *s = &tiles->shape;
  struct scratch *scratch = scratch_take(tiles, error);
  if (scratch == NULL)
    return -1;
  int status = 0;
  for (size_t row = view->row; row < view->row + view->height && status == 0;) {
    size_t rows = smaller(s->tile_height - row % s->tile_height, view->row + view->height - row);
    for (size_t column = view->column; column < view->column + view->width && status == 0;) {
      size_t columns = smaller(s->tile_width - column % s->tile_width, view->column + view->width - column);
      struct patch patch = {
          .tile = (view->plane * tiles->down + row / s->tile_height) * tiles->across + column / s->tile_width,
          .column = column % s->tile_width,
          .row = row % s->tile_height,
          .width = columns,
          .height = rows,
          .data = view->data + (ptrdiff_t)(row - view->row) * view->row_stride +
                  (ptrdiff_t)(column - view->column) * view->column_stride,
      };
      status = put_patch(tiles, scratch, view, &patch, error);
      column += columns;
    }
    row += rows;
  }
  scratch_return(tiles, scratch);
  return status;
}

int tiff_tiles_flush(struct tiff_tiles *tiles, struct error *error)
{
  struct scratch *scratch = scratch_take(tiles, error);
  if (scratch == NULL)
    return -1;
  int status = 0;
  for (size_t i = 0; i < tiles->count && status == 0; i++) {
    if (tiles->pending[i].data == NULL)
      continue;
    status = write_tile(tiles, scratch, i, tiles->pending[i].data, error);
    free(tiles->pending[i].data);
    tiles->pending[i].data = NULL;
  }
  scratch_return(tiles, scratch);
  return status;
}

void tiff_tiles_statistics(const struct tiff_tiles *tiles, size_t plane, struct statistics *out)
{
  size_t count = tiles->across * tiles->down;
  *out = (struct statistics){0};
  for (size_t i = plane * count; i < (plane + 1) * count; i++)
    statistics_merge(out, &tiles->statistics[i]);
}

size_t tiff_tiles_count(const struct tiff_tiles *tiles)
{
  return tiles->count;
}

const uint64_t *tiff_tiles_offsets(const struct tiff_tiles *tiles)
{
  return tiles->offsets;
}

const uint64_t *tiff_tiles_lengths(const struct tiff_tiles *tiles)
{
  return tiles->lengths;
}
