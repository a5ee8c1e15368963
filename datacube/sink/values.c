/* Single elements of untyped buffers. */
#include "datacube/sink/values.h"

#include "datacube/base/buffer.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>

double value_load(enum element_type type, const void *data, size_t i)
{
  switch (type) {
  case ELEMENT_U8:
  case ELEMENT_BOOLEAN:
    return ((const uint8_t *)data)[i];
  case ELEMENT_I8:
    return ((const int8_t *)data)[i];
  case ELEMENT_U16:
    return ((const uint16_t *)data)[i];
  case ELEMENT_I16:
    return ((const int16_t *)data)[i];
  case ELEMENT_U32:
    return ((const uint32_t *)data)[i];
  case ELEMENT_I32:
    return ((const int32_t *)data)[i];
  case ELEMENT_U64:
    return (double)((const uint64_t *)data)[i];
  case ELEMENT_I64:
    return (double)((const int64_t *)data)[i];
  case ELEMENT_F32:
    return ((const float *)data)[i];
  case ELEMENT_F64:
    return ((const double *)data)[i];
  case ELEMENT_C64:
    return ((const float *)data)[2 * i];
  case ELEMENT_C128:
    return ((const double *)data)[2 * i];
  case ELEMENT_TYPE_COUNT:
    break;
  }
  return NAN;
}

void value_store(enum element_type type, double value, void *data, size_t i)
{
  switch (type) {
  case ELEMENT_U8:
  case ELEMENT_BOOLEAN:
    ((uint8_t *)data)[i] = (uint8_t)value;
    break;
  case ELEMENT_I8:
    ((int8_t *)data)[i] = (int8_t)value;
    break;
  case ELEMENT_U16:
    ((uint16_t *)data)[i] = (uint16_t)value;
    break;
  case ELEMENT_I16:
    ((int16_t *)data)[i] = (int16_t)value;
    break;
  case ELEMENT_U32:
    ((uint32_t *)data)[i] = (uint32_t)value;
    break;
  case ELEMENT_I32:
    ((int32_t *)data)[i] = (int32_t)value;
    break;
  case ELEMENT_U64:
    ((uint64_t *)data)[i] = element_u64(value);
    break;
  case ELEMENT_I64:
    ((int64_t *)data)[i] = element_i64(value);
    break;
  case ELEMENT_F32:
    ((float *)data)[i] = (float)value;
    break;
  case ELEMENT_F64:
    ((double *)data)[i] = value;
    break;
  case ELEMENT_C64:
    ((float *)data)[2 * i] = (float)value;
    ((float *)data)[2 * i + 1] = 0;
    break;
  case ELEMENT_C128:
    ((double *)data)[2 * i] = value;
    ((double *)data)[2 * i + 1] = 0;
    break;
  case ELEMENT_TYPE_COUNT:
    break;
  }
}

void value_print(FILE *file, enum element_type type, const void *data, size_t i)
{
  char text[32];
  switch (type) {
  case ELEMENT_BOOLEAN:
    fputs(((const uint8_t *)data)[i] != 0 ? "true" : "false", file);
    return;
  case ELEMENT_U64:
    fprintf(file, "%" PRIu64, ((const uint64_t *)data)[i]);
    return;
  case ELEMENT_I64:
    fprintf(file, "%" PRId64, ((const int64_t *)data)[i]);
    return;
  case ELEMENT_F32:
    float_format(((const float *)data)[i], text);
    break;
  default:
    number_format(value_load(type, data, i), text);
    break;
  }
  fputs(text, file);
}

bool value_missing(const struct cube *cube, const void *data, size_t i)
{
  if (cube->type == ELEMENT_BOOLEAN)
    return ((const uint8_t *)data)[i] > 1;
  if (element_is_word(cube->type))
    return cube->has_nodata && element_can_mark(cube->type, cube->nodata) &&
           ((const uint64_t *)data)[i] == element_word(cube->type, cube->nodata);
  double value = value_load(cube->type, data, i);
  if (isnan(value))
    return true;
  return cube->has_nodata && (value == cube->nodata || (cube->type == ELEMENT_F32 && value == (float)cube->nodata));
}
