/* Statistics that nobody wants any more end at once: with `cancel` set beforehand they fill nothing. */
#include "physics/statistics/chi_square_fit.h"
#include "physics/statistics/covariance_matrix.h"
#include "physics/statistics/gamma_estimate.h"
#include "physics/statistics/multi_histogram.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const volatile int unwanted = 1, wanted = 0;

enum { N = 40, K = 4 };

/* Numbers without a pattern that matters here. */
static void fill(double *x)
{
  for (size_t i = 0; i < N; i++) {
    x[i] = 3 + sin(7.0 * (double)(i * i));
  }
}

static void covariances(void **state)
{
  (void)state;
  const double untouched = 12345;
  double x[N], work[K], covariance[K * K];
  fill(x);
  const struct samples samples = {x, N / K, K};
  covariance[K] = untouched;
  covariance_matrix(&samples, SHRINKAGE_NONE, covariance, work, &unwanted);
  assert_true(covariance[K] == untouched);
  covariance_matrix(&samples, SHRINKAGE_NONE, covariance, work, &wanted);
  assert_true(covariance[K] != untouched);
}

static void autocorrelations(void **state)
{
  (void)state;
  const size_t n = N;
  double x[N], rho[2], error[2];
  fill(x);
  struct chains chains = {x, &n, 1, &wanted};
  double *work = calloc(gamma_method_work(&chains), sizeof *work);
  assert_non_null(work);
  autocorrelation_function(&chains, 1, rho, error, work);
  assert_true(rho[0] == 1 && rho[1] < 1);
  chains.cancel = &unwanted;
  autocorrelation_function(&chains, 1, rho, error, work);
  assert_true(isnan(rho[0]) && isnan(rho[1]));
  free(work);
}

static void level(const struct fit_model *model, const double *p, double *values, double *slopes)
{
  (void)model;
  values[0] = p[0];
  slopes[0] = 1;
}

static void fits(void **state)
{
  (void)state;
  const double y = 2, factor = 1, start = 1;
  double p, covariance, *work = calloc(correlated_fit_work(1, 1), sizeof *work);
  assert_non_null(work);
  const struct fit_model model = {level, NULL};
  struct fit_problem problem = {&model, 1, 1, &y, &factor, NULL, NULL, &start, &wanted};
  assert_true(correlated_fit(&problem, &p, &covariance, work).converged && fabs(p - 2) < 1e-6);
  problem.cancel = &unwanted;
  assert_true(!correlated_fit(&problem, &p, &covariance, work).converged && isnan(p));
  free(work);
}

static void reweightings(void **state)
{
  (void)state;
  const double couplings[] = {1, 1.1};
  const size_t sizes[] = {N / 2, N / 2};
  double x[N], f[2] = {0}, *work = calloc(multi_histogram_work(2), sizeof *work);
  assert_non_null(work);
  fill(x);
  struct ensembles ensembles = {couplings, sizes, 2, x, N, &unwanted};
  assert_int_equal(multi_histogram_solve(&ensembles, f, work), -1);
  ensembles.cancel = &wanted;
  assert_int_equal(multi_histogram_solve(&ensembles, f, work), 0);
  free(work);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(covariances),
      cmocka_unit_test(autocorrelations),
      cmocka_unit_test(fits),
      cmocka_unit_test(reweightings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
