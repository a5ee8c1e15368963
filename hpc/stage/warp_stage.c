/* The warp stage: planes of its input on another grid. y and x are its last two dimensions. data: struct warp_stage. */
#include "datacube/warp.h"
#include "hpc/plan/plan_internal.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct warp_data {
  struct grid from;
  const struct warp_target *to;
  double ratio[2]; /* input pixels per output pixel along y and x, by resolution */
};

struct warp_state {
  struct warper *warper;
  struct room input;
};

static void set_ratio(struct warp_data *data)
{
  const struct grid *from = &data->from, *to = &data->to->grid;
  bool same = from->crs && to->crs && strcmp(from->crs, to->crs) == 0;
  double units = same ? 1 : crs_unit_metres(to->crs) / crs_unit_metres(from->crs);
  data->ratio[0] = to->res_y * units / from->res_y;
  data->ratio[1] = to->res_x * units / from->res_x;
}

/* Parts of the input along y and x that the target covers, about. */
static void find_shares(const struct grid *from, const struct grid *to, double share[2])
{
  struct extent target = {to->west, to->north - to->res_y * (double)to->height, to->west + to->res_x * (double)to->width, to->north, to->crs};
  struct extent image = {0}, source = {from->west, from->north - from->res_y * (double)from->height,
                                       from->west + from->res_x * (double)from->width, from->north, from->crs};
  struct error ignored = {0};
  share[0] = share[1] = 1;
  if (!from->crs || !to->crs || extent_transform(&target, from->crs, &image, &ignored) != 0)
    return;
  double high = fmin(image.north, source.north) - fmax(image.south, source.south);
  double wide = fmin(image.east, source.east) - fmax(image.west, source.west);
  share[0] = fmax(0, fmin(1, high / (source.north - source.south)));
  share[1] = fmax(0, fmin(1, wide / (source.east - source.west)));
}

static int warp_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct node *node = stage->node;
  struct warp_data *data = ARENA_NEW(stage_list_arena(list), struct warp_data);
  if (!data)
    return error_memory(error);
  data->to = node->data;
  stage->data = data;
  if (grid_of_cube(node->children[0]->cube, &data->from) != 0)
    return error_set(error, "Internal", "warp of a cube without a grid");
  set_ratio(data);
  struct stage_input *input = stage_reads(list, node->children[0], error);
  if (!input)
    return -1;
  const struct stage *upstream = stage_at(list, input->stage);
  size_t y = stage->cube->dimensions - 2;
  double share[2];
  find_shares(&data->from, &data->to->grid, share);
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    bool whole = upstream->mode[d] == MODE_AXIS;
    stage->mode[d] = whole ? MODE_AXIS : MODE_OUT;
    if (!whole)
      input->need[d] = d < y ? (struct need){.kind = NEED_RUN, .out = (int)d, .size = stage->cube->dimension[d].size}
                             : (struct need){.kind = NEED_SPREAD, .out = (int)d, .share = share[d - y]};
  }
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

/* Pixels of the input that a tile needs, from resolutions: the workers' buffers grow where a projection stretches more. */
static void warp_counts(const struct plan *plan, const struct stage *stage, const size_t *count, size_t *in)
{
  const struct warp_data *data = stage->data;
  size_t y = stage->cube->dimensions - 2, x = y + 1;
  const struct cube *from = plan_stage(plan, stage->inputs[0]->stage)->cube;
  double ratio_y = data->ratio[0], ratio_x = data->ratio[1];
  double across = (double)count[x] * ratio_x * 1.5 + (double)count[y] * ratio_y * 0.5 + 16;
  double down = (double)count[y] * ratio_y * 1.5 + (double)count[x] * ratio_x * 0.5 + 16;
  for (size_t d = 0; d < y; d++)
    in[d] = stage->mode[d] == MODE_AXIS ? from->dimension[d].size : 1;
  bool all_rows = stage->mode[y] == MODE_AXIS || down >= (double)from->dimension[y].size;
  bool all_columns = stage->mode[x] == MODE_AXIS || across >= (double)from->dimension[x].size;
  in[y] = all_rows ? from->dimension[y].size : (size_t)down;
  in[x] = all_columns ? from->dimension[x].size : (size_t)across;
}

static size_t warp_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  size_t upstream = stage->inputs[0]->stage, in[CUBE_MAX_DIMENSIONS];
  warp_counts(plan, stage, count, in);
  return saturated_add(cube_part_bytes(plan_stage(plan, upstream)->cube, in), plan_stage_bytes(plan, upstream, in));
}

static int warp_start(struct worker *worker, const struct stage *stage, void **out, struct error *error)
{
  const struct warp_data *data = stage->data;
  struct warp_state *state = calloc(1, sizeof *state);
  (void)worker;
  if (!state)
    return error_memory(error);
  if (warper_new(&data->from, &data->to->grid, data->to->method, &state->warper, error) != 0) {
    free(state);
    return -1;
  }
  *out = state;
  return 0;
}

static void warp_stop(const struct stage *stage, void *data)
{
  struct warp_state *state = data;
  (void)stage;
  if (!state)
    return;
  warper_free(state->warper);
  room_free(&state->input);
  free(state);
}

struct plane { /* the input's part for one position of the outer dimensions */
  size_t start[2], count[2]; /* pixels of the input, y and x */
  size_t index;              /* among the planes of the buffer */
};

/* Fills the input for one combination of the running outer dimensions. */
static int pull_planes(struct worker *worker, const struct stage *stage, struct warp_state *state, const struct region *at,
                       struct plane *plane, struct error *error)
{
  size_t planes = stage->cube->dimensions - 2, upstream = stage->inputs[0]->stage;
  struct region up = {.dimensions = stage->cube->dimensions};
  plane->index = 0;
  for (size_t d = 0; d < planes; d++) {
    bool whole = stage->mode[d] == MODE_AXIS;
    up.start[d] = whole ? 0 : at->start[d];
    up.count[d] = whole ? stage->cube->dimension[d].size : 1;
    if (whole)
      plane->index = plane->index * up.count[d] + at->start[d];
  }
  for (size_t k = 0; k < 2; k++) {
    up.start[planes + k] = plane->start[k];
    up.count[planes + k] = plane->count[k];
  }
  if (room_for(&state->input, region_bytes(plan_stage(worker_plan(worker), upstream)->cube, &up), error) != 0)
    return -1;
  return worker_pull(worker, upstream, &up, state->input.data, error);
}

static int warp_plane(struct worker *worker, const struct stage *stage, struct warp_state *state, const struct region *at,
                      struct plane *plane, void *data, struct error *error)
{
  const struct cube *cube = stage->cube;
  size_t y = cube->dimensions - 2;
  if (pull_planes(worker, stage, state, at, plane, error) != 0)
    return -1;
  const unsigned char *from = state->input.data;
  from += plane->index * plane->count[0] * plane->count[1] * element_info(cube->type)->size;
  return warper_run(state->warper, cube->type, cube->has_nodata, cube->nodata, 1, plane->start, plane->count, from, &at->start[y],
                    &at->count[y], data, error);
}

static int warp_fill(struct worker *worker, const struct stage *stage, void *data, const struct region *region, void *out,
                     struct error *error)
{
  struct warp_state *state = data;
  const struct cube *cube = stage->cube, *from = plan_stage(worker_plan(worker), stage->inputs[0]->stage)->cube;
  size_t y = cube->dimensions - 2, position[CUBE_MAX_DIMENSIONS] = {0};
  size_t bytes = region->count[y] * region->count[y + 1] * element_info(cube->type)->size;
  struct plane plane;
  if (warper_need(state->warper, &region->start[y], &region->count[y], plane.start, plane.count, error) != 0)
    return -1;
  if (plane.count[0] == 0 || plane.count[1] == 0) {
    fill_missing(cube, out, region_elements(region));
    return 0;
  }
  for (size_t k = 0; k < 2; k++)
    if (stage->mode[y + k] == MODE_AXIS) { /* the input makes it as an array: whole */
      plane.start[k] = 0;
      plane.count[k] = from->dimension[y + k].size;
    }
  unsigned char *at = out;
  do {
    struct region one = *region;
    for (size_t d = 0; d < y; d++) {
      one.start[d] = region->start[d] + position[d];
      one.count[d] = 1;
    }
    if (warp_plane(worker, stage, state, &one, &plane, at, error) != 0)
      return -1;
    at += bytes;
  } while (next_position(region->count, position, y));
  return 0;
}

static void warp_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct warp_data *data = stage->data;
  (void)plan;
  buffer_printf(out, " %s from stage %zu", resampling_name(data->to->method), stage->inputs[0]->stage);
}

const struct stage_ops warp_stage = {.name = "warp", .make = warp_make, .bytes = warp_bytes, .start = warp_start, .fill = warp_fill,
                                     .stop = warp_stop, .print = warp_print, .cost = 16};
