/* Jackknife and the Gamma method against closed forms and processes whose answers are known. */
#include "physics/random/philox.h"
#include "physics/statistics/jackknife_bins.h"
#include "physics/statistics/samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "physics_gamma.h"
#include "physics_jackknife.h"

enum { N = 20000 };

/* The mean without the values from `start` to before `end`. */
static double mean_without(const double *x, size_t n, size_t start, size_t end)
{
  double sum = 0, count = 0;
  for (size_t i = 0; i < n; i++) {
    sum += i >= start && i < end ? 0 : x[i];
    count += !(i >= start && i < end);
  }
  return sum / count;
}

/* Bins of one value: the error of the mean is sqrt(variance / n), exactly. */
static void mean_has_the_standard_error(void **state)
{
  (void)state;
  const double x[] = {3, 1, 4, 1, 5, 9, 2, 6};
  struct estimate e = jackknife_of(x, 8, 1);
  double mean = 31.0 / 8, squares = 0;
  for (size_t i = 0; i < 8; i++) {
    squares += (x[i] - mean) * (x[i] - mean);
  }
  assert_true(fabs(e.value - mean) < 1e-15);
  assert_true(fabs(e.error - sqrt(squares / 7 / 8)) < 1e-15);
}

/* Bins of three: the standard error of the bins' means. */
static void bins_are_one_value_each(void **state)
{
  (void)state;
  double x[12], means[4] = {0};
  philox_normals((struct philox_stream){.seed = 1}, 0, 12, x);
  for (size_t i = 0; i < 12; i++) {
    means[i / 3] += x[i] / 3;
  }
  struct estimate binned = jackknife_of(x, 12, 3), of_means = jackknife_of(means, 4, 1);
  assert_true(fabs(binned.value - of_means.value) < 1e-15);
  assert_true(fabs(binned.error - of_means.error) < 1e-15);
}

/* Bin sums, and plain means of what is left; last bin whole and short. */
static void bins_are_left_out(void **state)
{
  (void)state;
  double x[100], left[100];
  philox_normals((struct philox_stream){.seed = 2}, 0, 100, x);
  for (size_t bin = 1; bin < 100; bin++) {
    struct estimate e = jackknife_of(x, 100, bin);
    for (size_t b = 0; b < bins_count(100, bin); b++) {
      left[b] = mean_without(x, 100, b * bin, (b + 1) * bin);
    }
    assert_true(fabs(e.value - mean_without(x, 100, 0, 0)) < 1e-14);
    assert_true(fabs(e.error - jackknife_error(left, bins_count(100, bin))) < 1e-13);
  }
  assert_true(isnan(jackknife_of(x, 100, 100).error));
  assert_true(isnan(jackknife_error(x, 1)));
  assert_true(bins_count(100, 7) == 15 && bins_count(100, 10) == 10 && bins_count(3, 5) == 1);
}

/* A large common offset costs no digits. */
static void offset_does_not_matter(void **state)
{
  (void)state;
  double x[1000], y[1000];
  philox_normals((struct philox_stream){.seed = 3}, 0, 1000, x);
  for (size_t i = 0; i < 1000; i++) {
    x[i] = rint(x[i] * 1024) / 1024; /* exact beside the offset */
    y[i] = x[i] + 1e9;
  }
  assert_true(fabs(jackknife_of(x, 1000, 5).error / jackknife_of(y, 1000, 5).error - 1) < 1e-6);
}

/* Error propagation: sigma(mean^2) = 2 |mean| sigma(mean) for small errors. */
static void nonlinear_estimates_follow_the_derivative(void **state)
{
  (void)state;
  static double x[2000], squares[2000];
  philox_normals((struct philox_stream){.seed = 4}, 0, 2000, x);
  for (size_t i = 0; i < 2000; i++) {
    x[i] += 3;
  }
  struct estimate mean = jackknife_of(x, 2000, 1);
  for (size_t b = 0; b < 2000; b++) {
    double left = mean_without(x, 2000, b, b + 1);
    squares[b] = left * left;
  }
  assert_true(fabs(jackknife_error(squares, 2000) / (2 * mean.value * mean.error) - 1) < 1e-3);
}

/* x_{i+1} = a x_i + sqrt(1 - a^2) noise: tau_int = (1 + a) / (2 (1 - a)), variance 1. */
static double *autoregressive(double a, uint64_t seed)
{
  double *x = malloc(N * sizeof *x);
  assert_non_null(x);
  philox_normals((struct philox_stream){.seed = seed}, 0, N, x);
  for (size_t i = 1; i < N; i++) {
    x[i] = a * x[i - 1] + sqrt(1 - a * a) * x[i];
  }
  return x;
}

static void gamma_method_finds_tau(void **state)
{
  (void)state;
  const double factors[] = {0, 0.3, 0.8, 0.95};
  for (size_t i = 0; i < 4; i++) {
    double a = factors[i], tau = (1 + a) / (2 * (1 - a));
    double *x = autoregressive(a, 40 + i);
    struct gamma_estimate g = gamma_of(x, N);
    assert_true(fabs(g.tau - tau) < 4 * g.tau_error + 1e-3);
    assert_true(fabs(g.value) < 4 * g.error);
    assert_true(fabs(g.error / sqrt(2 * tau / N) - 1) < 0.2);
    /* bins far longer than tau give the same error: N / bin bins know it to sqrt(bin / 2 N) */
    struct estimate binned = jackknife_of(x, N, 200);
    assert_true(fabs(binned.error / g.error - 1) < 4 * sqrt(200.0 / (2 * N)) + 0.1);
    free(x);
  }
}

static void constants_have_no_error(void **state)
{
  (void)state;
  const double x[] = {2, 2, 2, 2};
  struct gamma_estimate g = gamma_of(x, 4);
  assert_true(g.value == 2 && g.error == 0 && g.tau == 0.5);
  assert_true(jackknife_of(x, 4, 2).error == 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mean_has_the_standard_error),
      cmocka_unit_test(bins_are_one_value_each),
      cmocka_unit_test(bins_are_left_out),
      cmocka_unit_test(offset_does_not_matter),
      cmocka_unit_test(nonlinear_estimates_follow_the_derivative),
      cmocka_unit_test(gamma_method_finds_tau),
      cmocka_unit_test(constants_have_no_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
