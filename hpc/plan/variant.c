/* One variant of a kernel stage: the steps of fuse.c between the bindings of the output's dimensions and the store,
 * then the inputs' lists of indexes, the loads' positions in them, and registers. */
#include "hpc/kernel/kernel_relay.h"
#include "hpc/plan/fuse.h"

#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return (x > y) - (x < y);
}

/* A list's indexes ascending, each once. */
static size_t sort_unique(struct index_list *list)
{
  size_t unique = 0;
  if (list->count)
    qsort(list->items, list->count, sizeof *list->items, by_size);
  for (size_t k = 0; k < list->count; k++)
    if (unique == 0 || list->items[k] != list->items[unique - 1])
      list->items[unique++] = list->items[k];
  return unique;
}

static int finish_input(struct fuse *f, struct draft_input *draft, struct stage_input *input)
{
  *input = draft->input;
  for (size_t d = 0; d < f->list->stages[input->stage].cube->dimensions; d++) {
    struct index_list *list = &draft->list[d];
    if (input->need[d].kind != NEED_LIST)
      continue;
    input->need[d].count = sort_unique(list);
    const void *items = list->items ? (const void *)list->items : "";
    input->need[d].list = arena_copy(f->arena, items, input->need[d].count * sizeof *list->items);
    if (!input->need[d].list)
      return error_memory(f->error);
  }
  return 0;
}

static int finish_inputs(struct fuse *f, struct variant *variant)
{
  struct stage_input *inputs = ARENA_ARRAY(f->arena, struct stage_input, f->input_count);
  const struct window *(*windows)[CUBE_MAX_DIMENSIONS] = arena_array(f->arena, f->input_count, sizeof *windows);
  if (!inputs || !windows)
    return error_memory(f->error);
  for (size_t i = 0; i < f->input_count; i++) {
    if (finish_input(f, &f->inputs[i], &inputs[i]) != 0)
      return -1;
    memcpy(windows[i], f->inputs[i].window, sizeof windows[i]);
  }
  variant->inputs = inputs;
  variant->windows = (const struct window *const(*)[CUBE_MAX_DIMENSIONS])windows;
  variant->input_count = f->input_count;
  return 0;
}

/* Positions in the need's list of the indexes of a binding; a hole takes the first. */
static const size_t *positions_of(struct fuse *f, const struct binding *b, const struct need *need)
{
  size_t count = b->kind == BIND_OUT ? 0 : b->kind == BIND_FIXED ? 1 : f->axis_length[b->id];
  size_t *position = ARENA_ARRAY(f->arena, size_t, count);
  for (size_t k = 0; position && k < count; k++) {
    size_t index = binding_index(b, k);
    const size_t *at = index == NO_INDEX ? NULL : bsearch(&index, need->list, need->count, sizeof index, by_size);
    position[k] = at ? (size_t)(at - need->list) : 0;
  }
  return position;
}

static int finish_loads(struct fuse *f, struct variant *variant)
{
  for (size_t l = 0; l < f->load_count; l++) {
    struct load *load = &f->loads[l];
    const struct stage_input *input = &variant->inputs[load->input];
    for (size_t d = 0; d < f->list->stages[input->stage].cube->dimensions; d++) {
      const struct binding *b = &load->dim[d];
      load->position[d] = b->kind == BIND_WINDOW ? b->places : positions_of(f, b, &input->need[d]);
      if (!load->position[d])
        return error_memory(f->error);
    }
  }
  variant->loads = f->loads;
  variant->load_count = f->load_count;
  return 0;
}

/* Stores one component of the elements; result: the number, or that component of it. */
static int emit_store(struct fuse *f, const struct cube *cube, struct variant *variant, const struct operand *result)
{
  struct operand whole = {.tail = 1};
  for (size_t d = 0; d < cube->dimensions; d++)
    if (variant->out_axis[d] >= 0)
      operand_insert_axis(&whole, variant->out_axis[d]);
  size_t blocks = fuse_outer_blocks(f, &whole);
  if (fuse_relayout(f, result, &whole, -1) != 0)
    return -1;
  variant->store_step[variant->store_count++] = f->step_count;
  struct kernel_step *step = fuse_add_step(f, STEP_STORE);
  if (!step)
    return -1;
  step->operand[0] = (struct kernel_operand){whole.reg, whole.block, 1};
  step->blocks = (uint32_t)blocks;
  step->type = cube->type == ELEMENT_C64 ? ELEMENT_F32 : cube->type == ELEMENT_C128 ? ELEMENT_F64 : cube->type;
  step->has_nodata = cube->has_nodata;
  step->nodata = cube->nodata;
  return 0;
}

/* How the output's dimensions are bound. */
static int bind_output(struct fuse *f, const struct stage *stage, const size_t *fixed, struct variant *variant,
                       struct binding *binding)
{
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    variant->out_axis[d] = -1;
    binding[d] = (struct binding){.kind = BIND_OUT, .id = (int)d};
    if (stage->mode[d] == MODE_FIXED)
      binding[d] = (struct binding){.kind = BIND_FIXED, .fixed = fixed[d]};
    if (stage->mode[d] != MODE_AXIS)
      continue;
    if (fuse_add_axis(f, stage->cube->dimension[d].size, &variant->out_axis[d]) != 0)
      return -1;
    binding[d] = (struct binding){.kind = BIND_AXIS, .id = variant->out_axis[d]};
  }
  return 0;
}

static int generate_variant(struct fuse *f, const struct stage *stage, const size_t *fixed, struct variant *variant)
{
  struct binding binding[CUBE_MAX_DIMENSIONS] = {{0}};
  int components = element_info(stage->cube->type)->is_complex ? 2 : 1;
  if (bind_output(f, stage, fixed, variant, binding) != 0)
    return -1;
  for (int k = 0; k < components; k++) {
    struct operand result;
    if (fuse_generate(f, &(struct wanted){stage->node, binding, k}, &result) != 0 ||
        emit_store(f, stage->cube, variant, &result) != 0)
      return -1;
  }
  if (finish_inputs(f, variant) != 0)
    return -1;
  return finish_loads(f, variant);
}

int make_variant(struct stage_list *list, const struct stage *stage, const size_t *fixed, enum lane_type type,
                 struct variant *variant, struct error *error)
{
  struct fuse f = {.root = stage->node, .list = list, .arena = list->arena, .scratch = arena_new(0), .error = error};
  int status = f.scratch ? generate_variant(&f, stage, fixed, variant) : error_memory(error);
  if (status == 0) {
    variant->axis_length = f.axis_length;
    variant->axis_count = f.axis_count;
    variant->kernel =
        (struct kernel){.lane_type = type, .steps = f.steps, .step_count = f.step_count, .load_count = f.load_count};
    if (kernel_find_relays(f.steps, f.step_count, f.reg_blocks, f.reg_count) != 0 ||
        allocate_registers(&f, &variant->kernel) != 0)
      status = error_memory(error);
  }
  arena_free(f.scratch);
  return status;
}
