/* A size is a number of pixels, a length in the unit of the labels or in metres, or a duration; lengths and durations
 * are divided by the distance of the labels, years and months by that in months. */
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
  return error_parameter(r->call->error, ERROR_ProcessParameterInvalid, r->parameter, "dimension '%s': %s", d->name,
                         why);
}

struct duration {
  double months, milliseconds;
};

/* The unit of a duration's part: so much of a month or a millisecond. False where there is none. */
static bool duration_unit(char letter, bool clock, struct duration *out)
{
  static const struct {
    char letter;
    bool clock;
    struct duration unit;
  } units[] = {{'Y', false, {12, 0}},
               {'M', false, {1, 0}},
               {'W', false, {0, 7 * (double)MS_PER_DAY}},
               {'D', false, {0, (double)MS_PER_DAY}},
               {'H', true, {0, 3600 * (double)MS_PER_SECOND}},
               {'M', true, {0, 60 * (double)MS_PER_SECOND}},
               {'S', true, {0, (double)MS_PER_SECOND}}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (units[i].letter == letter && units[i].clock == clock) {
      *out = units[i].unit;
      return true;
    }
  return false;
}

/* An ISO 8601 duration. */
static int read_duration(const struct size_reader *r, const struct dimension *d, const char *text, struct duration *out)
{
  bool clock = false, some = false;
  *out = (struct duration){0, 0};
  if (*text++ != 'P')
    return invalid(r, d, "a duration looks like P5D or PT6H");
  while (*text) {
    struct duration unit;
    char *end;
    if (*text == 'T') {
      clock = true;
      text++;
      continue;
    }
    double number = strtod(text, &end);
    if (end == text || !(number >= 0) || !isfinite(number) || !duration_unit(*end, clock, &unit))
      return invalid(r, d, "a duration looks like P5D, P1M or PT6H");
    out->months += number * unit.months;
    out->milliseconds += number * unit.milliseconds;
    text = end + 1;
    some = true;
  }
  return some ? 0 : invalid(r, d, "the duration is empty");
}

static int unequal(const struct size_reader *r, const struct dimension *d, const char *of)
{
  return error_parameter(r->call->error, ERROR_FeatureUnsupported, r->parameter,
                         "dimension '%s': blocks of a duration need dates at equal distances of %s", d->name, of);
}

/* Distance of the dates in milliseconds. */
static int date_step(const struct size_reader *r, const struct dimension *d, double *out)
{
  *out = (double)d->times[1] - (double)d->times[0];
  for (size_t i = 1; i < d->size; i++)
    if ((double)d->times[i] - (double)d->times[i - 1] != *out || *out <= 0)
      return unequal(r, d, "days or hours");
  return 0;
}

/* Distance of the dates in months: the same day of the month and time of day. */
static int month_step(const struct size_reader *r, const struct dimension *d, double *out)
{
  *out = 0;
  for (size_t i = 1; i < d->size; i++) {
    struct civil a = instant_civil(d->times[i - 1], d->calendar), b = instant_civil(d->times[i], d->calendar);
    double months = 12.0 * (b.year - a.year) + b.month - a.month;
    b.year = a.year;
    b.month = a.month;
    if (instant_from_civil(b, d->calendar) != d->times[i - 1] || months <= 0 || (i > 1 && months != *out))
      return unequal(r, d, "months");
    *out = months;
  }
  return 0;
}

/* A duration and the distance of the dates, in one unit. */
static int read_time(const struct size_reader *r, const struct dimension *d, const char *text, double *length,
                     double *step)
{
  struct duration duration;
  if (read_duration(r, d, text, &duration) != 0)
    return -1;
  if (d->labels != LABEL_TIME)
    return invalid(r, d, "a duration needs dates as labels");
  if (duration.months > 0 && duration.milliseconds > 0)
    return error_parameter(r->call->error, ERROR_FeatureUnsupported, r->parameter,
                           "dimension '%s': months and days in one duration have no certain length", d->name);
  *length = duration.months > 0 ? duration.months : duration.milliseconds;
  if (d->size < 2) { /* no distance: any duration is one date */
    *step = *length > 0 ? *length : 1;
    return 0;
  }
  return duration.months > 0 ? month_step(r, d, step) : date_step(r, d, step);
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
    if (read_time(r, d, value->text, &length, &step) != 0)
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
      return error_parameter(call->error, ERROR_DimensionNotAvailable, parameter,
                             "the data cube has no dimension '%s'; its dimensions are: %s",
                             name && name->kind == VALUE_TEXT ? name->text : "",
                             cube_dimension_names(call->arena, cube));
    if (read_size(&reader, &cube->dimension[d], &list->items[i], &out[d]) != 0)
      return -1;
  }
  return 0;
}
