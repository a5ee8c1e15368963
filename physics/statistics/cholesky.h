/* Small symmetric positive matrices: Cholesky's factor A = L L^T and what is solved with it.
 *
 * Matrices are [n][n], row by row; of L the lower triangle counts. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_CHOLESKY_H
#define TWINCUBE_PHYSICS_STATISTICS_CHOLESKY_H

#include <stddef.h>

/* L into the lower triangle of a. -1 where A is not positive definite to the precision of doubles. */
int cholesky_factor(double *a, size_t n);

/* b becomes L^-1 b; (L^T)^-1 b. */
void cholesky_forward(const double *l, size_t n, double *b);
void cholesky_back(const double *l, size_t n, double *b);

/* A^-1 into `out`, another matrix. */
void cholesky_inverse(const double *l, size_t n, double *out);

#endif
