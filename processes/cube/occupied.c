/* A kernel tells which elements are there; a sink keeps, per label of each dimension, whether one was. */
#include "processes/cube/occupied.h"

#include "hpc/run/run.h"
#include "hpc/stage/stage.h"
#include "processes/graph/lower.h"

#include <stdatomic.h>
#include <string.h>

struct occupied_sink {
  struct sink sink;
  atomic_uchar *labels[CUBE_MAX_DIMENSIONS];
};

static void mark_row(struct occupied_sink *to, const struct box *box, const size_t *position, const unsigned char *row)
{
  size_t last = box->dimensions - 1;
  bool some = false;
  for (size_t i = 0; i < box->count[last]; i++) {
    if (row[i] != 1)
      continue;
    some = true;
    if (!atomic_load_explicit(&to->labels[last][box->start[last] + i], memory_order_relaxed))
      atomic_store_explicit(&to->labels[last][box->start[last] + i], 1, memory_order_relaxed);
  }
  for (size_t d = 0; some && d < last; d++)
    atomic_store_explicit(&to->labels[d][box->start[d] + position[d]], 1, memory_order_relaxed);
}

static int mark_box(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  struct occupied_sink *to = (struct occupied_sink *)sink;
  const unsigned char *row = data;
  size_t position[CUBE_MAX_DIMENSIONS] = {0};
  (void)error;
  if (box->dimensions == 0)
    return 0;
  do {
    mark_row(to, box, position, row);
    row += box->count[box->dimensions - 1];
  } while (next_position(box->count, position, box->dimensions - 1));
  return 0;
}

/* 1 where the node has a value, 0 where it is no-data. */
static int values_there(struct call *call, const struct node *node, const struct node **out)
{
  struct program *program = program_new(call->arena);
  if (!program)
    return error_memory(call->error);
  struct lanes x = program_input(program, 0, false, 1, node->cube->type, NULL);
  struct lanes there = program_unary(program, KOP_NOT, program_unary(program, KOP_IS_NODATA, x));
  if (program_failed(program))
    return program_error(program, call->error);
  return kernel_by_names(call, node->cube, &node, 1, program, there, out);
}

int cube_find_occupied(struct call *call, const struct node *node, struct occupied *out)
{
  static const struct sink_ops ops = {.put = mark_box};
  const struct graph_options *options = call->lowering->options;
  const struct plan_options planning = {
      .memory = options->memory, .threads = options->threads, .cancel = options->cancel, .devices = options->devices};
  const struct run_limits limits = {.cancel = options->cancel, .beside = options->beside};
  struct occupied_sink sink = {.sink = {.ops = &ops}};
  const struct node *there;
  const struct plan *plan;
  for (size_t d = 0; d < node->cube->dimensions; d++) {
    size_t size = node->cube->dimension[d].size;
    unsigned char *labels = ARENA_ARRAY(call->arena, unsigned char, size);
    if (!labels)
      return error_memory(call->error);
    if (options->describes_only)
      memset(labels, 1, size);
    out->labels[d] = labels;
    sink.labels[d] = (atomic_uchar *)labels;
  }
  if (options->describes_only)
    return 0;
  if (values_there(call, node, &there) != 0 || plan_make(call->arena, there, &planning, &plan, call->error) != 0)
    return -1;
  return plan_run(plan, &sink.sink, &limits, NULL, call->error);
}
