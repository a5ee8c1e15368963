/* The chunk stage: the cube is cut into chunks from index 0 on; each is pulled with its overlap, no-data beyond the
 * edges, and handed to a plan of the body, whose result, without the overlap, goes to its place.
 *
 * The body's plan is run by one thread in a run of the worker's own: chunks are the tiles. */
#include "hpc/stage/chunk_stage.h"

#include "datacube/base/checked.h"
#include "hpc/plan/plan_internal.h"
#include "hpc/plan/rewrite.h"
#include "hpc/run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t body_memory = (size_t)1 << 30; /* of a body's plan, beside what the planner always reserves */

struct chunk_data { /* stage->data */
  const struct chunks *chunks;
  const struct plan *plan; /* of the body; given: the chunk */
};

struct chunk_state {
  struct run *run;
  struct room inside, chunk; /* what was pulled; the chunk with its overlap */
};

/* ---- nodes --------------------------------------------------------------------------------------------------------
 */

static int no_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  (void)list;
  return error_set(error, ERROR_FeatureUnsupported,
                   "what is in a block of '%s' is not known before it runs: no labels can depend on it",
                   stage->node->id);
}

static void print_nothing(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  (void)plan;
  (void)stage;
  (void)out;
}

/* Stands for a chunk: given to the body's run, never made. */
static const struct stage_ops given_chunk = {.name = "chunk", .make = no_make, .print = print_nothing};

const struct node *node_chunk(struct arena *arena, struct node_origin origin, const struct cube *cube,
                              const size_t *size, const size_t *overlap)
{
  const struct element_info *info = element_info(cube->type);
  struct cube *chunk = arena_copy(arena, cube, sizeof *chunk);
  if (!chunk)
    return NULL;
  for (size_t d = 0; d < cube->dimensions; d++) {
    struct dimension *to = &chunk->dimension[d];
    *to = dimension_enumerated(to->name, to->type, size[d] + 2 * overlap[d]);
    to->axis = cube->dimension[d].axis;
    if (cube->dimension[d].size == to->size) /* whole: it keeps its labels */
      *to = cube->dimension[d];
    else if (to->type == DIMENSION_BANDS)
      chunk->bands = NULL;
  }
  if (!cube->has_nodata) {
    chunk->has_nodata = true;
    chunk->nodata = NAN;
    if (!info->is_float && !info->is_complex)
      chunk->type = info->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  }
  struct stage_node stage = {.ops = &given_chunk};
  return node_stage(arena, origin, chunk, &stage);
}

const struct node *node_chunks(struct arena *arena, struct node_origin origin, const struct node *input,
                               const struct cube *cube, const struct chunks *chunks)
{
  input = node_convert(arena, input, chunks->chunk->cube);
  const struct node **inputs = input ? arena_copy(arena, &input, sizeof input) : NULL;
  if (!inputs)
    return NULL;
  struct stage_node stage = {.ops = &chunk_stage, .inputs = inputs, .input_count = 1, .data = chunks};
  hash_bytes(&stage.data_hash, chunks->size, cube->dimensions * sizeof(size_t));
  hash_bytes(&stage.data_hash, chunks->overlap, cube->dimensions * sizeof(size_t));
  hash_add(&stage.data_hash, chunks->body->hash);
  return node_stage(arena, origin, cube, &stage);
}

/* ---- planning -----------------------------------------------------------------------------------------------------
 */

static int chunk_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  struct chunk_data *data = ARENA_NEW(stage_list_arena(list), struct chunk_data);
  struct stage_input *input = stage_reads(list, stage->node->children[0], error);
  if (!data || !input)
    return data ? -1 : error_memory(error);
  data->chunks = stage->node->data;
  stage->data = data;
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    bool whole = data->chunks->size[d] >= stage->cube->dimension[d].size;
    stage->mode[d] = whole ? MODE_AXIS : MODE_OUT;
    stage->grain[d] = whole ? 0 : data->chunks->size[d];
    input->need[d] = (struct need){.kind = NEED_SPREAD,
                                   .out = (int)d,
                                   .before = data->chunks->overlap[d],
                                   .after = data->chunks->overlap[d],
                                   .size = stage->cube->dimension[d].size,
                                   .share = 1};
  }
  const struct plan_options options = {.threads = 1, .memory = body_memory};
  struct plan_output output = {.node = data->chunks->body};
  if (plan_make_given(stage_list_arena(list), &output, data->chunks->chunk, &options, &data->plan, error) != 0)
    return -1;
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

static size_t chunk_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const struct chunk_data *data = stage->data;
  size_t upstream = stage->inputs[0]->stage, in[CUBE_MAX_DIMENSIONS];
  (void)count;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    in[d] = data->chunks->size[d] + 2 * data->chunks->overlap[d];
  size_t own = saturated_add(cube_part_bytes(plan_stage(plan, upstream)->cube, in),
                             cube_part_bytes(data->chunks->chunk->cube, in));
  size_t body = plan_peak_memory(data->plan) - data->plan->shared_bytes;
  return saturated_add(saturated_add(own, body), plan_stage_bytes(plan, upstream, in));
}

static int chunk_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  struct chunk_state *state = calloc(1, sizeof *state);
  const struct chunk_data *data = stage->data;
  (void)worker;
  if (!state)
    return error_memory(error);
  if (room_for(&state->chunk, cube_bytes(data->chunks->chunk->cube), error) != 0 ||
      run_open(data->plan, NULL, NULL, &state->run, error) != 0) {
    room_free(&state->chunk);
    free(state);
    return -1;
  }
  *out = state;
  return 0;
}

static void chunk_stop(const struct stage *stage, void *data)
{
  struct chunk_state *state = data;
  (void)stage;
  if (!state)
    return;
  run_close(state->run);
  room_free(&state->inside);
  room_free(&state->chunk);
  free(state);
}

/* ---- one chunk ----------------------------------------------------------------------------------------------------
 */

struct chunk_sink { /* takes the body's result to its place in the region */
  struct sink sink;
  const struct cube *cube;
  const struct region *region;
  size_t at[CUBE_MAX_DIMENSIONS]; /* place of the box in the region */
  unsigned char *data;
};

static int put_part(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  const struct chunk_sink *to = (const struct chunk_sink *)sink;
  size_t n = box->dimensions, size = element_info(to->cube->type)->size, position[CUBE_MAX_DIMENSIONS] = {0};
  const unsigned char *from = data;
  (void)error;
  size_t row = n ? box->count[n - 1] * size : size;
  do {
    size_t at = 0;
    for (size_t d = 0; d < n; d++)
      at = at * to->region->count[d] + to->at[d] + box->start[d] + (d + 1 < n ? position[d] : 0);
    memcpy(to->data + at * size, from, row);
    from += row;
  } while (n > 0 && next_position(box->count, position, n - 1));
  return 0;
}

static const struct sink_ops chunk_sink_ops = {.put = put_part};

/* Indexes of the input that chunk number `chunk` sees within the edges, and where they begin in the chunk. */
static void chunk_inside(const struct stage *stage, const size_t *chunk, struct region *inside, size_t *low)
{
  const struct chunks *chunks = ((const struct chunk_data *)stage->data)->chunks;
  inside->dimensions = stage->cube->dimensions;
  for (size_t d = 0; d < inside->dimensions; d++) {
    size_t first = chunk[d] * chunks->size[d], end = first + chunks->size[d] + chunks->overlap[d],
           size = stage->cube->dimension[d].size;
    size_t start = first > chunks->overlap[d] ? first - chunks->overlap[d] : 0;
    end = end < size ? end : size;
    inside->list[d] = NULL;
    inside->start[d] = start;
    inside->count[d] = end - start;
    low[d] = start + chunks->overlap[d] - first;
  }
}

/* Copies what was pulled into the chunk. */
static void place_chunk(const struct cube *from, const struct cube *chunk, const struct region *inside,
                        const size_t *low, const struct chunk_state *state)
{
  size_t size = element_info(from->type)->size, position[CUBE_MAX_DIMENSIONS] = {0}, n = from->dimensions;
  const unsigned char *at = state->inside.data;
  fill_missing(chunk, state->chunk.data, cube_elements(chunk));
  do {
    size_t to = 0;
    for (size_t d = 0; d < n; d++)
      to = to * chunk->dimension[d].size + low[d] + position[d];
    memcpy((unsigned char *)state->chunk.data + to * size, at, size);
    at += size;
  } while (next_position(inside->count, position, n));
}

static int run_chunk(struct tile_worker *worker, const struct stage *stage, struct chunk_state *state,
                     const size_t *chunk, struct chunk_sink *sink, struct error *error)
{
  const struct chunk_data *data = stage->data;
  size_t upstream = stage->inputs[0]->stage, low[CUBE_MAX_DIMENSIONS];
  const struct cube *from = plan_stage(worker_plan(worker), upstream)->cube;
  struct box box = {.dimensions = stage->cube->dimensions};
  struct region inside;
  chunk_inside(stage, chunk, &inside, low);
  if (room_for(&state->inside, region_bytes(from, &inside), error) != 0 ||
      worker_pull(worker, upstream, &inside, state->inside.data, error) != 0)
    return -1;
  place_chunk(from, data->chunks->chunk->cube, &inside, low, state);
  for (size_t d = 0; d < box.dimensions; d++) {
    size_t first = chunk[d] * data->chunks->size[d], start = sink->region->start[d],
           end = start + sink->region->count[d];
    size_t from_index = first > start ? first : start, to_index = first + data->chunks->size[d];
    to_index = to_index < end ? to_index : end;
    box.start[d] = data->chunks->overlap[d] + from_index - first;
    box.count[d] = to_index - from_index;
    sink->at[d] = from_index - start;
  }
  run_give(state->run, state->chunk.data);
  return run_box(state->run, 0, &box, &sink->sink, error);
}

static int chunk_fill(struct tile_worker *worker, const struct stage *stage, void *state, const struct region *region,
                      void *out, struct error *error)
{
  const struct chunks *chunks = ((const struct chunk_data *)stage->data)->chunks;
  size_t first[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS], position[CUBE_MAX_DIMENSIONS] = {0},
                                                                 chunk[CUBE_MAX_DIMENSIONS];
  struct chunk_sink sink = {.sink = {.ops = &chunk_sink_ops}, .cube = stage->cube, .region = region, .data = out};
  for (size_t d = 0; d < region->dimensions; d++) {
    first[d] = region->start[d] / chunks->size[d];
    count[d] = (region->start[d] + region->count[d] - 1) / chunks->size[d] - first[d] + 1;
  }
  do {
    for (size_t d = 0; d < region->dimensions; d++)
      chunk[d] = first[d] + position[d];
    if (run_chunk(worker, stage, state, chunk, &sink, error) != 0)
      return -1;
  } while (next_position(count, position, region->dimensions));
  return 0;
}

static void chunk_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct chunk_data *data = stage->data;
  (void)plan;
  buffer_printf(out, " of stage %zu:", stage->inputs[0]->stage);
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    buffer_printf(out, "%s %s %zu with %zu around", d ? "," : "", stage->cube->dimension[d].name, data->chunks->size[d],
                  data->chunks->overlap[d]);
}

static void chunk_print_more(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  (void)plan;
  buffer_text(out, "    each chunk by a plan of its own:\n");
  plan_print_stages(((const struct chunk_data *)stage->data)->plan, out);
}

const struct stage_ops chunk_stage = {.name = "chunks",
                                      .make = chunk_make,
                                      .bytes = chunk_bytes,
                                      .start = chunk_start,
                                      .fill = chunk_fill,
                                      .stop = chunk_stop,
                                      .print = chunk_print,
                                      .print_more = chunk_print_more,
                                      .cost = 16};
