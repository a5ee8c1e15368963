/* Property: a fused plan gives what a plain node-by-node evaluation gives, whatever the tiles, threads and memory.
 *
 * Random expressions (hpc_plan_random.h) are run in several ways and compared with the plain evaluator
 * (hpc_plan_reference.h); all runs must give the same bits and write each element once. TWINCUBE_PROPERTY_ROUNDS and
 * TWINCUBE_PROPERTY_SEED in the environment run more or other cases; a failure prints its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hpc_plan_reference.h"

#include "hpc_plan_random.h"
#include "hpc_plan_sink.h"

#include <stdio.h>

static const size_t program_bytes = (size_t)96 << 20; /* what the planner reserves beside the tiles */

struct outcome_bytes {
  unsigned char *data;
  size_t bytes;
};

static uint64_t environment_number(const char *name, uint64_t fallback)
{
  const char *text = getenv(name);
  return text && *text ? strtoull(text, NULL, 10) : fallback;
}

static void fail_with_plan(const struct plan *plan, uint64_t seed, const char *what)
{
  struct buffer text = {0};
  plan_print(plan, &text);
  print_message("seed %llu: %s\n%s\n", (unsigned long long)seed, what, text.data ? text.data : "");
  buffer_free(&text);
  fail();
}

/* Runs the plan; the elements, to be freed by the caller. */
static unsigned char *run_plan(const struct plan *plan, uint64_t seed)
{
  struct keeping_sink sink = keeping_sink(plan_cube(plan));
  struct error error = {0};
  if (plan_run(plan, &sink.sink, NULL, NULL, &error) != 0)
    fail_with_plan(plan, seed, error.message);
  for (size_t i = 0; i < cube_elements(plan_cube(plan)); i++)
    if (sink.written[i] != 1)
      fail_with_plan(plan, seed, "an element was not written exactly once");
  free(sink.written);
  return sink.data;
}

static void compare_with_reference(const struct plan *plan, const unsigned char *data, struct numbers expected, uint64_t seed)
{
  const struct cube *cube = plan_cube(plan);
  for (size_t i = 0; i < expected.n; i++) {
    double have = stored_value(cube->type, data, i), want = expected.v[i];
    if (isnan(want) && cube->type == ELEMENT_BOOLEAN)
      want = 255;
    else if (isnan(want) && cube->has_nodata)
      want = cube->nodata;
    if (have == want || (isnan(have) && isnan(want)))
      continue;
    char what[128];
    snprintf(what, sizeof what, "element %zu is %g, not %g", i, have, want);
    fail_with_plan(plan, seed, what);
  }
}

/* Tiles of any shape where the stage lets them. */
static void random_grid(struct maker *m, const struct plan *plan, struct phase *phase)
{
  const struct stage *stage = &plan->stages[phase->stage];
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    size_t size = stage->cube->dimension[d].size;
    phase->grid.lead[d] = 0;
    if (stage->mode[d] == MODE_OUT && !phase->whole[d]) {
      phase->grid.tile[d] = 1 + below(m, size ? size : 1);
      phase->grid.lead[d] = below(m, phase->grid.tile[d] < size ? phase->grid.tile[d] : 1);
    }
  }
  grid_tiles(&phase->grid, stage->cube);
  phase->threads = 1 + (unsigned)below(m, 2);
}

static void random_tiles(struct maker *m, struct plan *plan)
{
  for (size_t p = 0; p < plan->phase_count; p++)
    random_grid(m, plan, &plan->phases[p]);
  for (size_t s = 0; s < plan->stage_count; s++)
    for (size_t d = 0; d < plan->stages[s].cube->dimensions; d++)
      if (plan->stages[s].slab[d] != SIZE_MAX && plan->stages[s].mode[d] == MODE_OUT && plan->stages[s].slab[d] > 1)
        plan->stages[s].slab[d] = 1 + below(m, plan->stages[s].slab[d]);
}

static const struct plan *must_plan(struct arena *arena, const struct node *node, struct plan_options options, uint64_t seed)
{
  const struct plan *plan;
  struct error error = {0};
  if (plan_make(arena, node, &options, &plan, &error) == 0)
    return plan;
  print_message("seed %llu: %s %s\n", (unsigned long long)seed, error.code, error.message);
  fail();
  return NULL;
}

static void same_bits(const struct plan *plan, unsigned char *data, const unsigned char *first, uint64_t seed)
{
  if (memcmp(data, first, cube_bytes(plan_cube(plan))) != 0)
    fail_with_plan(plan, seed, "other tiles give other bits");
  free(data);
}

/* Memory from far too little upwards: refused with the node and the bytes, then accepted with small tiles. */
static void run_in_little_memory(struct arena *arena, const struct node *node, const unsigned char *first, uint64_t seed)
{
  for (size_t bytes = 64, accepted = 0; bytes < (size_t)1 << 22 && accepted < 3; bytes *= 3) {
    struct plan_options options = {.threads = 1, .memory = program_bytes + bytes};
    const struct plan *plan;
    struct error error = {0};
    if (plan_make(arena, node, &options, &plan, &error) != 0) {
      assert_string_equal(error.code, "ProcessGraphComplexity");
      assert_true(error.node[0] != '\0');
      assert_non_null(strstr(error.message, "bytes"));
      continue;
    }
    assert_true(plan_peak_memory(plan) <= options.memory);
    same_bits(plan, run_plan(plan, seed), first, seed);
    accepted++;
  }
}

static void check_expression(uint64_t seed, bool large)
{
  struct arena *arena = arena_new(0);
  struct maker m = {.arena = arena, .state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .large = large};
  const struct node *node = random_expression(&m);
  struct numbers expected = reference(arena, node);
  const struct plan *plan = must_plan(arena, node, (struct plan_options){.threads = 1}, seed);
  unsigned char *first = run_plan(plan, seed);
  compare_with_reference(plan, first, expected, seed);
  for (size_t i = 0; i < 3; i++) {
    const struct plan *other = must_plan(arena, node, (struct plan_options){.threads = 1}, seed);
    random_tiles(&m, (struct plan *)other);
    same_bits(other, run_plan(other, seed), first, seed);
  }
  run_in_little_memory(arena, node, first, seed);
  free(first);
  arena_free(arena);
}

static void plans_give_what_the_reference_gives(void **state)
{
  uint64_t rounds = environment_number("TWINCUBE_PROPERTY_ROUNDS", 300), seed = environment_number("TWINCUBE_PROPERTY_SEED", 1);
  (void)state;
  for (uint64_t i = 0; i < rounds; i++)
    check_expression(seed + i, false);
}

static void nested_arrays_give_what_the_reference_gives(void **state)
{
  uint64_t rounds = environment_number("TWINCUBE_PROPERTY_ROUNDS", 300) / 10, seed = environment_number("TWINCUBE_PROPERTY_SEED", 1);
  (void)state;
  for (uint64_t i = 0; i < rounds; i++)
    check_expression(seed + i, true);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(plans_give_what_the_reference_gives),
                                     cmocka_unit_test(nested_arrays_give_what_the_reference_gives)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
