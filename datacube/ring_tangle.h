/* How often polygons cross and touch themselves: repairing them takes a time that grows with the square of it and more
 * (a star of 300 points takes minutes), in a library that nobody can interrupt. */
#ifndef TWINCUBE_DATACUBE_RING_TANGLE_H
#define TWINCUBE_DATACUBE_RING_TANGLE_H

#include <ogr_api.h>
#include <stdbool.h>
#include <stddef.h>

struct ring_meetings { /* of two edges, beside where one begins as another one ends */
  size_t crossings;
  size_t touches; /* of a corner and another edge, once for each pair of edges */
};

/* Whether edges of the geometry's rings meet more often than that. Also true where finding out takes too long, and when
 * out of memory. */
bool rings_are_tangled(OGRGeometryH geometry, const struct ring_meetings *most);

/* Whether the geometry's rings lie in each other so deep that telling whether it is valid takes long, though none of
 * them meet: hundreds one in the other, by their bounds. Islands and lakes do not. */
bool rings_are_deep(OGRGeometryH geometry);

#endif
