/* What TIFF blocks are packed with: deflate by libdeflate, zstd by its library, LZW by tiff_lzw. Decoders are made when
 * the first block wants them. */
#include "datacube/source/tiff_codec.h"

#include "datacube/source/tiff_lzw.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <zstd.h>

struct tiff_codec {
  struct libdeflate_decompressor *deflate;
  struct tiff_lzw *lzw;
  ZSTD_DCtx *zstd;
};

bool tiff_packing_find(uint64_t tag, enum tiff_packing *out)
{
  static const struct {
    uint64_t tag;
    enum tiff_packing packing;
  } known[] = {{1, TIFF_AS_IT_IS}, {5, TIFF_LZW}, {8, TIFF_DEFLATE}, {32946, TIFF_DEFLATE}, {50000, TIFF_ZSTD}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (known[i].tag == tag) {
      *out = known[i].packing;
      return true;
    }
  return false;
}

struct tiff_codec *tiff_codec_new(void)
{
  return calloc(1, sizeof(struct tiff_codec));
}

void tiff_codec_free(struct tiff_codec *codec)
{
  if (!codec)
    return;
  if (codec->deflate)
    libdeflate_free_decompressor(codec->deflate);
  tiff_lzw_free(codec->lzw);
  ZSTD_freeDCtx(codec->zstd);
  free(codec);
}

static bool unpack_deflate(struct tiff_codec *codec, const struct tiff_packed *p, size_t want, size_t room,
                           unsigned char *to)
{
  size_t filled = 0;
  if (!codec->deflate)
    codec->deflate = libdeflate_alloc_decompressor();
  return codec->deflate &&
         libdeflate_zlib_decompress(codec->deflate, p->bytes, p->length, to, room, &filled) == LIBDEFLATE_SUCCESS &&
         filled >= want;
}

static bool unpack_zstd(struct tiff_codec *codec, const struct tiff_packed *p, size_t want, size_t room,
                        unsigned char *to)
{
  if (!codec->zstd)
    codec->zstd = ZSTD_createDCtx();
  if (!codec->zstd)
    return false;
  size_t filled = ZSTD_decompressDCtx(codec->zstd, to, room, p->bytes, p->length);
  return !ZSTD_isError(filled) && filled >= want;
}

static bool unpack_lzw(struct tiff_codec *codec, const struct tiff_packed *p, size_t want, unsigned char *to)
{
  if (!codec->lzw)
    codec->lzw = tiff_lzw_new();
  return codec->lzw && tiff_lzw_inflate(codec->lzw, p->bytes, p->length, want, to);
}

bool tiff_unpack(struct tiff_codec *codec, const struct tiff_packed *packed, size_t want, size_t room,
                 unsigned char *to)
{
  switch (packed->packing) {
  case TIFF_DEFLATE:
    return unpack_deflate(codec, packed, want, room, to);
  case TIFF_ZSTD:
    return unpack_zstd(codec, packed, want, room, to);
  case TIFF_LZW:
    return unpack_lzw(codec, packed, want, to);
  case TIFF_AS_IT_IS:
    break;
  }
  return false;
}
