/* Chunks of Zarr arrays: see the header. Codecs are undone one after the other, from one buffer into the other. */
#include "datacube/source/zarr_chunk.h"

#include "datacube/base/byte_order.h"
#include "datacube/base/checked.h"
#include "datacube/base/rooted_path.h"
#include "datacube/dap/dap_chunk.h"
#include "datacube/grib/grib_values.h"
#include "datacube/source/zarr_place.h"

#include <blosc.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { SHARDS_KNOWN = 1024 };

struct zarr_reader {
  struct zarr_place place;
  struct zarr_kept kept;
  struct error failure; /* of another host, the first one */
  struct libdeflate_decompressor *inflater;
  unsigned char *one, *other; /* each of `room` bytes */
  size_t room;
  uint32_t skipped;             /* codecs that what is in `one` was written without, a bit each */
  uint32_t part;                /* of a message in `one` the field */
  uint64_t sound[SHARDS_KNOWN]; /* states of shards whose index has its checksum; each in the place of its number */
};

bool zarr_array_is_grib(const struct zarr_array *a)
{
  return a->codec_count > 0 && a->codecs[0].kind == ZARR_GRIB;
}

/* The longest of an array's messages; where its references do not tell, as long as its values. */
static size_t longest_message(const struct zarr_array *a)
{
  const struct zarr_references *all = a->references;
  const size_t folder = strlen(a->folder);
  size_t longest = 0, first = 0;
  for (size_t end = all ? all->count : 0; first < end;) { /* the first key of its folder */
    const size_t middle = first + (end - first) / 2;
    if (strncmp(all->rows[middle].key, a->folder, folder) < 0)
      first = middle + 1;
    else
      end = middle;
  }
  for (; all && first < all->count && strncmp(all->rows[first].key, a->folder, folder) == 0; first++)
    if (all->rows[first].target && all->rows[first].length <= INT32_MAX && all->rows[first].length > longest)
      longest = (size_t)all->rows[first].length;
  return longest;
}

size_t zarr_chunk_room(const struct zarr_array *a)
{
  size_t count = 1;
  for (size_t d = 0; d < a->rank; d++)
    count = saturated_mul(count, a->chunk[d]);
  const size_t bytes = saturated_mul(count, a->element_size);
  if (!zarr_array_is_grib(a))
    return bytes;
  const size_t message = longest_message(a), values = saturated_mul(count, sizeof(double));
  return message > values ? message : values;
}

/* Encoded bytes may be a few more than decoded ones. */
static size_t room_of(size_t room)
{
  return saturated_add(room, room / 64 + 4096);
}

size_t zarr_reader_bytes(size_t room)
{
  return saturated_add(saturated_mul(room_of(room), 2), 64 << 10);
}

int zarr_reader_open(const char *path, const struct zarr_references *references, size_t room, struct zarr_reader **out,
                     struct error *error)
{
  struct zarr_reader *r = calloc(1, sizeof *r);
  if (r == NULL)
    return error_memory(error);
  r->room = room_of(room);
  const bool is_open = zarr_place_open(path, references, &r->place, error) == 0;
  r->place.kept = &r->kept;
  r->inflater = libdeflate_alloc_decompressor();
  r->one = malloc(r->room);
  r->other = malloc(r->room);
  const bool has_memory = r->inflater != NULL && r->one != NULL && r->other != NULL;
  if (is_open && has_memory) {
    *out = r;
    return 0;
  }
  zarr_reader_close(r);
  return has_memory ? -1 : error_memory(error);
}

void zarr_reader_close(struct zarr_reader *r)
{
  if (r == NULL)
    return;
  zarr_place_close(&r->place);
  remote_close(r->kept.file);
  libdeflate_free_decompressor(r->inflater);
  free(r->one);
  free(r->other);
  free(r);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* The file of a chunk, or of the shard that it is in, below the store. False where its name is too long. */
static bool chunk_path(const struct zarr_array *a, const size_t *index, char path[ROOTED_PATH_SIZE])
{
  size_t used = 0;
  int more = snprintf(path, ROOTED_PATH_SIZE, "%s%s%s", a->folder, *a->folder ? "/" : "", a->prefix);
  for (size_t d = 0; d < a->rank && more >= 0 && (used += (size_t)more) < ROOTED_PATH_SIZE; d++) {
    const char *between = d > 0 || *a->prefix ? a->separator : "";
    more = snprintf(path + used, ROOTED_PATH_SIZE - used, "%s%zu", between, index[d] * a->chunk[d] / a->file_chunk[d]);
  }
  if (a->rank == 0 && *a->prefix == '\0' && more >= 0 && (size_t)more < ROOTED_PATH_SIZE - 1) /* version 2 */
    memcpy(path + more, "0", 2);
  return more >= 0 && used + (size_t)more < ROOTED_PATH_SIZE;
}

/* Of a file that is a chunk all is wanted; of a shard, some. */
static uint64_t most_of(const struct zarr_reader *r, const struct zarr_array *a)
{
  return a->sharded ? 0 : r->room;
}

static int open_file(struct zarr_reader *r, const struct zarr_array *a, const size_t *index, struct zarr_file *out)
{
  char path[ROOTED_PATH_SIZE];
  return chunk_path(a, index, path) ? zarr_file_open(&r->place, path, most_of(r, a), out, &r->failure) : -1;
}

int zarr_reader_failure(struct zarr_reader *r, struct error *error)
{
  if (!error_is_set(&r->failure))
    return 0;
  *error = r->failure;
  r->failure = (struct error){0};
  return -1;
}

static uint64_t chunk_state(const struct zarr_place *place, const struct zarr_array *a, const size_t *index)
{
  char path[ROOTED_PATH_SIZE];
  if (a->dap)
    return dap_chunk_state(a, index);
  return chunk_path(a, index, path) ? zarr_file_state(place, path) : 0;
}

uint64_t zarr_chunk_state(const struct zarr_reader *r, const struct zarr_array *a, const size_t *index)
{
  return chunk_state(&r->place, a, index);
}

static void hash_documents(const struct zarr_place *place, const struct zarr_array *a, struct hash *out)
{
  static const char *const names[] = {"zarr.json", ".zarray", ".zattrs"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char path[ROOTED_PATH_SIZE];
    snprintf(path, sizeof path, "%s%s%s", a->folder, *a->folder ? "/" : "", names[i]);
    hash_word(out, zarr_file_state(place, path));
  }
}

bool zarr_files_state(const char *store, const struct zarr_array *a, size_t *left, struct hash *out)
{
  size_t index[CUBE_MAX_DIMENSIONS] = {0}, count = 1;
  for (size_t d = 0; d < a->rank; d++)
    count = saturated_mul(count, (a->shape[d] - 1) / a->file_chunk[d] + 1);
  if (count > *left)
    return false;
  *left -= count;
  struct zarr_place place;
  struct error ignored = {0};
  zarr_place_open(store, a->references, &place, &ignored);
  hash_documents(&place, a, out);
  for (size_t i = 0; i < count; i++) {
    hash_word(out, chunk_state(&place, a, index));
    for (size_t d = a->rank; d-- > 0; index[d] = 0) { /* the first chunk of the next file */
      index[d] += a->file_chunk[d] / a->chunk[d];
      if (index[d] * a->chunk[d] < a->shape[d])
        break;
    }
  }
  zarr_place_close(&place);
  return true;
}

static uint64_t little(const unsigned char *bytes, size_t count)
{
  uint64_t value = 0;
  for (size_t i = 0; i < count; i++)
    value |= (uint64_t)bytes[i] << 8 * i;
  return value;
}

/* CRC-32C (RFC 3720, appendix B.4), four bits at a time, of bytes behind those of a sum; all bits of the first and of
 * the last sum are inverted. */
static uint32_t checksum_on(uint32_t sum, const unsigned char *bytes, size_t count)
{
  static const uint32_t table[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3,
                                     0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                     0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
  for (size_t i = 0; i < count; i++) {
    sum ^= bytes[i];
    sum = sum >> 4 ^ table[sum & 15];
    sum = sum >> 4 ^ table[sum & 15];
  }
  return sum;
}

static uint32_t checksum(const unsigned char *bytes, size_t count)
{
  return ~checksum_on(UINT32_MAX, bytes, count);
}

/* Whether an index of so many bytes has the checksum behind it: added up once for each state of the file. */
static bool is_index_sound(struct zarr_reader *r, const struct zarr_file *file, uint64_t start, size_t bytes)
{
  const uint64_t state = hash_mix(file->state ^ bytes);
  uint64_t *known = &r->sound[state % SHARDS_KNOWN];
  unsigned char written[4];
  uint32_t sum = UINT32_MAX;
  if (*known == state)
    return true;
  for (size_t done = 0, many; done < bytes; done += many) {
    many = bytes - done < r->room ? bytes - done : r->room;
    if (!zarr_file_read(file, start + done, many, r->other, &r->failure))
      return false;
    sum = checksum_on(sum, r->other, many);
  }
  if (!zarr_file_read(file, start + bytes, sizeof written, written, &r->failure) ||
      ~sum != little(written, sizeof written))
    return false;
  *known = state;
  return true;
}

/* Where a chunk lies in its shard: 1, 0 where it was never written, -1. The index has offset and length of each,
 * in the order of the stored dimensions. */
static int find_in_shard(struct zarr_reader *r, const struct zarr_array *a, const size_t *index,
                         const struct zarr_file *file, uint64_t *at, size_t *length)
{
  const uint64_t size = file->size;
  size_t number = 0, count = 1, bytes;
  for (size_t s = 0; s < a->rank; s++) {
    const size_t d = a->axis[s];
    const size_t per = a->file_chunk[d] / a->chunk[d];
    number = number * per + index[d] % per;
    if (checked_mul(count, per, &count) != 0)
      return -1;
  }
  if (checked_mul(count, 16, &bytes) != 0)
    return -1;
  const size_t whole = bytes + (a->index_summed ? 4 : 0);
  unsigned char entry[16];
  if (whole < bytes || whole > size)
    return -1;
  const uint64_t start = a->index_first ? 0 : size - whole;
  if (a->index_summed && !is_index_sound(r, file, start, bytes))
    return -1;
  if (!zarr_file_read(file, start + number * 16, sizeof entry, entry, &r->failure))
    return -1;
  const uint64_t offset = little(entry, 8), many = little(entry + 8, 8);
  if (offset == UINT64_MAX && many == UINT64_MAX)
    return 0;
  if (offset > size || many > size - offset)
    return -1;
  *at = offset;
  *length = (size_t)many;
  return 1;
}

/* The encoded bytes of a chunk, in r->one: 1, 0 where it was never written, -1. */
static int read_encoded(struct zarr_reader *r, const struct zarr_array *a, const size_t *index, size_t *length)
{
  struct zarr_file file;
  uint64_t at = 0;
  int found = open_file(r, a, index, &file);
  if (found != 1)
    return found;
  *length = (size_t)file.size;
  r->skipped = file.skipped;
  r->part = file.part;
  if (a->sharded)
    found = find_in_shard(r, a, index, &file, &at, length);
  if (found == 1 && (*length > r->room || !zarr_file_read(&file, at, *length, r->one, &r->failure)))
    found = -1;
  zarr_file_close(&file);
  return found;
}

static void ask_system(struct zarr_reader *r, const struct zarr_array *a, const size_t *index)
{
  struct zarr_file file;
  uint64_t at = 0;
  if (open_file(r, a, index, &file) != 1)
    return;
  size_t length = (size_t)file.size;
  const bool found = !a->sharded || find_in_shard(r, a, index, &file, &at, &length) == 1;
  if (found && length > 0 && length <= r->room && !file.bytes)
    posix_fadvise(file.descriptor, (off_t)(file.start + at), (off_t)length, POSIX_FADV_WILLNEED);
  zarr_file_close(&file);
}

bool zarr_chunk_ahead(struct zarr_reader *r, const struct zarr_array *a, const size_t *index)
{
  char path[ROOTED_PATH_SIZE];
  if (a->dap)
    return dap_chunk_ahead(a, index);
  if (!chunk_path(a, index, path))
    return true;
  if (zarr_file_is_remote(&r->place, path))
    return zarr_file_ahead(&r->place, path, most_of(r, a));
  ask_system(r, a, index);
  return true;
}

/* ---- codecs ------------------------------------------------------------------------------------------------------ */

/* Fletcher's checksum as HDF5 has it: of words of 16 bits, the larger byte first, modulo 65535. */
static uint32_t fletcher(const unsigned char *bytes, size_t count)
{
  uint32_t one = 0, two = 0;
  for (size_t i = 0; i < count; i += 2) {
    one += (uint32_t)bytes[i] << 8 | (i + 1 < count ? bytes[i + 1] : 0);
    one = (one & 0xFFFF) + (one >> 16);
    two += one;
    two = (two & 0xFFFF) + (two >> 16);
  }
  return two << 16 | one;
}

static void gather_bytes(const unsigned char *from, size_t length, size_t size, unsigned char *to)
{
  const size_t count = length / size;
  for (size_t b = 0; b < size; b++)
    for (size_t i = 0; i < count; i++)
      to[i * size + b] = from[b * count + i];
  memcpy(to + count * size, from + count * size, length - count * size);
}

/* A sum of 32 bits before or behind the bytes that it is of. */
static size_t take_sum(const struct zarr_codec *codec, const unsigned char *from, size_t length, unsigned char *to)
{
  const size_t own = length - 4;
  if (length < 4)
    return SIZE_MAX;
  const unsigned char *bytes = from + (codec->sum_first ? 4 : 0), *written = from + (codec->sum_first ? 0 : own);
  const uint32_t sum = codec->kind == ZARR_CRC32 ? libdeflate_crc32(0, bytes, own) : libdeflate_adler32(1, bytes, own);
  memcpy(to, bytes, own);
  return sum == little(written, 4) ? own : SIZE_MAX;
}

/* Undoes one codec; the number of bytes in `to`, SIZE_MAX where they are not what it makes. */
static size_t undo(struct zarr_reader *r, const struct zarr_codec *codec, const unsigned char *from, size_t length,
                   unsigned char *to)
{
  size_t got = SIZE_MAX, decoded = 0;
  switch (codec->kind) {
  case ZARR_ZLIB:
    return libdeflate_zlib_decompress(r->inflater, from, length, to, r->room, &got) == LIBDEFLATE_SUCCESS ? got
                                                                                                          : SIZE_MAX;
  case ZARR_GZIP:
    return libdeflate_gzip_decompress(r->inflater, from, length, to, r->room, &got) == LIBDEFLATE_SUCCESS ? got
                                                                                                          : SIZE_MAX;
  case ZARR_ZSTD:
    got = ZSTD_decompress(to, r->room, from, length);
    return ZSTD_isError(got) ? SIZE_MAX : got;
  case ZARR_BLOSC:
    if (blosc_cbuffer_validate(from, length, &decoded) != 0 || decoded > r->room)
      return SIZE_MAX;
    return blosc_decompress_ctx(from, to, r->room, 1) == (int)decoded ? decoded : SIZE_MAX;
  case ZARR_SHUFFLE:
    gather_bytes(from, length, codec->size, to);
    return length;
  case ZARR_CRC32C:
    if (length < 4 || checksum(from, length - 4) != little(from + length - 4, 4))
      return SIZE_MAX;
    memcpy(to, from, length - 4);
    return length - 4;
  case ZARR_FLETCHER32:
    if (length < 4 || fletcher(from, length - 4) != little(from + length - 4, 4))
      return SIZE_MAX;
    memcpy(to, from, length - 4);
    return length - 4;
  case ZARR_CRC32:
  case ZARR_ADLER32:
    return take_sum(codec, from, length, to);
  case ZARR_DELTA:
    return zarr_undo_delta(&codec->filter, from, length, to, r->room);
  case ZARR_SCALE:
    return zarr_undo_scale(&codec->filter, from, length, to, r->room);
  case ZARR_BITROUND:
  case ZARR_QUANTIZE:
    memcpy(to, from, length);
    return length;
  case ZARR_GRIB: /* undo_grib */
    break;
  }
  return SIZE_MAX;
}

/* Decodes what is in r->one; *out is where the bytes are then. */
static bool decode(struct zarr_reader *r, const struct zarr_array *a, size_t length, const unsigned char **out,
                   size_t *decoded)
{
  unsigned char *from = r->one, *to = r->other;
  for (size_t i = a->codec_count; i-- > 0;) {
    if (r->skipped >> i & 1)
      continue;
    length = undo(r, &a->codecs[i], from, length, to);
    if (length == SIZE_MAX)
      return false;
    unsigned char *swap = from;
    from = to;
    to = swap;
  }
  *out = from;
  *decoded = length;
  return true;
}

/* ---- elements ---------------------------------------------------------------------------------------------------- */

/* Bytes that are turned round together. */
static size_t word_size(const struct zarr_array *a)
{
  return a->kind == ZARR_BYTES               ? 1
         : a->kind == ZARR_UCS4              ? 4
         : element_info(a->type)->is_complex ? a->element_size / 2
                                             : a->element_size;
}

/* Elements from the order of the stored dimensions to that of the array's. */
static void copy_elements(const struct zarr_array *a, size_t count, const unsigned char *from, unsigned char *to)
{
  const size_t size = a->element_size;
  size_t step[CUBE_MAX_DIMENSIONS], at[CUBE_MAX_DIMENSIONS] = {0}, place = 0;
  bool straight = true;
  for (size_t d = 0; d < a->rank; d++)
    straight = straight && a->axis[d] == d;
  if (straight) {
    memcpy(to, from, count * size);
    return;
  }
  for (size_t d = a->rank, all = 1; d-- > 0; all *= a->chunk[d])
    step[d] = all;
  for (size_t i = 0; i < count; i++) {
    memcpy(to + place * size, from + i * size, size);
    for (size_t s = a->rank; s-- > 0;) { /* the next stored element */
      const size_t d = a->axis[s];
      place += step[d];
      if (++at[s] < a->chunk[d])
        break;
      place -= at[s] * step[d];
      at[s] = 0;
    }
  }
}

/* A message's values, which are its only encoding, as the chunk. Where their order is another one they pass through the
 * buffer whose bytes are not wanted any more. */
static bool undo_grib(struct zarr_reader *r, const struct zarr_array *a, size_t length, size_t count, void *out)
{
  const bool is_wide = a->type == ELEMENT_F64;
  const struct grib_decoding request = {.message = r->one,
                                        .length = length,
                                        .part = r->part,
                                        .count = count,
                                        .line = a->chunk[a->rank - (a->axis[0] == 0 ? 1 : 2)],
                                        .alternates = a->codecs[0].alternates,
                                        .is_wide = is_wide};
  unsigned char *values = a->axis[0] == 0 ? out : is_wide ? r->other : r->one;
  if (!grib_decode(&request, (double *)(void *)r->other, values))
    return false;
  if (values != out)
    copy_elements(a, count, values, out);
  return true;
}

int zarr_chunk_read(struct zarr_reader *r, const struct zarr_array *a, const size_t *index, void *out)
{
  size_t length = 0, decoded = 0, count = 1;
  const unsigned char *bytes;
  if (a->dap)
    return dap_chunk_read(a, index, &(struct dap_room){r->one, r->other, r->room}, out, &r->failure);
  const int found = read_encoded(r, a, index, &length);
  if (found != 1)
    return found;
  for (size_t d = 0; d < a->rank; d++)
    count *= a->chunk[d];
  if (zarr_array_is_grib(a))
    return undo_grib(r, a, length, count, out) ? 1 : -1;
  if (!decode(r, a, length, &bytes, &decoded) || decoded != count * a->element_size)
    return -1;
  copy_elements(a, count, bytes, out);
  const size_t word = word_size(a);
  if (a->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) && word > 1)
    bytes_turn(out, decoded / word, word);
  return 1;
}

int zarr_chunk_texts(struct zarr_reader *r, const struct zarr_array *a, const size_t *index,
                     const unsigned char **bytes, size_t *length)
{
  size_t encoded = 0;
  if (a->dap) {
    *bytes = r->other;
    return dap_chunk_texts(a, index, &(struct dap_room){r->one, r->other, r->room}, length, &r->failure);
  }
  const int found = read_encoded(r, a, index, &encoded);
  return found != 1 ? found : decode(r, a, encoded, bytes, length) ? 1 : -1;
}

/* ---- fill values ------------------------------------------------------------------------------------------------- */

static double fill_number(const struct zarr_json *fill)
{
  if (zarr_json_is(fill, ZARR_JSON_NUMBER))
    return fill->number;
  if (zarr_json_is(fill, ZARR_JSON_TRUE))
    return 1;
  if (!zarr_json_is(fill, ZARR_JSON_TEXT))
    return 0;
  if (strcmp(fill->text, "NaN") == 0)
    return NAN;
  const bool minus = fill->text[0] == '-';
  return strcmp(fill->text + minus, "Infinity") == 0 ? (minus ? -INFINITY : INFINITY) : 0;
}

/* "0x7fc00000" is a float's bits. */
static bool fill_bits(const struct zarr_json *fill, uint64_t *out)
{
  char *end;
  if (!zarr_json_is(fill, ZARR_JSON_TEXT) || strncmp(fill->text, "0x", 2) != 0)
    return false;
  *out = strtoull(fill->text, &end, 16);
  return *end == '\0';
}

static void fill_float(const struct zarr_json *fill, size_t size, unsigned char *out)
{
  const double number = fill_number(fill);
  const float narrow = (float)number;
  uint64_t bits;
  uint32_t low;
  if (fill_bits(fill, &bits)) {
    low = (uint32_t)bits;
    memcpy(out, size == 4 ? (const void *)&low : &bits, size);
  } else
    memcpy(out, size == 4 ? (const void *)&narrow : &number, size);
}

void zarr_fill(const struct zarr_array *a, unsigned char out[16])
{
  const struct element_info *info = element_info(a->type);
  const struct zarr_json *fill = a->fill;
  uint64_t word = 0;
  bool negative;
  memset(out, 0, 16);
  if (a->kind == ZARR_BYTES || a->kind == ZARR_UCS4 || a->kind == ZARR_TEXTS)
    return;
  if (info->is_complex) {
    const bool pair = zarr_json_is(fill, ZARR_JSON_ARRAY) && fill->first != NULL;
    fill_float(pair ? fill->first : fill, info->size / 2, out);
    if (pair)
      fill_float(fill->first->next, info->size / 2, out + info->size / 2);
  } else if (info->is_float) {
    fill_float(fill, info->size, out);
  } else {
    if (!zarr_json_integer(fill, &word, &negative))
      word = element_word(ELEMENT_I64, fill_number(fill));
    for (size_t b = 0; b < info->size; b++)
      out[__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? info->size - 1 - b : b] = (unsigned char)(word >> 8 * b);
  }
}
