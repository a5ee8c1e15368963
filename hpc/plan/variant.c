/* One variant of a kernel stage: the steps of fuse.c between the bindings of the output's dimensions and the store, then
 * the inputs' lists of indexes, the loads' positions in them, and registers. */
#include "hpc/plan/fuse.h"

#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return (x > y) - (x < y);
}

static int finish_inputs(struct fuse *f, struct variant *variant)
{
  struct stage_input *inputs = ARENA_ARRAY(f->arena, struct stage_input, f->input_count);
  if (!inputs)
    return error_memory(f->error);
  for (size_t i = 0; i < f->input_count; i++) {
    inputs[i] = f->inputs[i].input;
    for (size_t d = 0; d < f->list->stages[inputs[i].stage].cube->dimensions; d++) {
      struct index_list *list = &f->inputs[i].list[d];
      size_t unique = 0;
      if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_size);
      for (size_t k = 0; k < list->count; k++)
        if (unique == 0 || list->items[k] != list->items[unique - 1])
          list->items[unique++] = list->items[k];
      if (!inputs[i].need[d].is_static)
        continue;
      inputs[i].need[d].count = unique;
      inputs[i].need[d].list = arena_copy(f->arena, list->items ? (const void *)list->items : "", unique * sizeof *list->items);
      if (!inputs[i].need[d].list)
        return error_memory(f->error);
    }
  }
  variant->inputs = inputs;
  variant->input_count = f->input_count;
  return 0;
}

static int finish_loads(struct fuse *f, struct variant *variant)
{
  for (size_t l = 0; l < f->load_count; l++) {
    struct load *load = &f->loads[l];
    const struct stage_input *input = &variant->inputs[load->input];
    for (size_t d = 0; d < f->list->stages[input->stage].cube->dimensions; d++) {
      const struct binding *b = &load->dim[d];
      size_t count = b->kind == BIND_OUT ? 0 : b->kind == BIND_FIXED ? 1 : f->axis_length[b->id];
      size_t *position = ARENA_ARRAY(f->arena, size_t, count);
      if (!position)
        return error_memory(f->error);
      for (size_t k = 0; k < count; k++) {
        size_t index = binding_index(b, k);
        const size_t *at = bsearch(&index, input->need[d].list, input->need[d].count, sizeof index, by_size);
        position[k] = at ? (size_t)(at - input->need[d].list) : 0;
      }
      load->position[d] = position;
    }
  }
  variant->loads = f->loads;
  variant->load_count = f->load_count;
  return 0;
}

static int emit_store(struct fuse *f, const struct cube *cube, struct variant *variant, const struct operand *result)
{
  struct operand whole = {.tail = 1};
  for (size_t d = 0; d < cube->dimensions; d++)
    if (variant->out_axis[d] >= 0)
      operand_insert_axis(&whole, variant->out_axis[d]);
  size_t blocks = fuse_outer_blocks(f, &whole);
  if (fuse_relayout(f, result, &whole, -1) != 0)
    return -1;
  variant->store_step = f->step_count;
  struct kernel_step *step = fuse_add_step(f, STEP_STORE);
  if (!step)
    return -1;
  step->operand[0] = (struct kernel_operand){whole.reg, whole.block, 1};
  step->blocks = (uint32_t)blocks;
  step->type = cube->type;
  step->has_nodata = cube->has_nodata;
  step->nodata = cube->nodata;
  return 0;
}

int make_variant(struct stage_list *list, const struct stage *stage, const size_t *fixed, enum lane_type type,
                        struct variant *variant, struct error *error)
{
  struct fuse f = {.root = stage->node, .list = list, .arena = list->arena, .scratch = arena_new(0), .error = error};
  struct binding binding[CUBE_MAX_DIMENSIONS] = {{0}};
  struct operand result;
  int status = f.scratch ? 0 : error_memory(error);
  for (size_t d = 0; status == 0 && d < stage->cube->dimensions; d++) {
    variant->out_axis[d] = -1;
    binding[d] = (struct binding){.kind = BIND_OUT, .id = (int)d};
    if (stage->mode[d] == MODE_FIXED)
      binding[d] = (struct binding){.kind = BIND_FIXED, .fixed = fixed[d]};
    else if (stage->mode[d] == MODE_AXIS) {
      status = fuse_add_axis(&f, stage->cube->dimension[d].size, &variant->out_axis[d]);
      binding[d] = (struct binding){.kind = BIND_AXIS, .id = variant->out_axis[d]};
    }
  }
  if (status == 0)
    status = fuse_generate(&f, stage->node, binding, &result);
  if (status == 0)
    status = emit_store(&f, stage->cube, variant, &result);
  if (status == 0)
    status = finish_inputs(&f, variant);
  if (status == 0)
    status = finish_loads(&f, variant);
  if (status == 0) {
    variant->axis_length = f.axis_length;
    variant->axis_count = f.axis_count;
    variant->kernel = (struct kernel){.lane_type = type, .steps = f.steps, .step_count = f.step_count, .load_count = f.load_count};
    if (allocate_registers(list->arena, &variant->kernel, f.reg_blocks, f.reg_count) != 0)
      status = error_memory(error);
  }
  arena_free(f.scratch);
  return status;
}
