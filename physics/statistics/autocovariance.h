/* Sums of products of a series with itself at all distances, by the fast Fourier transform.
 *
 *   sum(t) = sum_{i=0..n-1-t} d_i d_{i+t}
 * The series is padded with zeros to a power of two m, so that nothing wraps around; |transform|^2 transformed back is
 * the sums. O(m log m), whatever the distances: a chain that never decorrelates costs as much as another one.
 *
 * Source: N. Wiener, "Generalized harmonic analysis", Acta Math. 55 (1930) 117; J. W. Cooley, J. W. Tukey, Math. Comp.
 * 19 (1965) 297. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_AUTOCOVARIANCE_H
#define TWINCUBE_PHYSICS_STATISTICS_AUTOCOVARIANCE_H

#include <stddef.h>

/* Doubles of work space for n values and distances 0 … most. */
size_t autocovariance_work(size_t n, size_t most);

/* Adds sum(t) of the n deviations d to sums[t], t = 0 … most. most < n, n at least 1. Once *cancel (may be NULL) is
 * nonzero it ends early, and the sums mean nothing. */
void autocovariance_add(const double *d, size_t n, size_t most, double *sums, double *work, const volatile int *cancel);

#endif
