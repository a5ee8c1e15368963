/* Headers of openQCD files: extents t, x, y, z as 32-bit words and the mean trace of the plaquettes as a double, all
 * little-endian, then the links of the odd sites. */
#include "datacube/source/gauge_file.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

int gauge_openqcd_header(const struct gauge_header *header, struct gauge_file *out, struct error *error)
{
  FILE *stream = header->stream;
  uint32_t extent[GAUGE_FILE_AXES];
  uint64_t bits;
  size_t even = 1;
  if (fread(extent, sizeof extent, 1, stream) != 1 || fread(&bits, sizeof bits, 1, stream) != 1)
    return gauge_header_wrong(header, error, "it ends within the header");
  out->sites = GAUGE_SITES_ODD;
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++) {
    out->extent[k] = le32toh(extent[k]);
    even = even && out->extent[k] % 2 == 0;
  }
  if (!even)
    return gauge_header_wrong(header, error, "extents of a lattice with links by odd sites are even");
  bits = le64toh(bits);
  memcpy(&out->plaquette, &bits, sizeof bits);
  out->plaquette /= GAUGE_FILE_COLOURS;
  out->has_plaquette = true;
  out->is_double = true;
  out->offset = sizeof extent + sizeof bits;
  return 0;
}
