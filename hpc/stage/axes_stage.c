/* The axes stage: pulls the axes that its function takes, whole, for the region's positions of the other dimensions,
 * and runs the function at one position after the other. */
#include "hpc/stage/axes_stage.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"
#include "hpc/plan/plan_internal.h"
#include "hpc/plan/rewrite.h"

#include <stdlib.h>
#include <string.h>

struct axes_state {
  struct room pulled;
  double *in; /* along the axes taken, at one position */
  void *work;
};

/* ---- nodes and planning ------------------------------------------------------------------------------------------ */

const struct node *node_axes(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct axes *axes)
{
  const struct cube plain = {.type = ELEMENT_F64, .has_nodata = true, .nodata = na_f64()};
  input = node_convert(arena, input, &plain);
  const struct node **inputs = input ? arena_copy(arena, &input, sizeof input) : NULL;
  if (!inputs)
    return NULL;
  struct stage_node stage = {.ops = &axes_stage, .inputs = inputs, .input_count = 1, .data = axes};
  stage.data_hash = axes->function->hash;
  hash_bytes(&stage.data_hash, axes->function->name, strlen(axes->function->name));
  hash_bytes(&stage.data_hash, axes->taken, axes->taken_count * sizeof *axes->taken);
  return node_stage(arena, origin, cube, &stage);
}

static bool is_taken(const struct axes *axes, size_t d)
{
  for (size_t i = 0; i < axes->taken_count; i++)
    if (axes->taken[i] == d)
      return true;
  return false;
}

static int axes_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct axes *axes = stage->node->data;
  const struct cube *from = stage->node->children[0]->cube;
  struct stage_input *input = stage_reads(list, stage->node->children[0], error);
  if (!input)
    return -1;
  const struct stage *upstream = stage_at(list, input->stage);
  size_t others = 0;
  stage->data = axes;
  for (size_t d = 0; d < from->dimensions; d++) {
    if (is_taken(axes, d))
      continue;
    size_t out = others++;
    stage->mode[out] = upstream->mode[d] == MODE_AXIS ? MODE_AXIS : MODE_OUT;
    if (stage->mode[out] == MODE_OUT)
      input->need[d] = (struct need){.kind = NEED_RUN, .out = (int)out, .size = from->dimension[d].size};
  }
  for (size_t d = others; d < stage->cube->dimensions; d++)
    stage->mode[d] = MODE_AXIS;
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

/* Numbers that the function takes. */
static size_t taken_numbers(const struct axes *axes, const struct cube *from)
{
  size_t count = 1;
  for (size_t i = 0; i < axes->taken_count; i++)
    count = saturated_mul(count, from->dimension[axes->taken[i]].size);
  return count;
}

static size_t axes_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const struct axes *axes = stage->data;
  size_t upstream = stage->inputs[0]->stage, in[CUBE_MAX_DIMENSIONS];
  const struct cube *from = plan_stage(plan, upstream)->cube;
  input_counts(stage->inputs[0], from, count, in);
  size_t own = saturated_mul(taken_numbers(axes, from), sizeof(double));
  own = saturated_add(own, axes->function->work_bytes);
  own = saturated_add(own, cube_part_bytes(from, in));
  return saturated_add(own, plan_stage_bytes(plan, upstream, in));
}

static void axes_stop(const struct stage *stage, void *data)
{
  struct axes_state *state = data;
  (void)stage;
  if (!state)
    return;
  room_free(&state->pulled);
  free(state->in);
  free(state->work);
  free(state);
}

static int axes_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  const struct axes *axes = stage->data;
  const struct cube *from = plan_stage(worker_plan(worker), stage->inputs[0]->stage)->cube;
  struct axes_state *state = calloc(1, sizeof *state);
  if (!state)
    return error_memory(error);
  size_t work = (axes->function->work_bytes + 64) & ~(size_t)63; /* aligned for lanes, and never nothing */
  state->in = calloc(taken_numbers(axes, from) + 1, sizeof *state->in);
  state->work = aligned_alloc(64, work);
  if (!state->in || !state->work) {
    axes_stop(stage, state);
    return error_memory(error);
  }
  *out = state;
  return 0;
}

/* ---- filling ---------------------------------------------------------------------------------------------------- */

struct axes_walk {                   /* how elements that were pulled lie */
  size_t taken[CUBE_MAX_DIMENSIONS]; /* size and stride of the axes taken */
  size_t taken_stride[CUBE_MAX_DIMENSIONS];
  size_t taken_count;
  size_t other[CUBE_MAX_DIMENSIONS]; /* of the other dimensions */
  size_t other_stride[CUBE_MAX_DIMENSIONS];
  size_t other_count;
};

static void lay_out(const struct axes *axes, const struct region *in, struct axes_walk *walk)
{
  size_t stride[CUBE_MAX_DIMENSIONS];
  region_strides(in, stride);
  *walk = (struct axes_walk){.taken_count = axes->taken_count};
  for (size_t i = 0; i < axes->taken_count; i++) {
    walk->taken[i] = in->count[axes->taken[i]];
    walk->taken_stride[i] = stride[axes->taken[i]];
  }
  for (size_t d = 0; d < in->dimensions; d++) {
    if (is_taken(axes, d))
      continue;
    walk->other[walk->other_count] = in->count[d];
    walk->other_stride[walk->other_count++] = stride[d];
  }
}

/* The numbers along the axes taken, from `base` on. */
static void gather(const struct axes_walk *walk, const double *base, double *to)
{
  size_t last = walk->taken_count - 1, position[CUBE_MAX_DIMENSIONS] = {0};
  do {
    const double *from = base;
    for (size_t i = 0; i < last; i++)
      from += position[i] * walk->taken_stride[i];
    for (size_t k = 0; k < walk->taken[last]; k++)
      *to++ = from[k * walk->taken_stride[last]];
  } while (next_position(walk->taken, position, last));
}

int axes_go_on(const struct axes_point *at, struct error *error)
{
  return at->cancel && *at->cancel ? error_set(error, ERROR_RequestTimeout, "the run was cancelled") : 0;
}

static int axes_fill(struct tile_worker *worker, const struct stage *stage, void *data, const struct region *region,
                     void *out, struct error *error)
{
  const struct axes *axes = stage->data;
  struct axes_state *state = data;
  size_t upstream = stage->inputs[0]->stage, made = 1, position[CUBE_MAX_DIMENSIONS] = {0};
  const struct cube *from = plan_stage(worker_plan(worker), upstream)->cube;
  struct region in;
  struct axes_walk walk;
  if (region_elements(region) == 0)
    return 0;
  input_region(stage->inputs[0], from->dimensions, region, &in);
  if (room_for(&state->pulled, region_bytes(from, &in), error) != 0 ||
      worker_pull(worker, upstream, &in, state->pulled.data, error) != 0)
    return -1;
  lay_out(axes, &in, &walk);
  for (size_t d = region->dimensions - axes->made_count; d < region->dimensions; d++)
    made *= region->count[d];
  struct axes_point at = {state->in, out, state->work, worker_cancel(worker)};
  do {
    const double *base = state->pulled.data;
    for (size_t i = 0; i < walk.other_count; i++)
      base += position[i] * walk.other_stride[i];
    gather(&walk, base, state->in);
    if (axes_go_on(&at, error) != 0 || axes->function->run(axes->function->data, &at, error) != 0)
      return -1;
    at.out += made;
  } while (next_position(walk.other, position, walk.other_count));
  return 0;
}

static void axes_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct axes *axes = stage->data;
  const struct cube *from = plan_stage(plan, stage->inputs[0]->stage)->cube;
  buffer_printf(out, " %s of stage %zu: whole axes", axes->function->name, stage->inputs[0]->stage);
  for (size_t i = 0; i < axes->taken_count; i++)
    buffer_printf(out, "%s %s %zu", i ? "," : "", from->dimension[axes->taken[i]].name,
                  from->dimension[axes->taken[i]].size);
}

static void axes_print_more(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  stage_input_print(plan, stage, stage->inputs[0], out);
}

const struct stage_ops axes_stage = {.name = "axes",
                                     .make = axes_make,
                                     .bytes = axes_bytes,
                                     .start = axes_start,
                                     .fill = axes_fill,
                                     .stop = axes_stop,
                                     .print = axes_print,
                                     .print_more = axes_print_more,
                                     .reduces = true,
                                     .cost = 64};
