/* Matrices in lanes against C's complex numbers, one lane after the other; staples against paths by coordinates. */
#include "physics/lattice/gauge_staple.h"

#include <complex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static double noise(void)
{
  static uint64_t state = 1;
  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(state >> 11) * 0x1p-53 - 0.5;
}

static void fill(double *m)
{
  for (size_t i = 0; i < SU_ROOM; i++) {
    m[i] = noise();
  }
}

static double complex entry(const double *m, size_t n, size_t i, size_t j, size_t lane)
{
  const double *at = m + su_at(n, i, j) + lane;
  return at[0] + at[LATTICE_LANES] * I;
}

static double complex factor(const double *m, size_t n, size_t i, size_t j, size_t lane, bool adjoint)
{
  return adjoint ? conj(entry(m, n, j, i, lane)) : entry(m, n, i, j, lane);
}

static void products_of(size_t n)
{
  SU_MATRIX(a);
  SU_MATRIX(b);
  SU_MATRIX(c);
  SU_MATRIX(before);
  for (int flags = 0; flags < 8; flags++) {
    bool adjoint_a = flags & 1, adjoint_b = flags & 2, add = flags & 4;
    fill(a), fill(b), fill(c);
    const double weight = noise();
    su_copy(n, before, c);
    su_product(n, c, a, adjoint_a, b, adjoint_b, add ? &weight : NULL);
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
          double complex sum = add ? entry(before, n, i, j, lane) : 0;
          for (size_t k = 0; k < n; k++) {
            sum += (add ? weight : 1) * factor(a, n, i, k, lane, adjoint_a) * factor(b, n, k, j, lane, adjoint_b);
          }
          assert_true(cabs(sum - entry(c, n, i, j, lane)) < 1e-14);
        }
      }
    }
  }
}

static void products_are_products(void **state)
{
  (void)state;
  products_of(1);
  products_of(2);
  products_of(3);
  for (size_t n = 4; n <= GAUGE_MAX_COLOURS; n++) {
    products_of(n);
  }
}

static void traces_and_projections_are_theirs(void **state)
{
  (void)state;
  for (size_t n = 1; n <= GAUGE_MAX_COLOURS; n++) {
    SU_MATRIX(a);
    SU_MATRIX(b);
    SU_MATRIX(k);
    SU_LANES(trace);
    SU_LANES(imaginary);
    SU_LANES(product);
    fill(a), fill(b);
    su_real_trace(n, trace, a);
    su_imaginary_trace(n, imaginary, a);
    su_real_trace_adjoint(n, product, a, b);
    su_copy(n, k, a);
    su_to_algebra(n, k);
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      double complex sum = 0, mixed = 0, rest = 0;
      for (size_t i = 0; i < n; i++) {
        sum += entry(a, n, i, i, lane);
        rest += entry(k, n, i, i, lane);
        for (size_t j = 0; j < n; j++) {
          mixed += entry(a, n, i, j, lane) * conj(entry(b, n, i, j, lane));
          assert_true(entry(k, n, i, j, lane) == -conj(entry(k, n, j, i, lane)));
          double complex half = 0.5 * (entry(a, n, i, j, lane) - conj(entry(a, n, j, i, lane)));
          assert_true(i == j || cabs(half - entry(k, n, i, j, lane)) < 1e-15);
        }
      }
      assert_true(fabs(creal(sum) - trace[lane]) < 1e-14 && fabs(cimag(sum) - imaginary[lane]) < 1e-14);
      assert_true(fabs(creal(mixed) - product[lane]) < 1e-13);
      assert_true(n == 1 ? fabs(cimag(rest) - cimag(sum)) < 1e-15 : cabs(rest) < 1e-15);
    }
  }
}

static double complex link_at(const double *values, const struct lattice *lattice, size_t n, const size_t *x, size_t mu,
                              size_t i, size_t j)
{
  size_t site = 0;
  for (size_t k = 0; k < lattice->dimensions; k++) {
    site = site * lattice->extent[k] + x[k];
  }
  const double *at = values + (((site * lattice->dimensions + mu) * n + i) * n + j) * 2;
  return at[0] + at[1] * I;
}

static void step(const struct lattice *lattice, size_t *x, size_t mu, bool back)
{
  x[mu] = (x[mu] + (back ? lattice->extent[mu] - 1 : 1)) % lattice->extent[mu];
}

/* out = the links along a path of three, by coordinates; 'path' is a direction each as in lattice.h. */
static void path_product(const double *values, const struct lattice *lattice, size_t n, const size_t *from,
                         const size_t path[3], double complex *out)
{
  size_t x[LATTICE_MAX_DIMENSIONS];
  memcpy(x, from, sizeof x);
  for (size_t i = 0; i < n * n; i++) {
    out[i] = i / n == i % n;
  }
  for (size_t k = 0; k < 3; k++) {
    double complex next[GAUGE_MAX_COLOURS * GAUGE_MAX_COLOURS] = {0};
    bool back = path[k] % 2 != 0;
    size_t mu = path[k] / 2;
    if (back) {
      step(lattice, x, mu, true);
    }
    for (size_t i = 0; i < n; i++) {
      for (size_t j = 0; j < n; j++) {
        for (size_t c = 0; c < n; c++) {
          next[i * n + j] += out[i * n + c] * (back ? conj(link_at(values, lattice, n, x, mu, j, c))
                                                    : link_at(values, lattice, n, x, mu, c, j));
        }
      }
    }
    if (!back) {
      step(lattice, x, mu, false);
    }
    memcpy(out, next, sizeof next);
  }
}

static void check_staple(const double *staple, size_t n, size_t lane, const double complex *expected)
{
  for (size_t i = 0; i < n * n; i++) {
    assert_true(cabs(entry(staple, n, i / n, i % n, lane) - expected[i]) < 1e-12);
  }
}

static void staples_of(size_t dimensions, const size_t *extent, size_t n)
{
  struct lattice lattice;
  void *tables = aligned_alloc(64, lattice_bytes(dimensions, extent));
  lattice_init(&lattice, dimensions, extent, tables);
  size_t count = lattice.sites * dimensions * n * n * 2;
  double *values = malloc(count * sizeof *values);
  for (size_t i = 0; i < count; i++) {
    values[i] = noise();
  }
  struct gauge_field field = gauge_field_over(&lattice, n, aligned_alloc(64, gauge_field_bytes(&lattice, n)));
  gauge_field_set(&field, 1, values);
  for (size_t block = 0; block < lattice.blocks; block++) {
    for (size_t mu = 0; mu < dimensions; mu++) {
      for (size_t nu = 0; nu < dimensions; nu++) {
        SU_MATRIX(upper);
        SU_MATRIX(lower);
        if (mu == nu) {
          continue;
        }
        gauge_staple_upper(n, upper, &field, block, mu, nu);
        gauge_staple_lower(n, lower, &field, block, mu, nu);
        for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
          size_t x[LATTICE_MAX_DIMENSIONS];
          double complex expected[GAUGE_MAX_COLOURS * GAUGE_MAX_COLOURS];
          lattice_coordinates(&lattice, block, lane, x);
          path_product(values, &lattice, n, x, (size_t[3]){2 * nu, 2 * mu, 2 * nu + 1}, expected);
          check_staple(upper, n, lane, expected);
          path_product(values, &lattice, n, x, (size_t[3]){2 * nu + 1, 2 * mu, 2 * nu}, expected);
          check_staple(lower, n, lane, expected);
        }
      }
    }
  }
  free(field.links);
  free(values);
  free(tables);
}

static void staples_are_their_paths(void **state)
{
  (void)state;
  staples_of(2, (size_t[]){8, 16}, 1);
  staples_of(2, (size_t[]){3, 1}, 2);
  staples_of(4, (size_t[]){4, 4, 4, 8}, 3);
  staples_of(3, (size_t[]){16, 2, 4}, 2);
  staples_of(3, (size_t[]){2, 4, 6}, 4);
  staples_of(2, (size_t[]){64, 2}, 3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(products_are_products),
                                     cmocka_unit_test(traces_and_projections_are_theirs),
                                     cmocka_unit_test(staples_are_their_paths)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
