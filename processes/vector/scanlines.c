/* Edges from rings, and their crossings with a line. */
#include "processes/vector/scanlines.h"

#include <stdlib.h>

static void add_ring(struct polygon_edges *out, const struct geometry_part *ring, bool outer)
{
  int turn = (geometry_ring_turn(ring) > 0) == outer ? 1 : -1;
  for (size_t i = 0; i < ring->count; i++) {
    size_t next = (i + 1) % ring->count;
    bool up = ring->y[i] < ring->y[next];
    size_t low = up ? i : next, high = up ? next : i;
    if (ring->y[i] == ring->y[next])
      continue;
    out->edges[out->count++] = (struct polygon_edge){
        .x0 = ring->x[low], .y0 = ring->y[low], .x1 = ring->x[high], .y1 = ring->y[high], .side = up ? turn : -turn};
  }
}

int polygon_edges_of(struct arena *arena, const struct geometry *geometry, size_t first, size_t last,
                     struct polygon_edges *out)
{
  size_t most = 0;
  for (size_t p = first; p < last; p++)
    most += geometry->parts[p].kind == PART_RING ? geometry->parts[p].count : 0;
  *out = (struct polygon_edges){.edges = ARENA_ARRAY(arena, struct polygon_edge, most),
                                .x = ARENA_ARRAY(arena, double, most)};
  if (!out->edges || !out->x)
    return -1;
  for (size_t p = first; p < last; p++) {
    const struct geometry_part *part = &geometry->parts[p];
    bool outer = p == 0 || part[-1].kind != PART_RING || part[-1].polygon != part->polygon;
    if (part->kind == PART_RING)
      add_ring(out, part, outer);
  }
  return 0;
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

size_t polygon_crossings(const struct polygon_edges *edges, double y)
{
  size_t count = 0;
  for (size_t i = 0; i < edges->count; i++) {
    const struct polygon_edge *e = &edges->edges[i];
    if (e->y0 <= y && y < e->y1)
      edges->x[count++] = e->x0 + (y - e->y0) / (e->y1 - e->y0) * (e->x1 - e->x0);
  }
  qsort(edges->x, count, sizeof *edges->x, ascending);
  return count;
}
