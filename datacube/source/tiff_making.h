/* Whether two GeoTIFFs were made in the same way, by their tags: then what GDAL says of one holds for the other, but
 * for size and place. Files of one band of a mission are alike, and GDAL takes a hundred small reads for each.
 * Internal.
 */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_MAKING_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_MAKING_H

#include "datacube/base/hash.h"
#include "datacube/source/tiff_image.h"

/* Size, place and a fingerprint of all else that counts: types, bands, masks, no-data, scales, units, names, CRS.
 * False where the tags are not all of it, or cannot be read: a mask or another image beside overviews, a place told in
 * another way than by one tie point and scales. */
bool tiff_making_read(const struct tiff_bytes *file, struct tiff_image *image, struct hash *making);

#endif
