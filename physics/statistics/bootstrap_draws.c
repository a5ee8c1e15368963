/* Bootstrap errors and intervals. See bootstrap_draws.h. */
#include "physics/statistics/bootstrap_draws.h"

#include "physics/statistics/distributions.h"
#include "physics/statistics/samples.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Value and error; the draws are sorted. False where there is no interval. */
static int settle(struct bootstrap_draws draws, struct bootstrap_estimate *out)
{
  double mean = mean_of(draws.estimates, draws.count), squares = 0;
  *out = (struct bootstrap_estimate){draws.value, (double)NAN, (double)NAN, (double)NAN};
  if (isnan(mean)) {
    return 0;
  }
  for (size_t i = 0; i < draws.count; i++) {
    squares += (draws.estimates[i] - mean) * (draws.estimates[i] - mean);
  }
  out->error = sqrt(squares / (double)(draws.count - 1));
  qsort(draws.estimates, draws.count, sizeof *draws.estimates, by_size);
  return 1;
}

static double quantile(struct bootstrap_draws draws, double probability)
{
  double place = probability * (double)(draws.count - 1);
  size_t below = (size_t)place;
  if (below + 1 >= draws.count) {
    return draws.estimates[draws.count - 1];
  }
  double share = place - (double)below, low = draws.estimates[below], high = draws.estimates[below + 1];
  return low + share * (high - low);
}

struct bootstrap_estimate bootstrap_percentile(struct bootstrap_draws draws)
{
  struct bootstrap_estimate out;
  if (settle(draws, &out)) {
    out.lower = quantile(draws, 0.5 * (1.0 - draws.confidence));
    out.upper = quantile(draws, 0.5 * (1.0 + draws.confidence));
  }
  return out;
}

/* Share of draws below the estimate, those equal to it by half. */
static double share_below(struct bootstrap_draws draws)
{
  double below = 0;
  for (size_t i = 0; i < draws.count; i++) {
    below += draws.estimates[i] < draws.value ? 1.0 : draws.estimates[i] == draws.value ? 0.5 : 0.0;
  }
  return below / (double)draws.count;
}

static double acceleration(const double *left_out, size_t n)
{
  double mean = mean_of(left_out, n), squares = 0, cubes = 0;
  for (size_t i = 0; i < n; i++) {
    double d = mean - left_out[i];
    squares += d * d;
    cubes += d * d * d;
  }
  return squares > 0 ? cubes / (6.0 * squares * sqrt(squares)) : 0;
}

struct bootstrap_estimate bootstrap_bca(struct bootstrap_draws draws, const double *left_out, size_t n)
{
  struct bootstrap_estimate out;
  if (!settle(draws, &out)) {
    return out;
  }
  double z0 = normal_quantile(share_below(draws)), a = acceleration(left_out, n);
  double ends[2];
  for (int side = 0; side < 2; side++) {
    double z = z0 + normal_quantile(0.5 * (1.0 + (side == 0 ? -1 : 1) * draws.confidence));
    double moved = isinf(z0) ? z0 : z0 + z / (1.0 - a * z);
    ends[side] = isnan(moved) ? moved : quantile(draws, normal_probability(moved));
  }
  out.lower = ends[0];
  out.upper = ends[1];
  return out;
}
