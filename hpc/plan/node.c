/* Makers of nodes. */
#include "hpc/plan/node.h"

static struct node *make(struct arena *arena, enum node_kind kind, struct node_origin origin, const struct cube *cube)
{
  struct node *node = ARENA_NEW(arena, struct node);
  if (node)
    *node = (struct node){.kind = kind, .id = origin.id, .process = origin.process, .cube = cube, .array_out = NO_DIMENSION};
  return node;
}

const struct node *node_source(struct arena *arena, struct node_origin origin, const struct source *source)
{
  struct node *node = make(arena, NODE_SOURCE, origin, &source->cube);
  if (node)
    node->source = source;
  return node;
}

const struct node *node_view(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct view_dimension *view)
{
  struct node *node = make(arena, NODE_VIEW, origin, cube);
  if (node) {
    node->input = input;
    node->view = view;
  }
  return node;
}

const struct node *node_kernel(struct arena *arena, struct node_origin origin, const struct cube *cube,
                               const struct kernel_input *inputs, size_t count, const struct program *program,
                               struct lanes result, int array_out)
{
  struct node *node = make(arena, NODE_KERNEL, origin, cube);
  if (node) {
    node->inputs = inputs;
    node->input_count = count;
    node->program = program;
    node->result = result;
    node->array_out = array_out;
  }
  return node;
}

const struct node *node_stack(struct arena *arena, struct node_origin origin, const struct cube *cube, int dimension,
                              const struct node *const *children)
{
  struct node *node = make(arena, NODE_STACK, origin, cube);
  if (node) {
    node->stack_dimension = dimension;
    node->children = children;
  }
  return node;
}

const struct node *node_warp(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct grid *grid, enum resampling method)
{
  struct node *node = make(arena, NODE_WARP, origin, cube);
  if (node) {
    node->input = input;
    node->grid = *grid;
    node->method = method;
  }
  return node;
}
