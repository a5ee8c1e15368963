/* The scalar field and its hybrid Monte Carlo: identities, exact values and independent Monte Carlo.
 *
 * Statistical tolerances are four combined standard errors, with the error of our chain by the Gamma method; seeds are
 * fixed, so a run that passes once passes always. */
#include "physics/lattice/hmc.h"
#include "physics/random/philox.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct gauge_split whole = {0};

#include "physics_gamma.h"

enum { LATTICES = 7 };

static const struct scalar_action lattices[LATTICES] = {
    {1, {13}, -0.7, 0.9}, {1, {1}, 0.4, 0.3},           {2, {8, 8}, -4, 8},         {2, {5, 19}, 0.3, 0},
    {3, {3, 2, 7}, 1, 2}, {4, {2, 3, 4, 5}, -1.5, 0.2}, {4, {1, 2, 1, 16}, 0.1, 1},
};

static void field_open(struct scalar_field *field, const struct scalar_action *action)
{
  size_t bytes = scalar_field_bytes(action, &whole);
  assert_true(bytes > 0);
  void *memory = aligned_alloc(64, bytes);
  assert_non_null(memory);
  scalar_field_init(field, action, &whole, memory);
}

/* phi starts PAD = 8 doubles into the memory while no trajectory has exchanged the arrays; the lowest of the four does.
 */
static void field_close(struct scalar_field *field)
{
  double *lowest = field->phi;
  lowest = field->trial < lowest ? field->trial : lowest;
  lowest = field->other < lowest ? field->other : lowest;
  free(lowest - 8);
}

/* Normal values as field, a copy is returned. */
static double *field_random(struct scalar_field *field, uint64_t seed)
{
  double *values = malloc(field->sites * sizeof *values);
  assert_non_null(values);
  philox_normals((struct philox_stream){.seed = seed, .stream = 99}, 0, field->sites, values);
  scalar_field_set(field, values);
  return values;
}

/* Site of the neighbour in dimension k, by division and remainder of the row-major index. */
static size_t neighbour(const struct scalar_action *action, size_t site, size_t k, int step)
{
  size_t unit = 1;
  for (size_t j = k + 1; j < action->dimensions; j++) {
    unit *= action->extent[j];
  }
  size_t extent = action->extent[k], at = site / unit % extent;
  size_t to = (at + (step > 0 ? 1 : extent - 1)) % extent;
  return site - at * unit + to * unit;
}

static double neighbour_sum(const struct scalar_action *action, const double *phi, size_t site)
{
  double sum = 0;
  for (size_t k = 0; k < action->dimensions; k++) {
    sum += phi[neighbour(action, site, k, 1)] + phi[neighbour(action, site, k, -1)];
  }
  return sum;
}

static double plain_action(const struct scalar_action *action, const double *phi, size_t sites)
{
  double s = 0;
  for (size_t x = 0; x < sites; x++) {
    double square = phi[x] * phi[x];
    s += phi[x] * (2.0 * (double)action->dimensions * phi[x] - neighbour_sum(action, phi, x)) + action->m2 * square +
         action->lambda * square * square;
  }
  return s;
}

static void action_is_the_formula(void **state)
{
  (void)state;
  for (size_t i = 0; i < LATTICES; i++) {
    struct scalar_field field;
    field_open(&field, &lattices[i]);
    double *values = field_random(&field, i);
    double *back = malloc(field.sites * sizeof *back);
    scalar_field_get(&field, back);
    assert_memory_equal(values, back, field.sites * sizeof *back);
    double expected = plain_action(&lattices[i], values, field.sites);
    assert_true(fabs(field.current_action - expected) < 1e-12 * (fabs(expected) + (double)field.sites));
    free(back);
    free(values);
    field_close(&field);
  }
}

/* From p = 0 a kick of -1 leaves p = F; F is the derivative of S, by central differences of the plain action. */
static void force_is_the_derivative(void **state)
{
  (void)state;
  for (size_t i = 0; i < LATTICES; i++) {
    struct scalar_field field;
    field_open(&field, &lattices[i]);
    double *phi = field_random(&field, 100 + i);
    scalar_field_step(&field, field.phi, field.trial, -1.0, 0.0);
    for (size_t x = 0; x < field.sites; x++) {
      const double h = 1e-5, keep = phi[x];
      phi[x] = keep + h;
      double up = plain_action(&lattices[i], phi, field.sites);
      phi[x] = keep - h;
      double down = plain_action(&lattices[i], phi, field.sites);
      phi[x] = keep;
      double force = field.momentum[x / field.length * field.stride + x % field.length];
      assert_true(fabs(force - (up - down) / (2 * h)) < 1e-7 * (1 + fabs(force)));
    }
    free(phi);
    field_close(&field);
  }
}

/* Forth, momenta turned, back: the start within rounding, for both integrators. */
static void trajectories_are_reversible(void **state)
{
  (void)state;
  for (size_t i = 0; i < 2 * LATTICES; i++) {
    struct scalar_field field;
    field_open(&field, &lattices[i / 2]);
    double *start = field_random(&field, 200 + i);
    double *end = malloc(field.sites * sizeof *end);
    struct hmc hmc = {.seed = i, .step_size = 0.03, .steps = 25, .integrator = i % 2 ? HMC_OMELYAN : HMC_LEAPFROG};
    hmc_momenta(&field, &hmc, 0);
    hmc_follow(&field, &hmc);
    double *swap = field.phi;
    field.phi = field.trial;
    field.trial = swap;
    for (size_t k = 0; k < field.rows * field.stride - 8; k++) {
      field.momentum[k] = -field.momentum[k];
    }
    hmc_follow(&field, &hmc);
    swap = field.phi;
    field.phi = field.trial;
    field.trial = swap;
    scalar_field_get(&field, end);
    for (size_t x = 0; x < field.sites; x++) {
      assert_true(fabs(end[x] - start[x]) < 1e-12);
    }
    free(end);
    free(start);
    field_close(&field);
  }
}

/* |dH| of one trajectory of length 1 from one start. */
static double energy_violation(enum hmc_integrator integrator, size_t steps)
{
  struct scalar_field field;
  field_open(&field, &lattices[2]);
  struct hmc hmc = {.seed = 5, .step_size = 0.02, .steps = 50, .integrator = HMC_LEAPFROG};
  for (uint64_t t = 0; t < 50; t++) {
    hmc_trajectory(&field, &hmc, t);
  }
  hmc.steps = steps;
  hmc.step_size = 1.0 / (double)steps;
  hmc.integrator = integrator;
  double dh = fabs(hmc_trajectory(&field, &hmc, 50).dh);
  field_close(&field);
  return dh;
}

static void energy_violation_is_second_order(void **state)
{
  (void)state;
  for (int integrator = HMC_LEAPFROG; integrator <= HMC_OMELYAN; integrator++) {
    double coarse = energy_violation(integrator, 100), fine = energy_violation(integrator, 200);
    assert_true(fabs(coarse / fine - 4) < 0.1);
  }
  assert_true(energy_violation(HMC_OMELYAN, 50) < energy_violation(HMC_LEAPFROG, 100)); /* equal forces */
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

static void bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  const struct scalar_action action = {3, {6, 5, 21}, -1, 1};
  double *first = NULL;
  unsigned before = tasks();
  for (unsigned threads = 1; threads <= 3; threads++) {
    struct scalar_field field;
    field_open(&field, &action);
    field.threads = threads;
    struct hmc hmc = {.seed = 77, .step_size = 0.05, .steps = 8, .integrator = HMC_LEAPFROG};
    for (uint64_t t = 0; t < 20; t++) {
      hmc_trajectory(&field, &hmc, t);
    }
    double *values = malloc((field.sites + 1) * sizeof *values);
    scalar_field_get(&field, values);
    values[field.sites] = field.current_action;
    if (first == NULL) {
      first = values;
    } else {
      assert_memory_equal(first, values, (field.sites + 1) * sizeof *values);
      free(values);
    }
    assert_int_equal(tasks(), before + threads - 1); /* they did run */
    field_close(&field);
  }
  free(first);
}

static void runaways_are_rejected(void **state)
{
  (void)state;
  struct scalar_field field;
  field_open(&field, &lattices[2]);
  struct hmc hmc = {.seed = 1, .step_size = 10, .steps = 50, .integrator = HMC_LEAPFROG};
  for (uint64_t t = 0; t < 10; t++) {
    assert_false(hmc_trajectory(&field, &hmc, t).accepted);
  }
  assert_true(field.current_action == 0);
  field_close(&field);
}

static void bad_extents_have_no_size(void **state)
{
  (void)state;
  assert_true(scalar_field_bytes(&(struct scalar_action){.dimensions = 0}, &whole) == 0);
  assert_true(scalar_field_bytes(&(struct scalar_action){.dimensions = 5}, &whole) == 0);
  assert_true(scalar_field_bytes(&(struct scalar_action){.dimensions = 2, .extent = {0, 4}}, &whole) == 0);
  assert_true(scalar_field_bytes(&(struct scalar_action){.dimensions = 2, .extent = {4, 0}}, &whole) == 0);
  assert_true(scalar_field_bytes(&(struct scalar_action){.dimensions = 2, .extent = {SIZE_MAX / 2, 4}}, &whole) == 0);
  assert_true(
      scalar_field_bytes(&(struct scalar_action){.dimensions = 2, .extent = {UINT32_MAX, UINT32_MAX}}, &whole) == 0);
}

/* What a chain leaves: one value an observable and trajectory. */
enum observable { SQUARE, ABS_MEAN, SUSCEPTIBILITY, SCHWINGER_DYSON, EXP_DH, DH, ACCEPTED, OBSERVABLES };

struct chain {
  size_t length;
  double *values[OBSERVABLES];
};

static void measure(const struct scalar_field *field, struct chain *chain, size_t i, double *phi)
{
  scalar_field_get(field, phi);
  const double sites = (double)field->sites;
  double sum = 0, square = 0, dyson = 0;
  for (size_t x = 0; x < field->sites; x++) {
    double p = phi[x], p2 = p * p;
    sum += p;
    square += p2;
    dyson += 2 * p * (2.0 * (double)field->action.dimensions * p - neighbour_sum(&field->action, phi, x)) +
             2 * field->action.m2 * p2 + 4 * field->action.lambda * p2 * p2;
  }
  chain->values[SQUARE][i] = square / sites;
  chain->values[ABS_MEAN][i] = fabs(sum / sites);
  chain->values[SUSCEPTIBILITY][i] = sum * sum / sites;
  chain->values[SCHWINGER_DYSON][i] = dyson / sites;
}

static struct chain chain_run(const struct scalar_action *action, const struct hmc *hmc, size_t length)
{
  struct chain chain = {.length = length};
  for (int o = 0; o < OBSERVABLES; o++) {
    chain.values[o] = malloc(length * sizeof(double));
    assert_non_null(chain.values[o]);
  }
  struct scalar_field field;
  field_open(&field, action);
  double *phi = malloc(field.sites * sizeof *phi);
  for (size_t t = 0; t < length + 1000; t++) {
    struct hmc_outcome outcome = hmc_trajectory(&field, hmc, t);
    if (t >= 1000) {
      chain.values[EXP_DH][t - 1000] = exp(-outcome.dh);
      chain.values[DH][t - 1000] = outcome.dh;
      chain.values[ACCEPTED][t - 1000] = outcome.accepted;
      measure(&field, &chain, t - 1000, phi);
    }
  }
  free(phi);
  field_close(&field);
  return chain;
}

static void chain_free(struct chain *chain)
{
  for (int o = 0; o < OBSERVABLES; o++) {
    free(chain->values[o]);
  }
}

/* The observable's mean within four combined standard errors of `expected` (its own error in the last argument). */
static void expect(const char *what, const struct chain *chain, enum observable o, double expected, double sigma)
{
  struct gamma_estimate a = gamma_of(chain->values[o], chain->length);
  double combined = sqrt(a.error * a.error + sigma * sigma);
  printf("  %-34s %.6f(%.6f) expected %.6f(%.6f) %+.2f sigma, tau %.2f\n", what, a.value, a.error, expected, sigma,
         (a.value - expected) / combined, a.tau);
  assert_true(fabs(a.value - expected) < 4 * combined);
}

/* phi^4 on 8x8: an independent program's values. */
static void interacting_field_8x8(void **state)
{
  (void)state;
  struct hmc hmc = {.seed = 2024, .step_size = 0.1, .steps = 10, .integrator = HMC_LEAPFROG};
  struct chain chain = chain_run(&(struct scalar_action){2, {8, 8}, -4, 8}, &hmc, 200000);
  expect("<phi^2>, lambda 8", &chain, SQUARE, 0.143467, 0.000026);
  expect("<|phi_mean|>, lambda 8", &chain, ABS_MEAN, 0.087019, 0.000074);
  expect("chi, lambda 8", &chain, SUSCEPTIBILITY, 0.7441, 0.0012);
  expect("Schwinger-Dyson, lambda 8", &chain, SCHWINGER_DYSON, 1, 0);
  expect("<exp(-dH)>, lambda 8", &chain, EXP_DH, 1, 0);
  /* Acceptance of a normally distributed dH; dH of 64 sites is nearly so: 1 % is allowed. */
  double dh = gamma_of(chain.values[DH], chain.length).value;
  double accepted = gamma_of(chain.values[ACCEPTED], chain.length).value;
  printf("  acceptance %.4f, erfc(sqrt(<dH>)/2) %.4f\n", accepted, erfc(sqrt(dh) / 2));
  assert_true(fabs(accepted - erfc(sqrt(dh) / 2)) < 0.01);
  chain_free(&chain);
  hmc.integrator = HMC_OMELYAN;
  hmc.step_size = 0.2;
  hmc.steps = 5;
  chain = chain_run(&(struct scalar_action){2, {8, 8}, -4, 6.008}, &hmc, 200000);
  expect("<phi^2>, lambda 6.008, omelyan", &chain, SQUARE, 0.183959, 0.000035);
  expect("Schwinger-Dyson, lambda 6.008", &chain, SCHWINGER_DYSON, 1, 0);
  expect("<exp(-dH)>, lambda 6.008", &chain, EXP_DH, 1, 0);
  chain_free(&chain);
}

/* 1/V sum_p 1/(2 (khat^2 + M2)). */
static double free_square(const struct scalar_action *action, size_t sites)
{
  double sum = 0;
  for (size_t p = 0; p < sites; p++) {
    double khat2 = 0;
    for (size_t k = 0, rest = p; k < action->dimensions; k++) {
      double s = sin(acos(-1.0) * (double)(rest % action->extent[k]) / (double)action->extent[k]);
      khat2 += 4 * s * s;
      rest /= action->extent[k];
    }
    sum += 1 / (2 * (khat2 + action->m2));
  }
  return sum / (double)sites;
}

static void free_field_is_the_propagator(void **state)
{
  (void)state;
  static const struct scalar_action free_fields[] = {
      {2, {8, 8}, 1, 0}, {1, {9}, 0.5, 0}, {3, {4, 2, 6}, 1, 0}, {4, {3, 4, 2, 5}, 0.7, 0}};
  /* The published value belongs to S = 1/2 sum phi (khat^2 + m2) phi: twice ours. */
  assert_true(fabs(2 * free_square(&free_fields[0], 64) - 0.254173997690) < 1e-12);
  for (size_t i = 0; i < 4; i++) {
    size_t sites = 1;
    for (size_t k = 0; k < free_fields[i].dimensions; k++) {
      sites *= free_fields[i].extent[k];
    }
    /* Length 0.4: under half a period of the fastest mode, see hmc.h. */
    struct hmc hmc = {.seed = 31 + i, .step_size = 0.1, .steps = 4, .integrator = HMC_LEAPFROG};
    struct chain chain = chain_run(&free_fields[i], &hmc, 100000);
    expect("<phi^2>, free", &chain, SQUARE, free_square(&free_fields[i], sites), 0);
    expect("<exp(-dH)>, free", &chain, EXP_DH, 1, 0);
    chain_free(&chain);
  }
}

/* One site: S = M2 phi^2 + lambda phi^4; the value (by quadrature) is given for m_sq / 2 = M2. */
static void one_site_is_the_integral(void **state)
{
  (void)state;
  struct hmc hmc = {.seed = 8, .step_size = 0.2, .steps = 8, .integrator = HMC_LEAPFROG};
  struct chain chain = chain_run(&(struct scalar_action){1, {1}, -0.6, 0.5}, &hmc, 400000);
  expect("<phi^2>, one site", &chain, SQUARE, 0.687519468520, 0);
  chain_free(&chain);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(action_is_the_formula),         cmocka_unit_test(force_is_the_derivative),
      cmocka_unit_test(trajectories_are_reversible),   cmocka_unit_test(energy_violation_is_second_order),
      cmocka_unit_test(bits_do_not_depend_on_threads), cmocka_unit_test(runaways_are_rejected),
      cmocka_unit_test(bad_extents_have_no_size),      cmocka_unit_test(interacting_field_8x8),
      cmocka_unit_test(free_field_is_the_propagator),  cmocka_unit_test(one_site_is_the_integral),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
