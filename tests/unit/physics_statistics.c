/* Statistics against closed forms, plain sums, and processes whose answers are known. */
#include "physics/random/philox.h"
#include "physics/statistics/autocovariance.h"
#include "physics/statistics/bootstrap_draws.h"
#include "physics/statistics/cholesky.h"
#include "physics/statistics/chi_square_fit.h"
#include "physics/statistics/covariance_matrix.h"
#include "physics/statistics/distributions.h"
#include "physics/statistics/jackknife_bins.h"
#include "physics/statistics/multi_histogram.h"
#include "physics/statistics/average_by_errors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics_gamma.h"
#include "physics_jackknife.h"

static void assert_near(double a, double b, double tolerance)
{
  if (!(fabs(a - b) <= tolerance)) {
    print_error("%.17g is not %.17g\n", a, b);
  }
  assert_true(fabs(a - b) <= tolerance);
}

static double *doubles(size_t n)
{
  double *out = calloc(n, sizeof *out);
  assert_non_null(out);
  return out;
}

static void normals(uint64_t seed, size_t n, double *out)
{
  philox_normals((struct philox_stream){.seed = seed}, 0, n, out);
}

/* x_{i+1} = a x_i + sqrt(1 - a^2) noise, stationary from the first value on. */
static void autoregressive(double a, uint64_t seed, size_t n, double *x)
{
  normals(seed, n, x);
  for (size_t i = 1; i < n; i++) {
    x[i] = a * x[i - 1] + sqrt(1 - a * a) * x[i];
  }
}

/* ---- autocorrelation -------------------------------------------------------------------------------------------- */

static void transform_gives_the_plain_sums(void **state)
{
  (void)state;
  const size_t sizes[] = {1, 2, 3, 64, 65, 1000};
  for (size_t k = 0; k < 6; k++) {
    size_t n = sizes[k];
    double *d = doubles(n), *sums = doubles(n), *work = doubles(autocovariance_work(n, n - 1));
    normals(7, n, d);
    autocovariance_add(d, n, n - 1, sums, work, NULL);
    for (size_t t = 0; t < n; t++) {
      double sum = 0;
      for (size_t i = 0; i + t < n; i++) {
        sum += d[i] * d[i + t];
      }
      assert_near(sums[t], sum, 1e-12 * (double)n);
    }
    free(d);
    free(sums);
    free(work);
  }
}

/* Wolff's formulas for two chains, written once more with plain sums over the pairs that there are. */
static void check_two_chains(size_t first)
{
  enum { N = 500 };
  const size_t lengths[] = {first, N - first};
  double x[N], *work, gamma[101], mean = 0;
  autoregressive(0.7, 3, N, x);
  for (size_t i = 0; i < N; i++) {
    mean += x[i] / N;
  }
  for (size_t t = 0; t <= 100; t++) {
    double sum = 0, pairs = 0;
    for (size_t i = 0; i < N; i++) {
      size_t end = i < first ? first : N;
      sum += i + t < end ? (x[i] - mean) * (x[i + t] - mean) : 0;
      pairs += i + t < end;
    }
    gamma[t] = sum / pairs;
  }
  double c = gamma[0];
  size_t w = 0;
  for (double g = 1; g > 0;) {
    w++;
    c += 2 * gamma[w];
    double tau = 1.5 / log((c / gamma[0] + 1) / (c / gamma[0] - 1));
    g = exp(-(double)w / tau) - tau / sqrt((double)w * N);
  }
  double c_fixed = c * (1 + (2.0 * (double)w + 1) / N), variance = gamma[0] + c / N;
  const struct chains chains = {x, lengths, 2, NULL};
  work = doubles(gamma_method_work(&chains));
  struct gamma_estimate e = gamma_method(&chains, 1.5, work);
  assert_near(e.value, mean, 1e-15);
  assert_near(e.window, (double)w, 0);
  assert_true(w > 6);
  assert_near(e.error, sqrt(c_fixed / N), 1e-14);
  assert_near(e.tau, c_fixed / (2 * variance), 1e-13);
  assert_near(e.error_error, e.error * sqrt(((double)w + 0.5) / N), 1e-15);
  assert_near(e.effective, N / (2 * e.tau), 1e-10);
  assert_true(e.replica_p > 0 && e.replica_p < 1);
  free(work);
}

static void gamma_method_follows_the_paper(void **state)
{
  (void)state;
  const size_t first[] = {200, 494, 499, 6, 1};
  for (size_t k = 0; k < 5; k++) {
    check_two_chains(first[k]);
  }
}

/* Chains of four values that never change: within them nothing is forgotten, so there is no window and no error. */
static void chains_without_a_window_have_no_error(void **state)
{
  (void)state;
  enum { CHAINS = 50, EACH = 4 };
  double x[CHAINS * EACH], level[CHAINS];
  size_t lengths[CHAINS];
  normals(12, CHAINS, level);
  for (size_t i = 0; i < CHAINS * EACH; i++) {
    x[i] = level[i / EACH];
    lengths[i / EACH] = EACH;
  }
  const struct chains chains = {x, lengths, CHAINS, NULL};
  double *work = doubles(gamma_method_work(&chains));
  struct gamma_estimate e = gamma_method(&chains, 1.5, work);
  assert_true(e.samples == CHAINS * EACH && e.window == EACH / 2);
  assert_near(e.value, mean_of(level, CHAINS), 1e-14);
  assert_true(isnan(e.error) && isnan(e.error_error) && isnan(e.tau) && isnan(e.tau_error) && isnan(e.effective));
  double rho, error;
  autocorrelation_function(&chains, 0, &rho, &error, work);
  assert_true(rho == 1 && isnan(error));
  free(work);
}

/* 300 chains: the truth lies within one error in 68.3 % of them, within 3 binomial errors of that. */
static void errors_cover_the_truth(void **state)
{
  (void)state;
  enum { SETS = 300, N = 2000 };
  double *x = doubles(N), pull = 0;
  int covered = 0, binned = 0;
  for (uint64_t k = 0; k < SETS; k++) {
    autoregressive(0.8, 1000 + k, N, x);
    struct gamma_estimate e = gamma_of(x, N);
    struct estimate j = jackknife_of(x, N, 50);
    covered += fabs(e.value) < e.error;
    binned += fabs(j.value) < j.error;
    pull += e.value / e.error;
  }
  printf("  covered: Gamma method %d, jackknife %d of %d\n", covered, binned, SETS);
  assert_near(covered, 0.683 * SETS, 3 * sqrt(SETS * 0.683 * 0.317));
  assert_near(binned, 0.683 * SETS, 3 * sqrt(SETS * 0.683 * 0.317));
  assert_near(pull / SETS, 0, 4 / sqrt(SETS));
  free(x);
}

static void replicas_that_disagree_are_seen(void **state)
{
  (void)state;
  enum { N = 4000 };
  const size_t lengths[] = {N / 2, 0, N / 2};
  double *x = doubles(N);
  normals(5, N, x);
  const struct chains chains = {x, lengths, 3, NULL};
  double *work = doubles(gamma_method_work(&chains));
  assert_true(gamma_method(&chains, 1.5, work).replica_p > 1e-3);
  for (size_t i = 0; i < N / 2; i++) {
    x[i] += 0.5;
  }
  assert_true(gamma_method(&chains, 1.5, work).replica_p < 1e-3);
  free(work);
  free(x);
}

/* rho(t) = a^t; a chain that never forgets ends as well. */
static void autocorrelation_decays(void **state)
{
  (void)state;
  enum { N = 100000, LAGS = 20 };
  double *x = doubles(N), rho[LAGS + 1], error[LAGS + 1];
  const size_t n = N;
  const struct chains chains = {x, &n, 1, NULL};
  double *work = doubles(gamma_method_work(&chains));
  autoregressive(0.8, 11, N, x);
  autocorrelation_function(&chains, LAGS, rho, error, work);
  assert_near(rho[0], 1, 1e-15);
  assert_near(error[0], 0, 1e-15);
  for (int t = 1; t <= LAGS; t++) {
    assert_near(rho[t], pow(0.8, t), 4 * error[t]);
    assert_true(error[t] < 0.02);
  }
  for (size_t i = 0; i < N; i++) {
    x[i] = (double)i;
  }
  assert_true(gamma_method(&chains, 1.5, work).tau > 1000);
  free(work);
  free(x);
}

static void too_few_values_have_no_error(void **state)
{
  (void)state;
  const double x[] = {4, (double)NAN}, turns[] = {1, -1, 1, -1, 1, -1, 1, -1};
  struct gamma_estimate one = gamma_of(x, 1), none = gamma_of(x, 0), spoiled = gamma_of(x, 2);
  assert_true(one.value == 4 && isnan(one.error) && one.samples == 1);
  assert_true(isnan(none.value) && none.samples == 0);
  assert_true(isnan(spoiled.value) && isnan(spoiled.error) && spoiled.samples == 2);
  struct gamma_estimate turning = gamma_of(turns, 8); /* 1 + 2 rho(1) = -1 */
  assert_true(turning.value == 0 && isnan(turning.error) && isnan(turning.tau) && turning.window == 1);
}

/* ---- bins and bootstrap ----------------------------------------------------------------------------------------- */

static void bins_give_plain_means(void **state)
{
  (void)state;
  enum { N = 23, K = 2, SIZE = 4 };
  double values[N * K], means[K];
  normals(6, N * K, values);
  const struct samples samples = {values, N, K};
  double *work = doubles(bins_work(&samples, SIZE));
  struct binned bins = bins_of(&samples, SIZE, work);
  assert_int_equal(bins.count, 6);
  for (size_t b = 0; b < bins.count; b++) {
    bins_without(&bins, b, means);
    for (size_t k = 0; k < K; k++) {
      double sum = 0, n = 0;
      for (size_t i = 0; i < N; i++) {
        sum += i / SIZE == b ? 0 : values[i * K + k];
        n += i / SIZE != b;
      }
      assert_near(means[k], sum / n, 1e-14);
    }
  }
  free(work);
}

/* Of a mean: the error is sigma/sqrt n, the intervals are those of a normal. */
static void bootstrap_of_a_mean_is_normal(void **state)
{
  (void)state;
  enum { N = 1000, DRAWS = 4000 };
  double *values = doubles(N), *draws = doubles(DRAWS), *left_out = doubles(N);
  normals(8, N, values);
  const struct samples samples = {values, N, 1};
  double *work = doubles(bins_work(&samples, 1));
  struct binned bins = bins_of(&samples, 1, work);
  for (uint64_t d = 0; d < DRAWS; d++) {
    bins_drawn(&bins, (struct philox_stream){9, d}, &draws[d]);
  }
  for (size_t b = 0; b < N; b++) {
    bins_without(&bins, b, &left_out[b]);
  }
  struct estimate exact = jackknife_of(values, N, 1);
  struct bootstrap_draws given = {draws, DRAWS, exact.value, 0.6826894921370859};
  struct bootstrap_estimate percentile = bootstrap_percentile(given), bca = bootstrap_bca(given, left_out, N);
  assert_near(percentile.error / exact.error, 1, 4 / sqrt(2.0 * DRAWS));
  assert_near((percentile.upper - exact.value) / exact.error, 1, 0.08);
  assert_near((exact.value - percentile.lower) / exact.error, 1, 0.08);
  assert_near((bca.upper - percentile.upper) / exact.error, 0, 0.08);
  assert_near((bca.lower - percentile.lower) / exact.error, 0, 0.08);
  free(work);
  free(values);
  free(draws);
  free(left_out);
}

static void bootstrap_of_a_constant_is_a_point(void **state)
{
  (void)state;
  double draws[] = {3, 3, 3}, spoiled[] = {3, (double)NAN, 3};
  const double left_out[] = {3, 3};
  struct bootstrap_estimate e = bootstrap_bca((struct bootstrap_draws){draws, 3, 3, 0.9}, left_out, 2);
  assert_true(e.error == 0 && e.lower == 3 && e.upper == 3);
  e = bootstrap_percentile((struct bootstrap_draws){spoiled, 3, 3, 0.9});
  assert_true(e.value == 3 && isnan(e.error) && isnan(e.lower));
}

/* ---- distributions ---------------------------------------------------------------------------------------------- */

static void distributions_have_known_values(void **state)
{
  (void)state;
  assert_near(normal_quantile(0.975), 1.959963984540054, 1e-14);
  assert_near(normal_quantile(1e-10), -6.361340902404056, 1e-13);
  assert_near(normal_quantile(0.5), 0, 1e-16);
  assert_true(normal_quantile(0) < -1e300 && isnan(normal_quantile(1.5)));
  for (double x = -6; x < 3; x += 0.37) {
    assert_near(normal_quantile(normal_probability(x)), x, 1e-9);
  }
  for (double x = 0.1; x < 200; x *= 1.7) { /* two degrees: exp(-x/2); one: the normal's two tails */
    assert_near(chi_square_tail(x, 2) / exp(-x / 2), 1, 1e-13);
    assert_near(chi_square_tail(x, 1) / erfc(sqrt(x / 2)), 1, 1e-12);
    assert_near(chi_square_tail(x, 4) / ((1 + x / 2) * exp(-x / 2)), 1, 1e-12);
  }
  assert_true(chi_square_tail(0, 3) == 1 && chi_square_tail((double)INFINITY, 3) == 0);
  assert_near(chi_square_tail(1e4, 1e4), 0.4981193, 1e-6);
}

/* ---- matrices --------------------------------------------------------------------------------------------------- */

static void inverse_times_matrix_is_one(void **state)
{
  (void)state;
  enum { N = 6 };
  double random[2 * N * N], a[N * N] = {0}, l[N * N], inverse[N * N];
  normals(12, 2 * N * N, random);
  for (size_t i = 0; i < N; i++) {
    for (size_t j = 0; j < N; j++) {
      for (size_t k = 0; k < 2 * N; k++) {
        a[i * N + j] += random[k * N + i] * random[k * N + j];
      }
    }
  }
  memcpy(l, a, sizeof l);
  assert_int_equal(cholesky_factor(l, N), 0);
  cholesky_inverse(l, N, inverse);
  for (size_t i = 0; i < N; i++) {
    for (size_t j = 0; j < N; j++) {
      double sum = 0;
      for (size_t k = 0; k < N; k++) {
        sum += a[i * N + k] * inverse[k * N + j];
      }
      assert_near(sum, i == j, 1e-12);
    }
  }
  double singular[] = {1, 1, 1, 1};
  assert_int_equal(cholesky_factor(singular, 2), -1);
}

/* Uncorrelated observables of unequal variance, few samples: shrinking brings the estimate nearer to the truth. */
static void shrinking_lowers_the_distance(void **state)
{
  (void)state;
  enum { N = 12, K = 10, SETS = 50 };
  double values[N * K], covariance[K * K], work[K], distance[4] = {0};
  for (uint64_t set = 0; set < SETS; set++) {
    normals(100 + set, N * K, values);
    for (size_t i = 0; i < N * K; i++) {
      values[i] *= 1 + (double)(i % K);
    }
    const struct samples samples = {values, N, K};
    for (int kind = SHRINKAGE_NONE; kind <= SHRINKAGE_DIAGONAL; kind++) {
      double weight = covariance_matrix(&samples, (enum shrinkage)kind, covariance, work, NULL);
      assert_true(weight >= 0 && weight <= 1);
      assert_true(kind != SHRINKAGE_NONE || weight == 0);
      for (size_t i = 0; i < K * K; i++) {
        double truth = i / K == i % K ? pow(1 + (double)(i % K), 2) : 0, off = covariance[i] - truth;
        distance[kind] += off * off;
      }
    }
  }
  assert_true(distance[SHRINKAGE_LEDOIT_WOLF] < 0.8 * distance[SHRINKAGE_NONE]);
  assert_true(distance[SHRINKAGE_SCHAEFER_STRIMMER] < 0.6 * distance[SHRINKAGE_NONE]);
  assert_true(distance[SHRINKAGE_DIAGONAL] <= distance[SHRINKAGE_SCHAEFER_STRIMMER]);
}

/* ---- fits ------------------------------------------------------------------------------------------------------- */

enum { POINTS = 5 };

/* a + b x, x = 0 … POINTS - 1. */
static void line(const struct fit_model *model, const double *p, double *values, double *slopes)
{
  (void)model;
  for (size_t i = 0; i < POINTS; i++) {
    values[i] = p[0] + p[1] * (double)i;
    slopes[i] = 1;
    slopes[POINTS + i] = (double)i;
  }
}

/* a exp(-b x). */
static void decay(const struct fit_model *model, const double *p, double *values, double *slopes)
{
  (void)model;
  for (size_t i = 0; i < POINTS; i++) {
    double e = exp(-p[1] * (double)i);
    values[i] = p[0] * e;
    slopes[i] = e;
    slopes[POINTS + i] = -p[0] * (double)i * e;
  }
}

static void fill_covariance(double *covariance)
{
  for (size_t i = 0; i < POINTS; i++) {
    for (size_t j = 0; j < POINTS; j++) {
      covariance[i * POINTS + j] = 0.01 * pow(0.6, fabs((double)i - (double)j));
    }
  }
}

/* The normal equations (A^T C^-1 A) p = A^T C^-1 y, with an inverse of C. */
static void line_fit_solves_the_normal_equations(void **state)
{
  (void)state;
  const double y[POINTS] = {1.1, 1.9, 3.2, 3.9, 5.1}, start[] = {0, 0};
  double factor[POINTS * POINTS], inverse[POINTS * POINTS], m[3] = {0}, right[2] = {0}, p[2], covariance[4];
  fill_covariance(factor);
  assert_int_equal(cholesky_factor(factor, POINTS), 0);
  cholesky_inverse(factor, POINTS, inverse);
  for (size_t i = 0; i < POINTS; i++) {
    for (size_t j = 0; j < POINTS; j++) {
      double w = inverse[i * POINTS + j];
      m[0] += w;
      m[1] += w * (double)j;
      m[2] += w * (double)(i * j);
      right[0] += w * y[j];
      right[1] += w * y[j] * (double)i;
    }
  }
  double determinant = m[0] * m[2] - m[1] * m[1];
  double *work = doubles(correlated_fit_work(POINTS, 2));
  const struct fit_model model = {line, NULL};
  const struct fit_problem problem = {&model, POINTS, 2, y, factor, NULL, NULL, start, NULL};
  struct fit_result result = correlated_fit(&problem, p, covariance, work);
  assert_true(result.converged);
  assert_near(p[0], (m[2] * right[0] - m[1] * right[1]) / determinant, 1e-9);
  assert_near(p[1], (m[0] * right[1] - m[1] * right[0]) / determinant, 1e-9);
  assert_near(covariance[0], m[2] / determinant, 1e-12);
  assert_near(covariance[1], -m[1] / determinant, 1e-12);
  double chi_square = 0;
  for (size_t i = 0; i < POINTS; i++) {
    for (size_t j = 0; j < POINTS; j++) {
      chi_square += inverse[i * POINTS + j] * (y[i] - p[0] - p[1] * (double)i) * (y[j] - p[0] - p[1] * (double)j);
    }
  }
  assert_near(result.chi_square, chi_square, 1e-10);
  assert_true(result.degrees == 3);
  assert_near(result.p, chi_square_tail(chi_square, 3), 1e-12);
  free(work);
}

static void priors_are_measurements(void **state)
{
  (void)state;
  const double y[POINTS] = {1.1, 1.9, 3.2, 3.9, 5.1}, start[] = {0, 0}, prior[] = {(double)NAN, 0.5},
               width[] = {1, 1e-7};
  double factor[POINTS * POINTS], p[2], covariance[4];
  fill_covariance(factor);
  assert_int_equal(cholesky_factor(factor, POINTS), 0);
  double *work = doubles(correlated_fit_work(POINTS, 2));
  const struct fit_model model = {line, NULL};
  const struct fit_problem problem = {&model, POINTS, 2, y, factor, prior, width, start, NULL};
  struct fit_result result = correlated_fit(&problem, p, covariance, work);
  assert_true(result.converged && result.degrees == 4);
  assert_near(p[1], 0.5, 1e-6);
  assert_near(covariance[3], 1e-14, 1e-18);
  free(work);
}

static void nonlinear_fit_finds_its_parameters(void **state)
{
  (void)state;
  double y[POINTS], factor[POINTS * POINTS], p[2], covariance[4];
  const double start[] = {1, 1}, lost[] = {(double)NAN, 1};
  for (size_t i = 0; i < POINTS; i++) {
    y[i] = 3 * exp(-0.4 * (double)i);
  }
  fill_covariance(factor);
  assert_int_equal(cholesky_factor(factor, POINTS), 0);
  double *work = doubles(correlated_fit_work(POINTS, 2));
  const struct fit_model model = {decay, NULL};
  struct fit_problem problem = {&model, POINTS, 2, y, factor, NULL, NULL, start, NULL};
  struct fit_result result = correlated_fit(&problem, p, covariance, work);
  assert_true(result.converged && result.chi_square < 1e-10);
  assert_near(p[0], 3, 1e-6);
  assert_near(p[1], 0.4, 1e-6);
  problem.start = lost;
  assert_false(correlated_fit(&problem, p, covariance, work).converged);
  assert_true(isnan(p[0]) && isnan(covariance[3]));
  free(work);
}

static void average_by_errors(void **state)
{
  (void)state;
  const double values[] = {1e6 + 1, 1e6 + 2}, errors[] = {1, 0.5}, none[] = {1, 0};
  struct weighted_average a = weighted_average(values, errors, 2);
  assert_near(a.value, 1e6 + 1.8, 1e-9);
  assert_near(a.error, sqrt(0.2), 1e-15);
  assert_near(a.chi_square, 0.8, 1e-9);
  assert_near(a.p, erfc(sqrt(0.4)), 1e-9);
  assert_true(a.scale == 1 && a.degrees == 1);
  assert_true(isnan(weighted_average(values, none, 2).value));
  a = weighted_average(values, errors, 1);
  assert_true(a.value == values[0] && a.error == 1 && isnan(a.p));
}

/* ---- reweighting ------------------------------------------------------------------------------------------------ */

/* Independent E = x^2/2 of the weight exp(-b x^2/2): <E>(b) = 1/(2b), log Z(b) = -log(b)/2 + constant. */
static void reweighting_of_gaussians_is_exact(void **state)
{
  (void)state;
  enum { EACH = 20000, COUNT = 3 };
  const double couplings[COUNT] = {1, 2, 4};
  const size_t sizes[COUNT] = {EACH, EACH, EACH};
  double *x = doubles(EACH * COUNT), *weights = doubles(EACH * COUNT), f[COUNT] = {0};
  double *work = doubles(multi_histogram_work(COUNT));
  normals(77, EACH * COUNT, x);
  for (size_t k = 0; k < EACH * COUNT; k++) {
    x[k] = x[k] * x[k] / (2 * couplings[k / EACH]);
  }
  const struct ensembles ensembles = {couplings, sizes, COUNT, x, EACH * COUNT, NULL};
  assert_int_equal(multi_histogram_solve(&ensembles, f, work), 0);
  assert_near(f[0], 0, 0);
  assert_near(f[1], 0.5 * log(2), 0.02); /* f = -log Z */
  assert_near(f[2], 0.5 * log(4), 0.02);
  for (double b = 0.8; b < 5; b *= 1.5) {
    struct reweighting r = multi_histogram_weights(&ensembles, f, b, weights);
    double mean = 0, squares = 0;
    for (size_t k = 0; k < EACH * COUNT; k++) {
      mean += weights[k] * x[k];
      squares += weights[k] * x[k] * x[k];
    }
    double spread = sqrt(squares - mean * mean);
    assert_near(mean, 1 / (2 * b), 5 * spread / sqrt(r.effective));
    assert_near(r.log_z, -0.5 * log(b), 0.03);
    assert_true(r.effective > 1000 && r.effective <= EACH * COUNT);
  }
  assert_true(multi_histogram_weights(&ensembles, f, 1e7, weights).effective < 100);
  /* at a simulated coupling, with one ensemble alone: plain means */
  const struct ensembles alone = {couplings, sizes, 1, x, EACH, NULL};
  f[0] = 0;
  assert_int_equal(multi_histogram_solve(&alone, f, work), 0);
  assert_near(multi_histogram_weights(&alone, f, 1, weights).effective, EACH, 1e-6);
  free(x);
  free(weights);
  free(work);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transform_gives_the_plain_sums),
      cmocka_unit_test(gamma_method_follows_the_paper),
      cmocka_unit_test(chains_without_a_window_have_no_error),
      cmocka_unit_test(errors_cover_the_truth),
      cmocka_unit_test(replicas_that_disagree_are_seen),
      cmocka_unit_test(autocorrelation_decays),
      cmocka_unit_test(too_few_values_have_no_error),
      cmocka_unit_test(bins_give_plain_means),
      cmocka_unit_test(bootstrap_of_a_mean_is_normal),
      cmocka_unit_test(bootstrap_of_a_constant_is_a_point),
      cmocka_unit_test(distributions_have_known_values),
      cmocka_unit_test(inverse_times_matrix_is_one),
      cmocka_unit_test(shrinking_lowers_the_distance),
      cmocka_unit_test(line_fit_solves_the_normal_equations),
      cmocka_unit_test(priors_are_measurements),
      cmocka_unit_test(nonlinear_fit_finds_its_parameters),
      cmocka_unit_test(average_by_errors),
      cmocka_unit_test(reweighting_of_gaussians_is_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
