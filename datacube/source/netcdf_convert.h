/* Rows of stored elements as rows of a cube: shuffled bytes put together, byte order, missing values, unpacking. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_CONVERT_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_CONVERT_H

#include "datacube/element.h"
#include "datacube/source/netcdf_missing.h"

/* An inflated chunk as HDF5 stores it. Shuffled: byte b of element i lies at b * elements + i. */
struct netcdf_packed {
  const unsigned char *data;
  size_t elements;
  size_t size; /* bytes an element: 1, 2, 4, 8; 16 where neither shuffled nor to be swapped */
  bool shuffled;
  bool big_endian; /* byte order of the elements */
};

/* Elements first … first + count - 1 in the machine's own order. `out` may be unaligned. */
void netcdf_unpack(const struct netcdf_packed *packed, size_t first, size_t count, void *out);

/* Bytes in the order of HDF5's shuffle filter. */
void netcdf_shuffle(const void *elements, size_t count, size_t size, void *out);

struct netcdf_conversion {
  enum element_type from, to; /* complex types only to themselves */
  const struct netcdf_missing *missing;
  struct netcdf_packing packing; /* `to` is a float where there is any */
  double nodata;                 /* a value of `to`: what missing numbers become */
};

/* Whether the conversion is a plain copy. */
bool netcdf_conversion_is_copy(const struct netcdf_conversion *conversion);
/* Converts count elements; the result's elements are `step` elements apart. Both sides are aligned to their types. */
void netcdf_convert(const struct netcdf_conversion *conversion, const void *in, size_t count, void *out, size_t step);

#endif
