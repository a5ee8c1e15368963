/* Boxes of longitude and latitude in degrees, wherever their longitudes were counted from.
 *
 * A normal box has west in [-180, 180) and east behind it, above 180 where the box crosses the antimeridian; all round
 * the globe it is -180 to 180; latitudes end at the poles. Documents have it as GeoJSON wants it: west above east where
 * it crosses. */
#ifndef TWINCUBE_DATACUBE_LONLAT_H
#define TWINCUBE_DATACUBE_LONLAT_H

#include "datacube/base/buffer.h"
#include "datacube/grid.h"
#include "datacube/transform.h"

/* The whole globe. */
struct extent lonlat_globe(void);

/* The same box, normal; the globe where an edge is not finite. */
struct extent lonlat_normal(const struct extent *box);

/* The smallest normal box found to hold the image of an extent; `transform` leads from its CRS to longitude and
 * latitude. Unlike transform_extent it does not take the whole circle for a box across the antimeridian. False, and the
 * globe, where the extent has no image. */
bool lonlat_image(struct transform *transform, const struct extent *extent, struct extent *out);

/* The narrower of the normal boxes that hold both. */
struct extent lonlat_union(const struct extent *a, const struct extent *b);

/* West, south, east, north as documents have them. */
void lonlat_edges(const struct extent *box, double edges[4]);

/* The member "geometry": a polygon, or two where the box crosses the antimeridian. */
void lonlat_write_geometry(const struct extent *box, struct json_writer *writer);

#endif
