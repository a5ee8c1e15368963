/* What names of well-known products say about their bands: common name and wavelength. */
#ifndef TWINCUBE_STAC_SENSOR_H
#define TWINCUBE_STAC_SENSOR_H

#include "datacube/cube.h"

/* Sets common_name and wavelength where the item's name is of a known product and the band one of its bands. */
void sensor_describe(const char *item, const char *band, struct band_info *info);

#endif
