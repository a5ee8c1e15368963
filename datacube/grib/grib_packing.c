#include "datacube/grib/grib_packing.h"

#include "datacube/grib/grib_sections.h"

#include <math.h>
#include <string.h>

enum { BITS_MOST = 32, BITMAP_HEAD = 6 };

/* How X becomes a value. */
struct scale {
  double reference, binary, decimal; /* R, 2^E, 10^-D */
};

static double value_of(const struct scale *s, double x)
{
  return (x * s->binary + s->reference) * s->decimal;
}

/* ---- bits -------------------------------------------------------------------------------------------------------- */

struct bits { /* the most significant bit of each octet first */
  const unsigned char *bytes;
  size_t length; /* bytes */
  uint64_t at;   /* the next bit */
};

static bool has_bits(const struct bits *b, uint64_t count, unsigned width)
{
  uint64_t all;
  return !__builtin_mul_overflow(count, (uint64_t)width, &all) && all <= 8 * (uint64_t)b->length - b->at;
}

/* Bits that are there, 32 at most. */
static inline uint64_t take_bits(struct bits *b, unsigned width)
{
  const size_t at = (size_t)(b->at >> 3);
  uint64_t word = 0;
  if (width == 0)
    return 0;
  if (b->length - at >= 8) {
    memcpy(&word, b->bytes + at, 8);
    word = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? word : __builtin_bswap64(word);
  } else {
    for (size_t i = 0; i < 8; i++)
      word = word << 8 | (at + i < b->length ? b->bytes[at + i] : 0);
  }
  word = word << (b->at & 7) >> (64 - width);
  b->at += width;
  return word;
}

static void to_octet(struct bits *b)
{
  b->at = (b->at + 7) / 8 * 8;
}

/* ---- as it is ---------------------------------------------------------------------------------------------------- */

static int unpack_simple(struct bits *b, unsigned width, const struct scale *s, size_t count, double *values)
{
  if (width > BITS_MOST)
    return 0;
  if (!has_bits(b, count, width))
    return -1;
  if (width == 0)
    for (size_t i = 0; i < count; i++)
      values[i] = s->reference;
  else if (width == 8)
    for (size_t i = 0; i < count; i++)
      values[i] = value_of(s, b->bytes[i]);
  else if (width == 16)
    for (size_t i = 0; i < count; i++)
      values[i] = value_of(s, (double)(b->bytes[2 * i] << 8 | b->bytes[2 * i + 1]));
  else
    for (size_t i = 0; i < count; i++)
      values[i] = value_of(s, (double)take_bits(b, width));
  return 1;
}

/* ---- by groups --------------------------------------------------------------------------------------------------- */

struct groups {
  struct bits references, widths, lengths, values;
  uint64_t count;
  unsigned reference_bits, width_bits, length_bits;
  uint64_t least_width, least_length, length_step, last_length;
  unsigned missing;         /* how many of the largest numbers of a group stand for missing values: 0, 1, 2 */
  unsigned order;           /* of differences: 0, 1, 2 */
  uint64_t first[2], least; /* values that differences begin with; what all differences are above. Modulo 2^64. */
};

static bool take_descriptors(struct groups *g, const unsigned char *packing, struct bits *b)
{
  const unsigned order = packing[47], octets = packing[48];
  if (order < 1 || order > 2 || octets < 1 || octets > 8 || !has_bits(b, order + 1, 8 * octets))
    return false;
  g->order = order;
  for (unsigned i = 0; i <= order; i++) {
    const unsigned char *at = b->bytes + (size_t)i * octets;
    const uint64_t value = (uint64_t)grib_signed(at, octets);
    if (i < order)
      g->first[i] = value;
    else
      g->least = value;
  }
  b->at = 8 * (uint64_t)(order + 1) * octets;
  return true;
}

/* Places one stream of numbers, each of so many bits, behind what was before. */
static bool place_stream(struct bits *b, uint64_t count, unsigned width, struct bits *out)
{
  if (width > BITS_MOST || !has_bits(b, count, width))
    return false;
  *out = *b;
  b->at += count * width;
  to_octet(b);
  return b->at <= 8 * (uint64_t)b->length;
}

static bool read_groups(const struct grib_packed *p, size_t count, bool has_differences, struct bits *b,
                        struct groups *out)
{
  const unsigned char *packing = p->packing;
  if (p->packing_length < (has_differences ? 49 : 47))
    return false;
  *out = (struct groups){.count = grib_number(packing + 31, 4),
                         .reference_bits = packing[19],
                         .width_bits = packing[36],
                         .length_bits = packing[46],
                         .least_width = packing[35],
                         .least_length = grib_number(packing + 37, 4),
                         .length_step = packing[41],
                         .last_length = grib_number(packing + 42, 4),
                         .missing = packing[22]};
  if (out->count > count + 1 || out->missing > 2 || (has_differences && !take_descriptors(out, packing, b)))
    return false;
  if (!place_stream(b, out->count, out->reference_bits, &out->references) ||
      !place_stream(b, out->count, out->width_bits, &out->widths) ||
      !place_stream(b, out->count, out->length_bits, &out->lengths))
    return false;
  out->values = *b;
  return true;
}

/* Whether a number of so many bits stands for a missing value. */
static bool is_missing(const struct groups *g, uint64_t number, unsigned width)
{
  const uint64_t largest = (UINT64_C(1) << width) - 1;
  return width > 0 && (g->missing > 0 ? number == largest : false) ? true
         : width > 1 && g->missing > 1                             ? number == largest - 1
                                                                   : false;
}

struct difference_run { /* differences that are added up */
  uint64_t last, before;
  size_t count;
};

static uint64_t add_up(const struct groups *g, struct difference_run *run, uint64_t number)
{
  if (g->order == 0)
    return number;
  uint64_t value = run->count < g->order ? g->first[run->count]
                   : g->order == 1       ? number + g->least + run->last
                                         : number + g->least + 2 * run->last - run->before;
  run->before = run->last;
  run->last = value;
  run->count++;
  return value;
}

static int unpack_groups(struct groups *g, const struct scale *s, size_t count, double *values)
{
  struct difference_run run = {0, 0, 0};
  size_t at = 0;
  for (uint64_t i = 0; i < g->count; i++) {
    const uint64_t reference = take_bits(&g->references, g->reference_bits);
    const uint64_t width = g->least_width + take_bits(&g->widths, g->width_bits);
    const uint64_t scaled = take_bits(&g->lengths, g->length_bits);
    const uint64_t length = i + 1 == g->count ? g->last_length : g->least_length + g->length_step * scaled;
    if (width > BITS_MOST || length > count - at || !has_bits(&g->values, length, (unsigned)width))
      return -1;
    const bool all_missing = width == 0 && is_missing(g, reference, g->reference_bits);
    for (uint64_t k = 0; k < length; k++) {
      const uint64_t number = take_bits(&g->values, (unsigned)width);
      values[at++] = all_missing || is_missing(g, number, (unsigned)width)
                         ? NAN
                         : value_of(s, (double)(int64_t)add_up(g, &run, reference + number));
    }
  }
  return at == count ? 1 : -1;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* A sign, 7 bits of exponent to the base of 16, 24 of mantissa: what GRIB 1 has. */
static double ibm_float(const unsigned char *at)
{
  const double mantissa = (double)grib_number(at + 1, 3);
  return (at[0] & 0x80 ? -1 : 1) * ldexp(mantissa, 4 * ((at[0] & 0x7F) - 64) - 24);
}

static double ieee_float(const unsigned char *at)
{
  const uint32_t word = (uint32_t)grib_number(at, 4);
  float value;
  memcpy(&value, &word, sizeof value);
  return (double)value;
}

static int unpack_1(const struct grib_packed *p, size_t count, double *values)
{
  if (p->data_length < 11)
    return -1;
  const unsigned flags = p->data[3] >> 4;
  const struct scale scale = {ibm_float(p->data + 6), ldexp(1, (int)grib_signed(p->data + 4, 2)),
                              pow(10, -p->decimal_scale)};
  struct bits bits = {p->data + 11, p->data_length - 11, 0};
  if (flags & 0xD) /* spherical harmonics, packing by groups, more flags */
    return 0;
  return unpack_simple(&bits, p->data[10], &scale, count, values);
}

/* Whether a packing that ecCodes undoes has as many values as are wanted where it is an image, which tells its own
 * size: room is taken by that before the values are counted. */
static bool is_image_of(const struct grib_packed *p, unsigned kind, size_t count)
{
  const unsigned char *image = p->data + 5;
  const size_t length = p->data_length - 5;
  const bool is_jpeg = kind == 40 || kind == 40000, is_png = kind == 41 || kind == 40010;
  const size_t size_at = is_jpeg ? 8 : 16;
  if ((!is_jpeg && !is_png) || p->packing[19] == 0) /* no bits: all values are one */
    return true;
  if (length < 24)
    return false;
  const uint64_t width = grib_number(image + size_at, 4), height = grib_number(image + size_at + 4, 4);
  const uint64_t left = is_jpeg ? grib_number(image + 16, 4) : 0, top = is_jpeg ? grib_number(image + 20, 4) : 0;
  return left < width && top < height && (width - left) * (height - top) == count;
}

static int unpack_2(const struct grib_packed *p, size_t count, double *values)
{
  if (p->packing_length < 11 || p->data_length < 5 || grib_number(p->packing + 5, 4) != count)
    return -1;
  if (p->packing_length < 20)
    return 0;
  const unsigned kind = (unsigned)grib_number(p->packing + 9, 2);
  const struct scale scale = {ieee_float(p->packing + 11), ldexp(1, (int)grib_signed(p->packing + 15, 2)),
                              pow(10, -(double)grib_signed(p->packing + 17, 2))};
  struct bits bits = {p->data + 5, p->data_length - 5, 0};
  struct groups groups;
  if (kind != 0 && kind != 2 && kind != 3)
    return is_image_of(p, kind, count) ? 0 : -1;
  if (kind == 0)
    return unpack_simple(&bits, p->packing[19], &scale, count, values);
  if (p->packing_length < 47 || p->packing[21] != 1) /* groups without lengths of their own */
    return 0;
  return read_groups(p, count, kind == 3, &bits, &groups) ? unpack_groups(&groups, &scale, count, values) : -1;
}

static bool is_there(const struct grib_packed *p, size_t point)
{
  return p->bitmap[BITMAP_HEAD + point / 8] >> (7 - point % 8) & 1;
}

int grib_unpack(const struct grib_packed *p, size_t count, double *values)
{
  size_t there = count;
  if (p->bitmap) {
    if (p->bitmap_length < BITMAP_HEAD || (p->bitmap_length - BITMAP_HEAD) < (count + 7) / 8)
      return -1;
    there = 0;
    for (size_t i = 0; i < count; i++)
      there += is_there(p, i);
  }
  const int status = (p->edition == 1 ? unpack_1 : unpack_2)(p, there, values);
  if (status != 1 || !p->bitmap)
    return status;
  for (size_t i = count; i-- > 0;)
    values[i] = is_there(p, i) ? values[--there] : NAN;
  return 1;
}
