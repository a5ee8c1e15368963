/* Jackknife: the error of any estimate by leaving out one bin at a time.
 *
 *   theta_b = estimate without bin b, b = 1 … N;  error^2 = (N - 1)/N sum_b (theta_b - mean theta)^2
 * The value is the estimate from all data, not corrected for bias (the bias is of order 1/n, the error of order
 * 1/sqrt n). Bins are consecutive values, so that bins longer than the autocorrelation time make the error honest for a
 * Markov chain; the last bin holds what is left over. For the mean and bins of one value this is the standard error.
 *
 * Source: B. Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", SIAM (1982), chapter 3.
 * Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_JACKKNIFE_H
#define TWINCUBE_PHYSICS_STATISTICS_JACKKNIFE_H

#include "physics/statistics/samples.h"

struct estimate {
  double value;
  double error; /* NaN where there are fewer than two bins */
};

/* Error from the estimates that leave out one bin each. */
double jackknife_error(const double *estimates, size_t n);

/* The mean of the first observable. */
struct estimate jackknife_mean(const struct binned *bins);

#endif
