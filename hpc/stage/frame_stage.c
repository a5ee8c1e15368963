/* The frame stage: some dimensions number frames, the others make up a frame, an array that is computed as a whole from
 * the frames of the same numbers in the inputs: what is measured on a configuration of a lattice field, say.
 *
 * A region has any range of frames, each of them whole. They are pulled and made one by one, in ascending order, so a
 * worker holds one frame of each input and a workspace, whatever the region. */
#include "hpc/stage/frame_stage.h"

#include "datacube/base/checked.h"

#include <stdlib.h>
#include <string.h>

struct frame_state {
  struct room inputs[FRAME_MAX_INPUTS];
  void *work;
  struct science *science; /* of a device that computes frames, as long as it works; else NULL */
  void *device;            /* what its open gave */
};

/* ---- nodes --------------------------------------------------------------------------------------------------------
 */

const struct node *node_frames(struct arena *arena, struct node_origin origin, const struct cube *cube,
                               const struct node *const *inputs, size_t count, const struct frames *frames)
{
  const struct frames *data = arena_copy(arena, frames, sizeof *frames);
  const struct node *const *copies = arena_copy(arena, inputs, count * sizeof *inputs);
  if (!data || !copies)
    return NULL;
  const struct stage_ops *ops = frames->reduces ? &frame_reduce_stage : &frame_stage;
  struct stage_node stage = {.ops = ops, .inputs = copies, .input_count = count, .data = data};
  hash_bytes(&stage.data_hash, frames->ops->name, strlen(frames->ops->name) + 1);
  hash_add(&stage.data_hash, frames->hash);
  hash_word(&stage.data_hash, frames->leading);
  for (size_t i = 0; i < count; i++)
    hash_bytes(&stage.data_hash, frames->to_output[i], inputs[i]->cube->dimensions * sizeof(int));
  return node_stage(arena, origin, cube, &stage);
}

int frame_cancelled(const struct frame_job *job, struct error *error)
{
  return job->cancel && *job->cancel ? error_set(error, ERROR_RequestTimeout, "the run was cancelled") : 0;
}

/* ---- planning -----------------------------------------------------------------------------------------------------
 */

static int frame_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct frames *frames = stage->node->data;
  const struct stage_input *inputs[FRAME_MAX_INPUTS];
  stage->data = frames;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    stage->mode[d] = d < frames->leading ? MODE_OUT : MODE_AXIS;
  for (size_t i = 0; i < stage->node->child_count; i++) {
    const struct cube *from = stage->node->children[i]->cube;
    struct stage_input *input = stage_reads(list, stage->node->children[i], error);
    if (!input)
      return -1;
    for (size_t d = 0; d < from->dimensions; d++)
      if (frames->to_output[i][d] != NO_DIMENSION)
        input->need[d] =
            (struct need){.kind = NEED_RUN, .out = frames->to_output[i][d], .size = from->dimension[d].size};
    inputs[i] = input;
  }
  return stage_set_inputs(list, stage, inputs, stage->node->child_count, error);
}

/* Shape of one frame of input i. */
static void frame_counts(const struct stage *stage, size_t i, size_t *count)
{
  const struct frames *frames = stage->data;
  const struct cube *from = stage->node->children[i]->cube;
  for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
    count[d] = 1;
  for (size_t d = 0; d < from->dimensions; d++)
    count[d] = frames->to_output[i][d] == NO_DIMENSION ? from->dimension[d].size : 1;
}

static size_t frame_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const struct frames *frames = stage->data;
  size_t bytes = frames->ops->bytes ? frames->ops->bytes(frames->data) : 0, in[CUBE_MAX_DIMENSIONS];
  (void)count;
  for (size_t i = 0; i < stage->input_count; i++) {
    frame_counts(stage, i, in);
    bytes = saturated_add(bytes, cube_part_bytes(stage->node->children[i]->cube, in));
    bytes = saturated_add(bytes, plan_stage_bytes(plan, stage->inputs[i]->stage, in));
  }
  return bytes;
}

/* ---- running ------------------------------------------------------------------------------------------------------
 */

/* Frames go on by the CPU; why: NULL, or what the log is told. */
static void leave_device(const struct frame_ops *ops, struct frame_state *state, const struct error *why)
{
  if (state->device)
    ops->device->close(state->device);
  if (state->science && why)
    science_complain(state->science, why);
  science_close(state->science);
  state->device = NULL;
  state->science = NULL;
}

static void take_device(const struct frames *frames, struct frame_state *state, struct devices *devices)
{
  struct error why = {0};
  if (science_open(devices, &state->science, &why) == 0 &&
      frames->ops->device->open(frames->data, state->science, &state->device, &why) != 0)
    leave_device(frames->ops, state, &why);
}

static int frame_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  const struct frames *frames = stage->data;
  struct frame_state *state = calloc(1, sizeof *state);
  if (!state)
    return error_memory(error);
  if (frames->ops->bytes && frames->ops->open(frames->data, &state->work, error) != 0) {
    free(state);
    return -1;
  }
  if (stage->on_device)
    take_device(frames, state, plan_devices(worker_plan(worker)));
  *out = state;
  return 0;
}

static void frame_stop(const struct stage *stage, void *data)
{
  const struct frames *frames = stage->data;
  struct frame_state *state = data;
  if (!state)
    return;
  leave_device(frames->ops, state, NULL);
  if (frames->ops->bytes)
    frames->ops->close(state->work);
  for (size_t i = 0; i < FRAME_MAX_INPUTS; i++)
    room_free(&state->inputs[i]);
  free(state);
}

/* Pulls frame `at` of input i. */
static int pull_frame(struct tile_worker *worker, const struct stage *stage, struct frame_state *state, size_t i,
                      const size_t *at, struct error *error)
{
  const struct frames *frames = stage->data;
  const struct cube *from = stage->node->children[i]->cube;
  struct region in = {.dimensions = from->dimensions};
  frame_counts(stage, i, in.count);
  for (size_t d = 0; d < from->dimensions; d++)
    if (frames->to_output[i][d] != NO_DIMENSION)
      in.start[d] = at[frames->to_output[i][d]];
  if (room_for(&state->inputs[i], region_bytes(from, &in), error) != 0)
    return -1;
  return worker_pull(worker, stage->inputs[i]->stage, &in, state->inputs[i].data, error);
}

static int compute_frame(const struct frames *frames, struct frame_state *state, struct frame_job *job,
                         struct error *error)
{
  struct error why = {0};
  job->device = state->device;
  if (!job->device)
    return frames->ops->compute(frames->data, job, error);
  if (frames->ops->compute(frames->data, job, &why) == 0)
    return 0;
  if (frame_cancelled(job, error) != 0)
    return -1;
  leave_device(frames->ops, state, &why);
  job->device = NULL;
  return frames->ops->compute(frames->data, job, error);
}

static int frame_fill(struct tile_worker *worker, const struct stage *stage, void *data, const struct region *region,
                      void *out, struct error *error)
{
  const struct frames *frames = stage->data;
  struct frame_state *state = data;
  size_t bytes = element_info(stage->cube->type)->size, position[CUBE_MAX_DIMENSIONS] = {0}, at[CUBE_MAX_DIMENSIONS];
  struct frame_job job = {
      .at = at, .output = out, .work = state->work, .threads = worker_threads(worker), .cancel = frames->cancel};
  if (region_elements(region) == 0)
    return 0;
  for (size_t d = frames->leading; d < region->dimensions; d++)
    bytes *= region->count[d];
  do {
    for (size_t d = 0; d < frames->leading; d++)
      at[d] = region->start[d] + position[d];
    if (frame_cancelled(&job, error) != 0)
      return -1;
    for (size_t i = 0; i < stage->input_count; i++) {
      if (pull_frame(worker, stage, state, i, at, error) != 0)
        return -1;
      job.inputs[i] = state->inputs[i].data;
    }
    if (compute_frame(frames, state, &job, error) != 0)
      return -1;
    job.output = (unsigned char *)job.output + bytes;
  } while (next_position(region->count, position, frames->leading));
  return 0;
}

static void frame_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct frames *frames = stage->data;
  (void)plan;
  buffer_printf(out, " %s of stage", frames->ops->name);
  for (size_t i = 0; i < stage->input_count; i++)
    buffer_printf(out, "%s %zu", i ? " and" : "", stage->inputs[i]->stage);
  for (size_t d = 0; d < frames->leading; d++)
    buffer_printf(out, "%s %s", d ? "," : " for each", stage->cube->dimension[d].name);
  buffer_printf(out, "%s", frames->note ? frames->note : "");
}

#define FRAME_STAGE                                                                                                    \
  .name = "frames", .make = frame_make, .bytes = frame_bytes, .start = frame_start, .fill = frame_fill,                \
  .stop = frame_stop, .print = frame_print, .cost = 64

const struct stage_ops frame_stage = {FRAME_STAGE};
const struct stage_ops frame_reduce_stage = {FRAME_STAGE, .reduces = true};
