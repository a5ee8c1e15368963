/* The patch stage: of a region every patch gives what of its pixels lies there, the rest is no-data. A patch is
 * computed by stages of its own, as far down as they are not shared; what they hold is given back before the next one
 * begins, so that a worker needs the memory of the largest patch only, however many there are. */
#include "hpc/stage/patch_stage.h"

#include "datacube/base/checked.h"
#include "hpc/plan/plan_internal.h"
#include "hpc/run/tile_worker.h"

#include <stdlib.h>
#include <string.h>

struct placed_patch {
  const struct plane_patch *patch;
  const size_t *row;  /* of the pixels: first run of each row, and behind the last */
  size_t first, last; /* stages first … last - 1 were made for it */
};

struct patch_data { /* stage->data */
  size_t count;
  const struct placed_patch *items; /* in the order of the stage's inputs */
  size_t y, x;                      /* dimensions */
};

struct patch_state {
  struct room piece;
};

/* ---- node -------------------------------------------------------------------------------------------------------- */

const struct node *node_patches(struct arena *arena, struct node_origin origin, const struct cube *cube,
                                const struct patches *patches)
{
  const struct node **inputs = ARENA_ARRAY(arena, const struct node *, patches->count);
  struct stage_node stage = {.ops = &patch_stage, .inputs = inputs, .input_count = patches->count, .data = patches};
  for (size_t i = 0; inputs && i < patches->count; i++) {
    const struct plane_patch *patch = &patches->items[i];
    inputs[i] = patch->node;
    hash_bytes(&stage.data_hash, &patch->box, sizeof patch->box);
    for (size_t k = 0; k < patch->pixels.run_count; k++) {
      const uint64_t words[] = {patch->pixels.runs[k].row, patch->pixels.runs[k].first, patch->pixels.runs[k].last};
      hash_bytes(&stage.data_hash, words, sizeof words);
    }
  }
  return inputs ? node_stage(arena, origin, cube, &stage) : NULL;
}

/* ---- planning ---------------------------------------------------------------------------------------------------- */

static struct stage_input *place_patch(struct stage_list *list, const struct stage *stage,
                                       const struct plane_patch *patch, struct placed_patch *out, struct error *error)
{
  size_t first = list->count;
  struct stage_input *input = stage_reads(list, patch->node, error);
  if (!input)
    return NULL;
  *out = (struct placed_patch){patch, coverage_row_starts(&patch->pixels, list->arena), first, list->count};
  if (!out->row) {
    error_memory(error);
    return NULL;
  }
  const struct stage *upstream = stage_at(list, input->stage);
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    size_t size = upstream->cube->dimension[d].size;
    if (stage->cube->dimension[d].axis == 'y' || stage->cube->dimension[d].axis == 'x')
      input->need[d] = (struct need){.kind = NEED_SPREAD, .out = (int)d, .size = size, .share = 1};
    else if (upstream->mode[d] != MODE_AXIS)
      input->need[d] = (struct need){.kind = NEED_RUN, .out = (int)d, .size = size};
  }
  return input;
}

static int patch_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct patches *patches = stage->node->data;
  struct patch_data *data = ARENA_NEW(list->arena, struct patch_data);
  struct placed_patch *items = ARENA_ARRAY(list->arena, struct placed_patch, patches->count);
  const struct stage_input **inputs = ARENA_ARRAY(list->arena, const struct stage_input *, patches->count);
  if (!data || !items || !inputs)
    return error_memory(error);
  *data =
      (struct patch_data){patches->count, items, cube_find_axis(stage->cube, 'y'), cube_find_axis(stage->cube, 'x')};
  stage->data = data;
  for (size_t i = 0; i < patches->count; i++) {
    if (list->cancel && *list->cancel)
      return error_set(error, ERROR_RequestTimeout, "the request was cancelled while it was planned");
    inputs[i] = place_patch(list, stage, &patches->items[i], &items[i], error);
    if (!inputs[i])
      return -1;
    for (size_t d = 0; d < stage->cube->dimensions; d++)
      if (d != data->y && d != data->x && stage_at(list, inputs[i]->stage)->mode[d] == MODE_AXIS)
        stage->mode[d] = MODE_AXIS;
  }
  return stage_set_inputs(list, stage, inputs, patches->count, error);
}

/* One patch at a time. */
static size_t patch_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  const struct patch_data *data = stage->data;
  size_t most = 0, in[CUBE_MAX_DIMENSIONS];
  for (size_t i = 0; i < data->count; i++) {
    const struct pixel_box *box = &data->items[i].patch->box;
    memcpy(in, count, sizeof in);
    in[data->y] = count[data->y] < box->count[0] ? count[data->y] : box->count[0];
    in[data->x] = count[data->x] < box->count[1] ? count[data->x] : box->count[1];
    size_t bytes = saturated_add(cube_part_bytes(stage->cube, in), plan_stage_bytes(plan, stage->inputs[i]->stage, in));
    most = bytes > most ? bytes : most;
  }
  return most;
}

static int patch_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  (void)worker;
  (void)stage;
  *out = calloc(1, sizeof(struct patch_state));
  return *out ? 0 : error_memory(error);
}

static void patch_stop(const struct stage *stage, void *data)
{
  struct patch_state *state = data;
  (void)stage;
  if (state)
    room_free(&state->piece);
  free(state);
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

/* The region's part that lies in the patch's box, counted from the corner of that; false: there is none. */
static bool part_of(const struct patch_data *data, const struct pixel_box *box, const struct region *region,
                    struct region *part)
{
  const size_t dimensions[] = {data->y, data->x};
  *part = *region;
  for (size_t k = 0; k < 2; k++) {
    size_t d = dimensions[k], start = region->start[d], end = start + region->count[d];
    size_t low = start > box->start[k] ? start : box->start[k], high = box->start[k] + box->count[k];
    high = end < high ? end : high;
    if (low >= high)
      return false;
    part->start[d] = low - box->start[k];
    part->count[d] = high - low;
  }
  return true;
}

struct pasting { /* a part of a patch into a region of the whole */
  const struct placed_patch *placed;
  const struct patch_data *data;
  const struct region *region, *part;
  size_t from_stride[CUBE_MAX_DIMENSIONS], to_stride[CUBE_MAX_DIMENSIONS];
  const unsigned char *from;
  unsigned char *to;
  size_t size; /* bytes of an element */
};

/* Pixels first … last - 1 of a row of the box, at a position of the other dimensions. */
static void paste_run(const struct pasting *p, const size_t *position, size_t row, size_t first, size_t last)
{
  size_t y = p->data->y, x = p->data->x, from = 0, to = 0;
  const struct pixel_box *box = &p->placed->patch->box;
  for (size_t d = 0; d < p->region->dimensions; d++) {
    size_t in_part = d == y ? row - p->part->start[y] : d == x ? first - p->part->start[x] : position[d];
    size_t in_region = d == y   ? row + box->start[0] - p->region->start[y]
                       : d == x ? first + box->start[1] - p->region->start[x]
                                : position[d];
    from += in_part * p->from_stride[d];
    to += in_region * p->to_stride[d];
  }
  if (p->from_stride[x] == 1 && p->to_stride[x] == 1) {
    memcpy(p->to + to * p->size, p->from + from * p->size, (last - first) * p->size);
    return;
  }
  for (size_t i = 0; i < last - first; i++)
    memcpy(p->to + (to + i * p->to_stride[x]) * p->size, p->from + (from + i * p->from_stride[x]) * p->size, p->size);
}

static void paste_plane(const struct pasting *p, const size_t *position)
{
  size_t y = p->data->y, x = p->data->x, west = p->part->start[x], east = west + p->part->count[x];
  for (size_t row = p->part->start[y]; row < p->part->start[y] + p->part->count[y]; row++)
    for (size_t i = p->placed->row[row]; i < p->placed->row[row + 1]; i++) {
      const struct zone_span *run = &p->placed->patch->pixels.runs[i];
      size_t first = run->first > west ? run->first : west, last = run->last < east ? run->last : east;
      if (first < last)
        paste_run(p, position, row, first, last);
    }
}

static void paste(struct pasting *p)
{
  size_t others[CUBE_MAX_DIMENSIONS], position[CUBE_MAX_DIMENSIONS] = {0}, n = p->region->dimensions;
  region_strides(p->part, p->from_stride);
  region_strides(p->region, p->to_stride);
  for (size_t d = 0; d < n; d++)
    others[d] = d == p->data->y || d == p->data->x ? 1 : p->region->count[d];
  do
    paste_plane(p, position);
  while (next_position(others, position, n));
}

static int patch_fill(struct tile_worker *worker, const struct stage *stage, void *data, const struct region *region,
                      void *out, struct error *error)
{
  const struct patch_data *patches = stage->data;
  struct patch_state *state = data;
  struct region part;
  fill_missing(stage->cube, out, region_elements(region));
  for (size_t i = 0; i < patches->count; i++) {
    const struct placed_patch *placed = &patches->items[i];
    if (!part_of(patches, &placed->patch->box, region, &part))
      continue;
    if (room_for(&state->piece, region_bytes(stage->cube, &part), error) != 0 ||
        worker_pull(worker, stage->inputs[i]->stage, &part, state->piece.data, error) != 0)
      return -1;
    worker_release(worker, placed->first, placed->last);
    struct pasting pasting = {.placed = placed,
                              .data = patches,
                              .region = region,
                              .part = &part,
                              .from = state->piece.data,
                              .to = out,
                              .size = element_info(stage->cube->type)->size};
    paste(&pasting);
  }
  return 0;
}

static void patch_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  (void)plan;
  buffer_printf(out, " of %zu parts of the plane", ((const struct patch_data *)stage->data)->count);
}

const struct stage_ops patch_stage = {.name = "patches",
                                      .make = patch_make,
                                      .bytes = patch_bytes,
                                      .start = patch_start,
                                      .fill = patch_fill,
                                      .stop = patch_stop,
                                      .print = patch_print,
                                      .cost = 16};
