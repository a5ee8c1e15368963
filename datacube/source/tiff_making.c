/* The fingerprint is of the first directory: its tags, and the values of all but those that say where something lies,
 * how large it is and when it was made. Directories that follow may be of overviews only. */
#include "datacube/source/tiff_making.h"

enum { SUBFILE_TYPE = 254, OVERVIEW = 1, OVERVIEWS_MOST = 32, VALUES_MOST = 1 << 14 };

/* Width, height, date; offsets, rows and lengths of strips and tiles; scale and tie point, which tell the place. */
static bool is_own(uint64_t tag)
{
  static const uint16_t own[] = {256, 257, 306, 273, 278, 279, 324, 325, 33550, 33922};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
    if (tag == own[i])
      return true;
  return false;
}

static bool note(const struct tiff_bytes *file, const struct tiff_entry *entry, struct hash *out)
{
  unsigned char values[VALUES_MOST];
  const struct tiff_table *table = &entry->table;
  hash_word(out, entry->tag);
  if (is_own(entry->tag))
    return true;
  if (table->item_size == 0 || table->count > VALUES_MOST / table->item_size)
    return false;
  const size_t length = (size_t)table->count * table->item_size;
  if (!tiff_file_bytes(file, table->at, length, values))
    return false;
  hash_word(out, entry->type);
  hash_word(out, table->big_endian);
  hash_bytes(out, values, length);
  return true;
}

static bool is_overview(const struct tiff_directory *directory)
{
  for (size_t i = 0; i < directory->count; i++) {
    const struct tiff_entry *entry = &directory->entries[i];
    if (entry->tag == SUBFILE_TYPE)
      return entry->table.is_known && entry->table.value == OVERVIEW;
  }
  return false;
}

/* Whether all directories from byte `at` on are of overviews. */
static bool are_overviews(const struct tiff_bytes *file, uint64_t at)
{
  struct tiff_directory directory;
  for (size_t i = 0; at > 0; i++)
    if (i == OVERVIEWS_MOST || !tiff_directory_read(file, at, &directory) || !is_overview(&directory) ||
        !tiff_directory_next(file, &directory, &at))
      return false;
  return true;
}

bool tiff_making_read(const struct tiff_bytes *file, struct tiff_image *image, struct hash *making)
{
  struct tiff_directory directory;
  uint64_t next;
  *making = (struct hash){0, 0};
  if (!tiff_directory_read(file, 0, &directory) || !tiff_image_read(file, &directory, image) ||
      !tiff_directory_next(file, &directory, &next))
    return false;
  for (size_t i = 0; i < directory.count; i++)
    if (!note(file, &directory.entries[i], making))
      return false;
  return are_overviews(file, next);
}
