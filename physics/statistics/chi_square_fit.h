/* Least squares with correlated errors.
 *
 *   chi^2(p) = (y - f(p))^T C^-1 (y - f(p)) + sum_j ((p_j - prior_j)/width_j)^2
 * With C = L L^T, residuals and slopes are whitened, r = L^-1 (y - f), J = L^-1 df/dp, and (J^T J + lambda D) s = J^T r
 * is solved again and again (Levenberg and Marquardt); D = the largest diagonal so far, lambda follows how well a step
 * was foreseen. The parameters' covariance is (J^T J)^-1 at the end. Each prior is one more measurement.
 *
 * Source: K. Levenberg, Quart. Appl. Math. 2 (1944) 164; D. Marquardt, J. SIAM 11 (1963) 431; damping: H. B. Nielsen,
 * IMM-REP-1999-05 (1999). Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_CHI_SQUARE_FIT_H
#define TWINCUBE_PHYSICS_STATISTICS_CHI_SQUARE_FIT_H

#include <stdbool.h>
#include <stddef.h>

/* Fills values [points] and slopes [parameters][points] of the function at these parameters. */
struct fit_model {
  void (*evaluate)(const struct fit_model *model, const double *parameters, double *values, double *slopes);
  void *data;
};

struct fit_problem {
  const struct fit_model *model;
  size_t points, parameters;
  const double *y;            /* [points] */
  const double *factor;       /* L of the covariance of y, [points][points] */
  const double *prior;        /* [parameters], NaN: none; or NULL */
  const double *width;        /* [parameters] of the priors, above 0 */
  const double *start;        /* [parameters] */
  const volatile int *cancel; /* becomes nonzero: the fit ends early, as one that does not converge; or NULL */
};

struct fit_result {
  bool converged;
  double chi_square, degrees; /* degrees of freedom: points - parameters + priors */
  double p;                   /* chance of a larger chi^2; NaN without degrees of freedom */
};

/* Doubles of work space. */
size_t correlated_fit_work(size_t points, size_t parameters);

/* Fills parameters and, unless NULL, their covariance [parameters][parameters]. Where the fit does not converge, both
 * are NaN, and chi_square is that of the last step. */
struct fit_result correlated_fit(const struct fit_problem *problem, double *parameters, double *covariance,
                                 double *work);

#endif
