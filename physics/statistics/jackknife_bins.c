/* Jackknife of a mean, from bins, and of any estimates. See jackknife.h. */
#include "physics/statistics/jackknife_bins.h"

#include <math.h>

/* Mean and sum of squared deviations of the leave-out estimates, one after the other (Welford). */
struct spread {
  size_t count;
  double mean, squares;
};

static void spread_add(struct spread *spread, double theta)
{
  double delta = theta - spread->mean;
  spread->count++;
  spread->mean += delta / (double)spread->count;
  spread->squares += delta * (theta - spread->mean);
}

static double spread_error(const struct spread *spread)
{
  if (spread->count < 2) {
    return (double)NAN;
  }
  double bins = (double)spread->count;
  return sqrt((bins - 1.0) / bins * spread->squares);
}

double jackknife_error(const double *estimates, size_t n)
{
  struct spread spread = {0};
  for (size_t i = 0; i < n; i++) {
    spread_add(&spread, estimates[i]);
  }
  return spread_error(&spread);
}

struct estimate jackknife_mean(const struct binned *bins)
{
  struct estimate out = {.value = bins->mean[0]};
  struct spread spread = {0};
  for (size_t b = 0; bins->count > 1 && b < bins->count; b++) {
    /* less the mean: the spread is the same */
    double theta = -bins->deviations[b * bins->observables] / (bins->total - bins->sizes[b]);
    spread_add(&spread, theta);
  }
  out.error = spread_error(&spread);
  return out;
}
