/* Transformations between CRSs on PROJ.
 *
 * Each object has its own PROJ context, so different threads never meet; one
 * that was made before is copied (crs_memory.h). Axis order is traditional (x east, y
 * north) on both sides. Points are transformed one by one without approximation, so a point's image does not depend on
 * its neighbours. */
#include "datacube/transform.h"

#include "datacube/crs_memory.h"
#include "datacube/proj_context.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double metres_per_circle = 2 * 3.14159265358979323846 * 6378137; /* the measure of crs_unit_metres */

struct transform {
  PJ_CONTEXT *context;
  PJ *pj; /* NULL: identity */
  bool from_geographic, to_geographic;
  double circle;   /* 360 degrees in units of `to`, 0 where it is not geographic */
  char *from, *to; /* CRS texts, for messages and results */
};

enum {
  EDGE_STEPS = 100,
  INNER_STEPS = 16,
  EDGE_POINTS = 4 * EDGE_STEPS,
  SAMPLE_POINTS = EDGE_POINTS + (INNER_STEPS - 1) * (INNER_STEPS - 1)
};

static const char *crs_or_lonlat(const char *crs)
{
  return crs ? crs : "EPSG:4326";
}

static int make_pj(struct transform *t, struct error *error)
{
  t->context = proj_context_confined();
  if (!t->context)
    return error_memory(error);
  t->pj = crs_transform_recall(t->context, t->from, t->to);
  if (t->pj)
    return 0;
  PJ *raw = proj_create_crs_to_crs(t->context, t->from, t->to, NULL);
  if (!raw)
    return error_set(error, ERROR_CRSInvalid, "There is no transformation from %.80s to %.80s.", t->from, t->to);
  t->pj = proj_normalize_for_visualization(t->context, raw);
  proj_destroy(raw);
  if (!t->pj)
    return error_set(error, ERROR_CRSInvalid, "There is no transformation from %.80s to %.80s.", t->from, t->to);
  crs_transform_keep(t->pj, t->from, t->to);
  return 0;
}

int transform_new(const char *from, const char *to, struct transform **out, struct error *error)
{
  from = crs_or_lonlat(from);
  to = crs_or_lonlat(to);
  struct transform *t = calloc(1, sizeof *t);
  if (!t)
    return error_memory(error);
  t->from = strdup(from);
  t->to = strdup(to);
  if (!t->from || !t->to) {
    transform_free(t);
    return error_memory(error);
  }
  t->from_geographic = crs_is_geographic(from);
  t->to_geographic = crs_is_geographic(to);
  t->circle = t->to_geographic ? rint(1e6 * metres_per_circle / crs_unit_metres(to)) / 1e6 : 0;
  if (!crs_equal(from, to) && make_pj(t, error)) {
    transform_free(t);
    return -1;
  }
  *out = t;
  return 0;
}

void transform_free(struct transform *t)
{
  if (!t)
    return;
  proj_destroy(t->pj);
  if (t->context)
    proj_context_destroy(t->context);
  free(t->from);
  free(t->to);
  free(t);
}

bool transform_is_identity(const struct transform *t)
{
  return !t->pj;
}

double transform_circle(const struct transform *t)
{
  return t->circle;
}

static void apply(struct transform *t, PJ_DIRECTION direction, size_t n, double *x, double *y)
{
  if (t->pj)
    proj_trans_generic(t->pj, direction, x, sizeof *x, n, y, sizeof *y, n, NULL, 0, 0, NULL, 0, 0);
  for (size_t i = 0; i < n; i++)
    if (!isfinite(x[i]) || !isfinite(y[i]))
      x[i] = y[i] = HUGE_VAL;
}

void transform_points(struct transform *t, size_t n, double *x, double *y)
{
  apply(t, PJ_FWD, n, x, y);
}

/* Points round the edge, counter-clockwise and closed upon itself, then a coarse lattice inside. */
static void sample(const struct extent *e, double *x, double *y)
{
  double width = e->east - e->west, height = e->north - e->south;
  for (size_t i = 0; i < EDGE_STEPS; i++) {
    double f = (double)i / EDGE_STEPS;
    double sx[4] = {e->west + f * width, e->east, e->east - f * width, e->west};
    double sy[4] = {e->south, e->south + f * height, e->north, e->north - f * height};
    for (size_t side = 0; side < 4; side++) {
      x[side * EDGE_STEPS + i] = sx[side];
      y[side * EDGE_STEPS + i] = sy[side];
    }
  }
  size_t k = EDGE_POINTS;
  for (size_t i = 1; i < INNER_STEPS; i++)
    for (size_t j = 1; j < INNER_STEPS; j++, k++) {
      x[k] = e->west + width * (double)i / INNER_STEPS;
      y[k] = e->south + height * (double)j / INNER_STEPS;
    }
}

/* Whether the image is torn between two neighbours of the edge: a projection has an edge of its own there. */
static bool torn(double a, double b, double range)
{
  return isfinite(a) && isfinite(b) && fabs(b - a) > range / 4;
}

/* How far a smooth curve through samples of the closed edge can leave their range: |second difference| / 8. */
static double bend(const double *v, double range)
{
  double most = 0;
  for (size_t i = 0; i < EDGE_POINTS; i++) {
    double before = v[(i + EDGE_POINTS - 1) % EDGE_POINTS], after = v[(i + 1) % EDGE_POINTS];
    if (i % EDGE_STEPS == 0 || torn(before, v[i], range) || torn(v[i], after, range))
      continue; /* a corner or a tear is no bend */
    if ((v[i] - before) * (after - v[i]) > 0)
      continue; /* it turns round elsewhere */
    double d = before - 2 * v[i] + after;
    if (isfinite(d) && fabs(d) > most)
      most = fabs(d);
  }
  return most / 8;
}

static void reach(struct extent *out, double x, double y)
{
  if (x == HUGE_VAL)
    return;
  out->west = fmin(out->west, x);
  out->east = fmax(out->east, x);
  out->south = fmin(out->south, y);
  out->north = fmax(out->north, y);
}

/* The image reaches both lips of a tear: they are found by halving the way between two samples of the edge. */
static void reach_lips(struct transform *t, const double *from_x, const double *from_y, size_t i, struct extent *out)
{
  size_t j = (i + 1) % EDGE_POINTS;
  double a[2] = {from_x[i], from_y[i]}, b[2] = {from_x[j], from_y[j]};
  for (int step = 0; step < 50; step++) {
    double x[3] = {a[0], (a[0] + b[0]) / 2, b[0]}, y[3] = {a[1], (a[1] + b[1]) / 2, b[1]};
    const double middle[2] = {x[1], y[1]};
    apply(t, PJ_FWD, 3, x, y);
    reach(out, x[0], y[0]);
    reach(out, x[2], y[2]);
    if (x[1] == HUGE_VAL)
      return;
    memcpy(fabs(x[1] - x[0]) > fabs(x[1] - x[2]) ? b : a, middle, sizeof middle);
  }
}

static bool crosses_antimeridian(const double *x)
{
  for (size_t i = 0; i < EDGE_POINTS; i++) {
    double step = fabs(x[(i + 1) % EDGE_POINTS] - x[i]);
    if (isfinite(step) && step > 180)
      return true;
  }
  return false;
}

/* Whether the pole (latitude ±90) lies in the extent, both in the source's frame. */
static bool holds_pole(struct transform *t, const struct extent *in, double latitude)
{
  if (t->from_geographic)
    return false;
  double x = 0, y = latitude;
  apply(t, PJ_INV, 1, &x, &y);
  return x >= in->west && x <= in->east && y >= in->south && y <= in->north;
}

static void widen_geographic(struct transform *t, const struct extent *in, const double *x, struct extent *out)
{
  bool south_pole = holds_pole(t, in, -90), north_pole = holds_pole(t, in, 90);
  out->south = south_pole ? -90 : fmax(out->south, -90);
  out->north = north_pole ? 90 : fmin(out->north, 90);
  if (south_pole || north_pole || crosses_antimeridian(x)) {
    out->west = -180;
    out->east = 180;
  }
}

int transform_extent(struct transform *t, const struct extent *in, struct extent *out, struct error *error)
{
  bool partial;
  return transform_image(t, in, out, &partial, error);
}

int transform_image(struct transform *t, const struct extent *in, struct extent *out, bool *partial,
                    struct error *error)
{
  struct extent e = *in;
  if (t->from_geographic && e.west > e.east)
    e.east += 360;
  struct extent result = e;
  result.crs = t->to;
  *partial = false;
  if (t->pj) {
    double x[SAMPLE_POINTS], y[SAMPLE_POINTS], from_x[SAMPLE_POINTS], from_y[SAMPLE_POINTS];
    sample(&e, x, y);
    memcpy(from_x, x, sizeof x);
    memcpy(from_y, y, sizeof y);
    apply(t, PJ_FWD, SAMPLE_POINTS, x, y);
    result = (struct extent){.west = DBL_MAX, .south = DBL_MAX, .east = -DBL_MAX, .north = -DBL_MAX, .crs = t->to};
    for (size_t i = 0; i < SAMPLE_POINTS; i++) {
      *partial = *partial || x[i] == HUGE_VAL;
      reach(&result, x[i], y[i]);
    }
    if (result.west > result.east)
      return error_set(error, ERROR_CRSInvalid, "The extent (%g, %g, %g, %g) in %.80s has no image in %.80s.", in->west,
                       in->south, in->east, in->north, t->from, t->to);
    double wide = result.east - result.west, high = result.north - result.south;
    double bend_x = bend(x, wide), bend_y = bend(y, high);
    result.west -= bend_x;
    result.east += bend_x;
    result.south -= bend_y;
    result.north += bend_y;
    for (size_t i = 0; i < EDGE_POINTS && !t->to_geographic; i++)
      if (torn(x[i], x[(i + 1) % EDGE_POINTS], wide) || torn(y[i], y[(i + 1) % EDGE_POINTS], high))
        reach_lips(t, from_x, from_y, i, &result);
    if (t->to_geographic)
      widen_geographic(t, &e, x, &result);
  }
  *out = result;
  return 0;
}

int points_transform(const char *from, const char *to, size_t n, double *x, double *y, struct error *error)
{
  struct transform *t;
  if (transform_new(from, to, &t, error))
    return -1;
  transform_points(t, n, x, y);
  transform_free(t);
  return 0;
}

int extent_transform(const struct extent *in, const char *crs, struct extent *out, struct error *error)
{
  struct transform *t;
  if (transform_new(in->crs, crs, &t, error))
    return -1;
  int status = transform_extent(t, in, out, error);
  out->crs = crs;
  transform_free(t);
  return status;
}

#define FARTHEST 1e8 /* metres: some projections put an infinitely far pole at a number */

/* What of a geographic extent lies where the CRS is meant to be used. */
static void keep_use(const char *crs, struct extent *e)
{
  double west, south, east, north;
  PJ_CONTEXT *context = proj_context_confined();
  PJ *pj = context ? proj_create(context, crs) : NULL;
  if (pj && proj_get_area_of_use(context, pj, &west, &south, &east, &north, NULL) && west > -1000) {
    e->south = fmax(e->south, south);
    e->north = fmin(e->north, north);
    if (e->east - e->west >= 360) {
      e->west = west;
      e->east = west < east ? east : east + 360;
    }
  }
  proj_destroy(pj);
  if (context)
    proj_context_destroy(context);
}

int extent_transform_in_use(const struct extent *in, const char *crs, struct extent *out, struct error *error)
{
  struct transform *t;
  bool partial;
  if (transform_new(in->crs, crs, &t, error))
    return -1;
  int status = transform_image(t, in, out, &partial, error);
  struct extent part = *in;
  double farthest = fmax(fmax(-out->west, out->east), fmax(-out->south, out->north)) * crs_unit_metres(t->to);
  if (status == 0 && (partial || farthest > FARTHEST) && t->from_geographic) {
    keep_use(t->to, &part);
    if (part.south < part.north)
      status = transform_image(t, &part, out, &partial, error);
  }
  out->crs = crs;
  transform_free(t);
  return status;
}
