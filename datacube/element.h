/* Element types of cubes and tiles. */
#ifndef TWINCUBE_DATACUBE_ELEMENT_H
#define TWINCUBE_DATACUBE_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
