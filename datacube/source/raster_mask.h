/* Validity that a raster carries beside its pixels: a mask of the file, a .msk beside it, an alpha band. Internal to
 * the raster series. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_MASK_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_MASK_H

#include "datacube/source/raster_pixels.h"
#include "datacube/source/raster_series_state.h"

#include <gdal.h>

/* The band, 0 where pixels of band `number` hold nothing; NULL where a no-data value says it all. */
GDALRasterBandH raster_mask_band(GDALDatasetH dataset, int number);

struct mask_target {
  unsigned char *pixels; /* of the region, in the format's type */
  size_t stride;         /* pixels from row to row */
  bool turned;           /* the region's last row comes first */
};

/* Makes no-data of the pixels of a region (in the file's order) where the mask is 0. */
CPLErr raster_mask_apply(GDALRasterBandH mask, const struct pixel_format *format, const struct raster_region *region,
                         const struct mask_target *to);

#endif
