/* The clip stage: pixels outside the runs of a coverage are no-data, and nothing is read for them: of a region its
 * input is asked for the smallest box that holds all kept pixels, or not at all. No raster of the mask is made. */
#include "hpc/stage/clip_stage.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SQUARE = 512 }; /* side of the squares by which the read part of the plane is estimated */

struct clip {
  const struct coverage *kept;
  const size_t *row; /* first run of each row, and behind the last */
  size_t y, x;       /* dimensions */
};

struct clip_state {
  struct room box; /* elements of the box, where the region is larger */
};

/* ---- node -------------------------------------------------------------------------------------------------------- */

const struct node *node_clip(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct coverage *kept)
{
  const struct node **inputs = arena_copy(arena, &input, sizeof input);
  struct clip *clip = ARENA_NEW(arena, struct clip);
  if (!inputs || !clip)
    return NULL;
  *clip = (struct clip){.kept = arena_copy(arena, kept, sizeof *kept),
                        .row = coverage_row_starts(kept, arena),
                        .y = cube_find_axis(input->cube, 'y'),
                        .x = cube_find_axis(input->cube, 'x')};
  struct stage_node stage = {.ops = &clip_stage, .inputs = inputs, .input_count = 1, .data = clip};
  if (!clip->kept || !clip->row)
    return NULL;
  for (size_t i = 0; i < kept->run_count; i++) {
    const uint64_t words[] = {kept->runs[i].row, kept->runs[i].first, kept->runs[i].last};
    hash_bytes(&stage.data_hash, words, sizeof words);
  }
  return node_stage(arena, origin, input->cube, &stage);
}

/* ---- planning ---------------------------------------------------------------------------------------------------- */

static void widen(struct pixel_box *box, size_t k, size_t from, size_t to)
{
  size_t end = box->start[k] + box->count[k];
  box->start[k] = box->count[k] == 0 || from < box->start[k] ? from : box->start[k];
  box->count[k] = (to > end ? to : end) - box->start[k];
}

/* Part of the plane that is asked of the input, about: the boxes of kept pixels in squares as large as tiles. */
static int find_share(const struct clip *clip, double *share, struct error *error)
{
  size_t across = clip->kept->columns / SQUARE + 1, down = clip->kept->rows / SQUARE + 1;
  struct pixel_box *boxes = calloc(saturated_mul(down, across), sizeof *boxes);
  double pixels = 0, all = (double)clip->kept->rows * (double)clip->kept->columns;
  if (!boxes)
    return error_memory(error);
  for (size_t i = 0; i < clip->kept->run_count; i++) {
    const struct zone_span *run = &clip->kept->runs[i];
    for (size_t first = run->first, last; first < run->last; first = last) {
      struct pixel_box *box = &boxes[run->row / SQUARE * across + first / SQUARE];
      size_t edge = (first / SQUARE + 1) * SQUARE;
      last = edge < run->last ? edge : run->last;
      widen(box, 0, run->row, run->row + 1);
      widen(box, 1, first, last);
    }
  }
  for (size_t i = 0; i < down * across; i++)
    pixels += (double)boxes[i].count[0] * (double)boxes[i].count[1];
  free(boxes);
  *share = fmax(1e-12, all > 0 ? pixels / all : 0);
  return 0;
}

static int clip_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct clip *clip = stage->node->data;
  struct stage_input *input = stage_reads(list, stage->node->children[0], error);
  double share = 0;
  if (!input || find_share(clip, &share, error) != 0)
    return -1;
  const struct stage *upstream = stage_at(list, input->stage);
  stage->data = clip;
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    bool whole = upstream->mode[d] == MODE_AXIS;
    stage->mode[d] = whole ? MODE_AXIS : MODE_OUT;
    if (!whole)
      input->need[d] = (struct need){
          .kind = NEED_RUN, .out = (int)d, .size = stage->cube->dimension[d].size, .share = d == clip->x ? share : 0};
  }
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

static size_t clip_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  size_t upstream = stage->inputs[0]->stage;
  return saturated_add(cube_part_bytes(stage->cube, count), plan_stage_bytes(plan, upstream, count));
}

static int clip_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  (void)worker;
  (void)stage;
  *out = calloc(1, sizeof(struct clip_state));
  return *out ? 0 : error_memory(error);
}

static void clip_stop(const struct stage *stage, void *data)
{
  struct clip_state *state = data;
  (void)stage;
  if (state)
    room_free(&state->box);
  free(state);
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

/* The part of a row's runs that lies in the region's columns: first run at or after *i, cut; false: none is left. */
static bool next_run(const struct clip *clip, const struct region *region, size_t row, size_t *i, size_t *first,
                     size_t *last)
{
  size_t west = region->start[clip->x], east = west + region->count[clip->x];
  for (; *i < clip->row[row + 1]; ++*i) {
    const struct zone_span *run = &clip->kept->runs[*i];
    if (run->first >= east)
      return false;
    if (run->last <= west)
      continue;
    *first = run->first > west ? run->first : west;
    *last = run->last < east ? run->last : east;
    ++*i;
    return true;
  }
  return false;
}

/* The region's smallest part that holds its kept pixels; false: there is none. */
static bool kept_part(const struct clip *clip, const struct region *region, struct region *part)
{
  size_t y = clip->y, x = clip->x, low = SIZE_MAX, high = 0, top = SIZE_MAX, bottom = 0, first, last;
  for (size_t row = region->start[y]; row < region->start[y] + region->count[y]; row++)
    for (size_t i = clip->row[row]; next_run(clip, region, row, &i, &first, &last);) {
      low = first < low ? first : low;
      high = last > high ? last : high;
      top = row < top ? row : top;
      bottom = row + 1;
    }
  *part = *region;
  if (top == SIZE_MAX)
    return false;
  part->start[y] = top;
  part->count[y] = bottom - top;
  part->start[x] = low;
  part->count[x] = high - low;
  return true;
}

struct clip_planes { /* the elements of a region, one plane of y and x after the other */
  const struct clip *clip;
  const struct cube *cube;
  const struct region *region;
  size_t stride[CUBE_MAX_DIMENSIONS];
  unsigned char *data;
};

static void set_planes(struct clip_planes *planes, const struct clip *clip, const struct cube *cube,
                       const struct region *region, void *data)
{
  *planes = (struct clip_planes){.clip = clip, .cube = cube, .region = region, .data = data};
  region_strides(region, planes->stride);
}

/* Element (row, column) of the plane at a position of the other dimensions. */
static unsigned char *element_at(const struct clip_planes *planes, const size_t *position, size_t row, size_t column)
{
  size_t y = planes->clip->y, x = planes->clip->x, at = 0;
  for (size_t d = 0; d < planes->region->dimensions; d++) {
    size_t index = d == y ? row - planes->region->start[y] : d == x ? column - planes->region->start[x] : position[d];
    at += index * planes->stride[d];
  }
  return planes->data + at * element_info(planes->cube->type)->size;
}

static void blank(const struct clip_planes *planes, const size_t *position, size_t row, size_t first, size_t last)
{
  size_t stride = planes->stride[planes->clip->x], size = element_info(planes->cube->type)->size;
  if (first >= last)
    return;
  unsigned char *at = element_at(planes, position, row, first);
  if (stride == 1)
    fill_missing(planes->cube, at, last - first);
  else
    for (size_t i = first; i < last; i++)
      fill_missing(planes->cube, at + (i - first) * stride * size, 1);
}

static void copy(const struct clip_planes *to, const struct clip_planes *from, const size_t *position, size_t row,
                 size_t first, size_t last)
{
  size_t size = element_info(to->cube->type)->size, x = to->clip->x;
  unsigned char *out = element_at(to, position, row, first);
  const unsigned char *in = element_at(from, position, row, first);
  if (to->stride[x] == 1 && from->stride[x] == 1)
    memcpy(out, in, (last - first) * size);
  else
    for (size_t i = 0; i < last - first; i++)
      memcpy(out + i * to->stride[x] * size, in + i * from->stride[x] * size, size);
}

/* One plane: blank between the runs, which are taken from `part` or, where that is the region, stand there already. */
static void clip_plane(const struct clip_planes *to, const struct clip_planes *from, const size_t *position)
{
  const struct region *region = to->region;
  size_t y = to->clip->y, x = to->clip->x, first, last;
  for (size_t row = region->start[y]; row < region->start[y] + region->count[y]; row++) {
    size_t done = region->start[x];
    for (size_t i = to->clip->row[row]; next_run(to->clip, region, row, &i, &first, &last); done = last) {
      blank(to, position, row, done, first);
      if (from->data != to->data)
        copy(to, from, position, row, first, last);
    }
    blank(to, position, row, done, region->start[x] + region->count[x]);
  }
}

static int clip_fill(struct tile_worker *worker, const struct stage *stage, void *data, const struct region *region,
                     void *out, struct error *error)
{
  const struct clip *clip = stage->data;
  struct clip_state *state = data;
  size_t upstream = stage->inputs[0]->stage, others[CUBE_MAX_DIMENSIONS], position[CUBE_MAX_DIMENSIONS] = {0};
  struct region part;
  struct clip_planes to, from;
  if (!kept_part(clip, region, &part)) {
    fill_missing(stage->cube, out, region_elements(region));
    return 0;
  }
  bool all = part.count[clip->y] == region->count[clip->y] && part.count[clip->x] == region->count[clip->x];
  if (!all && room_for(&state->box, region_bytes(stage->cube, &part), error) != 0)
    return -1;
  void *elements = all ? out : state->box.data;
  if (worker_pull(worker, upstream, &part, elements, error) != 0)
    return -1;
  set_planes(&to, clip, stage->cube, region, out);
  set_planes(&from, clip, stage->cube, &part, elements);
  for (size_t d = 0; d < region->dimensions; d++)
    others[d] = d == clip->y || d == clip->x ? 1 : region->count[d];
  do
    clip_plane(&to, &from, position);
  while (next_position(others, position, region->dimensions));
  return 0;
}

static void clip_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct clip *clip = stage->data;
  size_t pixels = 0;
  (void)plan;
  for (size_t i = 0; i < clip->kept->run_count; i++)
    pixels += clip->kept->runs[i].last - clip->kept->runs[i].first;
  buffer_printf(out, " keeps %zu pixels of a plane of stage %zu", pixels, stage->inputs[0]->stage);
}

const struct stage_ops clip_stage = {.name = "clip",
                                     .make = clip_make,
                                     .bytes = clip_bytes,
                                     .start = clip_start,
                                     .fill = clip_fill,
                                     .stop = clip_stop,
                                     .print = clip_print,
                                     .passes = true,
                                     .cost = 1};
