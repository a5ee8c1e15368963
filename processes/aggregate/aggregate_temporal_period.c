/* aggregate_temporal_period: a reducer over the dates of each calendar period. Periods are numbered without gaps: the
 * groups are those from the first date's to the last one's. */
#include "processes/aggregate/date_groups.h"
#include "processes/aggregate/periods.h"

enum { MAX_PERIODS = 200000 };

struct periods {
  enum period period;
  int64_t first, last; /* numbers of the periods */
};

static int find_range(struct call *call, const struct dimension *time, struct periods *periods)
{
  for (size_t i = 0; i < time->size; i++) {
    int64_t number = period_of(periods->period, time->times[i], time->calendar);
    periods->first = i == 0 || number < periods->first ? number : periods->first;
    periods->last = i == 0 || number > periods->last ? number : periods->last;
  }
  if (periods->last - periods->first >= MAX_PERIODS)
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "period", "the dates span more than %d periods",
                           (int)MAX_PERIODS);
  return 0;
}

/* Sorts the dates by period, in their order within each. */
static int group_dates(struct call *call, const struct dimension *time, const struct periods *periods,
                       struct date_groups *groups)
{
  size_t count = groups->labels.size, *dates = ARENA_ARRAY(call->arena, size_t, time->size),
         *start = ARENA_ARRAY(call->arena, size_t, count + 2);
  if (!dates || !start)
    return error_memory(call->error);
  for (size_t i = 0; i < time->size; i++)
    start[period_of(periods->period, time->times[i], time->calendar) - periods->first + 2]++;
  for (size_t i = 2; i < count + 2; i++)
    start[i] += start[i - 1];
  for (size_t i = 0; i < time->size; i++)
    dates[start[period_of(periods->period, time->times[i], time->calendar) - periods->first + 1]++] = i;
  groups->dates = dates;
  groups->start = start;
  return 0;
}

static int label_periods(struct call *call, const struct dimension *time, const struct periods *periods,
                         struct dimension *out)
{
  size_t count = time->size ? (size_t)(periods->last - periods->first + 1) : 0;
  int64_t *times = ARENA_ARRAY(call->arena, int64_t, count);
  const char **texts = ARENA_ARRAY(call->arena, const char *, count);
  if (!times || !texts)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++) {
    char label[40];
    times[i] = period_start(periods->period, periods->first + (int64_t)i, time->calendar);
    period_label(periods->period, periods->first + (int64_t)i, time->calendar, label);
    texts[i] = arena_strdup(call->arena, label);
  }
  *out = dimension_times(time->name, times, count, time->calendar);
  out->texts = texts;
  out->unit = time->unit;
  out->reference_system = time->reference_system;
  return 0;
}

static int aggregate_call(struct call *call, struct value *result)
{
  const struct node *data;
  const struct callback *reducer;
  struct periods periods = {0};
  struct date_groups groups = {0};
  const char *name;
  if (call_cube(call, "data", &data) != 0 || date_dimension_find(call, data, &groups.dimension) != 0 ||
      call_text(call, "period", &name) != 0 || call_callback_argument(call, "reducer", &reducer) != 0)
    return -1;
  const struct dimension *time = &data->cube->dimension[groups.dimension];
  periods.period = period_from_name(name);
  if (periods.period == PERIOD_COUNT)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "period", "there is no period '%s'", name);
  if (find_range(call, time, &periods) != 0 || label_periods(call, time, &periods, &groups.labels) != 0 ||
      group_dates(call, time, &periods, &groups) != 0)
    return -1;
  return date_groups_reduce(call, data, reducer, &groups, result);
}

const struct process process_aggregate_temporal_period = {
    .id = "aggregate_temporal_period", .shape = PROCESS_CUBE, .call = aggregate_call};
