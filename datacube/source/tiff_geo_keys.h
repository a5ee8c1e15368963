/* What a GeoTIFF's own tags say of its CRS, and of the units that go with it, without making one of it. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_GEO_KEYS_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_GEO_KEYS_H

#include "datacube/base/hash.h"

#include <stdbool.h>

/* A fingerprint of the keys: files of equal ones have one CRS. False where the keys are not all that counts: the file
 * is no TIFF or has none, or another file beside it may say otherwise. */
bool tiff_geo_keys(const char *path, struct hash *out);
/* Whether GDAL takes more of what a file of this machine is from one beside it. */
bool tiff_has_company(const char *path);

#endif
