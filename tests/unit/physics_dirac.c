/* Dirac operators against sums written out site by site, and the identities that they must keep. */
#include "physics_dirac_fixture.h"

#include <math.h>

static double distance(const double complex *a, const double complex *b, size_t count)
{
  double most = 0;
  for (size_t i = 0; i < count; i++) {
    most = fmax(most, cabs(a[i] - b[i]));
  }
  return most;
}

/* ---- the plain operator ------------------------------------------------------------------------------------------ */

/* gamma_mu written out, spins x spins. */
static void dense_gamma(size_t spins, size_t mu, double complex g[MAX_SPINS][MAX_SPINS])
{
  static const double complex pauli[3][2][2] = {{{0, 1}, {1, 0}}, {{0, -I}, {I, 0}}, {{1, 0}, {0, -1}}};
  memset(g, 0, sizeof(double complex) * MAX_SPINS * MAX_SPINS);
  for (size_t i = 0; i < spins / 2; i++) {
    for (size_t k = 0; k < spins / 2; k++) {
      double complex a = spins == 2 ? (mu == 0 ? 1 : -I) : mu == 0 ? (i == k) : I * pauli[mu - 1][i][k];
      g[i][spins / 2 + k] = a;
      g[spins / 2 + k][i] = conj(a);
    }
  }
}

static size_t site_of(const struct lattice *lattice, const size_t *at)
{
  size_t number = 0;
  for (size_t k = 0; k < lattice->dimensions; k++) {
    number = number * lattice->extent[k] + at[k];
  }
  return number;
}

static void place_of(const struct lattice *lattice, size_t site, size_t *at)
{
  for (size_t k = lattice->dimensions; k-- > 0;) {
    at[k] = site % lattice->extent[k];
    site /= lattice->extent[k];
  }
}

/* The factor of a hop, and the site that it comes from. */
static double naive_hop(const struct bench *bench, const struct hopping_rule *rule, const size_t *at, size_t mu,
                        bool backward, size_t *other)
{
  size_t to[LATTICE_MAX_DIMENSIONS], sum = 0, extent = bench->lattice.extent[mu];
  memcpy(to, at, sizeof to);
  to[mu] = backward ? (at[mu] + extent - 1) % extent : (at[mu] + 1) % extent;
  *other = site_of(&bench->lattice, to);
  bool around = backward ? at[mu] == 0 : at[mu] == extent - 1;
  double factor = !around                                       ? 1
                  : rule->boundary[mu] == BOUNDARY_ANTIPERIODIC ? -1
                  : rule->boundary[mu] == BOUNDARY_OPEN         ? 0
                                                                : 1;
  for (size_t k = 0; k < mu; k++) {
    sum += at[k];
  }
  if (rule->staggered) {
    factor *= (sum % 2 != 0 ? -0.5 : 0.5) * (backward ? -1 : 1);
  }
  return factor;
}

/* out += (1 -+ gamma_mu) V in of one hop; or V in without spin. */
static void naive_add(const struct bench *bench, const double complex *u, bool backward, size_t mu,
                      double complex factor, const double complex *in, double complex *out)
{
  size_t n = bench->gauge.colours, spins = bench->dirac.shape.spins;
  double complex gamma[MAX_SPINS][MAX_SPINS];
  dense_gamma(spins, mu, gamma);
  for (size_t s = 0; s < spins; s++) {
    for (size_t t = 0; t < spins; t++) {
      double complex projector = spins == 1 ? 1 : (double)(s == t) - (backward ? -1 : 1) * gamma[s][t];
      for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
          double complex v = backward ? conj(u[b * n + a]) : u[a * n + b];
          out[s * n + a] += factor * projector * v * in[t * n + b];
        }
      }
    }
  }
}

static double complex *naive_apply(const struct bench *bench, const struct dirac_rule *rule, const double complex *in)
{
  size_t d = bench->lattice.dimensions, n = bench->gauge.colours, size = bench->dirac.shape.spins * n;
  double complex *out = take(field_count(bench) * sizeof *out);
  for (size_t site = 0; site < bench->lattice.sites; site++) {
    size_t at[LATTICE_MAX_DIMENSIONS];
    place_of(&bench->lattice, site, at);
    for (size_t i = 0; i < size; i++) {
      out[site * size + i] = (rule->hopping.staggered ? rule->mass : 1 / (2 * rule->kappa)) * in[site * size + i];
    }
    for (size_t direction = 0; direction < 2 * d; direction++) {
      size_t mu = direction / 2, other;
      bool backward = direction % 2 != 0;
      double factor = naive_hop(bench, &rule->hopping, at, mu, backward, &other);
      const double complex *u = bench->links + ((backward ? other : site) * d + mu) * n * n;
      naive_add(bench, u, backward, mu, rule->hopping.staggered ? factor : -0.5 * factor, in + other * size,
                out + site * size);
    }
  }
  return out;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static const struct shape {
  size_t dimensions, extent[LATTICE_MAX_DIMENSIONS], colours;
  bool staggered;
} shapes[] = {{4, {4, 4, 4, 8}, 3, false}, {4, {8, 8, 4, 4}, 3, false}, {4, {2, 4, 2, 6}, 3, false},
              {4, {3, 2, 4, 5}, 3, false}, {4, {4, 4, 4, 4}, 2, false}, {4, {4, 2, 2, 2}, 1, false},
              {2, {8, 8}, 1, false},       {2, {16, 12}, 1, false},     {2, {5, 6}, 3, false},
              {3, {4, 6, 8}, 2, false},    {3, {3, 5, 2}, 4, false},    {4, {4, 4, 4, 8}, 3, true},
              {4, {2, 4, 4, 4}, 2, true},  {3, {4, 8, 4}, 5, true},     {2, {8, 4}, 1, true}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static struct dirac_rule rule_of(size_t i)
{
  return (struct dirac_rule){
      .hopping = {.boundary = {(enum fermion_boundary)(i % 3), (enum fermion_boundary)(i / 2 % 2)},
                  .staggered = shapes[i].staggered},
      .kappa = 0.121,
      .mass = 0.31};
}

static void operator_is_the_sum_over_hops(void **state)
{
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) {
    struct bench bench;
    struct dirac_rule rule = rule_of(i);
    bench_open(&bench, shapes[i].dimensions, shapes[i].extent, shapes[i].colours);
    bench_set(&bench, &rule, false);
    double complex *in = random_field(&bench, 0);
    double complex *out = applied(&bench, in), *expected = naive_apply(&bench, &rule, in);
    double off = distance(out, expected, field_count(&bench));
    if (!(off < 1e-13)) {
      fail_msg("shape %zu: off by %g", i, off);
    }
    free(in);
    free(out);
    free(expected);
    bench_close(&bench);
  }
}

/* The even-odd pieces with the solution of a known psi: eta = M psi, then K psi_e is the source, and psi_o comes out.
 */
static void halves_make_the_whole(void **state)
{
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) {
    struct bench bench;
    struct dirac_rule rule = rule_of(i);
    rule.clover = i % 2 ? 1.3 : 0;
    bench_open(&bench, shapes[i].dimensions, shapes[i].extent, shapes[i].colours);
    bench_set(&bench, &rule, false);
    if (bench.lattice.has_parity) {
      const struct fermion_shape *shape = &bench.dirac.shape;
      size_t bytes = fermion_bytes(shape, FERMION_F64, bench.lattice.blocks), half = bytes / sizeof(double) / 2;
      double *psi = take(bytes), *eta = take(bytes), *rhs = take(bytes), *even = take(bytes), *work = take(bytes);
      double complex *in = random_field(&bench, 3);
      fermion_set(shape, (const double *)in, psi);
      dirac_apply(&bench.dirac, psi, eta);
      dirac_even_source(&bench.dirac, eta, rhs, work);
      dirac_even(&bench.dirac, FERMION_F64, psi, even, work);
      assert_true(distance((double complex *)rhs, (double complex *)even, half / 2) < 1e-12);
      memset(psi + half, 0, bytes / 2);
      dirac_odd_solution(&bench.dirac, eta, psi, work);
      double complex *out = random_field(&bench, 4);
      fermion_get(shape, psi, (double *)out);
      assert_true(distance(in, out, field_count(&bench)) < 1e-13);
      free(psi), free(eta), free(rhs), free(even), free(work), free(in), free(out);
    }
    bench_close(&bench);
  }
}

static double complex overlap(const double complex *a, const double complex *b, size_t count)
{
  double complex sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += conj(a[i]) * b[i];
  }
  return sum;
}

static void turn_chiral(const struct bench *bench, double complex *field)
{
  size_t size = bench->dirac.shape.spins * bench->dirac.shape.colours;
  for (size_t i = 0; i < field_count(bench); i++) {
    field[i] = i % size < size / 2 ? field[i] : -field[i];
  }
}

/* (a, g5 M g5 b) = (M a, b); without spin, (a, M b) + (M a, b) = 2 m (a, b). */
static void operator_is_gamma5_hermitian(void **state)
{
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) {
    struct bench bench;
    struct dirac_rule rule = rule_of(i);
    rule.clover = 1.1;
    bench_open(&bench, shapes[i].dimensions, shapes[i].extent, shapes[i].colours);
    bench_set(&bench, &rule, false);
    size_t count = field_count(&bench);
    double complex *a = random_field(&bench, 0), *b = random_field(&bench, 1), *ma = applied(&bench, a);
    double complex left = overlap(ma, b, count), both = overlap(a, b, count);
    if (!rule.hopping.staggered) {
      turn_chiral(&bench, b);
    }
    double complex *mb = applied(&bench, b);
    if (!rule.hopping.staggered) {
      turn_chiral(&bench, mb);
    }
    double complex right = overlap(a, mb, count);
    assert_true(cabs(rule.hopping.staggered ? left + right - 2 * rule.mass * both : left - right) < 1e-10);
    free(a), free(b), free(ma), free(mb);
    bench_close(&bench);
  }
}

/* G M[U] = M[G U] G, with the clover term. */
static void operator_is_gauge_covariant(void **state)
{
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) {
    struct bench bench;
    struct dirac_rule rule = rule_of(i);
    rule.clover = 0.9;
    bench_open(&bench, shapes[i].dimensions, shapes[i].extent, shapes[i].colours);
    bench_set(&bench, &rule, false);
    size_t n = shapes[i].colours, d = shapes[i].dimensions, spins = bench.dirac.shape.spins;
    double complex *in = random_field(&bench, 0), *out = applied(&bench, in);
    double complex *g = take(bench.lattice.sites * n * n * sizeof *g);
    for (size_t site = 0; site < bench.lattice.sites; site++) {
      random_unitary((struct philox_stream){5, 5}, site, n, g + site * n * n);
    }
    double complex *fields[2] = {in, out};
    for (size_t k = 0; k < 2; k++) {
      for (size_t row = 0; row < bench.lattice.sites * spins; row++) {
        double complex turned[FERMION_MAX_COLOURS] = {0}, *psi = fields[k] + row * n;
        for (size_t j = 0; j < n * n; j++) {
          turned[j / n] += g[row / spins * n * n + j] * psi[j % n];
        }
        memcpy(psi, turned, n * sizeof *psi);
      }
    }
    for (size_t site = 0; site < bench.lattice.sites; site++) {
      for (size_t mu = 0; mu < d; mu++) {
        size_t at[LATTICE_MAX_DIMENSIONS], other;
        place_of(&bench.lattice, site, at);
        naive_hop(&bench, &rule.hopping, at, mu, false, &other);
        double complex *u = bench.links + (site * d + mu) * n * n, turned[FERMION_MAX_COLOURS * FERMION_MAX_COLOURS];
        for (size_t j = 0; j < n * n; j++) {
          turned[j] = 0;
          for (size_t a = 0; a < n * n; a++) {
            turned[j] += g[(site * n + j / n) * n + a / n] * u[a] * conj(g[(other * n + j % n) * n + a % n]);
          }
        }
        memcpy(u, turned, n * n * sizeof *u);
      }
    }
    bench_clear(&bench);
    bench_set(&bench, &rule, false);
    double complex *again = applied(&bench, in);
    assert_true(distance(out, again, field_count(&bench)) < 1e-12);
    free(in), free(out), free(again), free(g);
    bench_close(&bench);
  }
}

/* On plane waves of a free field M is m + sum (1 - cos p) + i gamma sin p, m = 1 / (2 kappa) - 4. */
static void plane_waves_are_eigenvectors(void **state)
{
  (void)state;
  const size_t extent[4] = {4, 6, 4, 8}, wave[4] = {1, 2, 3, 1};
  struct bench bench;
  struct dirac_rule rule = {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.13};
  bench_open(&bench, 4, extent, 1);
  gauge_field_cold(&bench.gauge);
  gauge_field_get(&bench.gauge, 1, (double *)bench.links);
  bench_set(&bench, &rule, false);
  double p[4];
  double complex spinor[4] = {0.3, -0.2 * I, 1, 0.5 + I}, expected[4];
  for (size_t s = 0; s < 4; s++) {
    expected[s] = spinor[s] / (2 * rule.kappa);
  }
  for (size_t mu = 0; mu < 4; mu++) {
    double complex gamma[MAX_SPINS][MAX_SPINS];
    dense_gamma(4, mu, gamma);
    p[mu] = 2 * acos(-1) * ((double)wave[mu] + (mu == 0 ? 0.5 : 0)) / (double)extent[mu];
    for (size_t s = 0; s < 4; s++) {
      expected[s] -= cos(p[mu]) * spinor[s];
      for (size_t t = 0; t < 4; t++) {
        expected[s] += I * sin(p[mu]) * gamma[s][t] * spinor[t];
      }
    }
  }
  double complex *in = random_field(&bench, 0), *wanted = random_field(&bench, 0);
  for (size_t site = 0; site < bench.lattice.sites; site++) {
    size_t at[4];
    double phase = 0;
    place_of(&bench.lattice, site, at);
    for (size_t mu = 0; mu < 4; mu++) {
      phase += p[mu] * (double)at[mu];
    }
    for (size_t s = 0; s < 4; s++) {
      in[site * 4 + s] = cexp(I * phase) * spinor[s];
      wanted[site * 4 + s] = cexp(I * phase) * expected[s];
    }
  }
  double complex *out = applied(&bench, in);
  assert_true(distance(out, wanted, field_count(&bench)) < 1e-13);
  free(in), free(out), free(wanted);
  bench_close(&bench);
}

/* The staggered K of a free field has the plane waves' m^2 + sum sin^2 p over m^2. */
static void staggered_spectrum_is_that_of_free_quarks(void **state)
{
  (void)state;
  const size_t extent[2] = {8, 8};
  struct bench bench;
  struct dirac_rule rule = {.hopping = {.boundary = {BOUNDARY_ANTIPERIODIC}, .staggered = true}, .mass = 0.2};
  bench_open(&bench, 2, extent, 1);
  gauge_field_cold(&bench.gauge);
  gauge_field_get(&bench.gauge, 1, (double *)bench.links);
  bench_set(&bench, &rule, false);
  double p0 = acos(-1) * 3 / 8, p1 = 2 * acos(-1) / 8;
  double complex *in = random_field(&bench, 0);
  for (size_t site = 0; site < bench.lattice.sites; site++) {
    in[site] = cexp(I * (p0 * (double)(site / 8) + p1 * (double)(site % 8)));
  }
  /* M^dagger M = (2 m - M) M */
  double complex *once = applied(&bench, in);
  for (size_t i = 0; i < bench.lattice.sites; i++) {
    in[i] *= rule.mass * rule.mass + sin(p0) * sin(p0) + sin(p1) * sin(p1);
  }
  double complex *twice = applied(&bench, once);
  for (size_t i = 0; i < bench.lattice.sites; i++) {
    twice[i] = 2 * rule.mass * once[i] - twice[i];
  }
  assert_true(distance(twice, in, bench.lattice.sites) < 1e-14);
  free(in), free(once), free(twice);
  bench_close(&bench);
}

/* In a constant field of U(1), F is i sin of the plaquette's angle, and A - 1 its multiple of gamma_0 gamma_1. */
static void clover_measures_a_constant_field(void **state)
{
  (void)state;
  const size_t extent[2] = {8, 8};
  struct bench bench;
  struct dirac_rule rule = {.kappa = 0.25, .clover = 1};
  bench_open(&bench, 2, extent, 1);
  const double angle = 2 * acos(-1) / 64;
  for (size_t site = 0; site < 64; site++) {
    double x0 = (double)(site / 8), x1 = (double)(site % 8);
    bench.links[2 * site] = x0 < 7 ? 1 : cexp(-8 * I * angle * x1);
    bench.links[2 * site + 1] = cexp(I * angle * x0);
  }
  bench_set(&bench, &rule, false);
  double complex *in = random_field(&bench, 0), *with = applied(&bench, in);
  rule.clover = 0;
  bench_clear(&bench);
  bench_set(&bench, &rule, false);
  double complex *without = applied(&bench, in);
  /* gamma_0 gamma_1 = i gamma_5 */
  for (size_t i = 0; i < 128; i++) {
    double complex f = I * sin(angle), gamma = i % 2 == 0 ? I : -I;
    assert_true(cabs(with[i] - without[i] + 0.5 * gamma * f * in[i]) < 1e-14);
  }
  free(in), free(with), free(without);
  bench_close(&bench);
}

static void products_of_gamma_are_matrices(void **state)
{
  (void)state;
  for (unsigned set = 0; set < 16; set++) {
    double complex product[4][4] = {{1}, {0, 1}, {0, 0, 1}, {0, 0, 0, 1}};
    for (size_t mu = 0; mu < 4; mu++) {
      double complex gamma[MAX_SPINS][MAX_SPINS], next[4][4] = {{0}};
      dense_gamma(4, mu, gamma);
      for (size_t i = 0; (set & 1U << mu) && i < 64; i++) {
        next[i / 16][i % 4] += product[i / 16][i / 4 % 4] * gamma[i / 4 % 4][i % 4];
      }
      if (set & 1U << mu) {
        memcpy(product, next, sizeof product);
      }
    }
    struct gamma_product table = gamma_product(4, set), chiral = gamma_product(4, 16);
    for (size_t row = 0; row < 4; row++) {
      for (size_t column = 0; column < 4; column++) {
        double complex entry = table.column[row] == column ? gamma_turn(1, table.power[row]) : 0;
        assert_true(cabs(entry - product[row][column]) < 1e-15);
        if (set == 15 && row == column) {
          assert_true(cabs(entry - gamma_turn(1, chiral.power[row])) < 1e-15);
        }
      }
    }
  }
}

static double norm_of(const double *x, size_t count)
{
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += x[i] * x[i];
  }
  return sqrt(sum);
}

/* What is solved is what M is applied to; the same bits from one thread and from two. */
static void solvers_find_the_inverse(void **state)
{
  (void)state;
  for (size_t i = 0; i < SHAPES * 4; i++) {
    struct bench bench;
    const struct shape *shape = &shapes[i / 4];
    struct dirac_rule rule = rule_of(i / 4);
    rule.clover = i / 4 % 2 ? 0.8 : 0;
    rule.kappa = shape->dimensions == 2 ? 0.21 : shape->dimensions == 3 ? 0.15 : 0.115;
    bench_open(&bench, shape->dimensions, shape->extent, shape->colours);
    bench_set(&bench, &rule, true);
    if (bench.lattice.has_parity && bench.lattice.sites <= 256) {
      struct solver solver = {.method = i % 2 ? SOLVER_BICGSTAB : SOLVER_CG,
                              .mixed = i / 2 % 2 != 0,
                              .tolerance = 1e-11,
                              .most_iterations = 2000};
      size_t bytes = fermion_bytes(&bench.dirac.shape, FERMION_F64, bench.lattice.blocks),
             count = bytes / sizeof(double);
      double *eta = take(bytes), *psi = take(bytes), *back = take(bytes), *again = take(bytes);
      void *work = take(dirac_solve_bytes(&bench.dirac.shape));
      struct solver_report report;
      double complex *source = random_field(&bench, 9);
      fermion_set(&bench.dirac.shape, (const double *)source, eta);
      dirac_solve(&bench.dirac, &solver, eta, psi, work, &report);
      assert_true(report.converged && report.residual <= 1.01e-11);
      dirac_apply(&bench.dirac, psi, back);
      for (size_t k = 0; k < count; k++) {
        back[k] -= eta[k];
      }
      double residual = norm_of(back, count) / norm_of(eta, count);
      if (!(residual < 2e-11)) {
        fail_msg("shape %zu, solver %zu: residual %g", i / 4, i % 4, residual);
      }
      bench.dirac.threads = 1;
      dirac_solve(&bench.dirac, &solver, eta, again, work, &report);
      assert_memory_equal(psi, again, bytes);
      free(eta), free(psi), free(back), free(again), free(work), free(source);
    }
    bench_close(&bench);
  }
}

/* Too few iterations are told, with what was reached. */
static void solvers_tell_that_they_failed(void **state)
{
  (void)state;
  const size_t extent[4] = {4, 4, 4, 4};
  struct bench bench;
  struct dirac_rule rule = {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.12};
  bench_open(&bench, 4, extent, 3);
  bench_set(&bench, &rule, true);
  size_t bytes = fermion_bytes(&bench.dirac.shape, FERMION_F64, bench.lattice.blocks);
  double *eta = take(bytes), *psi = take(bytes);
  void *work = take(dirac_solve_bytes(&bench.dirac.shape));
  eta[3] = 1;
  for (size_t i = 0; i < 4; i++) {
    volatile int cancel = i == 3;
    struct solver solver = {.method = i % 2 ? SOLVER_BICGSTAB : SOLVER_CG,
                            .mixed = i == 2,
                            .tolerance = 1e-12,
                            .most_iterations = 5,
                            .cancel = &cancel};
    struct solver_report report;
    dirac_solve(&bench.dirac, &solver, eta, psi, work, &report);
    assert_false(report.converged);
    assert_int_equal(report.cancelled, i == 3);
    assert_true(report.iterations <= 5 && report.residual > 1e-12 && report.residual <= 2);
  }
  free(eta), free(psi), free(work);
  bench_close(&bench);
}

/* Floats are the doubles' results to their precision; any number of threads gives the same bits. */
static void types_and_threads_agree(void **state)
{
  (void)state;
  const size_t extent[4] = {8, 8, 4, 4};
  struct bench bench;
  struct dirac_rule rule = {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.12, .clover = 1.2};
  bench_open(&bench, 4, extent, 3);
  bench_set(&bench, &rule, true);
  size_t bytes = fermion_bytes(&bench.dirac.shape, FERMION_F64, bench.lattice.blocks) / 2, count = bytes / 8;
  double *in = take(bytes), *out = take(bytes), *alone = take(bytes);
  float *narrow = take(bytes), *narrow_out = take(bytes);
  void *work[2] = {take(bytes), take(bytes)};
  philox_normals((struct philox_stream){1, 1}, 0, count, in);
  fermion_narrow(in, count, narrow);
  dirac_normal(&bench.dirac, FERMION_F64, in, out, work);
  dirac_normal(&bench.dirac, FERMION_F32, narrow, narrow_out, work);
  bench.dirac.threads = 1;
  dirac_normal(&bench.dirac, FERMION_F64, in, alone, work);
  assert_memory_equal(out, alone, bytes);
  for (size_t i = 0; i < count; i++) {
    assert_true(fabs(out[i] - (double)narrow_out[i]) < 2e-5);
  }
  free(in), free(out), free(alone), free(narrow), free(narrow_out), free(work[0]), free(work[1]);
  bench_close(&bench);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operator_is_the_sum_over_hops),    cmocka_unit_test(halves_make_the_whole),
      cmocka_unit_test(operator_is_gamma5_hermitian),     cmocka_unit_test(operator_is_gauge_covariant),
      cmocka_unit_test(plane_waves_are_eigenvectors),     cmocka_unit_test(staggered_spectrum_is_that_of_free_quarks),
      cmocka_unit_test(clover_measures_a_constant_field), cmocka_unit_test(products_of_gamma_are_matrices),
      cmocka_unit_test(types_and_threads_agree),          cmocka_unit_test(solvers_find_the_inverse),
      cmocka_unit_test(solvers_tell_that_they_failed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
