/* Loads: elements of a stage under the bindings of its dimensions, and which of them the kernel needs. */
#include "hpc/plan/fuse.h"

#include "datacube/base/missing.h"

#include <string.h>

int fuse_missing(struct fuse *f, struct operand *out)
{
  *out = (struct operand){.tail = 1};
  if (fuse_add_register(f, 1, &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, STEP_CONSTANT);
  if (!step)
    return -1;
  step->dst = out->reg;
  step->blocks = 1;
  step->value = na_f64();
  return 0;
}

static int add_index(struct fuse *f, struct index_list *list, size_t index)
{
  size_t *items = arena_grow(f->scratch, list->items, list->count, &list->capacity, sizeof *items);
  if (!items)
    return error_memory(f->error);
  list->items = items;
  list->items[list->count++] = index;
  return 0;
}

static bool runs(const struct binding *binding)
{
  return binding->kind == BIND_OUT || binding->kind == BIND_WINDOW;
}

static struct need need_of(const struct binding *b, size_t size)
{
  if (!runs(b))
    return (struct need){.kind = NEED_LIST, .size = size};
  struct need need = {.kind = NEED_RUN, .out = b->id, .map = b->map, .offset = b->offset, .size = size};
  if (b->kind == BIND_WINDOW) {
    need.before = b->window->before;
    need.after = b->window->length - 1 - b->window->before;
  }
  return need;
}

static bool input_fits(const struct draft_input *input, size_t stage, const struct binding *binding, size_t dimensions)
{
  if (input->input.stage != stage)
    return false;
  for (size_t d = 0; d < dimensions; d++) {
    const struct need *need = &input->input.need[d];
    const struct binding *b = &binding[d];
    if ((need->kind == NEED_RUN) != runs(b) || input->window[d] != b->window)
      return false;
    if (runs(b) && (need->out != b->id || need->map != b->map || need->offset != b->offset))
      return false;
  }
  return true;
}

static int input_for(struct fuse *f, size_t stage, const struct binding *binding, const struct cube *cube, size_t *out)
{
  for (size_t i = 0; i < f->input_count; i++)
    if (input_fits(&f->inputs[i], stage, binding, cube->dimensions)) {
      *out = i;
      return 0;
    }
  if (!GROW(f, scratch, inputs, input_count, input_capacity))
    return error_memory(f->error);
  struct draft_input *input = &f->inputs[f->input_count];
  memset(input, 0, sizeof *input);
  input->input.stage = stage;
  for (size_t d = 0; d < cube->dimensions; d++) {
    input->input.need[d] = need_of(&binding[d], cube->dimension[d].size);
    input->window[d] = binding[d].window;
  }
  *out = f->input_count++;
  return 0;
}

/* A stage gives the dimensions that it makes as arrays whole. */
static int note_whole(struct fuse *f, size_t input, size_t d)
{
  const struct stage *stage = &f->list->stages[f->inputs[input].input.stage];
  size_t size = stage->cube->dimension[d].size;
  for (size_t k = 0; stage->mode[d] == MODE_AXIS && k < size; k++)
    if (add_index(f, &f->inputs[input].list[d], k) != 0)
      return -1;
  return 0;
}

/* The indexes of a dimension that is not driven by the tile. Where all are holes, one index stands for them. */
static int note_dimension(struct fuse *f, size_t input, const struct binding *binding, size_t d)
{
  size_t count = binding->kind == BIND_FIXED ? 1 : f->axis_length[binding->id];
  struct index_list *list = &f->inputs[input].list[d];
  if (note_whole(f, input, d) != 0)
    return -1;
  for (size_t k = 0; k < count; k++) {
    size_t index = binding_index(binding, k);
    if (index != NO_INDEX && add_index(f, list, index) != 0)
      return -1;
  }
  return list->count == 0 && count > 0 ? add_index(f, list, 0) : 0;
}

static int note_needs(struct fuse *f, size_t input, const struct binding *binding, size_t dimensions)
{
  for (size_t d = 0; d < dimensions; d++)
    if (!runs(&binding[d]) && note_dimension(f, input, &binding[d], d) != 0)
      return -1;
  return 0;
}

/* Whether the bindings ask for elements of an empty dimension: then there are only holes. */
static bool only_holes(const struct fuse *f, const struct cube *cube, const struct binding *binding)
{
  for (size_t d = 0; d < cube->dimensions; d++) {
    size_t count = runs(&binding[d]) ? 0 : binding[d].kind == BIND_FIXED ? 1 : f->axis_length[binding[d].id];
    if ((cube->dimension[d].size == 0 && count > 0) || (binding[d].kind == BIND_FIXED && binding[d].fixed == NO_INDEX))
      return true;
  }
  return false;
}

static void set_axes(struct load *load, size_t dimensions, struct operand *out)
{
  *out = (struct operand){.tail = 1};
  for (size_t d = 0; d < dimensions; d++) {
    const struct binding *b = &load->dim[d];
    int axis = b->kind == BIND_AXIS ? b->id : b->axis;
    if ((b->kind == BIND_AXIS || b->kind == BIND_WINDOW) && !operand_has_axis(out, axis))
      operand_insert_axis(out, axis);
  }
  load->axes = out->axes;
  memcpy(load->axis, out->axis, sizeof load->axis);
}

/* Type of one component of the elements. */
static enum element_type component_type(enum element_type type)
{
  return type == ELEMENT_C64 ? ELEMENT_F32 : type == ELEMENT_C128 ? ELEMENT_F64 : type;
}

static int add_load(struct fuse *f, const struct wanted *wanted, size_t input, size_t *out)
{
  const struct cube *cube = wanted->node->cube;
  if (!GROW(f, arena, loads, load_count, load_capacity))
    return error_memory(f->error);
  struct load *load = &f->loads[f->load_count];
  *load = (struct load){.step = f->step_count, .input = input, .components = element_info(cube->type)->is_complex ? 2 : 1,
                        .component = (size_t)wanted->component};
  memcpy(load->dim, wanted->binding, cube->dimensions * sizeof *wanted->binding);
  *out = f->load_count++;
  return 0;
}

int fuse_load(struct fuse *f, const struct wanted *wanted, struct operand *out)
{
  const struct cube *cube = wanted->node->cube;
  size_t stage = 0, input = 0, load = 0;
  if (only_holes(f, cube, wanted->binding))
    return fuse_missing(f, out);
  if (stage_of(f->list, wanted->node, &stage, f->error) != 0 || input_for(f, stage, wanted->binding, cube, &input) != 0 ||
      note_needs(f, input, wanted->binding, cube->dimensions) != 0 || add_load(f, wanted, input, &load) != 0)
    return -1;
  set_axes(&f->loads[load], cube->dimensions, out);
  size_t blocks = fuse_outer_blocks(f, out);
  if (fuse_add_register(f, blocks, &out->reg) != 0)
    return -1;
  struct kernel_step *step = fuse_add_step(f, STEP_LOAD);
  if (!step)
    return -1;
  const struct cube *stored = f->list->stages[stage].cube;
  step->dst = out->reg;
  step->blocks = (uint32_t)blocks;
  step->type = component_type(stored->type);
  step->has_nodata = stored->has_nodata;
  step->nodata = stored->nodata;
  step->load = (uint32_t)load;
  return 0;
}
