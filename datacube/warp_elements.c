/* Elements of a plane as doubles and back. See warp_elements.h. Loops without a branch, so that they vectorise. */
#include "datacube/warp_elements.h"

#include <math.h>
#include <stdint.h>

/* Every real element type with its C type and range; ranges of 64-bit integers are the doubles just inside. */
#define REAL_TYPES(X)                                                                                                  \
  X(ELEMENT_U8, uint8_t, 0, UINT8_MAX)                                                                                 \
  X(ELEMENT_I8, int8_t, INT8_MIN, INT8_MAX)                                                                            \
  X(ELEMENT_BOOLEAN, uint8_t, 0, 1) X(ELEMENT_U16, uint16_t, 0, UINT16_MAX)                                            \
      X(ELEMENT_I16, int16_t, INT16_MIN, INT16_MAX) X(ELEMENT_U32, uint32_t, 0, UINT32_MAX)                            \
          X(ELEMENT_I32, int32_t, INT32_MIN, INT32_MAX) X(ELEMENT_U64, uint64_t, 0, 18446744073709549568.0)            \
              X(ELEMENT_I64, int64_t, -9223372036854775808.0, 9223372036854774784.0)

void elements_to_doubles(enum element_type type, bool has_nodata, double nodata, size_t n, const void *from, double *to)
{
  switch (type) {
#define LOAD(element, c_type, low, high)                                                                               \
  case element: {                                                                                                      \
    const c_type none = has_nodata ? ELEMENT_NODATA(c_type, nodata) : 0;                                               \
    for (size_t i = 0; i < n; i++) {                                                                                   \
      const c_type value = ((const c_type *)from)[i];                                                                  \
      to[i] = has_nodata && value == none ? (double)NAN : (double)value;                                               \
    }                                                                                                                  \
    return;                                                                                                            \
  }
    REAL_TYPES(LOAD)
  case ELEMENT_F32:
    for (size_t i = 0; i < n; i++) {
      double value = (double)((const float *)from)[i];
      to[i] = has_nodata && value == nodata ? (double)NAN : value;
    }
    return;
  case ELEMENT_F64:
    for (size_t i = 0; i < n; i++) {
      double value = ((const double *)from)[i];
      to[i] = has_nodata && value == nodata ? (double)NAN : value;
    }
    return;
  default:
    return;
  }
}

static double rounded(double value, bool has_nodata, double nodata, double low, double high)
{
  double whole = floor(value + 0.5), step = fabs(whole) < 0x1p53 ? 1 : 2048;
  whole = whole > low ? whole : low;
  whole = whole < high ? whole : high;
  if (has_nodata && whole == nodata)
    whole = (value >= whole && whole < high) || whole <= low ? whole + step : whole - step;
  return whole;
}

void doubles_to_elements(enum element_type type, bool has_nodata, double nodata, size_t n, const double *from, void *to)
{
  switch (type) {
#define STORE(element, c_type, low, high)                                                                              \
  case element: {                                                                                                      \
    const c_type none = has_nodata ? ELEMENT_NODATA(c_type, nodata) : 0;                                               \
    for (size_t i = 0; i < n; i++)                                                                                     \
      ((c_type *)to)[i] = isnan(from[i]) ? none : (c_type)rounded(from[i], has_nodata, nodata, low, high);             \
    return;                                                                                                            \
  }
    REAL_TYPES(STORE)
  case ELEMENT_F32:
    for (size_t i = 0; i < n; i++)
      ((float *)to)[i] = (float)(isnan(from[i]) && has_nodata ? nodata : from[i]);
    return;
  case ELEMENT_F64:
    for (size_t i = 0; i < n; i++)
      ((double *)to)[i] = isnan(from[i]) && has_nodata ? nodata : from[i];
    return;
  default:
    return;
  }
}
