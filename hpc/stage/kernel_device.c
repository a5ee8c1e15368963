#include "hpc/stage/kernel_device.h"

#include "hpc/device/device_kernels.h"
#include "hpc/device/residents.h"
#include "hpc/plan/plan_internal.h"
#include "hpc/run/tile_worker.h"

#include <stdlib.h>
#include <string.h>

struct device_work {
  struct device *device;
  struct device_queue *queue;
  struct device_kernel *kernels; /* per variant */
  struct device_room out, arguments, scratch;
  struct filled_input blob, result; /* rooms of the host: what launches need, the region as it comes back */
  unsigned char *data;              /* of the region */
  size_t bytes;
  bool is_copying;    /* what the host's rooms hold, from before the mark */
  struct error error; /* why the device does not go on with this region; or "" */
};

/* ---- rooms ------------------------------------------------------------------------------------------------------- */

bool device_work_failed(const struct device_work *work)
{
  return error_is_set(&work->error);
}

static const struct device_ops *ops_of(const struct device_work *work)
{
  return work->device->ops;
}

static void device_room_free(struct device_work *work, struct device_room *room)
{
  if (room->bytes > 0)
    device_release(work->device, room->address, room->bytes);
  *room = (struct device_room){0};
}

/* A larger room takes the place of one that orders may still use. */
static void device_room_for(struct device_work *work, struct device_room *room, size_t bytes)
{
  if (device_work_failed(work) || bytes <= room->bytes)
    return;
  if (room->bytes > 0 && ops_of(work)->sync(work->queue, &work->error) != 0)
    return;
  device_room_free(work, room);
  if (device_alloc(work->device, bytes, &room->address, &work->error) == 0)
    room->bytes = bytes;
}

static void await_copies(struct device_work *work)
{
  if (work->is_copying && !device_work_failed(work))
    ops_of(work)->await_mark(work->queue, &work->error);
  work->is_copying = false;
}

/* Orders that are left use rooms that are about to change. */
static void give_up(struct device_work *work)
{
  struct error ignored = {0};
  ops_of(work)->sync(work->queue, &ignored);
  work->is_copying = false;
  device_complain(work->device, &work->error);
}

static void host_room_free(struct device_work *work, struct filled_input *input)
{
  if (input->is_pinned)
    ops_of(work)->unpin(work->queue, input->room.data);
  input->is_pinned = false;
  room_free(&input->room);
}

int device_work_room(struct device_work *work, struct filled_input *input, size_t bytes, struct error *error)
{
  await_copies(work);
  input->is_copied = false;
  input->bytes = bytes;
  if (bytes <= input->room.bytes && input->room.data)
    return 0;
  host_room_free(work, input);
  if (room_for(&input->room, bytes, error) != 0)
    return -1;
  input->is_pinned = bytes > 0 && ops_of(work)->pin(work->queue, input->room.data, input->room.bytes);
  return 0;
}

/* ---- a worker's -------------------------------------------------------------------------------------------------- */

static int find_kernels(struct device_work *work, const struct kernel_stage *stage, struct error *error)
{
  const struct kernel **kernels = calloc(stage->variant_count + 1, sizeof *kernels);
  work->kernels = calloc(stage->variant_count + 1, sizeof *work->kernels);
  int status = kernels && work->kernels ? 0 : error_memory(error);
  for (size_t v = 0; status == 0 && v < stage->variant_count; v++)
    kernels[v] = &stage->variants[v].kernel;
  if (status == 0)
    status = device_kernels(work->device, kernels, stage->variant_count, work->kernels, error);
  free(kernels);
  return status;
}

struct device_work *device_work_new(struct devices *devices, const struct stage *stage)
{
  struct error error = {0};
  struct device *device = devices_next(devices);
  struct device_work *work = device ? calloc(1, sizeof *work) : NULL;
  if (!work)
    return NULL;
  work->device = device;
  if (find_kernels(work, stage->data, &error) == 0 && device->ops->queue_new(device, &work->queue, &error) == 0)
    return work;
  device_complain(device, &error);
  free(work->kernels);
  free(work);
  return NULL;
}

void device_work_free(struct device_work *work, struct filled_input *inputs, size_t count)
{
  struct error ignored = {0};
  if (!work)
    return;
  ops_of(work)->sync(work->queue, &ignored);
  for (size_t i = 0; i < count; i++) {
    device_room_free(work, &inputs[i].copy);
    host_room_free(work, &inputs[i]);
  }
  host_room_free(work, &work->blob);
  host_room_free(work, &work->result);
  device_room_free(work, &work->out);
  device_room_free(work, &work->arguments);
  device_room_free(work, &work->scratch);
  ops_of(work)->queue_free(work->queue);
  free(work->kernels);
  free(work);
}

/* ---- a region ---------------------------------------------------------------------------------------------------- */

bool device_work_begin(struct device_work *work, void *data, size_t bytes)
{
  if (!work || atomic_load(&work->device->lost))
    return false;
  work->error = (struct error){0};
  work->data = data;
  work->bytes = bytes;
  device_room_for(work, &work->out, bytes);
  if (device_work_failed(work))
    give_up(work);
  return !device_work_failed(work);
}

bool device_work_end(struct device_work *work)
{
  if (!device_work_failed(work) && device_work_room(work, &work->result, work->bytes, &work->error) == 0 &&
      ops_of(work)->to_host(work->queue, work->result.room.data, work->out.address, work->bytes, &work->error) == 0 &&
      ops_of(work)->sync(work->queue, &work->error) == 0) {
    work->is_copying = false;
    memcpy(work->data, work->result.room.data, work->bytes);
    return true;
  }
  give_up(work);
  return false;
}

/* ---- kept results ------------------------------------------------------------------------------------------------ */

/* Whether the region is a box of the kept cube, with all that the windows ask for. */
static bool is_box(const struct placing *p, size_t i, const struct region *region)
{
  for (size_t d = 0; d < region->dimensions; d++) {
    const struct need *need = &p->variant->inputs[i].need[d];
    const size_t *list = region->list[d];
    for (size_t k = 0; list && k < region->count[d]; k++)
      if (list[k] == NO_INDEX || list[k] != list[0] + k)
        return false;
    if (p->variant->windows[i][d] && region->count[d] != p->region->count[need->out] + need->before + need->after)
      return false;
  }
  return true;
}

bool device_work_take_kept(const struct placing *p, size_t i, const struct region *region)
{
  const struct plan *plan = worker_plan(p->worker);
  const struct keep *keep = stage_keep(plan, plan_stage(plan, p->variant->inputs[i].stage));
  struct residents *residents = worker_residents(p->worker);
  struct filled_input *to = &p->state->inputs[i];
  if (!keep || keep->given || !residents || !is_box(p, i, region))
    return false;
  const size_t number = (size_t)(keep - plan->keeps);
  const struct resident resident = {number, worker_kept(p->worker, number), keep->bytes};
  const uint64_t address = residents_find(residents, p->state->work->queue, &resident);
  size_t offset = 0, stride = element_info(keep->cube->type)->size;
  for (size_t d = region->dimensions; d-- > 0;) {
    to->strides[d] = stride / element_info(keep->cube->type)->size;
    offset += region_index(region, d, 0) * stride;
    stride *= keep->cube->dimension[d].size;
  }
  to->filled = false;
  to->is_copied = address != 0;
  to->address = address + offset;
  to->elements = (const unsigned char *)resident.data + offset;
  return address != 0;
}

/* ---- a part ------------------------------------------------------------------------------------------------------ */

static void copy_inputs(struct device_work *work, const struct placing *p)
{
  for (size_t i = 0; i < p->variant->input_count && !device_work_failed(work); i++) {
    struct filled_input *input = &p->state->inputs[i];
    if (!input->is_copied)
      input->is_copied = input->bytes == 0 || ops_of(work)->to_device(work->queue, input->address, input->room.data,
                                                                      input->bytes, &work->error) == 0;
  }
  work->is_copying = true;
  if (!device_work_failed(work))
    ops_of(work)->mark(work->queue, &work->error);
}

struct launches { /* of a part: three dimensions of lanes each, the rest one after the other */
  struct running outer[CUBE_MAX_DIMENSIONS];
  size_t outer_count, rest; /* the first `rest` are the loop's */
  size_t lane_dimension;
  uint64_t lanes[3];
  size_t count, loads;
  size_t offsets, strides, bytes; /* where the blob has them, and its size */
};

static void plan_launches(struct placing *p, struct launches *l)
{
  *l = (struct launches){.lanes = {1, 1, 1}, .count = 1, .loads = p->variant->load_count};
  l->lanes[0] = place_lanes(p, &l->lane_dimension, l->outer, &l->outer_count);
  l->rest = l->outer_count > 2 ? l->outer_count - 2 : 0;
  for (size_t k = l->rest; k < l->outer_count; k++)
    l->lanes[l->outer_count - k] = l->outer[k].count;
  for (size_t k = 0; k < l->rest; k++)
    l->count *= l->outer[k].count;
  place_steps(p, l->lane_dimension);
  l->offsets = l->count * l->loads * sizeof(uint64_t);
  l->strides = l->offsets;
  l->bytes = 0;
  for (size_t s = 0; s < p->variant->kernel.step_count; s++) {
    const struct kernel_step *step = &p->state->steps[s];
    const bool is_memory = step->kind == STEP_LOAD || step->kind == STEP_STORE;
    l->strides += is_memory ? step->blocks * sizeof(int64_t) : 0;
    l->bytes += is_memory ? 3 * sizeof(int64_t) : 0;
  }
  l->bytes += l->strides;
}

/* Offsets and strides of the steps of memory, in their order. */
static void write_steps(const struct placing *p, const struct launches *l, unsigned char *blob)
{
  int64_t *offset = (int64_t *)(void *)(blob + l->offsets), *stride = (int64_t *)(void *)(blob + l->strides);
  for (size_t s = 0; s < p->variant->kernel.step_count; s++) {
    const struct kernel_step *step = &p->state->steps[s];
    if (step->kind != STEP_LOAD && step->kind != STEP_STORE)
      continue;
    for (size_t b = 0; b < step->blocks; b++)
      *offset++ = step->offsets[b];
    stride[0] = step->lane_stride;
    for (size_t k = 1; k < 3; k++)
      stride[k] = k <= l->outer_count ? place_stride(p, s, l->outer[l->outer_count - k].dimension) : 0;
    stride += 3;
  }
}

/* Addresses of the device for what lies in the inputs' rooms. */
static void write_bases(struct placing *p, const struct launches *l, const size_t *position, uint64_t *bases)
{
  place_bases(p, l->outer, l->rest, position);
  for (size_t i = 0; i < l->loads; i++) {
    const struct filled_input *input = &p->state->inputs[p->variant->loads[i].input];
    bases[i] = input->address + (uint64_t)((const unsigned char *)p->state->bases[i] - input->elements);
  }
}

static bool next_launch(const struct launches *l, size_t *position)
{
  size_t k = l->rest;
  while (k > 0 && ++position[k - 1] == l->outer[k - 1].count)
    position[--k] = 0;
  return k > 0;
}

static void write_blob(struct device_work *work, struct placing *p, const struct launches *l)
{
  size_t position[CUBE_MAX_DIMENSIONS] = {0}, launch = 0;
  if (device_work_failed(work) || device_work_room(work, &work->blob, l->bytes, &work->error) != 0)
    return;
  unsigned char *blob = work->blob.room.data;
  write_steps(p, l, blob);
  do
    write_bases(p, l, position, (uint64_t *)(void *)blob + launch++ * l->loads);
  while (next_launch(l, position));
  device_room_for(work, &work->arguments, l->bytes);
  if (!device_work_failed(work))
    ops_of(work)->to_device(work->queue, work->arguments.address, blob, l->bytes, &work->error);
}

static void order_launches(struct device_work *work, const struct placing *p, const struct launches *l)
{
  const struct kernel_stage *stage = p->stage->data;
  const struct device_kernel *kernel = &work->kernels[p->variant - stage->variants];
  const uint64_t arguments = work->arguments.address;
  struct device_run run = {.function = kernel->function,
                           .shape = device_shape(work->device, &kernel->needs, l->lanes[0] * l->lanes[1] * l->lanes[2]),
                           .offsets = arguments + l->offsets,
                           .strides = arguments + l->strides};
  size_t position[CUBE_MAX_DIMENSIONS] = {0}, launch = 0;
  memcpy(run.lanes, l->lanes, sizeof run.lanes);
  device_room_for(work, &work->scratch, run.shape.scratch_bytes);
  run.scratch = run.shape.scratch_bytes ? work->scratch.address : 0;
  do {
    size_t offset = 0;
    for (size_t k = 0; k < l->rest; k++)
      offset += position[k] * p->out_stride[l->outer[k].dimension];
    run.bases = arguments + launch++ * l->loads * sizeof(uint64_t);
    run.out = work->out.address + (uint64_t)(p->out - work->data) + offset * p->size;
    if (!device_work_failed(work))
      device_run(work->queue, &run, &work->error);
  } while (next_launch(l, position));
}

void device_work_run(struct device_work *work, struct placing *p)
{
  struct launches l;
  plan_launches(p, &l);
  for (size_t i = 0; i < p->variant->input_count; i++) {
    struct filled_input *input = &p->state->inputs[i];
    if (input->is_copied)
      continue;
    device_room_for(work, &input->copy, input->bytes);
    input->address = input->copy.address;
  }
  write_blob(work, p, &l);
  copy_inputs(work, p);
  if (!device_work_failed(work))
    order_launches(work, p, &l);
}
