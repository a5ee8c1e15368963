/* Points, lines and polygons together as one set of points, and how two such sets stand to each other (OGC simple
 * features, DE-9IM). For datacube's own files only.
 *
 * Of what lies in several members, polygons decide before lines and lines before points: a line within a polygon adds
 * nothing, one along its edge is edge. The boundary of lines is where an odd number of them end. So the closure of the
 * interior is the whole set, and all relations follow from three questions: do the interiors meet, does one set lie in
 * the other, do they meet at all. */
#ifndef TWINCUBE_DATACUBE_GEOMETRY_MIXTURE_H
#define TWINCUBE_DATACUBE_GEOMETRY_MIXTURE_H

#include "datacube/geometry_operations.h"

#include <ogr_api.h>

enum geometry_kind { KIND_POINTS, KIND_LINES, KIND_POLYGONS, KIND_COUNT };

struct mixture {
  OGRGeometryH of[KIND_COUNT];       /* multi geometries; NULL where there is nothing of the kind; owned */
  OGRGeometryH boundary[KIND_COUNT]; /* of polygons lines, of lines points; NULL where there is none; owned */
};

/* Copies the members of a sound geometry; polygons may overlap. 0, or -1 where OGR fails; to be freed either way. */
int mixture_make(OGRGeometryH geometry, struct mixture *out);
/* The boundaries of the kinds, once `of` stands. */
int mixture_add_boundaries(struct mixture *mixture);
void mixture_free(struct mixture *mixture);

/* Whether a stands in the relation to b. OGR's complaints are the caller's to look for. */
bool mixture_relates(const struct mixture *a, const struct mixture *b, enum geometry_relation relation);

/* Adds copies of the geometry's members to the collections of their kinds. */
void geometry_sort_members(OGRGeometryH geometry, OGRGeometryH kinds[KIND_COUNT]);

#endif
