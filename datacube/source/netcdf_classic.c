/* The header of a netCDF-3 file, read only as far as the length of the file follows from it.
 *
 *   "CDF" version  numrecs  dimensions  attributes  variables         all big-endian, names and values padded to 4
 * bytes variable: name, rank, dimension ids, attributes, type, size, offset of its first element Counts have 4 bytes,
 * in CDF-5 8; offsets have 4 bytes in CDF-1, else 8. A variable over the record dimension (length 0) has one slab a
 * record; records hold one slab of each such variable (The NetCDF Classic Format Specification). */
#include "datacube/source/netcdf_classic.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MOST = 1 << 20 /* entries of a list */, STREAMING = -1 };

struct header {
  FILE *file;
  int version;      /* 1, 2, 5 */
  int64_t records;  /* STREAMING: unknown */
  int64_t *lengths; /* of dimensions */
  int64_t dimensions;
  int64_t record_bytes; /* of one whole record */
  int64_t record_variables, last_slab;
  int64_t end;        /* of the data seen so far, without later records */
  int64_t record_end; /* of the first record's slab that ends last */
  bool failed;        /* sticky: the file ended, or says nonsense */
};

static int64_t take(struct header *h, int bytes)
{
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) {
    const int byte = fgetc(h->file);
    if (byte == EOF)
      h->failed = true;
    value = value << 8 | (uint64_t)(byte & 0xFF);
  }
  if (bytes == 4 && value == UINT32_MAX)
    return STREAMING;
  if (value > INT64_MAX / 64) {
    h->failed = h->failed || value != UINT64_MAX;
    return STREAMING;
  }
  return (int64_t)value;
}

static int64_t take_count(struct header *h)
{
  return take(h, h->version == 5 ? 8 : 4);
}

static void skip_padded(struct header *h, int64_t bytes)
{
  if (bytes < 0 || fseeko(h->file, (off_t)((bytes + 3) / 4 * 4), SEEK_CUR) != 0)
    h->failed = true;
}

static int64_t type_bytes(int64_t type)
{
  static const int64_t bytes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
  return type > 0 && type < (int64_t)(sizeof bytes / sizeof bytes[0]) ? bytes[type] : 0;
}

/* Number of entries of a list, its tag before it. */
static int64_t take_list(struct header *h)
{
  take(h, 4);
  const int64_t count = take_count(h);
  if (count < 0 || count > MOST)
    h->failed = true;
  return h->failed ? 0 : count;
}

static void skip_attributes(struct header *h)
{
  const int64_t count = take_list(h);
  for (int64_t i = 0; i < count && !h->failed; i++) {
    skip_padded(h, take_count(h));
    const int64_t size = type_bytes(take(h, 4));
    skip_padded(h, take_count(h) * size);
  }
}

static void take_dimensions(struct header *h)
{
  h->dimensions = take_list(h);
  h->lengths = calloc((size_t)h->dimensions + 1, sizeof *h->lengths);
  if (h->lengths == NULL)
    h->failed = true;
  for (int64_t i = 0; i < h->dimensions && !h->failed; i++) {
    skip_padded(h, take_count(h));
    h->lengths[i] = take_count(h);
  }
}

static void take_variable(struct header *h)
{
  bool is_record = false;
  int64_t elements = 1;
  skip_padded(h, take_count(h));
  const int64_t rank = take_count(h);
  for (int64_t d = 0; d < rank && !h->failed; d++) {
    const int64_t id = take_count(h);
    if (id < 0 || id >= h->dimensions || h->lengths[id] < 0) {
      h->failed = true;
      return;
    }
    is_record = is_record || (d == 0 && h->lengths[id] == 0);
    if (!(d == 0 && is_record) && __builtin_mul_overflow(elements, h->lengths[id], &elements))
      h->failed = true;
  }
  skip_attributes(h);
  const int64_t size = type_bytes(take(h, 4));
  take_count(h); /* size, wrong for large variables */
  const int64_t begin = take(h, h->version == 1 ? 4 : 8);
  int64_t bytes, end;
  if (h->failed || begin < 0 || __builtin_mul_overflow(elements, size, &bytes) ||
      __builtin_add_overflow(begin, bytes, &end) || bytes > INT64_MAX / 64) {
    h->failed = true;
    return;
  }
  if (!is_record) {
    h->end = end > h->end ? end : h->end;
    return;
  }
  h->record_variables++;
  h->last_slab = bytes;
  h->record_bytes += (bytes + 3) / 4 * 4;
  h->record_end = end > h->record_end ? end : h->record_end;
}

static void take_all(struct header *h)
{
  h->records = take_count(h);
  take_dimensions(h);
  skip_attributes(h);
  const int64_t count = take_list(h);
  for (int64_t i = 0; i < count && !h->failed; i++)
    take_variable(h);
  if (h->record_variables == 1)
    h->record_bytes = h->last_slab; /* a single one is not padded */
  int64_t later;
  if (h->failed || h->records <= 0 || h->record_variables == 0)
    return;
  if (__builtin_mul_overflow(h->records - 1, h->record_bytes, &later) ||
      __builtin_add_overflow(later, h->record_end, &later))
    h->failed = true;
  else
    h->end = later > h->end ? later : h->end;
}

bool netcdf_classic_is_truncated(const char *path)
{
  struct stat status;
  struct header h = {.file = fopen(path, "re")};
  if (h.file == NULL)
    return false;
  bool truncated = false;
  if (fgetc(h.file) == 'C' && fgetc(h.file) == 'D' && fgetc(h.file) == 'F' && fstat(fileno(h.file), &status) == 0) {
    h.version = fgetc(h.file);
    if (h.version == 1 || h.version == 2 || h.version == 5) {
      take_all(&h);
      truncated = h.failed || h.end > (int64_t)status.st_size;
    }
  }
  free(h.lengths);
  fclose(h.file);
  return truncated;
}
