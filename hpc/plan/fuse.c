/* Fusing: every maximal run of views, kernels and stacks becomes one kernel.
 *
 * fuse_generate(node, bindings) emits the steps that compute a node's elements where each of its dimensions is bound to the
 * tile, to an axis, or to one index. Views only rewrite bindings; stacks choose or join children; kernels run their
 * program's steps; what is a stage of its own becomes a load. */
#include "hpc/plan/fuse.h"

#include <string.h>

/* ---- views and stacks ------------------------------------------------------------------------------------------- */

int binding_compose(struct arena *arena, const struct binding *outer, const struct view_dimension *view, size_t length,
                    struct binding *inner, struct error *error)
{
  *inner = *outer;
  if (outer->kind == BIND_FIXED) {
    if (outer->fixed != NO_INDEX)
      inner->fixed = view->indexes ? view->indexes[outer->fixed] : outer->fixed + view->offset;
    return 0;
  }
  if (!view->indexes && !outer->map) {
    inner->offset = outer->offset + view->offset;
    return 0;
  }
  size_t *map = ARENA_ARRAY(arena, size_t, length);
  if (!map)
    return error_memory(error);
  for (size_t k = 0; k < length; k++) {
    size_t i = binding_index(outer, k);
    map[k] = i == NO_INDEX ? i : view->indexes ? view->indexes[i] : i + view->offset;
  }
  inner->map = map;
  inner->offset = 0;
  return 0;
}

int binding_through(struct arena *arena, const struct node *node, const struct binding *binding, const struct cube *root,
                    const size_t *axis_length, struct binding *inner, struct error *error)
{
  for (size_t d = 0; d < node->input->cube->dimensions; d++) {
    const struct view_dimension *view = &node->view[d];
    inner[d] = (struct binding){.kind = BIND_FIXED, .fixed = view->fixed};
    if (view->out == NO_DIMENSION)
      continue;
    const struct binding *outer = &binding[view->out];
    size_t length = outer->kind == BIND_FIXED ? 1 : outer->kind == BIND_AXIS ? axis_length[outer->id] : root->dimension[outer->id].size;
    if (binding_compose(arena, outer, view, length, &inner[d], error) != 0)
      return -1;
  }
  return 0;
}

static int generate_view(struct fuse *f, const struct wanted *wanted, struct operand *out)
{
  struct binding inner[CUBE_MAX_DIMENSIONS];
  if (binding_through(f->arena, wanted->node, wanted->binding, f->root->cube, f->axis_length, inner, f->error) != 0)
    return -1;
  return fuse_generate(f, &(struct wanted){wanted->node->input, inner, wanted->component}, out);
}

/* Writes `from` at index k of `axis` into the joined register `to`. */
static int join_part(struct fuse *f, const struct operand *from, const struct operand *to, int axis, size_t k)
{
  struct operand part = {.tail = 1}, wide;
  size_t outer = 1, inner = 1;
  bool before = true;
  for (size_t i = 0; i < to->axes; i++) {
    if (to->axis[i] == axis) {
      before = false;
      continue;
    }
    part.axis[part.axes++] = to->axis[i];
    *(before ? &outer : &inner) *= f->axis_length[to->axis[i]];
  }
  wide = part;
  if (fuse_relayout(f, from, &wide, -1) != 0)
    return -1;
  for (size_t o = 0; o < outer; o++) {
    uint32_t *map = ARENA_ARRAY(f->arena, uint32_t, inner);
    for (size_t i = 0; map && i < inner; i++)
      map[i] = (uint32_t)(o * inner + i);
    struct operand place = {.reg = to->reg, .block = (uint32_t)((o * f->axis_length[axis] + k) * inner)};
    if (fuse_gather(f, &wide, map, inner, &place) != 0)
      return -1;
  }
  return 0;
}

static int generate_child(struct fuse *f, const struct wanted *stack, size_t k, const struct binding *binding, struct operand *out)
{
  if (k == NO_INDEX)
    return fuse_missing(f, out);
  return fuse_generate(f, &(struct wanted){stack->node->children[k], binding, stack->component}, out);
}

static int generate_stack(struct fuse *f, const struct wanted *wanted, struct operand *out)
{
  const struct node *node = wanted->node;
  const struct binding *binding = wanted->binding;
  struct binding inner[CUBE_MAX_DIMENSIONS];
  int s = node->stack_dimension;
  if (binding[s].kind == BIND_OUT) /* under a window's kernel, where it runs with the tile */
    return fuse_load(f, wanted, out);
  memcpy(inner, binding, node->cube->dimensions * sizeof *inner);
  inner[s] = (struct binding){.kind = BIND_FIXED};
  if (binding[s].kind == BIND_FIXED)
    return generate_child(f, wanted, binding[s].fixed, inner, out);
  int axis = binding[s].id;
  size_t length = f->axis_length[axis];
  struct operand *parts = ARENA_ARRAY(f->scratch, struct operand, length);
  if (!parts)
    return error_memory(f->error);
  *out = (struct operand){.tail = 1};
  operand_insert_axis(out, axis);
  for (size_t k = 0; k < length; k++) {
    if (generate_child(f, wanted, binding_index(&binding[s], k), inner, &parts[k]) != 0)
      return -1;
    for (size_t i = 0; i < parts[k].axes; i++)
      if (!operand_has_axis(out, parts[k].axis[i]))
        operand_insert_axis(out, parts[k].axis[i]);
  }
  if (fuse_add_register(f, fuse_blocks(f, out), &out->reg) != 0)
    return -1;
  for (size_t k = 0; k < length; k++)
    if (join_part(f, &parts[k], out, axis, k) != 0)
      return -1;
  return 0;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static bool same_binding(const struct binding *a, const struct binding *b)
{
  bool same_map = a->map == b->map && a->window == b->window && a->places == b->places;
  return same_map && a->kind == b->kind && a->id == b->id && a->offset == b->offset && a->fixed == b->fixed && a->axis == b->axis;
}

static const struct memo *remembered(const struct fuse *f, const struct wanted *wanted)
{
  for (const struct memo *memo = f->memos; memo; memo = memo->next) {
    bool same = memo->node == wanted->node && memo->component == wanted->component;
    for (size_t d = 0; same && d < wanted->node->cube->dimensions; d++)
      same = same_binding(&memo->binding[d], &wanted->binding[d]);
    if (same)
      return memo;
  }
  return NULL;
}

static int remember(struct fuse *f, const struct wanted *wanted, const struct operand *result)
{
  struct memo *memo = ARENA_NEW(f->scratch, struct memo);
  if (!memo)
    return error_memory(f->error);
  *memo = (struct memo){.next = f->memos, .node = wanted->node, .component = wanted->component, .result = *result};
  memcpy(memo->binding, wanted->binding, wanted->node->cube->dimensions * sizeof *wanted->binding);
  f->memos = memo;
  return 0;
}

static int generate(struct fuse *f, const struct wanted *wanted, struct operand *out)
{
  const struct node *node = wanted->node;
  if (node != f->root && keep_decision(f->list->decisions, node) != DECIDE_FUSE)
    return fuse_load(f, wanted, out);
  switch (node->kind) {
  case NODE_VIEW:
    return generate_view(f, wanted, out);
  case NODE_KERNEL:
    return fuse_program(f, wanted, out);
  case NODE_STACK:
    return generate_stack(f, wanted, out);
  case NODE_STAGE:
    return fuse_load(f, wanted, out);
  }
  return error_set(f->error, "Internal", "unknown node");
}

int fuse_generate(struct fuse *f, const struct wanted *wanted, struct operand *out)
{
  const struct memo *memo = remembered(f, wanted);
  if (memo) {
    *out = memo->result;
    return 0;
  }
  if (f->list->depth >= MAX_DEPTH)
    return error_set(f->error, "ProcessGraphComplexity", "more than %d cube processes follow one another",
                     (int)MAX_DEPTH);
  f->list->depth++;
  int status = generate(f, wanted, out);
  f->list->depth--;
  if (status != 0)
    return error_at_node(f->error, wanted->node->id);
  return remember(f, wanted, out);
}
