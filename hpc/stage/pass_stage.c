/* The pass stage: views over another stage that keep the order of dimensions need no kernel, elements pass through
 * untouched. data: the input. */
#include "hpc/stage/stage.h"

static size_t pass_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const struct stage_input *input = stage->inputs[0];
  size_t in[CUBE_MAX_DIMENSIONS];
  input_counts(input, plan_stage(plan, input->stage)->cube, count, in);
  return plan_stage_bytes(plan, input->stage, in);
}

static int pass_start(struct tile_worker *worker, const struct stage *stage, void **state, struct error *error)
{
  (void)worker;
  (void)error;
  *state = (void *)(uintptr_t)stage; /* nothing of its own to keep */
  return 0;
}

static int pass_fill(struct tile_worker *worker, const struct stage *stage, void *state, const struct region *region,
                     void *data, struct error *error)
{
  const struct stage_input *input = stage->inputs[0];
  struct region in;
  (void)state;
  input_region(input, plan_stage(worker_plan(worker), input->stage)->cube->dimensions, region, &in);
  return worker_pull(worker, input->stage, &in, data, error);
}

static void pass_stop(const struct stage *stage, void *state)
{
  (void)stage;
  (void)state;
}

static void pass_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  (void)plan;
  buffer_printf(out, " %s: elements of stage %zu as they are", stage->node->process, stage->inputs[0]->stage);
}

static void pass_print_more(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  stage_input_print(plan, stage, stage->inputs[0], out);
}

const struct stage_ops pass_stage = {.name = "pass",
                                     .bytes = pass_bytes,
                                     .start = pass_start,
                                     .fill = pass_fill,
                                     .stop = pass_stop,
                                     .print = pass_print,
                                     .print_more = pass_print_more,
                                     .takes_lists = true,
                                     .passes = true,
                                     .cost = 1};
