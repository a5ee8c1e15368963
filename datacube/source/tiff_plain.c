/* Rows of plain blocks. What lies between short rows is read, too, into a place that nobody looks at: that costs less
 * than a question for each row. */
#include "datacube/source/tiff_plain.h"

#include <sys/uio.h>

enum { TOGETHER = 512 /* rows of one question */, GAP_MOST = 4096 };

bool tiff_is_plain(const struct tiff_bytes *file, const struct tiff_layout *layout)
{
  return !file->remote && layout->packing == TIFF_AS_IT_IS && layout->predictor == 1 && layout->swap == 1 &&
         layout->samples == 1;
}

static bool read_one_by_one(const struct tiff_bytes *file, const struct tiff_rows *rows, size_t stride,
                            unsigned char *to)
{
  for (size_t i = 0; i < rows->count; i++)
    if (!tiff_file_bytes(file, rows->offset + i * rows->line, rows->bytes, to + i * stride))
      return false;
  return true;
}

/* Up to TOGETHER rows; what a signal or the file's end leaves undone is asked for row by row. */
static bool read_together(const struct tiff_bytes *file, const struct tiff_rows *rows, size_t stride, unsigned char *to)
{
  unsigned char skipped[GAP_MOST];
  struct iovec parts[2 * TOGETHER];
  const size_t gap = rows->line - rows->bytes;
  int count = 0;
  for (size_t i = 0; i < rows->count; i++) {
    parts[count++] = (struct iovec){to + i * stride, rows->bytes};
    if (gap > 0 && i + 1 < rows->count)
      parts[count++] = (struct iovec){skipped, gap};
  }
  const ssize_t got = preadv(file->descriptor, parts, count, (off_t)rows->offset);
  return got == (ssize_t)(rows->count * rows->line - gap) || read_one_by_one(file, rows, stride, to);
}

bool tiff_rows_read(const struct tiff_bytes *file, const struct tiff_rows *rows, size_t stride, unsigned char *to)
{
  if (rows->line == rows->bytes && stride == rows->bytes)
    return tiff_file_bytes(file, rows->offset, rows->count * rows->bytes, to);
  if (rows->line - rows->bytes > GAP_MOST || rows->offset > INT64_MAX)
    return read_one_by_one(file, rows, stride, to);
  for (size_t i = 0; i < rows->count; i += TOGETHER) {
    struct tiff_rows some = *rows;
    some.offset += i * rows->line;
    some.count = rows->count - i < TOGETHER ? rows->count - i : TOGETHER;
    if (!read_together(file, &some, stride, to + i * stride))
      return false;
  }
  return true;
}
