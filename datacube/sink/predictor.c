/* TIFF predictors, in machine byte order.
 *
 * HORIZONTAL (TIFF 6.0, section 14): each sample minus its left neighbour, modulo its width.
 * FLOAT (TIFF Technical Note 3): a row's bytes are sorted by significance, all most significant ones first, and each
 * byte of that row loses its left neighbour. Both steps are done at once: plane by plane, the byte of sample i minus
 * the byte of sample i - 1; the first of a plane loses the last byte of the plane before.
 *
 * The file pins -O3 for gcc: these loops run at 3 GB/s vectorised and 1.1 GB/s as -O2 leaves them. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

#include "datacube/sink/predictor.h"

#include <stdint.h>
#include <string.h>

#define HORIZONTAL_ROW(type)                                                                                           \
  static void horizontal_row_##type(const type *restrict in, size_t n, type *restrict out)                             \
  {                                                                                                                    \
    out[0] = in[0];                                                                                                    \
    for (size_t i = 1; i < n; i++)                                                                                     \
      out[i] = (type)(in[i] - in[i - 1]);                                                                              \
  }
HORIZONTAL_ROW(uint8_t)
HORIZONTAL_ROW(uint16_t)
HORIZONTAL_ROW(uint32_t)

/* Plane p holds byte `size - 1 - p` of the samples, counted from the least significant. */
#define FLOAT_ROW(type)                                                                                                \
  static void float_row_##type(const type *restrict in, size_t n, uint8_t *restrict out)                               \
  {                                                                                                                    \
    for (size_t p = 0; p < sizeof(type); p++) {                                                                        \
      unsigned shift = 8 * (unsigned)(sizeof(type) - 1 - p);                                                           \
      uint8_t *restrict plane = out + p * n;                                                                           \
      uint8_t before = p == 0 ? 0 : (uint8_t)(in[n - 1] >> (shift + 8));                                               \
      plane[0] = (uint8_t)((uint8_t)(in[0] >> shift) - before);                                                        \
      for (size_t i = 1; i < n; i++)                                                                                   \
        plane[i] = (uint8_t)((in[i] >> shift) - (in[i - 1] >> shift));                                                 \
    }                                                                                                                  \
  }
FLOAT_ROW(uint32_t)
FLOAT_ROW(uint64_t)

void predictor_encode(enum predictor predictor, const void *in, size_t rows, size_t columns, size_t size, void *out)
{
  size_t row_bytes = columns * size;
  for (size_t r = 0; r < rows && columns > 0; r++) {
    const void *from = (const char *)in + r * row_bytes;
    void *to = (char *)out + r * row_bytes;
    if (predictor == PREDICTOR_HORIZONTAL && size == 1)
      horizontal_row_uint8_t(from, columns, to);
    else if (predictor == PREDICTOR_HORIZONTAL && size == 2)
      horizontal_row_uint16_t(from, columns, to);
    else if (predictor == PREDICTOR_HORIZONTAL && size == 4)
      horizontal_row_uint32_t(from, columns, to);
    else if (predictor == PREDICTOR_FLOAT && size == 4)
      float_row_uint32_t(from, columns, to);
    else if (predictor == PREDICTOR_FLOAT && size == 8)
      float_row_uint64_t(from, columns, to);
    else
      memcpy(to, from, row_bytes);
  }
}
