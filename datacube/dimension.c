/* Dimensions and their labels. */
#include "datacube/dimension.h"

#include "datacube/base/buffer.h"
#include "datacube/geometry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool prints_texts(const struct dimension *d)
{
  return d->labels == LABEL_TEXT || d->labels == LABEL_GEOMETRY || (d->labels == LABEL_TIME && d->texts);
}

const char *dimension_label_text(const struct dimension *d, size_t i, char room[LABEL_TEXT_ROOM])
{
  if (prints_texts(d))
    return d->texts[i];
  if (d->labels == LABEL_TIME)
    instant_format(d->times[i], d->calendar, room);
  else
    number_format(dimension_label_number(d, i), room);
  return room;
}

double dimension_label_number(const struct dimension *d, size_t i)
{
  if (d->labels == LABEL_STEP)
    return d->start + (double)i * d->step;
  const bool has_numbers = d->labels == LABEL_NUMBER || (d->labels == LABEL_TEXT && d->numbers);
  return has_numbers ? d->numbers[i] : NAN;
}

bool dimension_label_is_number(const struct dimension *d, size_t i)
{
  return d->labels == LABEL_STEP || d->labels == LABEL_NUMBER || !isnan(dimension_label_number(d, i));
}

static size_t find_instant(const struct dimension *d, const char *label)
{
  int64_t instant;
  if (instant_parse(label, d->calendar, &instant) != 0)
    return SIZE_MAX;
  for (size_t i = 0; i < d->size; i++)
    if (d->times[i] == instant)
      return i;
  return SIZE_MAX;
}

size_t dimension_find_text(const struct dimension *d, const char *label)
{
  if (prints_texts(d)) {
    for (size_t i = 0; i < d->size; i++)
      if (strcmp(d->texts[i], label) == 0)
        return i;
    return SIZE_MAX;
  }
  if (d->labels == LABEL_TIME)
    return find_instant(d, label);
  char *end;
  double number = strtod(label, &end);
  return end != label && *end == '\0' ? dimension_find_number(d, number) : SIZE_MAX;
}

static double tolerance(const struct dimension *d)
{
  return d->labels == LABEL_STEP ? fabs(d->step) * 1e-9 : 0;
}

size_t dimension_find_number(const struct dimension *d, double label)
{
  if (d->labels == LABEL_STEP && d->step != 0) {
    double i = rint((label - d->start) / d->step);
    if (i < 0 || !(i < (double)d->size))
      return SIZE_MAX;
    return fabs(dimension_label_number(d, (size_t)i) - label) <= tolerance(d) ? (size_t)i : SIZE_MAX;
  }
  if (d->labels == LABEL_NUMBER || d->labels == LABEL_STEP) {
    for (size_t i = 0; i < d->size; i++)
      if (dimension_label_number(d, i) == label)
        return i;
    return SIZE_MAX;
  }
  char text[32];
  number_format(label, text);
  for (size_t i = 0; (d->labels == LABEL_TEXT || d->labels == LABEL_GEOMETRY) && i < d->size; i++)
    if (strcmp(d->texts[i], text) == 0)
      return i;
  return SIZE_MAX;
}

bool dimension_same_label(const struct dimension *a, size_t i, const struct dimension *b, size_t j)
{
  if (a->labels == LABEL_TIME && b->labels == LABEL_TIME)
    return a->calendar == b->calendar && a->times[i] == b->times[j];
  if (a->labels == LABEL_GEOMETRY && b->labels == LABEL_GEOMETRY)
    return geometry_equal(&a->geometries->items[i], &b->geometries->items[j]);
  bool a_number = a->labels == LABEL_STEP || a->labels == LABEL_NUMBER;
  bool b_number = b->labels == LABEL_STEP || b->labels == LABEL_NUMBER;
  if (a_number && b_number) {
    double wide = tolerance(a) > tolerance(b) ? tolerance(a) : tolerance(b);
    return fabs(dimension_label_number(a, i) - dimension_label_number(b, j)) <= wide;
  }
  char room_a[LABEL_TEXT_ROOM], room_b[LABEL_TEXT_ROOM];
  return strcmp(dimension_label_text(a, i, room_a), dimension_label_text(b, j, room_b)) == 0;
}

bool dimension_labels_equal(const struct dimension *a, const struct dimension *b)
{
  if (a->size != b->size)
    return false;
  if (a->labels == LABEL_STEP && b->labels == LABEL_STEP)
    return a->size == 0 || (dimension_same_label(a, 0, b, 0) && dimension_same_label(a, a->size - 1, b, b->size - 1));
  for (size_t i = 0; i < a->size; i++)
    if (!dimension_same_label(a, i, b, i))
      return false;
  return true;
}

static bool is_run(const size_t *indexes, size_t count)
{
  for (size_t i = 1; i < count; i++)
    if (indexes[i] != indexes[0] + i)
      return false;
  return true;
}

/* A run of step labels, which needs no list of its own. */
static struct dimension pick_steps(const struct dimension *d, const size_t *indexes, size_t count)
{
  struct dimension picked = *d;
  picked.size = count;
  if (count > 0)
    picked.start = dimension_label_number(d, indexes[0]);
  picked.enumerated = d->enumerated && count > 0 && indexes[0] == 0;
  return picked;
}

int dimension_pick(struct arena *arena, const struct dimension *d, const size_t *indexes, size_t count,
                   struct dimension *out)
{
  if (d->labels == LABEL_STEP && is_run(indexes, count)) {
    *out = pick_steps(d, indexes, count);
    return 0;
  }
  bool numbered = d->labels == LABEL_STEP || d->numbers;
  size_t room = count ? count : 1;
  double *numbers = numbered ? ARENA_ARRAY(arena, double, room) : NULL;
  const char **texts = d->texts ? ARENA_ARRAY(arena, const char *, room) : NULL;
  int64_t *times = d->times ? ARENA_ARRAY(arena, int64_t, room) : NULL;
  if ((numbered && !numbers) || (d->texts && !texts) || (d->times && !times))
    return -1;
  for (size_t i = 0; i < count; i++) {
    if (numbers)
      numbers[i] = dimension_label_number(d, indexes[i]);
    if (texts)
      texts[i] = d->texts[indexes[i]];
    if (times)
      times[i] = d->times[indexes[i]];
  }
  struct dimension picked = *d;
  picked.size = count;
  picked.enumerated = false;
  picked.labels = d->labels == LABEL_STEP ? LABEL_NUMBER : d->labels;
  picked.numbers = numbers;
  picked.texts = texts;
  picked.times = times;
  if (d->geometries && !(picked.geometries = geometry_pick(arena, d->geometries, indexes, count)))
    return -1;
  *out = picked;
  return 0;
}

bool dimension_counts(const struct dimension *dimension)
{
  for (size_t i = 0; i < dimension->size; i++)
    if (dimension_label_number(dimension, i) != (double)i)
      return false;
  return true;
}

struct dimension dimension_enumerated(const char *name, enum dimension_type type, size_t size)
{
  return (struct dimension){
      .name = name, .type = type, .size = size, .labels = LABEL_STEP, .step = 1, .enumerated = true};
}

struct dimension dimension_texts(const char *name, enum dimension_type type, const char *const *texts, size_t size)
{
  return (struct dimension){.name = name, .type = type, .size = size, .labels = LABEL_TEXT, .texts = texts};
}

struct dimension dimension_times(const char *name, const int64_t *times, size_t size, enum calendar calendar)
{
  return (struct dimension){.name = name,
                            .type = DIMENSION_TEMPORAL,
                            .size = size,
                            .labels = LABEL_TIME,
                            .times = times,
                            .calendar = calendar};
}

struct dimension dimension_steps(const char *name, char axis, double start, double step, size_t size)
{
  return (struct dimension){.name = name,
                            .type = DIMENSION_SPATIAL,
                            .axis = axis,
                            .size = size,
                            .labels = LABEL_STEP,
                            .start = start,
                            .step = step};
}

const char *dimension_type_name(enum dimension_type type)
{
  static const char *const names[] = {"spatial", "temporal", "bands", "geometry", "other"};
  return names[type];
}
