/* Labels to indexes, dimension by dimension. */
#include "processes/map/map_choice.h"

#include "processes/cube/shape.h"

#include <stdlib.h>
#include <string.h>

/* ---- dates ------------------------------------------------------------------------------------------------------- */

/* The last millisecond of a year, a month or a day that begins at an instant. */
static int64_t end_of_period(int64_t start, size_t length, enum calendar calendar)
{
  struct civil civil = instant_civil(start, calendar);
  if (length == strlen("2018"))
    civil.year++;
  else if (length == strlen("2018-01"))
    civil.month++;
  else
    civil.day++;
  return instant_from_civil(civil, calendar) - 1;
}

int map_read_date(const char *text, size_t length, enum calendar calendar, bool is_end, int64_t *out)
{
  char one[48];
  if (length >= sizeof one)
    return -1;
  memcpy(one, text, length);
  one[length] = '\0';
  if (one[0] == '\0' || strcmp(one, "..") == 0 || strcmp(one, "*") == 0) {
    *out = is_end ? INT64_MAX : INT64_MIN;
    return 0;
  }
  if (instant_parse(one, calendar, out) != 0)
    return -1;
  if (is_end && length <= strlen("2018-01-06"))
    *out = end_of_period(*out, length, calendar);
  return 0;
}

static int read_span(const char *text, enum calendar calendar, int64_t span[2])
{
  const char *slash = strchr(text, '/');
  span[0] = INT64_MIN;
  if (slash == NULL)
    return map_read_date(text, strlen(text), calendar, true, &span[1]);
  return map_read_date(text, (size_t)(slash - text), calendar, false, &span[0]) != 0
             ? -1
             : map_read_date(slash + 1, strlen(slash + 1), calendar, true, &span[1]);
}

static int choose_date(const struct dimension *time, const char *datetime, size_t *out, struct error *error)
{
  int64_t span[2] = {INT64_MIN, INT64_MAX};
  size_t same = datetime != NULL ? dimension_find_text(time, datetime) : SIZE_MAX;
  *out = same != SIZE_MAX ? same : time->size - 1;
  if (datetime == NULL || same != SIZE_MAX)
    return 0;
  if (time->labels != LABEL_TIME || read_span(datetime, time->calendar, span) != 0)
    return error_parameter(error, ERROR_QueryParameterInvalid, "datetime", "'%.60s' is no date, instant or interval",
                           datetime);
  size_t best = SIZE_MAX;
  for (size_t i = 0; i < time->size; i++) {
    const int64_t at = time->times[i];
    if (at >= span[0] && at <= span[1] && (best == SIZE_MAX || at >= time->times[best]))
      best = i;
  }
  *out = best;
  return best != SIZE_MAX ? 0
                          : error_parameter(error, ERROR_QueryParameterInvalid, "datetime",
                                            "no date of the map lies in '%.60s'", datetime);
}

/* ---- other dimensions -------------------------------------------------------------------------------------------- */

static size_t find_label(const struct dimension *dimension, const char *label)
{
  size_t index = dimension_find_text(dimension, label);
  char *end;
  const double number = strtod(label, &end);
  return index == SIZE_MAX && end != label && *end == '\0' ? dimension_find_number(dimension, number) : index;
}

static int choose_label(const struct dimension *dimension, const struct map_choice *choice, size_t *out,
                        struct error *error)
{
  *out = 0;
  for (size_t i = 0; i < choice->label_count; i++)
    if (strcmp(choice->labels[i].dimension, dimension->name) == 0) {
      *out = find_label(dimension, choice->labels[i].label);
      if (*out == SIZE_MAX)
        return error_parameter(error, ERROR_QueryParameterInvalid, dimension->name, "there is no label '%.60s'",
                               choice->labels[i].label);
    }
  return 0;
}

static int choose_bands(struct call *call, const struct node *node, size_t bands, const struct map_choice *choice,
                        const struct node **out)
{
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, choice->band_count + 1);
  struct value picked;
  *out = node;
  if (choice->band_count == 0)
    return 0;
  if (!indexes)
    return error_memory(call->error);
  for (size_t i = 0; i < choice->band_count; i++) {
    indexes[i] = find_label(&node->cube->dimension[bands], choice->bands[i]);
    if (indexes[i] == SIZE_MAX)
      return error_parameter(call->error, ERROR_QueryParameterInvalid, "bands", "the map has no band '%.60s'",
                             choice->bands[i]);
  }
  if (view_pick(call, node, bands, indexes, choice->band_count, &picked) != 0)
    return -1;
  *out = picked.cube;
  return 0;
}

int map_choose(struct arena *arena, const struct node *node, const struct map_choice *choice, const struct node **out,
               struct error *error)
{
  const struct process process = {.id = node->process};
  struct call call = {.process = &process, .node = node->id, .arena = arena, .error = error};
  *out = node;
  for (size_t d = node->cube->dimensions; d-- > 0;) {
    const struct dimension *dimension = &(*out)->cube->dimension[d];
    size_t index = 0;
    if (dimension->axis == 'x' || dimension->axis == 'y')
      continue;
    if (dimension->size == 0)
      return error_set(error, ERROR_FormatUnsuitable, "dimension '%s' of the result has no label", dimension->name);
    if (dimension->type == DIMENSION_BANDS) {
      if (choose_bands(&call, *out, d, choice, out) != 0)
        return -1;
      continue;
    }
    if ((dimension->type == DIMENSION_TEMPORAL ? choose_date(dimension, choice->datetime, &index, error)
                                               : choose_label(dimension, choice, &index, error)) != 0 ||
        view_drop(&call, *out, d, index, out) != 0)
      return -1;
  }
  return 0;
}
