/* climatological_normal: the mean of each day, month or season of the year over a span of years. One kernel takes the
 * dates of each label from the time axis and averages them: at once where blocks hold many dates, so that the axis is
 * read once for all labels, else label by label. */
#include "processes/aggregate/periods.h"
#include "processes/cube/shape.h"

#include <stdio.h>
#include <string.h>

enum { MOST_LABELS = 366 };

struct normals {
  enum period period;  /* PERIOD_COUNT: the climatology period as one */
  int64_t first, last; /* years, both within */
  const struct dimension *time;
  size_t dimension;
  char labels[MOST_LABELS][40];
  size_t label_count;
  size_t *dates; /* indexes of the dates by label: those of label i are dates[start[i]] … dates[start[i + 1] - 1] */
  size_t *start;
};

/* ---- arguments -------------------------------------------------------------------------------------------------- */

static int find_time(struct call *call, const struct node *data, struct normals *n)
{
  size_t count = cube_count_type(data->cube, DIMENSION_TEMPORAL);
  n->dimension = cube_find_type(data->cube, DIMENSION_TEMPORAL);
  if (count != 1)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the cube must have exactly one temporal dimension, it has %zu", count);
  n->time = &data->cube->dimension[n->dimension];
  if (n->time->labels != LABEL_TIME || n->time->size == 0)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data", "dimension '%s' has no dates as labels",
                           n->time->name);
  return 0;
}

static int64_t year_of(const struct dimension *time, size_t i)
{
  return period_of(PERIOD_YEAR, time->times[i], time->calendar);
}

/* The years asked for; the dates must reach from the first to the last of them. */
static int read_years(struct call *call, struct normals *n)
{
  const struct value *years = call_argument(call, "climatology_period");
  int64_t from = year_of(n->time, 0), to = from;
  n->first = (int64_t)years->items[0].number;
  n->last = (int64_t)years->items[1].number;
  if (n->first > n->last)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "climatology_period",
                           "the first year (%lld) is later than the last (%lld)", (long long)n->first,
                           (long long)n->last);
  for (size_t i = 1; i < n->time->size; i++) {
    int64_t year = year_of(n->time, i);
    from = year < from ? year : from;
    to = year > to ? year : to;
  }
  if (from > n->first || to < n->last)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "climatology_period",
                           "the dates of the cube (%lld to %lld) do not cover the years %lld to %lld", (long long)from,
                           (long long)to, (long long)n->first, (long long)n->last);
  return 0;
}

/* ---- labels ----------------------------------------------------------------------------------------------------- */

static size_t days_of_year(const struct normals *n)
{
  size_t most = 0;
  for (int64_t year = n->first; year <= n->last && most < MOST_LABELS; year++) {
    struct civil end = {.year = (int)year, .month = 12, .day = days_in_month((int)year, 12, n->time->calendar)};
    size_t days = (size_t)day_of_year(end, n->time->calendar);
    most = days > most ? days : most;
  }
  return most;
}

/* The labels of one cycle; a year in which every one of them appears gives their texts. */
static void make_labels(struct normals *n)
{
  static const char *const seasons[] = {"djf", "mam", "jja", "son"}, *const halves[] = {"ndjfma", "mjjaso"};
  n->label_count = n->period == PERIOD_DAY               ? days_of_year(n)
                   : n->period == PERIOD_MONTH           ? 12
                   : n->period == PERIOD_SEASON          ? 4
                   : n->period == PERIOD_TROPICAL_SEASON ? 2
                                                         : 1;
  for (size_t i = 0; i < n->label_count; i++) {
    int number = (int)i + 1;
    if (n->period == PERIOD_DAY)
      snprintf(n->labels[i], sizeof n->labels[i], "%03d", number);
    else if (n->period == PERIOD_MONTH)
      snprintf(n->labels[i], sizeof n->labels[i], "%02d", number);
    else
      snprintf(n->labels[i], sizeof n->labels[i], "%s",
               n->period == PERIOD_SEASON            ? seasons[i]
               : n->period == PERIOD_TROPICAL_SEASON ? halves[i]
                                                     : "climatology-period");
  }
}

static size_t find_cycle_label(const struct normals *n, size_t date)
{
  char label[40];
  if (n->period == PERIOD_COUNT)
    return 0;
  period_cycle_label(n->period, period_of(n->period, n->time->times[date], n->time->calendar), n->time->calendar,
                     label);
  for (size_t i = 0; i < n->label_count; i++)
    if (strcmp(label, n->labels[i]) == 0)
      return i;
  return SIZE_MAX;
}

/* ---- dates ------------------------------------------------------------------------------------------------------ */

/* The year in which the date's season ends (its own year where seasons do not count). */
static int64_t year_of_end(const struct normals *n, size_t date)
{
  if (n->period != PERIOD_SEASON && n->period != PERIOD_TROPICAL_SEASON)
    return year_of(n->time, date);
  int64_t number = period_of(n->period, n->time->times[date], n->time->calendar);
  int64_t next = period_start(n->period, number + 1, n->time->calendar);
  return period_of(PERIOD_YEAR, next - 1, n->time->calendar);
}

/* Whether the months before the first year that belong to its first season are all there. */
static bool has_months_before(const struct normals *n)
{
  bool december = false, november = n->period == PERIOD_SEASON;
  for (size_t i = 0; i < n->time->size; i++) {
    struct civil c = instant_civil(n->time->times[i], n->time->calendar);
    december = december || (c.year == n->first - 1 && c.month == 12);
    november = november || (c.year == n->first - 1 && c.month == 11);
  }
  return december && november;
}

/* Whether the date counts: its season ends within the years, and began within them unless the months before are known.
 */
static bool counts(const struct normals *n, bool months_before, size_t date)
{
  int64_t end = year_of_end(n, date);
  if (end < n->first || end > n->last)
    return false;
  int64_t number =
      period_of(n->period == PERIOD_COUNT ? PERIOD_YEAR : n->period, n->time->times[date], n->time->calendar);
  int64_t start = period_start(n->period == PERIOD_COUNT ? PERIOD_YEAR : n->period, number, n->time->calendar);
  return months_before || period_of(PERIOD_YEAR, start, n->time->calendar) >= n->first;
}

/* Sorts the dates that count by label, in their order within each. */
static int group_dates(struct call *call, struct normals *n)
{
  size_t *label = ARENA_ARRAY(call->arena, size_t, n->time->size);
  n->dates = ARENA_ARRAY(call->arena, size_t, n->time->size);
  n->start = ARENA_ARRAY(call->arena, size_t, n->label_count + 2);
  if (!label || !n->dates || !n->start)
    return error_memory(call->error);
  bool before = has_months_before(n);
  for (size_t i = 0; i < n->time->size; i++) {
    label[i] = counts(n, before, i) ? find_cycle_label(n, i) : SIZE_MAX;
    if (label[i] != SIZE_MAX)
      n->start[label[i] + 2]++;
  }
  for (size_t k = 2; k < n->label_count + 2; k++)
    n->start[k] += n->start[k - 1];
  for (size_t i = 0; i < n->time->size; i++)
    if (label[i] != SIZE_MAX)
      n->dates[n->start[label[i] + 1]++] = i;
  return 0;
}

/* ---- the node --------------------------------------------------------------------------------------------------- */

static int label_dimension(struct call *call, const struct normals *n, struct dimension *out)
{
  const char **texts = ARENA_ARRAY(call->arena, const char *, n->label_count);
  if (!texts)
    return error_memory(call->error);
  for (size_t i = 0; i < n->label_count; i++) {
    texts[i] = arena_strdup(call->arena, n->labels[i]);
    if (!texts[i])
      return error_memory(call->error);
  }
  *out = dimension_texts(n->time->name, DIMENSION_TEMPORAL, texts, n->label_count);
  return 0;
}

static int average(struct call *call, const struct node *data, const struct normals *n, const struct node **out)
{
  struct program *program = program_new(call->arena);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct kernel_input *input = ARENA_NEW(call->arena, struct kernel_input);
  struct lanes *means = ARENA_ARRAY(call->arena, struct lanes, n->label_count);
  const double skip_missing = 1;
  if (!program || !cube || !input || !means || label_dimension(call, n, &cube->dimension[n->dimension]) != 0)
    return error_memory(call->error);
  struct lanes axis = program_input(program, 0, true, n->time->size, data->cube->type, NULL);
  for (size_t i = 0; i < n->label_count; i++) {
    struct lanes dates = program_pick(program, axis, n->dates + n->start[i], n->start[i + 1] - n->start[i]);
    means[i] = program_reduce(program, KRED_MEAN, dates, &skip_missing, 1);
  }
  struct lanes result = program_concat(program, means, n->label_count);
  if (program_failed(program))
    return program_error(program, call->error);
  *input = (struct kernel_input){.node = data, .array_dimension = (int)n->dimension};
  for (size_t d = 0; d < data->cube->dimensions; d++)
    input->to_output[d] = d == n->dimension ? NO_DIMENSION : (int)d;
  cube_set_result_type(cube, &result, input, 1);
  if (cube_settle_packing(call, cube, program, &result) != 0)
    return -1;
  *out = node_kernel(call->arena, call_origin(call), cube, input, 1, program, result, (int)n->dimension);
  return *out ? 0 : error_memory(call->error);
}

static int climatological_normal_call(struct call *call, struct value *result)
{
  const struct node *data, *node;
  const char *name;
  struct normals *n = ARENA_NEW(call->arena, struct normals);
  if (!n)
    return error_memory(call->error);
  if (call_cube(call, "data", &data) != 0 || call_text(call, "period", &name) != 0 || find_time(call, data, n) != 0 ||
      read_years(call, n) != 0)
    return -1;
  n->period = strcmp(name, "climatology-period") == 0 ? PERIOD_COUNT : period_from_name(name);
  make_labels(n);
  if (group_dates(call, n) != 0 || average(call, data, n, &node) != 0)
    return -1;
  *result = value_cube(node);
  return 0;
}

const struct process process_climatological_normal = {
    .id = "climatological_normal", .shape = PROCESS_CUBE, .call = climatological_normal_call};
