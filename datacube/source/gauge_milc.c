/* Headers of MILC files, version 5: magic number, extents x, y, z, t, time stamp, order of the sites, checksums; 32-bit
 * words in the byte order that the magic number shows, then the links in single precision. */
#include "datacube/source/gauge_file.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC = 20103, STAMP_BYTES = 64, NATURAL_ORDER = 0 };

int gauge_milc_header(const struct gauge_header *header, struct gauge_file *out, struct error *error)
{
  FILE *stream = header->stream;
  uint32_t head[5], tail[3]; /* magic and extents; order and checksums */
  unsigned char stamp[STAMP_BYTES];
  if (fread(head, sizeof head, 1, stream) != 1 || fread(stamp, sizeof stamp, 1, stream) != 1 ||
      fread(tail, sizeof tail, 1, stream) != 1)
    return gauge_header_wrong(header, error, "it ends within the header");
  out->big_endian = be32toh(head[0]) == MAGIC;
  for (size_t i = 0; i < 5; i++)
    head[i] = out->big_endian ? be32toh(head[i]) : le32toh(head[i]);
  for (size_t i = 0; i < 3; i++)
    tail[i] = out->big_endian ? be32toh(tail[i]) : le32toh(tail[i]);
  if (tail[0] != NATURAL_ORDER)
    return error_set(error, ERROR_FeatureUnsupported, "%s: its sites are not in their natural order", header->path);
  out->sites = GAUGE_SITES_ALL;
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++)
    out->extent[(k + 1) % GAUGE_FILE_AXES] = head[1 + k];
  out->sum_kind = GAUGE_SUM_ROTATED;
  out->sum[0] = tail[1];
  out->sum[1] = tail[2];
  out->offset = sizeof head + sizeof stamp + sizeof tail;
  return 0;
}
