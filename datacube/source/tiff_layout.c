/* Where the blocks of a GeoTIFF lie: one directory of a TIFF or BigTIFF, read from the file itself.
 *
 *   TIFF     "II" 42                 directory: u16 entries,  entry: u16 tag, u16 type, u32 count, 4 bytes
 *   BigTIFF  "II" 43 u16 8           directory: u64 entries,  entry: u16 tag, u16 type, u64 count, 8 bytes
 *
 * "MM" instead of "II": numbers have their most significant byte first, pixels as well.
 *
 * The last bytes of an entry are its values where they fit, else the values' offset; so all values but
 * the short ones are places in the file, and are read when asked for. GDAL, where it has opened the file, says which
 * directory holds the image and what it takes the image for; where the directory says anything else, or a tag appears
 * that is not expected, the answer is no.
 *
 * Source: TIFF 6.0; the BigTIFF layout as libtiff documents it. */
#include "datacube/source/tiff_layout.h"

#include "datacube/base/checked.h"
#include "datacube/remote/remote_file.h"
#include "datacube/source/tiff_image.h"

#include <cpl_error.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum tag {
  WIDTH,
  HEIGHT,
  BITS,
  COMPRESSION,
  PHOTOMETRIC,
  FILL_ORDER,
  SAMPLES,
  STRIP_OFFSETS,
  STRIP_ROWS,
  STRIP_LENGTHS,
  PLANAR,
  PREDICTOR,
  TILE_WIDTH,
  TILE_HEIGHT,
  TILE_OFFSETS,
  TILE_LENGTHS,
  IMAGE_DEPTH,
  TILE_DEPTH,
  TAGS
};

static const uint16_t numbers[TAGS] = {256, 257, 258, 259, 262, 266, 277, 273,   278,
                                       279, 284, 317, 322, 323, 324, 325, 32997, 32998};

enum { ENTRY_BYTES = 12, BIG_ENTRY_BYTES = 20 };

static bool is_there(const struct tiff_bytes *file, uint64_t offset, size_t length)
{
  struct error error = {0};
  const struct remote_range range = {offset, length};
  if (!file->remote || remote_need(file->remote, &range, 1, &error) == 0)
    return true;
  CPLError(CE_Failure, CPLE_FileIO, "%s", error.message);
  return false;
}

bool tiff_file_bytes(const struct tiff_bytes *file, uint64_t offset, size_t length, void *to)
{
  unsigned char *p = to;
  if (file->head && offset <= file->head_length && length <= file->head_length - offset) {
    memcpy(to, file->head + offset, length);
    return true;
  }
  if (offset > INT64_MAX || length > INT64_MAX - offset || !is_there(file, offset, length))
    return false;
  while (length > 0) {
    const ssize_t got =
        file->remote ? remote_read(file->remote, p, length, offset) : pread(file->descriptor, p, length, (off_t)offset);
    if (got == 0 || (got < 0 && errno != EINTR))
      return false;
    if (got < 0)
      continue;
    p += got;
    offset += (uint64_t)got;
    length -= (size_t)got;
  }
  return true;
}

static uint64_t number(const unsigned char *p, unsigned size, bool big_endian)
{
  uint64_t value = 0;
  for (unsigned i = 0; i < size; i++)
    value |= (uint64_t)p[i] << 8 * (big_endian ? size - 1 - i : i);
  return value;
}

bool tiff_table_value(const struct tiff_bytes *file, const struct tiff_table *table, uint64_t index, uint64_t *out)
{
  unsigned char bytes[8];
  uint64_t at;
  if (index == 0 && table->is_known) {
    *out = table->value;
    return true;
  }
  if (index >= table->count || __builtin_mul_overflow(index, (uint64_t)table->item_size, &at) ||
      __builtin_add_overflow(at, table->at, &at) || !tiff_file_bytes(file, at, table->item_size, bytes))
    return false;
  *out = number(bytes, table->item_size, table->big_endian);
  return true;
}

/* Bytes of a value of a type; 0 for types that the standards do not have. */
static unsigned type_size(uint64_t type)
{
  static const unsigned char sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
  return type < sizeof sizes ? sizes[type] : 0;
}

static bool is_unsigned(uint64_t type)
{
  return type == 1 || type == 3 || type == 4 || type == 16; /* BYTE, SHORT, LONG, LONG8 */
}

struct dialect { /* how a file writes numbers */
  bool big_tiff, big_endian;
};

/* `bytes` lie at byte `at` of the file. */
static struct tiff_entry read_entry(const unsigned char *bytes, uint64_t at, struct dialect d)
{
  const unsigned word = d.big_tiff ? 8 : 4;
  struct tiff_entry entry = {.tag = number(bytes, 2, d.big_endian), .type = number(bytes + 2, 2, d.big_endian)};
  struct tiff_table *t = &entry.table;
  *t = (struct tiff_table){.at = at + 4 + word,
                           .count = number(bytes + 4, word, d.big_endian),
                           .item_size = type_size(entry.type),
                           .big_endian = d.big_endian};
  if (t->item_size > 0 && t->count > word / t->item_size)
    t->at = number(bytes + 4 + word, word, d.big_endian);
  else if (t->count == 1) {
    t->is_known = true;
    t->value = number(bytes + 4 + word, t->item_size, d.big_endian);
  }
  return entry;
}

static bool read_dialect(const struct tiff_bytes *file, struct dialect *out, uint64_t *first)
{
  unsigned char head[16];
  if (!tiff_file_bytes(file, 0, 8, head) || (memcmp(head, "II", 2) != 0 && memcmp(head, "MM", 2) != 0))
    return false;
  out->big_endian = head[0] == 'M';
  uint64_t version = number(head + 2, 2, out->big_endian);
  out->big_tiff = version == 43;
  *first = number(head + 4, 4, out->big_endian);
  if (version == 42)
    return true;
  if (!out->big_tiff || number(head + 4, 2, out->big_endian) != 8 || !tiff_file_bytes(file, 8, 8, head + 8))
    return false;
  *first = number(head + 8, 8, out->big_endian);
  return true;
}

bool tiff_directory_read(const struct tiff_bytes *file, uint64_t at, struct tiff_directory *out)
{
  unsigned char head[8], entries[TIFF_ENTRIES_MOST * BIG_ENTRY_BYTES];
  struct dialect d;
  uint64_t first;
  if (!read_dialect(file, &d, &first))
    return false;
  at = at > 0 ? at : first;
  unsigned count_bytes = d.big_tiff ? 8 : 2, entry_bytes = d.big_tiff ? BIG_ENTRY_BYTES : ENTRY_BYTES;
  if (!tiff_file_bytes(file, at, count_bytes, head))
    return false;
  uint64_t count = number(head, count_bytes, d.big_endian);
  at += count_bytes;
  if (count > TIFF_ENTRIES_MOST || !tiff_file_bytes(file, at, (size_t)count * entry_bytes, entries))
    return false;
  out->count = (size_t)count;
  out->big_endian = d.big_endian;
  for (size_t i = 0; i < count; i++)
    out->entries[i] = read_entry(entries + i * entry_bytes, at + i * entry_bytes, d);
  out->next = (struct tiff_table){
      .at = at + count * entry_bytes, .count = 1, .item_size = d.big_tiff ? 8 : 4, .big_endian = d.big_endian};
  return true;
}

bool tiff_directory_next(const struct tiff_bytes *file, const struct tiff_directory *directory, uint64_t *at)
{
  return tiff_table_value(file, &directory->next, 0, at);
}

/* The tags that count. False where one is there twice, or of a type that cannot be. */
static bool note_entries(const struct tiff_directory *directory, struct tiff_table tables[TAGS])
{
  for (size_t i = 0; i < directory->count; i++) {
    const struct tiff_entry *entry = &directory->entries[i];
    for (size_t k = 0; k < TAGS; k++) {
      if (entry->tag != numbers[k])
        continue;
      if (tables[k].count > 0 || entry->table.count == 0 || !is_unsigned(entry->type))
        return false;
      tables[k] = entry->table;
    }
  }
  return true;
}

/* First values of the tags, or what the standard says where the tag is absent. */
static bool read_values(const struct tiff_bytes *file, const struct tiff_table tables[TAGS], uint64_t values[TAGS])
{
  for (size_t k = 0; k < TAGS; k++) {
    values[k] = 0;
    if (tables[k].count > 0 && !tiff_table_value(file, &tables[k], 0, &values[k]))
      return false;
  }
  static const uint64_t standard[TAGS] = {
      [BITS] = 1,   [COMPRESSION] = 1, [FILL_ORDER] = 1, [SAMPLES] = 1, [STRIP_ROWS] = UINT32_MAX,
      [PLANAR] = 1, [PREDICTOR] = 1};
  for (size_t k = 0; k < TAGS; k++)
    if (standard[k] > 0 && tables[k].count == 0)
      values[k] = standard[k];
  return true;
}

static bool is_plain(const struct tiff_table tables[TAGS], const uint64_t v[TAGS])
{
  enum { WHITE_IS_ZERO = 0, PALETTE = 3 }; /* and between them black and RGB: values as they are */
  enum tiff_packing packing;
  bool raw = v[PHOTOMETRIC] <= PALETTE;
  bool flat = tables[IMAGE_DEPTH].count == 0 && tables[TILE_DEPTH].count == 0;
  bool tiles = false, strips = false;
  for (size_t k = TILE_WIDTH; k <= TILE_LENGTHS; k++)
    tiles |= tables[k].count > 0;
  for (size_t k = STRIP_OFFSETS; k <= STRIP_LENGTHS; k++)
    strips |= tables[k].count > 0;
  return tiff_packing_find(v[COMPRESSION], &packing) && raw && flat && (v[PLANAR] == 1 || v[PLANAR] == 2) &&
         v[SAMPLES] > 0 && tiles != strips && v[FILL_ORDER] == 1 && v[PREDICTOR] >= 1 && v[PREDICTOR] <= 3;
}

struct pixels { /* what a file's are taken for */
  uint64_t width, height, bands, bits;
  bool is_float, is_complex;
};

static struct pixels pixels_of_dataset(GDALDatasetH dataset)
{
  const GDALDataType type = GDALGetRasterDataType(GDALGetRasterBand(dataset, 1));
  return (struct pixels){.width = (uint64_t)GDALGetRasterXSize(dataset),
                         .height = (uint64_t)GDALGetRasterYSize(dataset),
                         .bands = (uint64_t)GDALGetRasterCount(dataset),
                         .bits = (uint64_t)GDALGetDataTypeSizeBits(type),
                         .is_float = type == GDT_Float32 || type == GDT_Float64,
                         .is_complex = GDALDataTypeIsComplex(type)};
}

static struct pixels pixels_of_image(const struct tiff_image *image)
{
  return (struct pixels){.width = image->width,
                         .height = image->height,
                         .bands = image->bands,
                         .bits = 8 * element_info(image->type)->size,
                         .is_float = image->type == ELEMENT_F32 || image->type == ELEMENT_F64};
}

/* Whether the directory's image is what it is taken for. */
static bool agrees(const uint64_t v[TAGS], const struct pixels *pixels)
{
  bool is_predicted = v[PREDICTOR] != 1 && v[COMPRESSION] != 1;
  if (is_predicted && ((v[PREDICTOR] == 3 && !pixels->is_float) || pixels->is_complex))
    return false;
  return v[BITS] == pixels->bits && v[WIDTH] == pixels->width && v[HEIGHT] == pixels->height &&
         v[SAMPLES] == pixels->bands;
}

/* Sizes of blocks, their number, and tables that have an entry for each. */
static bool place_blocks(const struct tiff_table tables[TAGS], const uint64_t v[TAGS], struct tiff_layout *l)
{
  l->tiled = tables[TILE_OFFSETS].count > 0;
  l->offsets = tables[l->tiled ? TILE_OFFSETS : STRIP_OFFSETS];
  l->lengths = tables[l->tiled ? TILE_LENGTHS : STRIP_LENGTHS];
  l->block_width = l->tiled ? v[TILE_WIDTH] : v[WIDTH];
  l->block_height = l->tiled ? v[TILE_HEIGHT] : v[STRIP_ROWS] < v[HEIGHT] ? v[STRIP_ROWS] : v[HEIGHT];
  size_t pixels = saturated_mul(l->block_width, l->block_height), blocks;
  size_t bytes = saturated_mul(pixels, saturated_mul(l->samples, l->size));
  if (bytes == 0 || bytes > TIFF_BLOCK_MOST)
    return false;
  l->across = (l->width + l->block_width - 1) / l->block_width;
  l->down = (l->height + l->block_height - 1) / l->block_height;
  if (checked_mul(l->across, l->down, &blocks) || checked_mul(blocks, l->planes, &blocks))
    return false;
  return l->offsets.count >= blocks && l->lengths.count >= blocks;
}

/* Where GDAL opened a file as it is, it took the first directory (0). Overviews have no driver, and tell their own. */
static bool find_directory(GDALDatasetH dataset, GDALRasterBandH band, uint64_t *at)
{
  *at = 0;
  if (GDALGetDatasetDriver(dataset))
    return true;
  const char *place = GDALGetMetadataItem(band, "IFD_OFFSET", "TIFF");
  char *end;
  errno = 0;
  *at = place ? strtoull(place, &end, 10) : 0;
  return *at > 0 && errno == 0 && *end == '\0';
}

static bool read_layout(const struct tiff_bytes *file, const struct tiff_directory *directory,
                        const struct pixels *pixels, struct tiff_layout *out)
{
  struct tiff_table tables[TAGS] = {{.count = 0}};
  uint64_t v[TAGS];
  if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || !note_entries(directory, tables) || !read_values(file, tables, v) ||
      !is_plain(tables, v) || !agrees(v, pixels))
    return false;
  const bool apart = v[PLANAR] == 2;
  *out = (struct tiff_layout){.width = v[WIDTH],
                              .height = v[HEIGHT],
                              .planes = apart ? v[SAMPLES] : 1,
                              .samples = apart ? 1 : v[SAMPLES],
                              .size = v[BITS] / 8,
                              .predictor = v[COMPRESSION] != 1 ? (unsigned)v[PREDICTOR] : 1};
  out->swap = !directory->big_endian ? 1 : pixels->is_complex ? out->size / 2 : out->size;
  return tiff_packing_find(v[COMPRESSION], &out->packing) && place_blocks(tables, v, out);
}

bool tiff_layout_read(const struct tiff_bytes *file, GDALDatasetH dataset, struct tiff_layout *out)
{
  struct tiff_directory directory;
  GDALRasterBandH band = GDALGetRasterCount(dataset) > 0 ? GDALGetRasterBand(dataset, 1) : NULL;
  uint64_t at;
  if (!band || !find_directory(dataset, band, &at) || !tiff_directory_read(file, at, &directory))
    return false;
  const struct pixels pixels = pixels_of_dataset(dataset);
  return read_layout(file, &directory, &pixels, out);
}

bool tiff_layout_read_image(const struct tiff_bytes *file, struct tiff_image *image, struct tiff_layout *out)
{
  struct tiff_directory directory;
  if (!tiff_directory_read(file, 0, &directory) || !tiff_image_read(file, &directory, image))
    return false;
  const struct pixels pixels = pixels_of_image(image);
  return read_layout(file, &directory, &pixels, out);
}
