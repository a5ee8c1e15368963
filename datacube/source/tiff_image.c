/* An image by its tags: size, type and place. What is not told in the usual way is left to GDAL.
 *
 * Source: TIFF 6.0; GeoTIFF, OGC 19-008, 7.1 (keys) and B.6 (tie points and scales). */
#include "datacube/source/tiff_image.h"

#include <math.h>
#include <string.h>

enum { WIDTH, HEIGHT, BITS, SAMPLES, FORMAT, SCALE, TIE_POINT, MATRIX, KEYS, TAGS };
enum { DOUBLE = 12, KEY_SHORTS = 4, RASTER_TYPE = 1025, IS_POINT = 2, MANY = 1 << 12 };

static const uint16_t numbers[TAGS] = {256, 257, 258, 277, 339, 33550, 33922, 34264, 34735};

/* The tags that count; an absent one has no values. False where one is there twice. */
static bool find_tags(const struct tiff_directory *directory, const struct tiff_entry *found[TAGS])
{
  static const struct tiff_entry absent = {.table = {.count = 0}};
  for (size_t k = 0; k < TAGS; k++)
    found[k] = &absent;
  for (size_t i = 0; i < directory->count; i++)
    for (size_t k = 0; k < TAGS; k++) {
      if (directory->entries[i].tag != numbers[k])
        continue;
      if (found[k] != &absent)
        return false;
      found[k] = &directory->entries[i];
    }
  return true;
}

static bool is_count(const struct tiff_entry *entry)
{
  return entry->type == 3 || entry->type == 4; /* SHORT, LONG */
}

/* The value that a tag has for every band; `absent` where it is not there. */
static bool read_common(const struct tiff_bytes *file, const struct tiff_entry *entry, uint64_t bands, uint64_t absent,
                        uint64_t *out)
{
  uint64_t other;
  *out = absent;
  if (entry->table.count == 0)
    return true;
  if (!is_count(entry) || entry->table.count < bands || !tiff_table_value(file, &entry->table, 0, out))
    return false;
  for (uint64_t i = 1; i < bands; i++)
    if (!tiff_table_value(file, &entry->table, i, &other) || other != *out)
      return false;
  return true;
}

static bool find_type(uint64_t bits, uint64_t format, enum element_type *out)
{
  enum { UNSIGNED = 1, SIGNED = 2, FLOAT = 3 };
  static const struct {
    uint64_t bits, format;
    enum element_type type;
  } types[] = {{8, UNSIGNED, ELEMENT_U8},   {16, UNSIGNED, ELEMENT_U16}, {16, SIGNED, ELEMENT_I16},
               {32, UNSIGNED, ELEMENT_U32}, {32, SIGNED, ELEMENT_I32},   {32, FLOAT, ELEMENT_F32},
               {64, FLOAT, ELEMENT_F64}};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (types[i].bits == bits && types[i].format == format) {
      *out = types[i].type;
      return true;
    }
  return false;
}

static bool read_numbers(const struct tiff_bytes *file, const struct tiff_entry *entry, size_t count, double *out)
{
  uint64_t word;
  if (entry->type != DOUBLE || entry->table.count != count)
    return false;
  for (size_t i = 0; i < count; i++) {
    if (!tiff_table_value(file, &entry->table, i, &word))
      return false;
    memcpy(&out[i], &word, sizeof word);
  }
  return true;
}

static bool read_shorts(const struct tiff_bytes *file, const struct tiff_table *table, uint64_t first,
                        uint64_t out[KEY_SHORTS])
{
  for (uint64_t k = 0; k < KEY_SHORTS; k++)
    if (!tiff_table_value(file, table, first + k, &out[k]))
      return false;
  return true;
}

/* Whether a tie point is the centre of its pixel rather than its corner. False where the keys cannot be read. */
static bool read_raster_type(const struct tiff_bytes *file, const struct tiff_entry *keys, bool *is_point)
{
  const struct tiff_table *table = &keys->table;
  uint64_t key[KEY_SHORTS], count = table->count / KEY_SHORTS;
  *is_point = false;
  if (table->count == 0)
    return true;
  if (table->item_size != 2 || count > MANY || !read_shorts(file, table, 0, key) || key[0] != 1 || key[3] + 1 != count)
    return false;
  for (uint64_t i = 1; i < count; i++) { /* the first told the version, 1, and how many follow */
    if (!read_shorts(file, table, KEY_SHORTS * i, key))
      return false;
    const bool is_here = key[0] == RASTER_TYPE;
    if (is_here && (key[1] != 0 || key[2] != 1)) /* a value elsewhere, or several */
      return false;
    *is_point = *is_point || (is_here && key[3] == IS_POINT);
  }
  return true;
}

static bool read_transform(const struct tiff_bytes *file, const struct tiff_entry *const tags[TAGS], double t[6])
{
  double scale[3], tie[6]; /* x, y, z; column, row, -, x, y, z */
  bool is_point;
  if (tags[MATRIX]->table.count > 0 || !read_numbers(file, tags[SCALE], 3, scale) ||
      !read_numbers(file, tags[TIE_POINT], 6, tie) || !read_raster_type(file, tags[KEYS], &is_point) ||
      !(scale[0] > 0) || !(scale[1] > 0))
    return false;
  const double half = is_point ? 0.5 : 0;
  t[0] = tie[3] - (tie[0] + half) * scale[0];
  t[1] = scale[0];
  t[3] = tie[4] + (tie[1] + half) * scale[1];
  t[5] = -scale[1];
  t[2] = t[4] = 0;
  return isfinite(t[0]) && isfinite(t[1]) && isfinite(t[3]) && isfinite(t[5]);
}

bool tiff_image_read(const struct tiff_bytes *file, const struct tiff_directory *directory, struct tiff_image *out)
{
  const struct tiff_entry *tags[TAGS];
  uint64_t width, height, bands, bits, format;
  if (!find_tags(directory, tags) || !read_common(file, tags[WIDTH], 1, 0, &width) ||
      !read_common(file, tags[HEIGHT], 1, 0, &height) || !read_common(file, tags[SAMPLES], 1, 1, &bands) ||
      width == 0 || height == 0 || bands == 0 || bands > MANY || !read_common(file, tags[BITS], bands, 1, &bits) ||
      !read_common(file, tags[FORMAT], bands, 1, &format))
    return false;
  out->width = (size_t)width;
  out->height = (size_t)height;
  out->bands = (size_t)bands;
  return find_type(bits, format, &out->type) && read_transform(file, tags, out->transform);
}
