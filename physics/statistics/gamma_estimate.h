/* The Gamma method: errors of Markov chains from their autocorrelation.
 *
 *   Gamma(t) = 1/(N - R t) sum_r sum_i d_i^r d_{i+t}^r,   d = deviation from the mean of all R replicas, N values in
 * all; where t reaches beyond a chain, the sums and the count of pairs are those of the longer ones.
 *
 *   C(W) = Gamma(0) + 2 sum_{t=1..W} Gamma(t);   error^2 = C/N;   tau_int = C / (2 Gamma(0))
 * The window W is the first t at which exp(-t/tau) - tau/sqrt(t N) turns negative, where tau is the decay time of an
 * exponential with the integrated time up to t, times S: there the truncation of the sum and its noise balance. It lies
 * within half of the longest chain. Many short chains of strong correlation have none: what they forget is not seen.
 * Gamma is corrected for the mean that was subtracted: every Gamma(t) grows by C/N. tau_int = 1/2 for independent
 * values.
 *
 * A quantity f of the means of several observables has the fluctuations of the one series sum_k (df/dm_k) (a_k - m_k):
 * hand in that series, and take f for the value.
 *
 * Source: U. Wolff, Comp. Phys. Comm. 156 (2004) 143 (hep-lat/0306017), section 3. Autocorrelation function's error:
 * M. Luescher, Comp. Phys. Comm. 165 (2005) 199 (hep-lat/0409106), equation (E.11). Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_GAMMA_ESTIMATE_H
#define TWINCUBE_PHYSICS_STATISTICS_GAMMA_ESTIMATE_H

#include <stddef.h>

/* Replicas: independent chains of one kind, one behind the other. */
struct chains {
  const double *values;
  const size_t *lengths;      /* values of each chain */
  size_t count;               /* chains, at least 1 */
  const volatile int *cancel; /* becomes nonzero: the estimate ends early and means nothing; or NULL */
};

struct gamma_estimate {
  double value, error;   /* mean, and its error with autocorrelation */
  double error_error;    /* statistical error of the error */
  double tau, tau_error; /* integrated autocorrelation time, in steps of the chain */
  double window;         /* W */
  double samples;        /* N */
  double effective;      /* independent values that would tell as much: N / (2 tau) */
  double replica_p;      /* chance that means of replicas differ more than these do; 1 for one replica */
};

size_t chains_length(const struct chains *chains); /* N */

/* Doubles of work space. */
size_t gamma_method_work(const struct chains *chains);

/* Chains without a value count as none. Constant values: error 0, tau 1/2. N under 2: all but value and samples NaN.
 * All but these and the window NaN where C is not above 0, or where no distance is a window: W is the largest one then.
 * S of the window: about 1 to 2. */
struct gamma_estimate gamma_method(const struct chains *chains, double s, double *work);

/* rho(t) = Gamma(t)/Gamma(0) and its error, t = 0 … lags; NaN where no chain is longer than t, or the values are
 * constant. The error's sum ends lags + W terms from 0; it is NaN where no distance is a window. */
void autocorrelation_function(const struct chains *chains, size_t lags, double *rho, double *error, double *work);

#endif
