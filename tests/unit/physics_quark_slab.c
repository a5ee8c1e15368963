/* Quarks on a gauge field in slabs, on ranks that are threads: propagators, correlators, condensates and modes have the
 * bits of the field on one rank, and take as many iterations. */
#include "hpc/ranks/ranks_threads.h"
#include "physics/lattice/condensate.h"
#include "physics/lattice/gauge_slab.h"
#include "physics/lattice/gauge_start.h"
#include "physics/lattice/meson.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_RANKS = 3, MOST_SLICES = 8 };

struct quark_case {
  size_t dimensions, extent[LATTICE_MAX_DIMENSIONS], colours;
  struct dirac_rule rule;
  struct solver solver;
  size_t modes;
  enum source_kind source;
  size_t twisted; /* the slice of a link that is not 1, where no others are; 0: all are random */
};

/* What a rank has in the end. */
struct quark_job {
  const struct quark_case *of;
  struct gauge_split split;
  bool fails;                          /* the clover term has no inverse */
  struct solver_report report;         /* of the last column */
  size_t numbers;                      /* of one slice's columns */
  double *columns;                     /* [slice][…] of the whole lattice: its own slices go there */
  double correlator[16 * MOST_SLICES]; /* of rank 0 */
  double condensate[CONDENSATE_NUMBERS];
  double lowest;
};

static void *take(size_t bytes)
{
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  memset(memory, 0, (bytes + 63) / 64 * 64);
  return memory;
}

static void keep_columns(struct quark_job *job, const struct fermion_shape *shape, const double *columns)
{
  const struct lattice *lattice = shape->lattice;
  const size_t size = propagator_columns(shape), first = lattice->begin * (lattice->sites / lattice->extent[0]);
  for (size_t block = 0; block < lattice->blocks; block++) {
    for (size_t lane = 0; lane < lattice->lanes; lane++) {
      const size_t site = lattice_own_site(lattice, block, lane);
      for (size_t i = 0; i < 2 * size * size && site != SIZE_MAX; i++) { /* column, row, re and im */
        job->columns[(first + site) * 2 * size * size + i] =
            columns[((i / (2 * size) * lattice->blocks + block) * 2 * size + i % (2 * size)) * LATTICE_LANES + lane];
      }
    }
  }
}

static void solve(struct quark_job *job, const struct gauge_field *gauge, const struct dirac *dirac)
{
  const struct fermion_shape *shape = &dirac->shape;
  const enum fermion_type type = job->of->solver.mixed ? FERMION_F32 : FERMION_F64;
  void *memory = take(propagator_bytes(shape)), *found = NULL;
  struct solver solver = job->of->solver;
  struct dirac_modes modes = {0};
  if (job->of->modes > 0) {
    found = take(dirac_modes_bytes(shape, type, job->of->modes));
    assert_int_equal(dirac_modes_find(dirac, type, job->of->modes, NULL, found, &modes), 0);
    solver.modes = &modes;
    job->lowest = modes.values[0];
  }
  struct quark_source source = {.kind = job->of->source, .place = {job->of->extent[0] - 1, 1}};
  source.stream = noise_stream(gauge, 5, 0);
  const struct propagator_room room = propagator_room(shape, memory);
  propagator_solve(dirac, &solver, &source, &room, &job->report);
  keep_columns(job, shape, room.columns);
  const int momentum[1][LATTICE_MAX_DIMENSIONS] = {{0, 1}};
  struct meson_request request = {.momenta = 1, .momentum = momentum, .weight = 1};
  memcpy(request.source, source.place, sizeof request.source);
  meson_correlators(dirac, room.columns, &request, job->correlator);
  struct solver_report ignored;
  void *work = take(condensate_bytes(shape));
  condensate_estimate(dirac, gauge, &solver, &(struct condensate_noise){.kind = NOISE_GAUSS, .sources = 2, .seed = 3},
                      work, job->condensate, &ignored);
  free(work);
  free(found);
  free(memory);
}

/* U(1) in two dimensions: one link is i, so the field strength is +-i / 4 on the slices beside its own. */
static void twist_link(struct gauge_field *gauge, size_t slice)
{
  const struct lattice *lattice = gauge->lattice;
  for (size_t block = 0; block < lattice->blocks; block++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      if (lattice_site(lattice, block, lane) == slice * lattice->extent[1]) {
        double *link = gauge_link(gauge, block, 1) + lane;
        link[0] = 0, link[LATTICE_LANES] = 1;
      }
    }
  }
}

static void *run_rank(void *data)
{
  struct quark_job *job = data;
  const struct quark_case *c = job->of;
  const struct lattice_slab here = gauge_split_slab(&job->split, c->extent[0]);
  size_t extent[LATTICE_MAX_DIMENSIONS];
  struct lattice lattice;
  struct gauge_slab slab;
  struct dirac dirac;
  lattice_slab_extent(c->dimensions, c->extent, &here, extent);
  void *tables = take(lattice_bytes(c->dimensions, extent)), *exchange = NULL;
  lattice_init_slab(&lattice, c->dimensions, c->extent, &here, tables);
  void *links = take(gauge_field_bytes(&lattice, c->colours));
  struct gauge_field gauge = gauge_field_over(&lattice, c->colours, links);
  if (job->split.ranks != NULL) {
    exchange = take(gauge_slab_bytes(c->dimensions, c->extent, job->split.width, c->colours));
    gauge_slab_open(&slab, &job->split, &lattice, c->colours, exchange);
    gauge.slab = &slab;
  }
  gauge_field_cold(&gauge);
  if (c->twisted > 0) {
    twist_link(&gauge, c->twisted);
  } else {
    gauge_start_hot(&gauge, (struct philox_stream){8, 1}, 1);
  }
  void *memory = take(dirac_bytes(&gauge, &c->rule, true));
  job->fails = dirac_init(&dirac, &gauge, &c->rule, true, 1, memory) != 0;
  if (!job->fails) {
    solve(job, &gauge, &dirac);
  }
  free(memory);
  free(links);
  free(exchange);
  free(tables);
  return NULL;
}

/* What rank 0 has, with all columns. */
static struct quark_job solved(const struct quark_case *c, size_t ranks)
{
  struct ranks all[MOST_RANKS];
  struct quark_job jobs[MOST_RANKS] = {0};
  pthread_t threads[MOST_RANKS];
  struct error error = {0};
  size_t sites = 1, size = dirac_spins(c->dimensions, c->rule.hopping.staggered) * c->colours;
  for (size_t k = 0; k < c->dimensions; k++) {
    sites *= c->extent[k];
  }
  double *columns = take(sites * 2 * size * size * sizeof *columns);
  assert_int_equal(ranks_threads_open(ranks, NULL, all, &error), 0);
  for (size_t r = 0; r < ranks; r++) {
    jobs[r].of = c;
    jobs[r].split = (struct gauge_split){ranks > 1 ? &all[r] : NULL, ranks, 1};
    jobs[r].columns = columns;
    jobs[r].numbers = sites * 2 * size * size;
    assert_int_equal(pthread_create(&threads[r], NULL, run_rank, &jobs[r]), 0);
  }
  for (size_t r = 0; r < ranks; r++) {
    pthread_join(threads[r], NULL);
    assert_false(all[r].broken);
    assert_int_equal(jobs[r].fails, jobs[0].fails);
    assert_int_equal(jobs[r].report.iterations, jobs[0].report.iterations);
  }
  ranks_threads_close(all);
  return jobs[0];
}

static void compare(const struct quark_case *c)
{
  struct quark_job whole = solved(c, 1);
  assert_true(whole.report.converged && whole.report.iterations > 5);
  for (size_t ranks = 2; ranks <= MOST_RANKS; ranks++) {
    struct quark_job slabs = solved(c, ranks);
    assert_int_equal(slabs.report.iterations, whole.report.iterations);
    assert_true(slabs.report.residual == whole.report.residual && slabs.lowest == whole.lowest);
    assert_memory_equal(slabs.columns, whole.columns, whole.numbers * sizeof(double));
    assert_memory_equal(slabs.correlator, whole.correlator, sizeof whole.correlator);
    assert_memory_equal(slabs.condensate, whole.condensate, sizeof whole.condensate);
    free(slabs.columns);
  }
  free(whole.columns);
}

#define WILSON(k, c)                                                                                                   \
  {                                                                                                                    \
    .hopping.boundary = {BOUNDARY_ANTIPERIODIC}, .kappa = (k), .clover = (c)                                           \
  }
#define BY(how, floats, accuracy)                                                                                      \
  {                                                                                                                    \
    .method = (how), .mixed = (floats), .tolerance = (accuracy), .most_iterations = 2000                               \
  }

static void quarks_have_the_bits_of_the_whole(void **state)
{
  static const struct quark_case cases[] = {
      {4, {8, 2, 4, 2}, 3, WILSON(0.12, 0), BY(SOLVER_CG, true, 1e-10), 0, SOURCE_POINT, 0},
      {4, {6, 4, 2, 2}, 2, WILSON(0.1, 1), BY(SOLVER_BICGSTAB, true, 1e-9), 0, SOURCE_NOISE, 0},
      {3, {8, 2, 4}, 1, WILSON(0.14, 0.5), BY(SOLVER_CG, false, 1e-11), 0, SOURCE_WALL, 0},
      {2, {8, 4}, 1, WILSON(0.22, 0), BY(SOLVER_CG, true, 1e-10), 2, SOURCE_POINT, 0},
      {.dimensions = 4,
       .extent = {6, 2, 2, 4},
       .colours = 3,
       .rule = {.hopping = {.boundary = {BOUNDARY_ANTIPERIODIC}, .staggered = true}, .mass = 0.3},
       .solver = BY(SOLVER_CG, true, 1e-10),
       .modes = 3,
       .source = SOURCE_NOISE}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    compare(&cases[i]);
  }
}

/* The clover term vanishes on sites of slices 1 and 3, which are one slab's; all stop. */
static void slabs_fail_together(void **state)
{
  const struct quark_case c = {.dimensions = 2, .extent = {8, 4}, .colours = 1, .rule = WILSON(0.5, 8), .twisted = 2};
  (void)state;
  for (size_t ranks = 1; ranks <= MOST_RANKS; ranks++) {
    struct quark_job job = solved(&c, ranks);
    assert_true(job.fails);
    free(job.columns);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(quarks_have_the_bits_of_the_whole),
                                     cmocka_unit_test(slabs_fail_together)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
