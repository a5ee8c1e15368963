/* The normal and the chi-square distribution.
 *
 *   normal:     P(x) = erfc(-x / sqrt 2) / 2; its inverse by Halley's steps from a rational guess
 *   chi-square: Q(chi2, k) = Gamma(k/2, chi2/2) / Gamma(k/2), by the power series below k/2 + 1, by the continued
 *               fraction above
 *
 * Source: M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions (1964), 6.5.29, 6.5.31, 26.2.23, 26.4.19.
 * Thread rule: pure functions (the log-Gamma function is used through lgamma_r). */
#ifndef TWINCUBE_PHYSICS_STATISTICS_DISTRIBUTIONS_H
#define TWINCUBE_PHYSICS_STATISTICS_DISTRIBUTIONS_H

/* Chance of less than x. */
double normal_probability(double x);

/* The x of a probability in 0 … 1 (infinite at the ends). Relative error some 1e-15. */
double normal_quantile(double probability);

/* Chance of more than chi2 (p value of a fit) for `degrees` of freedom > 0. 1 for chi2 <= 0. */
double chi_square_tail(double chi2, double degrees);

#endif
