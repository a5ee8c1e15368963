/* Average of independent measurements by their errors.
 *
 *   value = sum x/e^2 / sum 1/e^2;  error = (sum 1/e^2)^(-1/2);  chi^2 = sum ((x - value)/e)^2, n - 1 degrees of
 * freedom scale = sqrt(chi^2/(n - 1)) where that is above 1: what errors would have to grow by for the measurements to
 * agree
 *
 * Source: Particle Data Group, Review of Particle Physics, introduction, section 5.2.2. Thread rule: pure function. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_AVERAGE_BY_ERRORS_H
#define TWINCUBE_PHYSICS_STATISTICS_AVERAGE_BY_ERRORS_H

#include <stddef.h>

struct weighted_average {
  double value, error;
  double chi_square, degrees; /* degrees of freedom: n - 1 */
  double p;                   /* chance of a larger chi^2; NaN for one measurement */
  double scale;               /* at least 1 */
};

/* n at least 1. An error that is not above 0 makes all but degrees NaN. */
struct weighted_average weighted_average(const double *values, const double *errors, size_t n);

#endif
