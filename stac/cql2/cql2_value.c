#include "stac/cql2/cql2_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int cql2_value_of_json(struct arena *arena, const json_t *json, struct cql2_value *out, struct error *error)
{
  *out = (struct cql2_value){.kind = CQL2_VALUE_NULL};
  if (json_is_string(json))
    *out = (struct cql2_value){.kind = CQL2_VALUE_TEXT, .text = json_string_value(json)};
  else if (json_is_number(json))
    *out = (struct cql2_value){.kind = CQL2_VALUE_NUMBER, .number = json_number_value(json)};
  else if (json_is_boolean(json))
    *out = (struct cql2_value){.kind = CQL2_VALUE_BOOLEAN, .number = json_is_true(json)};
  else if (json_is_object(json))
    out->kind = CQL2_VALUE_OTHER;
  if (!json_is_array(json))
    return 0;
  struct cql2_value *items = ARENA_ARRAY(arena, struct cql2_value, json_array_size(json) + 1);
  if (!items)
    return error_memory(error);
  *out = (struct cql2_value){.kind = CQL2_VALUE_ARRAY, .items = items, .count = json_array_size(json)};
  for (size_t i = 0; i < out->count; i++) {
    const json_t *member = json_array_get(json, i);
    if (json_is_array(member)) /* arrays in arrays are compared with nothing: one level is all that documents have */
      items[i].kind = CQL2_VALUE_OTHER;
    else if (cql2_value_of_json(arena, member, &items[i], error) != 0)
      return -1;
  }
  return 0;
}

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

static int sign(double a, double b)
{
  return a < b ? -1 : a > b;
}

/* A text beside a date is a date, if it can be. */
static bool span_of(const struct cql2_value *value, struct cql2_span *out)
{
  bool is_date;
  if (value->kind == CQL2_VALUE_TEXT)
    return cql2_read_instant(value->text, &is_date, out);
  *out = value->span;
  return value->kind == CQL2_VALUE_SPAN;
}

bool cql2_value_compare(const struct cql2_value *a, const struct cql2_value *b, int *order)
{
  struct cql2_span first, second;
  if (a->kind == CQL2_VALUE_SPAN || b->kind == CQL2_VALUE_SPAN) {
    if (!span_of(a, &first) || !span_of(b, &second))
      return false;
    *order = first.first < second.first ? -1 : first.first > second.first;
    return true;
  }
  if (a->kind != b->kind || a->kind == CQL2_VALUE_NULL || a->kind > CQL2_VALUE_TEXT)
    return false;
  *order = a->kind == CQL2_VALUE_TEXT ? strcmp(a->text, b->text) : sign(a->number, b->number);
  return true;
}

struct cql2_value cql2_value_compute(enum cql2_op op, const struct cql2_value *a, const struct cql2_value *b)
{
  const struct cql2_value nothing = {.kind = CQL2_VALUE_NULL};
  if (a->kind != CQL2_VALUE_NUMBER || b->kind != CQL2_VALUE_NUMBER)
    return nothing;
  const double x = a->number, y = b->number;
  const bool divides = op == CQL2_DIVIDE || op == CQL2_REMAINDER || op == CQL2_QUOTIENT;
  if (divides && y == 0)
    return nothing;
  const double result = op == CQL2_ADD         ? x + y
                        : op == CQL2_SUBTRACT  ? x - y
                        : op == CQL2_MULTIPLY  ? x * y
                        : op == CQL2_DIVIDE    ? x / y
                        : op == CQL2_REMAINDER ? fmod(x, y)
                        : op == CQL2_QUOTIENT  ? trunc(x / y)
                                               : pow(x, y);
  return isnan(result) ? nothing : (struct cql2_value){.kind = CQL2_VALUE_NUMBER, .number = result};
}

/* ---- sets -------------------------------------------------------------------------------------------------------- */

/* A total order of elements; what equals nothing has the order of its place in memory. */
static int compare_elements(const void *left, const void *right)
{
  const struct cql2_value *a = *(const struct cql2_value *const *)left, *b = *(const struct cql2_value *const *)right;
  int order;
  if (cql2_value_compare(a, b, &order) && a->kind == b->kind)
    return order;
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  return a->kind == CQL2_VALUE_NULL || a == b ? 0 : a < b ? -1 : 1;
}

/* Pointers to the elements, sorted, each once. Where the arrays have dates, texts that are dates become such. */
static const struct cql2_value **sorted(struct arena *arena, const struct cql2_value *array, bool dates, size_t *count)
{
  const struct cql2_value **list = ARENA_ARRAY(arena, const struct cql2_value *, array->count + 1);
  struct cql2_value *copies = dates ? ARENA_ARRAY(arena, struct cql2_value, array->count + 1) : NULL;
  if (!list || (dates && !copies))
    return NULL;
  for (size_t i = 0; i < array->count; i++) {
    list[i] = &array->items[i];
    if (!dates)
      continue;
    copies[i] = array->items[i];
    if (span_of(&array->items[i], &copies[i].span))
      copies[i].kind = CQL2_VALUE_SPAN;
    list[i] = &copies[i];
  }
  qsort(list, array->count, sizeof *list, compare_elements);
  *count = 0;
  for (size_t i = 0; i < array->count; i++)
    if (*count == 0 || compare_elements(&list[*count - 1], &list[i]) != 0)
      list[(*count)++] = list[i];
  return list;
}

static bool has_dates(const struct cql2_value *array)
{
  for (size_t i = 0; i < array->count; i++)
    if (array->items[i].kind == CQL2_VALUE_SPAN)
      return true;
  return false;
}

int cql2_value_sets(struct arena *arena, enum cql2_op op, const struct cql2_value *a, const struct cql2_value *b,
                    bool *holds, struct error *error)
{
  const bool dates = has_dates(a) || has_dates(b);
  size_t first_count, second_count, common = 0;
  const struct cql2_value **first = sorted(arena, a, dates, &first_count);
  const struct cql2_value **second = first ? sorted(arena, b, dates, &second_count) : NULL;
  if (!second)
    return error_memory(error);
  for (size_t i = 0, k = 0; i < first_count && k < second_count;) {
    const int order = compare_elements(&first[i], &second[k]);
    common += order == 0;
    i += order <= 0;
    k += order >= 0;
  }
  *holds = op == CQL2_A_OVERLAPS       ? common > 0
           : op == CQL2_A_CONTAINS     ? common == second_count
           : op == CQL2_A_CONTAINED_BY ? common == first_count
                                       : common == first_count && common == second_count;
  return 0;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

bool cql2_spans_stand(enum cql2_op op, struct cql2_span a, struct cql2_span b)
{
  switch (op) {
  case CQL2_T_AFTER:
    return a.first > b.last;
  case CQL2_T_BEFORE:
    return a.last < b.first;
  case CQL2_T_CONTAINS:
    return a.first < b.first && a.last > b.last;
  case CQL2_T_DISJOINT:
    return a.first > b.last || a.last < b.first;
  case CQL2_T_DURING:
    return a.first > b.first && a.last < b.last;
  case CQL2_T_EQUALS:
    return a.first == b.first && a.last == b.last;
  case CQL2_T_FINISHED_BY:
    return a.first < b.first && a.last == b.last;
  case CQL2_T_FINISHES:
    return a.first > b.first && a.last == b.last;
  case CQL2_T_INTERSECTS:
    return a.first <= b.last && a.last >= b.first;
  case CQL2_T_MEETS:
    return a.last == b.first;
  case CQL2_T_MET_BY:
    return a.first == b.last;
  case CQL2_T_OVERLAPPED_BY:
    return a.first > b.first && a.first < b.last && a.last > b.last;
  case CQL2_T_OVERLAPS:
    return a.first < b.first && a.last > b.first && a.last < b.last;
  case CQL2_T_STARTED_BY:
    return a.first == b.first && a.last > b.last;
  default: /* T_STARTS */
    return a.first == b.first && a.last < b.last;
  }
}
