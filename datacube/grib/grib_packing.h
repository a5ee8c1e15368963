/* Values out of the octets of a field: see grib_values.h.
 *
 *   value = (R + X 2^E) 10^-D
 *
 * where X is packed in so many bits, as it is or by groups; a field of no bits is R everywhere. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_PACKING_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_PACKING_H

#include <stdbool.h>
#include <stddef.h>

struct grib_packed { /* sections, with the octets that they begin with */
  int edition;
  const unsigned char *packing, *bitmap, *data; /* the first two or NULL */
  size_t packing_length, bitmap_length, data_length;
  int decimal_scale; /* D of GRIB 1, which the product tells */
};

/* Fills in count values, which must be as many as the field has points. 1; 0: another packing; -1: damaged. */
int grib_unpack(const struct grib_packed *packed, size_t count, double *values);

#endif
