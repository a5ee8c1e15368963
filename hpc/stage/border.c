/* Windows at the edges: the region around a part is filled, and what lies beyond the edges of the windowed dimensions
 * comes by their border rules. Dimension by dimension, from the last: each pass sees what the one before completed. */
#include "hpc/stage/kernel_place.h"

#include <math.h>
#include <string.h>

struct margins {                     /* a part with its margins */
  struct region inside;              /* indexes within the edges */
  size_t count[CUBE_MAX_DIMENSIONS]; /* with margins */
  size_t low[CUBE_MAX_DIMENSIONS];   /* margin before the first index inside */
};

static void make_frame(const struct placing *p, size_t i, const struct region *inside, struct margins *frame)
{
  const struct stage_input *input = &p->variant->inputs[i];
  frame->inside = *inside;
  for (size_t d = 0; d < inside->dimensions; d++) {
    const struct need *need = &input->need[d];
    frame->count[d] = inside->count[d];
    frame->low[d] = 0;
    if (!p->variant->windows[i][d])
      continue;
    size_t start = p->region->start[need->out] + need->offset;
    frame->count[d] = p->region->count[need->out] + need->before + need->after;
    frame->low[d] = start > need->before ? 0 : need->before - start;
  }
}

/* Copies the dense elements inside to their place within the frame. */
static void place_inside(const struct margins *frame, size_t size, const unsigned char *from, unsigned char *to)
{
  size_t n = frame->inside.dimensions, position[CUBE_MAX_DIMENSIONS] = {0};
  size_t row = frame->inside.count[n - 1] * size;
  do {
    size_t at = 0;
    for (size_t d = 0; d < n; d++)
      at = at * frame->count[d] + frame->low[d] + (d + 1 < n ? position[d] : 0);
    memcpy(to + at * size, from, row);
    from += row;
  } while (next_position(frame->inside.count, position, n - 1));
}

/* Index that stands for index i of a dimension of `size`, or NO_INDEX where a value does. */
static size_t border_index(const struct window *window, ptrdiff_t i, size_t length)
{
  ptrdiff_t size = (ptrdiff_t)length, period;
  if (i >= 0 && i < size)
    return (size_t)i;
  switch (window->border) {
  case BORDER_REPLICATE:
    return i < 0 ? 0 : length - 1;
  case BORDER_WRAP:
    return (size_t)(((i % size) + size) % size);
  case BORDER_REFLECT: /* the edge counts twice */
    i = ((i % (2 * size)) + 2 * size) % (2 * size);
    return (size_t)(i < size ? i : 2 * size - 1 - i);
  case BORDER_REFLECT_PIXEL:
    if (size == 1)
      return 0;
    period = 2 * size - 2;
    i = ((i % period) + period) % period;
    return (size_t)(i < size ? i : period - i);
  case BORDER_VALUE:
    break;
  }
  return NO_INDEX;
}

static void fill_value(const struct cube *cube, double value, unsigned char *to, size_t count)
{
  struct cube with = *cube;
  with.has_nodata = with.has_nodata || !isnan(value);
  if (!isnan(value))
    with.nodata = value;
  fill_missing(&with, to, count);
}

/* One line of the frame's margins along dimension d: `inner` elements for each index, `from` its line's first. */
static void fill_line(const struct margins *frame, const struct cube *cube, const struct window *window, size_t d,
                      size_t inner, unsigned char *line)
{
  size_t size = element_info(cube->type)->size, first = frame->inside.start[d], have = frame->inside.count[d];
  for (size_t k = 0; k < frame->count[d]; k++) {
    ptrdiff_t index = (ptrdiff_t)(first + k) - (ptrdiff_t)frame->low[d];
    if (k >= frame->low[d] && k < frame->low[d] + have)
      continue;
    size_t other = border_index(window, index, cube->dimension[d].size);
    unsigned char *to = line + k * inner * size;
    if (other == NO_INDEX)
      fill_value(cube, window->value, to, inner);
    else
      memcpy(to, line + (other - first + frame->low[d]) * inner * size, inner * size);
  }
}

static void fill_margins(const struct margins *frame, const struct cube *cube, const struct window *window, size_t d,
                         unsigned char *data)
{
  size_t inner = 1, outer = 1, size = element_info(cube->type)->size;
  for (size_t k = d + 1; k < cube->dimensions; k++)
    inner *= frame->count[k];
  for (size_t k = 0; k < d; k++)
    outer *= frame->count[k];
  for (size_t o = 0; o < outer; o++)
    fill_line(frame, cube, window, d, inner, data + o * frame->count[d] * inner * size);
}

/* Where the border repeats indexes that the part does not reach (wrap; short dimensions), the dimension is filled
 * whole. */
static bool reaches(const struct placing *p, size_t i, const struct margins *frame, const struct cube *cube)
{
  for (size_t d = 0; d < cube->dimensions; d++) {
    const struct window *window = p->variant->windows[i][d];
    for (size_t k = 0; window && k < frame->count[d]; k++) {
      ptrdiff_t index = (ptrdiff_t)(frame->inside.start[d] + k) - (ptrdiff_t)frame->low[d];
      size_t other = border_index(window, index, cube->dimension[d].size);
      if (other != NO_INDEX &&
          (other < frame->inside.start[d] || other >= frame->inside.start[d] + frame->inside.count[d]))
        return false;
    }
  }
  return true;
}

/* The part's lines from a buffer whose windowed dimensions are whole. */
static void copy_frame(const struct placing *p, size_t i, const struct margins *frame, const struct cube *cube,
                       const struct region *whole, const unsigned char *from, unsigned char *to)
{
  size_t n = cube->dimensions, position[CUBE_MAX_DIMENSIONS] = {0}, size = element_info(cube->type)->size;
  do {
    size_t at = 0;
    double value = 0;
    bool outside = false;
    for (size_t d = 0; d < n; d++) {
      const struct window *window = p->variant->windows[i][d];
      ptrdiff_t index = (ptrdiff_t)(frame->inside.start[d] + position[d]) - (ptrdiff_t)frame->low[d];
      size_t other = window ? border_index(window, index, cube->dimension[d].size) : position[d];
      if (other == NO_INDEX && !outside) { /* in a corner the first dimension's value, as by fill_margins */
        outside = true;
        value = window->value;
      }
      at = at * whole->count[d] + (other == NO_INDEX ? 0 : other);
    }
    if (outside)
      fill_value(cube, value, to, 1);
    else
      memcpy(to, from + at * size, size);
    to += size;
  } while (next_position(frame->count, position, n));
}

int fill_window(const struct placing *p, size_t i, const struct region *inside, struct error *error)
{
  const struct stage_input *input = &p->variant->inputs[i];
  const struct cube *cube = plan_stage(worker_plan(p->worker), input->stage)->cube;
  struct filled_input *to = &p->state->inputs[i];
  struct room *inner = &p->state->inner;
  struct margins frame;
  struct region with, pulled = *inside;
  make_frame(p, i, inside, &frame);
  with = *inside;
  memcpy(with.count, frame.count, sizeof with.count);
  region_strides(&with, to->strides);
  if (place_room(p, to, region_bytes(cube, &with), error) != 0)
    return -1;
  if (memcmp(with.count, inside->count, with.dimensions * sizeof *with.count) == 0) /* no edge near */
    return worker_pull(p->worker, input->stage, inside, to->room.data, error);
  bool near = reaches(p, i, &frame, cube);
  for (size_t d = 0; !near && d < cube->dimensions; d++)
    if (p->variant->windows[i][d]) {
      pulled.start[d] = 0;
      pulled.count[d] = cube->dimension[d].size;
    }
  if (room_for(inner, region_bytes(cube, &pulled), error) != 0 ||
      worker_pull(p->worker, input->stage, &pulled, inner->data, error) != 0)
    return -1;
  if (!near) {
    copy_frame(p, i, &frame, cube, &pulled, inner->data, to->room.data);
    return 0;
  }
  place_inside(&frame, element_info(cube->type)->size, inner->data, to->room.data);
  for (size_t d = cube->dimensions; d-- > 0;)
    if (p->variant->windows[i][d])
      fill_margins(&frame, cube, p->variant->windows[i][d], d, to->room.data);
  return 0;
}
