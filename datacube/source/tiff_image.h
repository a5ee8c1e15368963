/* What the tags of a plain GeoTIFF say of its image, for those that are read without GDAL. Internal. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_IMAGE_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_IMAGE_H

#include "datacube/element.h"
#include "datacube/source/tiff_layout.h"

struct tiff_image {
  size_t width, height, bands;
  enum element_type type; /* of all bands: a real one of at most 32 bits, or ELEMENT_F64 */
  double transform[6];    /* of pixels, from their corners, as GDAL has it; rows run from the north */
};

/* Reads the tags of a directory. False where they tell no such image. */
bool tiff_image_read(const struct tiff_bytes *file, const struct tiff_directory *directory, struct tiff_image *out);

#endif
