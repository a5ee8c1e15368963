/* vector_to_random_points: uniform points of polygons, lines and points.
 *
 * The length of a polygon's cut at height y is linear in y between its vertices. So a sweep from the south gives the
 * area below each vertex; a uniform number picks the strip, and the height in it, by area; another one the place along
 * the cut. Each geometry has a stream of random numbers of its own. */
#include "processes/vector/point_sample.h"
#include "processes/vector/scanlines.h"

#include "physics/random/philox.h"

#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

struct draw {
  struct point_sample sample;
  const struct geometry_set *sound; /* the geometries, repaired */
  struct philox_stream stream;      /* of the geometry at work */
  uint64_t drawn;                   /* numbers of it */
};

static double uniform(struct draw *d)
{
  return philox_uniform(d->stream, d->drawn++);
}

/* Index of the piece that holds the part u of the total: sums[i] is the sum of the pieces 0 … i. */
static size_t piece_of(const double *sums, size_t count, double u)
{
  size_t low = 0, high = count - 1;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (sums[middle] <= u * sums[count - 1])
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* ---- polygons ---------------------------------------------------------------------------------------------------- */

struct strip {      /* between two heights of vertices */
  double y0, y1;    /* CRS units */
  double low, high; /* length of the cut at y0 and y1 */
};

struct vertex { /* where an edge begins or ends */
  double y;
  const struct polygon_edge *edge;
  int sign; /* 1 begins, -1 ends */
};

static int by_height(const void *a, const void *b)
{
  double x = ((const struct vertex *)a)->y, y = ((const struct vertex *)b)->y;
  return (x > y) - (x < y);
}

static struct vertex *sorted_vertices(struct arena *arena, const struct polygon_edges *edges)
{
  struct vertex *vertices = ARENA_ARRAY(arena, struct vertex, 2 * edges->count);
  for (size_t i = 0; vertices && i < edges->count; i++) {
    vertices[2 * i] = (struct vertex){edges->edges[i].y0, &edges->edges[i], 1};
    vertices[2 * i + 1] = (struct vertex){edges->edges[i].y1, &edges->edges[i], -1};
  }
  if (vertices)
    qsort(vertices, 2 * edges->count, sizeof *vertices, by_height);
  return vertices;
}

/* Strips from the south, and the areas up to the upper end of each. A cut at y is at + slope * (y - base) long. */
static size_t sweep(const struct vertex *vertices, size_t count, struct strip *strips, double *areas)
{
  double west = vertices[0].edge->x0, base = vertices[0].y, at = 0, slope = 0, area = 0;
  size_t made = 0;
  for (size_t i = 0; i + 1 < count; i++) {
    const struct polygon_edge *e = vertices[i].edge;
    double lean = (e->x1 - e->x0) / (e->y1 - e->y0) * e->side * vertices[i].sign;
    slope += lean;
    at += (e->x0 - west) * e->side * vertices[i].sign - lean * (e->y0 - base);
    if (vertices[i + 1].y == vertices[i].y)
      continue;
    struct strip s = {.y0 = vertices[i].y, .y1 = vertices[i + 1].y};
    s.low = fmax(0, at + slope * (s.y0 - base));
    s.high = fmax(0, at + slope * (s.y1 - base));
    area += (s.low + s.high) / 2 * (s.y1 - s.y0);
    strips[made] = s;
    areas[made++] = area;
  }
  return made;
}

/* Height in the strip below which the part u of its area lies. */
static double height_in(const struct strip *s, double u)
{
  double root = sqrt(s->low * s->low + u * (s->high * s->high - s->low * s->low));
  double part = s->low + root > 0 ? u * (s->low + s->high) / (s->low + root) : u;
  return s->y0 + fmin(part, 1) * (s->y1 - s->y0);
}

/* The place along the cut at y that the part u of its length lies west of; false where nothing is cut. */
static bool place_along(const struct polygon_edges *edges, double y, double u, double *x)
{
  size_t crossings = polygon_crossings(edges, y);
  double total = 0;
  for (size_t k = 0; k + 1 < crossings; k += 2)
    total += edges->x[k + 1] - edges->x[k];
  double left = u * total;
  for (size_t k = 0; k + 1 < crossings; k += 2) {
    double width = edges->x[k + 1] - edges->x[k];
    *x = edges->x[k] + left;
    if (left < width)
      return true;
    left -= width;
  }
  return false;
}

static int draw_from_area(struct draw *d, const struct geometry *geometry, size_t wanted)
{
  enum { TRIES = 64 };
  struct arena *arena = d->sample.call->arena;
  struct polygon_edges edges;
  if (polygon_edges_of(arena, geometry, 0, geometry->part_count, &edges) != 0)
    return error_memory(d->sample.call->error);
  if (edges.count == 0)
    return point_sample_add_first(&d->sample, geometry);
  struct vertex *vertices = sorted_vertices(arena, &edges);
  struct strip *strips = ARENA_ARRAY(arena, struct strip, 2 * edges.count);
  double *areas = ARENA_ARRAY(arena, double, 2 * edges.count), x = 0, y = 0;
  if (!vertices || !strips || !areas)
    return error_memory(d->sample.call->error);
  size_t count = sweep(vertices, 2 * edges.count, strips, areas);
  if (count == 0 || !(areas[count - 1] > 0))
    return point_sample_add_first(&d->sample, geometry);
  for (size_t n = 0; n < wanted; n++) {
    bool found = false;
    for (int tries = 0; !found && tries < TRIES; tries++) {
      size_t k = piece_of(areas, count, uniform(d));
      y = height_in(&strips[k], uniform(d));
      found = place_along(&edges, y, uniform(d), &x);
    }
    if (point_sample_pay(&d->sample, edges.count + 64) != 0 ||
        (found ? point_sample_add(&d->sample, x, y) : point_sample_add_first(&d->sample, geometry)) != 0)
      return -1;
  }
  return 0;
}

/* ---- lines and points -------------------------------------------------------------------------------------------- */

static int draw_from_lines(struct draw *d, const struct geometry *geometry, size_t wanted)
{
  size_t most = 0, count = 0;
  for (size_t p = 0; p < geometry->part_count; p++)
    most += geometry->parts[p].count;
  double *lengths = ARENA_ARRAY(d->sample.call->arena, double, most), total = 0;
  struct polygon_edge *edges = ARENA_ARRAY(d->sample.call->arena, struct polygon_edge, most);
  if (!lengths || !edges)
    return error_memory(d->sample.call->error);
  for (size_t p = 0; p < geometry->part_count; p++) {
    const struct geometry_part *line = &geometry->parts[p];
    for (size_t i = 0; line->kind == PART_LINE && i + 1 < line->count; i++) {
      edges[count] = (struct polygon_edge){line->x[i], line->y[i], line->x[i + 1], line->y[i + 1], 0};
      lengths[count++] = total += hypot(line->x[i + 1] - line->x[i], line->y[i + 1] - line->y[i]);
    }
  }
  if (!(total > 0))
    return point_sample_add_first(&d->sample, geometry);
  for (size_t n = 0; n < wanted; n++) {
    const struct polygon_edge *e = &edges[piece_of(lengths, count, uniform(d))];
    double u = uniform(d);
    if (point_sample_pay(&d->sample, 64) != 0 ||
        point_sample_add(&d->sample, e->x0 + u * (e->x1 - e->x0), e->y0 + u * (e->y1 - e->y0)) != 0)
      return -1;
  }
  return 0;
}

/* Each subset of that size is as likely as any other: point by point, with what is wanted of what is left. */
static int draw_from_points(struct draw *d, const struct geometry *geometry, size_t wanted)
{
  size_t left = geometry->part_count;
  for (size_t p = 0; p < geometry->part_count && wanted > 0; p++, left--) {
    if (wanted < left && uniform(d) * (double)left >= (double)wanted)
      continue;
    if (point_sample_add(&d->sample, geometry->parts[p].x[0], geometry->parts[p].y[0]) != 0)
      return -1;
    wanted--;
  }
  return point_sample_pay(&d->sample, geometry->part_count);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* From the parts of the highest dimension that the geometry has. */
static int draw_from(struct draw *d, size_t i, size_t wanted)
{
  const struct geometry *geometry = &d->sound->items[i];
  enum geometry_part_kind highest = PART_POINT;
  for (size_t p = 0; p < geometry->part_count; p++)
    highest = geometry->parts[p].kind > highest ? geometry->parts[p].kind : highest;
  d->stream.stream = i;
  d->drawn = 0;
  if (geometry->part_count == 0)
    return 0;
  if (highest == PART_RING)
    return draw_from_area(d, geometry, wanted);
  return highest == PART_LINE ? draw_from_lines(d, geometry, wanted) : draw_from_points(d, geometry, wanted);
}

static int read_counts(struct call *call, size_t geometries, int64_t *each, int64_t *total)
{
  *each = call_has(call, "total_count") ? INT64_MAX : 1;
  *total = INT64_MAX;
  if (call_has(call, "geometry_count") && call_integer(call, "geometry_count", 1, INT64_MAX / 2, each) != 0)
    return -1;
  if (call_has(call, "total_count") && call_integer(call, "total_count", 1, INT64_MAX / 2, total) != 0)
    return -1;
  if (*total != INT64_MAX && (uint64_t)*total < geometries)
    return error_parameter(call->error, ERROR_CountMismatch, "total_count",
                           "%lld points in all are fewer than the %zu geometries", (long long)*total, geometries);
  return 0;
}

static int read_seed(struct call *call, uint64_t *out)
{
  int64_t seed;
  if (!call_has(call, "seed"))
    return getrandom(out, sizeof *out, 0) == (ssize_t)sizeof *out
               ? 0
               : error_set(call->error, ERROR_Internal, "there are no random numbers for a seed");
  if (call_integer(call, "seed", INT64_MIN / 2, INT64_MAX / 2, &seed) != 0)
    return -1;
  *out = (uint64_t)seed;
  return 0;
}

static int vector_to_random_points_call(struct call *call, struct value *result)
{
  const struct geometry_work work = vector_cube_work(call);
  struct draw d = {0};
  int64_t each, total;
  if (point_sample_begin(call, &d.sample) != 0 || read_counts(call, d.sample.cube.set->count, &each, &total) != 0 ||
      read_seed(call, &d.stream.seed) != 0)
    return -1;
  if (geometry_repair(&work, d.sample.cube.set, &d.sound, call->error) != 0)
    return error_at_parameter(call->error, "data");
  for (size_t i = 0; i < d.sound->count; i++) {
    int64_t count = (int64_t)d.sound->count, share = total / count + ((int64_t)i < total % count);
    if (draw_from(&d, i, (size_t)(total == INT64_MAX || share > each ? each : share)) != 0)
      return -1;
    d.sample.end[i] = d.sample.count;
  }
  return point_sample_finish(&d.sample, result);
}

const struct process process_vector_to_random_points = {
    .id = "vector_to_random_points", .shape = PROCESS_CUBE, .call = vector_to_random_points_call};
