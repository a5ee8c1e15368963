/* See the header. Snappy and LZ4 are the same idea: bytes that stand there, then bytes that stood before, in turn; they
 * differ in how lengths and distances are written. Sources: the descriptions of the formats by their makers. */
#include "datacube/parquet/parquet_codec.h"

#include <brotli/decode.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <zstd.h>

struct packed_bytes {
  const unsigned char *at, *end;
  unsigned char *start, *to, *limit; /* of what is unpacked */
};

/* Bytes that stand there. */
static bool take(struct packed_bytes *p, size_t count)
{
  if (count > (size_t)(p->end - p->at) || count > (size_t)(p->limit - p->to))
    return false;
  memcpy(p->to, p->at, count);
  p->at += count;
  p->to += count;
  return true;
}

/* Bytes that stood `distance` before: where they overlap what is written, they repeat it. */
static bool repeat(struct packed_bytes *p, size_t distance, size_t count)
{
  if (distance == 0 || distance > (size_t)(p->to - p->start) || count > (size_t)(p->limit - p->to))
    return false;
  if (distance >= count)
    memcpy(p->to, p->to - distance, count);
  else
    for (size_t i = 0; i < count; i++)
      p->to[i] = p->to[(ptrdiff_t)i - (ptrdiff_t)distance];
  p->to += count;
  return true;
}

/* A number of some bytes, the low ones first. */
static bool read_number(struct packed_bytes *p, unsigned bytes, size_t *out)
{
  size_t number = 0;
  if (bytes > (size_t)(p->end - p->at))
    return false;
  for (unsigned i = 0; i < bytes; i++)
    number |= (size_t)p->at[i] << 8 * i;
  p->at += bytes;
  *out = number;
  return true;
}

/* ---- Snappy ------------------------------------------------------------------------------------------------------ */

static bool snappy_element(struct packed_bytes *p)
{
  const unsigned tag = *p->at++;
  size_t length = tag >> 2, low;
  switch (tag & 3) {
  case 0:
    if (length >= 60 && !read_number(p, (unsigned)length - 59, &length))
      return false;
    return take(p, length + 1);
  case 1:
    return read_number(p, 1, &low) && repeat(p, (size_t)(tag >> 5) << 8 | low, (length & 7) + 4);
  default:
    return read_number(p, (tag & 3) == 2 ? 2 : 4, &low) && repeat(p, low, length + 1);
  }
}

static bool unpack_snappy(struct packed_bytes *p)
{
  size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (p->at == p->end || shift > 28)
      return false;
    length |= (size_t)(*p->at & 0x7F) << shift;
    if (*p->at++ < 0x80)
      break;
  }
  if (length != (size_t)(p->limit - p->start))
    return false;
  while (p->at < p->end)
    if (!snappy_element(p))
      return false;
  return p->to == p->limit;
}

/* ---- LZ4 --------------------------------------------------------------------------------------------------------- */

/* A length that goes on in further bytes where the first part of it is full. */
static bool lz4_length(struct packed_bytes *p, size_t *length)
{
  unsigned byte = *length == 15 ? 255 : 0;
  while (byte == 255) {
    if (p->at == p->end)
      return false;
    byte = *p->at++;
    *length += byte;
  }
  return true;
}

static bool unpack_lz4(struct packed_bytes *p)
{
  while (p->at < p->end) {
    const unsigned tag = *p->at++;
    size_t literal = tag >> 4, match = tag & 15, distance;
    if (!lz4_length(p, &literal) || !take(p, literal))
      return false;
    if (p->at == p->end) /* the last ones are literal */
      break;
    if (!read_number(p, 2, &distance) || !lz4_length(p, &match) || !repeat(p, distance, match + 4))
      return false;
  }
  return p->to == p->limit;
}

/* ---- libraries --------------------------------------------------------------------------------------------------- */

/* One member after the other. */
static bool unpack_gzip(struct packed_bytes *p)
{
  struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
  bool is_sound = inflater != NULL;
  while (is_sound && p->at < p->end) {
    size_t read = 0, written = 0;
    is_sound = libdeflate_gzip_decompress_ex(inflater, p->at, (size_t)(p->end - p->at), p->to,
                                             (size_t)(p->limit - p->to), &read, &written) == LIBDEFLATE_SUCCESS &&
               read > 0;
    p->at += read;
    p->to += written;
  }
  if (inflater)
    libdeflate_free_decompressor(inflater);
  return is_sound && p->to == p->limit;
}

static bool unpack_brotli(struct packed_bytes *p)
{
  const size_t room = (size_t)(p->limit - p->to);
  size_t filled = room;
  return BrotliDecoderDecompress((size_t)(p->end - p->at), p->at, &filled, p->to) == BROTLI_DECODER_RESULT_SUCCESS &&
         filled == room;
}

static bool unpack_zstd(struct packed_bytes *p)
{
  const size_t room = (size_t)(p->limit - p->to);
  return ZSTD_decompress(p->to, room, p->at, (size_t)(p->end - p->at)) == room;
}

/* ---- which ------------------------------------------------------------------------------------------------------- */

enum { CODEC_NONE = 0, CODEC_SNAPPY = 1, CODEC_GZIP = 2, CODEC_BROTLI = 4, CODEC_ZSTD = 6, CODEC_LZ4 = 7 };

bool parquet_is_plain(int codec)
{
  return codec == CODEC_NONE;
}

int parquet_unpack(int codec, const unsigned char *packed, size_t length, unsigned char *to, size_t room,
                   struct error *error)
{
  struct packed_bytes p = {packed, packed + length, to, to, to + room};
  bool is_sound;
  if (codec == CODEC_SNAPPY)
    is_sound = unpack_snappy(&p);
  else if (codec == CODEC_GZIP)
    is_sound = unpack_gzip(&p);
  else if (codec == CODEC_BROTLI)
    is_sound = unpack_brotli(&p);
  else if (codec == CODEC_ZSTD)
    is_sound = unpack_zstd(&p);
  else if (codec == CODEC_LZ4)
    is_sound = unpack_lz4(&p);
  else
    return error_set(error, ERROR_FeatureUnsupported,
                     "pages packed with %s are not read, but those with Snappy, gzip, Brotli, zstd and LZ4 (LZ4_RAW)",
                     codec == 3   ? "LZO"
                     : codec == 5 ? "LZ4 in frames"
                                  : "a new codec");
  return is_sound ? 0 : error_set(error, ERROR_FileContentInvalid, "a page cannot be unpacked");
}
