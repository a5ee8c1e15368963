/* Fusing: every maximal run of views, kernels and stacks becomes one kernel.
 *
 * fuse_generate(node, bindings) emits the steps that compute a node's elements where each of its dimensions is bound to the
 * tile, to an axis, or to one index. Views only rewrite bindings; stacks choose or join children; kernels run their
 * program's steps on registers laid out [outer axes …][array]; sources and warps become loads. The axes of a register
 * are kept in ascending order of their ids, and an axis made inside is younger than those around it, so a program's
 * array is always the innermost part of its registers. */
#include "hpc/plan/fuse.h"

#include "datacube/base/checked.h"

#include <stdlib.h>
#include <string.h>

static const size_t max_blocks = (size_t)1 << 26;
/* Registers of nested arrays grow as the product of their lengths. Where an inner reduction would pass this many blocks,
 * it becomes a stage of its own and only its results are kept: a mean over x of a mean over y never holds the plane. */
static const size_t nested_blocks = 4096;

#define GROW(f, where, field, count_, capacity_)                                                                       \
  ((f)->field = arena_grow((f)->where, (f)->field, (f)->count_, &(f)->capacity_, sizeof *(f)->field))

struct kernel_step *fuse_add_step(struct fuse *f, enum kernel_step_kind kind)
{
  if (!GROW(f, arena, steps, step_count, step_capacity)) {
    error_memory(f->error);
    return NULL;
  }
  struct kernel_step *step = &f->steps[f->step_count++];
  *step = (struct kernel_step){.kind = kind};
  return step;
}

static int add_register(struct fuse *f, size_t blocks, uint32_t *out)
{
  if (blocks > max_blocks)
    return error_set(f->error, "ProcessGraphComplexity", "an array of %zu values per position is too long to process at once", blocks);
  if (!GROW(f, scratch, reg_blocks, reg_count, reg_capacity))
    return error_memory(f->error);
  f->reg_blocks[f->reg_count] = (uint32_t)blocks;
  *out = (uint32_t)f->reg_count++;
  return 0;
}

int fuse_add_axis(struct fuse *f, size_t length, int *out)
{
  if (!GROW(f, arena, axis_length, axis_count, axis_capacity))
    return error_memory(f->error);
  f->axis_length[f->axis_count] = length;
  *out = (int)f->axis_count++;
  return 0;
}

size_t fuse_outer_blocks(const struct fuse *f, const struct operand *o)
{
  size_t blocks = 1;
  for (size_t i = 0; i < o->axes; i++)
    blocks = saturated_mul(blocks, f->axis_length[o->axis[i]]);
  return blocks;
}

static size_t operand_blocks(const struct fuse *f, const struct operand *o)
{
  return saturated_mul(fuse_outer_blocks(f, o), o->tail);
}

static bool same_axes(const struct operand *a, const struct operand *b)
{
  return a->axes == b->axes && memcmp(a->axis, b->axis, a->axes * sizeof *a->axis) == 0;
}

static bool has_axis(const struct operand *o, int axis)
{
  for (size_t i = 0; i < o->axes; i++)
    if (o->axis[i] == axis)
      return true;
  return false;
}

void operand_insert_axis(struct operand *o, int axis)
{
  size_t at = o->axes++;
  for (; at > 0 && o->axis[at - 1] > axis; at--)
    o->axis[at] = o->axis[at - 1];
  o->axis[at] = axis;
}

/* Block of `from` for each block of the layout `to`; an axis or tail that `from` lacks repeats it. tail_axis: the axis
 * of `to` that is the tail of `from`, or -1 (tail to tail). */
static uint32_t *layout_map(struct fuse *f, const struct operand *from, const struct operand *to, int tail_axis)
{
  size_t blocks = operand_blocks(f, to);
  uint32_t *map = ARENA_ARRAY(f->arena, uint32_t, blocks);
  size_t stride[CUBE_MAX_DIMENSIONS + 1] = {0}, index[CUBE_MAX_DIMENSIONS + 1] = {0};
  size_t step = tail_axis < 0 ? from->tail : 1;
  if (!map)
    return NULL;
  if (tail_axis >= 0)
    step = from->tail;
  for (size_t i = from->axes; i-- > 0;) {
    for (size_t k = 0; k < to->axes; k++)
      if (to->axis[k] == from->axis[i])
        stride[k] = step;
    step *= f->axis_length[from->axis[i]];
  }
  for (size_t k = 0; k < to->axes; k++)
    if (to->axis[k] == tail_axis)
      stride[k] = 1;
  stride[to->axes] = tail_axis < 0 && from->tail > 1 ? 1 : 0;
  for (size_t b = 0; b < blocks; b++) {
    size_t block = 0;
    for (size_t k = 0; k <= to->axes; k++)
      block += index[k] * stride[k];
    map[b] = (uint32_t)block;
    for (size_t k = to->axes + 1; k-- > 0;) {
      if (++index[k] < (k == to->axes ? to->tail : f->axis_length[to->axis[k]]))
        break;
      index[k] = 0;
    }
  }
  return map;
}

static int gather(struct fuse *f, const struct operand *from, const uint32_t *map, size_t blocks, uint32_t dst, uint32_t dst_block)
{
  struct kernel_step *step = map ? fuse_add_step(f, STEP_GATHER) : NULL;
  if (!step)
    return error_memory(f->error);
  step->dst = dst;
  step->dst_block = dst_block;
  step->blocks = (uint32_t)blocks;
  step->operand[0] = (struct kernel_operand){from->reg, from->block, 1};
  step->map = map;
  return 0;
}

/* `from` in the layout of `to` (its axes and tail); to's register is set. */
int fuse_relayout(struct fuse *f, const struct operand *from, struct operand *to, int tail_axis)
{
  if (tail_axis < 0 && same_axes(from, to) && from->tail == to->tail) {
    *to = *from;
    return 0;
  }
  size_t blocks = operand_blocks(f, to);
  if (add_register(f, blocks, &to->reg) != 0)
    return -1;
  to->block = 0;
  return gather(f, from, layout_map(f, from, to, tail_axis), blocks, to->reg, 0);
}

/* ---- loads ------------------------------------------------------------------------------------------------------ */

static int add_index(struct fuse *f, struct index_list *list, size_t index)
{
  size_t *items = arena_grow(f->scratch, list->items, list->count, &list->capacity, sizeof *items);
  if (!items)
    return error_memory(f->error);
  list->items = items;
  list->items[list->count++] = index;
  return 0;
}

static bool input_fits(const struct draft_input *input, size_t stage, const struct binding *binding, size_t dimensions)
{
  if (input->input.stage != stage)
    return false;
  for (size_t d = 0; d < dimensions; d++) {
    const struct need *need = &input->input.need[d];
    const struct binding *b = &binding[d];
    if (need->is_static != (b->kind != BIND_OUT))
      return false;
    if (b->kind == BIND_OUT && (need->out != b->id || need->map != b->map || need->offset != b->offset))
      return false;
  }
  return true;
}

static int input_for(struct fuse *f, size_t stage, const struct binding *binding, size_t dimensions, size_t *out)
{
  for (size_t i = 0; i < f->input_count; i++)
    if (input_fits(&f->inputs[i], stage, binding, dimensions)) {
      *out = i;
      return 0;
    }
  if (!GROW(f, scratch, inputs, input_count, input_capacity))
    return error_memory(f->error);
  struct draft_input *input = &f->inputs[f->input_count];
  memset(input, 0, sizeof *input);
  input->input.stage = stage;
  for (size_t d = 0; d < dimensions; d++)
    input->input.need[d] = (struct need){.is_static = binding[d].kind != BIND_OUT, .out = binding[d].id, .map = binding[d].map, .offset = binding[d].offset};
  *out = f->input_count++;
  return 0;
}

/* A kernel stage gives the dimensions that it makes as arrays whole. */
static int note_whole(struct fuse *f, size_t input, size_t d)
{
  const struct stage *stage = &f->list->stages[f->inputs[input].input.stage];
  size_t size = stage->cube->dimension[d].size;
  for (size_t k = 0; stage->kind == STAGE_KERNEL && stage->mode[d] == MODE_AXIS && k < size; k++)
    if (add_index(f, &f->inputs[input].list[d], k) != 0)
      return -1;
  return 0;
}

static int note_needs(struct fuse *f, size_t input, const struct binding *binding, size_t dimensions)
{
  for (size_t d = 0; d < dimensions; d++) {
    if (binding[d].kind != BIND_OUT && note_whole(f, input, d) != 0)
      return -1;
    size_t count = binding[d].kind == BIND_OUT ? 0 : binding[d].kind == BIND_FIXED ? 1 : f->axis_length[binding[d].id];
    for (size_t k = 0; k < count; k++)
      if (add_index(f, &f->inputs[input].list[d], binding_index(&binding[d], k)) != 0)
        return -1;
  }
  return 0;
}

static int generate_load(struct fuse *f, const struct node *node, const struct binding *binding, struct operand *out)
{
  size_t dimensions = node->cube->dimensions, stage = 0, input = 0;
  if (element_info(node->cube->type)->is_complex)
    return error_set(f->error, "FeatureUnsupported", "element type %s is not supported in computations", element_info(node->cube->type)->name);
  if (stage_of(f->list, node, &stage, f->error) != 0 || input_for(f, stage, binding, dimensions, &input) != 0 ||
      note_needs(f, input, binding, dimensions) != 0)
    return -1;
  if (!GROW(f, arena, loads, load_count, load_capacity))
    return error_memory(f->error);
  struct load *load = &f->loads[f->load_count];
  *load = (struct load){.step = f->step_count, .input = input};
  memcpy(load->dim, binding, dimensions * sizeof *binding);
  *out = (struct operand){.tail = 1};
  for (size_t d = 0; d < dimensions; d++)
    if (binding[d].kind == BIND_AXIS && !has_axis(out, binding[d].id))
      operand_insert_axis(out, binding[d].id);
  load->axes = out->axes;
  memcpy(load->axis, out->axis, sizeof load->axis);
  size_t blocks = fuse_outer_blocks(f, out);
  if (add_register(f, blocks, &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, STEP_LOAD);
  if (!step)
    return -1;
  step->dst = out->reg;
  step->blocks = (uint32_t)blocks;
  step->type = node->cube->type;
  step->has_nodata = node->cube->has_nodata;
  step->nodata = node->cube->nodata;
  step->load = (uint32_t)f->load_count++;
  return 0;
}

/* ---- views and stacks ------------------------------------------------------------------------------------------- */

int binding_compose(struct arena *arena, const struct binding *outer, const struct view_dimension *view, size_t length,
                    struct binding *inner, struct error *error)
{
  *inner = *outer;
  if (outer->kind == BIND_FIXED) {
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
    map[k] = view->indexes ? view->indexes[i] : i + view->offset;
  }
  inner->map = map;
  inner->offset = 0;
  return 0;
}

static int generate_view(struct fuse *f, const struct node *node, const struct binding *binding, struct operand *out)
{
  struct binding inner[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < node->input->cube->dimensions; d++) {
    const struct view_dimension *view = &node->view[d];
    inner[d] = (struct binding){.kind = BIND_FIXED, .fixed = view->fixed};
    if (view->out == NO_DIMENSION)
      continue;
    const struct binding *outer = &binding[view->out];
    size_t length = outer->kind == BIND_FIXED ? 1 : outer->kind == BIND_AXIS ? f->axis_length[outer->id] : f->root->cube->dimension[outer->id].size;
    if (binding_compose(f->arena, outer, view, length, &inner[d], f->error) != 0)
      return -1;
  }
  return fuse_generate(f, node->input, inner, out);
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
    if (gather(f, &wide, map, inner, to->reg, (uint32_t)((o * f->axis_length[axis] + k) * inner)) != 0)
      return -1;
  }
  return 0;
}

static int generate_stack(struct fuse *f, const struct node *node, const struct binding *binding, struct operand *out)
{
  struct binding inner[CUBE_MAX_DIMENSIONS];
  int s = node->stack_dimension;
  memcpy(inner, binding, node->cube->dimensions * sizeof *inner);
  inner[s] = (struct binding){.kind = BIND_FIXED};
  if (binding[s].kind == BIND_FIXED)
    return fuse_generate(f, node->children[binding[s].fixed], inner, out);
  int axis = binding[s].id;
  size_t length = f->axis_length[axis];
  struct operand *parts = ARENA_ARRAY(f->scratch, struct operand, length);
  if (!parts)
    return error_memory(f->error);
  *out = (struct operand){.tail = 1};
  operand_insert_axis(out, axis);
  for (size_t k = 0; k < length; k++) {
    if (fuse_generate(f, node->children[binding_index(&binding[s], k)], inner, &parts[k]) != 0)
      return -1;
    for (size_t i = 0; i < parts[k].axes; i++)
      if (!has_axis(out, parts[k].axis[i]))
        operand_insert_axis(out, parts[k].axis[i]);
  }
  if (add_register(f, operand_blocks(f, out), &out->reg) != 0)
    return -1;
  for (size_t k = 0; k < length; k++)
    if (join_part(f, &parts[k], out, axis, k) != 0)
      return -1;
  return 0;
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

struct walk { /* one use of a kernel node */
  const struct node *node;
  const struct binding *binding; /* of the node's dimensions */
  struct operand *values;        /* per program step */
  bool *whole;                   /* per program step: an array input that is used other than by picking elements */
  int axis;                      /* axis of the array inputs, or -1 */
};

/* The input under the walk's bindings, its array dimension under `array` (an axis becomes the tail of the result). */
static int bind_input(struct fuse *f, const struct walk *w, size_t slot, const struct binding *array, struct operand *out)
{
  const struct kernel_input *input = &w->node->inputs[slot];
  struct binding inner[CUBE_MAX_DIMENSIONS];
  struct operand value;
  for (size_t d = 0; d < input->node->cube->dimensions; d++)
    inner[d] = (int)d == input->array_dimension ? *array : w->binding[input->to_output[d]];
  if (fuse_generate(f, input->node, inner, &value) != 0)
    return -1;
  *out = value;
  if (input->array_dimension == NO_DIMENSION || array->kind != BIND_AXIS)
    return 0;
  out->tail = f->axis_length[array->id];
  if (has_axis(&value, array->id)) { /* the youngest axis is the innermost */
    out->axes--;
    return 0;
  }
  return fuse_relayout(f, &value, out, -1);
}

static int step_input(struct fuse *f, struct walk *w, const struct program_step *step, struct operand *out)
{
  struct binding array = {.kind = BIND_AXIS};
  if (step->is_array && (w->axis < 0 || f->axis_length[w->axis] != step->length) && fuse_add_axis(f, step->length, &w->axis) != 0)
    return -1;
  array.id = w->axis;
  return bind_input(f, w, step->input, &array, out);
}

/* Elements picked straight from an input: only those are loaded. */
static int pick_input(struct fuse *f, struct walk *w, const struct program_step *step, struct operand *out)
{
  size_t slot = w->node->program->steps[step->operand[0]].input;
  struct binding array = {.kind = BIND_FIXED};
  if (!step->is_array) {
    array.fixed = step->indexes[0];
    return bind_input(f, w, slot, &array, out);
  }
  array = (struct binding){.kind = BIND_AXIS, .map = step->indexes};
  if (fuse_add_axis(f, step->length, &array.id) != 0)
    return -1;
  return bind_input(f, w, slot, &array, out);
}

static int step_constant(struct fuse *f, const struct program_step *program_step, struct operand *out)
{
  *out = (struct operand){.tail = program_step->length};
  if (add_register(f, program_step->length, &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, STEP_CONSTANT);
  if (!step)
    return -1;
  step->dst = out->reg;
  step->blocks = (uint32_t)program_step->length;
  step->value = program_step->constant;
  step->parameters = program_step->is_array ? program_step->parameters : NULL;
  return 0;
}

/* Brings operands to one layout, or to step 0 where they are a single block. */
static int unify(struct fuse *f, struct operand *operand, int count, struct operand *out, uint32_t *steps)
{
  for (int i = 0; i < count; i++) {
    for (size_t a = 0; a < operand[i].axes; a++)
      if (!has_axis(out, operand[i].axis[a]))
        operand_insert_axis(out, operand[i].axis[a]);
  }
  for (int i = 0; i < count; i++) {
    steps[i] = 1;
    if (operand[i].axes == 0 && operand[i].tail == 1) {
      steps[i] = operand_blocks(f, out) == 1;
      continue;
    }
    struct operand wide = *out;
    if (fuse_relayout(f, &operand[i], &wide, -1) != 0)
      return -1;
    operand[i] = wide;
  }
  return 0;
}

static int step_element(struct fuse *f, const struct walk *w, const struct program_step *program_step, struct operand *out)
{
  int arity = kernel_op_arity((enum kernel_op)program_step->op);
  struct operand operand[3];
  uint32_t steps[3] = {0};
  for (int i = 0; i < arity; i++)
    operand[i] = w->values[program_step->operand[i]];
  *out = (struct operand){.tail = program_step->length};
  if (unify(f, operand, arity, out, steps) != 0 || add_register(f, operand_blocks(f, out), &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, STEP_ELEMENT);
  if (!step)
    return -1;
  step->op = program_step->op;
  step->dst = out->reg;
  step->blocks = (uint32_t)operand_blocks(f, out);
  for (int i = 0; i < arity; i++)
    step->operand[i] = (struct kernel_operand){operand[i].reg, operand[i].block, steps[i]};
  return 0;
}

static int step_array(struct fuse *f, const struct walk *w, const struct program_step *program_step, struct operand *out)
{
  struct operand from = w->values[program_step->operand[0]];
  *out = from;
  out->block = 0;
  out->tail = program_step->length;
  if (add_register(f, operand_blocks(f, out), &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, program_step->kind == PROGRAM_REDUCE ? STEP_REDUCE : STEP_SERIES);
  if (!step)
    return -1;
  step->op = program_step->op;
  step->dst = out->reg;
  step->blocks = (uint32_t)operand_blocks(f, out);
  step->operand[0] = (struct kernel_operand){from.reg, from.block, 1};
  step->outer = (uint32_t)fuse_outer_blocks(f, &from);
  step->n = (uint32_t)from.tail;
  step->parameters = program_step->parameters;
  step->parameter_count = (uint32_t)program_step->parameter_count;
  return 0;
}

static bool is_slice(const size_t *indexes, size_t count)
{
  for (size_t i = 1; i < count; i++)
    if (indexes[i] != indexes[0] + i)
      return false;
  return count > 0;
}

static int pick_elements(struct fuse *f, const struct operand *from, const size_t *indexes, size_t count, struct operand *out)
{
  size_t outer = fuse_outer_blocks(f, from);
  *out = *from;
  out->tail = count;
  if (outer == 1 && is_slice(indexes, count)) { /* the same memory */
    out->block = from->block + (uint32_t)indexes[0];
    return 0;
  }
  uint32_t *map = ARENA_ARRAY(f->arena, uint32_t, saturated_mul(outer, count));
  for (size_t o = 0; map && o < outer; o++)
    for (size_t i = 0; i < count; i++)
      map[o * count + i] = (uint32_t)(o * from->tail + indexes[i]);
  out->block = 0;
  if (add_register(f, outer * count, &out->reg) != 0)
    return -1;
  return gather(f, from, map, outer * count, out->reg, 0);
}

static int step_concat(struct fuse *f, const struct walk *w, const struct program *program, const struct program_step *step,
                       struct operand *out)
{
  *out = (struct operand){.tail = step->length};
  for (size_t i = 0; i < step->part_count; i++) {
    const struct operand *part = &w->values[step->parts[i]];
    for (size_t a = 0; a < part->axes; a++)
      if (!has_axis(out, part->axis[a]))
        operand_insert_axis(out, part->axis[a]);
  }
  if (add_register(f, operand_blocks(f, out), &out->reg) != 0)
    return -1;
  size_t at = 0, outer = fuse_outer_blocks(f, out);
  for (size_t i = 0; i < step->part_count; i++) {
    size_t length = program->steps[step->parts[i]].length;
    struct operand wide = *out;
    wide.tail = length;
    if (fuse_relayout(f, &w->values[step->parts[i]], &wide, -1) != 0)
      return -1;
    for (size_t o = 0; o < outer && length > 0; o++) {
      uint32_t *map = ARENA_ARRAY(f->arena, uint32_t, length);
      for (size_t k = 0; map && k < length; k++)
        map[k] = (uint32_t)(o * length + k);
      if (gather(f, &wide, map, length, out->reg, (uint32_t)(o * step->length + at)) != 0)
        return -1;
    }
    at += length;
  }
  return 0;
}

static int run_step(struct fuse *f, struct walk *w, size_t i)
{
  const struct program *program = w->node->program;
  const struct program_step *step = &program->steps[i];
  struct operand *out = &w->values[i];
  switch (step->kind) {
  case PROGRAM_INPUT:
    return step->is_array && !w->whole[i] ? 0 : step_input(f, w, step, out);
  case PROGRAM_CONSTANT:
    return step_constant(f, step, out);
  case PROGRAM_ELEMENT:
    return step_element(f, w, step, out);
  case PROGRAM_REDUCE:
  case PROGRAM_SERIES:
    return step_array(f, w, step, out);
  case PROGRAM_PICK:
    if (program->steps[step->operand[0]].kind == PROGRAM_INPUT && !w->whole[step->operand[0]])
      return pick_input(f, w, step, out);
    return pick_elements(f, &w->values[step->operand[0]], step->indexes, step->length, out);
  case PROGRAM_CONCAT:
    return step_concat(f, w, program, step, out);
  }
  return error_set(f->error, "Internal", "unknown program step");
}

static void mark_whole(const struct program *program, int result, const bool *needed, bool *whole)
{
  whole[result] = true;
  for (size_t i = 0; i < program->count; i++) {
    const struct program_step *step = &program->steps[i];
    for (int k = 0; needed[i] && step->kind != PROGRAM_PICK && k < 3; k++)
      if (step->operand[k] >= 0)
        whole[step->operand[k]] = true;
    for (size_t k = 0; needed[i] && k < step->part_count; k++)
      whole[step->parts[k]] = true;
  }
}

/* The array a program gives, under the binding of the output dimension it becomes. */
static int place_array(struct fuse *f, const struct operand *array, const struct binding *binding, struct operand *out)
{
  if (binding->kind == BIND_FIXED) {
    size_t index = binding->fixed;
    return pick_elements(f, array, &index, 1, out);
  }
  struct operand picked = *array;
  size_t length = f->axis_length[binding->id];
  if (binding->map || binding->offset || length != array->tail) {
    size_t *indexes = ARENA_ARRAY(f->scratch, size_t, length);
    if (!indexes)
      return error_memory(f->error);
    for (size_t k = 0; k < length; k++)
      indexes[k] = binding_index(binding, k);
    if (pick_elements(f, array, indexes, length, &picked) != 0)
      return -1;
  }
  *out = picked;
  out->tail = 1;
  operand_insert_axis(out, binding->id);
  if (out->axis[out->axes - 1] == binding->id)
    return 0;
  return fuse_relayout(f, &picked, out, binding->id);
}

/* Whether the registers of a kernel inside this one would be too long. */
static bool is_too_nested(const struct fuse *f, const struct node *node, const struct binding *binding, const bool *needed, const bool *whole)
{
  size_t outer = 1, longest = 1;
  for (size_t d = 0; d < node->cube->dimensions; d++)
    if (binding[d].kind == BIND_AXIS)
      outer = saturated_mul(outer, f->axis_length[binding[d].id]);
  for (size_t i = 0; i < node->program->count; i++)
    if (needed[i] && whole[i] && node->program->steps[i].kind == PROGRAM_INPUT && node->program->steps[i].length > longest)
      longest = node->program->steps[i].length;
  return node != f->root && outer > 1 && longest > 1 && saturated_mul(outer, longest) > nested_blocks;
}

static int generate_kernel(struct fuse *f, const struct node *node, const struct binding *binding, struct operand *out)
{
  const struct program *program = node->program;
  struct walk w = {.node = node, .binding = binding, .axis = -1};
  bool *needed = ARENA_ARRAY(f->scratch, bool, program->count);
  w.values = ARENA_ARRAY(f->scratch, struct operand, program->count);
  w.whole = ARENA_ARRAY(f->scratch, bool, program->count);
  if (!needed || !w.values || !w.whole)
    return error_memory(f->error);
  program_mark_needed(program, node->result.value, needed);
  mark_whole(program, node->result.value, needed, w.whole);
  if (is_too_nested(f, node, binding, needed, w.whole))
    return generate_load(f, node, binding, out);
  for (size_t i = 0; i < program->count; i++)
    if (needed[i] && run_step(f, &w, i) != 0)
      return -1;
  const struct operand *result = &w.values[node->result.value];
  if (node->array_out == NO_DIMENSION) {
    *out = *result;
    return 0;
  }
  return place_array(f, result, &binding[node->array_out], out);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static bool same_binding(const struct binding *a, const struct binding *b)
{
  return a->kind == b->kind && a->id == b->id && a->map == b->map && a->offset == b->offset && a->fixed == b->fixed;
}

static const struct memo *remembered(const struct fuse *f, const struct node *node, const struct binding *binding)
{
  for (const struct memo *memo = f->memos; memo; memo = memo->next) {
    bool same = memo->node == node;
    for (size_t d = 0; same && d < node->cube->dimensions; d++)
      same = same_binding(&memo->binding[d], &binding[d]);
    if (same)
      return memo;
  }
  return NULL;
}

static int remember(struct fuse *f, const struct node *node, const struct binding *binding, const struct operand *result)
{
  struct memo *memo = ARENA_NEW(f->scratch, struct memo);
  if (!memo)
    return error_memory(f->error);
  *memo = (struct memo){.next = f->memos, .node = node, .result = *result};
  memcpy(memo->binding, binding, node->cube->dimensions * sizeof *binding);
  f->memos = memo;
  return 0;
}

int fuse_generate(struct fuse *f, const struct node *node, const struct binding *binding, struct operand *out)
{
  const struct memo *memo = remembered(f, node, binding);
  if (memo) {
    *out = memo->result;
    return 0;
  }
  if (f->list->depth >= MAX_DEPTH)
    return error_set(f->error, "ProcessGraphComplexity", "more than %d cube processes follow one another", (int)MAX_DEPTH);
  f->list->depth++;
  int status = -1;
  switch (node->kind) {
  case NODE_SOURCE:
  case NODE_WARP:
    status = generate_load(f, node, binding, out);
    break;
  case NODE_VIEW:
    status = generate_view(f, node, binding, out);
    break;
  case NODE_KERNEL:
    status = generate_kernel(f, node, binding, out);
    break;
  case NODE_STACK:
    status = generate_stack(f, node, binding, out);
    break;
  }
  f->list->depth--;
  if (status != 0)
    return error_at_node(f->error, node->id);
  return remember(f, node, binding, out);
}
