/* resample_cube_temporal: the dates of another cube, each with the values of the nearest date of this one.
 *
 * Without a limit that is a view along time. With one, the nearest *valid* value within the limit is wanted, which
 * differs from pixel to pixel: the view of rank k holds the k-th nearest date of each target date (or a hole), and a
 * kernel takes the first valid of them. */
#include "processes/cube/shape.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_CANDIDATES = 1000 }; /* dates within the limit of one target date */

struct dated {
  int64_t time;
  size_t index; /* in the data */
};

struct nearest {             /* the dates of the data around one of the target */
  const struct dated *dates; /* in order */
  size_t count;
  int64_t time;         /* of the target */
  size_t before, after; /* dates[before - 1] and dates[after] are the next on either side */
};

static int by_time(const void *a, const void *b)
{
  const struct dated *x = a, *y = b;
  if (x->time != y->time)
    return (x->time > y->time) - (x->time < y->time);
  return (x->index > y->index) - (x->index < y->index);
}

static struct dated *sort_dates(struct call *call, const struct dimension *time)
{
  struct dated *dates = ARENA_ARRAY(call->arena, struct dated, time->size);
  for (size_t i = 0; dates && i < time->size; i++)
    dates[i] = (struct dated){time->times[i], i};
  if (dates)
    qsort(dates, time->size, sizeof *dates, by_time);
  return dates;
}

static struct nearest nearest_begin(const struct dated *dates, size_t count, int64_t time)
{
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (dates[middle].time < time)
      low = middle + 1;
    else
      high = middle;
  }
  return (struct nearest){.dates = dates, .count = count, .time = time, .before = low, .after = low};
}

/* The next nearest date, the earlier one of two; its distance in milliseconds. False where there is none. */
static bool nearest_next(struct nearest *n, size_t *index, double *distance)
{
  bool before = n->before > 0, after = n->after < n->count;
  double down = before ? (double)n->time - (double)n->dates[n->before - 1].time : HUGE_VAL;
  double up = after ? (double)n->dates[n->after].time - (double)n->time : HUGE_VAL;
  if (!before && !after)
    return false;
  *distance = down <= up ? down : up;
  *index = down <= up ? n->dates[--n->before].index : n->dates[n->after++].index;
  return true;
}

/* ---- views ------------------------------------------------------------------------------------------------------ */

struct matching { /* of one dimension */
  const struct node *data;
  size_t dimension;
  struct dimension labels; /* of the target */
  struct nearest *around;  /* per label: what was not taken yet */
  double within;           /* milliseconds; infinite: no limit */
};

/* The view of the next rank; NULL in *out where no date of the target has another one within the limit. */
static int rank_view(struct call *call, const struct matching *r, const struct node **out)
{
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, r->labels.size);
  bool any = false;
  *out = NULL;
  if (!indexes)
    return error_memory(call->error);
  for (size_t i = 0; i < r->labels.size; i++) {
    double distance = 0;
    bool found = nearest_next(&r->around[i], &indexes[i], &distance) && distance <= r->within;
    if (!found)
      indexes[i] = NO_INDEX;
    any = any || found;
  }
  return any ? view_spread(call, r->data, r->dimension, &r->labels, indexes, out) : 0;
}

/* The first valid value of the views. */
static int first_valid(struct call *call, const struct node *const *views, size_t count, const struct cube *cube,
                       const struct node **out)
{
  struct program *program = program_new(call->arena);
  struct kernel_input *list = ARENA_ARRAY(call->arena, struct kernel_input, count);
  if (!program || !list)
    return error_memory(call->error);
  struct lanes value = program_missing(program);
  for (size_t k = count; k-- > 0;) {
    struct lanes x = program_input(program, k, false, 1, views[k]->cube->type, NULL);
    value = program_ternary(program, KOP_SELECT, x, value, program_unary(program, KOP_IS_VALID, x));
  }
  if (program_failed(program))
    return program_error(program, call->error);
  kernel_inputs_by_names(cube, views, count, list);
  *out = node_kernel(call->arena, call_origin(call), cube, list, count, program, value, NO_DIMENSION);
  return *out ? 0 : error_memory(call->error);
}

static int prepare(struct call *call, struct matching *r, const struct dimension *target)
{
  const struct dimension *time = &r->data->cube->dimension[r->dimension];
  const struct dated *dates = sort_dates(call, time);
  r->labels = *target;
  r->labels.name = time->name;
  r->around = ARENA_ARRAY(call->arena, struct nearest, target->size);
  if (!dates || !r->around)
    return error_memory(call->error);
  for (size_t i = 0; i < target->size; i++)
    r->around[i] = nearest_begin(dates, time->size, target->times[i]);
  return 0;
}

static int resample_dimension(struct call *call, const struct matching *r, const struct node **out)
{
  const struct node **views = ARENA_ARRAY(call->arena, const struct node *, MOST_CANDIDATES);
  struct cube *cube = cube_copy(call->arena, r->data->cube);
  size_t count = 0;
  if (!views || !cube)
    return error_memory(call->error);
  cube->dimension[r->dimension] = r->labels;
  cube_admit_missing(cube);
  bool limited = isfinite(r->within) || r->data->cube->dimension[r->dimension].size == 0;
  if (!limited && r->labels.size > 0)
    return rank_view(call, r, out);
  for (;; count++) {
    if (count == MOST_CANDIDATES)
      return error_parameter(call->error, ERROR_ProcessGraphComplexity, "valid_within",
                             "more than %d dates lie within the limit of one", (int)MOST_CANDIDATES);
    if (rank_view(call, r, &views[count]) != 0)
      return -1;
    if (!views[count])
      return first_valid(call, views, count, cube, out);
  }
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

static bool is_dated(const struct dimension *d)
{
  return d->type == DIMENSION_TEMPORAL && (d->labels == LABEL_TIME || d->size == 0);
}

/* Whether both dimensions of the name are temporal, with dates of one calendar. */
static bool dates_match(const struct dimension *a, const struct dimension *b)
{
  return is_dated(a) && is_dated(b) && (a->size == 0 || b->size == 0 || a->calendar == b->calendar);
}

static int read_limit(struct call *call, double *out)
{
  double days;
  *out = HUGE_VAL;
  if (!call_has(call, "valid_within"))
    return 0;
  if (call_number(call, "valid_within", &days) != 0)
    return -1;
  if (!(days >= 0))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "valid_within",
                           "the limit is a number of days, not %g", days);
  *out = days * (double)MS_PER_DAY;
  return 0;
}

/* The dimension that is named must be there and be one of dates in both. */
static int check_named(struct call *call, const struct node *data, const struct node *target, size_t *out)
{
  size_t there;
  if (call_dimension(call, "dimension", data, out) != 0 || call_dimension(call, "dimension", target, &there) != 0)
    return -1;
  if (!dates_match(&data->cube->dimension[*out], &target->cube->dimension[there]))
    return error_parameter(call->error, ERROR_DimensionMismatch, "dimension",
                           "'%s' is not a temporal dimension with dates of one calendar in both cubes",
                           data->cube->dimension[*out].name);
  return 0;
}

static int resample_cube_temporal_call(struct call *call, struct value *result)
{
  const struct node *data, *target;
  struct matching r = {0};
  size_t named = SIZE_MAX, done = 0;
  if (call_cube(call, "data", &data) != 0 || call_cube(call, "target", &target) != 0 ||
      read_limit(call, &r.within) != 0)
    return -1;
  if (call_has(call, "dimension") && check_named(call, data, target, &named) != 0)
    return -1;
  for (size_t d = 0; d < data->cube->dimensions; d++) {
    size_t there = cube_find_dimension(target->cube, data->cube->dimension[d].name);
    if ((named != SIZE_MAX && d != named) || there == SIZE_MAX ||
        !dates_match(&data->cube->dimension[d], &target->cube->dimension[there]))
      continue;
    r.data = data;
    r.dimension = d;
    if (prepare(call, &r, &target->cube->dimension[there]) != 0 || resample_dimension(call, &r, &data) != 0)
      return -1;
    done++;
  }
  if (done == 0)
    return error_parameter(call->error, ERROR_DimensionMismatch, "dimension",
                           "the cubes have no temporal dimension of the same name and calendar (%s; %s)",
                           cube_dimension_names(call->arena, data->cube),
                           cube_dimension_names(call->arena, target->cube));
  *result = value_cube(data);
  return 0;
}

const struct process process_resample_cube_temporal = {
    .id = "resample_cube_temporal", .shape = PROCESS_CUBE, .call = resample_cube_temporal_call};
