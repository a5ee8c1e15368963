/* The box of a request, in whatever CRS it is asked about.
 *
 * A geographic box is kept with west in [-180, 180) and east above it, past 180 where it crosses the antimeridian. In
 * another CRS the box is the smallest one there that holds its image. */
#ifndef TWINCUBE_STAC_REGION_H
#define TWINCUBE_STAC_REGION_H

#include "datacube/grid.h"

enum { REGION_WIDE = 60, REGION_IMAGES = 160 }; /* CRSs remembered: all UTM zones and more */

struct region_image {
  const char *crs;
  bool known; /* false: the box has no image there */
  struct extent extent;
};

struct load_region {
  bool everywhere;   /* no box was given */
  bool geographic;   /* in degrees */
  struct extent box; /* in its own CRS, normalised */
  struct region_image images[REGION_IMAGES];
  size_t image_count;
};

/* Checks the box: ProcessParameterInvalid with parameter "spatial_extent" for one that is empty, not finite or off the
 * globe; CRSInvalid. NULL: everywhere. The region keeps the CRS text. */
int region_make(const struct extent *extent, struct arena *arena, struct load_region *out, struct error *error);

/* Clips a box of more than REGION_WIDE degrees to where the collection is (lonlat): the image of such a box in a map
 * projection is far larger than the box, if there is one. */
void region_clip(struct load_region *region, const struct extent *bounds);

/* Lonlat boxes for a search, one or two (antimeridian). They cover what the box covers in `crs` as well, since pixels
 * are chosen there. Returns their number. */
size_t region_search_boxes(struct load_region *region, const char *crs, struct extent boxes[2]);

/* Whether the pixels of a grid meet the box: true also where that cannot be told. */
bool region_meets(struct load_region *region, const struct grid *grid);

/* The pixels of the lattice whose centres lie in the box. Width or height 0: none. Error FeatureUnsupported where the
 * box crosses the antimeridian and the lattice's CRS tears it. */
int region_crop(struct load_region *region, const struct grid *lattice, struct grid *out, struct error *error);

#endif
