/* Reductions along long axes: what a kernel holds in registers at once grows with the axis; an accumulator does not. */
#include "hpc/plan/cut_reduction.h"
#include "hpc/plan/rewrite.h"
#include "hpc/stage/accumulate_stage.h"

enum { LONG_AXIS = 4096 };

static const struct node *make_accumulator(const struct accumulator_maker *maker, const struct node *before,
                                           const struct program_step *reducer, struct error *error)
{
  const struct node *node = node_accumulate(maker->arena, maker->node, before, maker->dimension, reducer);
  if (!node)
    error_memory(error);
  return node;
}

static size_t array_length(const struct kernel_input *input)
{
  return input->array_dimension == NO_DIMENSION ? 0 : input->node->cube->dimension[input->array_dimension].size;
}

static bool has_long_array(const struct node *node)
{
  bool found = false;
  for (size_t i = 0; i < node->input_count; i++)
    found = found || array_length(&node->inputs[i]) > LONG_AXIS;
  return found;
}

/* The result's dimensions with the array's at the place that it has in the input. */
static struct cube *cube_before(struct arena *arena, const struct node *node, const struct kernel_input *input,
                                int *to_before)
{
  struct cube *cube = arena_copy(arena, node->cube, sizeof *cube);
  size_t n = node->cube->dimensions, at = (size_t)input->array_dimension;
  if (!cube)
    return NULL;
  at = at > n ? n : at;
  for (size_t d = 0; d < n; d++)
    to_before[d] = (int)(d < at ? d : d + 1);
  for (size_t d = n; d > at; d--)
    cube->dimension[d] = cube->dimension[d - 1];
  cube->dimension[at] = input->node->cube->dimension[input->array_dimension];
  cube->dimensions = n + 1;
  cube->bands = NULL;
  return cube;
}

int rewrite_reduction(struct arena *arena, const struct node *node, const struct node **out, struct error *error)
{
  int to_before[CUBE_MAX_DIMENSIONS];
  size_t length, i = 0;
  if (node->kind != NODE_KERNEL || node->cube->dimensions == CUBE_MAX_DIMENSIONS || !has_long_array(node))
    return 0;
  if (reduction_length(arena, node, true, &length, error) != 0)
    return -1;
  if (length <= LONG_AXIS)
    return 0;
  while (array_length(&node->inputs[i]) != length) /* there is one: arrays begin as inputs */
    i++;
  const struct cube *cube = cube_before(arena, node, &node->inputs[i], to_before);
  if (!cube)
    return error_memory(error);
  size_t at = (size_t)node->inputs[i].array_dimension;
  const struct accumulator_maker maker = {.make = make_accumulator,
                                          .arena = arena,
                                          .node = node,
                                          .cube = cube,
                                          .to_before = to_before,
                                          .dimension = at > node->cube->dimensions ? node->cube->dimensions : at};
  return reduction_cut(&maker, out, error);
}
