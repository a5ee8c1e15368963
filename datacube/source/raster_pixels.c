/* No-data on runs of pixels, one loop per element type. */
#include "datacube/source/raster_pixels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

struct pair_f32 {
  float re, im;
};
struct pair_f64 {
  double re, im;
};

/* X(element, C type of a pixel, its real part, C type of that part, is it NaN) */
#define PIXEL_TYPES(X)                                                                                                 \
  X(ELEMENT_U8, uint8_t, p[i], uint8_t, false)                                                                         \
  X(ELEMENT_I8, int8_t, p[i], int8_t, false)                                                                           \
  X(ELEMENT_BOOLEAN, uint8_t, p[i], uint8_t, false)                                                                    \
  X(ELEMENT_U16, uint16_t, p[i], uint16_t, false) X(ELEMENT_I16, int16_t, p[i], int16_t, false)                        \
      X(ELEMENT_U32, uint32_t, p[i], uint32_t, false) X(ELEMENT_I32, int32_t, p[i], int32_t, false)                    \
          X(ELEMENT_U64, uint64_t, p[i], uint64_t, false) X(ELEMENT_I64, int64_t, p[i], int64_t, false)                \
              X(ELEMENT_F32, float, p[i], float, isnan(p[i])) X(ELEMENT_F64, double, p[i], double, isnan(p[i]))        \
                  X(ELEMENT_C64, struct pair_f32, p[i].re, float, isnan(p[i].re))                                      \
                      X(ELEMENT_C128, struct pair_f64, p[i].re, double, isnan(p[i].re))

/* The no-data pixel, repeated by the callers. */
static void nodata_pixel(const struct pixel_format *format, unsigned char out[16])
{
  double value = format->has_nodata ? format->nodata : 0;
  memset(out, 0, 16);
  switch (format->type) {
#define ONE(element, pixel, part_of, part, is_nan)                                                                     \
  case element: {                                                                                                      \
    part v[2] = {ELEMENT_NODATA(part, value), ELEMENT_NODATA(part, value)};                                            \
    memcpy(out, v, sizeof(pixel));                                                                                     \
    return;                                                                                                            \
  }
    PIXEL_TYPES(ONE)
  case ELEMENT_TYPE_COUNT:
    return;
  }
}

void pixels_fill(const struct pixel_format *format, size_t n, void *to)
{
  unsigned char one[16];
  nodata_pixel(format, one);
  switch (format->type) {
#define FILL(element, pixel, part_of, part, is_nan)                                                                    \
  case element: {                                                                                                      \
    pixel *p = to, v;                                                                                                  \
    memcpy(&v, one, sizeof v);                                                                                         \
    for (size_t i = 0; i < n; i++)                                                                                     \
      p[i] = v;                                                                                                        \
    return;                                                                                                            \
  }
    PIXEL_TYPES(FILL)
  case ELEMENT_TYPE_COUNT:
    return;
  }
}

bool pixels_any_missing(const struct pixel_format *format, size_t n, const void *pixels)
{
  if (!format->has_nodata)
    return false;
  double nodata = format->nodata;
  switch (format->type) {
#define ANY(element, pixel, part_of, part, is_nan)                                                                     \
  case element: {                                                                                                      \
    const pixel *p = pixels;                                                                                           \
    part none = ELEMENT_NODATA(part, nodata);                                                                          \
    for (size_t i = 0; i < n; i++)                                                                                     \
      if (part_of == none || is_nan)                                                                                   \
        return true;                                                                                                   \
    return false;                                                                                                      \
  }
    PIXEL_TYPES(ANY)
  case ELEMENT_TYPE_COUNT:
    break;
  }
  return false;
}

void pixels_merge(const struct pixel_format *format, size_t n, const void *from, void *to)
{
  if (!format->has_nodata)
    return;
  double nodata = format->nodata;
  switch (format->type) {
#define MERGE(element, pixel, part_of, part, is_nan)                                                                   \
  case element: {                                                                                                      \
    const pixel *source = from;                                                                                        \
    pixel *p = to;                                                                                                     \
    part none = ELEMENT_NODATA(part, nodata);                                                                          \
    for (size_t i = 0; i < n; i++)                                                                                     \
      p[i] = part_of == none || is_nan ? source[i] : p[i];                                                             \
    return;                                                                                                            \
  }
    PIXEL_TYPES(MERGE)
  case ELEMENT_TYPE_COUNT:
    return;
  }
}

void pixels_replace(const struct pixel_format *format, double stored, size_t n, void *pixels)
{
  unsigned char one[16];
  nodata_pixel(format, one);
  switch (format->type) {
#define REPLACE(element, pixel, part_of, part, is_nan)                                                                 \
  case element: {                                                                                                      \
    pixel *p = pixels, v;                                                                                              \
    part old = ELEMENT_NODATA(part, stored);                                                                           \
    memcpy(&v, one, sizeof v);                                                                                         \
    for (size_t i = 0; i < n; i++)                                                                                     \
      p[i] = part_of == old || is_nan ? v : p[i];                                                                      \
    return;                                                                                                            \
  }
    PIXEL_TYPES(REPLACE)
  case ELEMENT_TYPE_COUNT:
    return;
  }
}

void pixels_replace_word(const struct pixel_format *format, uint64_t stored, size_t n, void *pixels)
{
  const uint64_t word = element_word(format->type, format->nodata);
  uint64_t *p = pixels;
  for (size_t i = 0; i < n; i++)
    p[i] = p[i] == stored ? word : p[i];
}

void pixels_unpack(enum element_type type, double scale, double offset, size_t n, void *pixels)
{
  for (size_t i = 0; type == ELEMENT_F32 && i < n; i++)
    ((float *)pixels)[i] = (float)((double)((float *)pixels)[i] * scale + offset);
  for (size_t i = 0; type == ELEMENT_F64 && i < n; i++)
    ((double *)pixels)[i] = ((double *)pixels)[i] * scale + offset;
}

void pixels_sign_bytes(enum element_type type, size_t n, void *pixels)
{
  switch (type) {
  case ELEMENT_I16:
    for (size_t i = 0; i < n; i++)
      ((int16_t *)pixels)[i] = (int8_t)((int16_t *)pixels)[i];
    return;
  case ELEMENT_I32:
    for (size_t i = 0; i < n; i++)
      ((int32_t *)pixels)[i] = (int8_t)((int32_t *)pixels)[i];
    return;
  case ELEMENT_F32:
    for (size_t i = 0; i < n; i++)
      ((float *)pixels)[i] -= ((float *)pixels)[i] >= 128 ? 256 : 0;
    return;
  case ELEMENT_F64:
    for (size_t i = 0; i < n; i++)
      ((double *)pixels)[i] -= ((double *)pixels)[i] >= 128 ? 256 : 0;
    return;
  default:
    return; /* int8 itself has the right bits */
  }
}
