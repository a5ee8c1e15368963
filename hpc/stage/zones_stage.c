/* The stages of zones.
 *
 *   zones   a reducer by zone: one pass over the squares of the plane that have pixels of a zone; every zone has a
 * state for each position of the other dimensions. Linear in pixels, whatever the number of zones. gather  the pixels
 * of every zone, one zone behind the other: for programs whose reducers need all of an array
 *
 * The order of a zone's pixels is that of the squares, and within one of rows: it does not depend on tiles. */
#include "hpc/stage/zones_stage.h"

#include "datacube/base/checked.h"
#include "hpc/stage/accumulate_stage.h"
#include "hpc/stage/zone_squares.h"

#include <stdlib.h>
#include <string.h>

struct zones_state {
  struct room plane, states, results, next;
};

/* ---- planning -----------------------------------------------------------------------------------------------------
 */

static int zones_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct node *from = stage->node->children[0];
  size_t y = from->cube->dimensions - 2;
  struct stage_input *input = stage_reads(list, from, error);
  if (!input)
    return -1;
  stage->data = stage->node->data;
  stage->mode[y] = MODE_AXIS; /* the zones, or their pixels */
  for (size_t d = 0; d < y; d++)
    input->need[d] = (struct need){.kind = NEED_RUN, .out = (int)d, .size = from->cube->dimension[d].size};
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

static size_t zones_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const struct zones_data *data = stage->data;
  size_t upstream = stage->inputs[0]->stage, in[CUBE_MAX_DIMENSIONS], y = stage->cube->dimensions - 1;
  const struct cube *cube = plan_stage(plan, upstream)->cube;
  size_t positions = stage->ops == &zones_stage ? data->zones->count : 0;
  memcpy(in, count, sizeof in);
  for (size_t d = 0; d < y; d++)
    positions = saturated_mul(positions, count[d]);
  for (size_t d = y; d < y + 2; d++)
    in[d] = cube->dimension[d].size < ZONE_SQUARE ? cube->dimension[d].size : ZONE_SQUARE;
  size_t states = stage->ops == &zones_stage ? kernel_reducer_states(data->accumulator.reducer) + 1 : 0;
  size_t own = saturated_add(saturated_mul(positions, states * sizeof(double)), data->zones->count * sizeof(size_t));
  return saturated_add(saturated_add(own, cube_part_bytes(cube, in)), plan_stage_bytes(plan, upstream, in));
}

static void zones_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct zones_data *data = stage->data;
  (void)plan;
  if (stage->ops == &zones_stage)
    buffer_printf(out, " %s", kernel_reducer_name(data->accumulator.reducer));
  buffer_printf(out, " of %zu zones with %zu pixels in %zu squares of stage %zu", data->zones->count,
                data->squares->pixels, data->squares->count, stage->inputs[0]->stage);
}

/* ---- filling ------------------------------------------------------------------------------------------------------
 */

static int zones_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  (void)worker;
  (void)stage;
  *out = calloc(1, sizeof(struct zones_state));
  return *out ? 0 : error_memory(error);
}

static void zones_stop(const struct stage *stage, void *data)
{
  struct zones_state *state = data;
  (void)stage;
  if (!state)
    return;
  room_free(&state->plane);
  room_free(&state->states);
  room_free(&state->results);
  room_free(&state->next);
  free(state);
}

struct square_pull { /* one pull of all planes of a square */
  struct tile_worker *worker;
  const struct stage *stage;
  struct zones_state *state;
  const struct region *region;
  void *out;
  size_t planes; /* positions of the other dimensions */
};

/* The square's planes, one behind the other, in state->plane. */
static int pull_square(const struct square_pull *p, const struct zone_square *square, struct error *error)
{
  size_t upstream = p->stage->inputs[0]->stage;
  const struct cube *cube = plan_stage(worker_plan(p->worker), upstream)->cube;
  struct region in;
  input_region(p->stage->inputs[0], cube->dimensions, p->region, &in);
  for (size_t k = 0; k < 2; k++) {
    size_t d = cube->dimensions - 2 + k;
    in.list[d] = NULL;
    in.start[d] = square->start[k];
    in.count[d] = square->count[k];
  }
  if (room_for(&p->state->plane, region_bytes(cube, &in), error) != 0)
    return -1;
  return worker_pull(p->worker, upstream, &in, p->state->plane.data, error);
}

typedef void use_square(const struct square_pull *p, const struct zone_square *square);

static int each_square(const struct square_pull *p, use_square *use, struct error *error)
{
  const struct zone_squares *squares = ((const struct zones_data *)p->stage->data)->squares;
  for (size_t i = 0; i < squares->count; i++) {
    if (pull_square(p, &squares->squares[i], error) != 0)
      return -1;
    use(p, &squares->squares[i]);
  }
  return 0;
}

static void step_square(const struct square_pull *p, const struct zone_square *square)
{
  const struct zones_data *data = p->stage->data;
  const struct cube *cube = plan_stage(worker_plan(p->worker), p->stage->inputs[0]->stage)->cube;
  size_t zones = data->zones->count, states = kernel_reducer_states(data->accumulator.reducer);
  size_t plane = square->count[0] * square->count[1] * element_info(cube->type)->size;
  struct accumulate_zones by = {zones, data->squares->pixel + square->first, data->squares->zone + square->first,
                                square->last - square->first};
  for (size_t i = 0; i < p->planes; i++) {
    struct accumulate_data elements = {(const unsigned char *)p->state->plane.data + i * plane, cube->type,
                                       cube->has_nodata, cube->nodata};
    kernel_accumulate_zones(&data->accumulator, (double *)p->state->states.data + i * zones * states, &elements, &by);
  }
}

static int zones_fill(struct tile_worker *worker, const struct stage *stage, void *data, const struct region *region,
                      void *out, struct error *error)
{
  const struct zones_data *zones = stage->data;
  const struct accumulator *accumulator = &zones->accumulator;
  size_t count = zones->zones->count, states = kernel_reducer_states(accumulator->reducer);
  size_t size = element_info(stage->cube->type)->size;
  struct square_pull pull = {worker, stage, data, region, out, count ? region_elements(region) / count : 0};
  struct zones_state *state = data;
  if (room_for(&state->states, saturated_mul(pull.planes, count * states * sizeof(double)), error) != 0 ||
      room_for(&state->results, count * sizeof(double), error) != 0)
    return -1;
  for (size_t i = 0; i < pull.planes; i++)
    kernel_accumulate_init(accumulator, (double *)state->states.data + i * count * states, count);
  if (each_square(&pull, step_square, error) != 0)
    return -1;
  for (size_t i = 0; i < pull.planes; i++) {
    kernel_accumulate_finish(accumulator, (double *)state->states.data + i * count * states, count,
                             state->results.data);
    accumulated_store(stage->cube->type, state->results.data, count, (unsigned char *)out + i * count * size);
  }
  return 0;
}

/* The next place of each zone is in state->next. */
static void gather_square(const struct square_pull *p, const struct zone_square *square)
{
  const struct zones_data *data = p->stage->data;
  size_t size = element_info(p->stage->cube->type)->size, *next = p->state->next.data;
  size_t plane = square->count[0] * square->count[1] * size, row = data->squares->pixels * size;
  for (size_t i = square->first; i < square->last; i++) {
    size_t place = next[data->squares->zone[i]]++ * size, pixel = data->squares->pixel[i] * size;
    for (size_t k = 0; k < p->planes; k++)
      memcpy((unsigned char *)p->out + k * row + place, (const unsigned char *)p->state->plane.data + k * plane + pixel,
             size);
  }
}

static int gather_fill(struct tile_worker *worker, const struct stage *stage, void *data, const struct region *region,
                       void *out, struct error *error)
{
  const struct zones_data *zones = stage->data;
  struct zones_state *state = data;
  size_t pixels = zones->squares->pixels;
  struct square_pull pull = {worker, stage, state, region, out, pixels ? region_elements(region) / pixels : 0};
  if (room_for(&state->next, (zones->zones->count + 1) * sizeof(size_t), error) != 0)
    return -1;
  memcpy(state->next.data, zones->start, zones->zones->count * sizeof(size_t));
  return each_square(&pull, gather_square, error);
}

const struct stage_ops zones_stage = {.name = "zones",
                                      .make = zones_make,
                                      .bytes = zones_bytes,
                                      .start = zones_start,
                                      .fill = zones_fill,
                                      .stop = zones_stop,
                                      .print = zones_print,
                                      .reduces = true,
                                      .cost = 1};
const struct stage_ops gather_stage = {.name = "gather",
                                       .make = zones_make,
                                       .bytes = zones_bytes,
                                       .start = zones_start,
                                       .fill = gather_fill,
                                       .stop = zones_stop,
                                       .print = zones_print,
                                       .cost = 1,
                                       .is_kept = true};
