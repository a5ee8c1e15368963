/* aggregate_spatial_window: a reducer over windows that tile the plane. A view makes x and y whole numbers of windows
 * (with holes for what lies beyond the edges, or without the rest); each is then a dimension of windows and one of the
 * pixels within, and the pixels of a window become an array. */
#include "processes/cube/along.h"
#include "processes/cube/regrouping.h"

#include "datacube/base/checked.h"

#include <string.h>

static const size_t most_pixels = (size_t)1 << 24; /* of a window */

struct tiling {                  /* of one dimension */
  size_t dimension, size, count; /* pixels of a window, windows */
  ptrdiff_t first;               /* index at which the first window begins; < 0: beyond the edge */
};

struct windows {
  struct call *call;
  bool pads, right, lower; /* where the whole windows begin */
  struct tiling y, x;
};

static int read_size(struct windows *w, size_t i, size_t *out)
{
  const struct value *size = call_argument(w->call, "size");
  double number = size->count == 2 && size->items[i].kind == VALUE_NUMBER ? size->items[i].number : 0;
  if (!(number >= 1 && number <= (double)most_pixels && number == (double)(size_t)number))
    return error_parameter(w->call->error, ERROR_ProcessParameterInvalid, "size",
                           "the size of a window along %s is a whole number from 1 to %zu; it is %g", i ? "y" : "x",
                           most_pixels, number);
  *out = (size_t)number;
  return 0;
}

/* Windows along a dimension; from_end: the last one ends with the data. */
static void tile(const struct windows *w, const struct cube *cube, bool from_end, struct tiling *t)
{
  size_t size = cube->dimension[t->dimension].size;
  t->count = (size + (w->pads ? t->size - 1 : 0)) / t->size;
  t->first = from_end ? (ptrdiff_t)size - (ptrdiff_t)(t->count * t->size) : 0;
}

/* Whether the label grows along the dimension. */
static bool ascends(const struct dimension *d)
{
  return d->size < 2 ? d->axis == 'x' : dimension_label_number(d, 0) < dimension_label_number(d, d->size - 1);
}

static int read_windows(struct windows *w, const struct cube *cube)
{
  const char *boundary, *align;
  w->y.dimension = cube_find_axis(cube, 'y');
  w->x.dimension = cube_find_axis(cube, 'x');
  if (w->y.dimension == SIZE_MAX || w->x.dimension == SIZE_MAX)
    return error_parameter(w->call->error, ERROR_ProcessParameterInvalid, "data",
                           "the cube has no x and y (its dimensions: %s)", cube_dimension_names(w->call->arena, cube));
  if (read_size(w, 0, &w->x.size) != 0 || read_size(w, 1, &w->y.size) != 0 ||
      call_text(w->call, "boundary", &boundary) != 0 || call_text(w->call, "align", &align) != 0)
    return -1;
  if (saturated_mul(w->x.size, w->y.size) > most_pixels)
    return error_parameter(w->call->error, ERROR_ProcessGraphComplexity, "size", "a window has more than %zu pixels",
                           most_pixels);
  w->pads = strcmp(boundary, "pad") == 0;
  w->right = strstr(align, "right") != NULL;
  w->lower = strstr(align, "lower") != NULL;
  tile(w, cube, w->right == ascends(&cube->dimension[w->x.dimension]), &w->x);
  tile(w, cube, w->lower != ascends(&cube->dimension[w->y.dimension]), &w->y);
  return 0;
}

/* The centre of each window; of irregular labels, the middle of those that it has. */
static int label_windows(struct call *call, const struct dimension *d, const struct tiling *t, struct dimension *out)
{
  double *numbers = ARENA_ARRAY(call->arena, double, t->count);
  *out = *d;
  out->size = t->count;
  if (!numbers)
    return error_memory(call->error);
  if (d->labels == LABEL_STEP) {
    out->start = d->start + ((double)t->first + ((double)t->size - 1) / 2) * d->step;
    out->step = d->step * (double)t->size;
    return 0;
  }
  for (size_t i = 0; i < t->count; i++) {
    ptrdiff_t first = t->first + (ptrdiff_t)(i * t->size), last = first + (ptrdiff_t)t->size - 1;
    size_t low = first < 0 ? 0 : (size_t)first, high = last < (ptrdiff_t)d->size ? (size_t)last : d->size - 1;
    numbers[i] = (dimension_label_number(d, low) + dimension_label_number(d, high)) / 2;
  }
  out->labels = LABEL_NUMBER;
  out->numbers = numbers;
  out->texts = NULL;
  return 0;
}

/* A whole number of windows along the dimension. */
static int fit(struct call *call, const struct node *data, const struct tiling *t, const struct node **out)
{
  const struct dimension *d = &data->cube->dimension[t->dimension];
  size_t size = t->count * t->size, *indexes;
  *out = data;
  if (t->first == 0 && size == d->size)
    return 0;
  indexes = ARENA_ARRAY(call->arena, size_t, size);
  if (!indexes)
    return error_memory(call->error);
  for (size_t i = 0; i < size; i++) {
    ptrdiff_t at = t->first + (ptrdiff_t)i;
    indexes[i] = at < 0 || (size_t)at >= d->size ? NO_INDEX : (size_t)at;
  }
  struct dimension labels = dimension_enumerated(d->name, d->type, size);
  labels.axis = d->axis;
  if (size > d->size && node_admit_missing(call, data, &data) != 0)
    return -1;
  return view_spread(call, data, t->dimension, &labels, indexes, out);
}

/* The data with a dimension of windows in place of x and y, and the pixels of a window as the last one. */
static int cut_windows(const struct windows *w, const struct node *data, const struct node **out)
{
  const struct cube *cube = data->cube;
  const struct dimension pixels = dimension_enumerated("pixel", DIMENSION_OTHER, w->y.size * w->x.size);
  const struct node *fitted;
  struct regrouping r;
  if (fit(w->call, data, &w->y, &fitted) != 0 || fit(w->call, fitted, &w->x, &fitted) != 0 ||
      regrouping_begin(w->call, fitted, &r) != 0)
    return -1;
  for (size_t d = 0; d < cube->dimensions; d++) {
    const struct tiling *t = d == w->y.dimension ? &w->y : d == w->x.dimension ? &w->x : NULL;
    struct dimension labels = cube->dimension[d];
    if ((t && label_windows(w->call, &cube->dimension[d], t, &labels) != 0) || regrouping_add(&r, &labels) != 0)
      return -1;
    regrouping_axis(&r, d, labels.size);
  }
  if (regrouping_add(&r, &pixels) != 0)
    return -1;
  regrouping_axis(&r, w->y.dimension, w->y.size);
  regrouping_axis(&r, w->x.dimension, w->x.size);
  return regrouping_end(&r, out);
}

static int aggregate_spatial_window_call(struct call *call, struct value *result)
{
  struct along along = {.parameter = "reducer"};
  struct windows windows = {.call = call};
  const struct node *data, *node;
  if (call_cube(call, "data", &data) != 0 || call_callback_argument(call, "reducer", &along.callback) != 0 ||
      read_windows(&windows, data->cube) != 0 || cut_windows(&windows, data, &along.data) != 0)
    return -1;
  along.dimension = along.data->cube->dimensions - 1;
  if (along_reduce(call, &along, NULL, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_aggregate_spatial_window = {
    .id = "aggregate_spatial_window", .shape = PROCESS_CUBE, .call = aggregate_spatial_window_call};
