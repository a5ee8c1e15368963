/* What processes do with geometries as shapes: buffers, relations, repair. Planar, in the units of the set's CRS.
 * Geometries that cross themselves are repaired first. Errors name the geometry by its index. */
#ifndef TWINCUBE_DATACUBE_GEOMETRY_OPERATIONS_H
#define TWINCUBE_DATACUBE_GEOMETRY_OPERATIONS_H

#include "datacube/base/error.h"
#include "datacube/geometry.h"

enum geometry_relation {
  RELATION_INTERSECTS,
  RELATION_DISJOINT,
  RELATION_EQUALS,
  RELATION_TOUCHES,
  RELATION_CROSSES,
  RELATION_OVERLAPS,
  RELATION_CONTAINS,
  RELATION_WITHIN,
  RELATION_COUNT
};

struct geometry_work {
  struct arena *arena;        /* of what comes out */
  const volatile int *cancel; /* becomes nonzero: ends with RequestTimeout; or NULL */
};

/* All points within the distance, as polygons; negative: polygons without what lies within it of their edge. Quarters
 * of circles have 16 segments. Ids and properties stay. */
int geometry_buffer(const struct geometry_work *work, const struct geometry_set *set, double distance,
                    const struct geometry_set **out, struct error *error);

/* holds[i]: whether geometry i stands in the relation to the union of the base, which has the set's CRS. Empty
 * geometries stand in none. */
int geometry_relate(const struct geometry_work *work, const struct geometry_set *set, const struct geometry_set *base,
                    enum geometry_relation relation, bool *holds, struct error *error);

/* The union of a set, prepared for questions about one geometry after the other, soon: what crosses itself too often is
 * refused, of the base as error ProcessGraphComplexity. Other errors as above. */
struct geometry_base;
int geometry_base_new(const struct geometry_set *set, struct geometry_base **out, struct error *error);
void geometry_base_free(struct geometry_base *base); /* NULL is allowed */
int geometry_base_stands(const struct geometry_base *base, const struct geometry *geometry,
                         enum geometry_relation relation, bool *holds, struct error *error);

/* The set with repaired polygons; what has none is as it was. */
int geometry_repair(const struct geometry_work *work, const struct geometry_set *set, const struct geometry_set **out,
                    struct error *error);

/* Well-known text that is the same for all ways to write the geometry: whichever point a ring begins with, in whichever
 * direction it runs, in whichever order parts come. NULL when out of memory. */
const char *geometry_normal_wkt(struct arena *arena, const struct geometry *geometry);

/* Bounds of all parts; false where there is none. */
bool geometry_bounds(const struct geometry *geometry, struct extent *out);
/* Bounds of all geometries in the CRS; false where there is none, or a point has no image. */
bool geometry_set_bounds(const struct geometry_set *set, const char *crs, struct extent *out);

#endif
