/* Rewriting before planning: every node under the outputs, inputs first, each once; shared nodes stay shared. */
#include "hpc/plan/rewrite.h"

#include "datacube/base/missing.h"

#include <string.h>

enum { DONE_LISTS = 4096 };

static rewrite_rule *const rules[] = {rewrite_warp, rewrite_window, rewrite_reduction, rewrite_series};

struct done {
  struct done *next;
  const struct node *from, *to;
};

struct rewriting {
  struct arena *arena; /* of the nodes */
  struct error *error;
  unsigned depth;
  struct done *done[DONE_LISTS]; /* by the node's address */
  struct arena *scratch;
};

static int rewrite(struct rewriting *r, const struct node *node, const struct node **out);

bool node_is_conversion(const struct node *node)
{
  if (node->kind != NODE_KERNEL || node->input_count != 1 || node->array_out != NO_DIMENSION)
    return false;
  const struct kernel_input *input = &node->inputs[0];
  bool plain = input->array_dimension == NO_DIMENSION && input->window_count == 0;
  for (size_t d = 0; plain && d < node->cube->dimensions; d++)
    plain = input->to_output[d] == (int)d;
  return plain && input->node->cube->dimensions == node->cube->dimensions && !node->result.is_complex &&
         node->program->steps[node->result.value].kind == PROGRAM_INPUT;
}

const struct node *node_convert(struct arena *arena, const struct node *node, const struct cube *cube)
{
  const struct cube *from = node->cube;
  if (from->type == cube->type && from->has_nodata == cube->has_nodata &&
      (!from->has_nodata || same_nodata(from->nodata, cube->nodata)))
    return node;
  struct cube *to = arena_copy(arena, from, sizeof *to);
  struct kernel_input *input = ARENA_NEW(arena, struct kernel_input);
  struct program *program = program_new(arena);
  if (!to || !input || !program)
    return NULL;
  to->type = cube->type;
  to->has_nodata = cube->has_nodata;
  to->nodata = cube->nodata;
  *input = (struct kernel_input){.node = node, .array_dimension = NO_DIMENSION};
  for (size_t d = 0; d < to->dimensions; d++)
    input->to_output[d] = (int)d;
  struct lanes value = program_input(program, 0, false, 1, from->type, NULL);
  if (program_failed(program))
    return NULL;
  return node_kernel(arena, (struct node_origin){node->id, node->process}, to, input, 1, program, value, NO_DIMENSION);
}

/* ---- the walk -----------------------------------------------------------------------------------------------------
 */

static int rewrite_kernel(struct rewriting *r, const struct node *node, const struct node **out)
{
  struct kernel_input *inputs = arena_copy(r->arena, node->inputs, node->input_count * sizeof *inputs);
  bool changed = false;
  if (!inputs)
    return error_memory(r->error);
  for (size_t i = 0; i < node->input_count; i++) {
    if (rewrite(r, node->inputs[i].node, &inputs[i].node) != 0)
      return -1;
    changed = changed || inputs[i].node != node->inputs[i].node;
  }
  if (changed)
    *out = node_kernel(r->arena, (struct node_origin){node->id, node->process}, node->cube, inputs, node->input_count,
                       node->program, node->result, node->array_out);
  return *out ? 0 : error_memory(r->error);
}

static int rewrite_children(struct rewriting *r, const struct node *node, const struct node **out)
{
  size_t count = node_input_count(node);
  const struct node **children = ARENA_ARRAY(r->arena, const struct node *, count);
  struct node_origin origin = {node->id, node->process};
  bool changed = false;
  if (!children)
    return error_memory(r->error);
  for (size_t i = 0; i < count; i++) {
    if (rewrite(r, node_input(node, i), &children[i]) != 0)
      return -1;
    changed = changed || children[i] != node_input(node, i);
  }
  if (!changed)
    return 0;
  struct stage_node stage = {
      .ops = node->ops, .inputs = children, .input_count = count, .data = node->data, .data_hash = node->hash};
  *out = node->kind == NODE_VIEW    ? node_view(r->arena, origin, children[0], node->cube, node->view)
         : node->kind == NODE_STACK ? node_stack(r->arena, origin, node->cube, node->stack_dimension, children)
                                    : node_stage(r->arena, origin, node->cube, &stage);
  return *out ? 0 : error_memory(r->error);
}

static int rewrite_once(struct rewriting *r, const struct node *node, const struct node **out)
{
  *out = node;
  if ((node->kind == NODE_KERNEL ? rewrite_kernel(r, node, out) : rewrite_children(r, node, out)) != 0)
    return -1;
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    const struct node *now = *out;
    if (rules[i](r->arena, now, out, r->error) != 0)
      return error_at_node(r->error, node->id);
  }
  return 0;
}

static int rewrite(struct rewriting *r, const struct node *node, const struct node **out)
{
  struct done **list = &r->done[(uintptr_t)node / 64 % DONE_LISTS];
  for (const struct done *done = *list; done; done = done->next)
    if (done->from == node) {
      *out = done->to;
      return 0;
    }
  if (r->depth >= MAX_DEPTH) {
    error_set(r->error, ERROR_ProcessGraphComplexity, "more than %d cube processes follow one another", (int)MAX_DEPTH);
    return error_at_node(r->error, node->id);
  }
  r->depth++;
  int status = rewrite_once(r, node, out);
  r->depth--;
  struct done *done = ARENA_NEW(r->scratch, struct done);
  if (status != 0 || !done)
    return status != 0 ? -1 : error_memory(r->error);
  *done = (struct done){*list, node, *out};
  *list = done;
  return 0;
}

int rewrite_nodes(struct arena *arena, const struct plan_output *outputs, size_t count, const struct node **out,
                  struct error *error)
{
  struct arena *scratch = arena_new(0);
  struct rewriting *r = scratch ? ARENA_NEW(scratch, struct rewriting) : NULL;
  int status = r ? 0 : error_memory(error);
  if (r)
    *r = (struct rewriting){.arena = arena, .error = error, .scratch = scratch};
  for (size_t i = 0; status == 0 && i < count; i++)
    status = rewrite(r, outputs[i].node, &out[i]);
  arena_free(scratch);
  return status;
}
