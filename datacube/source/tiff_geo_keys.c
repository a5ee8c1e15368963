/* The keys of a GeoTIFF (OGC 19-008, 7.1): a directory of keys, and the numbers and texts to which it points. Units of
 * bands lie in GDAL's own tag. */
#include "datacube/source/tiff_geo_keys.h"

#include "datacube/remote/remote_file.h"
#include "datacube/source/tiff_layout.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KEY_DIRECTORY = 34735, NUMBERS = 34736, TEXTS = 34737, GDAL_METADATA = 42112, BYTES_MOST = 1 << 16 };

/* Values of at most BYTES_MOST bytes; how many in *length. */
static bool read_table(const struct tiff_bytes *file, const struct tiff_table *table, unsigned char *bytes,
                       size_t *length)
{
  if (table->item_size == 0 || table->count > BYTES_MOST / table->item_size)
    return false;
  *length = (size_t)table->count * table->item_size;
  return tiff_file_bytes(file, table->at, *length, bytes);
}

/* Adds an entry to the fingerprint where it is one of the keys'. False where a unit is given, or it cannot be read. */
static bool note(const struct tiff_bytes *file, const struct tiff_entry *entry, struct hash *out)
{
  static const char unit[] = "unittype";
  unsigned char bytes[BYTES_MOST];
  size_t length;
  const bool is_key = entry->tag == KEY_DIRECTORY || entry->tag == NUMBERS || entry->tag == TEXTS;
  if (!is_key && entry->tag != GDAL_METADATA)
    return true;
  if (!read_table(file, &entry->table, bytes, &length))
    return false;
  if (!is_key)
    return memmem(bytes, length, unit, strlen(unit)) == NULL;
  const uint64_t about[] = {entry->tag, entry->type, entry->table.count, entry->table.big_endian};
  hash_bytes(out, about, sizeof about);
  hash_bytes(out, bytes, length);
  return true;
}

static bool hash_keys(const struct tiff_bytes *file, struct hash *out)
{
  struct tiff_directory directory;
  bool found = false;
  if (!tiff_directory_read(file, 0, &directory))
    return false;
  for (size_t i = 0; i < directory.count; i++) {
    found = found || directory.entries[i].tag == KEY_DIRECTORY;
    if (!note(file, &directory.entries[i], out))
      return false;
  }
  return found;
}

/* GDAL takes CRS, place and units from there as well. */
bool tiff_has_company(const char *path)
{
  char beside[PATH_MAX];
  const int length = snprintf(beside, sizeof beside, "%s.aux.xml", path);
  return length < 0 || (size_t)length >= sizeof beside || access(beside, F_OK) == 0;
}

/* Nothing counts as beside a file of another host (remote_vsi.h). */
static bool remote_keys(const char *path, struct hash *out)
{
  struct remote_file *remote;
  struct error ignored = {0};
  if (remote_open(path, &remote, &ignored) != 0)
    return false;
  const struct tiff_bytes file = {.descriptor = -1, .remote = remote};
  const bool done = hash_keys(&file, out);
  remote_close(remote);
  return done;
}

bool tiff_geo_keys(const char *path, struct hash *out)
{
  *out = (struct hash){0, 0};
  if (remote_is(path))
    return remote_keys(path, out);
  if (tiff_has_company(path))
    return false;
  const struct tiff_bytes file = {.descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
  if (file.descriptor < 0)
    return false;
  const bool done = hash_keys(&file, out);
  close(file.descriptor);
  return done;
}
