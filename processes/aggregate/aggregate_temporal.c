/* aggregate_temporal: a reducer over the dates of each of the given intervals, which may overlap. The dates are sorted
 * once, by instant and by time of day; an interval is then one run of them, or two where it spans midnight. */
#include "processes/aggregate/date_groups.h"
#include "processes/cube/given_labels.h"

#include <stdlib.h>

static const size_t most_dates = (size_t)1 << 24; /* of all intervals together */

enum edge_kind { EDGE_OPEN, EDGE_INSTANT, EDGE_CLOCK };

struct interval_edge { /* of an interval */
  enum edge_kind kind;
  int64_t at; /* an instant, or milliseconds of the day: 0 … MS_PER_DAY */
};

struct keyed_date {
  int64_t key;
  size_t index;
};

struct date_run { /* of sorted dates */
  const struct keyed_date *dates;
  size_t count;
};

struct reading {
  struct call *call;
  const struct dimension *time;
  const struct value *intervals;
  const struct keyed_date *by_instant, *by_clock; /* time->size dates each */
  struct date_run (*runs)[2];                     /* per interval; the second one is mostly empty */
};

/* ---- edges ------------------------------------------------------------------------------------------------------ */

static int wrong_edge(struct reading *r, size_t i, const struct value *value)
{
  return error_parameter(r->call->error, ERROR_ProcessParameterInvalid, "intervals",
                         "interval %zu: '%s' is no date (YYYY-MM-DD), date-time (RFC 3339) or time (HH:MM:SS)", i,
                         value->kind == VALUE_TEXT ? value->text : value_kind_name(value));
}

static int read_edge(struct reading *r, size_t i, const struct value *value, struct interval_edge *out)
{
  *out = (struct interval_edge){.kind = EDGE_OPEN};
  if (value->kind == VALUE_NULL)
    return 0;
  if (value->kind != VALUE_TEXT)
    return wrong_edge(r, i, value);
  out->kind = EDGE_INSTANT;
  if (instant_parse(value->text, r->time->calendar, &out->at) == 0)
    return 0;
  const char *first_day = arena_printf(r->call->arena, "1970-01-01T%s", value->text);
  if (!first_day)
    return error_memory(r->call->error);
  out->kind = EDGE_CLOCK;
  if (instant_parse(first_day, CALENDAR_GREGORIAN, &out->at) != 0)
    return wrong_edge(r, i, value);
  if (out->at < 0 || out->at > MS_PER_DAY) /* a zone's offset */
    out->at += out->at < 0 ? MS_PER_DAY : -MS_PER_DAY;
  return 0;
}

/* Both edges; open ones of a time of day become the day's. */
static int read_edges(struct reading *r, size_t i, struct interval_edge edges[2])
{
  const struct value *interval = &r->intervals->items[i];
  struct error *error = r->call->error;
  if (interval->kind != VALUE_ARRAY || interval->count != 2)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "intervals", "interval %zu has not two elements", i);
  for (size_t k = 0; k < 2; k++)
    if (read_edge(r, i, &interval->items[k], &edges[k]) != 0)
      return -1;
  if (edges[0].kind == EDGE_OPEN && edges[1].kind == EDGE_OPEN)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "intervals",
                           "interval %zu is open on both sides: one of them must be given", i);
  if (edges[0].kind == EDGE_CLOCK || edges[1].kind == EDGE_CLOCK) {
    if (edges[0].kind == EDGE_INSTANT || edges[1].kind == EDGE_INSTANT)
      return error_parameter(error, ERROR_ProcessParameterInvalid, "intervals",
                             "interval %zu is a date on one side and a time of day on the other", i);
    edges[0].at = edges[0].kind == EDGE_OPEN ? 0 : edges[0].at % MS_PER_DAY;
    edges[1].at = edges[1].kind == EDGE_OPEN ? MS_PER_DAY : edges[1].at;
    edges[0].kind = edges[1].kind = EDGE_CLOCK;
  }
  bool empty = edges[0].kind == EDGE_CLOCK      ? edges[1].at == edges[0].at
               : edges[0].kind != edges[1].kind ? false
                                                : edges[1].at <= edges[0].at;
  return empty ? error_parameter(error, ERROR_TemporalExtentEmpty, "intervals",
                                 "interval %zu is empty: its end must be later than its start", i)
               : 0;
}

/* ---- dates ------------------------------------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
  const struct keyed_date *x = a, *y = b;
  return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->index > y->index) - (x->index < y->index);
}

static int ascending(const void *a, const void *b)
{
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return (x > y) - (x < y);
}

static int64_t clock_of(int64_t instant)
{
  int64_t rest = instant % MS_PER_DAY;
  return rest < 0 ? rest + MS_PER_DAY : rest;
}

static const struct keyed_date *sort_dates(struct reading *r, bool clock)
{
  struct keyed_date *dates = ARENA_ARRAY(r->call->arena, struct keyed_date, r->time->size);
  for (size_t i = 0; dates && i < r->time->size; i++)
    dates[i] = (struct keyed_date){clock ? clock_of(r->time->times[i]) : r->time->times[i], i};
  if (dates)
    qsort(dates, r->time->size, sizeof *dates, by_key);
  return dates;
}

/* The first date that is not before the key. */
static size_t lower_bound(const struct keyed_date *dates, size_t count, int64_t key)
{
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (dates[middle].key < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void find_runs(const struct reading *r, const struct interval_edge edges[2], struct date_run out[2])
{
  size_t size = r->time->size;
  bool clock = edges[0].kind == EDGE_CLOCK;
  const struct keyed_date *dates = clock ? r->by_clock : r->by_instant;
  size_t first = edges[0].kind == EDGE_OPEN ? 0 : lower_bound(dates, size, edges[0].at);
  size_t end = edges[1].kind == EDGE_OPEN ? size : lower_bound(dates, size, edges[1].at);
  bool spans_midnight = clock && edges[1].at < edges[0].at;
  out[0] = (struct date_run){dates + first, (spans_midnight ? size : end) - first};
  out[1] = (struct date_run){dates, spans_midnight ? end : 0};
}

/* The runs of all intervals, one group behind the other, each in the dates' own order. */
static int fill_groups(struct reading *r, struct date_groups *groups)
{
  struct call *call = r->call;
  size_t count = r->intervals->count, total = 0, *start = ARENA_ARRAY(call->arena, size_t, count + 1);
  for (size_t i = 0; i < count; i++)
    total += r->runs[i][0].count + r->runs[i][1].count;
  if (total > most_dates)
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "intervals",
                           "the intervals have more than %zu dates together", most_dates);
  size_t *dates = ARENA_ARRAY(call->arena, size_t, total), at = 0;
  if (!dates || !start)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++) {
    start[i] = at;
    for (size_t k = 0; k < 2; k++)
      for (size_t j = 0; j < r->runs[i][k].count; j++)
        dates[at++] = r->runs[i][k].dates[j].index;
    qsort(dates + start[i], at - start[i], sizeof *dates, ascending);
  }
  start[count] = at;
  groups->dates = dates;
  groups->start = start;
  return 0;
}

static int group_dates(struct reading *r, struct date_groups *groups)
{
  r->by_instant = sort_dates(r, false);
  r->by_clock = sort_dates(r, true);
  r->runs = arena_array(r->call->arena, r->intervals->count, sizeof *r->runs);
  if (!r->by_instant || !r->by_clock || !r->runs)
    return error_memory(r->call->error);
  for (size_t i = 0; i < r->intervals->count; i++) {
    struct interval_edge edges[2];
    if (read_edges(r, i, edges) != 0)
      return -1;
    find_runs(r, edges, r->runs[i]);
  }
  return fill_groups(r, groups);
}

/* ---- labels ----------------------------------------------------------------------------------------------------- */

static int starts_as_labels(struct reading *r, struct value *labels)
{
  for (size_t i = 0; i < r->intervals->count; i++) {
    labels[i] = r->intervals->items[i].items[0];
    if (labels[i].kind == VALUE_NULL)
      return error_parameter(r->call->error, ERROR_DistinctDimensionLabelsRequired, "labels",
                             "interval %zu has no start that could be its label: give labels", i);
  }
  return 0;
}

static int label_groups(struct reading *r, struct dimension *out)
{
  struct call *call = r->call;
  const struct value *given = call_argument(call, "labels");
  bool own = !given || given->kind != VALUE_ARRAY || given->count == 0;
  size_t count = r->intervals->count, repeated;
  struct value *labels = ARENA_ARRAY(call->arena, struct value, count);
  if (!labels)
    return error_memory(call->error);
  if (!own && given->count != count)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "labels",
                           "%zu labels are given for %zu intervals", given->count, count);
  if (own && starts_as_labels(r, labels) != 0)
    return -1;
  *out = *r->time;
  if (dimension_give_labels(call->arena, own ? labels : given->items, count, out, call->error) != 0 ||
      dimension_find_repeated(out, &repeated, call->error) != 0)
    return error_at_parameter(call->error, "labels");
  if (repeated != SIZE_MAX)
    return error_parameter(call->error, ERROR_DistinctDimensionLabelsRequired, "labels",
                           own ? "interval %zu starts when another one does: give labels" : "label %zu is given twice",
                           repeated);
  return 0;
}

static int aggregate_temporal_call(struct call *call, struct value *result)
{
  struct reading r = {.call = call, .intervals = call_argument(call, "intervals")};
  struct date_groups groups = {0};
  const struct node *data;
  const struct callback *reducer;
  if (call_cube(call, "data", &data) != 0 || date_dimension_find(call, data, &groups.dimension) != 0 ||
      call_callback_argument(call, "reducer", &reducer) != 0)
    return -1;
  r.time = &data->cube->dimension[groups.dimension];
  if (group_dates(&r, &groups) != 0 || label_groups(&r, &groups.labels) != 0)
    return -1;
  return date_groups_reduce(call, data, reducer, &groups, result);
}

const struct process process_aggregate_temporal = {
    .id = "aggregate_temporal", .shape = PROCESS_CUBE, .call = aggregate_temporal_call};
