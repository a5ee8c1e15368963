/* How often polygons cross and touch themselves: repairing them takes a time that grows with the square of it and more
 * (a star of 300 points takes minutes), which a process that answers many cannot spend on one. */
#ifndef TWINCUBE_DATACUBE_RING_TANGLE_H
#define TWINCUBE_DATACUBE_RING_TANGLE_H

#include <ogr_api.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether edges of the geometry's rings meet more often than that, beside where one begins as another one ends. A
 * crossing counts once, a corner in the middle of another edge or on another corner once for each pair of edges. Also
 * true where finding out takes too long, and when out of memory. */
bool rings_are_tangled(OGRGeometryH geometry, size_t most);

#endif
