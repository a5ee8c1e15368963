/* The Gamma method. See autocorrelation.h. */
#include "physics/statistics/autocorrelation.h"

#include <math.h>

static double covariance_at(const double *values, size_t n, double mean, size_t t)
{
  double sum = 0;
  for (size_t i = 0; i + t < n; i++) {
    sum += (values[i] - mean) * (values[i + t] - mean);
  }
  return sum / (double)(n - t);
}

/* Time constant of an exponential with the integrated time tau_int, times S = 1.5. */
static double window_time(double tau_int)
{
  return tau_int <= 0.5 ? 1e-12 : 1.5 / log((2.0 * tau_int + 1.0) / (2.0 * tau_int - 1.0));
}

struct autocorrelation autocorrelation_gamma(const double *values, size_t n)
{
  struct autocorrelation out = {.tau = 0.5};
  for (size_t i = 0; i < n; i++) {
    out.mean += (values[i] - out.mean) / (double)(i + 1);
  }
  double variance = covariance_at(values, n, out.mean, 0);
  if (!(variance > 0)) {
    return out;
  }
  double sum = 0.5;
  for (size_t t = 1; t < n / 2 + 1; t++) {
    sum += covariance_at(values, n, out.mean, t) / variance;
    out.window = t;
    double tau = window_time(sum);
    if (exp(-(double)t / tau) < tau / sqrt((double)t * (double)n)) {
      break;
    }
  }
  double width = 2.0 * (double)out.window + 1.0, total = 2.0 * sum * variance; /* error^2 of the mean, times n */
  variance += total / (double)n; /* bias of the subtracted mean: every Gamma(t) grows by it */
  total += width * total / (double)n;
  out.tau = total / (2.0 * variance);
  out.error = sqrt(fmax(total, 0) / (double)n);
  out.tau_error = 2.0 * out.tau * sqrt(fmax((double)out.window + 0.5 - out.tau, 0) / (double)n);
  return out;
}
