/* Writing the pixel data of a TIFF. See the header for the idea.
 *
 * Adaptive compression: results of band arithmetic are mostly float noise that deflate shrinks by a quarter at
 * 100 MB/s, which would take longer than everything before it. What pays are masks, classes and areas without data. So
 * a hundredth of each tile is compressed on trial, and a tile that does not promise to shrink to a quarter is stored in
 * its deflate stream, which costs as much as a copy. */
#include "datacube/sink/tiff_tiles.h"

#include "datacube/base/checked.h"
#include "datacube/sink/output.h"
#include "datacube/sink/rooms.h"

#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_BYTES = 4096, SAMPLES = 3 };

struct scratch { /* what encoding one tile takes; in the free list or with one caller */
  struct scratch *next;
  char *tile, *predicted;
  struct libdeflate_compressor *compressor, *store;
};

struct tile_slot { /* a tile on its way */
  char *data;      /* pixels of which a part has come, or NULL */
  size_t pixels;   /* so many have come */
  size_t placed;   /* so many were placed */
  char *bytes;     /* encoded, to be written: kept in a room; or NULL */
  size_t length;
};

struct tiff_tiles {
  struct tiff_shape shape;
  int file;
  size_t across, down, count; /* tiles a row, a column, in all */
  size_t tile_bytes;
  uint64_t end; /* of the file: moved by who places */
  uint64_t *offsets, *lengths;
  struct statistics *statistics; /* of each tile's pixels */
  struct rooms rooms;            /* for encoded tiles */
  struct tile_slot *slots;
  pthread_mutex_t lock; /* guards what follows, and data and pixels of the slots */
  struct scratch *free_scratch;
};

static void scratch_free(struct scratch *scratch)
{
  if (scratch == NULL)
    return;
  free(scratch->tile);
  free(scratch->predicted);
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
    whole = whole && s->compressor != NULL && s->store != NULL;
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
  tiles->end = (start + 1) & ~(uint64_t)1;
  tiles->across = (shape->width + shape->tile_width - 1) / shape->tile_width;
  tiles->down = (shape->height + shape->tile_height - 1) / shape->tile_height;
  pthread_mutex_init(&tiles->lock, NULL);
  rooms_begin(&tiles->rooms, 0);
  size_t pixels;
  if (checked_mul(tiles->across, tiles->down, &tiles->count) != 0 ||
      checked_mul(tiles->count, shape->planes, &tiles->count) != 0 ||
      checked_mul(shape->tile_width, shape->tile_height, &pixels) != 0 ||
      checked_mul(pixels, shape->element_size, &tiles->tile_bytes) != 0)
    goto no_memory;
  tiles->rooms.bytes = libdeflate_zlib_compress_bound(NULL, tiles->tile_bytes);
  tiles->offsets = calloc(tiles->count, sizeof *tiles->offsets);
  tiles->lengths = calloc(tiles->count, sizeof *tiles->lengths);
  tiles->statistics = calloc(tiles->count, sizeof *tiles->statistics);
  tiles->slots = calloc(tiles->count, sizeof *tiles->slots);
  if (tiles->offsets == NULL || tiles->lengths == NULL || tiles->statistics == NULL || tiles->slots == NULL)
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
  for (size_t i = 0; tiles->slots != NULL && i < tiles->count; i++) {
    free(tiles->slots[i].data);
    if (tiles->slots[i].bytes != NULL)
      rooms_release(&tiles->rooms, tiles->slots[i].bytes, tiles->slots[i].length);
  }
  while (tiles->free_scratch != NULL) {
    struct scratch *next = tiles->free_scratch->next;
    scratch_free(tiles->free_scratch);
    tiles->free_scratch = next;
  }
  rooms_end(&tiles->rooms);
  pthread_mutex_destroy(&tiles->lock);
  free(tiles->slots);
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

/* Whether a tile promises to shrink to a quarter: from pieces spread over it, packed into the room for a try. */
static bool worth_compressing(struct scratch *scratch, const char *data, size_t bytes, char *room)
{
  if (bytes < 8 * SAMPLES * SAMPLE_BYTES)
    return true;
  size_t packed = 0;
  for (size_t i = 0; i < SAMPLES; i++) {
    size_t at = bytes * (2 * i + 1) / (2 * SAMPLES) / SAMPLE_BYTES * SAMPLE_BYTES;
    packed += libdeflate_zlib_compress(scratch->compressor, data + at, SAMPLE_BYTES, room, 2 * SAMPLE_BYTES);
  }
  return packed * 4 < SAMPLES * SAMPLE_BYTES;
}

static void look_at_tile(struct tiff_tiles *tiles, size_t tile, const char *data, size_t width, size_t height)
{
  const struct tiff_shape *s = &tiles->shape;
  for (size_t row = 0; statistics_possible(s->rule.type) && row < height; row++)
    statistics_add(&tiles->statistics[tile], &s->rule, data + row * s->tile_width * s->element_size, width);
}

/* Encodes the tile at data into the room; the bytes that it fills. */
static size_t encode(const struct tiff_tiles *tiles, struct scratch *scratch, size_t rows, const char *data, char *room)
{
  const struct tiff_shape *s = &tiles->shape;
  size_t length = s->tile_width * rows * s->element_size;
  if (s->predictor != PREDICTOR_NONE) {
    predictor_encode(s->predictor, data, rows, s->tile_width, s->element_size, scratch->predicted);
    data = scratch->predicted;
  }
  if (s->level == 0) {
    memcpy(room, data, length);
    return length;
  }
  bool pack = !s->adaptive || worth_compressing(scratch, data, length, room);
  return libdeflate_zlib_compress(pack ? scratch->compressor : scratch->store, data, length, room, tiles->rooms.bytes);
}

/* Encodes a whole tile, which then waits for its place. */
static int keep_tile(struct tiff_tiles *tiles, struct scratch *scratch, size_t tile, const char *data,
                     struct error *error)
{
  struct tile_slot *slot = &tiles->slots[tile];
  size_t width, rows;
  tile_valid(tiles, tile, &width, &rows);
  look_at_tile(tiles, tile, data, width, rows);
  char *room = rooms_take(&tiles->rooms);
  if (room == NULL)
    return error_memory(error);
  slot->length = encode(tiles, scratch, tiles->shape.strips ? rows : tiles->shape.tile_height, data, room);
  slot->bytes = rooms_keep(&tiles->rooms, room, slot->length);
  return slot->bytes == NULL ? error_memory(error) : 0;
}

static int write_tile(struct tiff_tiles *tiles, size_t tile, struct error *error)
{
  struct tile_slot *slot = &tiles->slots[tile];
  int status = output_write_at(tiles->file, slot->bytes, slot->length, tiles->end, error);
  tiles->offsets[tile] = tiles->end;
  tiles->lengths[tile] = slot->length;
  tiles->end += (slot->length + 1) & ~(uint64_t)1;
  rooms_release(&tiles->rooms, slot->bytes, slot->length);
  slot->bytes = NULL;
  return status;
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
static int add_part(struct tiff_tiles *tiles, const struct plane_view *view, const struct patch *patch, size_t valid,
                    char **whole, struct error *error)
{
  struct tile_slot *slot = &tiles->slots[patch->tile];
  pthread_mutex_lock(&tiles->lock);
  if (slot->data == NULL && (slot->data = malloc(tiles->tile_bytes)) != NULL)
    fill_tile(tiles, slot->data);
  char *data = slot->data;
  pthread_mutex_unlock(&tiles->lock);
  if (data == NULL)
    return error_memory(error);
  copy_patch(tiles, view, patch, data);
  pthread_mutex_lock(&tiles->lock);
  slot->pixels += patch->width * patch->height;
  if (slot->pixels >= valid) {
    *whole = slot->data;
    slot->data = NULL;
  }
  pthread_mutex_unlock(&tiles->lock);
  return 0;
}

/* Whether a patch's pixels lie in memory as a tile's do. */
static bool is_tile(const struct tiff_tiles *tiles, const struct plane_view *view, const struct patch *patch)
{
  const struct tiff_shape *s = &tiles->shape;
  const ptrdiff_t size = (ptrdiff_t)s->element_size;
  return patch->width == s->tile_width && patch->height == s->tile_height && view->column_stride == size &&
         view->row_stride == size * (ptrdiff_t)s->tile_width;
}

static int put_patch(struct tiff_tiles *tiles, struct scratch *scratch, const struct plane_view *view,
                     const struct patch *patch, struct error *error)
{
  size_t width, height;
  tile_valid(tiles, patch->tile, &width, &height);
  if (is_tile(tiles, view, patch))
    return keep_tile(tiles, scratch, patch->tile, patch->data, error);
  if (patch->width == width && patch->height == height) {
    if (width < tiles->shape.tile_width || height < tiles->shape.tile_height)
      fill_tile(tiles, scratch->tile);
    copy_patch(tiles, view, patch, scratch->tile);
    return keep_tile(tiles, scratch, patch->tile, scratch->tile, error);
  }
  char *whole = NULL;
  if (add_part(tiles, view, patch, width * height, &whole, error) != 0)
    return -1;
  int status = whole == NULL ? 0 : keep_tile(tiles, scratch, patch->tile, whole, error);
  free(whole);
  return status;
}

static size_t smaller(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* The patches of a view, row by row; `row` and `column` begin as the view's and are moved on. */
static bool next_patch(const struct tiff_tiles *tiles, const struct plane_view *view, size_t *row, size_t *column,
                       struct patch *patch)
{
  const struct tiff_shape *s = &tiles->shape;
  if (*row >= view->row + view->height || view->width == 0)
    return false;
  *patch = (struct patch){
      .tile = (view->plane * tiles->down + *row / s->tile_height) * tiles->across + *column / s->tile_width,
      .column = *column % s->tile_width,
      .row = *row % s->tile_height,
      .width = smaller(s->tile_width - *column % s->tile_width, view->column + view->width - *column),
      .height = smaller(s->tile_height - *row % s->tile_height, view->row + view->height - *row),
  };
  if (view->data != NULL)
    patch->data = view->data + (ptrdiff_t)(*row - view->row) * view->row_stride +
                  (ptrdiff_t)(*column - view->column) * view->column_stride;
  *column += patch->width;
  if (*column == view->column + view->width) {
    *column = view->column;
    *row += patch->height;
  }
  return true;
}

int tiff_tiles_put(struct tiff_tiles *tiles, const struct plane_view *view, struct error *error)
{
  struct scratch *scratch = scratch_take(tiles, error);
  struct patch patch;
  if (scratch == NULL)
    return -1;
  int status = 0;
  for (size_t row = view->row, column = view->column; status == 0 && next_patch(tiles, view, &row, &column, &patch);)
    status = put_patch(tiles, scratch, view, &patch, error);
  scratch_return(tiles, scratch);
  return status;
}

int tiff_tiles_place(struct tiff_tiles *tiles, const struct plane_view *view, struct error *error)
{
  struct patch patch;
  for (size_t row = view->row, column = view->column; next_patch(tiles, view, &row, &column, &patch);) {
    size_t width, height;
    tile_valid(tiles, patch.tile, &width, &height);
    tiles->slots[patch.tile].placed += patch.width * patch.height;
    if (tiles->slots[patch.tile].placed == width * height && write_tile(tiles, patch.tile, error) != 0)
      return -1;
  }
  return 0;
}

int tiff_tiles_flush(struct tiff_tiles *tiles, struct error *error)
{
  struct scratch *scratch = scratch_take(tiles, error);
  if (scratch == NULL)
    return -1;
  int status = 0;
  for (size_t i = 0; i < tiles->count && status == 0; i++) {
    struct tile_slot *slot = &tiles->slots[i];
    if (slot->data != NULL)
      status = keep_tile(tiles, scratch, i, slot->data, error);
    free(slot->data);
    slot->data = NULL;
    if (status == 0 && slot->bytes != NULL)
      status = write_tile(tiles, i, error);
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
