/* The crops that a series was put on another grid through: which target pixels lie inside all of them. Internal to
 * the raster series.
 *
 * A target pixel is inside a crop where its centre, in the crop's CRS, is in [west, east) and (south, north]: these are
 * the pixels that nearest would fill from the cropped pixels. One thread at a time. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_CLIP_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_CLIP_H

#include "datacube/source/raster_series_state.h"

struct raster_clip; /* of one reader */

/* Whether all pixels of the grid are surely inside the crop. */
bool series_crop_holds(const struct series_crop *crop, const struct grid *grid);

/* New clip for the state's crops; NULL where there are none. The caller frees it. */
int raster_clip_new(const struct series_state *state, struct raster_clip **out, struct error *error);
void raster_clip_free(struct raster_clip *clip); /* NULL is allowed */
/* Looks at a part of the cube's grid, at most RASTER_PART squared pixels: `inside` becomes the smallest region that
 * holds its pixels inside all crops; height and width 0 where there is none. */
int raster_clip_part(struct raster_clip *clip, const struct raster_region *part, struct raster_region *inside,
                     struct error *error);
/* Fills with no-data what is outside, in one plane of the region that raster_clip_part gave; `stride` pixels a row. */
void raster_clip_plane(const struct raster_clip *clip, const struct pixel_format *format, size_t stride,
                       unsigned char *pixels);

#endif
