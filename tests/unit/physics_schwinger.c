/* The Schwinger model: its operator against its definition, its dynamics by identities, its ensemble by reweighting. */
#include "physics/lattice/gauge_chain.h"
#include "physics/lattice/gauge_momentum.h"
#include "physics/lattice/gauge_observables.h"
#include "physics/lattice/su_matrix.h"

#include <complex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SITES = 8, SIZE = 2 * SITES };

static const struct gauge_chain_parameters small = {.dimensions = 2,
                                                    .extent = {4, 2},
                                                    .colours = 1,
                                                    .action = {.beta = 1.5, .anisotropy = 1},
                                                    .method = GAUGE_HMC,
                                                    .order = MD_OMELYAN2,
                                                    .steps = 4,
                                                    .step_size = 0.2,
                                                    .kappa = 0.2,
                                                    .antiperiodic = true,
                                                    .gauge_steps = 2,
                                                    .seed = 3};

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

/* M as a matrix, from its definition and the links as numbers. */
static void dense(const double *links, double kappa, double complex m[SIZE][SIZE])
{
  static const double complex gamma[2][2][2] = {{{0, 1}, {1, 0}}, {{0, -I}, {I, 0}}};
  const size_t extent[2] = {4, 2};
  for (size_t i = 0; i < SIZE * SIZE; i++) {
    m[i / SIZE][i % SIZE] = i / SIZE == i % SIZE;
  }
  for (size_t site = 0; site < SITES; site++) {
    for (size_t mu = 0; mu < 2; mu++) {
      size_t at[2] = {site / 2, site % 2};
      double sign = mu == 0 && at[0] == extent[0] - 1 ? -1 : 1;
      double complex u = sign * (links[(site * 2 + mu) * 2] + links[(site * 2 + mu) * 2 + 1] * I);
      at[mu] = (at[mu] + 1) % extent[mu];
      size_t next = at[0] * 2 + at[1];
      for (size_t a = 0; a < 2; a++) {
        for (size_t b = 0; b < 2; b++) {
          m[2 * site + a][2 * next + b] -= kappa * ((a == b) - gamma[mu][a][b]) * u;
          m[2 * next + a][2 * site + b] -= kappa * ((a == b) + gamma[mu][a][b]) * conj(u);
        }
      }
    }
  }
}

static double determinant(double complex m[SIZE][SIZE])
{
  double complex product = 1;
  for (size_t k = 0; k < SIZE; k++) {
    size_t pivot = k;
    for (size_t i = k + 1; i < SIZE; i++) {
      pivot = cabs(m[i][k]) > cabs(m[pivot][k]) ? i : pivot;
    }
    for (size_t j = 0; j < SIZE && pivot != k; j++) {
      double complex swap = m[k][j];
      m[k][j] = m[pivot][j];
      m[pivot][j] = -swap;
    }
    product *= m[k][k];
    for (size_t i = k + 1; i < SIZE; i++) {
      double complex factor = m[i][k] / m[k][k];
      for (size_t j = k; j < SIZE; j++) {
        m[i][j] -= factor * m[k][j];
      }
    }
  }
  return creal(product);
}

static void the_operator_is_its_matrix(void **state)
{
  (void)state;
  struct gauge_chain_parameters p = small;
  struct opened o;
  double links[SITES * 4], in[2 * SIZE], out[2 * SIZE];
  double complex m[SIZE][SIZE];
  p.start = GAUGE_HOT;
  open_chain(&o, &p);
  schwinger_set(&o.chain.fermions, &o.chain.field);
  gauge_field_get(&o.chain.field, 1, links);
  dense(links, p.kappa, m);
  for (size_t i = 0; i < 2 * SIZE; i++) {
    in[i] = sin(7.0 * (double)i + 1);
  }
  for (int dagger = 0; dagger < 2; dagger++) {
    schwinger_apply(&o.chain.fermions, out, in, dagger != 0);
    for (size_t i = 0; i < SIZE; i++) {
      double complex sum = 0;
      for (size_t j = 0; j < SIZE; j++) {
        sum += (dagger ? conj(m[j][i]) : m[i][j]) * (in[2 * j] + in[2 * j + 1] * I);
      }
      assert_true(cabs(sum - (out[2 * i] + out[2 * i + 1] * I)) < 1e-14);
    }
  }
  free(o.memory);
}

/* dH of a way of length 0.4 in so many steps, and how far the way back ends from its start. */
static double follow(const struct gauge_chain_parameters *thermal, size_t steps, double *back)
{
  struct gauge_chain_parameters p = *thermal;
  struct opened o;
  open_chain(&o, &p);
  for (uint64_t t = 0; t < 5; t++) {
    gauge_chain_advance(&o.chain, t, 1, NULL);
  }
  p.steps = steps;
  p.step_size = 0.4 / (double)steps;
  size_t doubles = gauge_field_bytes(&o.chain.lattice, 1) / sizeof(double);
  double start[4 * SITES], end[4 * SITES];
  gauge_field_get(&o.chain.field, 1, start);
  gauge_momentum_draw(&o.chain.field, (struct philox_stream){5, 1}, 1, o.chain.momentum);
  schwinger_set(&o.chain.fermions, &o.chain.field);
  double before = schwinger_draw(&o.chain.fermions, (struct philox_stream){5, 2}) + gauge_chain_value(&o.chain, 1) +
                  gauge_momentum_kinetic(&o.chain.field, o.chain.momentum, 1);
  gauge_chain_follow(&o.chain, 1, NULL);
  schwinger_set(&o.chain.fermions, &o.chain.field);
  double after = schwinger_action(&o.chain.fermions) + gauge_chain_value(&o.chain, 1) +
                 gauge_momentum_kinetic(&o.chain.field, o.chain.momentum, 1);
  for (size_t i = 0; i < doubles; i++) {
    ((double *)o.chain.momentum)[i] *= -1;
  }
  gauge_chain_follow(&o.chain, 1, NULL);
  gauge_field_get(&o.chain.field, 1, end);
  for (size_t i = 0; i < 4 * SITES; i++) {
    *back = fmax(*back, fabs(end[i] - start[i]));
  }
  free(o.memory);
  return after - before;
}

static void ways_keep_energy_to_their_order_and_lead_back(void **state)
{
  (void)state;
  for (int order = MD_LEAPFROG; order <= MD_OMELYAN4; order++) {
    struct gauge_chain_parameters p = small;
    p.order = (enum md_order)order;
    double back = 0, coarse = follow(&p, 8, &back), fine = follow(&p, 16, &back);
    double expected = order == MD_OMELYAN4 ? 16 : 4;
    printf("scheme %d: dH %.2e, ratio %.2f, back %.1e\n", order, fine, coarse / fine, back);
    assert_true(back < 1e-11);
    assert_true(fabs(coarse / fine - expected) < 0.25 * expected || fabs(fine) < 1e-9);
  }
}

/* Mean plaquette with fermions: by the chain, and by the pure gauge field's configurations weighed with det M^2. */
static void the_ensemble_is_that_of_the_determinant(void **state)
{
  (void)state;
  enum { TRAJECTORIES = 6000, BINS = 20 };
  double mean[2] = {0}, error[2] = {0}, exponential = 0;
  for (int quenched = 0; quenched < 2; quenched++) {
    struct gauge_chain_parameters p = small;
    struct opened o;
    double top[BINS] = {0}, below[BINS] = {0}, links[SITES * 4], squares = 0, all[2] = {0};
    p.kappa = quenched ? 0 : p.kappa;
    p.steps = quenched ? 10 : p.steps;
    open_chain(&o, &p);
    for (uint64_t t = 0; t < TRAJECTORIES; t++) {
      struct gauge_outcome outcome = gauge_chain_advance(&o.chain, t, 1, NULL);
      assert_false(outcome.failed);
      double weight = 1;
      if (quenched) {
        double complex m[SIZE][SIZE];
        gauge_field_get(&o.chain.field, 1, links);
        dense(links, small.kappa, m);
        weight = determinant(m);
        weight *= weight;
      } else {
        exponential += exp(-outcome.dh) / TRAJECTORIES;
      }
      size_t bin = t * BINS / TRAJECTORIES;
      struct gauge_loop_means plaquette;
      gauge_plaquette(&o.chain.field, 1, &plaquette);
      top[bin] += weight * plaquette.all;
      below[bin] += weight;
    }
    for (size_t i = 0; i < BINS; i++) {
      all[0] += top[i];
      all[1] += below[i];
    }
    mean[quenched] = all[0] / all[1];
    for (size_t i = 0; i < BINS; i++) { /* jackknife */
      double rest = (all[0] - top[i]) / (all[1] - below[i]) - mean[quenched];
      squares += rest * rest * (BINS - 1) / BINS;
    }
    error[quenched] = sqrt(squares);
    free(o.memory);
  }
  double both = sqrt(error[0] * error[0] + error[1] * error[1]);
  printf("plaquette %.5f(%.5f), by reweighting %.5f(%.5f), <exp(-dH)> %.4f\n", mean[0], error[0], mean[1], error[1],
         exponential);
  assert_true(fabs(mean[0] - mean[1]) < 4 * both && both < 0.02);
  assert_true(fabs(exponential - 1) < 0.05);
}

/* At the critical mass of free fermions with periodic boundaries the operator has zero modes. */
static void a_singular_operator_is_found_out(void **state)
{
  (void)state;
  struct gauge_chain_parameters p = small;
  struct opened o;
  p.kappa = 0.25;
  p.antiperiodic = false;
  open_chain(&o, &p);
  assert_true(gauge_chain_advance(&o.chain, 0, 1, NULL).iterations > 0);
  gauge_field_cold(&o.chain.field);
  schwinger_set(&o.chain.fermions, &o.chain.field);
  for (size_t i = 0; i < 2 * SIZE; i++) {
    o.chain.fermions.phi[i] = 1;
  }
  schwinger_action(&o.chain.fermions);
  assert_true(o.chain.fermions.failed);
  free(o.memory);
}

/* Nothing is worked out any more once a solver has been cut off or has failed. */
static void a_cut_or_failed_trajectory_ends_at_once(void **state)
{
  (void)state;
  const volatile int cancel = 1;
  struct gauge_chain_parameters p = small;
  struct opened o;
  double before[SITES * 4], after[SITES * 4];
  p.start = GAUGE_HOT;
  open_chain(&o, &p);
  struct schwinger *s = &o.chain.fermions;
  schwinger_set(s, &o.chain.field);
  schwinger_draw(s, (struct philox_stream){5, 2});
  s->cancel = &cancel;
  schwinger_action(s);
  assert_true(s->failed && s->iterations == 0);
  s->cancel = NULL;
  schwinger_kick(s, &o.chain.lattice, 1, o.chain.momentum);
  assert_true(s->failed && s->iterations == 0);
  o.chain.field.links[0] = (double)NAN;
  gauge_field_get(&o.chain.field, 1, before);
  assert_true(gauge_chain_advance(&o.chain, 0, 1, NULL).failed);
  gauge_field_get(&o.chain.field, 1, after);
  assert_memory_equal(before, after, sizeof before);
  free(o.memory);
}

static void iterations_are_about_as_estimated(void **state)
{
  (void)state;
  static const struct {
    size_t extent;
    double kappa;
  } rows[] = {{16, 0.1}, {16, 0.2}, {8, 0.25}, {16, 0.26}, {8, 0.3}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct gauge_chain_parameters p = small;
    struct opened o;
    p.extent[0] = p.extent[1] = rows[i].extent;
    p.kappa = rows[i].kappa;
    open_chain(&o, &p);
    double solutions = 2 * (double)p.steps + 2, estimate = schwinger_iterations(p.extent, p.kappa);
    gauge_chain_advance(&o.chain, 0, 1, NULL);
    double iterations = (double)gauge_chain_advance(&o.chain, 1, 1, NULL).iterations / solutions;
    printf("%zu^2, kappa %g: %.0f iterations, estimate %.0f\n", rows[i].extent, p.kappa, iterations, estimate);
    assert_true(iterations < 2 * estimate && iterations > estimate / 4);
    free(o.memory);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_operator_is_its_matrix),
                                     cmocka_unit_test(ways_keep_energy_to_their_order_and_lead_back),
                                     cmocka_unit_test(the_ensemble_is_that_of_the_determinant),
                                     cmocka_unit_test(a_singular_operator_is_found_out),
                                     cmocka_unit_test(a_cut_or_failed_trajectory_ends_at_once),
                                     cmocka_unit_test(iterations_are_about_as_estimated)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
