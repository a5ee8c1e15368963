/* Lowest modes of Dirac operators: those of free quarks are known, and solvers that take them out find the same. */
#include "physics_dirac_fixture.h"

#include "physics/lattice/dirac_modes.h"
#include "physics/lattice/gauge_heatbath.h"
#include "physics/lattice/hermitian.h"

static const double pi = 3.14159265358979323846;

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* ---- dense matrices ---------------------------------------------------------------------------------------------- */

enum { ROWS = FERMION_MAX_COLOURS };

/* A = sum of value[k] v_k v_k^dagger of random orthonormal v: the values come back, three of them the same. */
static void eigenvalues_of_dense_matrices(void **state)
{
  (void)state;
  double complex u[ROWS * ROWS], a[ROWS * ROWS] = {0}, kept[ROWS * ROWS], vector[ROWS * ROWS];
  double value[ROWS], known[ROWS];
  for (size_t n = 1; n <= FERMION_MAX_COLOURS; n++) {
    random_unitary((struct philox_stream){3, n}, 0, n, u);
    for (size_t k = 0; k < n; k++) {
      known[k] = k < 3 ? -1 : (double)(k * k) - 7;
    }
    memset(a, 0, sizeof a);
    for (size_t i = 0; i < n * n * n; i++) {
      size_t row = i / n / n, column = i / n % n, k = i % n;
      a[row * n + column] += known[k] * u[k * n + row] * conj(u[k * n + column]);
    }
    memcpy(kept, a, sizeof a);
    hermitian_eigen(n, a, value, vector);
    qsort(known, n, sizeof *known, ascending);
    for (size_t k = 0; k < n; k++) {
      assert_true(fabs(value[k] - known[k]) < 1e-12);
      for (size_t i = 0; i < n; i++) {
        double complex image = 0, overlap = 0;
        for (size_t j = 0; j < n; j++) {
          image += kept[i * n + j] * vector[j * n + k];
          overlap += conj(vector[j * n + i]) * vector[j * n + k];
        }
        assert_true(cabs(image - value[k] * vector[i * n + k]) < 1e-12);
        assert_true(cabs(overlap - (i == k)) < 1e-13);
      }
    }
  }
}

/* ---- free quarks ------------------------------------------------------------------------------------------------- */

/* Values of the normal operator on plane waves, ascending; those of p and p + pi are one field on even sites. */
static double *free_values(const struct bench *bench, const struct dirac_rule *rule, size_t *count)
{
  const struct lattice *lattice = &bench->lattice;
  const size_t each = bench->dirac.shape.spins * bench->dirac.shape.colours;
  double *values = take(lattice->sites * each * sizeof *values);
  *count = 0;
  for (size_t site = 0; site < lattice->sites; site++) {
    double cosines = 0, squares = 0;
    for (size_t k = lattice->dimensions, rest = site; k-- > 0; rest /= lattice->extent[k]) {
      double shift = rule->hopping.boundary[k] == BOUNDARY_ANTIPERIODIC ? 0.5 : 0;
      double p = 2 * pi * ((double)(rest % lattice->extent[k]) + shift) / (double)lattice->extent[k];
      cosines += 2 * cos(p);
      squares += 4 * sin(p) * sin(p);
    }
    /* K = 1 - kappa^2 (c - i gamma s)^2, c = sum 2 cos p, s = 2 sin p; staggered K = 1 + sum sin^2 p / m^2 */
    double square = rule->kappa * rule->kappa, real = 1 - square * (cosines * cosines - squares);
    double value = rule->hopping.staggered ? 1 + squares / 4 / (rule->mass * rule->mass)
                                           : real * real + 4 * square * square * cosines * cosines * squares;
    for (size_t i = 0; i < each; i++) {
      values[(*count)++] = value;
    }
  }
  qsort(values, *count, sizeof *values, ascending);
  for (size_t i = 0; i < *count / 2; i++) {
    values[i] = values[2 * i];
  }
  *count /= 2;
  return values;
}

static void bench_free(struct bench *bench, const struct dirac_rule *rule)
{
  gauge_field_cold(&bench->gauge);
  gauge_field_get(&bench->gauge, 1, (double *)bench->links);
  bench_set(bench, rule, true);
}

static const struct free_quark {
  size_t dimensions, extent[LATTICE_MAX_DIMENSIONS], colours, modes;
  struct dirac_rule rule;
} free_quarks[] = {
    {4, {4, 4, 4, 8}, 3, 40, {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.124}},
    {4, {4, 6, 4, 4}, 1, 20, {.hopping = {{BOUNDARY_ANTIPERIODIC}, true}, .mass = 0.2}},
    {2, {8, 12}, 2, 9, {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.24}},
    {3, {4, 4, 6}, 2, 3, {.kappa = 0.05}}, /* a narrow spectrum */
    {2, {4, 4}, 1, 1, {.hopping.staggered = true, .mass = 0.3}},
};

enum { FREE_QUARKS = sizeof free_quarks / sizeof *free_quarks };

static void modes_of_free_quarks(void **state)
{
  (void)state;
  for (size_t i = 0; i < 2 * FREE_QUARKS; i++) {
    const struct free_quark *quark = &free_quarks[i / 2];
    const enum fermion_type type = i % 2 ? FERMION_F32 : FERMION_F64;
    struct bench bench;
    struct dirac_modes modes, again;
    size_t count;
    bench_open(&bench, quark->dimensions, quark->extent, quark->colours);
    bench_free(&bench, &quark->rule);
    bench.dirac.threads = i / 2 == 1 ? 2 : 1;
    double *known = free_values(&bench, &quark->rule, &count);
    assert_true(quark->modes <= dirac_modes_most(&bench.dirac.shape));
    size_t bytes = dirac_modes_bytes(&bench.dirac.shape, type, quark->modes);
    void *memory = take(bytes), *other = take(bytes);
    assert_int_equal(dirac_modes_find(&bench.dirac, type, quark->modes, NULL, memory, &modes), 0);
    if (!(modes.off <= DIRAC_MODE_ACCURACY && modes.top >= known[count - 1])) {
      fail_msg("quark %zu: residual %g, top %g of %g", i / 2, modes.off, modes.top, known[count - 1]);
    }
    for (size_t k = 0; k < quark->modes; k++) { /* the values' errors are the residuals' squares */
      if (!(fabs(modes.values[k] / known[k] - 1) < 1e-3)) {
        fail_msg("quark %zu: value %zu is %.6g, not %.6g", i / 2, k, modes.values[k], known[k]);
      }
    }
    if (bench.dirac.threads == 2) {
      bench.dirac.threads = 1;
      assert_int_equal(dirac_modes_find(&bench.dirac, type, quark->modes, NULL, other, &again), 0);
      assert_memory_equal(modes.vectors, again.vectors,
                          quark->modes * fermion_bytes(&bench.dirac.shape, type, bench.lattice.blocks / 2));
      assert_memory_equal(modes.values, again.values, quark->modes * sizeof *modes.values);
    }
    free(known), free(memory), free(other);
    bench_close(&bench);
  }
}

/* ---- solvers ----------------------------------------------------------------------------------------------------- */

/* A few sweeps from unit links, where light quarks have low modes. */
static void bench_heat(struct bench *bench, const struct dirac_rule *rule)
{
  const struct gauge_action action = {.beta = 5.7, .anisotropy = 1};
  gauge_field_cold(&bench->gauge);
  for (uint64_t t = 0; t < 20; t++) {
    gauge_heatbath(&bench->gauge, &action, (struct philox_stream){1, t}, 1);
    gauge_overrelax(&bench->gauge, &action, 1);
  }
  gauge_reunitarise(&bench->gauge, 1);
  gauge_field_get(&bench->gauge, 1, (double *)bench->links);
  bench_set(bench, rule, true);
  bench->dirac.threads = 1;
}

static double distance_of(const double *a, const double *b, size_t count)
{
  double sum = 0, all = 0;
  for (size_t i = 0; i < count; i++) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
    all += a[i] * a[i];
  }
  return sqrt(sum / all);
}

static void deflated_solvers_agree(void **state)
{
  (void)state;
  static const struct dirac_rule rules[] = {{.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.165},
                                            {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.142, .clover = 1},
                                            {.hopping = {{BOUNDARY_ANTIPERIODIC}, true}, .mass = 0.05}};
  const size_t extent[4] = {8, 4, 4, 4};
  for (size_t i = 0; i < 12; i++) {
    struct bench bench;
    struct dirac_modes modes;
    const struct dirac_rule *rule = &rules[i / 4];
    bench_open(&bench, 4, extent, 3);
    bench_heat(&bench, rule);
    struct solver solver = {.method = i % 2 ? SOLVER_BICGSTAB : SOLVER_CG,
                            .mixed = i / 2 % 2 != 0,
                            .tolerance = 1e-11,
                            .most_iterations = 5000};
    const enum fermion_type type = solver.mixed ? FERMION_F32 : FERMION_F64;
    const size_t bytes = fermion_bytes(&bench.dirac.shape, FERMION_F64, bench.lattice.blocks);
    double *eta = take(bytes), *plain = take(bytes), *deflated = take(bytes);
    void *work = take(dirac_solve_bytes(&bench.dirac.shape));
    void *memory = take(dirac_modes_bytes(&bench.dirac.shape, type, 16));
    struct solver_report before, after;
    double complex *source = random_field(&bench, 9);
    fermion_set(&bench.dirac.shape, (const double *)source, eta);
    assert_int_equal(dirac_modes_find(&bench.dirac, type, 16, NULL, memory, &modes), 0);
    assert_true(modes.off <= DIRAC_MODE_ACCURACY);
    dirac_solve(&bench.dirac, &solver, eta, plain, work, &before);
    solver.modes = &modes;
    dirac_solve(&bench.dirac, &solver, eta, deflated, work, &after);
    assert_true(before.converged && after.converged && after.residual <= 1.01e-11);
    /* both are within the tolerance times the condition of the operator */
    assert_true(distance_of(plain, deflated, bytes / sizeof *plain) < 1e-8);
    if (!(after.iterations < before.iterations * (solver.method == SOLVER_CG ? 0.85 : 1.1))) {
      fail_msg("case %zu: %zu iterations with modes, %zu without", i, after.iterations, before.iterations);
    }
    free(eta), free(plain), free(deflated), free(work), free(memory), free(source);
    bench_close(&bench);
  }
}

static void a_search_can_be_cancelled(void **state)
{
  (void)state;
  const size_t extent[4] = {4, 4, 4, 4};
  const struct dirac_rule rule = {.kappa = 0.12};
  const volatile int cancel = 1;
  struct bench bench;
  struct dirac_modes modes;
  bench_open(&bench, 4, extent, 3);
  bench_free(&bench, &rule);
  void *memory = take(dirac_modes_bytes(&bench.dirac.shape, FERMION_F64, 4));
  assert_int_equal(dirac_modes_find(&bench.dirac, FERMION_F64, 4, &cancel, memory, &modes), -1);
  free(memory);
  bench_close(&bench);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(eigenvalues_of_dense_matrices),
                                     cmocka_unit_test(modes_of_free_quarks), cmocka_unit_test(deflated_solvers_agree),
                                     cmocka_unit_test(a_search_can_be_cancelled)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
