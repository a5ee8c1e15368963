/* Overviews of an open raster: smaller copies of it in the file, for maps that are coarser than its pixels. Internal to
 * the raster series.
 *
 * How the pixels of an overview came about, files do not tell. So it is looked at: where each of a sample is one of the
 * pixels that it stands for, nothing was mixed, and the overview serves classes as well as measurements; where values
 * were mixed it serves continuous ones alone, which are floats, or integers of many values that have neither colours
 * nor names. In doubt the pixels themselves are read. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_OVERVIEW_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_OVERVIEW_H

#include "datacube/grid.h"
#include "datacube/source/tiff_blocks.h"

#include <gdal.h>

struct raster_levels; /* what is known of an open file's overviews */

/* The dataset is borrowed; NULL when out of memory. */
struct raster_levels *raster_levels_new(GDALDatasetH dataset, const char *path);
void raster_levels_free(struct raster_levels *levels); /* before the dataset is closed; NULL is allowed */

struct raster_level {
  GDALRasterBandH band, mask; /* mask: NULL where the full resolution has none */
  struct tiff_file *tiff;     /* of the overview, or NULL */
  struct grid grid;
};

/* The coarsest overview of a band that is not coarser than `ratio` pixels and suits the method. `grid`, `mask`: of the
 * full resolution. false: the pixels themselves have to be read. */
bool raster_level_find(struct raster_levels *levels, int band, GDALRasterBandH mask, const struct grid *grid,
                       double ratio, enum resampling method, struct raster_level *out);

#endif
