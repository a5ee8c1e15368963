/* Reweighting: an observable at a coupling that was not simulated, from ensembles at several that were.
 *
 * Ensemble i has n_i configurations with weight exp(-b_i E). Pooled, configuration k stands for
 *
 *   w_k(b) = exp(-b E_k) / sum_i n_i exp(f_i - b_i E_k),   exp(-f_i) = sum_k w_k(b_i)
 *   <O>(b) = sum_k w_k O_k / sum_k w_k,                    log Z(b) = log sum_k w_k(b) - log sum_k w_k(b_0)
 * The f_i are fixed by their own equation, the minimum of the convex function sum_k log sum_i n_i exp(f_i - b_i E_k) -
 * sum_i n_i f_i: Newton's method finds it in a few steps, f_0 = 0. (sum w)^2 / sum w^2 counts the configurations that
 * take part: where it is small, the ensembles do not reach to b.
 *
 * Source: A. M. Ferrenberg, R. H. Swendsen, Phys. Rev. Lett. 63 (1989) 1195; without histograms: M. R. Shirts, J. D.
 * Chodera, J. Chem. Phys. 129 (2008) 124105. Thread rule: pure functions. */
#ifndef TWINCUBE_PHYSICS_STATISTICS_MULTI_HISTOGRAM_H
#define TWINCUBE_PHYSICS_STATISTICS_MULTI_HISTOGRAM_H

#include <stddef.h>

struct ensembles {
  const double *couplings; /* [count]: b_i */
  const size_t *sizes;     /* [count]: n_i, of which one at least is above 0 */
  size_t count;
  const double *energies;     /* E_k: those of ensemble 0, of ensemble 1, … */
  size_t configurations;      /* in all */
  const volatile int *cancel; /* becomes nonzero: what is computed ends early and means nothing; or NULL */
};

/* Doubles of work space. */
size_t multi_histogram_work(size_t ensembles);

/* Fills f [count]; what it holds is the first guess (0 where nothing is known). -1 where that does not converge: the
 * ensembles do not overlap. Ensembles without a configuration get NaN. */
int multi_histogram_solve(const struct ensembles *ensembles, double *f, double *work);

struct reweighting {
  double log_z;     /* log Z(b) - log Z(b_0) */
  double effective; /* configurations that take part */
};

/* Fills weights [configurations] at the coupling, of sum 1. */
struct reweighting multi_histogram_weights(const struct ensembles *ensembles, const double *f, double coupling,
                                           double *weights);

#endif
