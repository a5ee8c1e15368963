/* Element types of cubes and tiles. */
#ifndef TWINCUBE_DATACUBE_ELEMENT_H
#define TWINCUBE_DATACUBE_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
enum element_type {
  ELEMENT_U8,
  ELEMENT_I8,
  ELEMENT_U16,
  ELEMENT_I16,
  ELEMENT_U32,
  ELEMENT_I32,
  ELEMENT_U64,
  ELEMENT_I64,
  ELEMENT_F32,
  ELEMENT_F64,
  ELEMENT_C64,
  ELEMENT_C128,    /* complex: two f32, two f64; kernels refuse them with FeatureUnsupported */
  ELEMENT_BOOLEAN, /* one byte: 0, 1, and 255 for no-data */
  ELEMENT_TYPE_COUNT
};
/* clang-format on */

struct element_info {
  const char *name; /* "uint8", "int8", …, "float32", "float64", "complex64", "complex128", "boolean" */
  size_t size;      /* bytes */
  bool is_float, is_signed, is_complex;
  bool exact_in_f32; /* every value has an exact f32: 8- and 16-bit integers, f32, boolean */
};

const struct element_info *element_info(enum element_type type);
/* ELEMENT_TYPE_COUNT where no type has the name. */
enum element_type element_from_name(const char *name);
/* Whether value is a value of the type (integers: whole and in range; floats: always). */
bool element_holds(enum element_type type, double value);
/* A no-data value that was declared, as elements of the type have it (float32 is rounded to). False where none can be
 * it: then it marks nothing, and *out stays as it is. */
bool element_nodata(enum element_type type, double declared, double *out);

/* No-data values are doubles. The greatest 64-bit integers, which are favourites, are none: 2^64 and 2^63, one more,
 * stand for them. */

/* Whether value can mark no-data in elements of the type. */
bool element_can_mark(enum element_type type, double value);
/* The value that it is, or stands for, in the fewest digits that read back. */
void element_mark_format(enum element_type type, double value, char out[32]);

/* The integer that a no-data value is, or stands for; the nearest one for what is out of range, 0 for NaN. */
static inline uint64_t element_u64(double value)
{
  return value >= 0x1p64 ? UINT64_MAX : value > 0 ? (uint64_t)value : 0;
}

static inline int64_t element_i64(double value)
{
  return value >= 0x1p63 ? INT64_MAX : value <= -0x1p63 ? INT64_MIN : value == value ? (int64_t)value : 0;
}

/* A no-data value in its C type. */
#define ELEMENT_NODATA(c_type, value)                                                                                  \
  _Generic((c_type)0, uint64_t : element_u64(value), int64_t : element_i64(value), default : (c_type)(value))

/* The same as the eight bytes of an element of a 64-bit integer type. */
static inline uint64_t element_word(enum element_type type, double value)
{
  return type == ELEMENT_U64 ? element_u64(value) : (uint64_t)element_i64(value);
}

static inline bool element_is_word(enum element_type type)
{
  return type == ELEMENT_U64 || type == ELEMENT_I64;
}

#endif
