/* Joining: what b adds to a is found by one match, what is put in order is sorted once. */
#include "processes/cube/join_labels.h"

#include "datacube/geometry.h"
#include "datacube/label_match.h"

#include <stdlib.h>

struct label_place { /* a label of the result */
  size_t index[2];   /* in a and in b, or SIZE_MAX */
  int64_t time;
  double number;
};

static bool is_number(const struct dimension *d)
{
  return d->labels == LABEL_STEP || d->labels == LABEL_NUMBER;
}

static enum label_kind joined_kind(const struct dimension *a, const struct dimension *b)
{
  if (a->labels == b->labels && a->labels != LABEL_STEP)
    return a->labels;
  return is_number(a) && is_number(b) ? LABEL_NUMBER : LABEL_TEXT;
}

static int by_time(const void *a, const void *b)
{
  int64_t x = ((const struct label_place *)a)->time, y = ((const struct label_place *)b)->time;
  return (x > y) - (x < y);
}

static int ascending(const void *a, const void *b)
{
  double x = ((const struct label_place *)a)->number, y = ((const struct label_place *)b)->number;
  return (x > y) - (x < y);
}

static int descending(const void *a, const void *b)
{
  return ascending(b, a);
}

static void sort_places(const struct dimension *a, enum label_kind kind, struct label_place *places, size_t count)
{
  bool falls = a->size > 1 && dimension_label_number(a, 0) > dimension_label_number(a, a->size - 1);
  if (kind == LABEL_TIME)
    qsort(places, count, sizeof *places, by_time);
  else if (kind == LABEL_NUMBER && a->type == DIMENSION_SPATIAL)
    qsort(places, count, sizeof *places, falls ? descending : ascending);
}

/* The places of all labels; in_b[i] and in_a[i]: the matches. Returns how many there are. */
static size_t list_places(const struct dimension *a, const struct dimension *b, const size_t *in_b, const size_t *in_a,
                          struct label_place *places)
{
  size_t count = 0;
  for (size_t i = 0; i < a->size; i++)
    places[count++] =
        (struct label_place){{i, in_b[i]}, a->labels == LABEL_TIME ? a->times[i] : 0, dimension_label_number(a, i)};
  for (size_t i = 0; i < b->size; i++)
    if (in_a[i] == SIZE_MAX)
      places[count++] =
          (struct label_place){{SIZE_MAX, i}, b->labels == LABEL_TIME ? b->times[i] : 0, dimension_label_number(b, i)};
  return count;
}

/* The labels' values, from whichever dimension has them. */
static int fill_labels(struct arena *arena, const struct dimension *const both[2], const struct label_place *places,
                       struct dimension *out)
{
  bool dated = out->labels == LABEL_TIME, printed = both[0]->texts || both[1]->texts;
  const char **texts = !dated || printed ? ARENA_ARRAY(arena, const char *, out->size) : NULL;
  double *numbers = ARENA_ARRAY(arena, double, out->size);
  int64_t *times = ARENA_ARRAY(arena, int64_t, out->size);
  if (!numbers || !times || ((!dated || printed) && !texts))
    return -1;
  for (size_t i = 0; i < out->size; i++) {
    size_t c = places[i].index[0] == SIZE_MAX;
    char room[LABEL_TEXT_ROOM];
    numbers[i] = places[i].number;
    times[i] = places[i].time;
    if (!texts || out->labels == LABEL_NUMBER)
      continue;
    const char *text = dimension_label_text(both[c], places[i].index[c], room);
    texts[i] = text == room ? arena_strdup(arena, text) : text;
    if (!texts[i])
      return -1;
  }
  out->numbers = numbers;
  out->times = dated ? times : NULL;
  out->texts = out->labels == LABEL_NUMBER ? NULL : texts;
  return 0;
}

static int join_geometries(struct arena *arena, const struct dimension *const both[2], const struct label_place *places,
                           struct dimension *out, struct error *error)
{
  struct geometry_set *set = ARENA_NEW(arena, struct geometry_set);
  struct geometry *items = ARENA_ARRAY(arena, struct geometry, out->size);
  if (!set || !items)
    return error_memory(error);
  for (size_t i = 0; i < out->size; i++) {
    size_t c = places[i].index[0] == SIZE_MAX;
    items[i] = both[c]->geometries->items[places[i].index[c]];
  }
  *set = (struct geometry_set){.count = out->size, .items = items, .crs = both[0]->geometries->crs};
  return geometry_dimension(arena, out->name, set, out, error);
}

int join_labels(struct arena *arena, const struct dimension *a, const struct dimension *b, struct joined_labels *out,
                struct error *error)
{
  const struct dimension *const both[2] = {a, b};
  size_t *in_b = ARENA_ARRAY(arena, size_t, a->size), *in_a = ARENA_ARRAY(arena, size_t, b->size);
  struct label_place *places = ARENA_ARRAY(arena, struct label_place, a->size + b->size);
  if (!in_a || !in_b || !places)
    return error_memory(error);
  if (labels_match(b, a, in_b, error) != 0 || labels_match(a, b, in_a, error) != 0)
    return -1;
  size_t count = list_places(a, b, in_b, in_a, places);
  out->dimension = *a;
  out->dimension.size = count;
  out->dimension.enumerated = false;
  out->dimension.labels = joined_kind(a, b);
  sort_places(a, out->dimension.labels, places, count);
  if (out->dimension.labels == LABEL_GEOMETRY && join_geometries(arena, both, places, &out->dimension, error) != 0)
    return -1;
  if (out->dimension.labels != LABEL_GEOMETRY && fill_labels(arena, both, places, &out->dimension) != 0)
    return error_memory(error);
  size_t *index[2] = {ARENA_ARRAY(arena, size_t, count), ARENA_ARRAY(arena, size_t, count)};
  if (!index[0] || !index[1])
    return error_memory(error);
  for (size_t i = 0; i < count; i++)
    for (size_t c = 0; c < 2; c++)
      index[c][i] = places[i].index[c];
  out->index[0] = index[0];
  out->index[1] = index[1];
  return 0;
}
