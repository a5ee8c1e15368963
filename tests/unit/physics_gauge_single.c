/* Chains whose links are floats: exact values, the same ways as in doubles as far as floats know them, equal bits. */
#include "physics/lattice/gauge_chain.h"
#include "physics/lattice/gauge_heatbath.h"
#include "physics/lattice/gauge_momentum.h"
#include "physics/lattice/gauge_observables.h"
#include "physics/lattice/su_matrix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What rounding leaves of a link's unitarity and of a short way back: a few times 6e-8 for each product that its
 * numbers went through. Doubles would be below the least. */
#define LINK_ROUNDING 2e-6
#define WAY_ROUNDING 5e-6
#define LEAST_ROUNDING 1e-9

struct opened {
  struct gauge_chain chain;
  void *memory;
};

static const struct gauge_chain_parameters plain = {.dimensions = 2,
                                                    .extent = {8, 8},
                                                    .colours = 1,
                                                    .action = {.beta = 2, .anisotropy = 1},
                                                    .overrelaxation = 2,
                                                    .order = MD_OMELYAN2,
                                                    .steps = 5,
                                                    .step_size = 0.2,
                                                    .single = true,
                                                    .seed = 11};

/* 128 sites that fill all lanes. */
static struct gauge_chain_parameters four_dimensions(size_t colours)
{
  struct gauge_chain_parameters p = plain;
  p.dimensions = 4;
  p.extent[0] = p.extent[1] = p.extent[2] = 4;
  p.extent[3] = 2;
  p.colours = colours;
  p.action.beta = colours == 3 ? 5.5 : 2;
  p.start = GAUGE_HOT;
  return p;
}

static void open_chain(struct opened *o, const struct gauge_chain_parameters *p, const double *links)
{
  o->memory = aligned_alloc(64, (gauge_chain_bytes(p) + 63) / 64 * 64);
  assert_non_null(o->memory);
  gauge_chain_open(&o->chain, p, 0, links, 1, o->memory);
}

static void advance(struct opened *o, uint64_t first, uint64_t last, unsigned threads)
{
  for (uint64_t t = first; t < last; t++) {
    gauge_chain_advance(&o->chain, t, threads, NULL);
  }
}

static size_t numbers_of(const struct opened *o)
{
  return gauge_field_bytes(&o->chain.lattice, o->chain.field.colours) / sizeof(double);
}

static double *links_of(struct opened *o)
{
  double *links = malloc(numbers_of(o) * sizeof *links);
  assert_non_null(links);
  gauge_field_get(gauge_chain_field(&o->chain, 1), 1, links);
  return links;
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */

struct estimate {
  double mean, error;
};

static struct estimate run_chain(const struct gauge_chain_parameters *p, size_t trajectories)
{
  enum { BINS = 20 };
  struct opened o;
  struct gauge_loop_means means;
  struct estimate e = {0};
  double bin[BINS] = {0}, square = 0;
  open_chain(&o, p, NULL);
  advance(&o, 0, trajectories / 10, 1);
  for (uint64_t t = 0; t < trajectories; t++) {
    advance(&o, trajectories / 10 + t, trajectories / 10 + t + 1, 1);
    gauge_plaquette(gauge_chain_field(&o.chain, 1), 1, &means);
    bin[t * BINS / trajectories] += means.all * BINS / (double)trajectories;
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

/* Two dimensions in infinite volume: I1 / I0 (beta) for U(1), I2 / I1 (beta) for SU(2), SU(3) at beta 6; what the torus
 * adds is far below the errors here. */
static void plaquettes_are_exact(void **state)
{
  (void)state;
  static const struct {
    size_t colours;
    double beta, exact;
  } systems[] = {{1, 2, 0.6977746580}, {2, 2, 0.4331274267}, {2, 0.3, 0.0747203226}, {3, 6, 0.4225317396}};
  for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
    for (int method = GAUGE_HEATBATH; method <= GAUGE_HMC; method++) {
      struct gauge_chain_parameters p = plain;
      p.colours = systems[i].colours;
      p.action.beta = systems[i].beta;
      p.method = (enum gauge_method)method;
      struct estimate e = run_chain(&p, 2000);
      printf("%zu colours, method %d: %.6f(%.6f), %+.1f sigma\n", p.colours, method, e.mean, e.error,
             (e.mean - systems[i].exact) / e.error);
      assert_true(fabs(e.mean - systems[i].exact) < 4 * e.error && e.error < 0.005);
    }
  }
}

static void doubles_give_the_same_means(void **state)
{
  (void)state;
  struct gauge_chain_parameters p = four_dimensions(3);
  struct estimate narrow = run_chain(&p, 300);
  p.single = false;
  p.seed++;
  struct estimate wide = run_chain(&p, 300);
  double error = sqrt(narrow.error * narrow.error + wide.error * wide.error);
  printf("SU(3): %.6f(%.6f), doubles %.6f(%.6f)\n", narrow.mean, narrow.error, wide.mean, wide.error);
  assert_true(fabs(narrow.mean - wide.mean) < 4 * error && error < 0.003);
}

/* ---- rounding ---------------------------------------------------------------------------------------------------- */

/* The largest entry of U U^dagger - 1. */
static double worst_link(const struct gauge_field *field)
{
  double worst = 0;
  size_t n = field->colours;
  for (size_t i = 0; i < field->lattice->blocks * field->lattice->dimensions; i++) {
    SU_MATRIX(product);
    su_multiply_adjoint(n, product, field->links + i * su_size(n), field->links + i * su_size(n));
    for (size_t l = 0; l < 2 * n * n * LATTICE_LANES; l++) {
      size_t entry = l / LATTICE_LANES / 2;
      double unit = l / LATTICE_LANES % 2 == 0 && entry / n == entry % n;
      worst = fmax(worst, fabs(product[l] - unit));
    }
  }
  return worst;
}

static void links_are_floats_of_the_group(void **state)
{
  (void)state;
  for (size_t colours = 1; colours <= 5; colours++) {
    for (int method = GAUGE_HEATBATH; method <= GAUGE_HMC; method++) {
      struct gauge_chain_parameters p = four_dimensions(colours);
      struct opened o;
      p.method = (enum gauge_method)method;
      p.step_size = 0.1;
      open_chain(&o, &p, NULL);
      advance(&o, 0, 10, 1);
      double worst = worst_link(gauge_chain_field(&o.chain, 1));
      assert_true(worst < LINK_ROUNDING && worst > LEAST_ROUNDING);
      for (size_t i = 0; i < numbers_of(&o); i++) {
        assert_true(o.chain.field.links[i] == (double)o.chain.narrow.narrow[i]);
      }
      free(o.memory);
    }
  }
}

static void overrelaxation_keeps_the_action(void **state)
{
  (void)state;
  for (size_t colours = 1; colours <= 4; colours++) {
    struct gauge_chain_parameters p = four_dimensions(colours);
    struct opened o;
    p.action.anisotropy = 2;
    open_chain(&o, &p, NULL);
    advance(&o, 0, 10, 1);
    double before = gauge_chain_value(&o.chain, 1);
    double *links = links_of(&o);
    for (size_t i = 0; i < 5; i++) {
      gauge_overrelax(o.chain.moving, &p.action, 1);
    }
    o.chain.stale = true;
    assert_true(fabs(gauge_chain_value(&o.chain, 1) / before - 1) < 1e-5);
    double *moved = links_of(&o);
    assert_true(fabs(moved[0] - links[0]) > 1e-3);
    free(links);
    free(moved);
    free(o.memory);
  }
}

/* The same random numbers in both types: a sweep ends at the same links, but for few. Roots of small numbers are less
 * sure than floats are, and what comes behind such a link in the sweep feels it. */
static void heat_baths_are_those_of_doubles(void **state)
{
  (void)state;
  const double close = 2e-3;
  for (size_t colours = 1; colours <= 4; colours++) {
    struct gauge_chain_parameters p = four_dimensions(colours);
    struct opened o;
    p.overrelaxation = 0;
    open_chain(&o, &p, NULL);
    advance(&o, 0, 10, 1);
    double *links = links_of(&o);
    size_t apart = 0;
    gauge_field_set(&o.chain.field, 1, links);
    gauge_heatbath(&o.chain.field, &p.action, (struct philox_stream){1, 7}, 1);
    gauge_heatbath(&o.chain.narrow, &p.action, (struct philox_stream){1, 7}, 1);
    for (size_t i = 0; i < numbers_of(&o); i++) {
      apart += !(fabs(o.chain.field.links[i] - (double)o.chain.narrow.narrow[i]) < close);
    }
    printf("%zu colours: %zu of %zu numbers apart\n", colours, apart, numbers_of(&o));
    assert_true(100 * apart < numbers_of(&o));
    free(links);
    free(o.memory);
  }
}

struct way {
  double dh, back;
  double *end;
};

/* A way from given links, and how far the way back ends from them. */
static struct way follow(const struct gauge_chain_parameters *p, const double *links)
{
  struct opened o;
  struct way way = {0};
  open_chain(&o, p, links);
  gauge_momentum_draw(o.chain.moving, (struct philox_stream){3, 9}, 1, o.chain.momentum);
  double before = gauge_chain_value(&o.chain, 1) + gauge_momentum_kinetic(o.chain.moving, o.chain.momentum, 1);
  gauge_chain_follow(&o.chain, 1, NULL);
  way.dh = gauge_chain_value(&o.chain, 1) + gauge_momentum_kinetic(o.chain.moving, o.chain.momentum, 1) - before;
  way.end = links_of(&o);
  for (size_t i = 0; i < numbers_of(&o); i++) {
    if (p->single) {
      ((float *)o.chain.momentum)[i] *= -1;
    } else {
      ((double *)o.chain.momentum)[i] *= -1;
    }
  }
  gauge_chain_follow(&o.chain, 1, NULL);
  double *there = links_of(&o);
  for (size_t i = 0; i < numbers_of(&o); i++) {
    way.back = fmax(way.back, fabs(there[i] - links[i]));
  }
  free(there);
  free(o.memory);
  return way;
}

/* The same momenta in both types: the ways end at the same place, and each leads back. */
static void ways_are_those_of_doubles(void **state)
{
  (void)state;
  for (size_t colours = 1; colours <= 4; colours++) {
    for (int improved = 0; improved < 2; improved++) {
      struct gauge_chain_parameters p = four_dimensions(colours);
      struct opened o;
      p.action.c1 = improved ? GAUGE_C1_SYMANZIK : 0;
      p.action.open[1] = improved;
      p.method = GAUGE_HMC;
      open_chain(&o, &p, NULL);
      advance(&o, 0, 2, 1);
      double *links = links_of(&o), apart = 0;
      struct way narrow = follow(&p, links);
      p.single = false;
      struct way wide = follow(&p, links);
      for (size_t i = 0; i < numbers_of(&o); i++) {
        apart = fmax(apart, fabs(narrow.end[i] - wide.end[i]));
      }
      printf("%zu colours: apart %.1e, back %.1e, dH %.6f, of doubles %.6f\n", colours, apart, narrow.back, narrow.dh,
             wide.dh);
      assert_true(apart < WAY_ROUNDING && apart > LEAST_ROUNDING);
      assert_true(narrow.back < WAY_ROUNDING && narrow.back > LEAST_ROUNDING && wide.back < 1e-12);
      assert_true(fabs(narrow.dh - wide.dh) < 1e-3 && narrow.dh != wide.dh);
      free(links);
      free(narrow.end);
      free(wide.end);
      free(o.memory);
    }
  }
}

/* ---- bits -------------------------------------------------------------------------------------------------------- */

static void threads_give_the_same_bits(void **state)
{
  (void)state;
  for (int method = GAUGE_HEATBATH; method <= GAUGE_HMC; method++) {
    struct opened o[2];
    struct gauge_chain_parameters p = four_dimensions(3);
    p.method = (enum gauge_method)method;
    for (unsigned threads = 1; threads <= 2; threads++) {
      open_chain(&o[threads - 1], &p, NULL);
      advance(&o[threads - 1], 0, 2, threads);
    }
    assert_memory_equal(o[0].chain.narrow.narrow, o[1].chain.narrow.narrow, numbers_of(&o[0]) * sizeof(float));
    free(o[0].memory);
    free(o[1].memory);
  }
}

/* Floats and the trajectory's number are all there is. */
static void a_continued_chain_is_the_same(void **state)
{
  (void)state;
  for (int method = GAUGE_HEATBATH; method <= GAUGE_HMC; method++) {
    struct gauge_chain_parameters p = four_dimensions(2);
    struct opened whole, rest;
    p.method = (enum gauge_method)method;
    open_chain(&whole, &p, NULL);
    advance(&whole, 0, 4, 1);
    double *links = links_of(&whole);
    advance(&whole, 4, 8, 1);
    open_chain(&rest, &p, links);
    advance(&rest, 4, 8, 1);
    assert_memory_equal(whole.chain.narrow.narrow, rest.chain.narrow.narrow, numbers_of(&rest) * sizeof(float));
    free(links);
    free(whole.memory);
    free(rest.memory);
  }
}

static void chains_exchange_all_they_have(void **state)
{
  (void)state;
  struct gauge_chain_parameters p = four_dimensions(2);
  struct opened o[2];
  for (size_t i = 0; i < 2; i++) {
    p.seed += i;
    open_chain(&o[i], &p, NULL);
    advance(&o[i], 0, 1, 1);
  }
  double first = gauge_chain_value(&o[0].chain, 1); /* the other's doubles are not up to date */
  gauge_chain_exchange(&o[0].chain, &o[1].chain);
  double second = gauge_chain_value(&o[0].chain, 1);
  assert_true(gauge_chain_value(&o[1].chain, 1) == first && second != first);
  gauge_chain_exchange(&o[0].chain, &o[1].chain);
  assert_true(gauge_chain_value(&o[0].chain, 1) == first && gauge_chain_value(&o[1].chain, 1) == second);
  free(o[0].memory);
  free(o[1].memory);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plaquettes_are_exact),
      cmocka_unit_test(doubles_give_the_same_means),
      cmocka_unit_test(links_are_floats_of_the_group),
      cmocka_unit_test(overrelaxation_keeps_the_action),
      cmocka_unit_test(heat_baths_are_those_of_doubles),
      cmocka_unit_test(ways_are_those_of_doubles),
      cmocka_unit_test(threads_give_the_same_bits),
      cmocka_unit_test(a_continued_chain_is_the_same),
      cmocka_unit_test(chains_exchange_all_they_have),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
