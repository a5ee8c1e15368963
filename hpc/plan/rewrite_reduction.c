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

/* The input whose array is longest; SIZE_MAX where none is long. */
static size_t long_input(const struct node *node)
{
  size_t longest = SIZE_MAX, length = LONG_AXIS;
  for (size_t i = 0; i < node->input_count; i++) {
    int d = node->inputs[i].array_dimension;
    if (d == NO_DIMENSION || node->inputs[i].node->cube->dimension[d].size <= length)
      continue;
    length = node->inputs[i].node->cube->dimension[d].size;
    longest = i;
  }
  return longest;
}

/* The result's dimensions with the array's at the place that it has in the input. */
static struct cube *cube_before(struct arena *arena, const struct node *node, const struct kernel_input *input, int *to_before)
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
  size_t i = node->kind == NODE_KERNEL ? long_input(node) : SIZE_MAX;
  int to_before[CUBE_MAX_DIMENSIONS];
  bool fits;
  if (i == SIZE_MAX || node->cube->dimensions == CUBE_MAX_DIMENSIONS)
    return 0;
  if (reduction_can_be_cut(arena, node, true, &fits, error) != 0)
    return -1;
  if (!fits)
    return 0;
  const struct cube *cube = cube_before(arena, node, &node->inputs[i], to_before);
  if (!cube)
    return error_memory(error);
  size_t at = (size_t)node->inputs[i].array_dimension;
  const struct accumulator_maker maker = {.make = make_accumulator, .arena = arena, .node = node, .cube = cube, .to_before = to_before,
                                          .dimension = at > node->cube->dimensions ? node->cube->dimensions : at};
  return reduction_cut(&maker, out, error);
}
