/* netCDF-3 (CDF-1, CDF-2, CDF-5) as references.
 *
 *   "CDF" version  numrecs  dimensions  attributes  variables    big-endian, names and values padded to 4 bytes
 *   variable: name, rank, dimensions, attributes, type, size, place of its first element
 *
 * A variable lies in one piece, or, over the record dimension (length 0), in one slab a record, which is a chunk;
 * records hold a slab of each such variable, padded to 4 bytes where there are several (NetCDF Classic Format). */
#include "datacube/source/classic_references.h"

#include "datacube/base/checked.h"
#include "datacube/source/zarr_place.h"

#include <netcdf.h>
#include <stdio.h>
#include <string.h>

enum { WINDOW = 16384, LIST_MOST = 65536, NAME_MOST = 4096, VALUES_MOST = 1 << 20, HEADER_MOST = 16 << 20 };

struct classic_variable {
  struct referenced_array *array;
  uint64_t begin, slab; /* slab: bytes of a record */
};

struct classic_reading {
  const struct zarr_file *file;
  struct referenced_file *out;
  const char *target;
  uint64_t at; /* of the next byte */
  unsigned char window[WINDOW];
  uint64_t window_at;
  size_t window_length;
  int version;
  uint64_t records, record_bytes;
  const char **names; /* of dimensions */
  uint64_t *lengths;
  size_t dimensions, record_variables;
  struct classic_variable *variables; /* over records */
  bool failed;                        /* sticky: the file ended, or says nonsense */
  struct error *error;
};

static const struct classic_type {
  size_t size;
  const char *numpy, *fill; /* what is missing where the variable does not tell */
} types[] = {[NC_BYTE] = {1, "|i1", NULL},
             [NC_CHAR] = {1, "|S1", NULL},
             [NC_SHORT] = {2, ">i2", "-32767"},
             [NC_INT] = {4, ">i4", "-2147483647"},
             [NC_FLOAT] = {4, ">f4", "9.9692099683868690e+36"},
             [NC_DOUBLE] = {8, ">f8", "9.9692099683868690e+36"},
             [NC_UBYTE] = {1, "|u1", NULL},
             [NC_USHORT] = {2, ">u2", "65535"},
             [NC_UINT] = {4, ">u4", "4294967295"},
             [NC_INT64] = {8, ">i8", "-9223372036854775806"},
             [NC_UINT64] = {8, ">u8", "18446744073709551614"}};

/* ---- bytes of the header ----------------------------------------------------------------------------------------- */

static void take_bytes(struct classic_reading *r, unsigned char *to, size_t length)
{
  if (r->failed || r->at > r->file->size || length > r->file->size - r->at || r->at + length > HEADER_MOST) {
    r->failed = true;
    memset(to, 0, length);
    return;
  }
  while (length > 0) {
    if (r->at < r->window_at || r->at >= r->window_at + r->window_length) {
      const uint64_t left = r->file->size - r->at;
      r->window_at = r->at;
      r->window_length = left < WINDOW ? (size_t)left : WINDOW;
      if (!zarr_file_read(r->file, r->at, r->window_length, r->window, r->error)) {
        r->failed = true;
        return;
      }
    }
    const size_t from = (size_t)(r->at - r->window_at), have = r->window_length - from;
    const size_t many = length < have ? length : have;
    memcpy(to, r->window + from, many);
    to += many;
    r->at += many;
    length -= many;
  }
}

static uint64_t number_of(const unsigned char *bytes, size_t count)
{
  uint64_t value = 0;
  for (size_t i = 0; i < count; i++)
    value = value << 8 | bytes[i];
  return value;
}

static uint64_t take_number(struct classic_reading *r, size_t count)
{
  unsigned char bytes[8] = {0};
  take_bytes(r, bytes, count);
  return number_of(bytes, count);
}

static uint64_t take_count(struct classic_reading *r)
{
  return take_number(r, r->version == 5 ? 8 : 4);
}

static size_t take_list(struct classic_reading *r)
{
  take_number(r, 4); /* what it is a list of */
  const uint64_t count = take_count(r);
  r->failed = r->failed || count > LIST_MOST;
  return r->failed ? 0 : (size_t)count;
}

/* Bytes with their padding, and a NUL. */
static unsigned char *take_padded(struct classic_reading *r, uint64_t length)
{
  unsigned char padding[4];
  unsigned char *out = length <= VALUES_MOST && !r->failed ? arena_alloc(r->out->arena, (size_t)length + 1) : NULL;
  if (!out) {
    r->failed = true;
    return NULL;
  }
  take_bytes(r, out, (size_t)length);
  out[length] = '\0';
  take_bytes(r, padding, (4 - length % 4) % 4);
  return r->failed ? NULL : out;
}

static const char *take_name(struct classic_reading *r)
{
  const uint64_t length = take_count(r);
  r->failed = r->failed || length == 0 || length > NAME_MOST;
  return (const char *)take_padded(r, length);
}

static const struct classic_type *take_type(struct classic_reading *r, uint64_t *number)
{
  *number = take_number(r, 4);
  r->failed = r->failed || *number < NC_BYTE || *number > NC_UINT64;
  return r->failed ? &types[NC_BYTE] : &types[*number];
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static void write_value(struct json_writer *w, uint64_t type, uint64_t bits)
{
  char text[32];
  float narrow;
  double wide;
  const uint32_t word = (uint32_t)bits;
  memcpy(&narrow, &word, sizeof narrow);
  memcpy(&wide, &bits, sizeof wide);
  switch (type) {
  case NC_FLOAT:
    json_write_number(w, (double)narrow);
    break;
  case NC_DOUBLE:
    json_write_number(w, wide);
    break;
  case NC_UINT64:
    json_write_raw(w, text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)bits));
    break;
  default:
    json_write_integer(w, type == NC_BYTE    ? (int8_t)bits
                          : type == NC_SHORT ? (int16_t)bits
                          : type == NC_INT   ? (int32_t)bits
                                             : (int64_t)bits);
  }
}

static void take_attribute(struct classic_reading *r, struct json_writer *w, bool *has_fill)
{
  uint64_t number;
  const char *name = take_name(r);
  const struct classic_type *type = take_type(r, &number);
  const uint64_t count = take_count(r);
  const unsigned char *values = count <= VALUES_MOST ? take_padded(r, count * type->size) : NULL;
  if (!values || !name) {
    r->failed = true;
    return;
  }
  *has_fill = *has_fill || strcmp(name, "_FillValue") == 0;
  if (number != NC_CHAR && count == 0)
    return;
  json_key(w, name);
  if (number == NC_CHAR) {
    referenced_write_text(w, (const char *)values, (size_t)count);
    return;
  }
  if (count != 1)
    json_write_array(w);
  for (uint64_t i = 0; i < count; i++)
    write_value(w, number, number_of(values + i * type->size, type->size));
  if (count != 1)
    json_end_array(w);
}

/* Members of an object. */
static const char *take_attributes(struct classic_reading *r, bool *has_fill)
{
  struct buffer text = {.limit = HEADER_MOST};
  struct json_writer w = {.out = &text, .nonfinite_tokens = true};
  const size_t count = take_list(r);
  json_write_object(&w);
  for (size_t i = 0; i < count && !r->failed; i++)
    take_attribute(r, &w, has_fill);
  const char *out = text.failed || r->failed ? NULL : arena_strndup(r->out->arena, text.data + 1, text.length - 1);
  buffer_free(&text);
  r->failed = r->failed || !out;
  return out;
}

/* ---- variables --------------------------------------------------------------------------------------------------- */

static void take_dimensions(struct classic_reading *r)
{
  r->dimensions = take_list(r);
  r->names = ARENA_ARRAY(r->out->arena, const char *, r->dimensions + 1);
  r->lengths = ARENA_ARRAY(r->out->arena, uint64_t, r->dimensions + 1);
  r->failed = r->failed || !r->names || !r->lengths;
  for (size_t i = 0; i < r->dimensions && !r->failed; i++) {
    r->names[i] = take_name(r);
    r->lengths[i] = take_count(r);
  }
}

/* The shape; whether the first dimension is that of records. */
static bool take_shape(struct classic_reading *r, struct referenced_array *a)
{
  bool is_record = false;
  const uint64_t rank = take_count(r);
  r->failed = r->failed || rank > CUBE_MAX_DIMENSIONS;
  for (size_t d = 0; d < rank && !r->failed; d++) {
    const uint64_t id = take_count(r);
    if (r->failed || id >= r->dimensions || (r->lengths[id] == 0 && d > 0)) {
      r->failed = true;
      break;
    }
    is_record = is_record || r->lengths[id] == 0;
    a->names[d] = r->names[id];
    a->shape[d] = (size_t)(r->lengths[id] ? r->lengths[id] : r->records);
  }
  a->rank = r->failed ? 0 : (size_t)rank;
  return is_record;
}

/* Bytes of the dimensions from `first` on. */
static uint64_t bytes_from(const struct referenced_array *a, size_t first)
{
  size_t bytes = a->element_size;
  for (size_t d = first; d < a->rank; d++)
    bytes = saturated_mul(bytes, a->shape[d]);
  return bytes;
}

static int cut_short(const struct classic_reading *r, const struct referenced_array *a)
{
  return error_set(r->error, ERROR_FileContentInvalid, "the file ends before the variable %.100s does", a->path);
}

/* An array that is no part of the file yet: those of no elements never are. */
static int take_variable(struct classic_reading *r)
{
  bool has_fill = false;
  uint64_t number;
  struct referenced_array about = {.path = take_name(r)};
  const bool is_record = take_shape(r, &about);
  about.attributes = take_attributes(r, &has_fill);
  const struct classic_type *type = take_type(r, &number);
  take_count(r); /* its size, wrong for large ones */
  const uint64_t begin = take_number(r, r->version == 1 ? 4 : 8);
  if (r->failed)
    return -1;
  about.element_size = type->size;
  about.fill = has_fill ? NULL : type->fill;
  memcpy(about.type, type->numpy, strlen(type->numpy) + 1);
  const uint64_t slab = bytes_from(&about, is_record);
  if (is_record) {
    r->record_variables++;
    r->record_bytes = saturated_add(r->record_bytes, saturated_add(slab, 3) / 4 * 4);
  }
  if (about.rank >= CUBE_MAX_DIMENSIONS || bytes_from(&about, 0) == 0)
    return 0;
  struct referenced_array *a = referenced_add(r->out, about.path, r->error);
  if (!a)
    return -1;
  struct referenced_array *next = a->next;
  *a = about;
  a->next = next;
  if (begin > r->file->size || slab > r->file->size - begin)
    return cut_short(r, a);
  if (is_record) {
    r->variables[r->record_variables - 1] = (struct classic_variable){a, begin, slab};
    return 0;
  }
  const int status = referenced_add_piece(r->out, a, r->target, begin, r->error);
  referenced_join_characters(a);
  return status;
}

static int add_records(const struct classic_reading *r, const struct classic_variable *v)
{
  const uint64_t step = r->record_variables == 1 ? v->slab : r->record_bytes;
  memcpy(v->array->chunk, v->array->shape, sizeof v->array->chunk);
  v->array->chunk[0] = 1;
  if (v->slab > r->file->size - v->begin || (r->records - 1) > (r->file->size - v->begin - v->slab) / step)
    return cut_short(r, v->array);
  for (uint64_t i = 0; i < r->records; i++) {
    const struct referenced_chunk chunk = {
        .number = i, .target = r->target, .at = v->begin + i * step, .length = v->slab};
    if (referenced_add_chunk(r->out, v->array, &chunk, r->error) != 0)
      return -1;
  }
  referenced_join_characters(v->array);
  return 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static int read_variables(struct classic_reading *r)
{
  const size_t count = take_list(r);
  r->variables = ARENA_ARRAY(r->out->arena, struct classic_variable, count + 1);
  r->failed = r->failed || !r->variables;
  for (size_t i = 0; i < count && !r->failed; i++)
    if (take_variable(r) != 0)
      return -1;
  for (size_t i = 0; i < r->record_variables && !r->failed; i++)
    if (r->variables[i].array && add_records(r, &r->variables[i]) != 0)
      return -1;
  return 0;
}

static int read_header(struct classic_reading *r)
{
  bool ignored = false;
  r->version = (int)(take_number(r, 4) & 0xFF);
  if (r->version != 1 && r->version != 2 && r->version != 5)
    return error_set(r->error, ERROR_FileContentInvalid, "it is netCDF of no known version");
  r->records = take_count(r);
  if (r->records == (r->version == 5 ? UINT64_MAX : UINT32_MAX))
    return error_set(r->error, ERROR_FeatureUnsupported, "its header does not tell how many records there are");
  take_dimensions(r);
  r->out->attributes = take_attributes(r, &ignored);
  return r->failed ? -1 : read_variables(r);
}

int classic_references(const struct zarr_file *file, const char *target, struct referenced_file *out,
                       struct error *error)
{
  struct classic_reading *r = ARENA_NEW(out->arena, struct classic_reading);
  if (!r)
    return error_memory(error);
  *r = (struct classic_reading){.file = file, .out = out, .target = target, .error = error};
  if (read_header(r) == 0 && !r->failed)
    return 0;
  return error_is_set(error) ? -1 : error_set(error, ERROR_FileContentInvalid, "its header is damaged or cut short");
}
