/* A program's steps, on registers. */
#include "hpc/plan/fuse.h"

#include "datacube/base/checked.h"

#include <string.h>

/* Registers of nested arrays grow as the product of their lengths. Where an inner reduction would pass this many
 * blocks, it becomes a stage of its own and only its results are kept: a mean over x of a mean over y never holds the
 * plane. */
static const size_t nested_blocks = 4096;

struct program_walk { /* one use of a kernel node */
  const struct node *node;
  const struct binding *binding; /* of the node's dimensions */
  struct operand *values;        /* per program step */
  bool *whole;                   /* per program step: an array input that is used other than by picking elements */
  int axis;                      /* axis of the array inputs, or -1 */
};

/* The input under the walk's bindings, its array dimension under `array` (an axis becomes the tail of the result). */
static int bind_input(struct fuse *f, const struct program_walk *w, const struct program_step *step,
                      const struct binding *array, struct operand *out)
{
  const struct kernel_input *input = &w->node->inputs[step->input];
  struct binding inner[CUBE_MAX_DIMENSIONS];
  struct operand value;
  for (size_t d = 0; d < input->node->cube->dimensions; d++)
    inner[d] = (int)d == input->array_dimension ? *array : w->binding[input->to_output[d]];
  if (fuse_generate(f, &(struct wanted){input->node, inner, step->component}, &value) != 0)
    return -1;
  *out = value;
  if (input->array_dimension == NO_DIMENSION || array->kind != BIND_AXIS)
    return 0;
  out->tail = f->axis_length[array->id];
  if (operand_has_axis(&value, array->id)) { /* the youngest axis is the innermost */
    out->axes--;
    return 0;
  }
  return fuse_relayout(f, &value, out, -1);
}

/* Places of the window along its dimension, for each index of the axis that stands for all windows of the input. */
static const size_t *window_places(struct fuse *f, const struct kernel_input *input, size_t w, size_t length)
{
  size_t *places = ARENA_ARRAY(f->arena, size_t, length), inner = 1;
  for (size_t k = w + 1; k < input->window_count; k++)
    inner *= input->window[k].length;
  for (size_t i = 0; places && i < length; i++)
    places[i] = i / inner % input->window[w].length;
  return places;
}

/* The windows' product as the array: loads from the input's own stage, whose elements have the margins. */
static int bind_windows(struct fuse *f, const struct program_walk *w, const struct program_step *step,
                        struct operand *out)
{
  const struct kernel_input *input = &w->node->inputs[step->input];
  struct binding inner[CUBE_MAX_DIMENSIONS];
  int axis;
  if (fuse_add_axis(f, step->length, &axis) != 0)
    return -1;
  for (size_t d = 0; d < input->node->cube->dimensions; d++)
    inner[d] = w->binding[input->to_output[d]];
  for (size_t k = 0; k < input->window_count; k++) {
    struct binding *b = &inner[input->window[k].dimension];
    b->kind = BIND_WINDOW;
    b->axis = axis;
    b->window = &input->window[k];
    b->places = window_places(f, input, k, step->length);
    if (!b->places)
      return error_memory(f->error);
  }
  if (fuse_load(f, &(struct wanted){input->node, inner, step->component}, out) != 0)
    return -1;
  struct kernel_step *load = &f->steps[f->step_count - 1];
  if (load->kind == STEP_LOAD && load->blocks == step->length && input->window_count <= 2)
    load->window_columns = (uint32_t)input->window[input->window_count - 1].length;
  struct operand from = *out;
  out->tail = step->length;
  if (out->axes && out->axis[out->axes - 1] == axis) {
    out->axes--;
    return 0;
  }
  return fuse_relayout(f, &from, out, -1); /* only holes */
}

static int step_input(struct fuse *f, struct program_walk *w, const struct program_step *step, struct operand *out)
{
  struct binding array = {.kind = BIND_AXIS};
  if (w->node->inputs[step->input].window_count)
    return bind_windows(f, w, step, out);
  if (step->is_array && (w->axis < 0 || f->axis_length[w->axis] != step->length) &&
      fuse_add_axis(f, step->length, &w->axis) != 0)
    return -1;
  array.id = w->axis;
  return bind_input(f, w, step, &array, out);
}

/* Elements picked straight from an input: only those are loaded. */
static int pick_input(struct fuse *f, struct program_walk *w, const struct program_step *step, struct operand *out)
{
  const struct program_step *input = &w->node->program->steps[step->operand[0]];
  struct binding array = {.kind = BIND_FIXED};
  if (!step->is_array) {
    array.fixed = step->indexes[0];
    return bind_input(f, w, input, &array, out);
  }
  array = (struct binding){.kind = BIND_AXIS, .map = step->indexes};
  if (fuse_add_axis(f, step->length, &array.id) != 0)
    return -1;
  return bind_input(f, w, input, &array, out);
}

/* The register that holds the number already. */
static const struct once_constant *known_constant(const struct fuse *f, double value)
{
  for (size_t i = 0; i < f->once_count; i++)
    if (memcmp(&f->once[i].value, &value, sizeof value) == 0)
      return &f->once[i];
  return NULL;
}

static int step_constant(struct fuse *f, const struct program_step *program_step, struct operand *out)
{
  const struct once_constant *known = program_step->is_array ? NULL : known_constant(f, program_step->constant);
  *out = (struct operand){.tail = program_step->length};
  if (known) {
    out->reg = known->reg;
    return 0;
  }
  if (fuse_add_register(f, program_step->length, &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, STEP_CONSTANT);
  if (!step)
    return -1;
  step->dst = out->reg;
  step->blocks = (uint32_t)program_step->length;
  step->value = program_step->constant;
  step->parameters = program_step->is_array ? program_step->parameters : NULL;
  step->once = !program_step->is_array && f->once_count < MOST_ONCE;
  if (step->once)
    f->once[f->once_count++] = (struct once_constant){step->value, step->dst};
  return 0;
}

/* Brings operands to one layout, or to step 0 where they are a single block. */
static int unify(struct fuse *f, struct operand *operand, int count, struct operand *out, uint32_t *steps)
{
  for (int i = 0; i < count; i++) {
    for (size_t a = 0; a < operand[i].axes; a++)
      if (!operand_has_axis(out, operand[i].axis[a]))
        operand_insert_axis(out, operand[i].axis[a]);
  }
  for (int i = 0; i < count; i++) {
    steps[i] = 1;
    if (operand[i].axes == 0 && operand[i].tail == 1) {
      steps[i] = fuse_blocks(f, out) == 1;
      continue;
    }
    struct operand wide = *out;
    if (fuse_relayout(f, &operand[i], &wide, -1) != 0)
      return -1;
    operand[i] = wide;
  }
  return 0;
}

static int step_element(struct fuse *f, const struct program_walk *w, const struct program_step *program_step,
                        struct operand *out)
{
  int arity = kernel_op_arity((enum kernel_op)program_step->op);
  struct operand operand[3];
  uint32_t steps[3] = {0};
  for (int i = 0; i < arity; i++)
    operand[i] = w->values[program_step->operand[i]];
  *out = (struct operand){.tail = program_step->length};
  if (unify(f, operand, arity, out, steps) != 0 || fuse_add_register(f, fuse_blocks(f, out), &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, STEP_ELEMENT);
  if (!step)
    return -1;
  step->op = program_step->op;
  step->dst = out->reg;
  step->blocks = (uint32_t)fuse_blocks(f, out);
  for (int i = 0; i < arity; i++)
    step->operand[i] = (struct kernel_operand){operand[i].reg, operand[i].block, steps[i]};
  return 0;
}

static int step_array(struct fuse *f, const struct program_walk *w, const struct program_step *program_step,
                      struct operand *out)
{
  struct operand from = w->values[program_step->operand[0]];
  *out = from;
  out->block = 0;
  out->tail = program_step->length;
  if (fuse_add_register(f, fuse_blocks(f, out), &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, program_step->kind == PROGRAM_REDUCE ? STEP_REDUCE : STEP_SERIES);
  if (!step)
    return -1;
  step->op = program_step->op;
  step->dst = out->reg;
  step->blocks = (uint32_t)fuse_blocks(f, out);
  step->operand[0] = (struct kernel_operand){from.reg, from.block, 1};
  step->outer = (uint32_t)fuse_outer_blocks(f, &from);
  step->n = (uint32_t)from.tail;
  step->parameters = program_step->parameters;
  step->parameter_count = (uint32_t)program_step->parameter_count;
  return 0;
}

static bool is_slice(const size_t *indexes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (indexes[i] == NO_INDEX || indexes[i] != indexes[0] + i)
      return false;
  return count > 0;
}

int fuse_pick(struct fuse *f, const struct operand *from, const size_t *indexes, size_t count, struct operand *out)
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
      map[o * count + i] = (uint32_t)(o * from->tail + (indexes[i] == NO_INDEX ? 0 : indexes[i]));
  out->block = 0;
  if (fuse_add_register(f, outer * count, &out->reg) != 0)
    return -1;
  return fuse_gather(f, from, map, outer * count, out);
}

static int step_concat(struct fuse *f, const struct program_walk *w, const struct program *program,
                       const struct program_step *step, struct operand *out)
{
  *out = (struct operand){.tail = step->length};
  for (size_t i = 0; i < step->part_count; i++) {
    const struct operand *part = &w->values[step->parts[i]];
    for (size_t a = 0; a < part->axes; a++)
      if (!operand_has_axis(out, part->axis[a]))
        operand_insert_axis(out, part->axis[a]);
  }
  if (fuse_add_register(f, fuse_blocks(f, out), &out->reg) != 0)
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
      struct operand place = {.reg = out->reg, .block = (uint32_t)(o * step->length + at)};
      if (fuse_gather(f, &wide, map, length, &place) != 0)
        return -1;
    }
    at += length;
  }
  return 0;
}

static int run_step(struct fuse *f, struct program_walk *w, size_t i);

int fuse_curve(struct fuse *f, const struct program_curve *curve, struct kernel_curve *out)
{
  const struct program *model = curve->model;
  struct fuse inner = {.list = f->list, .arena = f->arena, .scratch = f->scratch, .error = f->error};
  const struct node node = {.program = model};
  struct program_walk w = {.node = &node, .axis = -1};
  bool *needed = ARENA_ARRAY(f->scratch, bool, model->count);
  w.values = ARENA_ARRAY(f->scratch, struct operand, model->count);
  w.whole = ARENA_ARRAY(f->scratch, bool, model->count);
  if (!needed || !w.values || !w.whole)
    return error_memory(f->error);
  program_mark_needed(model, curve->values, needed);
  needed[0] = true; /* the parameters, used or not */
  /* an array, whose register no constant shares: what stands there is the caller's to write */
  const struct program_step parameters = {.kind = PROGRAM_CONSTANT, .is_array = true, .length = model->steps[0].length};
  if (step_constant(&inner, &parameters, &w.values[0]) != 0)
    return -1;
  for (size_t i = 0; i < model->count; i++) {
    w.whole[i] = true;
    if (i > 0 && needed[i] && run_step(&inner, &w, i) != 0)
      return -1;
  }
  const struct operand *values = &w.values[curve->values];
  struct kernel_step *end = fuse_add_step(&inner, STEP_STORE);
  if (!end)
    return -1;
  out->parameters = (struct kernel_operand){w.values[0].reg, w.values[0].block, 1};
  out->values = end->operand[0] = (struct kernel_operand){values->reg, values->block, 1};
  out->model = (struct kernel){.lane_type = LANE_F64, .steps = inner.steps, .step_count = inner.step_count};
  return allocate_registers(&inner, &out->model) == 0 ? 0 : error_memory(f->error);
}

static int step_fit(struct fuse *f, const struct program_walk *w, const struct program_step *program_step,
                    struct operand *out)
{
  struct kernel_curve *curve = ARENA_NEW(f->arena, struct kernel_curve);
  if (!curve)
    return error_memory(f->error);
  if (fuse_curve(f, program_step->curve, curve) != 0 || step_array(f, w, program_step, out) != 0)
    return -1;
  struct kernel_step *step = &f->steps[f->step_count - 1];
  step->kind = STEP_FIT;
  step->curve = curve;
  return 0;
}

static int step_function(struct fuse *f, const struct program_walk *w, const struct program_step *program_step,
                         struct operand *out)
{
  if (step_array(f, w, program_step, out) != 0)
    return -1;
  struct kernel_step *step = &f->steps[f->step_count - 1];
  step->kind = STEP_FUNCTION;
  step->function = program_step->function;
  return 0;
}

static int run_step(struct fuse *f, struct program_walk *w, size_t i)
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
  case PROGRAM_FIT:
    return step_fit(f, w, step, out);
  case PROGRAM_FUNCTION:
    return step_function(f, w, step, out);
  case PROGRAM_PICK:
    if (program->steps[step->operand[0]].kind == PROGRAM_INPUT && !w->whole[step->operand[0]])
      return pick_input(f, w, step, out);
    return fuse_pick(f, &w->values[step->operand[0]], step->indexes, step->length, out);
  case PROGRAM_CONCAT:
    return step_concat(f, w, program, step, out);
  }
  return error_set(f->error, ERROR_Internal, "unknown program step");
}

static void mark_whole(const struct node *node, int result, const bool *needed, bool *whole)
{
  const struct program *program = node->program;
  whole[result] = true;
  for (size_t i = 0; i < program->count; i++) {
    const struct program_step *step = &program->steps[i];
    for (int k = 0; needed[i] && step->kind != PROGRAM_PICK && k < 3; k++)
      if (step->operand[k] >= 0)
        whole[step->operand[k]] = true;
    for (size_t k = 0; needed[i] && k < step->part_count; k++)
      whole[step->parts[k]] = true;
    if (step->kind == PROGRAM_INPUT && node->inputs[step->input].window_count)
      whole[i] = true;
  }
}

/* The array a program gives, under the binding of the output dimension it becomes. */
static int place_array(struct fuse *f, const struct operand *array, const struct binding *binding, struct operand *out)
{
  if (binding->kind == BIND_FIXED) {
    size_t index = binding->fixed;
    return index == NO_INDEX ? fuse_missing(f, out) : fuse_pick(f, array, &index, 1, out);
  }
  struct operand picked = *array;
  size_t length = f->axis_length[binding->id];
  if (binding->map || binding->offset || length != array->tail) {
    size_t *indexes = ARENA_ARRAY(f->scratch, size_t, length);
    if (!indexes)
      return error_memory(f->error);
    for (size_t k = 0; k < length; k++)
      indexes[k] = binding_index(binding, k);
    if (fuse_pick(f, array, indexes, length, &picked) != 0)
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
static bool is_too_nested(const struct fuse *f, const struct node *node, const struct binding *binding,
                          const bool *needed, const bool *whole)
{
  size_t outer = 1, longest = 1;
  for (size_t d = 0; d < node->cube->dimensions; d++)
    if (binding[d].kind == BIND_AXIS)
      outer = saturated_mul(outer, f->axis_length[binding[d].id]);
  for (size_t i = 0; i < node->program->count; i++)
    if (needed[i] && whole[i] && node->program->steps[i].kind == PROGRAM_INPUT &&
        node->program->steps[i].length > longest)
      longest = node->program->steps[i].length;
  return node != f->root && outer > 1 && longest > 1 && saturated_mul(outer, longest) > nested_blocks;
}

/* Whether the windowed dimensions run with the tile and the array's does not; else the node is a stage of its own,
 * where it is so. */
static bool runs_here(const struct node *node, const struct binding *binding)
{
  if (node->array_out != NO_DIMENSION && binding[node->array_out].kind == BIND_OUT)
    return false;
  for (size_t i = 0; i < node->input_count; i++)
    for (size_t k = 0; k < node->inputs[i].window_count; k++) {
      const struct binding *b = &binding[node->inputs[i].to_output[node->inputs[i].window[k].dimension]];
      if (b->kind != BIND_OUT || b->map)
        return false;
    }
  return true;
}

static int missing_part(struct fuse *f, struct operand *out)
{
  if (fuse_missing(f, out) != 0)
    return -1;
  f->steps[f->step_count - 1].value = 0; /* a real number's imaginary part */
  return 0;
}

/* The step that gives a fixed index of a joined array; the index becomes that within it. */
static int find_part(const struct program *program, int step, struct binding *array)
{
  while (array->kind == BIND_FIXED && array->fixed != NO_INDEX && program->steps[step].kind == PROGRAM_CONCAT) {
    const struct program_step *joined = &program->steps[step];
    size_t i = 0;
    for (; array->fixed >= program->steps[joined->parts[i]].length; i++)
      array->fixed -= program->steps[joined->parts[i]].length;
    step = joined->parts[i];
  }
  return step;
}

int fuse_program(struct fuse *f, const struct wanted *wanted, struct operand *out)
{
  const struct node *node = wanted->node;
  const struct program *program = node->program;
  struct program_walk w = {.node = node, .binding = wanted->binding, .axis = -1};
  bool *needed = ARENA_ARRAY(f->scratch, bool, program->count);
  w.values = ARENA_ARRAY(f->scratch, struct operand, program->count);
  w.whole = ARENA_ARRAY(f->scratch, bool, program->count);
  if (!needed || !w.values || !w.whole)
    return error_memory(f->error);
  if (wanted->component && !node->result.is_complex)
    return missing_part(f, out);
  int part = wanted->component ? node->result.imaginary : node->result.value;
  struct binding array = {.kind = BIND_FIXED};
  if (node->array_out != NO_DIMENSION) {
    array = wanted->binding[node->array_out];
    part = find_part(program, part, &array);
  }
  program_mark_needed(program, part, needed);
  mark_whole(node, part, needed, w.whole);
  if (is_too_nested(f, node, wanted->binding, needed, w.whole) || !runs_here(node, wanted->binding))
    return fuse_load(f, wanted, out);
  for (size_t i = 0; i < program->count; i++)
    if (needed[i] && run_step(f, &w, i) != 0)
      return -1;
  if (node->array_out == NO_DIMENSION) {
    *out = w.values[part];
    return 0;
  }
  return place_array(f, &w.values[part], &array, out);
}
