/* Mutations of JSON as a tree: what bytes alone seldom reach. Numbers become telling ones, parts are copied over other
 * parts, doubled or dropped; now and then libFuzzer changes the bytes as it likes. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

enum { MOST_PLACES = 4096 };

struct place { /* a value and where it hangs */
  json_t *parent, *value;
  const char *key; /* in an object */
  size_t index;    /* in an array */
};

struct places {
  struct place list[MOST_PLACES];
  size_t count;
};

static void find_places(struct places *places, json_t *value)
{
  const char *key;
  json_t *item;
  size_t i;
  json_object_foreach(value, key, item) {
    if (places->count < MOST_PLACES)
      places->list[places->count++] = (struct place){value, item, key, 0};
    find_places(places, item);
  }
  json_array_foreach(value, i, item) {
    if (places->count < MOST_PLACES)
      places->list[places->count++] = (struct place){value, item, NULL, i};
    find_places(places, item);
  }
}

static uint32_t next(uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static json_t *telling_value(uint32_t *state)
{
  static const double numbers[] = {
      0, 1, -1, 2, 0.5, 3, 1e-300, 1e300, 255, 65536, 4294967296.0, 9007199254740993.0, -0.0, 32632, 4326, 7};
  static const char *const texts[] = {"",           "x",         "y",           "t",       "b",   "bands",
                                      "bilinear",   "average",   "month",       "week",    "day", "2020-02-29",
                                      "2020-01-20", "EPSG:4326", "lower-right", "\001NaN", "r",   "n"};
  switch (next(state) % 8) {
  case 0:
    return json_null();
  case 1:
    return json_boolean(next(state) % 2);
  case 2:
    return json_array();
  case 3:
  case 4:
    return json_string(texts[next(state) % (sizeof texts / sizeof *texts)]);
  default:
    return json_real(numbers[next(state) % (sizeof numbers / sizeof *numbers)]);
  }
}

static void put(const struct place *at, json_t *value)
{
  if (at->key)
    json_object_set_new(at->parent, at->key, value);
  else
    json_array_set_new(at->parent, at->index, value);
}

/* One change; the places are void afterwards. */
static void change(json_t *root, uint32_t *state)
{
  static struct places places;
  places.count = 0;
  find_places(&places, root);
  if (places.count == 0)
    return;
  const struct place *at = &places.list[next(state) % places.count], *from = &places.list[next(state) % places.count];
  switch (next(state) % 6) {
  case 0: /* dropped */
    if (at->key)
      json_object_del(at->parent, at->key);
    else
      json_array_remove(at->parent, at->index);
    break;
  case 1: /* doubled */
    if (!at->key)
      json_array_insert_new(at->parent, at->index, json_deep_copy(at->value));
    break;
  case 2: /* another part of the kind */
  case 3:
    for (size_t tries = 0; tries < 20 && json_typeof(from->value) != json_typeof(at->value); tries++)
      from = &places.list[next(state) % places.count];
    put(at, json_deep_copy(from->value));
    break;
  case 4:
    put(at, json_deep_copy(from->value));
    break;
  default:
    for (size_t tries = 0; tries < 20 && (json_is_object(at->value) || json_is_array(at->value)); tries++)
      at = &places.list[next(state) % places.count];
    put(at, telling_value(state));
  }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
  uint32_t state = seed * 2654435761u + 1;
  json_t *root = json_loadb((const char *)data, size, 0, NULL);
  if (!root || next(&state) % 8 == 0) {
    json_decref(root);
    return LLVMFuzzerMutate(data, size, room);
  }
  for (uint32_t changes = 1 + next(&state) % 3; changes > 0; changes--)
    change(root, &state);
  char *text = json_dumps(root, JSON_COMPACT);
  json_decref(root);
  size_t length = text ? strlen(text) : 0;
  if (!text || length > room || length == 0) {
    free(text);
    return LLVMFuzzerMutate(data, size, room);
  }
  memcpy(data, text, length);
  free(text);
  return length;
}
