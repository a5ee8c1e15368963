/* Rows of stored elements as rows of a cube.
 *
 * HDF5's shuffle filter writes all first bytes, then all second bytes, …; an element is put together from its value,
 * sum of byte s << 8 s, so the code is the same on machines of either byte order. Blocks of a fixed length let the
 * compiler use vector instructions. */
#include "datacube/source/netcdf_convert.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 16 };

/* Plane of the byte of significance s. */
static const unsigned char *plane(const struct netcdf_packed *p, size_t s, size_t first)
{
  const size_t b = p->big_endian ? p->size - 1 - s : s;
  return p->data + b * p->elements + first;
}

static void unshuffle2(const struct netcdf_packed *p, size_t first, size_t count, unsigned char *out)
{
  const unsigned char *p0 = plane(p, 0, first), *p1 = plane(p, 1, first);
  size_t i = 0;
  for (; i + BLOCK <= count; i += BLOCK) {
    uint16_t v[BLOCK];
    for (size_t k = 0; k < BLOCK; k++)
      v[k] = (uint16_t)(p0[i + k] | p1[i + k] << 8);
    memcpy(out + 2 * i, v, sizeof v);
  }
  for (; i < count; i++) {
    const uint16_t v = (uint16_t)(p0[i] | p1[i] << 8);
    memcpy(out + 2 * i, &v, sizeof v);
  }
}

static void unshuffle4(const struct netcdf_packed *p, size_t first, size_t count, unsigned char *out)
{
  const unsigned char *p0 = plane(p, 0, first), *p1 = plane(p, 1, first);
  const unsigned char *p2 = plane(p, 2, first), *p3 = plane(p, 3, first);
  size_t i = 0;
  for (; i + BLOCK <= count; i += BLOCK) {
    uint32_t v[BLOCK];
    for (size_t k = 0; k < BLOCK; k++)
      v[k] = p0[i + k] | (uint32_t)p1[i + k] << 8 | (uint32_t)p2[i + k] << 16 | (uint32_t)p3[i + k] << 24;
    memcpy(out + 4 * i, v, sizeof v);
  }
  for (; i < count; i++) {
    const uint32_t v = p0[i] | (uint32_t)p1[i] << 8 | (uint32_t)p2[i] << 16 | (uint32_t)p3[i] << 24;
    memcpy(out + 4 * i, &v, sizeof v);
  }
}

static void unshuffle8(const struct netcdf_packed *p, size_t first, size_t count, unsigned char *out)
{
  for (size_t i = 0; i < count; i++) {
    uint64_t v = 0;
    for (size_t s = 0; s < 8; s++)
      v |= (uint64_t)plane(p, s, first)[i] << (8 * s);
    memcpy(out + 8 * i, &v, sizeof v);
  }
}

static void swap_bytes(unsigned char *data, size_t count, size_t size)
{
  for (size_t i = 0; i < count; i++, data += size)
    for (size_t b = 0; b < size / 2; b++) {
      const unsigned char byte = data[b];
      data[b] = data[size - 1 - b];
      data[size - 1 - b] = byte;
    }
}

void netcdf_unpack(const struct netcdf_packed *packed, size_t first, size_t count, void *out)
{
  const bool machine_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  if (!packed->shuffled || packed->size == 1) {
    memcpy(out, packed->data + first * packed->size, count * packed->size);
    if (packed->big_endian != machine_big)
      swap_bytes(out, count, packed->size);
  } else if (packed->size == 2) {
    unshuffle2(packed, first, count, out);
  } else if (packed->size == 4) {
    unshuffle4(packed, first, count, out);
  } else {
    unshuffle8(packed, first, count, out);
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

bool netcdf_conversion_is_copy(const struct netcdf_conversion *c)
{
  if (c->from != c->to)
    return false;
  for (size_t i = 0; i < c->missing_count; i++)
    if (c->missing[i] != c->nodata && !(isnan(c->missing[i]) && isnan(c->nodata)))
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

/* The missing values of a conversion that numbers can equal (NaN needs no looking for: it stays NaN). Always two; where
 * there is one it repeats, where there is none `count` is 0. */
struct marks {
  size_t count;
  double value[2];
};

static struct marks marks_of(const struct netcdf_conversion *c)
{
  struct marks marks = {0};
  for (size_t i = 0; i < c->missing_count && marks.count < 2; i++)
    if (!isnan(c->missing[i]))
      marks.value[marks.count++] = c->missing[i];
  if (marks.count == 1)
    marks.value[1] = marks.value[0];
  return marks;
}

/* Same type on both sides: exact for 64-bit integers as well. */
#define KEEP_CASE(NAME, type)                                                                                          \
  case ELEMENT_##NAME: {                                                                                               \
    const type *from = in;                                                                                             \
    type *to = out;                                                                                                    \
    const type nodata = (type)(marks.count > 0 ? c->nodata : 0);                                                       \
    const type m0 = (type)marks.value[0], m1 = (type)marks.value[1];                                                   \
    for (size_t i = 0; i < count; i++)                                                                                 \
      to[i * step] = marks.count > 0 && (from[i] == m0 || from[i] == m1) ? nodata : from[i];                           \
    return;                                                                                                            \
  }

/* Complex elements; one whose real part is missing is missing. */
#define PAIR_CASE(NAME, type)                                                                                          \
  case ELEMENT_##NAME: {                                                                                               \
    const type *from = in;                                                                                             \
    type *to = out;                                                                                                    \
    for (size_t i = 0; i < count; i++) {                                                                               \
      const double re = (double)from[2 * i];                                                                           \
      const bool gone = marks.count > 0 && (re == marks.value[0] || re == marks.value[1]);                             \
      to[2 * i * step] = gone ? (type)c->nodata : from[2 * i];                                                         \
      to[2 * i * step + 1] = gone ? (type)c->nodata : from[2 * i + 1];                                                 \
    }                                                                                                                  \
    return;                                                                                                            \
  }

static void keep_type(const struct netcdf_conversion *c, const void *in, size_t count, void *out, size_t step)
{
  const struct marks marks = marks_of(c);
  switch (c->from) {
    NUMERIC_TYPES(KEEP_CASE)
    PAIR_CASE(C64, float)
    PAIR_CASE(C128, double)
  default:
    return;
  }
}

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
      to[i * step] = (type)in[i];                                                                                      \
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

/* A wider type: every value has an exact double, but for 64-bit integers that go to float64 anyhow. */
static void widen(const struct netcdf_conversion *c, const void *in, size_t count, void *out, size_t step)
{
  enum { LANES = 256 };
  double lane[LANES];
  const struct marks marks = marks_of(c);
  for (size_t first = 0; first < count; first += LANES) {
    const size_t n = count - first < LANES ? count - first : LANES;
    load(c->from, in, first, n, lane);
    for (size_t i = 0; marks.count > 0 && i < n; i++)
      lane[i] = lane[i] == marks.value[0] || lane[i] == marks.value[1] ? c->nodata : lane[i];
    store(c->to, lane, first, n, out, step);
  }
}

void netcdf_convert(const struct netcdf_conversion *conversion, const void *in, size_t count, void *out, size_t step)
{
  struct netcdf_conversion plain = *conversion;
  plain.from = plain.from == ELEMENT_BOOLEAN ? ELEMENT_U8 : plain.from;
  plain.to = plain.to == ELEMENT_BOOLEAN ? ELEMENT_U8 : plain.to;
  if (plain.from == plain.to)
    keep_type(&plain, in, count, out, step);
  else
    widen(&plain, in, count, out, step);
}
