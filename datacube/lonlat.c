/* Boxes on the circle of longitudes. */
#include "datacube/lonlat.h"

#include <math.h>

static const double turn = 360, slack = 1e-9; /* degrees */

struct extent lonlat_globe(void)
{
  return (struct extent){-180, -90, 180, 90, NULL};
}

struct extent lonlat_normal(const struct extent *box)
{
  struct extent out = *box;
  if (!isfinite(box->west + box->south + box->east + box->north))
    return lonlat_globe();
  double width = box->east - box->west;
  out.west -= turn * floor((box->west + 180) / turn);
  out.east = out.west + width;
  if (width >= turn - slack) {
    out.west = -180;
    out.east = 180;
  }
  out.south = fmax(out.south, -90);
  out.north = fmin(out.north, 90);
  out.crs = NULL;
  return out;
}

/* Longitudes along the edges, counted from 0: a box across the antimeridian is narrow so. */
static bool across(struct transform *transform, const struct extent *e, struct extent *out)
{
  enum { SIDE = 33 };
  double x[4 * SIDE], y[4 * SIDE];
  for (size_t i = 0; i < SIDE; i++) {
    double step = (double)i / (SIDE - 1);
    x[i] = x[SIDE + i] = e->west + step * (e->east - e->west);
    y[i] = e->south;
    y[SIDE + i] = e->north;
    x[2 * SIDE + i] = e->west;
    x[3 * SIDE + i] = e->east;
    y[2 * SIDE + i] = y[3 * SIDE + i] = e->south + step * (e->north - e->south);
  }
  transform_points(transform, 4 * SIDE, x, y);
  out->west = INFINITY;
  out->east = -INFINITY;
  for (size_t i = 0; i < 4 * SIDE; i++) {
    double longitude = x[i] - turn * floor(x[i] / turn);
    if (!isfinite(longitude))
      return false;
    out->west = fmin(out->west, longitude);
    out->east = fmax(out->east, longitude);
  }
  return out->east - out->west < turn / 2;
}

bool lonlat_image(struct transform *transform, const struct extent *extent, struct extent *out)
{
  struct extent image;
  struct error ignored = {{0}, {0}, {0}, {0}};
  *out = lonlat_globe();
  if (transform_extent(transform, extent, &image, &ignored) != 0 ||
      !isfinite(image.west + image.east + image.south + image.north))
    return false;
  bool round = image.east - image.west >= turn - slack;
  bool at_pole = image.south <= -90 || image.north >= 90;
  struct extent narrow = image;
  if (round && !at_pole && !transform_is_identity(transform) && across(transform, extent, &narrow))
    image = narrow;
  *out = lonlat_normal(&image);
  return true;
}

struct extent lonlat_union(const struct extent *a, const struct extent *b)
{
  struct extent best = {-INFINITY, fmin(a->south, b->south), INFINITY, fmax(a->north, b->north), NULL};
  for (int k = -1; k <= 1; k++) {
    double west = fmin(a->west, b->west + k * turn), east = fmax(a->east, b->east + k * turn);
    if (east - west < best.east - best.west) {
      best.west = west;
      best.east = east;
    }
  }
  return lonlat_normal(&best);
}

void lonlat_edges(const struct extent *box, double edges[4])
{
  edges[0] = box->west;
  edges[1] = box->south;
  edges[2] = box->east > 180 ? box->east - turn : box->east;
  edges[3] = box->north;
}

static void write_ring(struct json_writer *writer, double west, double south, double east, double north)
{
  const double ring[5][2] = {{west, south}, {east, south}, {east, north}, {west, north}, {west, south}};
  json_write_array(writer);
  json_write_array(writer);
  for (size_t i = 0; i < 5; i++) {
    json_write_array(writer);
    json_write_number(writer, ring[i][0]);
    json_write_number(writer, ring[i][1]);
    json_end_array(writer);
  }
  json_end_array(writer);
  json_end_array(writer);
}

void lonlat_write_geometry(const struct extent *box, struct json_writer *writer)
{
  bool is_split = box->east > 180;
  json_key(writer, "geometry");
  json_write_object(writer);
  json_kv_string(writer, "type", is_split ? "MultiPolygon" : "Polygon");
  json_key(writer, "coordinates");
  if (is_split) {
    json_write_array(writer);
    write_ring(writer, box->west, box->south, 180, box->north);
    write_ring(writer, -180, box->south, box->east - turn, box->north);
    json_end_array(writer);
  } else
    write_ring(writer, box->west, box->south, box->east, box->north);
  json_end_object(writer);
}
