/* The table of element types. */
#include "datacube/element.h"

#include "datacube/base/buffer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

static const struct {
  struct element_info info;
  double low, high; /* of integers */
} table[ELEMENT_TYPE_COUNT] = {
    [ELEMENT_U8] = {{"uint8", 1, false, false, false, true}, 0, UINT8_MAX},
    [ELEMENT_I8] = {{"int8", 1, false, true, false, true}, INT8_MIN, INT8_MAX},
    [ELEMENT_U16] = {{"uint16", 2, false, false, false, true}, 0, UINT16_MAX},
    [ELEMENT_I16] = {{"int16", 2, false, true, false, true}, INT16_MIN, INT16_MAX},
    [ELEMENT_U32] = {{"uint32", 4, false, false, false, false}, 0, UINT32_MAX},
    [ELEMENT_I32] = {{"int32", 4, false, true, false, false}, INT32_MIN, INT32_MAX},
    [ELEMENT_U64] = {{"uint64", 8, false, false, false, false}, 0, 18446744073709549568.0},
    [ELEMENT_I64] = {{"int64", 8, false, true, false, false}, -9223372036854775808.0, 9223372036854774784.0},
    [ELEMENT_F32] = {{"float32", 4, true, true, false, true}, 0, 0},
    [ELEMENT_F64] = {{"float64", 8, true, true, false, false}, 0, 0},
    [ELEMENT_C64] = {{"complex64", 8, true, true, true, false}, 0, 0},
    [ELEMENT_C128] = {{"complex128", 16, true, true, true, false}, 0, 0},
    [ELEMENT_BOOLEAN] = {{"boolean", 1, false, false, false, true}, 0, 1},
};

const struct element_info *element_info(enum element_type type)
{
  return &table[type].info;
}

enum element_type element_from_name(const char *name)
{
  for (int i = 0; i < ELEMENT_TYPE_COUNT; i++)
    if (strcasecmp(name, table[i].info.name) == 0)
      return (enum element_type)i;
  return ELEMENT_TYPE_COUNT;
}

bool element_holds(enum element_type type, double value)
{
  if (table[type].info.is_float)
    return true;
  return value >= table[type].low && value <= table[type].high && value == rint(value);
}

bool element_nodata(enum element_type type, double declared, double *out)
{
  if (!element_can_mark(type, declared))
    return false;
  bool narrow = (type == ELEMENT_F32 || type == ELEMENT_C64) && fabs(declared) <= 3.5e38;
  *out = narrow ? (double)(float)declared : declared;
  return true;
}

bool element_can_mark(enum element_type type, double value)
{
  const double beyond = type == ELEMENT_U64 ? 0x1p64 : 0x1p63;
  return element_holds(type, value) || (element_is_word(type) && value == beyond);
}

void element_mark_format(enum element_type type, double value, char out[32])
{
  if (type == ELEMENT_U64 && element_can_mark(type, value))
    snprintf(out, 32, "%" PRIu64, element_u64(value));
  else if (type == ELEMENT_I64 && element_can_mark(type, value))
    snprintf(out, 32, "%" PRId64, element_i64(value));
  else
    number_format(value, out);
}
