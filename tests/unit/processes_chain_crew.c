/* Chains on ranks that are threads: what one crew, or a rank that is short of memory, does to the others. */
#include "datacube/base/arena.h"
#include "hpc/ranks/ranks_threads.h"
#include "processes/lattice/chain_crew.h"
#include "processes/lattice/gauge_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { RANKS = 2, MEMORY = 8 << 20 };

struct help {
  struct ranks *ranks;
  size_t memory;
  int status;
  volatile int ended; /* too early: nobody waits for it */
};

static void *help(void *data)
{
  struct help *h = data;
  struct error error = {0};
  h->status = chain_crew_help(h->ranks, 1, h->memory, &error);
  h->ended = h->status != 0;
  return NULL;
}

/* Two ranks, the second of which helps. */
struct pair {
  struct ranks all[RANKS];
  struct help help;
  pthread_t thread;
  struct arena *arena;
};

static void pair_open(struct pair *pair)
{
  struct error error = {0};
  pair->help = (struct help){&pair->all[1], MEMORY, -1, 0};
  assert_int_equal(ranks_threads_open(RANKS, &pair->help.ended, pair->all, &error), 0);
  pair->arena = arena_new(0);
  assert_int_equal(pthread_create(&pair->thread, NULL, help, &pair->help), 0);
}

static void pair_close(struct pair *pair)
{
  chain_crew_dismiss(&pair->all[0]);
  pthread_join(pair->thread, NULL);
  assert_int_equal(pair->help.status, 0);
  assert_false(pair->all[0].broken || pair->all[1].broken);
  arena_free(pair->arena);
  ranks_threads_close(pair->all);
}

/* Two chains, one for each rank, on a lattice of extent x 4. */
static struct markov_chain chains(struct pair *pair, size_t extent)
{
  struct markov_chain chain = {.chains = RANKS, .ranks = &pair->all[0]};
  struct gauge_model model = {.chain = {.dimensions = 2, .extent = {extent, 4}, .colours = 1, .seed = 3}};
  struct error error = {0};
  model.chain.action.beta = 2;
  model.chain.action.anisotropy = 1;
  assert_int_equal(gauge_model_describe(pair->arena, &model, &chain, &error), 0);
  return chain;
}

static size_t no_bytes(const void *model)
{
  (void)model;
  return SIZE_MAX / 2;
}

static void a_crew_that_does_not_open_leaves_the_others(void **state)
{
  struct pair pair;
  struct error error = {0};
  struct chain_crew first = {.own.threads = 1}, second = {.own.threads = 1};
  (void)state;
  pair_open(&pair);
  const struct markov_chain good = chains(&pair, 8);
  struct chain_model_ops ops = *good.ops;
  struct markov_chain bad = good;
  ops.bytes = no_bytes;
  bad.ops = &ops;
  assert_int_equal(chain_crew_open(&first, &good, &error), 0);
  assert_int_equal(chain_crew_start(&first, 0, &error), 0);
  assert_int_equal(chain_crew_open(&second, &bad, &error), -1);
  error = (struct error){0};
  assert_int_equal(chain_crew_advance(&first, 0, &error), 0);
  chain_crew_close(&first);
  pair_close(&pair);
}

static void a_rank_without_the_memory_says_so(void **state)
{
  struct pair pair;
  struct error error = {0};
  struct chain_crew small = {.own.threads = 1}, large = {.own.threads = 1}, other = {.own.threads = 1};
  (void)state;
  pair_open(&pair);
  const struct markov_chain some = chains(&pair, 4096), many = chains(&pair, 65536);
  assert_in_range(some.ops->bytes(some.model), MEMORY / 20, MEMORY / 2);
  assert_true(many.ops->bytes(many.model) > MEMORY);
  assert_int_equal(chain_crew_open(&small, &some, &error), 0);
  assert_int_equal(chain_crew_open(&large, &many, &error), -1);
  assert_true(error_is(&error, ERROR_ProcessGraphComplexity));
  assert_non_null(strstr(error.message, "rank 1: "));
  error = (struct error){0};
  for (size_t i = 0; i < 40; i++) { /* what is closed counts no more */
    assert_int_equal(chain_crew_open(&other, &some, &error), 0);
    chain_crew_close(&other);
  }
  assert_int_equal(chain_crew_start(&small, 0, &error), 0);
  assert_int_equal(chain_crew_advance(&small, 0, &error), 0);
  chain_crew_close(&small);
  pair_close(&pair);
}

/* One chain in slabs, or here. */
static struct markov_chain dealt(struct pair *pair, const struct gauge_model *given)
{
  struct markov_chain chain = {.chains = 1, .ranks = &pair->all[0]};
  struct gauge_model model = *given;
  struct error error = {0};
  model.chain.action.anisotropy = 1;
  assert_int_equal(gauge_model_describe(pair->arena, &model, &chain, &error), 0);
  assert_int_equal(markov_chain_deal(pair->arena, &chain, &error), 0);
  assert_int_equal(markov_chain_ranks(&chain), chain.ranks != NULL ? RANKS : 1);
  return chain;
}

/* Measuring takes no more: no rank has the whole field. */
static void slabs_take_their_share_of_memory(void **state)
{
  const struct gauge_model plain = {.chain = {.dimensions = 3, .extent = {16, 8, 8}, .colours = 2}};
  struct pair pair;
  (void)state;
  pair_open(&pair);
  struct gauge_model measured = plain, dynamics = plain, fermions = plain, odd = plain, short_one = plain;
  measured.measures = true;
  dynamics.chain.method = fermions.chain.method = GAUGE_HMC;
  fermions.chain.kappa = 0.1;
  odd.chain.extent[1] = 7;
  short_one.chain.extent[0] = 6;
  short_one.chain.action.c1 = GAUGE_C1_IWASAKI;
  struct markov_chain fields = dealt(&pair, &plain), histories = dealt(&pair, &measured),
                      moves = dealt(&pair, &dynamics);
  struct markov_chain alone = fields;
  alone.model = &plain;
  size_t whole = chain_group_state_bytes(&alone), slab = chain_group_state_bytes(&fields);
  assert_true(fields.ranks != NULL && fields.pieces == 8 && moves.ranks != NULL && moves.pieces == 8);
  assert_in_range(slab, whole / 2, whole * 4 / 5);
  assert_int_equal(chain_group_state_bytes(&histories), slab);
  assert_null(dealt(&pair, &fermions).ranks);
  assert_null(dealt(&pair, &odd).ranks);
  assert_null(dealt(&pair, &short_one).ranks); /* two slices and copies of four are the six */
  pair_close(&pair);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_crew_that_does_not_open_leaves_the_others),
                                     cmocka_unit_test(a_rank_without_the_memory_says_so),
                                     cmocka_unit_test(slabs_take_their_share_of_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
