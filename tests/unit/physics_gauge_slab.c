/* A gauge field in slabs on ranks that are threads has the bits of the field on one. */
#include "hpc/ranks/ranks_threads.h"
#include "physics/lattice/gauge_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_RANKS = 3, TRAJECTORIES = 2 };

struct slab_job {
  struct gauge_chain_parameters parameters;
  bool exchanges;
  double *links; /* of the whole lattice: the slab's are put there */
};

static size_t doubles_of(const struct gauge_chain_parameters *p, size_t slices)
{
  size_t doubles = slices * p->dimensions * p->colours * p->colours * 2;
  for (size_t k = 1; k < p->dimensions; k++) {
    doubles *= p->extent[k];
  }
  return doubles;
}

static void *run_chain(void *data)
{
  struct slab_job *job = data;
  const struct gauge_chain_parameters *p = &job->parameters;
  struct gauge_chain *chain = malloc(sizeof *chain);
  void *memory = aligned_alloc(64, gauge_chain_bytes(p));
  size_t begin, count;
  gauge_split_slices(&p->split, p->extent[0], &begin, &count);
  gauge_chain_open(chain, p, 0, NULL, 1, memory);
  chain->field.slab = job->exchanges ? chain->field.slab : NULL;
  for (uint64_t t = 0; t < TRAJECTORIES; t++) {
    gauge_chain_advance(chain, t, 1, NULL);
  }
  gauge_field_get(&chain->field, 1, job->links + doubles_of(p, begin));
  free(memory);
  free(chain);
  return NULL;
}

/* The links after some sweeps on so many ranks; 1: not split. */
static double *swept(const struct gauge_chain_parameters *parameters, size_t ranks, bool exchanges)
{
  struct ranks all[MOST_RANKS];
  struct slab_job jobs[MOST_RANKS];
  pthread_t threads[MOST_RANKS];
  struct error error = {0};
  double *links = malloc(doubles_of(parameters, parameters->extent[0]) * sizeof *links);
  assert_int_equal(ranks_threads_open(ranks, NULL, all, &error), 0);
  for (size_t r = 0; r < ranks; r++) {
    jobs[r] = (struct slab_job){*parameters, exchanges, links};
    jobs[r].parameters.split = (struct gauge_split){ranks > 1 ? &all[r] : NULL, ranks};
    assert_int_equal(pthread_create(&threads[r], NULL, run_chain, &jobs[r]), 0);
  }
  for (size_t r = 0; r < ranks; r++) {
    pthread_join(threads[r], NULL);
    assert_false(all[r].broken);
  }
  ranks_threads_close(all);
  return links;
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
    size_t bytes = doubles_of(&p, p.extent[0]) * sizeof(double);
    double *whole = swept(&p, 1, true);
    for (size_t ranks = 2; ranks <= MOST_RANKS; ranks++) {
      double *slabs = swept(&p, ranks, true), *strangers = swept(&p, ranks, false);
      assert_memory_equal(slabs, whole, bytes);
      assert_memory_not_equal(strangers, whole, bytes);
      free(slabs);
      free(strangers);
    }
    free(whole);
  }
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
                                     cmocka_unit_test(messages_keep_their_order_and_nobody_waits_when_cancelled),
                                     cmocka_unit_test(shares_leave_nothing_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
