/* The values of a field.
 *
 * Simple packing, and that by groups with spatial differences, are unpacked here (WMO Manual on Codes, I.2, data
 * representation templates 5.0, 5.2 and 5.3, and section 4 of GRIB 1); other packings by ecCodes, as far as it was
 * built with them. Missing values are NaN. Thread safe. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_VALUES_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grib_decoding {
  const unsigned char *message;
  size_t length;
  uint32_t part; /* the field, from 0 */
  size_t count;  /* values that are wanted: all that it has */
  size_t line;   /* of them, of a row (or column): for `alternates` */
  bool alternates;
  bool is_wide; /* doubles, else floats */
};

/* Fills `out`, of count elements, in the order of the message, every other line turned round where that alternates.
 * `room`: doubles for count values. False where the message is damaged, or has other values. */
bool grib_decode(const struct grib_decoding *request, double *room, void *out);

#endif
