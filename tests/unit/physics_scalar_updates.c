/* Metropolis sweeps and cluster flips of the scalar field: against independent Monte Carlo, quadrature of one and two
 * sites, Schwinger-Dyson, and each other where the field has two minima.
 *
 * Statistical tolerances are four combined standard errors; seeds are fixed, so a run that passes once passes always.
 */
#include "physics/lattice/scalar_cluster.h"
#include "physics/lattice/scalar_metropolis.h"
#include "physics/random/philox.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct gauge_split whole = {0};

#include "physics_gamma.h"

struct field_case {
  struct scalar_field field;
  void *memory;
  double *phi; /* a copy, row-major */
};

static void open_case(struct field_case *c, const struct scalar_action *action)
{
  c->memory = aligned_alloc(64, scalar_field_bytes(action, &whole));
  assert_non_null(c->memory);
  scalar_field_init(&c->field, action, &whole, c->memory);
  c->phi = malloc(c->field.sites * sizeof *c->phi);
  assert_non_null(c->phi);
}

static void close_case(struct field_case *c)
{
  free(c->phi);
  free(c->memory);
}

/* Sum over neighbours in dimension-wise division and remainder; a site is no neighbour of itself here, though an extent
 * of 1 says so: its kinetic term vanishes. */
static double neighbours(const struct scalar_action *a, const double *phi, size_t site, double *links)
{
  double sum = 0;
  *links = 0;
  for (size_t k = 0; k < a->dimensions; k++) {
    size_t unit = 1, extent = a->extent[k];
    for (size_t j = k + 1; j < a->dimensions; j++) {
      unit *= a->extent[j];
    }
    size_t at = site / unit % extent, base = site - at * unit;
    if (extent > 1) {
      sum += phi[base + (at + 1) % extent * unit] + phi[base + (at + extent - 1) % extent * unit];
      *links += 2;
    }
  }
  return sum;
}

enum observable { SQUARE, ABS_MEAN, SUSCEPTIBILITY, DYSON, FOURTH, PRODUCT, MEAN, OBSERVABLES };

struct series {
  size_t length;
  double *values[OBSERVABLES];
};

static void measure(struct field_case *c, struct series *series, size_t i)
{
  const struct scalar_action *a = &c->field.action;
  double sum = 0, square = 0, fourth = 0, dyson = 0, sites = (double)c->field.sites;
  scalar_field_get(&c->field, c->phi);
  for (size_t x = 0; x < c->field.sites; x++) {
    double links, p = c->phi[x], near = neighbours(a, c->phi, x, &links);
    sum += p;
    square += p * p;
    fourth += p * p * p * p;
    dyson += p * (2 * links * p + 2 * a->m2 * p + 4 * a->lambda * p * p * p - 2 * near);
  }
  series->values[SQUARE][i] = square / sites;
  series->values[ABS_MEAN][i] = fabs(sum / sites);
  series->values[SUSCEPTIBILITY][i] = sum * sum / sites;
  series->values[DYSON][i] = dyson / sites;
  series->values[FOURTH][i] = fourth / sites;
  series->values[PRODUCT][i] = c->phi[0] * c->phi[c->field.sites - 1];
  series->values[MEAN][i] = sum / sites;
}

struct updates {
  double width;
  bool cluster;
  size_t sweeps; /* for each value */
  double start;  /* of all sites */
};

static struct series run(const struct scalar_action *action, const struct updates *u, size_t length)
{
  struct series series = {.length = length};
  struct field_case c;
  open_case(&c, action);
  for (int o = 0; o < OBSERVABLES; o++) {
    series.values[o] = malloc(length * sizeof(double));
    assert_non_null(series.values[o]);
  }
  for (size_t x = 0; x < c.field.sites; x++) {
    c.phi[x] = u->start;
  }
  scalar_field_set(&c.field, c.phi);
  for (size_t t = 0; t < (length + 500) * u->sweeps; t++) {
    scalar_metropolis(&c.field, 17, u->width, t);
    if (u->cluster) {
      scalar_cluster_flip(&c.field, 17, t);
    }
    if (t >= 500 * u->sweeps && t % u->sweeps == u->sweeps - 1) {
      measure(&c, &series, t / u->sweeps - 500);
    }
  }
  close_case(&c);
  return series;
}

static void series_free(struct series *series)
{
  for (int o = 0; o < OBSERVABLES; o++) {
    free(series->values[o]);
  }
}

static void expect(const char *what, const struct series *series, enum observable o, double expected, double sigma)
{
  struct gamma_estimate a = gamma_of(series->values[o], series->length);
  double combined = sqrt(a.error * a.error + sigma * sigma);
  printf("  %-34s %.6f(%.6f) expected %.6f(%.6f) %+.2f sigma, tau %.2f\n", what, a.value, a.error, expected, sigma,
         (a.value - expected) / combined, a.tau);
  assert_true(fabs(a.value - expected) < 4 * combined);
  assert_true(a.error < 0.02 * (fabs(expected) + 1)); /* that it says something */
}

static void interacting_field_8x8(void **state)
{
  (void)state;
  for (int cluster = 0; cluster < 2; cluster++) {
    const struct updates updates = {0.7, cluster, 2, 0};
    struct series series = run(&(struct scalar_action){2, {8, 8}, -4, 8}, &updates, 60000);
    expect("<phi^2>, lambda 8", &series, SQUARE, 0.143467, 0.000026);
    expect("<|phi_mean|>, lambda 8", &series, ABS_MEAN, 0.087019, 0.000074);
    expect("chi, lambda 8", &series, SUSCEPTIBILITY, 0.7441, 0.0012);
    expect("Schwinger-Dyson, lambda 8", &series, DYSON, 1, 0);
    series_free(&series);
    series = run(&(struct scalar_action){2, {8, 8}, -4, 6.008}, &updates, 60000);
    expect("<phi^2>, lambda 6.008", &series, SQUARE, 0.183959, 0.000035);
    expect("Schwinger-Dyson, lambda 6.008", &series, DYSON, 1, 0);
    series_free(&series);
  }
}

/* <O> of two sites with `links` links between them (2: an extent of 2), or of one with 0, by the midpoint rule: exact
 * to rounding for a function that is smooth and dies away. */
static void quadrature(const struct scalar_action *a, double links, double *square, double *product)
{
  const double step = 0.02, end = 4;
  double z = 0, s = 0, p = 0;
  for (double x = -end + step / 2; x < end; x += step) {
    for (double y = -end + step / 2; y < end; y += step) {
      double weight =
          exp(-links * (x - y) * (x - y) - a->m2 * (x * x + y * y) - a->lambda * (x * x * x * x + y * y * y * y));
      z += weight;
      s += weight * x * x;
      p += weight * x * y;
    }
  }
  *square = s / z;
  *product = p / z;
}

static void one_and_two_sites_are_integrals(void **state)
{
  (void)state;
  static const struct {
    struct scalar_action action;
    double links;
  } cases[] = {{{1, {1}, -0.6, 0.5}, 0},
               {{1, {2}, -1.5, 0.7}, 2},
               {{2, {2, 1}, -1.5, 0.7}, 2},
               {{4, {1, 2, 1, 1}, 0.4, 0.1}, 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (int cluster = 0; cluster < 2; cluster++) {
      const struct scalar_action *a = &cases[i].action;
      const struct updates updates = {1.5, cluster, 1, 0};
      double square, product;
      quadrature(a, cases[i].links, &square, &product);
      struct series series = run(a, &updates, 200000);
      expect("<phi^2>", &series, SQUARE, square, 0);
      if (cases[i].links > 0) {
        expect("<phi phi'>", &series, PRODUCT, product, 0);
      }
      expect("Schwinger-Dyson", &series, DYSON, 1, 0);
      expect("<phi>", &series, MEAN, 0, 0);
      series_free(&series);
    }
  }
}

/* 1/V sum_p 1/(2 (khat^2 + M2)) on shapes with odd extents, extents of 1 and 2, one to four dimensions. */
static void free_field_is_the_propagator(void **state)
{
  (void)state;
  static const struct scalar_action actions[] = {
      {1, {9}, 0.5, 0}, {2, {5, 7}, 1, 0}, {3, {3, 1, 6}, 1, 0}, {4, {3, 4, 2, 5}, 0.7, 0}};
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    const struct scalar_action *a = &actions[i];
    size_t sites = 1;
    double sum = 0;
    for (size_t k = 0; k < a->dimensions; k++) {
      sites *= a->extent[k];
    }
    for (size_t p = 0; p < sites; p++) {
      double khat2 = 0;
      for (size_t k = 0, rest = p; k < a->dimensions; k++) {
        double s = sin(acos(-1.0) * (double)(rest % a->extent[k]) / (double)a->extent[k]);
        khat2 += 4 * s * s;
        rest /= a->extent[k];
      }
      sum += 1 / (2 * (khat2 + a->m2));
    }
    for (int cluster = 0; cluster < 2; cluster++) {
      struct series series = run(a, &(struct updates){0.9, cluster, 1, 0}, 20000);
      expect("<phi^2>, free", &series, SQUARE, sum / (double)sites, 0);
      expect("Schwinger-Dyson, free", &series, DYSON, 1, 0);
      series_free(&series);
    }
  }
}

static size_t sign_changes(const struct series *series)
{
  size_t changes = 0;
  for (size_t i = 1; i < series->length; i++) {
    changes += (series->values[MEAN][i] > 0) != (series->values[MEAN][i - 1] > 0);
  }
  return changes;
}

/* Two minima far apart: sweeps stay in one, clusters go between them, to either side as often. */
static void clusters_pass_the_wall(void **state)
{
  (void)state;
  const struct scalar_action action = {2, {8, 8}, -8, 2};
  struct series frozen = run(&action, &(struct updates){0.5, false, 1, 2}, 5000);
  struct series moving = run(&action, &(struct updates){0.5, true, 1, 2}, 5000);
  assert_int_equal(sign_changes(&frozen), 0);
  assert_true(sign_changes(&moving) > 2000 && sign_changes(&moving) < 3000);
  expect("<phi>, two minima", &moving, MEAN, 0, 0);
  expect("Schwinger-Dyson, two minima", &moving, DYSON, 1, 0);
  struct gamma_estimate other = gamma_of(frozen.values[SQUARE], frozen.length);
  expect("<phi^2>, two minima", &moving, SQUARE, other.value, other.error); /* even: the wall does not matter */
  series_free(&frozen);
  series_free(&moving);
}

/* What flips leave: every size, and a field with its halo. Where the field is constant and large there is one cluster,
 * which changes its sign every other time; where it is 0 none has two sites. */
static void flips_change_signs_alone(void **state)
{
  (void)state;
  const struct scalar_action action = {3, {3, 4, 5}, -1, 1};
  struct field_case c;
  open_case(&c, &action);
  double *before = malloc(c.field.sites * sizeof *before);
  philox_normals((struct philox_stream){5, 99}, 0, c.field.sites, before);
  scalar_field_set(&c.field, before);
  size_t flipped = 0, changes = 0;
  for (uint64_t t = 0; t < 50; t++) {
    double share = scalar_cluster_flip(&c.field, 3, t);
    scalar_field_get(&c.field, c.phi);
    for (size_t x = 0; x < c.field.sites; x++) {
      assert_true(fabs(c.phi[x]) == fabs(before[x]));
      flipped += c.phi[x] != before[x];
    }
    assert_true(share >= 1 / (double)c.field.sites && share <= 1);
    double action_now = scalar_field_action(&c.field, c.field.phi);
    memcpy(before, c.phi, c.field.sites * sizeof *before);
    scalar_field_set(&c.field, before);
    assert_true(action_now == c.field.current_action); /* the halo was right */
  }
  assert_true(flipped > 10 * c.field.sites && flipped < 40 * c.field.sites);
  for (size_t x = 0; x < c.field.sites; x++) {
    before[x] = 10;
  }
  scalar_field_set(&c.field, before);
  for (uint64_t t = 0; t < 100; t++) {
    double sign = c.field.phi[0];
    assert_true(scalar_cluster_flip(&c.field, 3, t) == 1);
    changes += c.field.phi[0] != sign;
    assert_true(c.field.phi[0] == c.field.phi[1] && fabs(c.field.phi[0]) == 10);
  }
  assert_true(changes > 30 && changes < 70);
  memset(before, 0, c.field.sites * sizeof *before);
  scalar_field_set(&c.field, before);
  assert_true(scalar_cluster_flip(&c.field, 3, 0) == 1 / (double)c.field.sites);
  free(before);
  close_case(&c);
}

/* ---- a sweep, site by site --------------------------------------------------------------------------------------- */

enum { COLUMNS = 512, COLUMN_COLOURS = 8 /* pieces of a row and the two colours of each, and the seam's */ };

/* Colour of a site: that of its row, which comes first, then that of its column. */
static unsigned plain_colour(const struct scalar_action *a, size_t site)
{
  unsigned rows = 0, column = 0;
  for (size_t k = a->dimensions, rest = site; k-- > 0; rest /= a->extent[k]) {
    size_t extent = a->extent[k], at = rest % extent;
    bool last = extent > 1 && extent % 2 == 1 && at == extent - 1;
    if (k + 1 == a->dimensions) {
      column = last ? COLUMN_COLOURS - 1 : (unsigned)(at / COLUMNS * 2 + at % 2);
    } else {
      rows = (rows ^ (at & 1)) | (last ? 2U << k : 0);
    }
  }
  return rows * COLUMN_COLOURS + column;
}

static size_t offer_plainly(const struct scalar_action *a, double *phi, size_t site, uint64_t t)
{
  const size_t length = a->extent[a->dimensions - 1], column = site % length;
  const uint32_t key[2] = {4, 0};
  const uint32_t counter[4] = {(uint32_t)(column / 16 * 8 + column % 8), (uint32_t)(site / length), (uint32_t)(2 * t),
                               0};
  uint32_t word[4];
  double links, near = neighbours(a, phi, site, &links);
  philox4x32(counter, key, word);
  const uint32_t *two = word + (column / 8 % 2) * 2;
  double step = 0.8 * (2 * (((double)two[0] + 0.5) / 0x1p32) - 1), old = phi[site], new = old + step;
  double ds = (new *new - old *old) * (links + a->m2 + a->lambda * (old * old + new *new)) - 2 * step * near;
  if (((double)two[1] + 0.5) / 0x1p32 < exp(-ds)) {
    phi[site] = new;
    return 1;
  }
  return 0;
}

/* The same bits, as what is rounded in another way decides alone; longest row first, of more than one piece. */
static void lanes_do_what_a_plain_loop_does(void **state)
{
  (void)state;
  static const struct scalar_action actions[] = {
      {2, {3, 1025}, -1, 1}, {2, {31, 48}, -2, 1},  {3, {7, 1, 33}, 1, 0.5}, {4, {6, 5, 2, 9}, -1, 2},
      {1, {300}, 1, 1},      {2, {2, 1030}, -1, 1}, {1, {1}, -1, 1},         {4, {1, 2, 3, 1}, 1, 1}};
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    const struct scalar_action *a = &actions[i];
    struct field_case c;
    open_case(&c, a);
    double *plain = calloc(c.field.sites, sizeof *plain);
    assert_non_null(plain);
    for (uint64_t t = 0; t < 5; t++) {
      size_t accepted = 0;
      for (unsigned colour = 0; colour < COLUMN_COLOURS << LATTICE_MAX_DIMENSIONS; colour++) {
        for (size_t x = 0; x < c.field.sites; x++) {
          accepted += plain_colour(a, x) == colour ? offer_plainly(a, plain, x, t) : 0;
        }
      }
      double share = scalar_metropolis(&c.field, 4, 0.8, t);
      assert_true(share == (double)accepted / (double)c.field.sites);
      scalar_field_get(&c.field, c.phi);
      assert_memory_equal(plain, c.phi, c.field.sites * sizeof *plain);
    }
    free(plain);
    close_case(&c);
  }
}

static void bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  static const struct scalar_action actions[] = {
      {2, {31, 48}, -2, 1}, {3, {7, 1, 33}, 1, 0.5}, {4, {6, 5, 2, 9}, -1, 2}, {1, {300}, 1, 1}};
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    struct field_case one;
    double accepted = 0;
    open_case(&one, &actions[i]);
    for (unsigned threads = 1; threads <= 3; threads++) {
      struct field_case c;
      double sum = 0;
      open_case(&c, &actions[i]);
      c.field.threads = threads;
      for (uint64_t t = 0; t < 20; t++) {
        sum += scalar_metropolis(&c.field, 4, 0.8, t) + scalar_cluster_flip(&c.field, 4, t);
      }
      scalar_field_get(&c.field, c.phi);
      if (threads == 1) {
        memcpy(one.phi, c.phi, c.field.sites * sizeof *c.phi);
        accepted = sum;
      }
      assert_true(sum == accepted && sum > 0);
      assert_memory_equal(one.phi, c.phi, c.field.sites * sizeof *c.phi);
      close_case(&c);
    }
    close_case(&one);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lanes_do_what_a_plain_loop_does), cmocka_unit_test(flips_change_signs_alone),
      cmocka_unit_test(bits_do_not_depend_on_threads),   cmocka_unit_test(interacting_field_8x8),
      cmocka_unit_test(one_and_two_sites_are_integrals), cmocka_unit_test(free_field_is_the_propagator),
      cmocka_unit_test(clusters_pass_the_wall),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
