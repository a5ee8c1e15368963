/* The accumulate stage: a reducer along one dimension, of any length, in parts.
 *
 * A region's positions each have a state; the dimension is pulled in parts and stepped through in order. Parts end at
 * multiples of 256 elements, so the bits do not depend on how long they are. */
#include "hpc/stage/accumulate_stage.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PART_UNIT = 256 };
static const size_t part_bytes = (size_t)8 << 20; /* wanted size of a part */

struct accumulate_data_of { /* stage->data, node->data */
  struct accumulator accumulator;
  size_t dimension; /* of the input */
};

struct accumulate_state {
  struct room part, states, results;
};

enum element_type accumulated_type(enum kernel_reducer reducer, enum element_type type)
{
  return reducer != KRED_COUNT && element_info(type)->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
}

void accumulated_store(enum element_type type, const double *from, size_t count, void *to)
{
  if (type == ELEMENT_F64) {
    memcpy(to, from, count * sizeof *from);
    return;
  }
  for (size_t i = 0; i < count; i++)
    ((float *)to)[i] = (float)from[i];
}

const struct node *node_accumulate(struct arena *arena, const struct node *like, const struct node *before,
                                   size_t dimension, const struct program_step *reducer)
{
  struct cube *cube = arena_copy(arena, before->cube, sizeof *cube);
  struct accumulate_data_of *data = ARENA_NEW(arena, struct accumulate_data_of);
  const struct node **inputs = arena_copy(arena, &before, sizeof before);
  if (!cube || !data || !inputs)
    return NULL;
  memmove(&cube->dimension[dimension], &cube->dimension[dimension + 1],
          (cube->dimensions - dimension - 1) * sizeof cube->dimension[0]);
  cube->dimensions--;
  cube->bands = NULL;
  cube->type = accumulated_type((enum kernel_reducer)reducer->op, before->cube->type);
  cube->has_nodata = true;
  cube->nodata = na_f64();
  *data = (struct accumulate_data_of){{(enum kernel_reducer)reducer->op, reducer->parameters}, dimension};
  struct stage_node stage = {.ops = &accumulate_stage, .inputs = inputs, .input_count = 1, .data = data};
  hash_word(&stage.data_hash, (uint64_t)reducer->op << 32 | dimension);
  hash_bytes(&stage.data_hash, reducer->parameters, reducer->parameter_count * sizeof(double));
  return node_stage(arena, (struct node_origin){like->id, like->process}, cube, &stage);
}

static int accumulate_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct accumulate_data_of *data = stage->node->data;
  struct stage_input *input = stage_reads(list, stage->node->children[0], error);
  if (!input)
    return -1;
  stage->data = data;
  for (size_t d = 0; d < stage->node->children[0]->cube->dimensions; d++)
    if (d != data->dimension) {
      size_t size = stage->node->children[0]->cube->dimension[d].size;
      input->need[d] = (struct need){.kind = NEED_RUN, .out = (int)(d < data->dimension ? d : d - 1), .size = size};
    }
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

/* Length of a part where a region has so many positions. */
static size_t part_length(const struct cube *cube, size_t dimension, size_t positions)
{
  size_t slice = saturated_mul(positions ? positions : 1, element_info(cube->type)->size);
  size_t length = part_bytes / slice / PART_UNIT * PART_UNIT, size = cube->dimension[dimension].size;
  length = length ? length : PART_UNIT;
  return length < size ? length : size;
}

static size_t accumulate_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const struct accumulate_data_of *data = stage->data;
  size_t upstream = stage->inputs[0]->stage, in[CUBE_MAX_DIMENSIONS], positions = 1;
  const struct cube *cube = plan_stage(plan, upstream)->cube;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    positions = saturated_mul(positions, count[d]);
  input_counts(stage->inputs[0], cube, count, in);
  in[data->dimension] = part_length(cube, data->dimension, positions);
  size_t states = kernel_reducer_states(data->accumulator.reducer) + 1;
  size_t own = saturated_mul(positions, states * sizeof(double));
  return saturated_add(saturated_add(own, cube_part_bytes(cube, in)), plan_stage_bytes(plan, upstream, in));
}

static int accumulate_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  (void)worker;
  (void)stage;
  *out = calloc(1, sizeof(struct accumulate_state));
  return *out ? 0 : error_memory(error);
}

static void accumulate_stop(const struct stage *stage, void *data)
{
  struct accumulate_state *state = data;
  (void)stage;
  if (!state)
    return;
  room_free(&state->part);
  room_free(&state->states);
  room_free(&state->results);
  free(state);
}

/* Pulls the parts in order and steps through them. */
static int step_parts(struct tile_worker *worker, const struct stage *stage, struct accumulate_state *state,
                      const struct region *region, struct error *error)
{
  const struct accumulate_data_of *data = stage->data;
  size_t upstream = stage->inputs[0]->stage, d = data->dimension, positions = region_elements(region);
  const struct cube *cube = plan_stage(worker_plan(worker), upstream)->cube;
  size_t size = cube->dimension[d].size, length = part_length(cube, d, positions);
  struct accumulate_shape shape = {1, 0, 1};
  struct region in;
  input_region(stage->inputs[0], cube->dimensions, region, &in);
  in.list[d] = NULL;
  for (size_t k = 0; k < cube->dimensions; k++)
    *(k < d ? &shape.outer : &shape.inner) *= k == d ? 1 : in.count[k];
  for (size_t at = 0; at < size; at += length) {
    in.start[d] = at;
    in.count[d] = shape.n = size - at < length ? size - at : length;
    if (room_for(&state->part, region_bytes(cube, &in), error) != 0 ||
        worker_pull(worker, upstream, &in, state->part.data, error) != 0)
      return -1;
    struct accumulate_data elements = {state->part.data, cube->type, cube->has_nodata, cube->nodata};
    kernel_accumulate_step(&data->accumulator, state->states.data, &elements, shape);
  }
  return 0;
}

static int accumulate_fill(struct tile_worker *worker, const struct stage *stage, void *data,
                           const struct region *region, void *out, struct error *error)
{
  const struct accumulator *accumulator = &((const struct accumulate_data_of *)stage->data)->accumulator;
  struct accumulate_state *state = data;
  size_t positions = region_elements(region), states = kernel_reducer_states(accumulator->reducer);
  if (room_for(&state->states, saturated_mul(positions, states * sizeof(double)), error) != 0 ||
      room_for(&state->results, positions * sizeof(double), error) != 0)
    return -1;
  kernel_accumulate_init(accumulator, state->states.data, positions);
  if (step_parts(worker, stage, state, region, error) != 0)
    return -1;
  kernel_accumulate_finish(accumulator, state->states.data, positions, state->results.data);
  accumulated_store(stage->cube->type, state->results.data, positions, out);
  return 0;
}

static void accumulate_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct accumulate_data_of *data = stage->data;
  const struct cube *cube = plan_stage(plan, stage->inputs[0]->stage)->cube;
  buffer_printf(out, " %s along %s of stage %zu, in parts", kernel_reducer_name(data->accumulator.reducer),
                cube->dimension[data->dimension].name, stage->inputs[0]->stage);
}

const struct stage_ops accumulate_stage = {.name = "accumulate",
                                           .make = accumulate_make,
                                           .bytes = accumulate_bytes,
                                           .start = accumulate_start,
                                           .fill = accumulate_fill,
                                           .stop = accumulate_stop,
                                           .print = accumulate_print,
                                           .reduces = true,
                                           .cost = 1};
