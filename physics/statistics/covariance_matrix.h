/* Covariance of observables, as it is or shrunk towards a simpler matrix.
 *
 *   S_ij = 1/(n - 1) sum_k d_ki d_kj;   shrunk: (1 - w) S + w T
 * With few samples for many observables S is ill-conditioned or singular; a share w of a target T that has no noise
 * mends that, w chosen so that the expected squared error is least:
 *   LEDOIT_WOLF        T = the mean variance on the diagonal;  w from the spread of the samples' own products
 *   SCHAEFER_STRIMMER  T = the variances themselves: correlations shrink; w = sum Var(r_ij) / sum r_ij^2, i != j
 * w is cut to 0 … 1.
 *
 * Source: O. Ledoit, M. Wolf, J. Multivariate Analysis 88 (2004) 365, lemmas 3.2 to 3.5; J. Schaefer, K. Strimmer,
 * Stat. Appl. Genet. Mol. Biol. 4 (2005) 32, table 1, target D. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_COVARIANCE_MATRIX_H
#define TWINCUBE_PHYSICS_STATISTICS_COVARIANCE_MATRIX_H

#include "physics/statistics/samples.h"

enum shrinkage { SHRINKAGE_NONE, SHRINKAGE_LEDOIT_WOLF, SHRINKAGE_SCHAEFER_STRIMMER, SHRINKAGE_DIAGONAL };

/* Fills covariance [observables][observables] of single samples; returns the share w of the target. DIAGONAL: the
 * variances alone, w = 1. At least 2 samples. work: as many doubles as there are observables. Once *cancel (may be
 * NULL) is nonzero it ends early, and the results mean nothing. */
double covariance_matrix(const struct samples *samples, enum shrinkage shrinkage, double *covariance, double *work,
                         const volatile int *cancel);

#endif
