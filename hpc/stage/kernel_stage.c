/* The kernel stage: pulls the elements that a variant's loads need, then runs its kernel over the region.
 *
 * Inputs' elements stay in their buffers until others take the place, so variants that read the same region one after
 * the other (the mean and the maximum of a month) read it once. */
#include "hpc/stage/kernel_device.h"

#include "datacube/base/checked.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

static size_t variant_bytes(const struct plan *plan, const struct variant *variant, const size_t *count)
{
  size_t bytes = kernel_scratch_bytes(&variant->kernel), in[CUBE_MAX_DIMENSIONS];
  for (size_t i = 0; i < variant->input_count; i++) {
    const struct stage_input *input = &variant->inputs[i];
    const struct cube *cube = plan_stage(plan, input->stage)->cube;
    input_counts(input, cube, count, in);
    size_t own = cube_part_bytes(cube, in);
    for (size_t d = 0; d < cube->dimensions; d++)
      if (variant->windows[i][d]) { /* at an edge, a second buffer */
        own = saturated_mul(own, 2);
        break;
      }
    bytes = saturated_add(bytes, saturated_add(own, plan_stage_bytes(plan, input->stage, in)));
  }
  return bytes;
}

static size_t kernel_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const struct kernel_stage *data = stage->data;
  size_t bytes = 0, in[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    in[d] = count[d] < stage->slab[d] || stage->mode[d] == MODE_AXIS ? count[d] : stage->slab[d];
  for (size_t v = 0; v < data->variant_count; v++) {
    size_t b = variant_bytes(plan, &data->variants[v], in);
    bytes = b > bytes ? b : bytes;
  }
  if (stage->on_device) /* the region as it comes back */
    bytes = saturated_add(bytes, cube_part_bytes(stage->cube, count));
  return bytes;
}

/* ---- start and stop -----------------------------------------------------------------------------------------------
 */

/* Largest counts over a kernel stage's variants. */
static void kernel_maxima(const struct kernel_stage *data, size_t *inputs, size_t *steps, size_t *offsets,
                          size_t *loads)
{
  for (size_t v = 0; v < data->variant_count; v++) {
    const struct variant *variant = &data->variants[v];
    size_t blocks = 0;
    for (size_t k = 0; k < variant->store_count; k++)
      blocks += variant->kernel.steps[variant->store_step[k]].blocks;
    for (size_t l = 0; l < variant->load_count; l++)
      blocks += variant->kernel.steps[variant->loads[l].step].blocks;
    *inputs = variant->input_count > *inputs ? variant->input_count : *inputs;
    *steps = variant->kernel.step_count > *steps ? variant->kernel.step_count : *steps;
    *offsets = blocks > *offsets ? blocks : *offsets;
    *loads = variant->load_count > *loads ? variant->load_count : *loads;
  }
}

static void kernel_stop(const struct stage *stage, void *data)
{
  struct kernel_state *state = data;
  (void)stage;
  if (!state)
    return;
  device_work_free(state->work, state->inputs, state->input_count);
  for (size_t i = 0; state->inputs && i < state->input_count; i++)
    room_free(&state->inputs[i].room);
  room_free(&state->scratch);
  room_free(&state->inner);
  free(state->inputs);
  free(state->steps);
  free(state->offsets);
  free(state->bases);
  free(state);
}

static int kernel_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  size_t inputs = 0, steps = 0, offsets = 0, loads = 0;
  struct kernel_state *state = calloc(1, sizeof *state);
  if (!state)
    return error_memory(error);
  kernel_maxima(stage->data, &inputs, &steps, &offsets, &loads);
  state->inputs = calloc(inputs + 1, sizeof *state->inputs);
  state->input_count = inputs;
  state->steps = calloc(steps + 1, sizeof *state->steps);
  state->offsets = calloc(offsets + 1, sizeof *state->offsets);
  state->bases = calloc(loads + 1, sizeof *state->bases);
  if (state->inputs && state->steps && state->offsets && state->bases) {
    if (stage->on_device)
      state->work = device_work_new(plan_devices(worker_plan(worker)), stage);
    *out = state;
    return 0;
  }
  kernel_stop(stage, state);
  return error_memory(error);
}

/* ---- inputs -------------------------------------------------------------------------------------------------------
 */

static bool same_region(const struct region *a, const struct region *b)
{
  for (size_t d = 0; d < a->dimensions; d++) {
    if (a->count[d] != b->count[d] || !a->list[d] != !b->list[d])
      return false;
    if (!a->list[d] ? a->start[d] != b->start[d]
                    : a->list[d] != b->list[d] && memcmp(a->list[d], b->list[d], a->count[d] * sizeof(size_t)) != 0)
      return false;
  }
  return true;
}

static bool is_windowed(const struct variant *variant, size_t i, size_t dimensions)
{
  for (size_t d = 0; d < dimensions; d++)
    if (variant->windows[i][d])
      return true;
  return false;
}

/* Makes the buffer that holds the region, if there is one, that of input i. */
static bool find_filled(struct kernel_state *state, const struct variant *variant, size_t i,
                        const struct region *region)
{
  for (size_t k = i; k < state->input_count; k++) {
    struct filled_input *have = &state->inputs[k];
    if (!have->filled || have->stage != variant->inputs[i].stage || !same_region(&have->region, region))
      continue;
    struct filled_input moved = state->inputs[i];
    state->inputs[i] = *have;
    *have = moved;
    return true;
  }
  return false;
}

static int fill_input(const struct placing *p, size_t i, bool on_device, struct error *error)
{
  const struct stage_input *input = &p->variant->inputs[i];
  const struct cube *cube = plan_stage(worker_plan(p->worker), input->stage)->cube;
  struct filled_input *to = &p->state->inputs[i];
  struct region region;
  input_region(input, cube->dimensions, p->region, &region);
  if (on_device && device_work_take_kept(p, i, &region))
    return 0;
  if (is_windowed(p->variant, i, cube->dimensions)) {
    to->filled = false;
    to->stage = input->stage;
    return fill_window(p, i, &region, error);
  }
  if (find_filled(p->state, p->variant, i, &region))
    return 0;
  to->filled = false;
  if (place_room(p, to, region_bytes(cube, &region), error) != 0 ||
      worker_pull(p->worker, input->stage, &region, to->room.data, error) != 0)
    return -1;
  to->filled = true;
  to->stage = input->stage;
  to->region = region;
  region_strides(&region, to->strides);
  return 0;
}

static int fill_inputs(struct placing *p, bool on_device, struct error *error)
{
  for (size_t i = 0; i < p->variant->input_count; i++)
    if (fill_input(p, i, on_device, error) != 0)
      return -1;
  return 0;
}

static int run_variant(struct placing *p, struct error *error)
{
  struct running outer[CUBE_MAX_DIMENSIONS];
  size_t outer_count, lane_dimension, position[CUBE_MAX_DIMENSIONS] = {0};
  size_t lanes = place_lanes(p, &lane_dimension, outer, &outer_count);
  place_steps(p, lane_dimension);
  struct kernel kernel = p->variant->kernel;
  kernel.steps = p->state->steps;
  if (room_for(&p->state->scratch, kernel_scratch_bytes(&kernel), error) != 0)
    return -1;
  for (;;) {
    size_t k = outer_count, offset = 0;
    place_bases(p, outer, outer_count, position);
    for (size_t i = 0; i < outer_count; i++)
      offset += position[i] * p->out_stride[outer[i].dimension];
    kernel_run(&kernel, p->state->scratch.data, p->state->bases, p->out + offset * p->size, lanes);
    while (k > 0 && ++position[k - 1] == outer[k - 1].count)
      position[--k] = 0;
    if (k == 0)
      return 0;
  }
}

/* The parts a kernel stage is computed in: one index of the FIXED dimensions, a slab of the running ones. */
static size_t part_count(const struct stage *stage, const struct region *region, size_t d, size_t at)
{
  size_t most = stage->mode[d] == MODE_FIXED ? 1 : stage->mode[d] == MODE_AXIS ? SIZE_MAX : stage->slab[d];
  return region->count[d] - at < most ? region->count[d] - at : most;
}

/* The order of memory, but indexes whose programs differ follow each other where they read the same elements. */
void kernel_order(const struct stage *stage, size_t *order)
{
  const struct kernel_stage *data = stage->data;
  size_t n = 0;
  for (int last = 0; last < 3; last++)
    for (size_t d = 0; d < stage->cube->dimensions; d++) {
      int place = data->group < 2 || stage->mode[d] != MODE_FIXED ? 0 : d == data->group_dimension ? 2 : 1;
      if (place == last)
        order[n++] = d;
    }
}

/* Moves to the next part; false after the last. */
static bool next_part(const struct region *region, const struct region *part, const size_t *order, size_t *at)
{
  for (size_t k = region->dimensions; k-- > 0;) {
    size_t d = order[k];
    at[d] += part->count[d];
    if (at[d] < region->count[d])
      return true;
    at[d] = 0;
  }
  return false;
}

static int run_part(struct placing *p, bool on_device, struct error *error)
{
  if (region_elements(p->region) == 0)
    return 0;
  if (fill_inputs(p, on_device, error) != 0)
    return -1;
  if (!on_device)
    return run_variant(p, error);
  device_work_run(p->state->work, p);
  return 0;
}

static int fill_parts(const struct placing *whole, bool on_device, struct error *error)
{
  const struct region *region = whole->region;
  size_t order[CUBE_MAX_DIMENSIONS], at[CUBE_MAX_DIMENSIONS] = {0};
  struct region part = {.dimensions = region->dimensions};
  kernel_order(whole->stage, order);
  do {
    struct placing placing = *whole;
    size_t offset = 0;
    for (size_t k = 0; k < region->dimensions; k++) {
      part.start[k] = region->start[k] + at[k];
      part.count[k] = part_count(whole->stage, region, k, at[k]);
      offset += at[k] * whole->out_stride[k];
    }
    placing.variant = stage_variant(whole->stage, &part);
    placing.region = &part;
    placing.out += offset * whole->size;
    if (run_part(&placing, on_device, error) != 0)
      return -1;
  } while (!(on_device && device_work_failed(whole->state->work)) && next_part(region, &part, order, at));
  return 0;
}

static int kernel_fill(struct tile_worker *worker, const struct stage *stage, void *data, const struct region *region,
                       void *out, struct error *error)
{
  size_t strides[CUBE_MAX_DIMENSIONS];
  struct kernel_state *state = data;
  const struct placing placing = {.worker = worker,
                                  .stage = stage,
                                  .state = state,
                                  .region = region,
                                  .out_stride = strides,
                                  .out = out,
                                  .size = element_info(stage->cube->type)->size};
  region_strides(region, strides);
  if (!device_work_begin(state->work, out, region_bytes(stage->cube, region)))
    return fill_parts(&placing, false, error);
  if (fill_parts(&placing, true, error) != 0)
    return -1;
  return device_work_end(state->work) ? 0 : fill_parts(&placing, false, error);
}

const struct variant *stage_variant(const struct stage *stage, const struct region *out)
{
  size_t index = 0;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (stage->mode[d] == MODE_FIXED)
      index = index * stage->cube->dimension[d].size + out->start[d];
  return &((const struct kernel_stage *)stage->data)->variants[index];
}

/* ---- EXPLAIN ------------------------------------------------------------------------------------------------------
 */

static void kernel_print_name(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  (void)plan;
  buffer_printf(out, " %s", stage->node->process);
}

static void print_steps(const struct kernel *kernel, struct buffer *out)
{
  struct buffer steps = {0};
  kernel_print(kernel, &steps);
  for (size_t from = 0; from < steps.length;) {
    size_t to = from;
    while (to < steps.length && steps.data[to] != '\n')
      to++;
    buffer_text(out, "      ");
    buffer_add(out, steps.data + from, to - from);
    buffer_text(out, "\n");
    from = to + 1;
  }
  buffer_free(&steps);
}

static void kernel_print_more(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  static const char *const modes[] = {"tile", "one by one", "whole"};
  const struct kernel_stage *data = stage->data;
  const struct variant *variant = data->variants;
  buffer_text(out, "    dimensions:");
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    buffer_printf(out, " %s %s%s", stage->cube->dimension[d].name, modes[stage->mode[d]],
                  d + 1 < stage->cube->dimensions ? "," : "");
  buffer_text(out, "\n");
  if (data->variant_count == 0)
    return;
  if (data->variant_count > 1)
    buffer_printf(out, "    %zu kernels, one per index; the first:\n", data->variant_count);
  for (size_t i = 0; i < variant->input_count; i++)
    stage_input_print(plan, stage, &variant->inputs[i], out);
  buffer_printf(out, "    kernel %s, %zu lanes a piece, %zu blocks of registers\n",
                variant->kernel.lane_type == LANE_F32 ? "f32" : "f64", variant->kernel.lane_block,
                variant->kernel.scratch_blocks);
  print_steps(&variant->kernel, out);
}

const struct stage_ops kernel_stage = {.name = "kernel",
                                       .bytes = kernel_bytes,
                                       .start = kernel_start,
                                       .fill = kernel_fill,
                                       .stop = kernel_stop,
                                       .print = kernel_print_name,
                                       .print_more = kernel_print_more,
                                       .cost = 1};
