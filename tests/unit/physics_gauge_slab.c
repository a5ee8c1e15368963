/* A gauge field in slabs on ranks that are threads has the bits of the field on one, and so has what is measured. */
#include "hpc/ranks/ranks_threads.h"
#include "physics/lattice/gauge_chain.h"
#include "physics/lattice/gauge_flow.h"
#include "physics/lattice/gauge_observables.h"
#include "physics/lattice/gauge_smear.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_RANKS = 3, TRAJECTORIES = 3 };

struct slab_job {
  struct gauge_chain_parameters parameters;
  bool exchanges;
  double *links; /* of the whole lattice: the slab's are put there */
  struct gauge_outcome outcome[TRAJECTORIES];
  double action, plaquette, charge, energy;
  double loop[LATTICE_MAX_DIMENSIONS][2]; /* Polyakov's along each axis */
  double wide[2];                         /* what reaches two slices far: rectangles, improved strength */
  double step;                            /* of the flow, as it has come to be */
};

static size_t doubles_of(const struct gauge_chain_parameters *p, size_t slices)
{
  size_t doubles = slices * p->dimensions * p->colours * p->colours * 2;
  for (size_t k = 1; k < p->dimensions; k++) {
    doubles *= p->extent[k];
  }
  return doubles;
}

static void measure(struct slab_job *job, struct gauge_chain *chain)
{
  struct gauge_loop_means means;
  struct gauge_topology topology;
  job->action = gauge_chain_value(chain, 1);
  gauge_plaquette(&chain->field, 1, &means);
  gauge_topology(&chain->field, GAUGE_CLOVER, 1, &topology);
  job->plaquette = means.all;
  job->energy = topology.energy;
  job->charge = chain->field.lattice->dimensions == 3 ? 0 : topology.charge;
  for (size_t axis = 0; axis < chain->field.lattice->dimensions; axis++) {
    gauge_polyakov(&chain->field, axis, 1, job->loop[axis]);
  }
  gauge_rectangle(&chain->field, 1, &means);
  gauge_topology(&chain->field, GAUGE_IMPROVED, 1, &topology);
  job->wide[0] = means.all;
  job->wide[1] = topology.energy;
}

/* Steps of the flow, equal ones and adapted ones, and of smearings. */
static void smooth(struct slab_job *job, struct gauge_chain *chain)
{
  static const struct gauge_smear smears[] = {{.kind = SMEAR_STOUT, .weight = {0.1}, .steps = 2},
                                              {.kind = SMEAR_APE, .weight = {0.5}, .steps = 1, .spatial = true},
                                              {.kind = SMEAR_HYP, .weight = {0.75, 0.6, 0.3}, .steps = 1}};
  const size_t smearings = chain->lattice.dimensions == 4 ? 3 : 2;
  struct gauge_flow flow = {.step = 0.1};
  void *scratch = aligned_alloc(64, gauge_flow_bytes(&chain->lattice, chain->field.colours, true));
  assert_true(gauge_flow_on(&chain->field, &flow, 0.25, 1, NULL, scratch));
  flow.tolerance = 1e-4;
  gauge_flow_on(&chain->field, &flow, 0.5, 1, NULL, scratch);
  job->step = flow.step;
  free(scratch);
  scratch = aligned_alloc(64, gauge_smear_bytes(&chain->lattice, chain->field.colours, SMEAR_HYP));
  for (size_t i = 0; i < smearings; i++) {
    assert_true(gauge_smear(&chain->field, &smears[i], 1, NULL, scratch));
  }
  free(scratch);
}

static void *run_chain(void *data)
{
  struct slab_job *job = data;
  const struct gauge_chain_parameters *p = &job->parameters;
  struct gauge_chain *chain = malloc(sizeof *chain);
  void *memory = aligned_alloc(64, gauge_chain_bytes(p));
  gauge_chain_open(chain, p, 0, NULL, 1, memory);
  chain->field.slab = job->exchanges ? chain->field.slab : NULL;
  for (uint64_t t = 0; t < TRAJECTORIES; t++) {
    job->outcome[t] = gauge_chain_advance(chain, t, 1, NULL);
  }
  measure(job, chain);
  smooth(job, chain);
  gauge_field_get(&chain->field, 1, job->links + doubles_of(p, gauge_split_slab(&p->split, p->extent[0]).begin));
  free(memory);
  free(chain);
  return NULL;
}

/* What the first of so many ranks has after some trajectories, with all links; 1: not split. */
static struct slab_job swept(const struct gauge_chain_parameters *parameters, size_t ranks, bool exchanges)
{
  struct ranks all[MOST_RANKS];
  struct slab_job jobs[MOST_RANKS];
  pthread_t threads[MOST_RANKS];
  struct error error = {0};
  double *links = malloc(doubles_of(parameters, parameters->extent[0]) * sizeof *links);
  assert_int_equal(ranks_threads_open(ranks, NULL, all, &error), 0);
  for (size_t r = 0; r < ranks; r++) {
    jobs[r] = (struct slab_job){.parameters = *parameters, .exchanges = exchanges, .links = links};
    jobs[r].parameters.split =
        (struct gauge_split){ranks > 1 ? &all[r] : NULL, ranks, gauge_action_reach(&parameters->action)};
    assert_int_equal(pthread_create(&threads[r], NULL, run_chain, &jobs[r]), 0);
  }
  for (size_t r = 0; r < ranks; r++) {
    pthread_join(threads[r], NULL);
    assert_false(all[r].broken);
  }
  ranks_threads_close(all);
  return jobs[0];
}

static void assert_same(const struct slab_job *slabs, const struct slab_job *whole)
{
  const struct gauge_chain_parameters *p = &whole->parameters;
  assert_memory_equal(slabs->links, whole->links, doubles_of(p, p->extent[0]) * sizeof(double));
  for (size_t t = 0; t < TRAJECTORIES; t++) {
    assert_true(slabs->outcome[t].dh == whole->outcome[t].dh);
    assert_int_equal(slabs->outcome[t].accepted, whole->outcome[t].accepted);
  }
  assert_true(slabs->action == whole->action && slabs->plaquette == whole->plaquette);
  assert_true(slabs->energy == whole->energy && slabs->charge == whole->charge);
  assert_memory_equal(slabs->loop, whole->loop, p->dimensions * sizeof *whole->loop);
  if (gauge_action_reach(&p->action) == 2) {
    assert_memory_equal(slabs->wide, whole->wide, sizeof whole->wide);
  }
  assert_true(slabs->step == whole->step && whole->step != 0.1);
}

static void compare(const struct gauge_chain_parameters *p)
{
  struct slab_job whole = swept(p, 1, true);
  for (size_t ranks = 2; ranks <= MOST_RANKS; ranks++) {
    struct slab_job slabs = swept(p, ranks, true), strangers = swept(p, ranks, false);
    assert_same(&slabs, &whole);
    assert_memory_not_equal(strangers.links, whole.links, doubles_of(p, p->extent[0]) * sizeof(double));
    free(slabs.links);
    free(strangers.links);
  }
  free(whole.links);
}

static void slabs_have_the_bits_of_the_whole(void **state)
{
  static const struct gauge_chain_parameters cases[] = {
      {.dimensions = 4, .extent = {6, 4, 2, 4}, .colours = 3, .start = GAUGE_HOT},
      {.dimensions = 3, .extent = {8, 4, 4}, .colours = 2, .action.open = {true, false, true}},
      {.dimensions = 2, .extent = {10, 2}, .colours = 1, .start = GAUGE_HOT}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct gauge_chain_parameters p = cases[i];
    p.action.beta = 2;
    p.action.anisotropy = 1;
    p.overrelaxation = 1;
    p.seed = 11;
    compare(&p);
  }
}

static void molecular_dynamics_have_the_bits_of_the_whole(void **state)
{
  static const struct gauge_chain_parameters cases[] = {
      {.dimensions = 4, .extent = {6, 4, 2, 4}, .colours = 3, .order = MD_OMELYAN2},
      {.dimensions = 4, .extent = {12, 2, 4, 2}, .colours = 2, .action.c1 = GAUGE_C1_IWASAKI, .order = MD_OMELYAN4},
      {.dimensions = 3, .extent = {16, 4, 4}, .colours = 3, .action = {.c1 = GAUGE_C1_SYMANZIK, .open = {true}}},
      {.dimensions = 4, .extent = {8, 2, 2, 2}, .colours = 4},
      {.dimensions = 2, .extent = {10, 2}, .colours = 1}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct gauge_chain_parameters p = cases[i];
    p.method = GAUGE_HMC;
    p.start = p.dimensions == 3 ? GAUGE_COLD : GAUGE_HOT;
    p.action.beta = 3;
    p.action.anisotropy = p.action.c1 == 0 ? 1.5 : 1;
    p.steps = 4;
    p.step_size = p.dimensions == 3 ? 0.05 : 0.2;
    p.seed = 12;
    compare(&p);
  }
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static double summed(const double *values, size_t count, size_t stride)
{
  struct exact_sum parts[2] = {0};
  for (size_t i = 0; i < count; i++) {
    exact_sum_add(&parts[i % 3 == 0], values[i * stride % count]);
  }
  exact_sum_merge(&parts[0], &parts[1]);
  return exact_sum_value(&parts[0]);
}

static void sums_round_once(void **state)
{
  enum { COUNT = 257 };
  const double tiny = 4.9406564584124654e-324, huge = 1.7976931348623157e308, half = 0x1p-53;
  const double rows[][5] = {{1, half, tiny},
                            {1, half},
                            {1, 3 * half},
                            {-1, -half, -tiny},
                            {huge, 1, -huge},
                            {tiny, tiny, -3 * tiny},
                            {0x1p600, 0x1p-600, -0x1p600},
                            {1e16, 1, -1e16, 1e-30},
                            {0}};
  const double sums[] = {1 + 2 * half, 1, 1 + 4 * half, -1 - 2 * half, 1, -tiny, 0x1p-600, 1, 0};
  double values[COUNT], negative[COUNT];
  (void)state;
  for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
    assert_true(summed(rows[i], 5, 1) == sums[i]);
  }
  long double plain = 0;
  for (size_t i = 0; i < COUNT; i++) {
    values[i] = sin((double)i * 1e3) * exp2((double)(i * 7919 % 40));
    negative[i] = -values[i];
    plain += (long double)values[i];
  }
  const double sum = summed(values, COUNT, 1);
  assert_true(fabs(sum - (double)plain) <= 1e-17 * 0x1p40);
  assert_true(summed(values, COUNT, 5) == sum && summed(negative, COUNT, 11) == -sum);
  values[9] = (double)INFINITY;
  assert_true(isinf(summed(values, COUNT, 1)));
  values[99] = -(double)INFINITY;
  assert_true(isnan(summed(values, COUNT, 3)));
}

/* Carries are passed on in time: as many numbers as have room, and one more. */
static void sums_keep_their_carries(void **state)
{
  struct exact_sum sum = {0}, other = {0};
  (void)state;
  exact_sum_add(&sum, -0x1p52);
  sum.used = EXACT_ROOM;
  exact_sum_add(&sum, 0x1p53 - 1);
  assert_int_equal(sum.used, 2);
  exact_sum_add(&other, 0x1p-30);
  other.used = EXACT_ROOM;
  exact_sum_merge(&sum, &other);
  assert_int_equal(sum.used, 2);
  assert_true(exact_sum_value(&sum) == 0x1p52 - 1); /* rounded */
}

static void messages_keep_their_order_and_nobody_waits_when_cancelled(void **state)
{
  volatile int cancel = 0;
  struct ranks all[2];
  struct error error = {0};
  int first = 1, second = 2, got = 0;
  (void)state;
  assert_int_equal(ranks_threads_open(2, &cancel, all, &error), 0);
  assert_int_equal(ranks_send(&all[0], 1, &first, sizeof first, &error), 0);
  assert_int_equal(ranks_send(&all[0], 1, &second, sizeof second, &error), 0);
  assert_int_equal(ranks_receive(&all[1], 0, &got, sizeof got, &error), 0);
  assert_int_equal(got, 1);
  cancel = 1;
  assert_int_equal(ranks_receive(&all[0], 1, &got, sizeof got, &error), -1);
  assert_true(error_is(&error, ERROR_RequestTimeout) && all[0].broken);
  ranks_threads_close(all);
}

static void shares_leave_nothing_out(void **state)
{
  (void)state;
  for (size_t count = 0; count < 20; count++) {
    for (size_t ranks = 1; ranks < 9; ranks++) {
      assert_int_equal(ranks_share(count, 0, ranks), 0);
      assert_int_equal(ranks_share(count, ranks, ranks), count);
      size_t before = count;
      for (size_t r = 0; r < ranks; r++) {
        size_t share = ranks_share(count, r + 1, ranks) - ranks_share(count, r, ranks);
        assert_true(share <= before && (share == count / ranks || share == count / ranks + 1));
        before = share;
      }
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(slabs_have_the_bits_of_the_whole),
                                     cmocka_unit_test(molecular_dynamics_have_the_bits_of_the_whole),
                                     cmocka_unit_test(sums_round_once),
                                     cmocka_unit_test(sums_keep_their_carries),
                                     cmocka_unit_test(messages_keep_their_order_and_nobody_waits_when_cancelled),
                                     cmocka_unit_test(shares_leave_nothing_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
