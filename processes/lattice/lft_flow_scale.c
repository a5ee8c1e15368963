/* lft_flow_scale: t0 and w0 from an energy density along the flow time. */
#include "processes/lattice/lattice_arguments.h"
#include "processes/lattice/lattice_series.h"

#include <math.h>

enum { SCALE_T0, SCALE_W0, NEAREST = 4 };
static const char *const scales[] = {"t0", "w0", NULL};
static const char *const flow_time[] = {"flow_time"};

struct flow_curve { /* the function whose crossing is the scale, at the grid's points first … last */
  const double *t, *energy;
  size_t count;
  bool differs; /* t d/dt t^2 E, else t^2 E */
};

static double value_at(const struct flow_curve *c, size_t i)
{
  if (!c->differs)
    return c->t[i] * c->t[i] * c->energy[i];
  const size_t a = i - 1, b = i + 1;
  return c->t[i] * (c->t[b] * c->t[b] * c->energy[b] - c->t[a] * c->t[a] * c->energy[a]) / (c->t[b] - c->t[a]);
}

/* The polynomial through the values at up to four points from `from` on. */
static double interpolated(const struct flow_curve *c, size_t from, size_t count, double t)
{
  double sum = 0;
  for (size_t i = from; i < from + count; i++) {
    double term = value_at(c, i);
    for (size_t k = from; k < from + count; k++)
      term *= k == i ? 1 : (t - c->t[k]) / (c->t[i] - c->t[k]);
    sum += term;
  }
  return sum;
}

/* Where the curve first passes the reference from below; NaN: nowhere. */
static double crossing(const struct flow_curve *c, double reference)
{
  size_t first = c->differs ? 1 : 0, end = c->count - first;
  for (size_t i = first; i + 1 < end; i++) {
    if (!(value_at(c, i) < reference && value_at(c, i + 1) >= reference))
      continue;
    size_t count = end - first < NEAREST ? end - first : NEAREST, from = i > first ? i - 1 : i;
    from = from + count > end ? end - count : from;
    double low = c->t[i], high = c->t[i + 1];
    for (int step = 0; step < 60; step++) {
      double middle = low + (high - low) / 2;
      *(interpolated(c, from, count, middle) < reference ? &low : &high) = middle;
    }
    return high;
  }
  return NAN;
}

/* parameters: reference, scale. */
static void compute_scale(const struct lattice_series *series, const double *parameters, const double *in, double *out)
{
  bool is_w0 = (int)parameters[1] == SCALE_W0;
  const struct flow_curve curve = {series->labels[0], in, series->size[0], is_w0};
  double t = series->size[0] < 3 ? (double)NAN : crossing(&curve, parameters[0]);
  *out = is_w0 ? sqrt(t) : t;
}

static const struct series_op scale_op = {"flow scale", compute_scale};

static int lft_flow_scale_call(struct call *call, struct value *result)
{
  struct lattice_series series;
  double parameters[2];
  size_t scale;
  if (call_lattice_series(call, flow_time, 1, &series) != 0 ||
      lattice_number(call, "reference", 1e-6, 100, &parameters[0]) != 0 ||
      lattice_choice(call, "scale", scales, &scale) != 0)
    return -1;
  parameters[1] = (double)scale;
  return lattice_series_apply(call, &series, &scale_op, parameters, 2, NULL, 0, result);
}

const struct process process_lft_flow_scale = {
    .id = "lft_flow_scale", .shape = PROCESS_CUBE, .call = lft_flow_scale_call};
