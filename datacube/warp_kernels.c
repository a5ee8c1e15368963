/* Resampling kernels.
 *
 * Interpolating methods weigh the pixels round the centre t by k((i - t) / scale), where scale (source pixels per
 * target pixel, 1 up to LOCATE_EVEN) widens the kernel when shrinking, and divide by the weights' sum over the valid
 * pixels:
 *   bilinear  1 - |t|                                   cubic  Keys (1981) with a = -1/2
 *   cubic spline  uniform B-spline                      Lanczos  sinc(t) sinc(t/3), |t| < 3
 * Unscaled cubic becomes bilinear where one of its 16 pixels is missing or beyond the rim, for its negative weights
 * overshoot there.
 * They give a value only where the pixel that holds the centre is valid, so the valid area is that of nearest.
 * The others look at the pixels of the footprint's bounding box, weighed by their overlap (average, sum, rms) or not
 * (mode, min, max, quantiles by nearest rank). Indexes are of the whole source grid and sums run in their order, so a
 * value does not depend on the window it is computed from. */
#include "datacube/warp_kernels.h"

#include "datacube/base/checked.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double snap = 1e-7; /* of a pixel: noise of coordinates that are exact in theory */
static const double least_weight = 1e-6;

static double bilinear(double t)
{
  t = fabs(t);
  return t < 1 ? 1 - t : 0;
}

static double cubic(double t)
{
  t = fabs(t);
  if (t <= 1)
    return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

static double cubic_spline(double t)
{
  t = fabs(t);
  if (t <= 1)
    return (0.5 * t - 1) * t * t + 2.0 / 3.0;
  return t < 2 ? (2 - t) * (2 - t) * (2 - t) / 6 : 0;
}

static double lanczos(double t)
{
  if (t == 0)
    return 1;
  if (fabs(t) >= 3)
    return 0;
  return 3 * sin(pi * t) * sin(pi * t / 3) / (pi * pi * t * t);
}

struct weight_kernel {
  double (*weight)(double t);
  double radius; /* in pixels of the coarser grid */
};

static const struct weight_kernel kernels[RESAMPLE_COUNT] = {[RESAMPLE_BILINEAR] = {bilinear, 1},
                                                             [RESAMPLE_CUBIC] = {cubic, 2},
                                                             [RESAMPLE_CUBIC_SPLINE] = {cubic_spline, 2},
                                                             [RESAMPLE_LANCZOS] = {lanczos, 3}};

bool method_interpolates(enum resampling method)
{
  return kernels[method].weight != NULL;
}

double method_radius(enum resampling method)
{
  return kernels[method].radius;
}

static double snapped(double t)
{
  double whole = rint(t);
  return fabs(t - whole) < snap ? whole : t;
}

static size_t clamped(double index, size_t size)
{
  if (!(index > 0))
    return 0;
  return index < (double)size ? (size_t)index : size;
}

void foot_range(enum resampling method, const union foot *foot, int axis, size_t size, size_t *first, size_t *end)
{
  double low, high;
  if (method_interpolates(method)) {
    double scale = axis ? foot->kernel.scale_x : foot->kernel.scale_y;
    double t = snapped((axis ? foot->kernel.x : foot->kernel.y) - 0.5), radius = kernels[method].radius * scale;
    low = ceil(t - radius);
    high = floor(t + radius) + 1;
  } else {
    low = floor((axis ? foot->area.x0 : foot->area.y0) + snap);
    high = ceil((axis ? foot->area.x1 : foot->area.y1) - snap);
    if (high <= low)
      high = low + 1;
  }
  *first = clamped(low, size);
  *end = clamped(high, size);
}

/* Weights of pixels [first, end) along an axis. */
static void axis_weights(enum resampling method, const union foot *foot, int axis, const size_t range[2],
                         double *weights)
{
  if (method_interpolates(method)) {
    double scale = axis ? foot->kernel.scale_x : foot->kernel.scale_y;
    double t = snapped((axis ? foot->kernel.x : foot->kernel.y) - 0.5);
    for (size_t i = range[0]; i < range[1]; i++)
      weights[i - range[0]] = kernels[method].weight(((double)i - t) / scale);
    return;
  }
  double low = axis ? foot->area.x0 : foot->area.y0, high = axis ? foot->area.x1 : foot->area.y1;
  for (size_t i = range[0]; i < range[1]; i++)
    weights[i - range[0]] = fmax(fmin((double)(i + 1), high) - fmax((double)i, low), 0);
}

int resampler_init(struct resampler *r, enum resampling method, const struct grid *from, struct error *error)
{
  *r = (struct resampler){.method = method};
  if (method == RESAMPLE_NEAREST)
    return 0;
  r->weight_x = calloc(from->width + 1, sizeof(double));
  r->weight_y = calloc(from->height + 1, sizeof(double));
  if (r->weight_x && r->weight_y)
    return 0;
  resampler_free(r);
  return error_memory(error);
}

void resampler_free(struct resampler *r)
{
  free(r->weight_x);
  free(r->weight_y);
  free(r->values);
  *r = (struct resampler){.method = r->method};
}

struct area {        /* source pixels of one footprint inside the window */
  size_t y[2], x[2]; /* [first, end) */
  bool cut;          /* whether the footprint goes on beyond the window */
};

static double value_at(const struct tap_window *w, size_t y, size_t x)
{
  return w->values[(y - w->start[0]) * w->count[1] + (x - w->start[1])];
}

static bool centre_is_valid(const struct tap_window *w, const union foot *foot)
{
  double x = floor(foot->kernel.x + snap), y = floor(foot->kernel.y + snap);
  if (!(x >= (double)w->start[1] && y >= (double)w->start[0]))
    return false;
  size_t ix = (size_t)x, iy = (size_t)y;
  return ix < w->start[1] + w->count[1] && iy < w->start[0] + w->count[0] && !isnan(value_at(w, iy, ix));
}

/* Sets gaps where a pixel that counts is missing. */
static double weighted(const struct resampler *r, const struct tap_window *w, const struct area *a, bool *gaps)
{
  double sum = 0, weights = 0;
  for (size_t y = a->y[0]; y < a->y[1]; y++)
    for (size_t x = a->x[0]; x < a->x[1]; x++) {
      double weight = r->weight_y[y - a->y[0]] * r->weight_x[x - a->x[0]], value = value_at(w, y, x);
      if (weight == 0)
        continue;
      if (isnan(value)) {
        *gaps = true;
        continue;
      }
      weights += weight;
      sum += weight * (r->method == RESAMPLE_RMS ? value * value : value);
    }
  if (r->method == RESAMPLE_SUM)
    return weights > 0 ? sum : (double)NAN;
  if (!(fabs(weights) > (method_interpolates(r->method) ? least_weight : 0)))
    return (double)NAN;
  return r->method == RESAMPLE_RMS ? sqrt(sum / weights) : sum / weights;
}

static double extreme(const struct resampler *r, const struct tap_window *w, const struct area *a)
{
  double best = (double)NAN;
  for (size_t y = a->y[0]; y < a->y[1]; y++)
    for (size_t x = a->x[0]; x < a->x[1]; x++) {
      double value = value_at(w, y, x);
      if (!isnan(value) && (isnan(best) || (r->method == RESAMPLE_MAX ? value > best : value < best)))
        best = value;
    }
  return best;
}

static int compare_ranked(const void *a, const void *b)
{
  const struct ranked_value *x = a, *y = b;
  if (x->value != y->value)
    return x->value > y->value ? 1 : -1;
  return (x->order > y->order) - (x->order < y->order);
}

/* The commonest of n sorted values; of several, the one that reached its count first in reading order. */
static double commonest(const struct ranked_value *sorted, size_t n)
{
  size_t most = 0, best = 0;
  for (size_t i = 0, run = 0; i < n; i++) {
    run = i && sorted[i].value == sorted[i - 1].value ? run + 1 : 1;
    if (run > most || (run == most && sorted[i].order < sorted[best].order)) {
      most = run;
      best = i;
    }
  }
  return sorted[best].value;
}

static double ranked(enum resampling method, const struct ranked_value *sorted, size_t n)
{
  if (n == 0)
    return (double)NAN;
  if (method == RESAMPLE_MODE)
    return commonest(sorted, n);
  double fraction = method == RESAMPLE_Q1 ? 0.25 : method == RESAMPLE_Q3 ? 0.75 : 0.5;
  double rank = ceil(fraction * (double)n) - 1;
  return sorted[rank > 0 ? (size_t)rank : 0].value;
}

static int rank_values(struct resampler *r, const struct tap_window *w, const struct area *a, double *out,
                       struct error *error)
{
  size_t pixels = (a->y[1] - a->y[0]) * (a->x[1] - a->x[0]), n = 0;
  if (pixels > r->value_room) {
    struct ranked_value *more = realloc(r->values, pixels * sizeof *more);
    if (!more)
      return error_memory(error);
    r->values = more;
    r->value_room = pixels;
  }
  for (size_t y = a->y[0]; y < a->y[1]; y++)
    for (size_t x = a->x[0]; x < a->x[1]; x++)
      if (!isnan(value_at(w, y, x)))
        r->values[n] = (struct ranked_value){value_at(w, y, x), n}, n += 1;
  qsort(r->values, n, sizeof *r->values, compare_ranked);
  *out = ranked(r->method, r->values, n);
  return 0;
}

/* Returns whether something was cut off. */
static bool clip_to_window(const struct tap_window *w, int axis, size_t range[2])
{
  size_t first = w->start[axis], end = w->start[axis] + w->count[axis];
  bool cut = range[0] < first || range[1] > end;
  range[0] = range[0] > first ? range[0] : first;
  range[1] = range[1] < end ? range[1] : end;
  if (range[1] < range[0])
    range[1] = range[0];
  return cut;
}

static struct area area_of(enum resampling method, const struct tap_window *w, const union foot *foot)
{
  struct area a;
  foot_range(method, foot, 0, SIZE_MAX, &a.y[0], &a.y[1]);
  foot_range(method, foot, 1, SIZE_MAX, &a.x[0], &a.x[1]);
  bool cut_y = clip_to_window(w, 0, a.y), cut_x = clip_to_window(w, 1, a.x);
  double radius = kernels[method].radius; /* foot_range leaves out what lies before pixel 0 */
  bool before = radius > 0 && (foot->kernel.x - 0.5 - radius * foot->kernel.scale_x < -1 + snap ||
                               foot->kernel.y - 0.5 - radius * foot->kernel.scale_y < -1 + snap);
  a.cut = cut_y || cut_x || before;
  return a;
}

static double weigh(struct resampler *r, enum resampling method, const struct tap_window *w, const union foot *foot)
{
  struct area a = area_of(method, w, foot);
  axis_weights(method, foot, 0, a.y, r->weight_y);
  axis_weights(method, foot, 1, a.x, r->weight_x);
  bool gaps = a.cut;
  double value = weighted(r, w, &a, &gaps);
  bool unscaled = method == RESAMPLE_CUBIC && foot->kernel.scale_x == 1 && foot->kernel.scale_y == 1;
  return unscaled && gaps ? weigh(r, RESAMPLE_BILINEAR, w, foot) : value;
}

/* The commonest case, written out: the four pixels round the centre, with the weights and the order of weighted(). */
static double bilinear_unscaled(const struct tap_window *w, const union foot *foot)
{
  double tx = snapped(foot->kernel.x - 0.5), ty = snapped(foot->kernel.y - 0.5), sum = 0, weights = 0;
  double left = floor(tx), top = floor(ty); /* may be -1 */
  for (int j = 0; j < 2; j++)
    for (int i = 0; i < 2; i++) {
      double weight = bilinear(top + j - ty) * bilinear(left + i - tx);
      double x = left + i - (double)w->start[1], y = top + j - (double)w->start[0];
      if (weight == 0 || x < 0 || y < 0 || x >= (double)w->count[1] || y >= (double)w->count[0])
        continue;
      double value = w->values[(size_t)y * w->count[1] + (size_t)x];
      if (isnan(value))
        continue;
      weights += weight;
      sum += weight * value;
    }
  return weights > least_weight ? sum / weights : (double)NAN;
}

int resampler_value(struct resampler *r, const struct tap_window *w, const union foot *foot, double *out,
                    struct error *error)
{
  *out = (double)NAN;
  if (isnan(foot->kernel.x) || (method_interpolates(r->method) && !centre_is_valid(w, foot)))
    return 0;
  if (r->method == RESAMPLE_BILINEAR && foot->kernel.scale_x == 1 && foot->kernel.scale_y == 1) {
    *out = bilinear_unscaled(w, foot);
    return 0;
  }
  struct area a = area_of(r->method, w, foot);
  switch (r->method) {
  case RESAMPLE_MIN:
  case RESAMPLE_MAX:
    *out = extreme(r, w, &a);
    return 0;
  case RESAMPLE_MODE:
  case RESAMPLE_MEDIAN:
  case RESAMPLE_Q1:
  case RESAMPLE_Q3:
    return rank_values(r, w, &a, out, error);
  default:
    *out = weigh(r, r->method, w, foot);
    return 0;
  }
}
