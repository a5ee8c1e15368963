/* Gauge transformations, Wilson loops of all sizes, and gauge fixing. */
#include "physics_gauge_fixture.h"

#include "physics/lattice/gauge_fixing.h"
#include "physics/lattice/gauge_observables.h"
#include "physics/lattice/gauge_transform.h"
#include "physics/lattice/gauge_wilson_loop.h"

static void transform_randomly(struct fixture *f, uint64_t seed, unsigned threads)
{
  double *matrices = aligned_alloc(64, gauge_sites_bytes(&f->lattice, f->colours));
  gauge_random_sites(&f->lattice, f->colours, seed, threads, matrices);
  for (size_t block = 0; block < f->lattice.blocks; block++)
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      complex double u[64];
      take_lane(f->colours, matrices + block * su_size(f->colours), lane, u);
      assert_true(plain_unitarity(f->colours, u) < 1e-12);
    }
  gauge_transform(&f->field, matrices, threads);
  free(matrices);
}

static double plain_loop(const struct fixture *f, size_t r, size_t t)
{
  complex double *links = fixture_links(f), loop[64];
  double sum = 0, count = 0;
  for (size_t site = 0; site < f->lattice.sites; site++)
    for (size_t mu = 1; mu < f->lattice.dimensions; mu++) {
      size_t path[64], length = 0;
      for (size_t i = 0; i < r; i++)
        path[length++] = 2 * mu;
      for (size_t i = 0; i < t; i++)
        path[length++] = 0;
      for (size_t i = 0; i < r; i++)
        path[length++] = 2 * mu + 1;
      for (size_t i = 0; i < t; i++)
        path[length++] = 1;
      plain_path(f, links, site, path, length, loop);
      sum += creal(plain_trace(f->colours, loop)) / (double)f->colours;
      count++;
    }
  free(links);
  return sum / count;
}

/* Against paths; before and after a transformation; by one thread and two. Sizes beyond the lattice wind around it. */
static void wilson_loops(void **state)
{
  (void)state;
  for (size_t i = 0; i < FIXTURES; i++) {
    struct fixture f;
    const struct gauge_loop_sizes sizes = {3, 5};
    double loops[2][15];
    fixture_open(&f, &fixtures[i], 31);
    void *scratch = aligned_alloc(64, gauge_wilson_loop_bytes(&f.lattice, f.colours, &sizes));
    gauge_wilson_loops(&f.field, &sizes, 1, NULL, scratch, loops[0]);
    for (size_t r = 1; r <= 3; r++)
      for (size_t t = 1; t <= 5; t += 2)
        assert_near(loops[0][(r - 1) * 5 + t - 1], plain_loop(&f, r, t));
    gauge_wilson_loops(&f.field, &sizes, 2, NULL, scratch, loops[1]);
    assert_memory_equal(loops[0], loops[1], sizeof loops[0]);
    transform_randomly(&f, 5, 2);
    gauge_wilson_loops(&f.field, &sizes, 1, NULL, scratch, loops[1]);
    for (size_t k = 0; k < 15; k++)
      assert_near(loops[0][k], loops[1][k]);
    free(scratch);
    fixture_close(&f);
  }
}

/* Mean of Re Tr U / N over the axes from `first` on. */
static double functional(const struct fixture *f, size_t first)
{
  complex double *links = fixture_links(f);
  double sum = 0, count = 0;
  for (size_t i = 0; i < f->lattice.sites * f->lattice.dimensions; i++)
    if (i % f->lattice.dimensions >= first) {
      sum += creal(plain_trace(f->colours, links + i * f->colours * f->colours)) / (double)f->colours;
      count++;
    }
  free(links);
  return sum / count;
}

/* The residual by its definition. */
static double plain_residual(const struct fixture *f, size_t first)
{
  complex double *links = fixture_links(f);
  size_t n = f->colours, d = f->lattice.dimensions;
  double sum = 0;
  for (size_t site = 0; site < f->lattice.sites; site++) {
    complex double divergence[64] = {0};
    for (size_t mu = first; mu < d; mu++)
      for (size_t k = 0; k < n * n; k++)
        divergence[k] += 2 * links[(plain_step(&f->lattice, site, 2 * mu + 1) * d + mu) * n * n + k] -
                         2 * links[(site * d + mu) * n * n + k];
    plain_algebra(n, divergence);
    for (size_t k = 0; k < n * n; k++)
      sum += creal(divergence[k] * conj(divergence[k])) / (double)n;
  }
  free(links);
  return sum / (double)f->lattice.sites;
}

/* Rough fields: the residual goes, the functional grows, loops stay, two threads give the same bits. */
static void fixing_finds_a_maximum(void **state)
{
  (void)state;
  for (size_t i = 0; i < FIXTURES; i++)
    for (int condition = GAUGE_LANDAU; condition <= GAUGE_COULOMB; condition++) {
      struct fixture f, other;
      const struct gauge_fixing fixing = {(enum gauge_condition)condition, 1.7, 1e-12, 3000};
      fixture_open(&f, &fixtures[i], 41);
      fixture_open(&other, &fixtures[i], 41);
      if (!f.lattice.has_parity) {
        fixture_close(&f);
        fixture_close(&other);
        continue;
      }
      struct gauge_loop_means before, after;
      void *scratch = aligned_alloc(64, gauge_fixing_bytes(&f.lattice));
      double start = functional(&f, (size_t)condition);
      assert_near(gauge_residual(&f.field, fixing.condition, 1, scratch), plain_residual(&f, (size_t)condition));
      gauge_plaquette(&f.field, 1, &before);
      double residual = gauge_fix(&f.field, &fixing, 1, NULL, scratch);
      gauge_fix(&other.field, &fixing, 2, NULL, scratch);
      gauge_plaquette(&f.field, 1, &after);
      assert_true(residual <= 1e-12 && plain_residual(&f, (size_t)condition) < 2e-12);
      assert_true(functional(&f, (size_t)condition) > start + 0.01);
      assert_near(before.all, after.all);
      assert_memory_equal(f.field.links, other.field.links, f.numbers * sizeof(double));
      free(scratch);
      fixture_close(&f);
      fixture_close(&other);
    }
}

/* A transformation of the unit field, undone. */
static void fixing_undoes_a_transformation(void **state)
{
  (void)state;
  struct fixture f;
  const struct gauge_fixing fixing = {GAUGE_LANDAU, 1.6, 1e-20, 3000};
  fixture_open(&f, &fixtures[4], 1);
  gauge_field_cold(&f.field);
  transform_randomly(&f, 3, 1);
  assert_true(functional(&f, 0) < 0.5);
  void *scratch = aligned_alloc(64, gauge_fixing_bytes(&f.lattice));
  assert_true(gauge_fix(&f.field, &fixing, 1, NULL, scratch) <= 1e-20);
  assert_true(fabs(functional(&f, 0) - 1) < 1e-9);
  free(scratch);
  fixture_close(&f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(wilson_loops), cmocka_unit_test(fixing_finds_a_maximum),
                                     cmocka_unit_test(fixing_undoes_a_transformation)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
