/* Autocorrelation of a Markov chain by the Gamma method.
 *
 *   Gamma(t)  = 1/(n - t) sum_i (a_i - mean)(a_{i+t} - mean)
 *   tau_int   = 1/2 + sum_{t=1..W} Gamma(t)/Gamma(0);   error of the mean = sqrt(2 tau_int Gamma(0) / n)
 * The window W is the first t at which exp(-t/tau) - tau/sqrt(t n) turns negative, tau from tau_int at that t with
 * S = 1.5: there the statistical error of the sum and the truncation error balance. Gamma is corrected for the
 * bias of the subtracted mean. For independent values tau_int = 1/2.
 *
 * Source: U. Wolff, Comp. Phys. Comm. 156 (2004) 143, section 3. Thread rule: pure function. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_AUTOCORRELATION_H
#define TWINCUBE_PHYSICS_STATISTICS_AUTOCORRELATION_H

#include <stddef.h>

struct autocorrelation {
  double mean, error;    /* of the values, and its error with autocorrelation */
  double tau, tau_error; /* integrated autocorrelation time, in steps of the chain */
  size_t window;         /* W */
};

/* n at least 2. Constant values: error 0, tau 1/2. */
struct autocorrelation autocorrelation_gamma(const double *values, size_t n);

#endif
