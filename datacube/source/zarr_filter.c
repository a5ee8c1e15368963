/* As NumPy computes: sums in the type that is meant, quotients of whole numbers in doubles, of floats in their own
 * type; what leaves them for whole numbers loses its fraction. */
#include "datacube/source/zarr_filter.h"

#include "datacube/base/byte_order.h"

#include <stdlib.h>
#include <string.h>

/* "<i4": byte order, kind, size. */
static bool read_type(const char *text, enum element_type *type, bool *is_big)
{
  static const struct {
    const char *name;
    enum element_type type;
  } rows[] = {{"u1", ELEMENT_U8},  {"i1", ELEMENT_I8},  {"u2", ELEMENT_U16}, {"i2", ELEMENT_I16}, {"u4", ELEMENT_U32},
              {"i4", ELEMENT_I32}, {"u8", ELEMENT_U64}, {"i8", ELEMENT_I64}, {"f4", ELEMENT_F32}, {"f8", ELEMENT_F64}};
  if (!text || strchr("<>|", text[0]) == NULL || text[0] == '\0')
    return false;
  *is_big = text[0] == '>';
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp(text + 1, rows[i].name) == 0) {
      *type = rows[i].type;
      return true;
    }
  return false;
}

static double number_of(const struct zarr_json *about, const char *key, double other)
{
  const struct zarr_json *value = zarr_json_member(about, key);
  return zarr_json_is(value, ZARR_JSON_NUMBER) ? value->number : other;
}

bool zarr_filter_read(const struct zarr_json *about, struct zarr_filter *out)
{
  const char *meant = zarr_json_text(about, "dtype"), *stored = zarr_json_text(about, "astype");
  if (!read_type(meant, &out->meant, &out->meant_big) ||
      !read_type(stored ? stored : meant, &out->stored, &out->stored_big))
    return false;
  out->scale = number_of(about, "scale", 1);
  out->offset = number_of(about, "offset", 0);
  return out->scale != 0 && element_info(out->stored)->size <= element_info(out->meant)->size;
}

union number {
  uint64_t whole; /* of signed types with the sign in front */
  double real;
  float single;
};

static union number load(enum element_type type, bool is_big, const unsigned char *from)
{
  const size_t size = element_info(type)->size;
  unsigned char bytes[8] = {0};
  union number out = {.whole = 0};
  memcpy(bytes, from, size);
  if (is_big)
    bytes_turn(bytes, 1, size);
  for (size_t i = size; i-- > 0;)
    out.whole = out.whole << 8 | bytes[i];
  if (type == ELEMENT_F32) {
    const uint32_t word = (uint32_t)out.whole;
    memcpy(&out.single, &word, sizeof word);
  } else if (element_info(type)->is_signed && !element_info(type)->is_float && size < 8) {
    const unsigned shift = 64 - 8 * (unsigned)size;
    out.whole = (uint64_t)((int64_t)(out.whole << shift) >> shift);
  }
  return out;
}

static void store(enum element_type type, bool is_big, union number number, unsigned char *to)
{
  const size_t size = element_info(type)->size;
  uint64_t word = number.whole;
  if (type == ELEMENT_F32) {
    uint32_t narrow;
    memcpy(&narrow, &number.single, sizeof narrow);
    word = narrow;
  }
  for (size_t i = 0; i < size; i++)
    to[is_big ? size - 1 - i : i] = (unsigned char)(word >> 8 * i);
}

/* A number as the double that it is, or is next to. */
static double as_double(enum element_type type, union number number)
{
  return type == ELEMENT_F64             ? number.real
         : type == ELEMENT_F32           ? (double)number.single
         : element_info(type)->is_signed ? (double)(int64_t)number.whole
                                         : (double)number.whole;
}

static union number from_double(enum element_type type, double value)
{
  union number out = {.whole = 0};
  if (type == ELEMENT_F64)
    out.real = value;
  else if (type == ELEMENT_F32)
    out.single = (float)value;
  else
    out.whole = element_info(type)->is_signed ? (uint64_t)element_i64(value) : element_u64(value);
  return out;
}

/* Elements, or SIZE_MAX where they are no whole number of them, or too many. */
static size_t count_of(const struct zarr_filter *f, size_t length, size_t room)
{
  const size_t stored = element_info(f->stored)->size, meant = element_info(f->meant)->size;
  return length % stored == 0 && length / stored <= room / meant ? length / stored : SIZE_MAX;
}

/* The sum so far and one more number, in the type that is meant. */
static union number add(const struct zarr_filter *f, union number sum, union number more)
{
  union number out = {.whole = 0};
  if (f->meant == ELEMENT_F64)
    out.real = sum.real + as_double(f->stored, more);
  else if (f->meant == ELEMENT_F32)
    out.single = sum.single + (float)as_double(f->stored, more);
  else
    out.whole = sum.whole + (element_info(f->stored)->is_float ? from_double(f->meant, as_double(f->stored, more)).whole
                                                               : more.whole);
  return out;
}

size_t zarr_undo_delta(const struct zarr_filter *f, const unsigned char *from, size_t length, unsigned char *to,
                       size_t room)
{
  const size_t stored = element_info(f->stored)->size, meant = element_info(f->meant)->size;
  const size_t count = count_of(f, length, room);
  union number sum = from_double(f->meant, 0);
  for (size_t i = 0; count != SIZE_MAX && i < count; i++) {
    sum = add(f, sum, load(f->stored, f->stored_big, from + i * stored));
    store(f->meant, f->meant_big, sum, to + i * meant);
  }
  return count != SIZE_MAX ? count * meant : SIZE_MAX;
}

static double unscaled(const struct zarr_filter *f, union number number)
{
  if (f->stored == ELEMENT_F32)
    return (double)(number.single / (float)f->scale + (float)f->offset);
  return as_double(f->stored, number) / f->scale + f->offset;
}

size_t zarr_undo_scale(const struct zarr_filter *f, const unsigned char *from, size_t length, unsigned char *to,
                       size_t room)
{
  const size_t stored = element_info(f->stored)->size, meant = element_info(f->meant)->size;
  const size_t count = count_of(f, length, room);
  for (size_t i = 0; count != SIZE_MAX && i < count; i++) {
    const double value = unscaled(f, load(f->stored, f->stored_big, from + i * stored));
    store(f->meant, f->meant_big, from_double(f->meant, value), to + i * meant);
  }
  return count != SIZE_MAX ? count * meant : SIZE_MAX;
}
