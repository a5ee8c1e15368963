/* Rows of nearest, bilinear and cubic values. See warp_rows.h.
 *
 * Every loop body is compiled for plain x86-64 and for AVX2; both give the same bits, for contraction to fused
 * multiply-add is off. A coordinate is clamped into the window before it becomes an index, so no lane branches; what
 * the clamp changed becomes NaN (or the missing pixel) afterwards. The two or four weights along an axis sum to one. */
#include "datacube/warp_rows.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define edge_noise 1e-7 /* of a pixel: as in warp.c and warp_kernels.c */
#define ROW_BODY static inline __attribute__((always_inline)) void

/* Rounds to whole, for |t| < 2^51. */
static inline __attribute__((always_inline)) double whole_of(double t)
{
  return (t + 0x1.8p52) - 0x1.8p52;
}

/* First of the pixels that count and the way from its centre, 0 … 1; first is clamped to [low, high]. */
static inline __attribute__((always_inline)) double split(double t, double low, double high, int32_t *first,
                                                          bool *inside)
{
  double whole = whole_of(t), way = fabs(t - whole) < edge_noise ? whole : t;
  *inside = way >= low && way < high + 1;
  double kept = way > low ? way : low; /* NaN becomes low */
  kept = kept < high ? kept : high;
  *first = (int32_t)kept;
  return way - (double)*first;
}

/* Source pixels the window has along an axis for a kernel that begins `before` pixels before its first. */
static void limits(const struct tap_window *w, int axis, size_t before, size_t taps, double *low, double *high)
{
  *low = (double)(w->start[axis] + before);
  *high = (double)(w->start[axis] + w->count[axis]) - (double)(taps - before);
}

struct row_limits {
  double low_x, high_x, low_y, high_y; /* of the pixel left of or above a point */
};

ROW_BODY bilinear_body(const struct tap_window *w, const struct row_limits *r, size_t n, const double *restrict x,
                       const double *restrict y, double *restrict out)
{
  const int32_t stride = (int32_t)w->count[1], first_x = (int32_t)w->start[1], first_y = (int32_t)w->start[0];
  const double *values = w->values;
  for (size_t i = 0; i < n; i++) {
    int32_t left, top;
    bool in_x, in_y;
    double fx = split(x[i] - 0.5, r->low_x, r->high_x, &left, &in_x);
    double fy = split(y[i] - 0.5, r->low_y, r->high_y, &top, &in_y);
    int32_t at = (top - first_y) * stride + (left - first_x);
    double upper = values[at] * (1 - fx) + values[at + 1] * fx;
    double lower = values[at + stride] * (1 - fx) + values[at + stride + 1] * fx;
    double value = upper * (1 - fy) + lower * fy;
    out[i] = (in_x & in_y) ? value : (double)NAN;
  }
}

/* Keys' four weights at a way of f behind the second pixel. */
static inline __attribute__((always_inline)) void cubic_weights(double f, double weight[4])
{
  double g = 1 - f;
  weight[0] = -0.5 * f * g * g;
  weight[1] = (1.5 * f - 2.5) * f * f + 1;
  weight[2] = (1.5 * g - 2.5) * g * g + 1;
  weight[3] = -0.5 * g * f * f;
}

static inline __attribute__((always_inline)) double four(const double *values, int32_t at, const double weight[4])
{
  return (values[at] * weight[0] + values[at + 1] * weight[1]) +
         (values[at + 2] * weight[2] + values[at + 3] * weight[3]);
}

ROW_BODY cubic_body(const struct tap_window *w, const struct row_limits *r, size_t n, const double *restrict x,
                    const double *restrict y, double *restrict out)
{
  const int32_t stride = (int32_t)w->count[1], first_x = (int32_t)w->start[1], first_y = (int32_t)w->start[0];
  const double *values = w->values;
  for (size_t i = 0; i < n; i++) {
    int32_t left, top;
    bool in_x, in_y;
    double wx[4], wy[4];
    cubic_weights(split(x[i] - 0.5, r->low_x, r->high_x, &left, &in_x), wx);
    cubic_weights(split(y[i] - 0.5, r->low_y, r->high_y, &top, &in_y), wy);
    int32_t at = (top - first_y - 1) * stride + (left - first_x - 1);
    double value = (four(values, at, wx) * wy[0] + four(values, at + stride, wx) * wy[1]) +
                   (four(values, at + 2 * stride, wx) * wy[2] + four(values, at + 3 * stride, wx) * wy[3]);
    out[i] = (in_x & in_y) ? value : (double)NAN;
  }
}

/* Index of the pixel that holds a point, -1 outside the window. */
ROW_BODY pixel_index_body(const struct nearest_window *w, size_t n, const double *restrict x, const double *restrict y,
                          int32_t *restrict out)
{
  const double low_x = (double)w->start[1], end_x = (double)(w->start[1] + w->count[1]);
  const double low_y = (double)w->start[0], end_y = (double)(w->start[0] + w->count[0]);
  const int32_t stride = (int32_t)w->count[1];
  for (size_t i = 0; i < n; i++) {
    double px = x[i] + edge_noise, py = y[i] + edge_noise;
    bool inside = (px >= low_x) & (px < end_x) & (py >= low_y) & (py < end_y);
    int32_t column = (int32_t)(inside ? px - low_x : 0), row = (int32_t)(inside ? py - low_y : 0);
    out[i] = inside ? row * stride + column : -1;
  }
}

/* One body, two instruction sets. */
#if defined(__x86_64__)
#define ROW_LEVELS(name, parameters, arguments)                                                                        \
  __attribute__((target("avx2"))) static void name##_avx2 parameters                                                   \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }                                                                                                                    \
  static void name##_baseline parameters                                                                               \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }                                                                                                                    \
  static void name parameters                                                                                          \
  {                                                                                                                    \
    if (__builtin_cpu_supports("avx2"))                                                                                \
      name##_avx2 arguments;                                                                                           \
    else                                                                                                               \
      name##_baseline arguments;                                                                                       \
  }
#else
#define ROW_LEVELS(name, parameters, arguments)                                                                        \
  static void name parameters                                                                                          \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }
#endif

ROW_LEVELS(bilinear,
           (const struct tap_window *w, const struct row_limits *r, size_t n, const double *x, const double *y,
            double *out),
           (w, r, n, x, y, out))
ROW_LEVELS(cubic,
           (const struct tap_window *w, const struct row_limits *r, size_t n, const double *x, const double *y,
            double *out),
           (w, r, n, x, y, out))
ROW_LEVELS(pixel_index, (const struct nearest_window *w, size_t n, const double *x, const double *y, int32_t *out),
           (w, n, x, y, out))

static bool window_counts_in_32_bits(const size_t start[2], const size_t count[2])
{
  return start[0] + count[0] < INT32_MAX && start[1] + count[1] < INT32_MAX &&
         (count[0] == 0 || count[1] < INT32_MAX / count[0]);
}

#define TAKE(bytes)                                                                                                    \
  for (size_t i = 0; i < n; i++)                                                                                       \
    memcpy(to + i * (bytes), at[i] < 0 ? w->missing : w->pixels + (size_t)at[i] * (bytes), (bytes));                   \
  return

static void take(const struct nearest_window *w, size_t n, const int32_t *at, unsigned char *to)
{
  switch (w->size) {
  case 1:
    TAKE(1);
  case 2:
    TAKE(2);
  case 4:
    TAKE(4);
  case 8:
    TAKE(8);
  default:
    TAKE(16);
  }
}

/* The same for a window too large for 32-bit indexes. */
static void take_far(const struct nearest_window *w, size_t n, const double *x, const double *y, unsigned char *to)
{
  for (size_t i = 0; i < n; i++) {
    double column = x[i] + edge_noise - (double)w->start[1], row = y[i] + edge_noise - (double)w->start[0];
    bool inside = column >= 0 && row >= 0 && column < (double)w->count[1] && row < (double)w->count[0];
    size_t at = inside ? (size_t)row * w->count[1] + (size_t)column : 0;
    memcpy(to + i * w->size, inside ? w->pixels + at * w->size : w->missing, w->size);
  }
}

void nearest_row(const struct nearest_window *w, size_t n, const double *x, const double *y, unsigned char *to)
{
  if (!window_counts_in_32_bits(w->start, w->count)) {
    take_far(w, n, x, y, to);
    return;
  }
  enum { RUN = 256 };
  int32_t found[RUN];
  for (size_t i = 0; i < n; i += RUN) {
    size_t run = n - i < RUN ? n - i : RUN;
    pixel_index(w, run, x + i, y + i, found);
    take(w, run, found, to + i * w->size);
  }
}

bool interpolate_row(enum resampling method, const struct tap_window *w, size_t n, const double *x, const double *y,
                     double *out)
{
  size_t before = method == RESAMPLE_CUBIC ? 1 : 0, taps = method == RESAMPLE_CUBIC ? 4 : 2;
  struct row_limits r;
  bool complete = w->count[0] >= taps && w->count[1] >= taps && window_counts_in_32_bits(w->start, w->count);
  if (!complete) {
    for (size_t i = 0; i < n; i++)
      out[i] = (double)NAN;
    return n == 0;
  }
  limits(w, 1, before, taps, &r.low_x, &r.high_x);
  limits(w, 0, before, taps, &r.low_y, &r.high_y);
  if (method == RESAMPLE_CUBIC)
    cubic(w, &r, n, x, y, out);
  else
    bilinear(w, &r, n, x, y, out);
  for (size_t i = 0; i < n; i++)
    complete = complete & !isnan(out[i]);
  return complete;
}
