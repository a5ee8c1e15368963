/* Missing values: the one place where no-data and NaN are decided.
 *
 * Inside kernels a value that is absent (no-data, JSON null) is NA: a quiet NaN with the payload 0x7A2, R's idea. It
 * propagates through arithmetic as any NaN does, and stays apart from a computed NaN (0/0), which is a value.
 *   null in JSON, the cube's no-data, a pixel outside every scene   -> NA
 *   NaN in a float cube whose no-data is NaN or undeclared          -> NA
 *   0/0 in a kernel                                                 -> NaN
 * The f32 pattern widens to the f64 pattern and back, so a conversion keeps it.
 *
 * A float cube whose no-data is NA itself, as that of every computed one, holds the two as they are, whatever lies
 * between the stages that make and read it. In any other float cube NaN is missing. On the way out both become NaN, or
 * the output's no-data; in JSON, null. */
#ifndef TWINCUBE_DATACUBE_BASE_MISSING_H
#define TWINCUBE_DATACUBE_BASE_MISSING_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NA_BITS_F32 UINT32_C(0x7FC007A2)
#define NA_BITS_F64 UINT64_C(0x7FF800F440000000)

static inline float na_f32(void)
{
  uint32_t bits = NA_BITS_F32;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline double na_f64(void)
{
  uint64_t bits = NA_BITS_F64;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* The sign does not count: -NA is NA. */
static inline bool is_na_f32(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (bits & UINT32_C(0x7FFFFFFF)) == NA_BITS_F32;
}

static inline bool is_na_f64(double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (bits & UINT64_C(0x7FFFFFFFFFFFFFFF)) == NA_BITS_F64;
}

/* Whether two no-data values say the same. */
static inline bool same_nodata(double a, double b)
{
  return a == b || (isnan(a) && isnan(b) && is_na_f64(a) == is_na_f64(b));
}

#endif
