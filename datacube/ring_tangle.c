/* Edges are swept along the axis on which they are shorter: each is compared with those that begin before it ends. */
#include "datacube/ring_tangle.h"

#include <math.h>
#include <stdlib.h>

enum { PAIRS_MOST = 200000000 };                   /* that are looked at: a second */
enum { NESTED_MOST = 20000, NESTED_OF_EACH = 16 }; /* pairs of rings: 200 in each other, or on average so many */

struct ring_edge { /* from a to b; u is the axis of the sweep */
  double au, av, bu, bv;
  size_t ring, place; /* of the edge in its ring */
};

struct edge_list {
  struct ring_edge *edges; /* owned */
  size_t count, ring_count;
  size_t *lengths; /* edges of each ring, owned */
};

static bool is_ring(OGRGeometryH geometry)
{
  return OGR_G_GetGeometryCount(geometry) == 0 && OGR_G_GetPointCount(geometry) > 1;
}

/* Points and rings below a geometry: what the lists need at most. */
static void measure(OGRGeometryH geometry, size_t *points, size_t *rings)
{
  const int count = OGR_G_GetGeometryCount(geometry);
  for (int i = 0; i < count; i++)
    measure(OGR_G_GetGeometryRef(geometry, i), points, rings);
  if (is_ring(geometry)) {
    *points += (size_t)OGR_G_GetPointCount(geometry);
    ++*rings;
  }
}

static void add_ring(struct edge_list *list, OGRGeometryH ring)
{
  const int points = OGR_G_GetPointCount(ring);
  size_t place = 0;
  for (int i = 0; i + 1 < points; i++) {
    const struct ring_edge edge = {OGR_G_GetX(ring, i),     OGR_G_GetY(ring, i), OGR_G_GetX(ring, i + 1),
                                   OGR_G_GetY(ring, i + 1), list->ring_count,    place};
    if (edge.au == edge.bu && edge.av == edge.bv)
      continue;
    list->edges[list->count++] = edge;
    place++;
  }
  list->lengths[list->ring_count++] = place;
}

static void add_rings(struct edge_list *list, OGRGeometryH geometry)
{
  for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++)
    add_rings(list, OGR_G_GetGeometryRef(geometry, i));
  if (is_ring(geometry))
    add_ring(list, geometry);
}

/* Along x, or y where edges are shorter there, as a part of the whole. */
static void choose_axis(struct edge_list *list, OGRGeometryH geometry)
{
  OGREnvelope all;
  double along_x = 0, along_y = 0;
  OGR_G_GetEnvelope(geometry, &all);
  for (size_t i = 0; i < list->count; i++) {
    along_x += fabs(list->edges[i].bu - list->edges[i].au);
    along_y += fabs(list->edges[i].bv - list->edges[i].av);
  }
  if (along_x * (all.MaxY - all.MinY) <= along_y * (all.MaxX - all.MinX))
    return;
  for (size_t i = 0; i < list->count; i++) {
    struct ring_edge *e = &list->edges[i];
    *e = (struct ring_edge){e->av, e->au, e->bv, e->bu, e->ring, e->place};
  }
}

static int by_begin(const void *a, const void *b)
{
  const struct ring_edge *one = a, *other = b;
  const double begin = fmin(one->au, one->bu), other_begin = fmin(other->au, other->bu);
  return (begin > other_begin) - (begin < other_begin);
}

/* On which side of an edge a point lies: positive, negative, 0 on its line. */
static double side(const struct ring_edge *e, double u, double v)
{
  return (e->bu - e->au) * (v - e->av) - (e->bv - e->av) * (u - e->au);
}

static bool follow_each_other(const struct edge_list *list, const struct ring_edge *a, const struct ring_edge *b)
{
  const size_t apart = a->place > b->place ? a->place - b->place : b->place - a->place;
  return a->ring == b->ring && (apart == 1 || apart + 1 == list->lengths[a->ring]);
}

/* Of two whose extents along the sweep meet: whether they do, which is counted. */
static bool meet(const struct ring_edge *a, const struct ring_edge *b, struct ring_meetings *counts)
{
  if (fmax(a->av, a->bv) < fmin(b->av, b->bv) || fmax(b->av, b->bv) < fmin(a->av, a->bv))
    return false;
  const double of_a[] = {side(a, b->au, b->av), side(a, b->bu, b->bv)};
  const double of_b[] = {side(b, a->au, a->av), side(b, a->bu, a->bv)};
  if ((of_a[0] > 0 && of_a[1] > 0) || (of_a[0] < 0 && of_a[1] < 0) || (of_b[0] > 0 && of_b[1] > 0) ||
      (of_b[0] < 0 && of_b[1] < 0))
    return false;
  const bool is_touch = of_a[0] == 0 || of_a[1] == 0 || of_b[0] == 0 || of_b[1] == 0;
  ++*(is_touch ? &counts->touches : &counts->crossings);
  return true;
}

static bool meet_more_often(struct edge_list *list, const struct ring_meetings *most)
{
  size_t pairs = 0;
  struct ring_meetings counts = {0};
  qsort(list->edges, list->count, sizeof *list->edges, by_begin);
  for (size_t i = 0; i < list->count; i++) {
    const struct ring_edge *a = &list->edges[i];
    const double end = fmax(a->au, a->bu);
    for (size_t j = i + 1; j < list->count && fmin(list->edges[j].au, list->edges[j].bu) <= end; j++) {
      const struct ring_edge *b = &list->edges[j];
      if (++pairs > PAIRS_MOST)
        return true;
      if (!follow_each_other(list, a, b) && meet(a, b, &counts) &&
          (counts.crossings > most->crossings || counts.touches > most->touches))
        return true;
    }
  }
  return false;
}

bool rings_are_tangled(OGRGeometryH geometry, const struct ring_meetings *most)
{
  size_t points = 0, rings = 0;
  measure(geometry, &points, &rings);
  struct edge_list list = {.edges = calloc(points + 1, sizeof *list.edges),
                           .lengths = calloc(rings + 1, sizeof *list.lengths)};
  bool tangled = true;
  if (list.edges && list.lengths) {
    add_rings(&list, geometry);
    choose_axis(&list, geometry);
    tangled = meet_more_often(&list, most);
  }
  free(list.edges);
  free(list.lengths);
  return tangled;
}

/* ---- rings in rings ---------------------------------------------------------------------------------------------- */

static void add_bounds(OGRGeometryH geometry, OGREnvelope *bounds, size_t *count)
{
  for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++)
    add_bounds(OGR_G_GetGeometryRef(geometry, i), bounds, count);
  if (is_ring(geometry))
    OGR_G_GetEnvelope(geometry, &bounds[(*count)++]);
}

/* A ring comes before those in it. */
static int by_west(const void *a, const void *b)
{
  const OGREnvelope *one = a, *other = b;
  if (one->MinX != other->MinX)
    return one->MinX < other->MinX ? -1 : 1;
  return (one->MaxX < other->MaxX) - (one->MaxX > other->MaxX);
}

static bool nest_more_often(OGREnvelope *bounds, size_t count)
{
  size_t pairs = 0, nested = 0;
  qsort(bounds, count, sizeof *bounds, by_west);
  for (size_t i = 0; i < count; i++)
    for (size_t j = i + 1; j < count && bounds[j].MinX <= bounds[i].MaxX; j++) {
      const bool is_inside =
          bounds[j].MaxX <= bounds[i].MaxX && bounds[j].MinY >= bounds[i].MinY && bounds[j].MaxY <= bounds[i].MaxY;
      nested += is_inside;
      if (++pairs > PAIRS_MOST || nested > NESTED_MOST + NESTED_OF_EACH * count)
        return true;
    }
  return false;
}

bool rings_are_deep(OGRGeometryH geometry)
{
  size_t points = 0, rings = 0, count = 0;
  measure(geometry, &points, &rings);
  OGREnvelope *bounds = calloc(rings + 1, sizeof *bounds);
  if (!bounds)
    return true;
  add_bounds(geometry, bounds, &count);
  const bool is_deep = nest_more_often(bounds, count);
  free(bounds);
  return is_deep;
}
