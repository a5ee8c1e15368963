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

#include "hpc_plan_sink.h"
#include "hpc_stage_random.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static const size_t program_bytes = (size_t)96 << 20; /* what the planner reserves beside the tiles */

enum { MOST_OUTPUTS = 3, ROUNDS = 300 };

/* What the plans of a test had, in this order. */
static const char *const features[] = {"source", "warp",  "kernel", "pass",   "kept",  "accumulate",
                                       "chunks", "zones", "gather", "window", "chain", "outputs"};
enum { FEATURES = sizeof features / sizeof *features };

struct checking {
  uint64_t seed;
  size_t *seen; /* plans with each feature */
  struct maker m;
  const struct node *nodes[MOST_OUTPUTS]; /* of the outputs */
  struct numbers expected[MOST_OUTPUTS];
  unsigned char *first[MOST_OUTPUTS]; /* elements of the first run */
  size_t outputs;
  const char *checkpoint; /* folder for the next runs, or NULL */
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
  fprintf(stderr, "seed %llu: %s\n%s\n", (unsigned long long)seed, what, text.data ? text.data : "");
  buffer_free(&text);
  fail();
}

/* Runs the plan; the elements of each output, to be freed by the caller. */
static void run_plan(const struct checking *c, const struct plan *plan, unsigned char **data)
{
  struct keeping_sink sinks[MOST_OUTPUTS];
  struct sink *outputs[MOST_OUTPUTS];
  struct run_progress progress = {0};
  const struct run_limits limits = {.checkpoint = c->checkpoint};
  struct error error = {0};
  for (size_t o = 0; o < c->outputs; o++) {
    sinks[o] = keeping_sink(plan_output_cube(plan, o));
    outputs[o] = &sinks[o].sink;
  }
  start_chains(&c->m, true);
  if (plan_run_outputs(plan, outputs, &limits, &progress, &error) != 0)
    fail_with_plan(plan, c->seed, error.message);
  if ((progress.tiles != plan_tiles(plan) && !c->checkpoint) || atomic_load(&progress.tiles_done) != progress.tiles)
    fail_with_plan(plan, c->seed, "the progress does not end with all tiles");
  for (size_t o = 0; o < c->outputs; o++) {
    for (size_t i = 0; i < cube_elements(plan_output_cube(plan, o)); i++)
      if (sinks[o].written[i] != 1)
        fail_with_plan(plan, c->seed, "an element was not written exactly once");
    free(sinks[o].written);
    data[o] = sinks[o].data;
  }
}

static void compare_with_reference(const struct checking *c, const struct plan *plan, size_t output)
{
  const struct cube *cube = plan_output_cube(plan, output);
  const unsigned char *data = c->first[output];
  struct numbers expected = c->expected[output];
  for (size_t i = 0; i < expected.n; i++) {
    double have = stored_value(cube->type, data, i), want = expected.v[i];
    if (isnan(want) && cube->type == ELEMENT_BOOLEAN)
      want = 255;
    else if (isnan(want) && cube->has_nodata)
      want = cube->nodata;
    if (have == want || (isnan(have) && isnan(want)))
      continue;
    char what[128];
    snprintf(what, sizeof what, "element %zu of output %zu is %g, not %g", i, output, have, want);
    fail_with_plan(plan, c->seed, what);
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
  phase->threads = phase->sequential ? 1 : 1 + (unsigned)below(m, 2);
}

static void random_tiles(struct maker *m, struct plan *plan)
{
  for (size_t p = 0; p < plan->phase_count; p++)
    random_grid(m, plan, &plan->phases[p]);
  for (size_t k = 0; k < plan->keep_count; k++)
    ((struct keep *)(uintptr_t)plan->keeps)[k].in_memory = chance(m, 2); /* else a mapped file */
  for (size_t s = 0; s < plan->stage_count; s++)
    for (size_t d = 0; d < plan->stages[s].cube->dimensions; d++)
      if (plan->stages[s].slab[d] != SIZE_MAX && plan->stages[s].mode[d] == MODE_OUT && plan->stages[s].slab[d] > 1)
        plan->stages[s].slab[d] = 1 + below(m, plan->stages[s].slab[d]);
}

static bool has_feature(const struct checking *c, const struct plan *plan, const char *name)
{
  if (strcmp(name, "chain") == 0)
    return c->m.chains != NULL;
  if (strcmp(name, "outputs") == 0)
    return c->outputs > 1;
  bool window = strcmp(name, "window") == 0, found = false;
  for (size_t s = 0; s < plan->stage_count; s++) {
    const struct stage *stage = &plan->stages[s];
    found = found || strcmp(stage->ops->name, name) == 0;
    for (size_t i = 0; window && i < stage->input_count; i++)
      for (size_t d = 0; d < plan->stages[stage->inputs[i]->stage].cube->dimensions; d++)
        found = found || stage->inputs[i]->need[d].before + stage->inputs[i]->need[d].after > 0;
  }
  return found;
}

static int try_plan(const struct checking *c, struct plan_options options, const struct plan **plan,
                    struct error *error)
{
  struct plan_output outputs[MOST_OUTPUTS] = {{0}};
  for (size_t o = 0; o < c->outputs; o++)
    outputs[o].node = c->nodes[o];
  return plan_make_outputs(c->m.arena, outputs, c->outputs, &options, plan, error);
}

static struct plan *must_plan(const struct checking *c)
{
  const struct plan *plan;
  struct error error = {0};
  if (try_plan(c, (struct plan_options){.threads = 1}, &plan, &error) == 0)
    return (struct plan *)plan;
  print_message("seed %llu: %s %s\n", (unsigned long long)c->seed, error.code, error.message);
  fail();
  return NULL;
}

static void same_bits(const struct checking *c, const struct plan *plan)
{
  unsigned char *data[MOST_OUTPUTS];
  run_plan(c, plan, data);
  for (size_t o = 0; o < c->outputs; o++) {
    if (memcmp(data[o], c->first[o], cube_bytes(plan_output_cube(plan, o))) != 0)
      fail_with_plan(plan, c->seed, "other tiles give other bits");
    free(data[o]);
  }
}

/* Memory from far too little upwards: refused with the node and the bytes, then accepted with small tiles. */
static void run_in_little_memory(const struct checking *c)
{
  for (size_t bytes = 64, accepted = 0; bytes < (size_t)1 << 22 && accepted < 3; bytes *= 3) {
    struct plan_options options = {.threads = 1, .memory = program_bytes + bytes};
    const struct plan *plan;
    struct error error = {0};
    if (try_plan(c, options, &plan, &error) != 0) {
      assert_string_equal(error.code, "ProcessGraphComplexity");
      assert_true(error.node[0] != '\0');
      assert_non_null(strstr(error.message, "bytes"));
      continue;
    }
    assert_true(plan_peak_memory(plan) <= options.memory);
    same_bits(c, plan);
    accepted++;
  }
}

/* Takes away a file, or a part of it, or leaves it. */
static size_t damage(struct maker *m, const char *path)
{
  if (chance(m, 2))
    return 1;
  if (chance(m, 2))
    unlink(path);
  else if (truncate(path, 1) != 0)
    fail();
  return 0;
}

/* Every file of the folder; how many are left. */
static size_t each_file(struct maker *m, const char *folder, bool remove)
{
  char path[512];
  size_t left = 0;
  DIR *files = opendir(folder);
  for (const struct dirent *entry; (entry = readdir(files)) != NULL;) {
    if (entry->d_name[0] == '.')
      continue;
    assert_null(strstr(entry->d_name, ".part"));
    snprintf(path, sizeof path, "%s%s", folder, entry->d_name);
    left += remove ? (size_t)unlink(path) : damage(m, path);
  }
  closedir(files);
  return left;
}

/* Kept results that a run would not make again. */
static size_t taken_from(const char *folder, const struct plan *plan)
{
  const struct run_limits limits = {.checkpoint = folder, .measured = true};
  struct phase_time phase;
  struct error error = {0};
  struct run *run;
  size_t taken = 0;
  if (run_open(plan, &limits, NULL, &run, &error) != 0)
    fail_msg("%s", error.message);
  for (size_t p = 0; run_phase_time(run, p, &phase); p++)
    taken += phase.taken;
  run_close(run);
  return taken;
}

/* A run finds what earlier ones have left, as far as it is whole. */
static void run_again(struct checking *c)
{
  char folder[] = "/var/tmp/twincube-kept-XXXXXX", path[64];
  struct plan *plan = must_plan(c);
  if (plan->phase_count == c->outputs)
    return;
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/", folder);
  c->checkpoint = path;
  for (size_t i = 0; i < 3; i++) {
    random_tiles(&c->m, plan);
    same_bits(c, plan);
    size_t whole = each_file(&c->m, path, i == 2);
    if ((whole > 0) != (taken_from(path, plan) > 0))
      fail_with_plan(plan, c->seed, "what is left is not taken");
    plan = must_plan(c);
  }
  c->checkpoint = NULL;
  rmdir(folder);
}

/* Boxes of an open run, one after the other, are parts of the whole. */
static void run_boxes(struct checking *c)
{
  struct plan *plan = must_plan(c);
  struct error error = {0};
  struct run *run;
  random_tiles(&c->m, plan);
  start_chains(&c->m, false);
  if (run_open(plan, NULL, NULL, &run, &error) != 0)
    fail_with_plan(plan, c->seed, error.message);
  for (size_t n = 0; n < 4; n++) {
    size_t o = below(&c->m, c->outputs), at[CUBE_MAX_DIMENSIONS] = {0};
    const struct cube *cube = plan_output_cube(plan, o);
    size_t size = element_info(cube->type)->size;
    struct cube part = *cube;
    struct box box = {.dimensions = cube->dimensions};
    for (size_t d = 0; d < cube->dimensions; d++) {
      box.start[d] = cube->dimension[d].size ? below(&c->m, cube->dimension[d].size) : 0;
      part.dimension[d].size = box.count[d] =
          cube->dimension[d].size ? 1 + below(&c->m, cube->dimension[d].size - box.start[d]) : 0;
    }
    struct keeping_sink sink = keeping_sink(&part);
    if (run_box(run, o, &box, &sink.sink, &error) != 0)
      fail_with_plan(plan, c->seed, error.message);
    for (size_t i = 0; i < cube_elements(&part); i++) {
      index_of_offset(&part, i, at);
      for (size_t d = 0; d < cube->dimensions; d++)
        at[d] += box.start[d];
      if (sink.written[i] != 1 || memcmp(sink.data + i * size, c->first[o] + offset_of(cube, at) * size, size) != 0)
        fail_with_plan(plan, c->seed, "a box is not a part of the whole");
    }
    free(sink.data);
    free(sink.written);
  }
  run_close(run);
}

/* Medians of medians along long axes hold them whole: too much for any machine. */
static bool is_refused(const struct checking *c)
{
  const struct plan *plan;
  struct error error = {0};
  return c->m.size == LONG_AXES && try_plan(c, (struct plan_options){.threads = 1}, &plan, &error) != 0 &&
         error_is(&error, ERROR_ProcessGraphComplexity);
}

static void check_outputs(struct checking *c)
{
  const struct plan *plan = must_plan(c);
  run_plan(c, plan, c->first);
  for (size_t f = 0; f < FEATURES; f++)
    c->seen[f] += has_feature(c, plan, features[f]);
  for (size_t o = 0; o < c->outputs && !c->m.fractions; o++)
    compare_with_reference(c, plan, o);
  for (size_t i = 0; i < 3; i++) {
    struct plan *other = must_plan(c);
    random_tiles(&c->m, other);
    same_bits(c, other);
  }
  run_boxes(c);
  run_again(c);
  run_in_little_memory(c);
  for (size_t o = 0; o < c->outputs; o++)
    free(c->first[o]);
}

static void check_expression(uint64_t seed, enum test_size size, bool fractions, size_t *seen)
{
  struct checking c = {.seed = seed,
                       .seen = seen,
                       .m = {.arena = arena_new(0),
                             .state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1,
                             .size = size,
                             .fractions = fractions}};
  c.nodes[0] = random_expression(&c.m);
  c.outputs = chance(&c.m, 4) ? 1 + below(&c.m, MOST_OUTPUTS) : 1;
  for (size_t o = 0; o < c.outputs; o++) { /* others may be part of the first, or the same */
    c.nodes[o] = o ? random_node(&c.m) : c.nodes[o];
    struct evaluation e = {.arena = c.m.arena, .definitions = c.m.definitions};
    if (!fractions)
      c.expected[o] = reference(&e, c.nodes[o]);
  }
  if (!is_refused(&c))
    check_outputs(&c);
  arena_free(c.m.arena);
}

/* Fewer where sanitizers make each ten times as long. */
static uint64_t rounds_asked(void)
{
  return environment_number("TWINCUBE_PROPERTY_ROUNDS", getenv("TWINCUBE_SANITIZED") ? ROUNDS / 3 : ROUNDS);
}

/* A share of the rounds; in all of them, by default, every feature occurs that is not `rare`. */
static void check_rounds(enum test_size size, uint64_t share, const char *rare)
{
  uint64_t rounds = rounds_asked() / share, seed = environment_number("TWINCUBE_PROPERTY_SEED", 1);
  size_t seen[FEATURES] = {0};
  for (uint64_t i = 0; i < rounds; i++)
    check_expression(seed + i, size, false, seen);
  for (size_t f = 0; rounds >= ROUNDS / share && f < FEATURES; f++)
    if (seen[f] == 0 && !strstr(rare, features[f]))
      fail_msg("no plan had %s", features[f]);
}

static void plans_give_what_the_reference_gives(void **state)
{
  (void)state;
  check_rounds(SMALL_CUBES, 1, "accumulate");
}

static void nested_arrays_give_what_the_reference_gives(void **state)
{
  (void)state;
  check_rounds(LARGE_CUBES, 10, "accumulate, gather, warp, chain, outputs, chunks, zones, kept");
}

static void long_axes_give_what_the_reference_gives(void **state)
{
  (void)state;
  check_rounds(LONG_AXES, 10, "gather, warp, chain, outputs, chunks, zones, kept, window");
}

/* Sums of fractions depend on their order, which nothing may change. */
static void fractions_give_equal_bits(void **state)
{
  uint64_t rounds = rounds_asked() / 2, seed = environment_number("TWINCUBE_PROPERTY_SEED", 1);
  size_t seen[FEATURES] = {0};
  (void)state;
  for (uint64_t i = 0; i < rounds; i++)
    check_expression(seed + i, i % 30 == 0 ? LARGE_CUBES : i % 30 == 1 ? LONG_AXES : SMALL_CUBES, true, seen);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(plans_give_what_the_reference_gives),
                                     cmocka_unit_test(nested_arrays_give_what_the_reference_gives),
                                     cmocka_unit_test(long_axes_give_what_the_reference_gives),
                                     cmocka_unit_test(fractions_give_equal_bits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
