/* Rows of blocks that are stored as they are, from the file to where they are wanted, without scratch. Internal to
 * tiff_blocks. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_PLAIN_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_PLAIN_H

#include "datacube/source/tiff_layout.h"

/* Whether the pixels of a block are what the file has: one band, unpacked, of this machine's byte order. */
bool tiff_is_plain(const struct tiff_bytes *file, const struct tiff_layout *layout);

struct tiff_rows {
  uint64_t offset;     /* of the first row's first byte that is wanted */
  size_t line;         /* bytes from row to row in the file */
  size_t bytes, count; /* of a row; rows */
};

/* Reads rows into rows of `stride` bytes. False where the file ends before. */
bool tiff_rows_read(const struct tiff_bytes *file, const struct tiff_rows *rows, size_t stride, unsigned char *to);

#endif
