/* Bootstrap: the distribution of an estimate, from samples that are drawn again with replacement (bins_drawn).
 *
 * From the estimates of all draws, sorted:
 *   error       their standard deviation
 *   percentile  the interval between their quantiles (1 -+ confidence)/2
 *   BCa         the interval between quantiles that are moved for bias and skewness: with z0 the normal quantile of the
 *               share of draws below the estimate, and a = sum d^3 / (6 (sum d^2)^1.5) of the leave-one-out estimates
 *               (d = their mean less each), the normal quantile z becomes z0 + (z0 + z)/(1 - a (z0 + z))
 * Quantiles lie on straight lines between neighbours.
 *
 * Source: B. Efron, "Better bootstrap confidence intervals", J. Am. Stat. Assoc. 82 (1987) 171. Thread rule: pure
 * functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_BOOTSTRAP_DRAWS_H
#define TWINCUBE_PHYSICS_STATISTICS_BOOTSTRAP_DRAWS_H

#include <stddef.h>

struct bootstrap_estimate {
  double value, error; /* of all data; standard deviation of the draws */
  double lower, upper; /* of the interval */
};

/* What the intervals are made of. */
struct bootstrap_draws {
  double *estimates; /* of each draw; sorted in place */
  size_t count;      /* at least 2 */
  double value;      /* the estimate of all data */
  double confidence; /* between 0 and 1 */
};

/* Any NaN among the draws makes error and interval NaN. */
struct bootstrap_estimate bootstrap_percentile(struct bootstrap_draws draws);

/* left_out: estimates that leave out one bin each, n at least 2. Where all draws are the same, that is the interval. */
struct bootstrap_estimate bootstrap_bca(struct bootstrap_draws draws, const double *left_out, size_t n);

#endif
