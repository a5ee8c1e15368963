/* What TIFF blocks are packed with, undone. Internal to tiff_blocks. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_CODEC_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tiff_packing { TIFF_AS_IT_IS, TIFF_LZW, TIFF_DEFLATE, TIFF_ZSTD };

/* The packing that a Compression tag names. False: one that is not undone here. */
bool tiff_packing_find(uint64_t tag, enum tiff_packing *out);

struct tiff_codec; /* what unpacking takes: of one thread */

struct tiff_codec *tiff_codec_new(void);        /* NULL: out of memory */
void tiff_codec_free(struct tiff_codec *codec); /* NULL is allowed */

struct tiff_packed {
  enum tiff_packing packing; /* not TIFF_AS_IT_IS */
  const unsigned char *bytes;
  size_t length;
};

/* Fills the first `want` bytes of `to`, which has room for `room` >= want. False where they cannot be had. */
bool tiff_unpack(struct tiff_codec *codec, const struct tiff_packed *packed, size_t want, size_t room,
                 unsigned char *to);

#endif
