/* The labels to be found are sorted by a key (an instant, a number, a text), each look-up is a binary search. */
#include "datacube/label_match.h"

#include "datacube/geometry_operations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum key_kind { KEY_TIME, KEY_NUMBER, KEY_TEXT, KEY_GEOMETRY }; /* GEOMETRY: its normal text */

struct keyed {
  int64_t time;
  double number;
  const char *text;
  size_t index;
};

struct keys {
  enum key_kind kind;
  struct keyed *items;
  struct arena *texts; /* texts that are no labels' own */
};

static bool is_number(const struct dimension *d)
{
  return d->labels == LABEL_STEP || d->labels == LABEL_NUMBER;
}

static int by_index(const struct keyed *a, const struct keyed *b)
{
  return (a->index > b->index) - (a->index < b->index);
}

static int by_time(const void *a, const void *b)
{
  const struct keyed *x = a, *y = b;
  return x->time != y->time ? (x->time > y->time) - (x->time < y->time) : by_index(x, y);
}

static int by_number(const void *a, const void *b) /* NaN behind all numbers */
{
  const struct keyed *x = a, *y = b;
  if (isnan(x->number) || isnan(y->number))
    return isnan(x->number) != isnan(y->number) ? isnan(x->number) - isnan(y->number) : by_index(x, y);
  return x->number != y->number ? (x->number > y->number) - (x->number < y->number) : by_index(x, y);
}

static int by_text(const void *a, const void *b)
{
  const struct keyed *x = a, *y = b;
  int order = strcmp(x->text, y->text);
  return order ? order : by_index(x, y);
}

static int set_key(struct keys *keys, const struct dimension *d, size_t i, struct keyed *out)
{
  char room[LABEL_TEXT_ROOM];
  *out = (struct keyed){.index = i};
  if (keys->kind == KEY_TIME)
    out->time = d->times[i];
  else if (keys->kind == KEY_NUMBER)
    out->number = dimension_label_number(d, i);
  else if (keys->kind == KEY_GEOMETRY)
    out->text = geometry_normal_wkt(keys->texts, &d->geometries->items[i]);
  else {
    const char *text = dimension_label_text(d, i, room);
    out->text = text == room ? arena_strdup(keys->texts, text) : text;
  }
  return keys->kind < KEY_TEXT || out->text ? 0 : -1;
}

static bool is_before(const struct keys *keys, const struct keyed *item, const struct keyed *wanted, double wide)
{
  if (keys->kind == KEY_TIME)
    return item->time < wanted->time;
  if (keys->kind == KEY_NUMBER)
    return item->number < wanted->number - wide;
  return strcmp(item->text, wanted->text) < 0;
}

static size_t find(const struct keys *keys, const struct dimension *in, const struct dimension *of,
                   const struct keyed *wanted)
{
  double step = fmax(in->labels == LABEL_STEP ? fabs(in->step) : 0, of->labels == LABEL_STEP ? fabs(of->step) : 0);
  size_t low = 0, high = in->size;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (is_before(keys, &keys->items[middle], wanted, 2e-9 * step)) /* wider than labels may differ */
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < in->size && !is_before(keys, wanted, &keys->items[low], 2e-9 * step); low++)
    if (dimension_same_label(in, keys->items[low].index, of, wanted->index))
      return keys->items[low].index;
  return SIZE_MAX;
}

static enum key_kind kind_of(const struct dimension *a, const struct dimension *b)
{
  if (a->labels == LABEL_TIME && b->labels == LABEL_TIME)
    return KEY_TIME;
  if (a->labels == LABEL_GEOMETRY && b->labels == LABEL_GEOMETRY)
    return KEY_GEOMETRY;
  return is_number(a) && is_number(b) ? KEY_NUMBER : KEY_TEXT;
}

static int match(struct keys *keys, const struct dimension *in, const struct dimension *of, size_t *out)
{
  static int (*const orders[])(const void *, const void *) = {
      [KEY_TIME] = by_time, [KEY_NUMBER] = by_number, [KEY_TEXT] = by_text, [KEY_GEOMETRY] = by_text};
  for (size_t i = 0; i < in->size; i++)
    if (set_key(keys, in, i, &keys->items[i]) != 0)
      return -1;
  qsort(keys->items, in->size, sizeof *keys->items, orders[keys->kind]);
  for (size_t i = 0; i < of->size; i++) {
    struct keyed wanted;
    if (set_key(keys, of, i, &wanted) != 0)
      return -1;
    out[i] = isnan(wanted.number) ? SIZE_MAX : find(keys, in, of, &wanted);
  }
  return 0;
}

int labels_match(const struct dimension *in, const struct dimension *of, size_t *out, struct error *error)
{
  struct keys keys = {.kind = kind_of(in, of)};
  keys.items = calloc(in->size + 1, sizeof *keys.items);
  keys.texts = arena_new(0);
  int status = keys.items && keys.texts ? match(&keys, in, of, out) : -1;
  free(keys.items);
  arena_free(keys.texts);
  return status == 0 ? 0 : error_memory(error);
}
