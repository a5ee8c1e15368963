/* The regroup stage: elements keep their values and get other indexes. An index along a dimension is a number with one
 * digit for each of its axes; the axes of the output are those of the input in another order and grouping, so place in
 * and place out are both sums of digits times strides.
 *
 *   flatten   dimensions [a] [b]            -> [a b]
 *   split     dimension  [a b]              -> [a] [b]
 *   windows   y = [v dy], x = [u dx]        -> [v] [u] [dy dx]
 *
 * A region of the output is cut into blocks: a range of each axis, such that what a block needs of the input is a box
 * that it uses whole. A block is pulled and copied with its strides. */
#include "hpc/stage/regroup_stage.h"

#include "datacube/base/checked.h"
#include "hpc/plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

struct placed_axis {
  struct regroup_axis axis;
  size_t from_stride, to_stride; /* of its dimension's index */
  bool ends;                     /* the fastest of its output dimension */
};

struct regroup_data { /* node->data */
  struct placed_axis axes[REGROUP_MAX_AXES];
  size_t count;
};

struct regroup_fill { /* one region on its way */
  struct tile_worker *worker;
  const struct stage *stage;
  const struct regroup_data *data;
  const struct region *region;
  struct room *pulled;
  unsigned char *out;
  size_t out_stride[CUBE_MAX_DIMENSIONS];                /* elements, of the region */
  size_t low[REGROUP_MAX_AXES], range[REGROUP_MAX_AXES]; /* the block */
};

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

/* Strides from the fastest axes on. */
static void place_axes(struct regroup_data *data, const struct regroup *regroup)
{
  size_t from[CUBE_MAX_DIMENSIONS], to[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
    from[d] = to[d] = 1;
  data->count = regroup->count;
  for (size_t i = regroup->count; i-- > 0;) {
    const struct regroup_axis *axis = &regroup->axes[i];
    bool ends = i + 1 == regroup->count || regroup->axes[i + 1].to != axis->to;
    data->axes[i] = (struct placed_axis){*axis, from[axis->from], to[axis->to], ends};
    from[axis->from] *= axis->size;
    to[axis->to] *= axis->size;
  }
}

const struct node *node_regroup(struct arena *arena, struct node_origin origin, const struct node *input,
                                const struct cube *cube, const struct regroup *regroup)
{
  struct regroup_data *data = ARENA_NEW(arena, struct regroup_data);
  const struct node **inputs = arena_copy(arena, &input, sizeof input);
  if (!data || !inputs)
    return NULL;
  place_axes(data, regroup);
  struct stage_node stage = {.ops = &regroup_stage, .inputs = inputs, .input_count = 1, .data = data};
  for (size_t i = 0; i < regroup->count; i++) {
    const uint64_t words[] = {regroup->axes[i].size, (uint64_t)regroup->axes[i].from, (uint64_t)regroup->axes[i].to};
    hash_bytes(&stage.data_hash, words, sizeof words);
  }
  return node_stage(arena, origin, cube, &stage);
}

/* ---- planning --------------------------------------------------------------------------------------------------- */

/* The output dimension that is input dimension d; NO_DIMENSION where it is split or one of several. */
static int same_dimension(const struct regroup_data *data, size_t d)
{
  int found = NO_DIMENSION;
  for (size_t i = 0; i < data->count; i++) {
    const struct placed_axis *a = &data->axes[i];
    if (a->axis.from != (int)d)
      continue;
    bool alone = a->ends && a->to_stride == 1 && (i == 0 || data->axes[i - 1].axis.to != a->axis.to);
    if (found != NO_DIMENSION || !alone)
      return NO_DIMENSION;
    found = a->axis.to;
  }
  return found;
}

/* The output dimension that input dimension d follows most: that of its slowest axis. */
static int leading_dimension(const struct regroup_data *data, size_t d)
{
  for (size_t i = 0; i < data->count; i++)
    if (data->axes[i].axis.from == (int)d)
      return data->axes[i].axis.to;
  return NO_DIMENSION;
}

static int regroup_make(struct stage_list *list, struct stage *stage, struct error *error)
{
  const struct regroup_data *data = stage->node->data;
  const struct cube *from = stage->node->children[0]->cube;
  struct stage_input *input = stage_reads(list, stage->node->children[0], error);
  if (!input)
    return -1;
  const struct stage *upstream = stage_at(list, input->stage);
  stage->data = data;
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    stage->mode[d] = MODE_OUT;
  for (size_t d = 0; d < from->dimensions; d++) {
    int same = same_dimension(data, d);
    if (same == NO_DIMENSION)
      input->need[d] = (struct need){.kind = NEED_SPREAD, .out = leading_dimension(data, d), .share = 1};
    else if (upstream->mode[d] == MODE_AXIS)
      stage->mode[same] = MODE_AXIS; /* made as an array: whole */
    else
      input->need[d] = (struct need){.kind = NEED_RUN, .out = same, .size = from->dimension[d].size};
  }
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

/* Largest box of the input that a block of a region of that shape needs. */
static void regroup_counts(const struct regroup_data *data, const size_t *count, size_t *in)
{
  for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
    in[d] = 1;
  for (size_t i = 0; i < data->count; i++) {
    const struct placed_axis *a = &data->axes[i];
    size_t range = (count[a->axis.to] + a->to_stride - 1) / a->to_stride;
    in[a->axis.from] = saturated_mul(in[a->axis.from], range < a->axis.size ? range : a->axis.size);
  }
}

static size_t regroup_bytes(const struct plan *plan, const struct stage *stage, const size_t *count)
{
  size_t upstream = stage->inputs[0]->stage, in[CUBE_MAX_DIMENSIONS];
  regroup_counts(stage->data, count, in);
  return saturated_add(cube_part_bytes(plan_stage(plan, upstream)->cube, in), plan_stage_bytes(plan, upstream, in));
}

static int regroup_start(struct tile_worker *worker, const struct stage *stage, void **out, struct error *error)
{
  (void)worker;
  (void)stage;
  *out = calloc(1, sizeof(struct room));
  return *out ? 0 : error_memory(error);
}

static void regroup_stop(const struct stage *stage, void *state)
{
  (void)stage;
  if (state)
    room_free(state);
  free(state);
}

/* ---- one block -------------------------------------------------------------------------------------------------- */

/* The box of the input that the block needs. */
static void block_box(const struct regroup_fill *f, struct region *in)
{
  const struct regroup_data *data = f->data;
  *in = (struct region){.dimensions = plan_stage(worker_plan(f->worker), f->stage->inputs[0]->stage)->cube->dimensions};
  for (size_t d = 0; d < in->dimensions; d++)
    in->count[d] = 1;
  for (size_t i = 0; i < data->count; i++) {
    const struct placed_axis *a = &data->axes[i];
    in->start[a->axis.from] += f->low[i] * a->from_stride;
    in->count[a->axis.from] += (f->range[i] - 1) * a->from_stride;
  }
}

/* count elements with strides in elements; sizes that memcpy gets as constants are moves. */
static void copy_row(unsigned char *to, size_t to_stride, const unsigned char *from, size_t from_stride, size_t count,
                     size_t size)
{
  if (to_stride == 1 && from_stride == 1) {
    memcpy(to, from, count * size);
    return;
  }
  for (size_t i = 0; i < count; i++, to += to_stride * size, from += from_stride * size)
    switch (size) {
    case 1:
      memcpy(to, from, 1);
      break;
    case 2:
      memcpy(to, from, 2);
      break;
    case 4:
      memcpy(to, from, 4);
      break;
    case 8:
      memcpy(to, from, 8);
      break;
    default:
      memcpy(to, from, size);
    }
}

static void copy_block(const struct regroup_fill *f, const struct region *in)
{
  const struct regroup_data *data = f->data;
  size_t in_stride[CUBE_MAX_DIMENSIONS], position[REGROUP_MAX_AXES] = {0}, last = data->count - 1, base = 0;
  size_t from[REGROUP_MAX_AXES], to[REGROUP_MAX_AXES], size = element_info(f->stage->cube->type)->size;
  region_strides(in, in_stride);
  for (size_t i = 0; i < data->count; i++) {
    const struct placed_axis *a = &data->axes[i];
    from[i] = a->from_stride * in_stride[a->axis.from];
    to[i] = a->to_stride * f->out_stride[a->axis.to];
    base += f->low[i] * to[i];
  }
  for (size_t d = 0; d < f->region->dimensions; d++)
    base -= f->region->start[d] * f->out_stride[d];
  do {
    size_t at = 0, there = base;
    for (size_t i = 0; i < last; i++) {
      at += position[i] * from[i];
      there += position[i] * to[i];
    }
    copy_row(f->out + there * size, to[last], (const unsigned char *)f->pulled->data + at * size, from[last],
             f->range[last], size);
  } while (next_position(f->range, position, last));
}

static int fill_block(struct regroup_fill *f, struct error *error)
{
  size_t upstream = f->stage->inputs[0]->stage;
  const struct cube *cube = plan_stage(worker_plan(f->worker), upstream)->cube;
  struct region in;
  block_box(f, &in);
  if (room_for(f->pulled, region_bytes(cube, &in), error) != 0 ||
      worker_pull(f->worker, upstream, &in, f->pulled->data, error) != 0)
    return -1;
  copy_block(f, &in);
  return 0;
}

/* Whether a faster axis of the same input dimension is not whole in the block: its box then has gaps along this one. */
static bool has_gaps(const struct regroup_fill *f, size_t i)
{
  for (size_t k = i + 1; k < f->data->count; k++)
    if (f->data->axes[k].axis.from == f->data->axes[i].axis.from && f->range[k] < f->data->axes[k].axis.size)
      return true;
  return false;
}

/* The block, index by index along axes whose box has gaps. */
static int fill_without_gaps(struct regroup_fill *f, size_t i, struct error *error)
{
  while (i < f->data->count && !(f->range[i] > 1 && has_gaps(f, i)))
    i++;
  if (i == f->data->count)
    return fill_block(f, error);
  size_t low = f->low[i], range = f->range[i];
  int status = 0;
  f->range[i] = 1;
  for (size_t k = 0; status == 0 && k < range; k++) {
    f->low[i] = low + k;
    status = fill_without_gaps(f, i + 1, error);
  }
  f->low[i] = low;
  f->range[i] = range;
  return status;
}

/* ---- a region --------------------------------------------------------------------------------------------------- */

/* Cuts the range [start, end) of the axes from i on of an output dimension into ranges of each axis: of a number's
 * slowest digit, the first and the last value may have parts of what is below them, those between have all of it. */
static int cut_region(struct regroup_fill *f, size_t i, size_t start, size_t end, struct error *error)
{
  if (i == f->data->count)
    return fill_without_gaps(f, 0, error);
  const struct placed_axis *a = &f->data->axes[i];
  size_t stride = a->to_stride;
  if (a->ends) {
    f->low[i] = start;
    f->range[i] = end - start;
    size_t next = i + 1 < f->data->count ? (size_t)f->data->axes[i + 1].axis.to : 0;
    return cut_region(f, i + 1, f->region->start[next], f->region->start[next] + f->region->count[next], error);
  }
  for (size_t at = start; at < end;) {
    size_t digit = at / stride, below = at % stride, whole = below ? 0 : end / stride - digit;
    size_t stop = whole || end - digit * stride > stride ? stride : end - digit * stride;
    f->low[i] = digit;
    f->range[i] = whole ? whole : 1;
    if (cut_region(f, i + 1, below, stop, error) != 0)
      return -1;
    at = (digit + f->range[i] - 1) * stride + stop;
  }
  return 0;
}

static int regroup_fill(struct tile_worker *worker, const struct stage *stage, void *state, const struct region *region,
                        void *out, struct error *error)
{
  struct regroup_fill f = {
      .worker = worker, .stage = stage, .data = stage->data, .region = region, .pulled = state, .out = out};
  if (region_elements(region) == 0)
    return 0;
  region_strides(region, f.out_stride);
  return cut_region(&f, 0, region->start[0], region->start[0] + region->count[0], error);
}

static void regroup_print(const struct plan *plan, const struct stage *stage, struct buffer *out)
{
  const struct cube *from = plan_stage(plan, stage->inputs[0]->stage)->cube;
  buffer_printf(out, " of stage %zu:", stage->inputs[0]->stage);
  for (size_t d = 0; d < from->dimensions; d++)
    buffer_printf(out, " %s", from->dimension[d].name);
  buffer_text(out, " as");
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    buffer_printf(out, " %s", stage->cube->dimension[d].name);
}

const struct stage_ops regroup_stage = {.name = "regroup",
                                        .make = regroup_make,
                                        .bytes = regroup_bytes,
                                        .start = regroup_start,
                                        .fill = regroup_fill,
                                        .stop = regroup_stop,
                                        .print = regroup_print,
                                        .cost = 2};
