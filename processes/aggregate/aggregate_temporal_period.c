/* aggregate_temporal_period: a reducer over the dates of each calendar period. The output is a stack along time: each
 * period is a kernel of its own over the dates that fall into it, so a tile of one period reads those dates only. */
#include "processes/aggregate/periods.h"
#include "processes/cube/along.h"

#include <string.h>

enum { MAX_PERIODS = 200000 };

struct groups {
  size_t dimension;       /* temporal dimension of the data */
  enum period period;
  enum calendar calendar;
  int64_t first, last;    /* numbers of the periods */
  size_t *dates;          /* indexes by period: those of period i are dates[start[i]] … dates[start[i + 1] - 1] */
  size_t *start;
  const struct node *nothing; /* what every period without dates gives; made at the first use */
};

static int find_dimension(struct call *call, const struct node *data, size_t *out)
{
  if (call_has(call, "dimension")) {
    if (call_dimension(call, "dimension", data, out) != 0)
      return -1;
  } else {
    size_t count = cube_count_type(data->cube, DIMENSION_TEMPORAL);
    *out = cube_find_type(data->cube, DIMENSION_TEMPORAL);
    if (count > 1)
      return error_parameter(call->error, "TooManyDimensions", "dimension",
                             "the cube has %zu temporal dimensions; name one", count);
    if (count == 0)
      return error_parameter(call->error, "DimensionNotAvailable", "dimension", "the cube has no temporal dimension");
  }
  const struct dimension *time = &data->cube->dimension[*out];
  if (time->type != DIMENSION_TEMPORAL || (time->size > 0 && time->labels != LABEL_TIME))
    return error_parameter(call->error, "DimensionNotAvailable", "dimension",
                           "'%s' is not a temporal dimension with dates as labels", time->name);
  return 0;
}

static int find_range(struct call *call, const struct dimension *time, struct groups *groups)
{
  for (size_t i = 0; i < time->size; i++) {
    int64_t number = period_of(groups->period, time->times[i], time->calendar);
    groups->first = i == 0 || number < groups->first ? number : groups->first;
    groups->last = i == 0 || number > groups->last ? number : groups->last;
  }
  if (groups->last - groups->first >= MAX_PERIODS)
    return error_parameter(call->error, "ProcessGraphComplexity", "period", "the dates span more than %d periods",
                           (int)MAX_PERIODS);
  return 0;
}

/* Sorts the dates by period, in their order within each. */
static int group_dates(struct call *call, const struct dimension *time, size_t count, struct groups *groups)
{
  groups->dates = ARENA_ARRAY(call->arena, size_t, time->size);
  groups->start = ARENA_ARRAY(call->arena, size_t, count + 2);
  if (!groups->dates || !groups->start)
    return error_memory(call->error);
  for (size_t i = 0; i < time->size; i++)
    groups->start[period_of(groups->period, time->times[i], time->calendar) - groups->first + 2]++;
  for (size_t i = 2; i < count + 2; i++)
    groups->start[i] += groups->start[i - 1];
  for (size_t i = 0; i < time->size; i++)
    groups->dates[groups->start[period_of(groups->period, time->times[i], time->calendar) - groups->first + 1]++] = i;
  return 0;
}

static int label_periods(struct call *call, const struct dimension *time, const struct groups *groups,
                         struct dimension *out)
{
  size_t count = time->size ? (size_t)(groups->last - groups->first + 1) : 0;
  int64_t *times = ARENA_ARRAY(call->arena, int64_t, count);
  const char **texts = ARENA_ARRAY(call->arena, const char *, count);
  if (!times || !texts)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++) {
    char label[40];
    times[i] = period_start(groups->period, groups->first + (int64_t)i, time->calendar);
    period_label(groups->period, groups->first + (int64_t)i, time->calendar, label);
    texts[i] = arena_strdup(call->arena, label);
  }
  *out = dimension_times(time->name, times, count, time->calendar);
  out->texts = texts;
  out->unit = time->unit;
  out->reference_system = time->reference_system;
  return 0;
}

/* A period without dates: the reducer of nothing, or no-data where the reducer asks for an element. */
static int reduce_nothing(struct call *call, const struct along *along, const struct dimension *kept,
                          const struct node **out)
{
  struct error before = *call->error;
  if (along_reduce(call, along, kept, out) == 0)
    return 0;
  if (strcmp(call->error->code, "ArrayElementNotAvailable") != 0)
    return -1;
  *call->error = before;
  struct cube *cube = cube_copy(call->arena, along->data->cube);
  struct program *program = program_new(call->arena);
  if (!cube || !program)
    return error_memory(call->error);
  cube->dimension[along->dimension] = *kept;
  return kernel_by_names(call, cube, NULL, 0, program, program_missing(program), out);
}

static int one_period(struct call *call, const struct along *along, struct groups *groups,
                      const struct dimension *labels, size_t i, const struct node **out)
{
  const size_t *indexes = groups->dates + groups->start[i], count = groups->start[i + 1] - groups->start[i];
  struct value picked;
  if (count == 0 && groups->nothing) {
    *out = groups->nothing;
    return 0;
  }
  if (view_pick(call, along->data, groups->dimension, indexes, count, &picked) != 0)
    return -1;
  struct along part = *along;
  part.data = picked.cube;
  struct dimension kept;
  if (dimension_pick(call->arena, labels, &i, 1, &kept) != 0)
    return error_memory(call->error);
  if (count)
    return along_reduce(call, &part, &kept, out);
  int status = reduce_nothing(call, &part, &kept, out);
  groups->nothing = *out;
  return status;
}

static int aggregate_call(struct call *call, struct value *result)
{
  struct along along = {.parameter = "reducer"};
  struct groups groups = {0};
  const char *name;
  if (call_cube(call, "data", &along.data) != 0 || find_dimension(call, along.data, &groups.dimension) != 0 ||
      call_text(call, "period", &name) != 0 || call_callback_argument(call, "reducer", &along.callback) != 0)
    return -1;
  const struct dimension *time = &along.data->cube->dimension[groups.dimension];
  struct cube *cube = cube_copy(call->arena, along.data->cube);
  struct dimension labels;
  along.dimension = groups.dimension;
  groups.period = period_from_name(name);
  if (groups.period == PERIOD_COUNT)
    return error_parameter(call->error, "ProcessParameterInvalid", "period", "there is no period '%s'", name);
  if (!cube)
    return error_memory(call->error);
  if (find_range(call, time, &groups) != 0 || label_periods(call, time, &groups, &labels) != 0 ||
      group_dates(call, time, labels.size, &groups) != 0)
    return -1;
  const struct node **children = ARENA_ARRAY(call->arena, const struct node *, labels.size);
  if (!children)
    return error_memory(call->error);
  for (size_t i = 0; i < labels.size; i++)
    if (one_period(call, &along, &groups, &labels, i, &children[i]) != 0)
      return -1;
  cube->dimension[groups.dimension] = labels;
  if (labels.size > 0) { /* the first period has dates */
    cube->type = children[0]->cube->type;
    cube->has_nodata = children[0]->cube->has_nodata;
    cube->nodata = children[0]->cube->nodata;
  }
  *result = value_cube(node_stack(call->arena, call_origin(call), cube, (int)groups.dimension, children));
  return result->cube ? 0 : error_memory(call->error);
}

const struct process process_aggregate_temporal_period = {
    .id = "aggregate_temporal_period", .shape = PROCESS_CUBE, .call = aggregate_call};
