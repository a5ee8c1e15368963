#include "processes/array/ordering.h"

#include "datacube/base/instant.h"

#include <math.h>
#include <stdlib.h>

struct sort_key {
  double number; /* the number, or the instant of a date in milliseconds */
  size_t index;
  int rank; /* decides before the number: nulls, numbers and NaN apart */
  int sign; /* 1 ascending, -1 descending */
};

int read_ordering(struct call *call, struct ordering *out)
{
  bool nodata_last = false;
  out->ascending = true;
  out->nodata = -1;
  if (call_has(call, "asc") && call_boolean(call, "asc", &out->ascending) != 0)
    return -1;
  if (!call_has(call, "nodata"))
    return 0;
  if (call_boolean(call, "nodata", &nodata_last) != 0)
    return -1;
  out->nodata = nodata_last ? 1 : 0;
  return 0;
}

static int compare_keys(const void *a, const void *b)
{
  const struct sort_key *x = a, *y = b;
  if (x->rank != y->rank)
    return x->rank < y->rank ? -1 : 1;
  if (x->rank == 1 && x->number != y->number)
    return x->number < y->number ? -x->sign : x->sign;
  return x->index < y->index ? -1 : 1;
}

/* Number of an element: itself, or a date's instant. */
static int element_number(struct call *call, const struct value *item, double *out)
{
  int64_t instant;
  if (item->kind == VALUE_NUMBER) {
    *out = item->number;
    return 0;
  }
  if (item->kind == VALUE_TEXT && instant_parse(item->text, CALENDAR_GREGORIAN, &instant) == 0) {
    *out = (double)instant;
    return 0;
  }
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                         "only numbers, or only dates, can be sorted; there is a value of type %s%s%s",
                         value_kind_name(item), item->kind == VALUE_TEXT ? ": " : "",
                         item->kind == VALUE_TEXT ? item->text : "");
}

static int fill_keys(struct call *call, const struct value *data, struct ordering ordering, struct sort_key *keys,
                     size_t *count)
{
  enum value_kind kind = VALUE_NULL;
  *count = 0;
  for (size_t i = 0; i < data->count; i++) {
    const struct value *item = &data->items[i];
    struct sort_key key = {.index = i, .sign = ordering.ascending ? 1 : -1, .rank = ordering.nodata == 0 ? 0 : 3};
    if (item->kind == VALUE_NULL && ordering.nodata < 0)
      continue;
    if (item->kind != VALUE_NULL) {
      if (element_number(call, item, &key.number) != 0)
        return -1;
      if (kind != VALUE_NULL && kind != item->kind)
        return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data", "numbers and dates cannot be mixed");
      kind = item->kind;
      key.rank = isnan(key.number) ? 2 : 1;
    }
    keys[(*count)++] = key;
  }
  return 0;
}

int sorted_indexes(struct call *call, const struct value *data, struct ordering ordering, size_t **out, size_t *count)
{
  struct sort_key *keys = ARENA_ARRAY(call->arena, struct sort_key, data->count);
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, data->count);
  if (keys == NULL || indexes == NULL)
    return error_memory(call->error);
  if (fill_keys(call, data, ordering, keys, count) != 0)
    return -1;
  if (*count > 1)
    qsort(keys, *count, sizeof *keys, compare_keys);
  for (size_t i = 0; i < *count; i++)
    indexes[i] = keys[i].index;
  *out = indexes;
  return 0;
}

int emit_ordering(struct call *call, enum kernel_series series, struct ordering ordering, struct value *result)
{
  struct lanes data;
  if (call_lanes_array(call, "data", &data) != 0)
    return -1;
  double parameters[] = {ordering.ascending ? 1 : 0, (double)ordering.nodata};
  *result = value_lanes(program_series(call->program, series, data, parameters, 2));
  return 0;
}
