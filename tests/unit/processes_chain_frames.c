/* Several chains measured frame by frame: each trajectory is made once, though configurations are so large that only
 * two are remembered, and a frame is one chain's part of one. */
#include "hpc/plan/plan.h"
#include "hpc/stage/frame_stage.h"
#include "processes/lattice/markov_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>

#include <cmocka.h>

#include "hpc_plan_sink.h"

enum { CHAINS = 3, CONFIGURATIONS = 10, THERMALISATION = 4, SEPARATION = 2, SIZE = 400 * 1000 };

struct counted_model {
  atomic_size_t *starts, *steps;
};

struct counted_state {
  size_t chain, step;
};

static size_t state_bytes(const void *model)
{
  (void)model;
  return sizeof(struct counted_state);
}

static void state_start(const void *model, const struct chain_step *step, void *memory)
{
  const struct counted_model *m = model;
  atomic_fetch_add(m->starts, 1);
  *(struct counted_state *)memory = (struct counted_state){step->chain, 0};
}

static const char *state_advance(const void *model, const struct chain_step *step, void *memory, double *diagnostics)
{
  const struct counted_model *m = model;
  struct counted_state *state = memory;
  atomic_fetch_add(m->steps, 1);
  state->step = step->trajectory + 1;
  *diagnostics = 0;
  return NULL;
}

static void state_frame(const void *model, void *memory, unsigned threads, void *out)
{
  const struct counted_state *state = memory;
  double *values = out;
  (void)model;
  (void)threads;
  for (size_t i = 0; i < SIZE; i++) {
    values[i] = (double)(1000 * state->chain + state->step);
  }
}

static void state_identity(const void *model, struct buffer *out)
{
  (void)model;
  buffer_printf(out, "counted ");
}

static const struct chain_model_ops counted_ops = {"counted",     state_bytes,          state_start,
                                                   state_advance, .frame = state_frame, .identity = state_identity};

static int measure(const void *data, const struct frame_job *job, struct error *error)
{
  const double *values = job->inputs[0];
  (void)data;
  (void)error;
  *(double *)job->output = values[0] == values[SIZE - 1] ? values[0] : -1;
  return 0;
}

static const struct frame_ops measure_ops = {.name = "measure", .compute = measure};
static const struct node_origin from_test = {"test", "test"};

static const struct node *measured(struct arena *arena, const struct counted_model *model)
{
  static const struct chain_diagnostic diagnostic = {"none", false};
  struct dimension apart = dimension_enumerated("chain", DIMENSION_OTHER, CHAINS);
  struct cube frame = {.dimensions = 1, .type = ELEMENT_F64};
  frame.dimension[0] = dimension_enumerated("x0", DIMENSION_OTHER, SIZE);
  const struct markov_chain chain = {.ops = &counted_ops,
                                     .model = model,
                                     .title = "counted",
                                     .frame = &frame,
                                     .diagnostics = &diagnostic,
                                     .diagnostic_count = 1,
                                     .chains = CHAINS,
                                     .apart = &apart,
                                     .configurations = CONFIGURATIONS,
                                     .thermalisation = THERMALISATION,
                                     .separation = SEPARATION};
  const struct source *source;
  struct error error = {0};
  assert_int_equal(markov_chain_source(arena, &chain, &source, &error), 0);
  const struct node *node = node_source(arena, from_test, source);
  struct cube *cube = arena_copy(arena, node->cube, sizeof *cube);
  cube->dimensions = 2;
  struct frames frames = {.ops = &measure_ops, .leading = 2, .to_output = {{0, 1, NO_DIMENSION}}, .reduces = true};
  return node_frames(arena, from_test, cube, &node, 1, &frames);
}

static void each_trajectory_is_made_once(void **state)
{
  (void)state;
  for (unsigned threads = 1; threads <= 2; threads++) {
    struct arena *arena = arena_new(0);
    atomic_size_t starts = 0, steps = 0;
    struct counted_model model = {&starts, &steps};
    const struct node *node = measured(arena, &model);
    struct keeping_sink sink = keeping_sink(node->cube);
    const struct plan *plan;
    struct error error = {0};
    assert_int_equal(plan_make(arena, node, &(struct plan_options){.threads = threads}, &plan, &error), 0);
    assert_int_equal(plan_run(plan, &sink.sink, &(struct run_limits){0}, NULL, &error), 0);
    for (size_t i = 0; i < CONFIGURATIONS * CHAINS; i++) {
      size_t trajectories = THERMALISATION + (i / CHAINS + 1) * SEPARATION;
      assert_true(((double *)(void *)sink.data)[i] == (double)(1000 * (i % CHAINS) + trajectories));
    }
    assert_int_equal(starts, CHAINS);
    assert_int_equal(steps, CHAINS * (THERMALISATION + CONFIGURATIONS * SEPARATION));
    free(sink.data);
    free(sink.written);
    arena_free(arena);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_trajectory_is_made_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
