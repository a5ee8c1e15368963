/* Chains of gauge fields: exact values on small tori, symmetries of the molecular dynamics, equal bits. */
#include "physics/lattice/gauge_chain.h"
#include "physics/lattice/gauge_heatbath.h"
#include "physics/lattice/gauge_momentum.h"
#include "physics/lattice/gauge_observables.h"
#include "physics/lattice/su_matrix.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PI 3.141592653589793

struct opened {
  struct gauge_chain chain;
  void *memory;
};

static void open_chain(struct opened *o, const struct gauge_chain_parameters *parameters)
{
  o->memory = aligned_alloc(64, (gauge_chain_bytes(parameters) + 63) / 64 * 64);
  assert_non_null(o->memory);
  gauge_chain_open(&o->chain, parameters, 0, NULL, 1, o->memory);
}

static const struct gauge_chain_parameters plain = {.dimensions = 2,
                                                    .extent = {8, 8},
                                                    .colours = 1,
                                                    .action = {.beta = 4, .anisotropy = 1},
                                                    .overrelaxation = 2,
                                                    .order = MD_OMELYAN2,
                                                    .steps = 5,
                                                    .step_size = 0.2,
                                                    .seed = 11};

/* ---- exact values ------------------------------------------------------------------------------------------------ */

static double bessel(int n, double x)
{
  double sum = 0, term = 1;
  for (int k = 1; k <= n; k++) {
    term *= 0.5 * x / k;
  }
  for (int k = 1; k < 200; k++) {
    sum += term;
    term *= 0.25 * x * x / k / (k + n);
  }
  return sum;
}

/* ln of the partition function of 2-D U(1) or SU(2) on a torus: sum over characters of the sites' power. */
static double log_partition(size_t colours, double beta, size_t sites)
{
  double first = colours == 1 ? bessel(0, beta) : bessel(1, beta) * 2 / beta, sum = 1;
  for (int n = 1; n < 40; n++) {
    sum += colours == 1 ? 2 * pow(bessel(n, beta) / first, (double)sites)
                        : pow(bessel(n + 1, beta) * 2 / beta / first, (double)sites);
  }
  return log(sum) + (double)sites * log(first);
}

static double exact_plaquette(size_t colours, double beta, size_t sites)
{
  const double h = 1e-4;
  return (log_partition(colours, beta + h, sites) - log_partition(colours, beta - h, sites)) / (2 * h) / (double)sites;
}

static double plaquette_of(const struct gauge_chain *chain)
{
  struct gauge_loop_means means;
  gauge_plaquette(&chain->field, 1, &means);
  return means.all;
}

struct estimate {
  double mean, error, charge2, exponential;
};

/* Mean plaquette with the error of 20 bins. */
static struct estimate run_chain(const struct gauge_chain_parameters *parameters, size_t trajectories)
{
  enum { BINS = 20 };
  struct opened o;
  struct estimate e = {0};
  double bin[BINS] = {0}, square = 0;
  size_t each = trajectories / BINS;
  open_chain(&o, parameters);
  for (uint64_t t = 0; t < trajectories + trajectories / 10; t++) {
    struct gauge_outcome outcome = gauge_chain_advance(&o.chain, t, 1, NULL);
    if (t >= trajectories / 10) {
      bin[(t - trajectories / 10) / each % BINS] += plaquette_of(&o.chain) / (double)each;
      double charge = parameters->colours == 1 ? gauge_geometric_charge(&o.chain.field, 1) : 0;
      assert_true(parameters->action.open[0] || fabs(charge - rint(charge)) < 1e-9);
      e.charge2 += charge * charge / (double)trajectories;
      e.exponential += exp(-outcome.dh) / (double)trajectories;
    }
  }
  for (size_t i = 0; i < BINS; i++) {
    e.mean += bin[i] / BINS;
  }
  for (size_t i = 0; i < BINS; i++) {
    square += (bin[i] - e.mean) * (bin[i] - e.mean);
  }
  e.error = sqrt(square / BINS / (BINS - 1));
  free(o.memory);
  return e;
}

static void agrees(const char *what, struct estimate e, double exact)
{
  printf("%s: %.6f(%.6f), exact %.6f, %+.1f sigma\n", what, e.mean, e.error, exact, (e.mean - exact) / e.error);
  assert_true(fabs(e.mean - exact) < 4 * e.error && e.error < 0.01);
}

static void tori_have_their_plaquettes(void **state)
{
  (void)state;
  const double beta[] = {0.3, 2, 4};
  for (size_t colours = 1; colours <= 2; colours++) {
    for (size_t i = 0; i < 3; i++) {
      struct gauge_chain_parameters p = plain;
      p.colours = colours;
      p.action.beta = beta[i];
      p.extent[0] = p.extent[1] = i == 0 ? 8 : 2 + 2 * i;
      double exact = exact_plaquette(colours, beta[i], p.extent[0] * p.extent[1]);
      agrees(colours == 1 ? "U(1)" : "SU(2)", run_chain(&p, 4000), exact);
      p.method = GAUGE_HMC;
      p.start = GAUGE_HOT;
      struct estimate e = run_chain(&p, 2000);
      agrees("   by HMC", e, exact);
      assert_true(fabs(e.exponential - 1) < 0.05);
    }
  }
}

/* 2-D SU(3) at beta 6 in infinite volume; other values by a strong coupling expansion of SU(N), P = beta / (2 N^2) and
 * more. */
static void more_colours_have_theirs(void **state)
{
  (void)state;
  struct gauge_chain_parameters p = plain;
  p.colours = 3;
  p.action.beta = 6;
  agrees("SU(3)", run_chain(&p, 2000), 0.4225317396);
  p.colours = 4;
  p.action.beta = 0.5;
  agrees("SU(4)", run_chain(&p, 2000), 0.5 / 32);
  p.colours = 5;
  p.start = GAUGE_HOT;
  p.method = GAUGE_HMC;
  agrees("SU(5) by HMC", run_chain(&p, 1000), 0.5 / 50);
}

static void charges_fluctuate_as_they_should(void **state)
{
  (void)state;
  struct gauge_chain_parameters p = plain;
  p.action.beta = 1;
  struct estimate e = run_chain(&p, 10000);
  assert_true(fabs(e.charge2 - 2.600701) < 0.25);
}

/* Heat bath and HMC agree where nothing is exact: anisotropy, open axes, three dimensions. */
static void heat_bath_and_hmc_agree(void **state)
{
  (void)state;
  struct gauge_chain_parameters p = plain;
  p.dimensions = 3;
  p.extent[0] = p.extent[1] = p.extent[2] = 4;
  p.colours = 2;
  p.action.beta = 2;
  p.action.anisotropy = 1.5;
  p.action.open[0] = true;
  struct estimate heat = run_chain(&p, 800);
  p.method = GAUGE_HMC;
  p.steps = 8;
  p.step_size = 0.1;
  struct estimate hmc = run_chain(&p, 800);
  double error = sqrt(heat.error * heat.error + hmc.error * hmc.error);
  printf("heat bath %.6f(%.6f), HMC %.6f(%.6f)\n", heat.mean, heat.error, hmc.mean, hmc.error);
  assert_true(fabs(heat.mean - hmc.mean) < 4 * error && error < 0.003);
}

/* ---- sweeps ------------------------------------------------------------------------------------------------------ */

static double worst_link(const struct gauge_field *field)
{
  double worst = 0;
  size_t n = field->colours;
  for (size_t i = 0; i < field->lattice->blocks * field->lattice->dimensions; i++) {
    SU_MATRIX(product);
    const double *link = field->links + i * su_size(n);
    su_multiply_adjoint(n, product, link, link);
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      for (size_t k = 0; k < n * n; k++) {
        double re = product[2 * k * LATTICE_LANES + l] - (k / n == k % n),
               im = product[(2 * k + 1) * LATTICE_LANES + l];
        worst = fmax(worst, fmax(fabs(re), fabs(im)));
      }
    }
  }
  return worst;
}

static void overrelaxation_keeps_the_action(void **state)
{
  (void)state;
  for (size_t colours = 1; colours <= 4; colours++) {
    struct gauge_chain_parameters p = plain;
    struct opened o;
    p.dimensions = 4;
    p.extent[0] = p.extent[1] = p.extent[2] = 4;
    p.extent[3] = 2;
    p.colours = colours;
    p.action.anisotropy = 2;
    open_chain(&o, &p);
    for (uint64_t t = 0; t < 100; t++) {
      gauge_chain_advance(&o.chain, t, 1, NULL);
    }
    assert_true(worst_link(&o.chain.field) < 1e-14);
    double before = gauge_chain_value(&o.chain, 1);
    for (size_t i = 0; i < 20; i++) {
      gauge_overrelax(&o.chain.field, &p.action, 1);
    }
    assert_true(fabs(gauge_chain_value(&o.chain, 1) - before) < 1e-10 * before);
    assert_true(worst_link(&o.chain.field) < 1e-12);
    free(o.memory);
  }
}

/* Threads of this process: those of a team stay when its work is done. */
static unsigned tasks(void)
{
  DIR *folder = opendir("/proc/self/task");
  assert_non_null(folder);
  unsigned count = 0;
  for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
    count += e->d_name[0] != '.';
  }
  closedir(folder);
  return count;
}

static void threads_give_the_same_bits(void **state)
{
  (void)state;
  unsigned before = tasks();
  for (int method = GAUGE_HEATBATH; method <= GAUGE_HMC; method++) {
    struct opened o[2];
    struct gauge_chain_parameters p = plain;
    p.colours = 3;
    p.extent[1] = 16;
    p.method = (enum gauge_method)method;
    p.start = GAUGE_HOT;
    for (unsigned threads = 1; threads <= 2; threads++) {
      struct opened *this = &o[threads - 1];
      open_chain(this, &p);
      for (uint64_t t = 0; t < 5; t++) {
        gauge_chain_advance(&this->chain, t, threads, NULL);
      }
      assert_int_equal(tasks(), before + (method == GAUGE_HMC ? 1 : threads - 1));
    }
    assert_memory_equal(o[0].chain.field.links, o[1].chain.field.links, gauge_field_bytes(&o[0].chain.lattice, 3));
    free(o[0].memory);
    free(o[1].memory);
  }
}

/* The links and the trajectory's number are all there is. */
static void a_continued_chain_is_the_same(void **state)
{
  (void)state;
  for (int method = GAUGE_HEATBATH; method <= GAUGE_HMC; method++) {
    struct gauge_chain_parameters p = plain;
    struct opened whole, rest;
    p.colours = 2;
    p.method = (enum gauge_method)method;
    size_t count = 64 * 2 * 4 * 2;
    double *links = malloc(count * sizeof *links), *end = malloc(count * sizeof *end);
    open_chain(&whole, &p);
    for (uint64_t t = 0; t < 10; t++) {
      if (t == 4) {
        gauge_field_get(&whole.chain.field, 1, links);
      }
      gauge_chain_advance(&whole.chain, t, 1, NULL);
    }
    gauge_field_get(&whole.chain.field, 1, end);
    rest.memory = aligned_alloc(64, (gauge_chain_bytes(&p) + 63) / 64 * 64);
    gauge_chain_open(&rest.chain, &p, 0, links, 1, rest.memory);
    for (uint64_t t = 4; t < 10; t++) {
      gauge_chain_advance(&rest.chain, t, 1, NULL);
    }
    gauge_field_get(&rest.chain.field, 1, links);
    assert_memory_equal(links, end, count * sizeof *links);
    free(links);
    free(end);
    free(whole.memory);
    free(rest.memory);
  }
}

/* ---- molecular dynamics ------------------------------------------------------------------------------------------ */

static double energy(struct gauge_chain *chain)
{
  double kinetic = gauge_momentum_kinetic(&chain->field, chain->momentum, 1);
  return kinetic + gauge_chain_value(chain, 1);
}

/* dH of a way of length 1/2 from links of a thermal field, and how far the way back ends from them. */
static double follow(const struct gauge_chain_parameters *thermal, size_t steps, double *back)
{
  struct gauge_chain_parameters p = *thermal;
  struct opened o;
  open_chain(&o, &p);
  size_t doubles = gauge_field_bytes(&o.chain.lattice, p.colours) / sizeof(double);
  double *start = malloc(doubles * sizeof *start);
  for (uint64_t t = 0; t < 4; t++) {
    gauge_chain_advance(&o.chain, t, 1, NULL);
  }
  p.steps = steps;
  p.step_size = 0.5 / (double)steps;
  memcpy(start, o.chain.field.links, doubles * sizeof *start);
  gauge_momentum_draw(&o.chain.field, (struct philox_stream){3, 9}, 1, o.chain.momentum);
  double before = energy(&o.chain);
  gauge_chain_follow(&o.chain, 1, NULL);
  double dh = energy(&o.chain) - before;
  for (size_t i = 0; i < doubles; i++) {
    ((double *)o.chain.momentum)[i] *= -1;
  }
  gauge_chain_follow(&o.chain, 1, NULL);
  for (size_t i = 0; i < doubles; i++) {
    *back = fmax(*back, fabs(o.chain.field.links[i] - start[i]));
  }
  free(start);
  free(o.memory);
  return dh;
}

static void ways_keep_energy_to_their_order_and_lead_back(void **state)
{
  (void)state;
  static const struct {
    size_t dimensions, extent[4], colours;
    double c1;
    bool open;
  } systems[] = {{2, {8, 8}, 1, 0, false},
                 {2, {3, 5}, 2, GAUGE_C1_IWASAKI, true},
                 {4, {4, 2, 2, 4}, 3, 0, true},
                 {3, {4, 4, 2}, 3, GAUGE_C1_SYMANZIK, false},
                 {2, {1, 4}, 1, GAUGE_C1_DBW2, false},
                 {2, {4, 4}, 4, 0, false}};
  for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
    for (int order = MD_LEAPFROG; order <= MD_OMELYAN4; order++) {
      struct gauge_chain_parameters p = plain;
      p.dimensions = systems[i].dimensions;
      memcpy(p.extent, systems[i].extent, sizeof p.extent);
      p.colours = systems[i].colours;
      p.action.c1 = systems[i].c1;
      p.action.open[0] = systems[i].open;
      p.action.beta = 2;
      p.method = GAUGE_HMC;
      p.order = (enum md_order)order;
      double back = 0, coarse = follow(&p, 16, &back), fine = follow(&p, 32, &back);
      double ratio = coarse / fine, expected = order == MD_OMELYAN4 ? 16 : 4;
      printf("system %zu, scheme %d: dH %.2e, ratio %.2f, back %.1e\n", i, order, fine, ratio, back);
      assert_true(back < 1e-12);
      assert_true(fabs(ratio - expected) < 0.2 * expected || fabs(fine) < 1e-9);
    }
  }
}

/* Determinant of the map (phases, momenta) -> (phases, momenta) of U(1) on 2 x 2 sites, by central differences. */
static void ways_preserve_area(void **state)
{
  (void)state;
  enum { LINKS = 8, N = 2 * LINKS };
  const double h = 1e-5;
  double m[N][N], determinant = 1;
  for (int order = MD_LEAPFROG; order <= MD_OMELYAN4; order++) {
    struct gauge_chain_parameters p = plain;
    struct opened o;
    p.extent[0] = p.extent[1] = 2;
    p.method = GAUGE_HMC;
    p.order = (enum md_order)order;
    open_chain(&o, &p);
    double end[2][N], links[LINKS * 2], *momentum = o.chain.momentum;
    for (size_t column = 0; column < N; column++) {
      for (int side = 0; side < 2; side++) {
        double at[N];
        for (size_t k = 0; k < N; k++) {
          at[k] = sin(3.0 * (double)k + 1) + (k == column ? (side ? -h : h) : 0);
        }
        for (size_t k = 0; k < LINKS; k++) {
          links[2 * k] = cos(at[k]);
          links[2 * k + 1] = sin(at[k]);
        }
        gauge_field_set(&o.chain.field, 1, links);
        for (size_t k = 0; k < LINKS * 2 * LATTICE_LANES; k++) { /* one lane: a block is a site */
          size_t link = k / (2 * LATTICE_LANES);
          momentum[k] = k / LATTICE_LANES % 2 == 0 ? 0 : at[LINKS + link];
        }
        gauge_chain_follow(&o.chain, 1, NULL);
        for (size_t k = 0; k < LINKS; k++) {
          const double *u = o.chain.field.links + k * 2 * LATTICE_LANES;
          end[side][k] = atan2(u[LATTICE_LANES], u[0]);
          end[side][LINKS + k] = momentum[(2 * k + 1) * LATTICE_LANES];
        }
      }
      for (size_t row = 0; row < N; row++) {
        double difference = end[0][row] - end[1][row];
        m[row][column] = (row < LINKS ? remainder(difference, 2 * PI) : difference) / (2 * h);
      }
    }
    determinant = 1;
    for (size_t k = 0; k < N; k++) {
      size_t pivot = k;
      for (size_t i = k + 1; i < N; i++) {
        pivot = fabs(m[i][k]) > fabs(m[pivot][k]) ? i : pivot;
      }
      for (size_t j = 0; j < N && pivot != k; j++) {
        double swap = m[k][j];
        m[k][j] = m[pivot][j];
        m[pivot][j] = -swap;
      }
      determinant *= m[k][k];
      for (size_t i = k + 1; i < N; i++) {
        double factor = m[i][k] / m[k][k];
        for (size_t j = k; j < N; j++) {
          m[i][j] -= factor * m[k][j];
        }
      }
    }
    printf("scheme %d: determinant - 1 = %.1e\n", order, fabs(determinant) - 1);
    assert_true(fabs(fabs(determinant) - 1) < 1e-6);
    free(o.memory);
  }
}

/* ---- starts ------------------------------------------------------------------------------------------------------ */

static void instantons_have_their_charge_and_action(void **state)
{
  (void)state;
  struct gauge_chain_parameters p = plain;
  struct opened o;
  p.start = GAUGE_INSTANTON;
  p.instanton.charge = -3;
  open_chain(&o, &p);
  assert_true(fabs(gauge_geometric_charge(&o.chain.field, 1) + 3) < 1e-12);
  assert_true(fabs(plaquette_of(&o.chain) - cos(6 * PI / 64)) < 1e-12);
  free(o.memory);
  for (size_t colours = 2; colours <= 3; colours++) {
    p = plain;
    p.dimensions = 4;
    p.extent[0] = p.extent[1] = p.extent[2] = p.extent[3] = 12;
    p.colours = colours;
    p.start = GAUGE_INSTANTON;
    p.instanton = (struct gauge_instanton){1, 1.5};
    open_chain(&o, &p);
    double units = gauge_chain_value(&o.chain, 1) / p.action.beta * 2 * (double)colours / (8 * PI * PI);
    printf("action of an instanton: %.4f of 8 pi^2 / g^2\n", units);
    assert_true(fabs(units - 1) < 0.1);
    struct gauge_topology topology;
    gauge_topology(&o.chain.field, GAUGE_IMPROVED, 1, &topology);
    printf("charge of an instanton: %.4f\n", topology.charge);
    assert_true(fabs(topology.charge - 1) < 0.15);
    assert_true(worst_link(&o.chain.field) < 1e-14);
    free(o.memory);
  }
}

/* Haar: <Re Tr U> = 0 and <|Tr U|^2> = 1, within four sigma of the links' number; zero links stay zero. */
static void hot_starts_are_hot(void **state)
{
  (void)state;
  for (size_t colours = 1; colours <= 5; colours++) {
    struct gauge_chain_parameters p = plain;
    struct opened o;
    p.extent[0] = p.extent[1] = 32;
    p.colours = colours;
    p.start = GAUGE_HOT;
    p.action.open[1] = true;
    open_chain(&o, &p);
    double real = 0, square = 0, there = 0;
    for (size_t i = 0; i < o.chain.lattice.blocks * 2; i++) {
      SU_LANES(re);
      SU_LANES(im);
      su_real_trace(colours, re, o.chain.field.links + i * su_size(colours));
      su_imaginary_trace(colours, im, o.chain.field.links + i * su_size(colours));
      for (size_t l = 0; l < LATTICE_LANES; l++) {
        there += re[l] != 0;
        real += re[l];
        square += re[l] * re[l] + im[l] * im[l];
      }
    }
    assert_true(there == 2 * 1024 - 32);
    assert_true(fabs(real / there) < 4 / sqrt(there) && fabs(square / there - 1) < 8 / sqrt(there));
    free(o.memory);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tori_have_their_plaquettes),
      cmocka_unit_test(more_colours_have_theirs),
      cmocka_unit_test(charges_fluctuate_as_they_should),
      cmocka_unit_test(heat_bath_and_hmc_agree),
      cmocka_unit_test(overrelaxation_keeps_the_action),
      cmocka_unit_test(threads_give_the_same_bits),
      cmocka_unit_test(a_continued_chain_is_the_same),
      cmocka_unit_test(ways_keep_energy_to_their_order_and_lead_back),
      cmocka_unit_test(ways_preserve_area),
      cmocka_unit_test(instantons_have_their_charge_and_action),
      cmocka_unit_test(hot_starts_are_hot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
