/* Propagators and meson correlators: free quarks known exactly, each trace against a quark that really runs back, and
 * Ward identities configuration by configuration. */
#include "physics_dirac_fixture.h"

#include "physics/lattice/condensate.h"
#include "physics/lattice/meson.h"
#include "physics/lattice/propagator.h"

static const struct solver exact = {.method = SOLVER_CG, .mixed = true, .tolerance = 1e-12, .most_iterations = 5000};

/* The columns of M^-1 of that source; they begin the memory that is returned. */
static double *propagator(const struct bench *bench, const struct quark_source *source)
{
  double *memory = take(propagator_bytes(&bench->dirac.shape));
  struct propagator_room room = propagator_room(&bench->dirac.shape, memory);
  struct solver_report report;
  assert_int_equal(propagator_solve(&bench->dirac, &exact, source, &room, &report), 0);
  return memory;
}

/* S: rows spin and colour at `at`. */
static void entry(const struct bench *bench, const double *columns, const size_t *at, double complex *s)
{
  const struct fermion_shape *shape = &bench->dirac.shape;
  size_t size = shape->spins * shape->colours, block, lane;
  lattice_locate(shape->lattice, at, &block, &lane);
  for (size_t i = 0; i < size * size; i++) {
    const double *number =
        columns + ((i % size * shape->lattice->blocks + block) * size + i / size) * 2 * LATTICE_LANES;
    s[i] = complex_of(number[lane], number[LATTICE_LANES + lane]);
  }
}

static void free_pion_is_that_of_the_momentum_sum(void **state)
{
  (void)state;
  static const double expected[] = {8.28921441e-1, 6.88774558e-2, 3.20695681e-2, 2.55968240e-2,
                                    2.41588350e-2, 2.55968240e-2, 3.20695681e-2, 6.88774558e-2};
  const size_t extent[4] = {8, 4, 4, 4};
  struct bench bench;
  struct dirac_rule rule = {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.12};
  bench_open(&bench, 4, extent, 3);
  gauge_field_cold(&bench.gauge);
  gauge_field_get(&bench.gauge, 1, (double *)bench.links);
  bench_set(&bench, &rule, true);
  struct quark_source source = {.kind = SOURCE_POINT, .place = {3, 1, 0, 2}};
  double *columns = propagator(&bench, &source), out[16 * 8];
  const int momentum[1][LATTICE_MAX_DIMENSIONS] = {{0}};
  struct meson_request request = {.source = {3, 1, 0, 2}, .momenta = 1, .momentum = momentum, .weight = 1};
  meson_correlators(&bench.dirac, columns, &request, out);
  for (size_t t = 0; t < 8; t++) {
    assert_true(fabs(out[5 * 8 + t] / expected[t] - 1) < 1e-7);
  }
  free(columns);
  bench_close(&bench);
}

static void times(const double complex *a, const double complex *b, size_t n, double complex *c)
{
  for (size_t i = 0; i < n * n; i++) {
    c[i] = 0;
    for (size_t k = 0; k < n; k++) {
      c[i] += a[i / n * n + k] * b[k * n + i % n];
    }
  }
}

/* Spin matrix times unit colour matrix. */
static void spread(const struct gamma_product *gamma, size_t colours, double complex *matrix)
{
  size_t size = gamma->spins * colours;
  memset(matrix, 0, size * size * sizeof *matrix);
  for (size_t row = 0; row < size; row++) {
    size_t column = gamma->column[row / colours] * colours + row % colours;
    matrix[row * size + column] = gamma_turn(1, gamma->power[row / colours]);
  }
}

/* - tr [ G S(x, 0) Gbar S(0, x) ], the second from a source at x, against the correlator on a lattice whose slices have
 * one site: there each slice is x. */
static void correlators_are_traces_of_two_quarks(void **state)
{
  (void)state;
  static const struct {
    size_t dimensions, extent[4], colours;
  } cases[] = {{4, {4, 2, 2, 2}, 3}, {2, {4, 4}, 1}, {2, {6, 2}, 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct bench bench;
    struct dirac_rule rule = {
        .hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .clover = 1, .kappa = cases[i].dimensions == 4 ? 0.1 : 0.2};
    bench_open(&bench, cases[i].dimensions, cases[i].extent, cases[i].colours);
    bench_set(&bench, &rule, true);
    const struct fermion_shape *shape = &bench.dirac.shape;
    size_t size = shape->spins * shape->colours, volume = bench.lattice.sites / cases[i].extent[0];
    struct quark_source source = {.kind = SOURCE_POINT};
    double *forward = propagator(&bench, &source);
    double out[16 * 2 * 6], sum[16 * 2] = {0};
    const int momentum[2][LATTICE_MAX_DIMENSIONS] = {{0}, {0, 1}};
    struct meson_request request = {.momenta = 2, .momentum = momentum, .weight = 1};
    meson_correlators(&bench.dirac, forward, &request, out);
    for (size_t site = 0; site < volume; site++) { /* of the slice t = 1 */
      struct quark_source other = {.kind = SOURCE_POINT, .place = {1}};
      for (size_t k = cases[i].dimensions, rest = site; k-- > 1;) {
        other.place[k] = rest % cases[i].extent[k];
        rest /= cases[i].extent[k];
      }
      double *backward = propagator(&bench, &other);
      double complex there[12 * 12], back[12 * 12], sink[12 * 12], bar[12 * 12], left[12 * 12], right[12 * 12],
          all[12 * 12];
      entry(&bench, forward, other.place, there);
      entry(&bench, backward, source.place, back);
      for (size_t g = 0; g < meson_structures(shape->spins); g++) {
        static const unsigned four[] = {0, 1, 2, 4, 8, 16, 17, 18, 20, 24, 3, 5, 9, 6, 10, 12}, two[] = {0, 1, 2, 16};
        struct gamma_product gamma = gamma_product(shape->spins, shape->spins == 4 ? four[g] : two[g]);
        struct gamma_product conjugate = gamma_bar(&gamma);
        spread(&gamma, shape->colours, sink);
        spread(&conjugate, shape->colours, bar);
        times(sink, there, size, left);
        times(bar, back, size, right);
        times(left, right, size, all);
        for (size_t k = 0; k < size; k++) {
          double angle = -2 * acos(-1) * (double)other.place[1] / (double)cases[i].extent[1];
          sum[2 * g] -= creal(all[k * size + k]);
          sum[2 * g + 1] -= creal(cexp(I * angle) * all[k * size + k]);
        }
      }
      free(backward);
    }
    for (size_t g = 0; g < 2 * meson_structures(shape->spins); g++) {
      assert_true(fabs(sum[g] - out[g * cases[i].extent[0] + 1]) < 1e-10);
    }
    free(forward);
    bench_close(&bench);
  }
}

/* The staggered axial Ward identity: m sum |G(x, 0)|^2 = Re tr G(0, 0), on every configuration. */
static void staggered_pion_obeys_its_ward_identity(void **state)
{
  (void)state;
  const size_t extent[4] = {4, 4, 2, 4};
  struct bench bench;
  struct dirac_rule rule = {.hopping = {.boundary = {BOUNDARY_ANTIPERIODIC}, .staggered = true}, .mass = 0.17};
  bench_open(&bench, 4, extent, 3);
  bench_set(&bench, &rule, true);
  struct quark_source source = {.kind = SOURCE_POINT, .place = {1, 0, 1, 2}};
  double *columns = propagator(&bench, &source), out[4], sum = 0, condensate = 0;
  const int momentum[1][LATTICE_MAX_DIMENSIONS] = {{0}};
  struct meson_request request = {.momenta = 1, .momentum = momentum, .weight = 1};
  memcpy(request.source, source.place, sizeof request.source);
  meson_correlators(&bench.dirac, columns, &request, out);
  for (size_t t = 0; t < 4; t++) {
    sum += out[t];
  }
  double complex s[9];
  entry(&bench, columns, source.place, s);
  for (size_t c = 0; c < 3; c++) {
    condensate += creal(s[c * 3 + c]);
  }
  assert_true(fabs(rule.mass * sum / condensate - 1) < 1e-10);
  free(columns);
  bench_close(&bench);
}

/* The conserved vector current: its charge between two quark lines is the same through every slice but those of the
 * sources. */
static void vector_charge_is_conserved(void **state)
{
  (void)state;
  const size_t extent[4] = {8, 2, 4, 2};
  struct bench bench;
  struct dirac_rule rule = {.hopping.boundary = {BOUNDARY_PERIODIC}, .kappa = 0.11, .clover = 0.7};
  bench_open(&bench, 4, extent, 3);
  bench_set(&bench, &rule, true);
  struct quark_source first = {.kind = SOURCE_POINT}, second = {.kind = SOURCE_POINT, .place = {4, 1, 2, 0}};
  double *psi = propagator(&bench, &first), *chi = propagator(&bench, &second), charge[8];
  struct gamma_product time = gamma_product(4, 1), chiral = gamma_product(4, 16);
  for (size_t t = 0; t < 8; t++) {
    double complex sum = 0;
    for (size_t site = 0; site < 16; site++) {
      size_t at[4] = {t, site / 8, site / 2 % 4, site % 2}, next[4];
      double complex here[12 * 12], there[12 * 12], chi_here[12 * 12], chi_there[12 * 12];
      memcpy(next, at, sizeof next);
      next[0] = (t + 1) % 8;
      entry(&bench, psi, at, here), entry(&bench, psi, next, there);
      entry(&bench, chi, at, chi_here), entry(&bench, chi, next, chi_there);
      const double complex *u = bench.links + ((t * 16 + site) * 4) * 9;
      /* column 0 of psi, column 5 of chi: chibar = chi^dagger gamma_5 */
      for (size_t i = 0; i < 12 * 3; i++) {
        size_t row = i / 3, spin = row / 3, c = row % 3, k = i % 3, turned = time.column[spin] * 3 + k;
        double complex sign = gamma_turn(1, chiral.power[spin]), gamma = gamma_turn(1, time.power[spin]);
        double complex forward = there[(spin * 3 + k) * 12] - gamma * there[turned * 12];
        double complex backward = here[(spin * 3 + k) * 12] + gamma * here[turned * 12];
        sum += conj(chi_here[row * 12 + 5]) * sign * u[c * 3 + k] * forward / 2;
        sum -= conj(chi_there[row * 12 + 5]) * sign * conj(u[k * 3 + c]) * backward / 2;
      }
    }
    charge[t] = cabs(sum);
  }
  /* between slice t and t + 1; the sources are at 0 and 4 */
  for (size_t t = 1; t < 4; t++) {
    assert_true(fabs(charge[t] - charge[0]) < 1e-11 && charge[0] > 1e-6);
    assert_true(fabs(charge[4 + t] - charge[4]) < 1e-11 && charge[4] > 1e-6);
  }
  free(psi), free(chi);
  bench_close(&bench);
}

/* Estimates lie around the traces of the whole inverse, by as much as their errors say. */
static void condensates_are_traces(void **state)
{
  (void)state;
  const size_t extent[2] = {4, 2};
  struct bench bench;
  struct dirac_rule rule = {.hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = 0.2};
  bench_open(&bench, 2, extent, 2);
  bench_set(&bench, &rule, true);
  double trace[2] = {0};
  for (size_t site = 0; site < 8; site++) {
    struct quark_source source = {.kind = SOURCE_POINT, .place = {site / 2, site % 2}};
    double *columns = propagator(&bench, &source);
    double complex s[16];
    entry(&bench, columns, source.place, s);
    for (size_t i = 0; i < 4; i++) {
      trace[0] += creal(s[i * 5]) / 8;
      trace[1] += (i < 2 ? 1 : -1) * creal(s[i * 5]) / 8;
    }
    free(columns);
  }
  void *work = take(condensate_bytes(&bench.dirac.shape));
  for (size_t kind = 0; kind < 3; kind++) {
    struct condensate_noise noise = {.kind = kind, .sources = 400, .seed = 4};
    struct solver_report report;
    double out[CONDENSATE_NUMBERS];
    assert_int_equal(condensate_estimate(&bench.dirac, &bench.gauge, &exact, &noise, work, out, &report), 0);
    for (size_t k = 0; k < 2; k++) {
      assert_true(out[2 * k + 1] > 1e-4 && out[2 * k + 1] < 0.1);
      assert_true(fabs(out[2 * k] - trace[k]) < 4 * out[2 * k + 1]);
    }
  }
  free(work);
  bench_close(&bench);
}

static void noise_is_of_its_kind(void **state)
{
  (void)state;
  for (int kind = NOISE_Z2; kind <= NOISE_GAUSS; kind++) {
    double complex mean = 0, square = 0;
    double norm = 0;
    for (uint64_t n = 0; n < 40000; n++) {
      double complex value = noise_number((enum noise_kind)kind, (struct philox_stream){3, 4}, n);
      mean += value / 40000, square += value * value / 40000, norm += creal(value * conj(value)) / 40000;
      assert_true(kind == NOISE_GAUSS || cabs(value) == 1);
    }
    assert_true(cabs(mean) < 0.02 && fabs(norm - 1) < (kind == NOISE_GAUSS ? 0.025 : 1e-9));
    assert_true(cabs(square - (kind == NOISE_Z2)) < 0.025);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(free_pion_is_that_of_the_momentum_sum),
      cmocka_unit_test(correlators_are_traces_of_two_quarks),
      cmocka_unit_test(staggered_pion_obeys_its_ward_identity),
      cmocka_unit_test(vector_charge_is_conserved),
      cmocka_unit_test(condensates_are_traces),
      cmocka_unit_test(noise_is_of_its_kind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
