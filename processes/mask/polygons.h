/* Pixels inside and outside of geometries: what the masks, filters and chunks by polygon have in common. */
#ifndef TWINCUBE_PROCESSES_MASK_POLYGONS_H
#define TWINCUBE_PROCESSES_MASK_POLYGONS_H

#include "datacube/coverage.h"
#include "processes/cube/shape.h"

/* The geometries given as the argument, and the pixels of the cube that they cover. With polygons_only: there is one
 * polygon at least, and nothing but polygons and empty geometries. Errors name the parameter, or "data" where the cube
 * has no grid. */
int geometries_lay(struct call *call, const char *parameter, const struct cube *cube, bool polygons_only,
                   struct coverage *out);

/* The same of geometries that were read. */
int geometries_lay_set(struct call *call, const char *parameter, const struct geometry_set *set,
                       const struct cube *cube, struct coverage *out);
/* The argument, where it is GeoJSON or a vector cube: polygons that limit a cube, and what their coordinates span in
 * their CRS. *set is NULL where it is something else. */
int polygons_extent(struct call *call, const char *parameter, const struct geometry_set **set, struct extent *out);

/* The node with no-data where the coverage (of one zone) has no pixel; itself where it has all. Its type makes room for
 * missing elements. */
int cover_keep(struct call *call, const struct node *data, const struct coverage *kept, const struct node **out);
/* The node with `value` (a number or boolean; null: no-data) where the coverage has no pixel. untouched: what is
 * no-data stays so. Error ProcessParameterInvalid naming the parameter for other values. */
struct replacement {
  const struct value *value;
  const char *parameter;
  bool untouched;
};
int cover_replace(struct call *call, const struct node *data, const struct coverage *kept,
                  const struct replacement *replacement, const struct node **out);
/* The part of the node's plane. */
int cover_crop(struct call *call, const struct node *data, const struct pixel_box *box, const struct node **out);
/* The part of the plane that the box of the geometries holds, with no-data where they cover nothing. */
int cover_filter(struct call *call, const struct node *data, const struct coverage *coverage, const struct node **out);

#endif
