/* Filling tiles: a stage pulls the regions it needs from its inputs into buffers of its own, then runs. */
#include "hpc/run/worker.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct room { /* growing buffer */
  void *data;
  size_t bytes;
};

struct stage_state {
  struct source_reader *reader; /* SOURCE */
  struct warper *warper;        /* WARP */
  struct room *inputs;          /* KERNEL: one per input; WARP: one */
  size_t input_count;
  struct region *regions;       /* KERNEL: of the inputs, for the tile in work */
  struct kernel_step *steps;    /* KERNEL: the variant's steps with offsets of the tile in work */
  ptrdiff_t *offsets;           /* KERNEL: memory of the steps' offsets */
  const void **bases;           /* KERNEL: one per load */
  size_t (*strides)[CUBE_MAX_DIMENSIONS]; /* KERNEL: of each input's buffer, per dimension of that stage */
  struct room scratch;
};

struct worker {
  const struct plan *plan;
  struct stage_state *stages;
  struct room out;
};

static int fill_stage(struct worker *w, size_t stage, const struct region *region, void *data, struct error *error);

/* Large buffers take huge pages where the system has them: fewer faults while the first tile is filled. */
static int room_for(struct room *room, size_t bytes, struct error *error)
{
  enum { PAGE = 4096, HUGE_PAGE = 2 << 20 };
  size_t align = bytes >= 4 * (size_t)HUGE_PAGE ? HUGE_PAGE : PAGE;
  if (bytes <= room->bytes && room->data)
    return 0;
  free(room->data);
  room->bytes = (bytes + align - 1) & ~(align - 1);
  room->data = room->bytes < bytes ? NULL : aligned_alloc(align, room->bytes ? room->bytes : align);
  if (room->data && align == HUGE_PAGE)
    madvise(room->data, room->bytes, MADV_HUGEPAGE);
  return room->data ? 0 : error_memory(error);
}

static size_t region_bytes(const struct cube *cube, const struct region *region)
{
  return saturated_mul(element_info(cube->type)->size, region_elements(region));
}

static void dense_strides(const struct region *region, size_t *strides)
{
  size_t stride = 1;
  for (size_t d = region->dimensions; d-- > 0;) {
    strides[d] = stride;
    stride *= region->count[d];
  }
}

/* ---- sources ---------------------------------------------------------------------------------------------------- */

/* Length of the run of consecutive indexes that starts at position i of dimension d. */
static size_t run_length(const struct region *region, size_t d, size_t i)
{
  if (!region->list[d])
    return region->count[d] - i;
  size_t n = 1;
  while (i + n < region->count[d] && region->list[d][i + n] == region->list[d][i] + n)
    n++;
  return n;
}

/* The innermost dimension that is not one run; everything inside it is read as one box. SIZE_MAX: none. */
static size_t last_broken(const struct region *region)
{
  for (size_t d = region->dimensions; d-- > 0;)
    if (region->count[d] > 0 && run_length(region, d, 0) < region->count[d])
      return d;
  return SIZE_MAX;
}

static bool next_position(const struct region *region, size_t *position, size_t dimensions)
{
  for (size_t d = dimensions; d-- > 0;) {
    if (++position[d] < region->count[d])
      return true;
    position[d] = 0;
  }
  return false;
}

typedef int (*fill_box)(struct worker *w, size_t index, const struct region *box, void *data, struct error *error);

/* Fills a region with lists piece by piece: each piece is one run per dimension and dense in `data`. */
static int fill_runs(struct worker *w, size_t index, const struct region *region, void *data, fill_box fill, struct error *error)
{
  size_t broken = last_broken(region), size = element_info(w->plan->stages[index].cube->type)->size;
  size_t outer = broken == SIZE_MAX ? 0 : broken, position[CUBE_MAX_DIMENSIONS] = {0};
  struct region piece = {.dimensions = region->dimensions};
  unsigned char *at = data;
  if (region_elements(region) == 0)
    return 0;
  do {
    for (size_t i = 0; i < (broken == SIZE_MAX ? 1 : region->count[broken]);) {
      size_t run = 1;
      for (size_t d = 0; d < region->dimensions; d++) {
        piece.start[d] = region_index(region, d, d < outer ? position[d] : 0);
        piece.count[d] = d < outer ? 1 : region->count[d];
      }
      if (broken != SIZE_MAX) {
        run = run_length(region, broken, i);
        piece.start[broken] = region_index(region, broken, i);
        piece.count[broken] = run;
      }
      if (fill(w, index, &piece, at, error) != 0)
        return -1;
      at += region_elements(&piece) * size;
      i += run;
    }
  } while (next_position(region, position, outer));
  return 0;
}

static int fill_source(struct worker *w, size_t index, const struct region *region, void *data, struct error *error)
{
  const struct stage *stage = &w->plan->stages[index];
  struct box box = {.dimensions = region->dimensions};
  memcpy(box.start, region->start, sizeof box.start);
  memcpy(box.count, region->count, sizeof box.count);
  if (stage->node->source->ops->read(w->stages[index].reader, &box, data, error) != 0)
    return error_at_node(error, stage->node->id);
  return 0;
}

/* ---- warps ------------------------------------------------------------------------------------------------------ */

static void fill_missing(const struct cube *cube, void *data, size_t count)
{
  size_t size = element_info(cube->type)->size;
  double missing = cube->has_nodata ? cube->nodata : element_info(cube->type)->is_float ? NAN : 0;
  if (cube->type == ELEMENT_F32)
    for (size_t i = 0; i < count; i++)
      ((float *)data)[i] = (float)missing;
  else if (cube->type == ELEMENT_F64)
    for (size_t i = 0; i < count; i++)
      ((double *)data)[i] = missing;
  else {
    uint64_t whole = missing < 0 ? (uint64_t)(int64_t)missing : (uint64_t)missing; /* little-endian: the low bytes are the value */
    for (size_t i = 0; i < count; i++)
      memcpy((unsigned char *)data + i * size, &whole, size);
  }
}

/* Fills the upstream region for one combination of the running outer dimensions; returns the buffer of its planes. */
static int warp_input(struct worker *w, size_t index, const struct region *region, const size_t *position,
                      const size_t *from_start, const size_t *from_count, struct error *error)
{
  const struct stage *stage = &w->plan->stages[index];
  size_t planes = stage->cube->dimensions - 2;
  struct region up = {.dimensions = region->dimensions};
  for (size_t d = 0; d < planes; d++) {
    bool whole = stage->mode[d] == MODE_AXIS;
    up.start[d] = whole ? 0 : region_index(region, d, position[d]);
    up.count[d] = whole ? stage->cube->dimension[d].size : 1;
  }
  for (size_t k = 0; k < 2; k++) {
    up.start[planes + k] = from_start[k];
    up.count[planes + k] = from_count[k];
  }
  struct room *room = &w->stages[index].inputs[0];
  if (room_for(room, region_bytes(w->plan->stages[stage->upstream].cube, &up), error) != 0)
    return -1;
  return fill_stage(w, stage->upstream, &up, room->data, error);
}

/* Plane of the upstream buffer that a position asks for. */
static size_t warp_plane(const struct stage *stage, const struct region *region, const size_t *position)
{
  size_t plane = 0;
  for (size_t d = 0; d + 2 < stage->cube->dimensions; d++)
    if (stage->mode[d] == MODE_AXIS)
      plane = plane * stage->cube->dimension[d].size + region_index(region, d, position[d]);
  return plane;
}

static int fill_warp(struct worker *w, size_t index, const struct region *region, void *data, struct error *error)
{
  const struct stage *stage = &w->plan->stages[index];
  const struct cube *cube = stage->cube;
  size_t y = cube->dimensions - 2, size = element_info(cube->type)->size, position[CUBE_MAX_DIMENSIONS] = {0};
  const size_t *to_start = &region->start[y], *to_count = &region->count[y];
  size_t from_start[2], from_count[2], pixels = to_count[0] * to_count[1];
  if (region_elements(region) == 0)
    return 0;
  if (warper_need(w->stages[index].warper, to_start, to_count, from_start, from_count, error) != 0)
    return error_at_node(error, stage->node->id);
  if (from_count[0] == 0 || from_count[1] == 0) {
    fill_missing(cube, data, region_elements(region));
    return 0;
  }
  for (size_t k = 0; k < 2; k++)
    if (stage->mode[y + k] == MODE_AXIS) { /* upstream makes it as an array: whole */
      from_start[k] = 0;
      from_count[k] = w->plan->stages[stage->upstream].cube->dimension[y + k].size;
    }
  unsigned char *at = data;
  do {
    if (warp_input(w, index, region, position, from_start, from_count, error) != 0)
      return -1;
    const unsigned char *from = w->stages[index].inputs[0].data;
    from += warp_plane(stage, region, position) * from_count[0] * from_count[1] * size;
    if (warper_run(w->stages[index].warper, cube->type, cube->has_nodata, cube->nodata, 1, from_start, from_count, from,
                   to_start, to_count, at, error) != 0)
      return error_at_node(error, stage->node->id);
    at += pixels * size;
  } while (next_position(region, position, y));
  return 0;
}

/* ---- kernels ---------------------------------------------------------------------------------------------------- */

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
  for (size_t d = 0; d < c->dimensions; d++)
    if (c->load->dim[d].kind == BIND_AXIS && c->load->dim[d].id == c->load->axis[k])
      offset += (ptrdiff_t)(c->load->position[d][index] * c->strides[d]);
  return offset;
}

struct store_context {
  size_t stride[CUBE_MAX_DIMENSIONS]; /* per axis of the store */
};

static ptrdiff_t store_offset(const void *data, size_t k, size_t index)
{
  const struct store_context *c = data;
  return (ptrdiff_t)(c->stride[k] * index);
}

/* One running dimension of the output, with its stride in each load's buffer and in the output. */
struct running {
  size_t dimension, count;
};

struct job { /* one variant on one part of a region */
  struct worker *w;
  const struct stage *stage;
  struct stage_state *state;
  const struct variant *variant;
  const struct region *region; /* FIXED dimensions have count 1 */
  const size_t *out_stride;
  unsigned char *out;          /* element (0, 0, …) of the region */
  size_t size;                 /* bytes of an output element */
};

static size_t load_stride(const struct job *job, size_t l, size_t out_dimension)
{
  const struct load *load = &job->variant->loads[l];
  const struct stage_input *input = &job->variant->inputs[load->input];
  size_t stride = 0;
  for (size_t d = 0; d < job->w->plan->stages[input->stage].cube->dimensions; d++)
    if (load->dim[d].kind == BIND_OUT && load->dim[d].id == (int)out_dimension)
      stride += job->state->strides[load->input][d];
  return stride;
}

/* Whether dimension `outer` can be one run with lanes of `count` and innermost dimension `inner`. */
static bool flattens(const struct job *job, size_t outer, size_t inner, size_t count)
{
  if (job->out_stride[outer] != job->out_stride[inner] * count)
    return false;
  for (size_t l = 0; l < job->variant->load_count; l++)
    if (load_stride(job, l, outer) != load_stride(job, l, inner) * count)
      return false;
  return true;
}

/* Chooses the lanes: the last running dimension (or the longest, where the last is short), joined with those before it
 * while memory is even. The rest are outer loops. */
static size_t choose_lanes(const struct job *job, size_t *lane_dimension, struct running *outer, size_t *outer_count)
{
  size_t running[CUBE_MAX_DIMENSIONS], n = 0;
  for (size_t d = 0; d < job->region->dimensions; d++)
    if (job->stage->mode[d] == MODE_OUT && job->region->count[d] != 1)
      running[n++] = d;
  *outer_count = 0;
  *lane_dimension = SIZE_MAX;
  if (n == 0)
    return 1;
  size_t inner = n - 1;
  for (size_t i = 0; i < n; i++)
    if (job->region->count[running[n - 1]] < 32 && job->region->count[running[i]] > 4 * job->region->count[running[inner]])
      inner = i;
  *lane_dimension = running[inner];
  size_t lanes = job->region->count[running[inner]], first = inner;
  while (first > 0 && flattens(job, running[first - 1], running[inner], lanes))
    lanes *= job->region->count[running[--first]];
  for (size_t i = 0; i < n; i++)
    if (i < first || i > inner)
      outer[(*outer_count)++] = (struct running){running[i], job->region->count[running[i]]};
  return lanes;
}

/* Copies the steps and fills in the offsets and lane strides of this tile. */
static void place_steps(const struct job *job, size_t lane_dimension)
{
  const struct variant *variant = job->variant;
  struct stage_state *state = job->state;
  ptrdiff_t *offsets = state->offsets;
  memcpy(state->steps, variant->kernel.steps, variant->kernel.step_count * sizeof *state->steps);
  for (size_t l = 0; l < variant->load_count; l++) {
    const struct load *load = &variant->loads[l];
    struct load_context context = {load, state->strides[load->input],
                                   job->w->plan->stages[variant->inputs[load->input].stage].cube->dimensions};
    struct kernel_step *step = &state->steps[load->step];
    step->offsets = offsets;
    step->lane_stride = lane_dimension == SIZE_MAX ? 0 : (ptrdiff_t)load_stride(job, l, lane_dimension);
    offsets += block_offsets(variant, load->axis, load->axes, offsets, load_offset, &context);
  }
  struct kernel_step *store = &state->steps[variant->store_step];
  struct store_context context;
  int axis[CUBE_MAX_DIMENSIONS];
  size_t axes = 0;
  for (size_t d = 0; d < job->region->dimensions; d++)
    if (variant->out_axis[d] >= 0) { /* ids ascend with the dimensions */
      context.stride[axes] = job->out_stride[d];
      axis[axes++] = variant->out_axis[d];
    }
  store->offsets = offsets;
  store->lane_stride = lane_dimension == SIZE_MAX ? 1 : (ptrdiff_t)job->out_stride[lane_dimension];
  block_offsets(variant, axis, axes, offsets, store_offset, &context);
}

/* Address of position (0, …) of each load, then moved by the outer loops' position. */
static void place_bases(const struct job *job, const struct running *outer, size_t count, const size_t *position)
{
  for (size_t l = 0; l < job->variant->load_count; l++) {
    const struct load *load = &job->variant->loads[l];
    const struct cube *cube = job->w->plan->stages[job->variant->inputs[load->input].stage].cube;
    size_t offset = 0;
    for (size_t d = 0; d < cube->dimensions; d++)
      if (load->dim[d].kind == BIND_FIXED)
        offset += load->position[d][0] * job->state->strides[load->input][d];
    for (size_t k = 0; k < count; k++)
      offset += position[k] * load_stride(job, l, outer[k].dimension);
    job->state->bases[l] = (const unsigned char *)job->state->inputs[load->input].data + offset * element_info(cube->type)->size;
  }
}

static int fill_inputs(const struct job *job, struct error *error)
{
  for (size_t i = 0; i < job->variant->input_count; i++) {
    const struct stage_input *input = &job->variant->inputs[i];
    const struct cube *cube = job->w->plan->stages[input->stage].cube;
    struct region *region = &job->state->regions[i];
    input_region(input, cube->dimensions, job->region, region);
    dense_strides(region, job->state->strides[i]);
    if (room_for(&job->state->inputs[i], region_bytes(cube, region), error) != 0 ||
        fill_stage(job->w, input->stage, region, job->state->inputs[i].data, error) != 0)
      return -1;
  }
  return 0;
}

static int run_variant(struct job *job, struct error *error)
{
  struct running outer[CUBE_MAX_DIMENSIONS];
  size_t outer_count, lane_dimension, position[CUBE_MAX_DIMENSIONS] = {0};
  if (region_elements(job->region) == 0)
    return 0;
  if (fill_inputs(job, error) != 0)
    return -1;
  size_t lanes = choose_lanes(job, &lane_dimension, outer, &outer_count);
  place_steps(job, lane_dimension);
  struct kernel kernel = job->variant->kernel;
  kernel.steps = job->state->steps;
  if (room_for(&job->state->scratch, kernel_scratch_bytes(&kernel), error) != 0)
    return -1;
  for (;;) {
    size_t k = outer_count, offset = 0;
    place_bases(job, outer, outer_count, position);
    for (size_t i = 0; i < outer_count; i++)
      offset += position[i] * job->out_stride[outer[i].dimension];
    kernel_run(&kernel, job->state->scratch.data, job->state->bases, job->out + offset * job->size, lanes);
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

static int fill_kernel(struct worker *w, size_t index, const struct region *region, void *data, struct error *error)
{
  const struct stage *stage = &w->plan->stages[index];
  size_t strides[CUBE_MAX_DIMENSIONS], at[CUBE_MAX_DIMENSIONS] = {0}, size = element_info(stage->cube->type)->size;
  struct region part = {.dimensions = region->dimensions};
  if (region_elements(region) == 0)
    return 0;
  dense_strides(region, strides);
  for (;;) {
    size_t offset = 0, d = region->dimensions;
    for (size_t k = 0; k < region->dimensions; k++) {
      part.start[k] = region->start[k] + at[k];
      part.count[k] = part_count(stage, region, k, at[k]);
      offset += at[k] * strides[k];
    }
    struct job job = {.w = w, .stage = stage, .state = &w->stages[index], .variant = stage_variant(stage, &part), .region = &part,
                      .out_stride = strides, .out = (unsigned char *)data + offset * size, .size = size};
    if (run_variant(&job, error) != 0)
      return -1;
    while (d > 0 && (at[d - 1] += part.count[d - 1]) == region->count[d - 1])
      at[--d] = 0;
    if (d == 0)
      return 0;
  }
}

static int fill_stage(struct worker *w, size_t index, const struct region *region, void *data, struct error *error)
{
  const struct stage *stage = &w->plan->stages[index];
  struct region in;
  switch (stage->kind) {
  case STAGE_SOURCE:
    return fill_runs(w, index, region, data, fill_source, error);
  case STAGE_WARP:
    return fill_runs(w, index, region, data, fill_warp, error);
  case STAGE_KERNEL:
    return fill_runs(w, index, region, data, fill_kernel, error);
  case STAGE_PASS:
    input_region(&stage->pass, w->plan->stages[stage->upstream].cube->dimensions, region, &in);
    return fill_stage(w, stage->upstream, &in, data, error);
  }
  return error_set(error, "Internal", "unknown stage");
}

/* ---- start and stop --------------------------------------------------------------------------------------------- */

/* Largest counts over a kernel stage's variants. */
static void kernel_maxima(const struct stage *stage, size_t *inputs, size_t *steps, size_t *offsets, size_t *loads)
{
  for (size_t v = 0; v < stage->variant_count; v++) {
    const struct variant *variant = &stage->variants[v];
    size_t blocks = variant->kernel.steps[variant->store_step].blocks;
    for (size_t l = 0; l < variant->load_count; l++)
      blocks += variant->kernel.steps[variant->loads[l].step].blocks;
    *inputs = variant->input_count > *inputs ? variant->input_count : *inputs;
    *steps = variant->kernel.step_count > *steps ? variant->kernel.step_count : *steps;
    *offsets = blocks > *offsets ? blocks : *offsets;
    *loads = variant->load_count > *loads ? variant->load_count : *loads;
  }
}

static int start_kernel(const struct stage *stage, struct stage_state *state, struct error *error)
{
  size_t inputs = 0, steps = 0, offsets = 0, loads = 0;
  kernel_maxima(stage, &inputs, &steps, &offsets, &loads);
  state->inputs = calloc(inputs + 1, sizeof *state->inputs);
  state->input_count = inputs;
  state->regions = calloc(inputs + 1, sizeof *state->regions);
  state->strides = calloc(inputs + 1, sizeof *state->strides);
  state->steps = calloc(steps + 1, sizeof *state->steps);
  state->offsets = calloc(offsets + 1, sizeof *state->offsets);
  state->bases = calloc(loads + 1, sizeof *state->bases);
  if (!state->inputs || !state->regions || !state->strides || !state->steps || !state->offsets || !state->bases)
    return error_memory(error);
  return 0;
}

static int start_stage(const struct plan *plan, const struct stage *stage, struct stage_state *state,
                       struct error *error)
{
  switch (stage->kind) {
  case STAGE_SOURCE:
    return stage->node->source->ops->open(stage->node->source, plan->reader_threads, &state->reader, error);
  case STAGE_WARP:
    state->inputs = calloc(1, sizeof *state->inputs);
    state->input_count = 1;
    if (!state->inputs)
      return error_memory(error);
    return warper_new(&stage->from, &stage->node->grid, stage->node->method, &state->warper, error);
  case STAGE_KERNEL:
    return start_kernel(stage, state, error);
  case STAGE_PASS:
    return 0;
  }
  return 0;
}

int worker_start(const struct plan *plan, struct worker **out, struct error *error)
{
  struct worker *w = calloc(1, sizeof *w);
  if (!w)
    return error_memory(error);
  w->plan = plan;
  w->stages = calloc(plan->stage_count, sizeof *w->stages);
  int status = w->stages ? 0 : error_memory(error);
  for (size_t s = 0; status == 0 && s < plan->stage_count; s++) {
    status = start_stage(plan, &plan->stages[s], &w->stages[s], error);
    if (status != 0)
      error_at_node(error, plan->stages[s].node->id);
  }
  if (status != 0) {
    worker_stop(w);
    return -1;
  }
  *out = w;
  return 0;
}

int worker_fill(struct worker *w, const struct region *tile, const void **data, struct error *error)
{
  if (room_for(&w->out, region_bytes(w->plan->cube, tile), error) != 0)
    return -1;
  *data = w->out.data;
  return fill_stage(w, w->plan->stage_count - 1, tile, w->out.data, error);
}

void worker_stop(struct worker *w)
{
  if (!w)
    return;
  for (size_t s = 0; w->stages && s < w->plan->stage_count; s++) {
    struct stage_state *state = &w->stages[s];
    if (state->reader)
      w->plan->stages[s].node->source->ops->close(state->reader);
    if (state->warper)
      warper_free(state->warper);
    for (size_t i = 0; state->inputs && i < state->input_count; i++)
      free(state->inputs[i].data);
    free(state->inputs);
    free(state->regions);
    free(state->strides);
    free(state->steps);
    free(state->offsets);
    free(state->bases);
    free(state->scratch.data);
  }
  free(w->stages);
  free(w->out.data);
  free(w);
}
