/* See the header. */
#include "datacube/parquet/parquet_values.h"

#include <string.h>

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static bool read_varint(const unsigned char **at, const unsigned char *end, uint64_t *out)
{
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
    const unsigned byte = *(*at)++;
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) {
      *out = value;
      return true;
    }
  }
  return false;
}

static uint32_t read_u32(const unsigned char *at)
{
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t read_u64(const unsigned char *at)
{
  return (uint64_t)read_u32(at) | (uint64_t)read_u32(at + 4) << 32;
}

struct parquet_runs parquet_runs_of(const unsigned char *at, size_t length, unsigned width)
{
  return (struct parquet_runs){.at = at, .end = at + length, .width = width};
}

static bool begin_run(struct parquet_runs *runs)
{
  const unsigned bytes = (runs->width + 7) / 8;
  uint64_t head;
  if (!read_varint(&runs->at, runs->end, &head))
    return false;
  runs->is_packed = head & 1;
  runs->bits = runs->bit_count = 0;
  runs->left = head >> 1;
  if (runs->is_packed) {
    runs->left = runs->left > UINT64_MAX / 8 ? UINT64_MAX : runs->left * 8;
    return true;
  }
  if (bytes > (size_t)(runs->end - runs->at))
    return false;
  runs->value = 0;
  for (unsigned i = 0; i < bytes; i++)
    runs->value |= (uint32_t)runs->at[i] << 8 * i;
  runs->at += bytes;
  return true;
}

bool parquet_runs_next(struct parquet_runs *runs, uint32_t *out)
{
  while (runs->left == 0)
    if (!begin_run(runs))
      return false;
  runs->left--;
  if (!runs->is_packed) {
    *out = runs->value;
    return true;
  }
  while (runs->bit_count < runs->width) {
    if (runs->at == runs->end)
      return false;
    runs->bits |= (uint64_t)*runs->at++ << runs->bit_count;
    runs->bit_count += 8;
  }
  *out = (uint32_t)(runs->bits & ((UINT64_C(1) << runs->width) - 1));
  runs->bits >>= runs->width;
  runs->bit_count -= runs->width;
  return true;
}

/* ---- differences ------------------------------------------------------------------------------------------------- */

static uint64_t from_zigzag(uint64_t value)
{
  return value >> 1 ^ -(value & 1);
}

bool parquet_deltas_begin(struct parquet_deltas *deltas, const unsigned char *at, size_t length, uint64_t most)
{
  uint64_t block, parts, first;
  *deltas = (struct parquet_deltas){.at = at, .end = at + length};
  if (!read_varint(&deltas->at, deltas->end, &block) || !read_varint(&deltas->at, deltas->end, &parts) ||
      !read_varint(&deltas->at, deltas->end, &deltas->left) || !read_varint(&deltas->at, deltas->end, &first))
    return false;
  if (block == 0 || block > 1 << 20 || parts == 0 || parts > block || block / parts % 8 != 0 || block % parts != 0 ||
      deltas->left > most)
    return false;
  deltas->parts = (size_t)parts;
  deltas->part_size = (size_t)(block / parts);
  deltas->last = from_zigzag(first);
  deltas->is_first = true;
  return true;
}

static bool begin_part(struct parquet_deltas *deltas)
{
  uint64_t least;
  if (deltas->parts_left == 0) {
    if (!read_varint(&deltas->at, deltas->end, &least) || (size_t)(deltas->end - deltas->at) < deltas->parts)
      return false;
    deltas->least = from_zigzag(least);
    deltas->widths = deltas->at;
    deltas->at += deltas->parts;
    deltas->parts_left = deltas->parts;
  }
  deltas->parts_left--;
  deltas->width = *deltas->widths++;
  const size_t bytes = deltas->part_size / 8 * deltas->width, there = (size_t)(deltas->end - deltas->at);
  deltas->bits = deltas->at;
  deltas->at += bytes < there ? bytes : there; /* the last one may end with its last number */
  deltas->bits_end = deltas->at;
  deltas->bit = 0;
  deltas->in_part = deltas->part_size;
  return deltas->width <= 64;
}

/* The next number of `width` bits. */
static bool take_bits(struct parquet_deltas *deltas, uint64_t *out)
{
  const unsigned char *at = deltas->bits + deltas->bit / 8;
  const unsigned from = deltas->bit % 8, bytes = (from + deltas->width + 7) / 8;
  uint64_t value = 0;
  if (bytes > (size_t)(deltas->bits_end - at))
    return false;
  for (unsigned i = 0; i < bytes && i < 8; i++)
    value |= (uint64_t)at[i] << 8 * i;
  value >>= from;
  if (bytes == 9)
    value |= (uint64_t)at[8] << (64 - from);
  deltas->bit += deltas->width;
  *out = deltas->width == 64 ? value : value & ((UINT64_C(1) << deltas->width) - 1);
  return true;
}

bool parquet_deltas_next(struct parquet_deltas *deltas, int64_t *out)
{
  uint64_t more;
  if (deltas->left == 0)
    return false;
  if (!deltas->is_first) {
    if (deltas->in_part == 0 && !begin_part(deltas))
      return false;
    if (!take_bits(deltas, &more))
      return false;
    deltas->in_part--;
    deltas->last += deltas->least + more;
  }
  deltas->is_first = false;
  deltas->left--;
  *out = (int64_t)deltas->last;
  return true;
}

const unsigned char *parquet_deltas_end(const struct parquet_deltas *deltas)
{
  struct parquet_deltas rest = *deltas;
  int64_t ignored;
  while (rest.left > 0)
    if (!parquet_deltas_next(&rest, &ignored))
      return NULL;
  return rest.at;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

enum {
  PLAIN = 0,
  PLAIN_DICTIONARY = 2,
  RUNS = 3,
  DELTA_BINARY_PACKED = 5,
  DELTA_LENGTH_BYTE_ARRAY = 6,
  DELTA_BYTE_ARRAY = 7,
  RUNS_DICTIONARY = 8,
  BYTE_STREAM_SPLIT = 9
};

static size_t width_of(const struct parquet_node *leaf)
{
  static const size_t widths[] = {
      [PARQUET_INT32] = 4, [PARQUET_INT64] = 8, [PARQUET_INT96] = 12, [PARQUET_FLOAT] = 4, [PARQUET_DOUBLE] = 8};
  return leaf->type == PARQUET_FIXED ? leaf->width : leaf->type <= PARQUET_DOUBLE ? widths[leaf->type] : 0;
}

static void from_bytes(const struct parquet_node *leaf, const unsigned char *at, struct parquet_value *out)
{
  enum { JULIAN_DAY_1970 = 2440588 };
  uint32_t single;
  float number;
  out->length = 0;
  switch (leaf->type) {
  case PARQUET_INT32:
    out->integer = (int32_t)read_u32(at);
    break;
  case PARQUET_INT64:
    out->integer = (int64_t)read_u64(at);
    break;
  case PARQUET_INT96: /* nanoseconds of a day, and the day */
    out->integer = (int64_t)(read_u64(at) + ((uint64_t)read_u32(at + 8) - JULIAN_DAY_1970) * UINT64_C(86400000000000));
    break;
  case PARQUET_FLOAT:
    single = read_u32(at);
    memcpy(&number, &single, sizeof number);
    out->real = (double)number;
    break;
  case PARQUET_DOUBLE: {
    const uint64_t whole = read_u64(at);
    memcpy(&out->real, &whole, sizeof out->real);
    break;
  }
  default:
    out->bytes = (const char *)at;
    out->length = leaf->width;
  }
}

static bool next_plain(struct parquet_values *values, struct parquet_value *out)
{
  const struct parquet_node *leaf = values->leaf;
  size_t left = (size_t)(values->end - values->at);
  if (leaf->type == PARQUET_BOOLEAN) {
    if (left == 0)
      return false;
    *out = (struct parquet_value){.integer = *values->at >> values->bit & 1};
    values->bit = (values->bit + 1) % 8;
    values->at += values->bit == 0;
    return true;
  }
  size_t width = width_of(leaf);
  if (leaf->type == PARQUET_BYTE_ARRAY) {
    if (left < 4)
      return false;
    width = read_u32(values->at);
    values->at += 4;
    left -= 4;
  }
  if (width > left)
    return false;
  if (leaf->type == PARQUET_BYTE_ARRAY)
    *out = (struct parquet_value){.bytes = (const char *)values->at, .length = width};
  else
    from_bytes(leaf, values->at, out);
  values->at += width;
  return true;
}

static bool next_number(struct parquet_values *values, struct parquet_value *out)
{
  uint32_t number;
  if (!parquet_runs_next(&values->runs, &number))
    return false;
  if (values->encoding == RUNS) {
    *out = (struct parquet_value){.integer = number};
    return true;
  }
  if (number >= values->dictionary_count)
    return false;
  *out = values->dictionary[number];
  return true;
}

static bool next_difference(struct parquet_values *values, struct parquet_value *out)
{
  int64_t number;
  if (!parquet_deltas_next(&values->lengths, &number))
    return false;
  *out = (struct parquet_value){.integer = values->leaf->type == PARQUET_INT32 ? (int32_t)(uint32_t)number : number};
  return true;
}

/* A text, or what of it differs from the one before. */
static bool next_text(struct parquet_values *values, struct parquet_value *out)
{
  int64_t length;
  if (!parquet_deltas_next(&values->lengths, &length) || length < 0 || length > values->end - values->at)
    return false;
  *out = (struct parquet_value){.bytes = (const char *)values->at, .length = (size_t)length};
  values->at += length;
  return true;
}

static bool next_shared(struct parquet_values *values, struct parquet_value *out)
{
  int64_t shared;
  struct parquet_value rest;
  if (!parquet_deltas_next(&values->shared, &shared) || !next_text(values, &rest) || shared < 0 ||
      (uint64_t)shared > values->built.length)
    return false;
  values->built.length = (size_t)shared;
  values->built.limit = PARQUET_MOST_PAGE;
  buffer_add(&values->built, rest.bytes, rest.length);
  *out = (struct parquet_value){.bytes = values->built.data ? values->built.data : "", .length = values->built.length};
  return !values->built.failed && (values->leaf->type != PARQUET_FIXED || out->length == values->leaf->width);
}

static bool next_split(struct parquet_values *values, struct parquet_value *out)
{
  const size_t width = width_of(values->leaf);
  if (values->next >= values->count)
    return false;
  for (size_t i = 0; i < width; i++)
    values->built.data[i] = (char)values->at[i * values->count + values->next];
  values->next++;
  from_bytes(values->leaf, (const unsigned char *)values->built.data, out);
  return true;
}

bool parquet_values_next(struct parquet_values *values, struct parquet_value *out)
{
  switch (values->encoding) {
  case PLAIN:
    return next_plain(values, out);
  case PLAIN_DICTIONARY:
  case RUNS_DICTIONARY:
  case RUNS:
    return next_number(values, out);
  case DELTA_BINARY_PACKED:
    return next_difference(values, out);
  case DELTA_LENGTH_BYTE_ARRAY:
    return next_text(values, out);
  case DELTA_BYTE_ARRAY:
    return next_shared(values, out);
  case BYTE_STREAM_SPLIT:
    return next_split(values, out);
  default:
    return false;
  }
}

/* ---- a page ------------------------------------------------------------------------------------------------------ */

static bool begin_numbers(struct parquet_values *values)
{
  if (values->at == values->end) { /* of nulls alone */
    values->runs = parquet_runs_of(values->at, 0, 0);
    return true;
  }
  const unsigned width = *values->at++;
  values->runs = parquet_runs_of(values->at, (size_t)(values->end - values->at), width);
  return width <= 32;
}

static bool begin_booleans(struct parquet_values *values)
{
  size_t length = (size_t)(values->end - values->at);
  if (length >= 4) { /* its length stands before */
    const uint32_t told = read_u32(values->at);
    values->at += 4;
    length = told < length - 4 ? told : length - 4;
  }
  values->runs = parquet_runs_of(values->at, length, 1);
  return values->leaf->type == PARQUET_BOOLEAN;
}

static bool begin_texts(struct parquet_values *values, uint64_t most)
{
  if (values->leaf->type != PARQUET_BYTE_ARRAY &&
      (values->encoding != DELTA_BYTE_ARRAY || values->leaf->type != PARQUET_FIXED))
    return false;
  values->built.length = 0;
  if (values->encoding == DELTA_BYTE_ARRAY) {
    if (!parquet_deltas_begin(&values->shared, values->at, (size_t)(values->end - values->at), most))
      return false;
    values->at = parquet_deltas_end(&values->shared);
    if (!values->at)
      return false;
  }
  if (!parquet_deltas_begin(&values->lengths, values->at, (size_t)(values->end - values->at), most))
    return false;
  values->at = parquet_deltas_end(&values->lengths);
  return values->at != NULL;
}

static bool begin_split(struct parquet_values *values)
{
  static const char nothing[16] = {0};
  const size_t width = width_of(values->leaf);
  if (width == 0)
    return false;
  values->count = (size_t)(values->end - values->at) / width;
  values->next = 0;
  values->built.length = 0;
  for (size_t i = 0; i < width; i += sizeof nothing) /* room */
    buffer_add(&values->built, nothing, sizeof nothing);
  return !values->built.failed;
}

static bool begin_page(struct parquet_values *values, uint64_t most)
{
  switch (values->encoding) {
  case PLAIN:
    return true;
  case PLAIN_DICTIONARY:
  case RUNS_DICTIONARY:
    return begin_numbers(values);
  case RUNS:
    return begin_booleans(values);
  case DELTA_BINARY_PACKED:
    return (values->leaf->type == PARQUET_INT32 || values->leaf->type == PARQUET_INT64) &&
           parquet_deltas_begin(&values->lengths, values->at, (size_t)(values->end - values->at), most);
  case DELTA_LENGTH_BYTE_ARRAY:
  case DELTA_BYTE_ARRAY:
    return begin_texts(values, most);
  default:
    return begin_split(values);
  }
}

int parquet_values_begin(struct parquet_values *values, int encoding, const unsigned char *at, size_t length,
                         uint64_t most, struct error *error)
{
  if (encoding < PLAIN || encoding == 1 || encoding == 4 || encoding > BYTE_STREAM_SPLIT)
    return error_set(error, ERROR_FeatureUnsupported, "values of encoding %d are not read", encoding);
  values->encoding = encoding;
  values->at = at;
  values->end = at + length;
  values->bit = 0;
  if (length > 0 && !begin_page(values, most))
    return error_set(error, ERROR_FileContentInvalid, "a page of encoding %d does not begin as one does", encoding);
  if (length == 0) /* of nulls alone */
    values->encoding = PLAIN;
  return 0;
}

void parquet_values_free(struct parquet_values *values)
{
  buffer_free(&values->built);
}
