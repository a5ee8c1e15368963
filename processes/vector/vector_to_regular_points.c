/* vector_to_regular_points: the centres of the cells of a grid in each polygon, equal steps along each line. */
#include "processes/vector/point_sample.h"
#include "processes/vector/scanlines.h"

#include <math.h>

static const double most_cells = 1e9; /* along an edge of a polygon's bounds */

/* The bounds of the rings first … last - 1: upper left corner and size. */
static struct extent bounds_of(const struct geometry *geometry, size_t first, size_t last)
{
  const struct geometry rings = {.part_count = last - first, .parts = &geometry->parts[first]};
  struct extent bounds;
  geometry_bounds(&rings, &bounds);
  return bounds;
}

/* Centres of a row that lie between the crossings. */
static int add_row(struct point_sample *s, const struct polygon_edges *edges, double west, double y, double step)
{
  size_t crossings = polygon_crossings(edges, y);
  for (size_t k = 0; k + 1 < crossings; k += 2)
    for (double column = ceil((edges->x[k] - west) / step - 0.5);; column++) {
      double x = west + (column + 0.5) * step;
      if (x >= edges->x[k + 1])
        break;
      if (x >= edges->x[k] && point_sample_add(s, x, y) != 0)
        return -1;
    }
  return point_sample_pay(s, edges->count + 1);
}

static int add_polygon(struct point_sample *s, const struct geometry *geometry, size_t first, size_t last, double step)
{
  struct extent bounds = bounds_of(geometry, first, last);
  struct polygon_edges edges;
  double rows = ceil((bounds.north - bounds.south) / step), columns = ceil((bounds.east - bounds.west) / step);
  if (!(rows <= most_cells && columns <= most_cells))
    return error_parameter(s->call->error, ERROR_ProcessGraphComplexity, "distance",
                           "a polygon of %g by %g metres has too many cells of %g metres", bounds.east - bounds.west,
                           bounds.north - bounds.south, step);
  if (polygon_edges_of(s->call->arena, geometry, first, last, &edges) != 0)
    return error_memory(s->call->error);
  for (double row = 0; row < rows; row++)
    if (add_row(s, &edges, bounds.west, bounds.north - (row + 0.5) * step, step) != 0)
      return -1;
  return 0;
}

static int add_line(struct point_sample *s, const struct geometry_part *line, double step)
{
  double left = 0; /* to go until the next point, from the beginning of the edge */
  for (size_t i = 0; i + 1 < line->count; i++) {
    double dx = line->x[i + 1] - line->x[i], dy = line->y[i + 1] - line->y[i], length = hypot(dx, dy);
    for (; left <= length && (length > 0 || i == 0); left += step) {
      double part = length > 0 ? left / length : 0;
      if (point_sample_add(s, line->x[i] + part * dx, line->y[i] + part * dy) != 0)
        return -1;
    }
    left -= length;
  }
  return point_sample_pay(s, line->count);
}

static int add_geometry(struct point_sample *s, const struct geometry *geometry, double step)
{
  size_t before = s->count;
  for (size_t p = 0; p < geometry->part_count;) {
    const struct geometry_part *part = &geometry->parts[p];
    size_t next = p + 1;
    while (part->kind == PART_RING && next < geometry->part_count && geometry->parts[next].kind == PART_RING &&
           geometry->parts[next].polygon == part->polygon)
      next++;
    int status = part->kind == PART_RING   ? add_polygon(s, geometry, p, next, step)
                 : part->kind == PART_LINE ? add_line(s, part, step)
                                           : point_sample_add(s, part->x[0], part->y[0]);
    if (status != 0)
      return -1;
    p = next;
  }
  return s->count == before && geometry->part_count > 0 ? point_sample_add_first(s, geometry) : 0;
}

static int vector_to_regular_points_call(struct call *call, struct value *result)
{
  struct point_sample sample;
  double step;
  if (point_sample_begin(call, &sample) != 0 || call_number(call, "distance", &step) != 0)
    return -1;
  if (!(step > 0) || !isfinite(step))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "distance",
                           "the distance is %g; expected a finite number of metres above 0", step);
  if (vector_cube_in_metres(call, &sample.cube) != 0)
    return -1;
  for (size_t i = 0; i < sample.cube.set->count; i++) {
    if (add_geometry(&sample, &sample.cube.set->items[i], step) != 0)
      return -1;
    sample.end[i] = sample.count;
  }
  return point_sample_finish(&sample, result);
}

const struct process process_vector_to_regular_points = {
    .id = "vector_to_regular_points", .shape = PROCESS_CUBE, .call = vector_to_regular_points_call};
