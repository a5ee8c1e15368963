/* Offsets, strides and lanes of a kernel's loads and stores. */
#include "hpc/stage/kernel_place.h"

#include "hpc/stage/kernel_device.h"

#include <string.h>

/* Element offset of each block of a register: the axes' indexes, last fastest, times the strides they stand for. */
static size_t block_offsets(const struct variant *variant, const int *axis, size_t axes, ptrdiff_t *offsets,
                            ptrdiff_t (*of)(const void *context, size_t k, size_t index), const void *context)
{
  size_t blocks = 1, index[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t k = 0; k < axes; k++)
    blocks *= variant->axis_length[axis[k]];
  for (size_t b = 0; b < blocks; b++) {
    offsets[b] = 0;
    for (size_t k = 0; k < axes; k++)
      offsets[b] += of(context, k, index[k]);
    for (size_t k = axes; k-- > 0;) {
      if (++index[k] < variant->axis_length[axis[k]])
        break;
      index[k] = 0;
    }
  }
  return blocks;
}

struct load_context {
  const struct load *load;
  const size_t *strides;
  size_t dimensions;
};

static ptrdiff_t load_offset(const void *data, size_t k, size_t index)
{
  const struct load_context *c = data;
  ptrdiff_t offset = 0;
  for (size_t d = 0; d < c->dimensions; d++) {
    const struct binding *binding = &c->load->dim[d];
    bool expands = (binding->kind == BIND_AXIS && binding->id == c->load->axis[k]) ||
                   (binding->kind == BIND_WINDOW && binding->axis == c->load->axis[k]);
    if (expands)
      offset += (ptrdiff_t)(c->load->position[d][index] * c->strides[d]);
  }
  return offset * (ptrdiff_t)c->load->components;
}

struct store_context {
  size_t stride[CUBE_MAX_DIMENSIONS]; /* per axis of the store */
};

static ptrdiff_t store_offset(const void *data, size_t k, size_t index)
{
  const struct store_context *c = data;
  return (ptrdiff_t)(c->stride[k] * index);
}

static const struct cube *input_cube(const struct placing *p, size_t input)
{
  return plan_stage(worker_plan(p->worker), p->variant->inputs[input].stage)->cube;
}

static size_t load_stride(const struct placing *p, size_t l, size_t out_dimension)
{
  const struct load *load = &p->variant->loads[l];
  size_t stride = 0;
  for (size_t d = 0; d < input_cube(p, load->input)->dimensions; d++)
    if ((load->dim[d].kind == BIND_OUT || load->dim[d].kind == BIND_WINDOW) && load->dim[d].id == (int)out_dimension)
      stride += p->state->inputs[load->input].strides[d];
  return stride;
}

/* Whether dimension `outer` can be one run with lanes of `count` and innermost dimension `inner`. */
static bool flattens(const struct placing *p, size_t outer, size_t inner, size_t count)
{
  if (p->out_stride[outer] != p->out_stride[inner] * count)
    return false;
  for (size_t l = 0; l < p->variant->load_count; l++)
    if (load_stride(p, l, outer) != load_stride(p, l, inner) * count)
      return false;
  return true;
}

size_t place_lanes(const struct placing *p, size_t *lane_dimension, struct running *outer, size_t *outer_count)
{
  size_t running[CUBE_MAX_DIMENSIONS], n = 0;
  for (size_t d = 0; d < p->region->dimensions; d++)
    if (p->stage->mode[d] == MODE_OUT && p->region->count[d] != 1)
      running[n++] = d;
  *outer_count = 0;
  *lane_dimension = SIZE_MAX;
  if (n == 0)
    return 1;
  size_t inner = n - 1;
  for (size_t i = 0; i < n; i++)
    if (p->region->count[running[n - 1]] < 32 && p->region->count[running[i]] > 4 * p->region->count[running[inner]])
      inner = i;
  *lane_dimension = running[inner];
  size_t lanes = p->region->count[running[inner]], first = inner;
  while (first > 0 && flattens(p, running[first - 1], running[inner], lanes))
    lanes *= p->region->count[running[--first]];
  for (size_t i = 0; i < n; i++)
    if (i < first || i > inner)
      outer[(*outer_count)++] = (struct running){running[i], p->region->count[running[i]]};
  return lanes;
}

/* Offsets of the stores; a part of a complex element lies among the others of its kind. */
static void place_stores(const struct placing *p, size_t lane_dimension, ptrdiff_t *offsets)
{
  const struct variant *variant = p->variant;
  struct store_context context;
  int axis[CUBE_MAX_DIMENSIONS];
  size_t axes = 0;
  for (size_t d = 0; d < p->region->dimensions; d++)
    if (variant->out_axis[d] >= 0) { /* ids ascend with the dimensions */
      context.stride[axes] = p->out_stride[d] * variant->store_count;
      axis[axes++] = variant->out_axis[d];
    }
  for (size_t k = 0; k < variant->store_count; k++) {
    struct kernel_step *store = &p->state->steps[variant->store_step[k]];
    size_t blocks = block_offsets(variant, axis, axes, offsets, store_offset, &context);
    for (size_t b = 0; b < blocks; b++)
      offsets[b] += (ptrdiff_t)k;
    store->offsets = offsets;
    store->lane_stride =
        (lane_dimension == SIZE_MAX ? 1 : (ptrdiff_t)p->out_stride[lane_dimension]) * (ptrdiff_t)variant->store_count;
    offsets += blocks;
  }
}

void place_steps(const struct placing *p, size_t lane_dimension)
{
  const struct variant *variant = p->variant;
  struct kernel_state *state = p->state;
  ptrdiff_t *offsets = state->offsets;
  memcpy(state->steps, variant->kernel.steps, variant->kernel.step_count * sizeof *state->steps);
  for (size_t l = 0; l < variant->load_count; l++) {
    const struct load *load = &variant->loads[l];
    struct load_context context = {load, state->inputs[load->input].strides, input_cube(p, load->input)->dimensions};
    struct kernel_step *step = &state->steps[load->step];
    size_t stride = lane_dimension == SIZE_MAX ? 0 : load_stride(p, l, lane_dimension);
    step->offsets = offsets;
    step->lane_stride = (ptrdiff_t)(stride * load->components);
    offsets += block_offsets(variant, load->axis, load->axes, offsets, load_offset, &context);
  }
  place_stores(p, lane_dimension, offsets);
}

ptrdiff_t place_stride(const struct placing *p, size_t step, size_t dimension)
{
  const struct variant *variant = p->variant;
  for (size_t l = 0; l < variant->load_count; l++)
    if (variant->loads[l].step == step)
      return (ptrdiff_t)(load_stride(p, l, dimension) * variant->loads[l].components);
  return (ptrdiff_t)(p->out_stride[dimension] * variant->store_count);
}

int place_room(const struct placing *p, struct filled_input *input, size_t bytes, struct error *error)
{
  const int status =
      p->state->work ? device_work_room(p->state->work, input, bytes, error) : room_for(&input->room, bytes, error);
  input->elements = input->room.data;
  return status;
}

void place_bases(const struct placing *p, const struct running *outer, size_t count, const size_t *position)
{
  for (size_t l = 0; l < p->variant->load_count; l++) {
    const struct load *load = &p->variant->loads[l];
    const struct filled_input *input = &p->state->inputs[load->input];
    const struct cube *cube = input_cube(p, load->input);
    size_t offset = 0, size = element_info(cube->type)->size;
    for (size_t d = 0; d < cube->dimensions; d++)
      if (load->dim[d].kind == BIND_FIXED)
        offset += load->position[d][0] * input->strides[d];
    for (size_t k = 0; k < count; k++)
      offset += position[k] * load_stride(p, l, outer[k].dimension);
    p->state->bases[l] = input->elements + offset * size + load->component * (size / load->components);
  }
}
