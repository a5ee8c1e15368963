/* A scene of a raster series, opened for one read. Internal to the raster series. */
#ifndef TWINCUBE_DATACUBE_SOURCE_SCENE_VIEW_H
#define TWINCUBE_DATACUBE_SOURCE_SCENE_VIEW_H

#include "datacube/source/raster_handles.h"
#include "datacube/source/raster_series_state.h"

struct scene_view {
  const struct raster_scene *scene;
  const struct scene_place *place;
  struct grid grid;       /* of the pixels that are read: the scene's own, or an overview's */
  int number;             /* of the band in its file, from 1 */
  GDALRasterBandH band;   /* NULL: GDAL has not opened the file */
  struct tiff_file *tiff; /* NULL: GDAL has to read the pixels */
  struct tiff_blocks *blocks;
  GDALRasterBandH mask;              /* 0 where the pixels hold nothing; or NULL */
  const struct pixel_format *format; /* the cube's: what pixels are read as */
  uint64_t stored;                   /* 64-bit integers: no-data in the file, exactly */
  bool south_up;                     /* the file's first row is the southernmost */
};

/* Opens scene `index` of the series; valid until the next use of the handles. Error
 * FileContentInvalid where the file is not what was catalogued. */
int scene_view_open(const struct series_state *state, struct raster_handles *handles, size_t index,
                    struct scene_view *view, struct error *error);
/* Reads a region of the scene, from the north, into rows of `stride` pixels, in the cube's type and no-data. */
int scene_view_read(const struct scene_view *view, const struct raster_region *region, size_t stride, unsigned char *to,
                    struct error *error);
/* Asks the system for the stored bytes of such a region, where they can be told. */
void scene_view_ahead(const struct scene_view *view, const struct raster_region *region);

#endif
