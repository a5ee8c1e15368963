/* TIFF predictors, undone, and byte orders.
 *
 *   2  a row holds differences to the pixel on the left, modulo 2^bits: running sums
 *   3  a row of n floats holds the n most significant bytes, then the n next ones, …, and of all these bytes the
 *      differences to the byte on the left: running sums of bytes, then byte k of float i is row[(size - 1 - k) n + i]
 *
 * Differences are to the pixel on the left, so to its value of the same sample: a row of several samples is as many
 * rows, which are taken apart first (with predictor 3 byte by byte). The bytes of predictor 3 are ordered already.
 *
 * A running sum of 16 bytes at a time: log2(pixels) shifts and additions within a vector, plus the sum so far, which is
 * the only chain from vector to vector, one addition long. (A plain loop waits for its own stores or at best adds one
 * pixel a cycle.) Vectors are the compiler's, so each machine gets what it has.
 *
 * Source: TIFF 6.0, section 14; Adobe Photoshop TIFF Technical Note 3. */
#include "datacube/source/tiff_predictor.h"

#include <stdint.h>
#include <string.h>

typedef uint8_t lanes_u8 __attribute__((vector_size(16)));
typedef uint16_t lanes_u16 __attribute__((vector_size(16)));
typedef uint32_t lanes_u32 __attribute__((vector_size(16)));
typedef uint64_t lanes_u64 __attribute__((vector_size(16)));

/* The vector with its bytes moved up by so many, zeros from below. */
#define UP(v, ...) __builtin_shufflevector((lanes_u8){0}, (lanes_u8)(v), __VA_ARGS__)
#define UP_1(v) UP(v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
#define UP_2(v) UP(v, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
#define UP_4(v) UP(v, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27)
#define UP_8(v) UP(v, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)

#define SUM_U64(lanes, v) (v) += (lanes)UP_8(v)
#define SUM_U32(lanes, v) (v) += (lanes)UP_4(v), SUM_U64(lanes, v)
#define SUM_U16(lanes, v) (v) += (lanes)UP_2(v), SUM_U32(lanes, v)
#define SUM_U8(lanes, v) (v) += (lanes)UP_1(v), SUM_U16(lanes, v)

/* Running sums of n pixels; `from` and `to` are the same or apart. */
#define RUNNING_SUM(name, pixel, lanes, SUM, ...)                                                                      \
  static void name(const unsigned char *from, size_t n, unsigned char *to)                                             \
  {                                                                                                                    \
    const size_t step = sizeof(lanes) / sizeof(pixel);                                                                 \
    lanes before = {0};                                                                                                \
    size_t i = 0;                                                                                                      \
    for (; i + step <= n; i += step) {                                                                                 \
      lanes v;                                                                                                         \
      memcpy(&v, from + i * sizeof(pixel), sizeof v);                                                                  \
      SUM(lanes, v);                                                                                                   \
      lanes after = before + __builtin_shufflevector(v, v, __VA_ARGS__);                                               \
      v += before;                                                                                                     \
      before = after;                                                                                                  \
      memcpy(to + i * sizeof(pixel), &v, sizeof v);                                                                    \
    }                                                                                                                  \
    pixel sum = before[0];                                                                                             \
    for (; i < n; i++) {                                                                                               \
      pixel p;                                                                                                         \
      memcpy(&p, from + i * sizeof p, sizeof p);                                                                       \
      sum = (pixel)(sum + p);                                                                                          \
      memcpy(to + i * sizeof p, &sum, sizeof sum);                                                                     \
    }                                                                                                                  \
  }

RUNNING_SUM(sum_u8, uint8_t, lanes_u8, SUM_U8, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15)
RUNNING_SUM(sum_u16, uint16_t, lanes_u16, SUM_U16, 7, 7, 7, 7, 7, 7, 7, 7)
RUNNING_SUM(sum_u32, uint32_t, lanes_u32, SUM_U32, 3, 3, 3, 3)
RUNNING_SUM(sum_u64, uint64_t, lanes_u64, SUM_U64, 1, 1)

static void undo_differences(size_t size, const unsigned char *from, size_t n, unsigned char *to)
{
  switch (size) {
  case 1:
    sum_u8(from, n, to);
    return;
  case 2:
    sum_u16(from, n, to);
    return;
  case 4:
    sum_u32(from, n, to);
    return;
  default:
    sum_u64(from, n, to);
    return;
  }
}

static void undo_float_bytes(const struct tiff_row *row, unsigned char *from, size_t columns, unsigned char *to)
{
  size_t n = row->width;
  sum_u8(from, n * row->size, from);
  if (row->size == 4)
    for (size_t i = 0; i < columns; i++) {
      uint32_t bits =
          (uint32_t)from[i] << 24 | (uint32_t)from[n + i] << 16 | (uint32_t)from[2 * n + i] << 8 | from[3 * n + i];
      memcpy(to + 4 * i, &bits, 4);
    }
  else
    for (size_t i = 0; i < columns; i++)
      for (size_t k = 0; k < row->size; k++)
        to[row->size * i + k] = from[(row->size - 1 - k) * n + i];
}

/* Takes apart a row of units: sample s has every `samples`th from the s-th on. */
#define SPLIT(name, unit)                                                                                              \
  static void name(size_t n, size_t samples, const unsigned char *from, unsigned char *to)                             \
  {                                                                                                                    \
    for (size_t s = 0; s < samples; s++, from += sizeof(unit))                                                         \
      for (size_t i = 0; i < n; i++, to += sizeof(unit))                                                               \
        memcpy(to, from + i * samples * sizeof(unit), sizeof(unit));                                                   \
  }

SPLIT(split_1, uint8_t)
SPLIT(split_2, uint16_t)
SPLIT(split_4, uint32_t)
SPLIT(split_8, uint64_t)
SPLIT(split_16, lanes_u8)

void tiff_row_split(const struct tiff_row *row, size_t samples, const unsigned char *from, unsigned char *to)
{
  if (row->predictor == 3)
    split_1(row->width * row->size, samples, from, to);
  else if (row->size == 1)
    split_1(row->width, samples, from, to);
  else if (row->size == 2)
    split_2(row->width, samples, from, to);
  else if (row->size == 4)
    split_4(row->width, samples, from, to);
  else if (row->size == 8)
    split_8(row->width, samples, from, to);
  else
    split_16(row->width, samples, from, to);
}

/* Turns round the bytes of so many units, in place. */
#define TURN(name, unit, turned)                                                                                       \
  static void name(size_t n, unsigned char *bytes)                                                                     \
  {                                                                                                                    \
    for (size_t i = 0; i < n; i++, bytes += sizeof(unit)) {                                                            \
      unit v;                                                                                                          \
      memcpy(&v, bytes, sizeof v);                                                                                     \
      v = turned(v);                                                                                                   \
      memcpy(bytes, &v, sizeof v);                                                                                     \
    }                                                                                                                  \
  }

TURN(turn_2, uint16_t, __builtin_bswap16)
TURN(turn_4, uint32_t, __builtin_bswap32)
TURN(turn_8, uint64_t, __builtin_bswap64)

static void turn(size_t unit, size_t bytes, unsigned char *row)
{
  if (unit == 2)
    turn_2(bytes / 2, row);
  else if (unit == 4)
    turn_4(bytes / 4, row);
  else if (unit == 8)
    turn_8(bytes / 8, row);
}

void tiff_row_undo(const struct tiff_row *row, unsigned char *from, size_t columns, unsigned char *to)
{
  if (row->predictor == 3) {
    undo_float_bytes(row, from, columns, to);
    return;
  }
  turn(row->swap, columns * row->size, from);
  if (row->predictor == 2)
    undo_differences(row->size, from, columns, to);
  else
    memcpy(to, from, columns * row->size);
}
