/* What pages of Parquet files are packed with: Snappy and LZ4 (here), deflate, Brotli and zstd (their libraries). */
#ifndef TWINCUBE_DATACUBE_PARQUET_PARQUET_CODEC_H
#define TWINCUBE_DATACUBE_PARQUET_PARQUET_CODEC_H

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Unpacks all bytes to exactly `room` of them. `codec` is the format's number. Errors FileContentInvalid,
 * FeatureUnsupported (LZO, LZ4 in frames). */
int parquet_unpack(int codec, const unsigned char *packed, size_t length, unsigned char *to, size_t room,
                   struct error *error);
/* Nothing to be unpacked. */
bool parquet_is_plain(int codec);

#endif
