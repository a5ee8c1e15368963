/* Pixels of plain GeoTIFFs: packed by LZW, deflate or zstd or stored as they are, bands apart or side by side, of
 * either byte order, any predictor.
 *
 * Rows of a block that lies in the file as its pixels are go from there to the caller's rows. Any other block goes from
 * the file by pread into scratch, unpacked into scratch again, and from there row by row, predictor undone on the way,
 * into the caller's rows: each pixel is touched once after unpacking. Where a window cuts blocks, or they hold several
 * bands, the pixels go into the block cache, because the next window, or the next band, will want the rest; a window of
 * whole blocks passes it by.
 *
 * A block that is absent, or whose length is not a block's, is GDAL's to judge, and so is one that LZW or zstd cannot
 * unpack. One that lies outside the file or does not inflate to all its pixels is an error here (libtiff lets some of
 * those pass and leaves pixels undefined); a last strip may hold more rows than the image, some writers do that.
 * Lengths from the file are compared with limits before they are used; the descriptor is read, not mapped, so a file
 * cut short is a short read.
 *
 * One thread at a time. Scratch grows to the largest block (TIFF_BLOCK_MOST) and stays. */
#include "datacube/source/tiff_blocks.h"

#include "datacube/remote/remote_file.h"
#include "datacube/source/raster_file.h"
#include "datacube/source/tiff_codec.h"
#include "datacube/source/tiff_geo_keys.h"
#include "datacube/source/tiff_layout.h"
#include "datacube/source/tiff_plain.h"
#include "datacube/source/tiff_predictor.h"

#include <assert.h>
#include <cpl_error.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tiff_file {
  const char *path;     /* borrowed */
  bool is_image;        /* opened by its tags: the dataset is ours */
  GDALDatasetH dataset; /* what GDAL has opened of it; NULL: nothing yet */
  struct tiff_bytes bytes;
  uint64_t id;     /* what its blocks are called in the cache */
  uint64_t length; /* bytes, when it was opened; 0: of another host */
  struct tiff_layout layout;
};

struct tiff_blocks {
  struct tiff_codec *codec;
  unsigned char *stored, *decoded, *split; /* scratch: a block as the file has it; unpacked; a row of it, bands apart */
  size_t stored_room, decoded_room, split_room;
  struct block_cache *cache, *own; /* own: what `cache` is where none is shared */
  struct tiff_counts counts;
};

struct block_part {          /* of a window, in one block */
  uint64_t block;            /* number in the file */
  size_t sample;             /* which of the values side by side */
  size_t row, column;        /* of the block's first pixel in the image */
  size_t rows, columns;      /* of the block's pixels that are in the image */
  struct tiff_window window; /* in the image */
  unsigned char *to;         /* the window's first pixel */
  size_t stride;
};

enum { HEAD_BYTES = 4096 };
enum outcome { DONE, LEFT /* to GDAL */, DAMAGED /* CPLError has been told */ };

/* ---- Open and close -------------------------------------------------------------------------------------------- */

int tiff_blocks_new(struct tiff_blocks **out, struct error *error)
{
  struct tiff_blocks *b = calloc(1, sizeof *b);
  if (!b)
    return error_memory(error);
  b->codec = tiff_codec_new();
  if (!b->codec) {
    tiff_blocks_free(b);
    return error_memory(error);
  }
  *out = b;
  return 0;
}

void tiff_blocks_share(struct tiff_blocks *b, struct block_cache *cache)
{
  b->cache = cache;
}

void tiff_blocks_free(struct tiff_blocks *b)
{
  if (!b)
    return;
  block_cache_free(b->own);
  tiff_codec_free(b->codec);
  free(b->stored);
  free(b->decoded);
  free(b->split);
  free(b);
}

struct tiff_counts tiff_blocks_counts(const struct tiff_blocks *b)
{
  return b->counts;
}

static bool open_bytes(const char *path, struct tiff_bytes *out, struct stat *status)
{
  struct error ignored = {0}; /* GDAL meets it, too */
  out->descriptor = -1;
  if (remote_is(path)) {
    if (remote_open(path, &out->remote, &ignored) != 0)
      return false;
    out->descriptor = remote_descriptor(out->remote, &ignored);
    return out->descriptor >= 0;
  }
  out->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a pipe must not make us wait */
  return out->descriptor >= 0 && fstat(out->descriptor, status) == 0 && S_ISREG(status->st_mode);
}

static void name_blocks(struct tiff_file *f, const struct stat *status)
{
  f->length = f->bytes.remote ? 0 : (uint64_t)status->st_size;
  f->id = block_file_id(f->path, f->bytes.remote ? NULL : status, f->layout.offsets.at);
}

struct tiff_file *tiff_file_open(GDALDatasetH dataset, const char *path)
{
  GDALDriverH driver = GDALGetDatasetDriver(dataset); /* an overview has none: its tags tell what it is */
  struct stat status;
  if (driver && strcmp(GDALGetDriverShortName(driver), "GTiff") != 0)
    return NULL;
  struct tiff_file *f = calloc(1, sizeof *f);
  if (!f)
    return NULL;
  f->path = path;
  f->dataset = dataset;
  if (open_bytes(path, &f->bytes, &status) && tiff_layout_read(&f->bytes, dataset, &f->layout)) {
    name_blocks(f, &status);
    return f;
  }
  tiff_file_close(f);
  return NULL;
}

/* The tags of small files, and often of large ones, lie in their first bytes, which one read brings. */
static bool read_image(struct tiff_file *f, struct tiff_image *out)
{
  unsigned char head[HEAD_BYTES];
  const ssize_t got = pread(f->bytes.descriptor, head, sizeof head, 0);
  if (got <= 0)
    return false;
  f->bytes.head = head;
  f->bytes.head_length = (size_t)got;
  const bool done = tiff_layout_read_image(&f->bytes, out, &f->layout);
  f->bytes.head = NULL;
  return done;
}

struct tiff_file *tiff_file_open_image(const char *path, struct tiff_image *out)
{
  struct stat status;
  if (remote_is(path) || tiff_has_company(path))
    return NULL;
  struct tiff_file *f = calloc(1, sizeof *f);
  if (!f)
    return NULL;
  f->path = path;
  f->is_image = true;
  if (open_bytes(path, &f->bytes, &status) && read_image(f, out)) {
    name_blocks(f, &status);
    return f;
  }
  tiff_file_close(f);
  return NULL;
}

void tiff_file_close(struct tiff_file *f)
{
  if (!f)
    return;
  if (f->is_image && f->dataset)
    GDALClose(f->dataset);
  if (f->bytes.remote)
    remote_close(f->bytes.remote);
  else if (f->bytes.descriptor >= 0)
    close(f->bytes.descriptor);
  free(f);
}

/* ---- Decoding -------------------------------------------------------------------------------------------------- */

static bool grow(unsigned char **data, size_t *room, size_t bytes)
{
  if (bytes <= *room)
    return true;
  free(*data);
  *data = malloc(bytes);
  *room = *data ? bytes : 0;
  return *data != NULL;
}

static enum outcome damaged(const struct block_part *p, const char *why)
{
  CPLError(CE_Failure, CPLE_FileIO, "the block at row %zu, column %zu %s", p->row, p->column, why);
  return DAMAGED;
}

/* Where a remote file could not be read, that is the reason, and CPLError has been told it. */
static enum outcome missing(const struct tiff_file *f, const struct block_part *p, const char *why)
{
  return f->bytes.remote && CPLGetLastErrorType() == CE_Failure ? DAMAGED : damaged(p, why);
}

static size_t line_bytes(const struct tiff_layout *l)
{
  return l->block_width * l->samples * l->size;
}

static enum outcome unpack(struct tiff_blocks *b, const struct tiff_layout *l, const struct block_part *p,
                           size_t length, size_t want)
{
  const struct tiff_packed packed = {.packing = l->packing, .bytes = b->stored, .length = length};
  if (tiff_unpack(b->codec, &packed, want, l->block_height * line_bytes(l), b->decoded))
    return DONE;
  return l->packing == TIFF_DEFLATE ? damaged(p, "does not inflate to its pixels") : LEFT;
}

struct stored_block {
  uint64_t offset, length; /* of what the file has */
  size_t room, want;       /* bytes of a whole block, unpacked; of this one */
};

static enum outcome find_stored(const struct tiff_file *f, const struct block_part *p, struct stored_block *out)
{
  const struct tiff_layout *l = &f->layout;
  const bool packed = l->packing != TIFF_AS_IT_IS;
  out->room = l->block_height * line_bytes(l);
  out->want = l->tiled ? out->room : p->rows * line_bytes(l); /* the last strip holds what is in the image */
  if (!tiff_table_value(&f->bytes, &l->offsets, p->block, &out->offset) ||
      !tiff_table_value(&f->bytes, &l->lengths, p->block, &out->length))
    return missing(f, p, "is not listed in the file");
  /* LZW makes data that cannot be compressed half as long again; others next to nothing. */
  size_t most = packed ? 2 * out->room + 4096 : out->want, least_length = packed ? 1 : out->want;
  return out->offset == 0 || out->length < least_length || out->length > most ? LEFT : DONE;
}

/* Brings a block into b->decoded. */
static enum outcome fetch_stored(struct tiff_blocks *b, const struct tiff_file *f, const struct block_part *p)
{
  const struct tiff_layout *l = &f->layout;
  struct stored_block block;
  const enum outcome found = find_stored(f, p, &block);
  if (found != DONE)
    return found;
  if (!grow(&b->decoded, &b->decoded_room, block.room) || !grow(&b->split, &b->split_room, line_bytes(l)))
    return LEFT;
  if (l->packing == TIFF_AS_IT_IS)
    return tiff_file_bytes(&f->bytes, block.offset, block.want, b->decoded) ? DONE
                                                                            : missing(f, p, "lies outside the file");
  if (!grow(&b->stored, &b->stored_room, (size_t)block.length))
    return LEFT;
  if (!tiff_file_bytes(&f->bytes, block.offset, (size_t)block.length, b->stored))
    return missing(f, p, "lies outside the file");
  return unpack(b, l, p, (size_t)block.length, block.want);
}

static enum outcome fetch(struct tiff_blocks *b, const struct tiff_file *f, const struct block_part *p)
{
  enum outcome outcome = fetch_stored(b, f, p);
  b->counts.decoded += outcome == DONE;
  return outcome;
}

/* Writes the first rows and columns of b->decoded, as pixels; those of the next sample begin `next` bytes later. */
static void undo(const struct tiff_blocks *b, const struct tiff_layout *l, const struct block_part *p, size_t stride,
                 size_t next, unsigned char *to)
{
  const struct tiff_row row = {.predictor = l->predictor, .size = l->size, .swap = l->swap, .width = l->block_width};
  for (size_t y = 0; y < p->rows; y++) {
    unsigned char *from = b->decoded + y * line_bytes(l);
    if (l->samples > 1) {
      tiff_row_split(&row, l->samples, from, b->split);
      from = b->split;
    }
    for (size_t s = 0; s < l->samples; s++)
      tiff_row_undo(&row, from + s * l->block_width * l->size, p->columns, to + s * next + y * stride);
  }
}

/* ---- Windows --------------------------------------------------------------------------------------------------- */

/* A block in the cache: sample by sample, in rows of p->columns. */
static void copy_cached(const unsigned char *pixels, const struct tiff_layout *l, const struct block_part *p)
{
  const struct tiff_window *w = &p->window;
  const size_t row = p->sample * p->rows + w->row - p->row;
  const unsigned char *from = pixels + (row * p->columns + w->column - p->column) * l->size;
  for (size_t y = 0; y < w->height; y++)
    memcpy(p->to + y * p->stride, from + y * p->columns * l->size, w->width * l->size);
}

/* The system keeps the pages of such a file: where nothing is decoded there is nothing to keep blocks for. False where
 * the block is to be read as others are, which finds out what is wrong with it. */
static bool read_plain(struct tiff_blocks *b, const struct tiff_file *f, const struct block_part *p)
{
  const struct tiff_window *w = &p->window;
  const size_t line = line_bytes(&f->layout);
  struct stored_block block;
  if (!tiff_is_plain(&f->bytes, &f->layout) || find_stored(f, p, &block) != DONE || block.want > f->length ||
      block.offset > f->length - block.want)
    return false;
  const struct tiff_rows rows = {.offset =
                                     block.offset + (w->row - p->row) * line + (w->column - p->column) * f->layout.size,
                                 .line = line,
                                 .bytes = w->width * f->layout.size,
                                 .count = w->height};
  if (!tiff_rows_read(&f->bytes, &rows, p->stride, p->to))
    return false;
  b->counts.decoded++;
  return true;
}

static enum outcome read_directly(struct tiff_blocks *b, const struct tiff_file *f, const struct block_part *p)
{
  enum outcome outcome = fetch(b, f, p);
  if (outcome == DONE)
    undo(b, &f->layout, p, p->stride, 0, p->to);
  return outcome;
}

/* is_once: a whole block, which is wanted again where the cache keeps such. */
static enum outcome read_cached(struct tiff_blocks *b, const struct tiff_file *f, const struct block_part *p,
                                bool is_once)
{
  const size_t line = p->columns * f->layout.size, plane = p->rows * line;
  struct cached_block block;
  const struct block_key key = {f->id, p->block};
  if (is_once && !block_cache_hold_free(b->cache, key, plane, &block))
    return read_directly(b, f, p);
  if (!is_once && !block_cache_hold(b->cache, key, f->layout.samples * plane, &block))
    return LEFT;
  enum outcome outcome = block.is_new ? fetch(b, f, p) : DONE;
  if (outcome == DONE) {
    if (block.is_new)
      undo(b, &f->layout, p, line, plane, block.bytes);
    copy_cached(block.bytes, &f->layout, p);
  }
  block_cache_release(b->cache, &block, outcome == DONE);
  return outcome;
}

/* Whether the window is made of whole blocks, which no other window will want, nor another band. */
static bool fits_blocks(const struct tiff_layout *l, const struct tiff_window *w)
{
  const size_t end = w->row + w->height, right = w->column + w->width;
  return l->samples == 1 && w->row % l->block_height == 0 && w->column % l->block_width == 0 &&
         (end % l->block_height == 0 || end == l->height) && (right % l->block_width == 0 || right == l->width);
}

/* A file that GDAL opens only now may be another one than before. NULL: CPLError has been told. */
static GDALRasterBandH band_of(struct tiff_file *f, int number)
{
  struct error error = {.code = ""};
  if (!f->dataset && raster_open(f->path, ERROR_FileContentInvalid, &f->dataset, &error) != 0) {
    CPLError(CE_Failure, CPLE_OpenFailed, "%s", error.message);
    return NULL;
  }
  GDALRasterBandH band = GDALGetRasterBand(f->dataset, number);
  if (band && (size_t)GDALGetDataTypeSizeBytes(GDALGetRasterDataType(band)) == f->layout.size)
    return band;
  CPLError(CE_Failure, CPLE_FileIO, "the file was changed while it was read");
  return NULL;
}

static CPLErr read_by_gdal(struct tiff_blocks *b, struct tiff_file *f, int number, const struct block_part *p)
{
  const struct tiff_window *w = &p->window;
  GDALRasterBandH band = band_of(f, number);
  b->counts.left++;
  if (!band)
    return CE_Failure;
  return GDALRasterIOEx(band, GF_Read, (int)w->column, (int)w->row, (int)w->width, (int)w->height, p->to, (int)w->width,
                        (int)w->height, GDALGetRasterDataType(band), (GSpacing)f->layout.size, (GSpacing)p->stride,
                        NULL);
}

static size_t least(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* The part of a window that lies in the block with the given place among the blocks. */
static struct block_part part_of(const struct tiff_layout *l, const struct tiff_window *w, size_t down, size_t across)
{
  size_t row = down * l->block_height, column = across * l->block_width;
  struct block_part p = {.block = down * l->across + across,
                         .row = row,
                         .column = column,
                         .rows = least(l->block_height, l->height - row),
                         .columns = least(l->block_width, l->width - column)};
  p.window.row = w->row > row ? w->row : row;
  p.window.column = w->column > column ? w->column : column;
  p.window.height = least(w->row + w->height, row + p.rows) - p.window.row;
  p.window.width = least(w->column + w->width, column + p.columns) - p.window.column;
  return p;
}

/* ---- Ahead of need ---------------------------------------------------------------------------------------------- */

/* Where a block lies; false where it is absent, or nothing that is read here. */
static bool place_of(const struct tiff_file *f, uint64_t block, struct remote_range *out)
{
  return tiff_table_value(&f->bytes, &f->layout.offsets, block, &out->offset) &&
         tiff_table_value(&f->bytes, &f->layout.lengths, block, &out->length) && out->offset > 0 && out->length > 0 &&
         out->length <= 3 * (uint64_t)TIFF_BLOCK_MOST;
}

static bool fetch_ranges(const struct tiff_file *f, const struct remote_range *ranges, size_t count)
{
  struct error error = {0};
  if (remote_need(f->bytes.remote, ranges, count, &error) == 0)
    return true;
  CPLError(CE_Failure, CPLE_FileIO, "%s", error.message);
  return false;
}

/* Where the blocks of a window lie, those that are not kept, from block *next of it on; as many as one question takes.
 * Where *next is the number of its blocks there are no more. */
static size_t window_ranges(struct tiff_blocks *b, const struct tiff_file *f, size_t plane, const struct tiff_window *w,
                            size_t *next, struct remote_range ranges[REMOTE_RANGES_MOST])
{
  const struct tiff_layout *l = &f->layout;
  const size_t top = w->row / l->block_height, left = w->column / l->block_width;
  const size_t rows = (w->row + w->height - 1) / l->block_height - top + 1;
  const size_t columns = (w->column + w->width - 1) / l->block_width - left + 1;
  size_t count = 0;
  for (; *next < rows * columns && count < REMOTE_RANGES_MOST; ++*next) {
    const uint64_t block = (plane * l->down + top + *next / columns) * l->across + left + *next % columns;
    if (!(b->cache && block_cache_has(b->cache, (struct block_key){f->id, block})))
      count += place_of(f, block, &ranges[count]);
  }
  return count;
}

/* The blocks of a window come side by side rather than one after the other. */
static bool fetch_window(struct tiff_blocks *b, const struct tiff_file *f, size_t plane, const struct tiff_window *w)
{
  struct remote_range ranges[REMOTE_RANGES_MOST];
  size_t next = 0, count;
  bool is_fine;
  do {
    count = window_ranges(b, f, plane, w, &next, ranges);
    is_fine = fetch_ranges(f, ranges, count);
  } while (is_fine && count == REMOTE_RANGES_MOST);
  return is_fine;
}

static bool has_cache(struct tiff_blocks *b)
{
  struct error error = {.code = ""};
  if (!b->cache && block_cache_new(BLOCK_CACHE_LEAST, &b->own, &error) == 0)
    b->cache = b->own;
  if (!b->cache)
    CPLError(CE_Failure, CPLE_OutOfMemory, "there is no memory for blocks");
  return b->cache != NULL;
}

CPLErr tiff_window_read(struct tiff_blocks *b, struct tiff_file *f, int band, const struct tiff_window *w,
                        size_t stride, unsigned char *to)
{
  const struct tiff_layout *l = &f->layout;
  const size_t number = (size_t)band - 1, plane = l->samples > 1 ? 0 : number;
  assert(number < l->planes * l->samples && w->height > 0 && w->width > 0);
  assert(w->row + w->height <= l->height && w->column + w->width <= l->width);
  const bool is_once = fits_blocks(l, w);
  if (!has_cache(b) || (f->bytes.remote && !fetch_window(b, f, plane, w)))
    return CE_Failure;
  for (size_t y = w->row / l->block_height; y <= (w->row + w->height - 1) / l->block_height; y++)
    for (size_t x = w->column / l->block_width; x <= (w->column + w->width - 1) / l->block_width; x++) {
      struct block_part p = part_of(l, w, y, x);
      p.block += plane * l->across * l->down;
      p.sample = l->samples > 1 ? number : 0;
      p.stride = stride;
      p.to = to + (p.window.row - w->row) * stride + (p.window.column - w->column) * l->size;
      enum outcome outcome = read_plain(b, f, &p)                      ? DONE
                             : is_once && !block_cache_keeps(b->cache) ? read_directly(b, f, &p)
                                                                       : read_cached(b, f, &p, is_once);
      if (outcome == LEFT)
        outcome = read_by_gdal(b, f, band, &p) == CE_None ? DONE : DAMAGED;
      if (outcome != DONE)
        return CE_Failure;
    }
  return CE_None;
}

/* Of a large window as much as one question takes. */
static void ahead_of_remote(struct tiff_blocks *b, const struct tiff_file *f, size_t plane, const struct tiff_window *w)
{
  struct remote_range ranges[REMOTE_RANGES_MOST];
  size_t next = 0;
  const size_t count = window_ranges(b, f, plane, w, &next, ranges);
  remote_ahead(f->bytes.remote, ranges, count);
}

/* Blocks that lie side by side in the image do so in the file, as all writers have it; where not, nothing is lost. */
static void ahead_of_blocks(const struct tiff_file *f, uint64_t first, uint64_t last)
{
  struct remote_range from, to;
  if (!place_of(f, first, &from))
    return;
  to = from;
  if ((last == first || place_of(f, last, &to)) && to.offset >= from.offset &&
      to.offset - from.offset <= TIFF_BLOCK_MOST)
    posix_fadvise(f->bytes.descriptor, (off_t)from.offset, (off_t)(to.offset - from.offset + to.length),
                  POSIX_FADV_WILLNEED);
}

void tiff_window_ahead(struct tiff_blocks *b, const struct tiff_file *f, int band, const struct tiff_window *w)
{
  const struct tiff_layout *l = &f->layout;
  const size_t number = (size_t)band - 1, plane = l->samples > 1 ? 0 : number;
  const size_t left = w->column / l->block_width, right = (w->column + w->width - 1) / l->block_width;
  const size_t top = w->row / l->block_height, bottom = (w->row + w->height - 1) / l->block_height;
  const size_t step = l->across == 1 ? bottom - top + 1 : 1; /* rows of blocks that lie together */
  if (f->bytes.remote) {
    ahead_of_remote(b, f, plane, w);
    return;
  }
  for (size_t y = top; y <= bottom; y += step) {
    const uint64_t first = (plane * l->down + y) * l->across + left;
    const uint64_t last = (plane * l->down + y + step - 1) * l->across + right;
    if (!b->cache || !block_cache_has(b->cache, (struct block_key){f->id, last}))
      ahead_of_blocks(f, first, last);
  }
}
