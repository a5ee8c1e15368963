/* Polygons cut by horizontal lines: where a line enters and leaves them. */
#ifndef TWINCUBE_PROCESSES_VECTOR_SCANLINES_H
#define TWINCUBE_PROCESSES_VECTOR_SCANLINES_H

#include "datacube/geometry.h"

struct polygon_edge {
  double x0, y0, x1, y1; /* y0 < y1 */
  int side;              /* 1: the polygon lies west of it, -1: east (of simple rings) */
};

struct polygon_edges {
  struct polygon_edge *edges; /* none is horizontal */
  size_t count;
  double *x; /* room for the crossings of a line */
};

/* The edges of the parts first … last - 1 that are rings. -1 when out of memory. */
int polygon_edges_of(struct arena *arena, const struct geometry *geometry, size_t first, size_t last,
                     struct polygon_edges *out);
/* Where the line at y meets the edges, ascending, in edges->x: inside from an even one to the next. Returns how many. A
 * vertex belongs to the edge above it. */
size_t polygon_crossings(const struct polygon_edges *edges, double y);

#endif
