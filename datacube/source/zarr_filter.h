/* Filters of numcodecs that change the numbers themselves, before they are packed: differences, and whole numbers in
 * place of fractions.
 *
 *   delta             stored[i] = meant[i] - meant[i - 1]
 *   fixedscaleoffset  stored = round((meant - offset) * scale)
 *
 * Both have a type of what is meant and one of what is stored. */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_FILTER_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_FILTER_H

#include "datacube/element.h"
#include "datacube/source/zarr_json.h"

struct zarr_filter {
  enum element_type stored, meant;
  bool stored_big, meant_big; /* byte orders */
  double scale, offset;
};

/* What a document says of one. False where it is none that is undone: types that are no numbers of NumPy, a scale of
 * zero, or more bytes stored than are meant. */
bool zarr_filter_read(const struct zarr_json *about, struct zarr_filter *out);

/* Undoes it; the number of bytes in `to`, SIZE_MAX where they are not what it makes, or more than `room`. */
size_t zarr_undo_delta(const struct zarr_filter *filter, const unsigned char *from, size_t length, unsigned char *to,
                       size_t room);
size_t zarr_undo_scale(const struct zarr_filter *filter, const unsigned char *from, size_t length, unsigned char *to,
                       size_t room);

#endif
