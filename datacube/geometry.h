/* Geometry sets: points, lines and polygons as plain coordinates, and the pixels that they cover. Immutable, in their
 * arena. What a geometry library does better is in geometry_operations.h.
 *
 * A geometry is a list of parts. Rings with the same `polygon` number are one polygon: a point lies inside where a ray
 * crosses its rings an odd number of times, so holes need no direction. What several parts of a geometry cover counts
 * once.
 *
 * Coverage (openEO's aggregate_spatial, with ties decided):
 *   polygon  the pixels whose centre lies inside. A centre on a boundary belongs to what lies east of it, on a
 *            horizontal one to what lies south: polygons that share an edge share no pixel and lose none.
 *   line     the pixels that it touches, each once. A point on a pixel's edge belongs to the pixel east and south.
 *   point    the pixel that holds it, in the same manner.
 * Outside the grid there is nothing. Where labels lie at unequal distances a pixel ends half way to the next label; the
 * outer ones reach as far outwards as inwards. */
#ifndef TWINCUBE_DATACUBE_GEOMETRY_H
#define TWINCUBE_DATACUBE_GEOMETRY_H

#include "datacube/cells.h"
#include "datacube/dimension.h"
#include "datacube/grid.h"

enum geometry_type {
  GEOMETRY_NONE,
  GEOMETRY_POINT,
  GEOMETRY_MULTIPOINT,
  GEOMETRY_LINE,
  GEOMETRY_MULTILINE,
  GEOMETRY_POLYGON,
  GEOMETRY_MULTIPOLYGON,
  GEOMETRY_COLLECTION
};

enum geometry_part_kind { PART_POINT, PART_LINE, PART_RING };

struct geometry_part {
  enum geometry_part_kind kind;
  size_t polygon;      /* RING: number of its polygon; rings of a polygon follow each other, the outer one first */
  size_t count;        /* positions: POINT 1, LINE 2 or more, RING 3 or more with or without the first again */
  const double *x, *y; /* in the set's CRS, finite, x east */
};

struct geometry {
  enum geometry_type type; /* NONE: empty; it has no parts */
  size_t part_count;
  const struct geometry_part *parts;
  const char *id;         /* of the GeoJSON feature, or NULL */
  bool id_is_number;      /* it was written as a number there */
  const char *properties; /* JSON text of an object, or NULL */
};

struct geometry_set {
  size_t count;
  const struct geometry *items;
  const char *crs; /* canonical, never NULL */
};

struct pixel_plane { /* whose pixels are asked for */
  struct grid grid;  /* along an axis of unequal cells: edge 0 and resolution 1, so that its cells lie at x and at -y */
  struct cell_axis rows, columns; /* from the north, from the west; as many as the grid has */
};

struct zone_span {    /* a run of pixels that belongs to a geometry */
  uint32_t zone;      /* index of the geometry */
  size_t row;         /* of the grid, from the north */
  size_t first, last; /* columns first … last - 1, from the west */
};

/* The set in another CRS. Edges are straight lines in the set's CRS: points are put between their ends until the image
 * is within `tolerance` (units of crs) of what they stand for; an edge gets the same points in both directions. The set
 * itself where the CRS is its own. Error CRSInvalid, naming the geometry, where a point has no image. */
int geometry_transform(const struct geometry_set *set, const char *crs, double tolerance, struct arena *arena,
                       const struct geometry_set **out, struct error *error);

/* The pixels of every geometry: sorted by row, then zone, then first; runs of a zone neither overlap nor touch. The set
 * has the plane's CRS. Time and memory are linear in edges, crossed rows and runs (runs of lines
 * and of several parts are sorted besides). */
int geometry_spans(const struct geometry_set *set, const struct pixel_plane *plane, struct arena *arena,
                   const struct zone_span **out, size_t *count, struct error *error);

/* Twice the area of a ring, positive where it runs counterclockwise. */
double geometry_ring_turn(const struct geometry_part *ring);
/* Well-known text, "POLYGON ((…))", "POINT EMPTY"; members of a collection come one by one. NULL: out of memory. */
const char *geometry_wkt(struct arena *arena, const struct geometry *geometry);
/* The same shape, however its rings and parts are ordered. */
bool geometry_equal(const struct geometry *a, const struct geometry *b);

/* A dimension of geometries. Its labels print as the features' ids where all have one and no two the same, else as
 * well-known text. */
int geometry_dimension(struct arena *arena, const char *name, const struct geometry_set *set, struct dimension *out,
                       struct error *error);
/* The geometries at the given indexes; NULL when out of memory. */
const struct geometry_set *geometry_pick(struct arena *arena, const struct geometry_set *set, const size_t *indexes,
                                         size_t count);

#endif
