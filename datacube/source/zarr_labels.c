/* Chunk by chunk into an array, and that into the dataset. */
#include "datacube/source/zarr_labels.h"

#include "datacube/base/checked.h"
#include "datacube/base/utf8.h"
#include "datacube/source/netcdf_group.h"
#include "datacube/source/zarr_chunk.h"

#include <netcdf.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LABELS = 1 << 22, MOST_CHUNKS = 1 << 18, AHEAD = 64 };

struct labels { /* of one array */
  struct arena *arena;
  struct zarr_reader *reader;
  const struct zarr_array *array;
  size_t count; /* elements */
  struct error *error;
};

/* Where its host is to blame, that is told. */
static int cannot_be_read(const struct labels *l)
{
  if (zarr_reader_failure(l->reader, l->error) != 0)
    return -1;
  return error_set(l->error, ERROR_FileContentInvalid, "the coordinate %.120s cannot be read", l->array->name);
}

/* Chunks of another host come side by side. */
static void ask_ahead(const struct labels *l, const size_t *index, size_t axis)
{
  const struct zarr_array *a = l->array;
  size_t next[CUBE_MAX_DIMENSIONS];
  memcpy(next, index, sizeof next);
  for (size_t i = 0; index[axis] % AHEAD == 0 && i < AHEAD && next[axis] * a->chunk[axis] < l->count; i++)
    if (!zarr_chunk_ahead(l->reader, a, next))
      break;
    else
      next[axis]++;
}

/* Numbers, or texts of one length: first elements of chunks beyond each other. Rank 0, 1, or 2 with one row. */
static int read_elements(const struct labels *l, unsigned char *out)
{
  const struct zarr_array *a = l->array;
  const size_t last = a->rank - 1, chunk = a->chunk[last], size = a->element_size;
  size_t bytes = size, index[CUBE_MAX_DIMENSIONS] = {0};
  unsigned char fill[16];
  for (size_t d = 0; d < a->rank; d++)
    bytes = saturated_mul(bytes, a->chunk[d]);
  unsigned char *decoded = malloc(bytes);
  if (!decoded)
    return error_memory(l->error);
  zarr_fill(a, fill);
  int status = 0;
  for (size_t at = 0; at < l->count && status == 0; at += chunk, index[last]++) {
    const size_t many = l->count - at < chunk ? l->count - at : chunk;
    ask_ahead(l, index, last);
    const int found = zarr_chunk_read(l->reader, a, index, decoded);
    if (found == 1)
      memcpy(out + at * size, decoded, many * size);
    for (size_t i = 0; found == 0 && i < many && size <= sizeof fill; i++)
      memcpy(out + (at + i) * size, fill, size);
    status = found < 0 ? cannot_be_read(l) : 0;
  }
  free(decoded);
  return status;
}

/* UTF-8 of at most so many characters of four bytes. */
static size_t from_ucs4(const unsigned char *from, size_t count, char *to)
{
  size_t length = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t code;
    memcpy(&code, from + 4 * i, 4);
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      break;
    length += utf8_put(code, to + length);
  }
  return length;
}

static int read_short_texts(const struct labels *l, const char **texts)
{
  const struct zarr_array *a = l->array;
  unsigned char *elements = arena_alloc(l->arena, saturated_mul(l->count, a->element_size));
  if (!elements)
    return error_memory(l->error);
  if (read_elements(l, elements) != 0)
    return -1;
  for (size_t i = 0; i < l->count; i++) {
    const unsigned char *from = elements + i * a->element_size;
    char *text = arena_alloc(l->arena, a->element_size + 1);
    if (!text)
      return error_memory(l->error);
    if (a->kind == ZARR_UCS4)
      text[from_ucs4(from, a->element_size / 4, text)] = '\0';
    else {
      memcpy(text, from, a->element_size);
      text[a->element_size] = '\0';
    }
    texts[i] = text;
  }
  return 0;
}

static uint32_t length_at(const unsigned char *bytes)
{
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Texts of a chunk: their number, then each with its length. */
static int take_texts(const struct labels *l, const unsigned char *bytes, size_t length, size_t at, const char **texts)
{
  const size_t many = length >= 4 ? length_at(bytes) : 0;
  size_t used = 4;
  for (size_t i = 0; i < many && at + i < l->count; i++) {
    const size_t own = length - used >= 4 ? length_at(bytes + used) : SIZE_MAX;
    if (own == SIZE_MAX || own > length - used - 4)
      return cannot_be_read(l);
    texts[at + i] = arena_strndup(l->arena, (const char *)bytes + used + 4, own);
    if (!texts[at + i])
      return error_memory(l->error);
    used += 4 + own;
  }
  return 0;
}

static int read_long_texts(const struct labels *l, const char **texts)
{
  size_t index[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t i = 0; i < l->count; i++)
    texts[i] = "";
  for (size_t at = 0; at < l->count; at += l->array->chunk[0], index[0]++) {
    const unsigned char *bytes;
    size_t length = 0;
    const int found = zarr_chunk_texts(l->reader, l->array, index, &bytes, &length);
    if (found < 0)
      return cannot_be_read(l);
    if (found == 1 && take_texts(l, bytes, length, at, texts) != 0)
      return -1;
  }
  return 0;
}

static bool is_text(const struct zarr_array *a)
{
  return a->kind == ZARR_BYTES || a->kind == ZARR_UCS4 || a->kind == ZARR_TEXTS;
}

static bool is_wanted(const struct zarr_array *a)
{
  const bool named = a->rank == 1 && a->names[0] && strcmp(a->names[0], a->name) == 0;
  const bool bounds = a->rank == 2 && a->shape[0] == 1 && a->shape[1] == 2 && !is_text(a);
  return !a->why_not && (named || bounds || (a->rank == 1 && is_text(a)));
}

static int put(const struct labels *l, int file)
{
  const struct zarr_array *a = l->array;
  int group, id;
  if (netcdf_group_find(file, a->group, &group) != 0 || nc_inq_varid(group, a->name, &id) != NC_NOERR)
    return 0; /* it has no elements */
  if (is_text(a)) {
    const char **texts = ARENA_ARRAY(l->arena, const char *, l->count);
    if (!texts)
      return error_memory(l->error);
    if ((a->kind == ZARR_TEXTS ? read_long_texts : read_short_texts)(l, texts) != 0)
      return -1;
    return nc_put_var_string(group, id, texts) == NC_NOERR ? 0 : cannot_be_read(l);
  }
  unsigned char *elements = arena_alloc(l->arena, saturated_mul(l->count, a->element_size));
  if (!elements)
    return error_memory(l->error);
  if (read_elements(l, elements) != 0)
    return -1;
  return nc_put_var(group, id, elements) == NC_NOERR ? 0 : cannot_be_read(l);
}

static int put_array(struct labels *l, const struct zarr_store *store, int file)
{
  const struct zarr_array *a = l->array;
  size_t chunk = a->element_size > 0 ? a->element_size : 256; /* of a text, about */
  if (zarr_array_is_grib(a))
    return cannot_be_read(l);
  l->count = a->shape[a->rank - 1];
  if (l->count > MOST_LABELS || l->count / a->chunk[a->rank - 1] > MOST_CHUNKS)
    return error_set(l->error, ERROR_FileContentInvalid, "the coordinate %.120s has %zu labels, in too many chunks",
                     a->name, l->count);
  for (size_t d = 0; d < a->rank; d++)
    chunk = saturated_mul(chunk, a->chunk[d]);
  if (zarr_reader_open(store->path, a->references, chunk > 1 << 20 ? chunk : 1 << 20, &l->reader, l->error) != 0)
    return -1;
  const int status = put(l, file);
  zarr_reader_close(l->reader);
  return status;
}

int zarr_labels_put(struct arena *arena, const struct zarr_store *store, int file, struct error *error)
{
  for (size_t i = 0; i < store->array_count; i++) {
    struct labels labels = {.arena = arena, .array = &store->arrays[i], .error = error};
    if (is_wanted(labels.array) && put_array(&labels, store, file) != 0)
      return -1;
  }
  return 0;
}
