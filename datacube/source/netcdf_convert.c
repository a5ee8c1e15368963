/* Rows of stored elements as rows of a cube.
 *
 * HDF5's shuffle filter writes all first bytes, then all second bytes: planes. Vector instructions interleave them,
 * bytes of two planes to pairs, pairs to fours, fours to eights. */
#include "datacube/source/netcdf_convert.h"

#include "datacube/base/byte_order.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 16 };

typedef uint8_t ones __attribute__((vector_size(BLOCK)));
typedef uint16_t twos __attribute__((vector_size(BLOCK)));
typedef uint32_t fours __attribute__((vector_size(BLOCK)));

/* out[0], out[1]: a's and b's elements in turn. */
static inline void interleave_ones(ones a, ones b, ones out[2])
{
  out[0] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  out[1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

static inline void interleave_twos(ones a, ones b, ones out[2])
{
  out[0] = (ones)__builtin_shufflevector((twos)a, (twos)b, 0, 8, 1, 9, 2, 10, 3, 11);
  out[1] = (ones)__builtin_shufflevector((twos)a, (twos)b, 4, 12, 5, 13, 6, 14, 7, 15);
}

static inline void interleave_fours(ones a, ones b, ones out[2])
{
  out[0] = (ones)__builtin_shufflevector((fours)a, (fours)b, 0, 4, 1, 5);
  out[1] = (ones)__builtin_shufflevector((fours)a, (fours)b, 2, 6, 3, 7);
}

/* The planes of an element's bytes, in the order in which they lie in memory here. */
static void find_planes(const struct netcdf_packed *p, size_t first, const unsigned char *planes[8])
{
  const bool machine_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  for (size_t k = 0; k < p->size; k++)
    planes[k] = p->data + (p->big_endian == machine_big ? k : p->size - 1 - k) * p->elements + first;
}

/* The next BLOCK elements of `pairs` pairs of planes, as pairs. */
static inline void take_pairs(const unsigned char *const *planes, size_t at, size_t pairs, ones out[][2])
{
  for (size_t k = 0; k < pairs; k++) {
    ones a, b;
    memcpy(&a, planes[2 * k] + at, BLOCK);
    memcpy(&b, planes[2 * k + 1] + at, BLOCK);
    interleave_ones(a, b, out[k]);
  }
}

static void block2(const unsigned char *const *planes, size_t at, unsigned char *out)
{
  ones pairs[1][2];
  take_pairs(planes, at, 1, pairs);
  memcpy(out, pairs, sizeof pairs);
}

static void block4(const unsigned char *const *planes, size_t at, unsigned char *out)
{
  ones pairs[2][2], whole[2][2];
  take_pairs(planes, at, 2, pairs);
  for (size_t h = 0; h < 2; h++)
    interleave_twos(pairs[0][h], pairs[1][h], whole[h]);
  memcpy(out, whole, sizeof whole);
}

static void block8(const unsigned char *const *planes, size_t at, unsigned char *out)
{
  ones pairs[4][2], quads[2][2], whole[2][2][2];
  take_pairs(planes, at, 4, pairs);
  for (size_t h = 0; h < 2; h++) {
    interleave_twos(pairs[0][h], pairs[1][h], quads[0]);
    interleave_twos(pairs[2][h], pairs[3][h], quads[1]);
    for (size_t q = 0; q < 2; q++)
      interleave_fours(quads[0][q], quads[1][q], whole[h][q]);
  }
  memcpy(out, whole, sizeof whole);
}

static void unshuffle(const struct netcdf_packed *p, size_t first, size_t count, unsigned char *out)
{
  const unsigned char *planes[8];
  size_t i = 0;
  find_planes(p, first, planes);
  for (; p->size == 2 && i + BLOCK <= count; i += BLOCK)
    block2(planes, i, out + 2 * i);
  for (; p->size == 4 && i + BLOCK <= count; i += BLOCK)
    block4(planes, i, out + 4 * i);
  for (; p->size == 8 && i + BLOCK <= count; i += BLOCK)
    block8(planes, i, out + 8 * i);
  for (; i < count; i++)
    for (size_t k = 0; k < p->size; k++)
      out[p->size * i + k] = planes[k][i];
}

void netcdf_unpack(const struct netcdf_packed *packed, size_t first, size_t count, void *out)
{
  const bool machine_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  if (!packed->shuffled || packed->size == 1) {
    memcpy(out, packed->data + first * packed->size, count * packed->size);
    if (packed->big_endian != machine_big)
      bytes_turn(out, count, packed->size);
  } else {
    unshuffle(packed, first, count, out);
  }
}

void netcdf_shuffle(const void *elements, size_t count, size_t size, void *out)
{
  const unsigned char *in = elements;
  unsigned char *planes = out;
  size_t i = 0;
  for (; i + BLOCK <= count && size == 4; i += BLOCK) { /* float32, the usual result, in vector instructions */
    unsigned char v[4 * BLOCK];
    memcpy(v, in + 4 * i, sizeof v);
    for (size_t b = 0; b < 4; b++)
      for (size_t k = 0; k < BLOCK; k++)
        planes[b * count + i + k] = v[4 * k + b];
  }
  for (; i < count; i++)
    for (size_t b = 0; b < size; b++)
      planes[b * count + i] = in[i * size + b];
}

static bool has_bounds(const struct netcdf_missing *missing)
{
  return isfinite(missing->low) || isfinite(missing->high);
}

bool netcdf_conversion_is_copy(const struct netcdf_conversion *c)
{
  if (c->from != c->to || netcdf_is_packed(&c->packing) || has_bounds(c->missing))
    return false;
  for (size_t i = 0; i < c->missing->count; i++)
    if (element_is_word(c->from)
            ? c->missing->word[i] != element_word(c->to, c->nodata)
            : c->missing->value[i] != c->nodata && !(isnan(c->missing->value[i]) && isnan(c->nodata)))
      return false;
  return true;
}

/* Element types of C behind enum element_type: X(enumerator, C type). */
#define NUMERIC_TYPES(X)                                                                                               \
  X(U8, uint8_t)                                                                                                       \
  X(I8, int8_t)                                                                                                        \
  X(U16, uint16_t)                                                                                                     \
  X(I16, int16_t)                                                                                                      \
  X(U32, uint32_t)                                                                                                     \
  X(I32, int32_t)                                                                                                      \
  X(U64, uint64_t)                                                                                                     \
  X(I64, int64_t)                                                                                                      \
  X(F32, float)                                                                                                        \
  X(F64, double)

enum { LANES = 256 };

#define LOAD_CASE(NAME, type)                                                                                          \
  case ELEMENT_##NAME: {                                                                                               \
    const type *from = (const type *)in + first;                                                                       \
    for (size_t i = 0; i < count; i++)                                                                                 \
      out[i] = (double)from[i];                                                                                        \
    return;                                                                                                            \
  }

static void load(enum element_type type, const void *in, size_t first, size_t count, double *out)
{
  switch (type) {
    NUMERIC_TYPES(LOAD_CASE)
  default:
    return;
  }
}

#define STORE_CASE(NAME, type)                                                                                         \
  case ELEMENT_##NAME: {                                                                                               \
    type *to = (type *)out + first * step;                                                                             \
    for (size_t i = 0; i < count; i++)                                                                                 \
      to[i * step] = ELEMENT_NODATA(type, in[i]);                                                                      \
    return;                                                                                                            \
  }

static void store(enum element_type type, const double *in, size_t first, size_t count, void *out, size_t step)
{
  switch (type) {
    NUMERIC_TYPES(STORE_CASE)
  default:
    return;
  }
}

/* Same type on both sides: exact for 64-bit integers as well. */
#define KEEP_CASE(NAME, type)                                                                                          \
  case ELEMENT_##NAME: {                                                                                               \
    const type *from = (const type *)in + first;                                                                       \
    type *to = (type *)out + first * step;                                                                             \
    for (size_t i = 0; i < count; i++)                                                                                 \
      to[i * step] = gone[i] ? ELEMENT_NODATA(type, c->nodata) : from[i];                                              \
    return;                                                                                                            \
  }

/* Complex elements; one whose real part is missing is missing. */
#define PAIR_CASE(NAME, type)                                                                                          \
  case ELEMENT_##NAME: {                                                                                               \
    const type *from = (const type *)in + 2 * first;                                                                   \
    type *to = (type *)out + 2 * first * step;                                                                         \
    for (size_t i = 0; i < count; i++) {                                                                               \
      to[2 * i * step] = gone[i] ? (type)c->nodata : from[2 * i];                                                      \
      to[2 * i * step + 1] = gone[i] ? (type)c->nodata : from[2 * i + 1];                                              \
    }                                                                                                                  \
    return;                                                                                                            \
  }

static void keep(const struct netcdf_conversion *c, const void *in, const bool *gone, size_t first, size_t count,
                 void *out, size_t step)
{
  switch (c->from) {
    NUMERIC_TYPES(KEEP_CASE)
    PAIR_CASE(C64, float)
    PAIR_CASE(C128, double)
  default:
    return;
  }
}

/* words: the elements as they are stored, of 64-bit integers, else NULL. NaN needs no looking for where the result is a
 * float: it stays NaN, which is missing too. */
static void find_gone(const struct netcdf_missing *missing, const double *lane, const uint64_t *words, size_t count,
                      bool *gone)
{
  const double low = missing->low, high = missing->high;
  for (size_t i = 0; i < count; i++)
    gone[i] = lane[i] < low || lane[i] > high;
  for (size_t k = 0; k < missing->count; k++) {
    const double value = missing->value[k];
    const uint64_t word = missing->word[k];
    for (size_t i = 0; !words && i < count; i++)
      gone[i] = gone[i] || lane[i] == value;
    for (size_t i = 0; words && i < count; i++)
      gone[i] = gone[i] || words[i] == word;
  }
}

static void load_real_parts(enum element_type type, const void *in, size_t first, size_t count, double *out)
{
  for (size_t i = 0; i < count; i++)
    out[i] = type == ELEMENT_C64 ? (double)((const float *)in)[2 * (first + i)] : ((const double *)in)[2 * (first + i)];
}

static void convert_lane(const struct netcdf_conversion *c, const void *in, size_t first, size_t count, void *out,
                         size_t step)
{
  double lane[LANES];
  bool gone[LANES];
  (element_info(c->from)->is_complex ? load_real_parts : load)(c->from, in, first, count, lane);
  find_gone(c->missing, lane, element_is_word(c->from) ? (const uint64_t *)in + first : NULL, count, gone);
  if (c->from == c->to && !netcdf_is_packed(&c->packing)) {
    keep(c, in, gone, first, count, out, step);
    return;
  }
  for (size_t i = 0; i < count; i++)
    lane[i] = gone[i] ? c->nodata : lane[i] * c->packing.scale + c->packing.offset;
  store(c->to, lane, first, count, out, step);
}

/* Floats that stay what they are but for up to two missing values: one pass of vector instructions. */
#define REPLACE(NAME, type)                                                                                            \
  static void replace_##NAME(const struct netcdf_conversion *c, const type *from, size_t count, type *to)              \
  {                                                                                                                    \
    const double *value = c->missing->value;                                                                           \
    const type first = (type)value[0], second = (type)value[c->missing->count - 1], nodata = (type)c->nodata;          \
    for (size_t i = 0; i < count; i++)                                                                                 \
      to[i] = ((from[i] == first) | (from[i] == second)) ? nodata : from[i];                                           \
  }
REPLACE(f32, float)
REPLACE(f64, double)

static bool replaces(const struct netcdf_conversion *c)
{
  return c->from == c->to && !netcdf_is_packed(&c->packing) && !has_bounds(c->missing) && c->missing->count >= 1 &&
         c->missing->count <= 2;
}

void netcdf_convert(const struct netcdf_conversion *conversion, const void *in, size_t count, void *out, size_t step)
{
  struct netcdf_conversion plain = *conversion;
  plain.from = plain.from == ELEMENT_BOOLEAN ? ELEMENT_U8 : plain.from;
  plain.to = plain.to == ELEMENT_BOOLEAN ? ELEMENT_U8 : plain.to;
  if (step == 1 && replaces(&plain) && plain.from == ELEMENT_F32) {
    replace_f32(&plain, in, count, out);
    return;
  }
  if (step == 1 && replaces(&plain) && plain.from == ELEMENT_F64) {
    replace_f64(&plain, in, count, out);
    return;
  }
  for (size_t first = 0; first < count; first += LANES)
    convert_lane(&plain, in, first, count - first < LANES ? count - first : LANES, out, step);
}
