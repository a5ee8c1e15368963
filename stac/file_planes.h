/* What the bands of a raster file are where they are more than bands: the dates and the bands of a cube, date by date
 * or band by band, as "cube:dimensions" of its asset tell. So results of several dates in one GeoTIFF come back as they
 * were. */
#ifndef TWINCUBE_STAC_FILE_PLANES_H
#define TWINCUBE_STAC_FILE_PLANES_H

#include "stac/json_tree.h"

#include <stdint.h>

struct file_planes {           /* texts are borrowed from the document */
  const json_t *dates, *bands; /* labels; bands may be NULL: one without a name */
  size_t date_step, band_step; /* file bands from one label to the next */
};

/* False where the asset does not tell: its dimensions beside x and y must be one of time and at most one of bands, and
 * have as many labels as the file has bands, all dates being readable. */
bool planes_of(const json_t *asset, size_t file_bands, struct file_planes *out);

/* Of file band i, from 0. */
size_t planes_date(const struct file_planes *planes, size_t i); /* index */
const char *planes_band(const struct file_planes *planes, size_t i);

/* Milliseconds, of the date with that index. */
int64_t planes_instant(const struct file_planes *planes, size_t date);

#endif
