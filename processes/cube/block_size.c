/* A size is a number of pixels, a length in the unit of the labels or in metres, or a duration; lengths and durations
 * are divided by the distance of the labels. */
#include "processes/cube/block_size.h"

#include "datacube/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct size_reader {
  struct call *call;
  const char *parameter;
  const struct cube *cube;
  size_t least;
};

static int invalid(const struct size_reader *r, const struct dimension *d, const char *why)
{
  return error_parameter(r->call->error, "ProcessParameterInvalid", r->parameter, "dimension '%s': %s", d->name, why);
}

/* Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds. */
static int read_duration(const struct size_reader *r, const struct dimension *d, const char *text, double *out)
{
  bool clock = false, some = false;
  *out = 0;
  if (*text++ != 'P')
    return invalid(r, d, "a duration looks like P5D or PT6H");
  while (*text) {
    if (*text == 'T') {
      clock = true;
      text++;
      continue;
    }
    char *end;
    double number = strtod(text, &end);
    if (end == text || !(number >= 0))
      return invalid(r, d, "a duration looks like P5D or PT6H");
    double unit = !clock && *end == 'W'  ? 7 * (double)MS_PER_DAY
                  : !clock && *end == 'D' ? (double)MS_PER_DAY
                  : clock && *end == 'H'  ? 3600 * (double)MS_PER_SECOND
                  : clock && *end == 'M'  ? 60 * (double)MS_PER_SECOND
                  : clock && *end == 'S'  ? (double)MS_PER_SECOND
                                          : 0;
    if (unit == 0)
      return error_parameter(
          r->call->error, *end == 'Y' || *end == 'M' ? "FeatureUnsupported" : "ProcessParameterInvalid", r->parameter,
          "dimension '%s': durations are weeks, days, hours, minutes and seconds, not '%s'", d->name, text);
    *out += number * unit;
    text = end + 1;
    some = true;
  }
  return some ? 0 : invalid(r, d, "the duration is empty");
}

/* Distance of the dates in milliseconds. */
static int date_step(const struct size_reader *r, const struct dimension *d, double *out)
{
  if (d->labels != LABEL_TIME)
    return invalid(r, d, "a duration needs dates as labels");
  *out = d->size > 1 ? (double)d->times[1] - (double)d->times[0] : HUGE_VAL;
  for (size_t i = 1; i < d->size; i++)
    if ((double)d->times[i] - (double)d->times[i - 1] != *out || *out <= 0)
      return error_parameter(r->call->error, "FeatureUnsupported", r->parameter,
                             "dimension '%s': blocks of a duration need dates at equal distances", d->name);
  return 0;
}

/* Length of one index in the unit that the size is given in. */
static int index_length(const struct size_reader *r, const struct dimension *d, const char *unit, double *out)
{
  bool horizontal = d->axis == 'x' || d->axis == 'y';
  *out = 1;
  if (unit && strcmp(unit, "px") == 0)
    return 0;
  if (unit && strcmp(unit, "m") != 0)
    return invalid(r, d, "the unit is px or m");
  if (unit && !(horizontal && r->cube->crs))
    return invalid(r, d, "metres need x or y and a coordinate reference system");
  if (d->labels != LABEL_STEP || d->step == 0)
    return invalid(r, d, "the labels lie at unequal distances: give a number of pixels (unit px)");
  *out = fabs(d->step) * (unit ? crs_unit_metres(r->cube->crs) : 1);
  return 0;
}

static int read_size(const struct size_reader *r, const struct dimension *d, const struct value *item, size_t *out)
{
  const struct value *value = value_member(item, "value"), *unit = value_member(item, "unit");
  double length = 0, step = 1;
  if (!value || value->kind == VALUE_NULL)
    return 0;
  if (value->kind == VALUE_TEXT) {
    if (read_duration(r, d, value->text, &length) != 0 || date_step(r, d, &step) != 0)
      return -1;
  } else {
    if (value->kind != VALUE_NUMBER || !isfinite(value->number) || value->number < 0)
      return invalid(r, d, "the size is a number from 0 on, a duration or null");
    length = value->number;
    if (index_length(r, d, unit && unit->kind == VALUE_TEXT ? unit->text : NULL, &step) != 0)
      return -1;
  }
  double count = rint(length / step);
  if (fabs(count - length / step) > 1e-6 * count)
    return invalid(r, d, "the size is not a whole number of labels");
  if (count < (double)r->least)
    return invalid(r, d, "the size is too small");
  *out = count < (double)d->size ? (size_t)count : d->size;
  return 0;
}

int block_sizes_read(struct call *call, const char *parameter, const struct cube *cube, size_t least,
                     size_t out[CUBE_MAX_DIMENSIONS])
{
  const struct value *list = call_argument(call, parameter);
  const struct size_reader reader = {.call = call, .parameter = parameter, .cube = cube, .least = least};
  for (size_t d = 0; d < cube->dimensions; d++)
    out[d] = SIZE_MAX;
  for (size_t i = 0; list && list->kind == VALUE_ARRAY && i < list->count; i++) {
    const struct value *name = value_member(&list->items[i], "dimension");
    size_t d = name && name->kind == VALUE_TEXT ? cube_find_dimension(cube, name->text) : SIZE_MAX;
    if (d == SIZE_MAX)
      return error_parameter(call->error, "DimensionNotAvailable", parameter,
                             "the data cube has no dimension '%s'; its dimensions are: %s",
                             name && name->kind == VALUE_TEXT ? name->text : "",
                             cube_dimension_names(call->arena, cube));
    if (read_size(&reader, &cube->dimension[d], &list->items[i], &out[d]) != 0)
      return -1;
  }
  return 0;
}
