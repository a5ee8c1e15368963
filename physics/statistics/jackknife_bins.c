/* Jackknife of a mean (from bin sums) and of any estimator. See jackknife.h. */
#include "physics/statistics/jackknife_bins.h"

#include "physics/statistics/samples.h"

#include <math.h>
#include <string.h>

static size_t bin_end(size_t start, size_t n, size_t bin)
{
  return n - start < bin ? n : start + bin;
}

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

struct estimate jackknife_mean(const double *values, size_t n, size_t bin)
{
  struct estimate out = {.value = mean_of(values, n)};
  struct spread spread = {0};
  for (size_t start = 0; start < n; start = bin_end(start, n, bin)) {
    size_t end = bin_end(start, n, bin);
    double sum = 0; /* of deviations from the mean: theta_b = mean - sum / (n - size of the bin) */
    for (size_t i = start; i < end; i++) {
      sum += values[i] - out.value;
    }
    spread_add(&spread, -sum / (double)(n - (end - start)));
  }
  out.error = spread_error(&spread);
  return out;
}

struct estimate jackknife(const double *values, size_t n, size_t bin,
                          double (*estimator)(const double *values, size_t n, const void *data), const void *data,
                          double *work)
{
  struct estimate out = {.value = estimator(values, n, data)};
  struct spread spread = {0};
  for (size_t start = 0; start < n && n > bin; start = bin_end(start, n, bin)) {
    size_t end = bin_end(start, n, bin);
    memcpy(work, values, start * sizeof *work);
    memcpy(work + start, values + end, (n - end) * sizeof *work);
    spread_add(&spread, estimator(work, n - (end - start), data));
  }
  out.error = spread_error(&spread);
  return out;
}
