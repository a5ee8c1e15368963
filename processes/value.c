#include "processes/value.h"

#include <stdlib.h>
#include <string.h>

struct value value_null(void)
{
  return (struct value){.kind = VALUE_NULL};
}

struct value value_boolean(bool boolean)
{
  return (struct value){.kind = VALUE_BOOLEAN, .boolean = boolean};
}

struct value value_number(double number)
{
  return (struct value){.kind = VALUE_NUMBER, .number = number};
}

struct value value_text(const char *text)
{
  return (struct value){.kind = VALUE_TEXT, .text = text, .weight = 1 + (text == NULL ? 0 : strlen(text) / 8)};
}

static unsigned char inside_of(const struct value *value)
{
  switch (value->kind) {
  case VALUE_LANES:
    return INSIDE_LANES;
  case VALUE_CUBE:
  case VALUE_CALLBACK:
  case VALUE_HANDLE:
    return INSIDE_OTHER;
  default:
    return value->inside;
  }
}

static size_t add_saturated(size_t a, size_t b)
{
  return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

/* Weight and inside of an array or object, from its items'. */
static void sum_up(struct value *value)
{
  value->weight = 1;
  for (size_t i = 0; i < value->count; i++) {
    size_t more = value_weight(&value->items[i]);
    if (value->labels != NULL)
      more = add_saturated(more, value_weight(&value->labels[i]));
    value->weight = add_saturated(value->weight, more);
    value->inside |= inside_of(&value->items[i]);
  }
}

struct value value_array(const struct value *items, size_t count)
{
  return value_labelled(items, NULL, count);
}

struct value value_labelled(const struct value *items, const struct value *labels, size_t count)
{
  struct value value = {.kind = VALUE_ARRAY, .items = items, .labels = labels, .count = count};
  sum_up(&value);
  return value;
}

enum { FEW_KEYS = 8 };

static int by_key(const void *a, const void *b, void *keys)
{
  const char *const *k = keys;
  return strcmp(k[*(const size_t *)a], k[*(const size_t *)b]);
}

int value_object(struct arena *arena, const char *const *keys, const struct value *items, size_t count,
                 struct value *out)
{
  *out = (struct value){.kind = VALUE_OBJECT, .keys = keys, .items = items, .count = count};
  sum_up(out);
  if (count <= FEW_KEYS)
    return 0;
  size_t *sorted = ARENA_ARRAY(arena, size_t, count);
  if (sorted == NULL)
    return -1;
  for (size_t i = 0; i < count; i++)
    sorted[i] = i;
  qsort_r(sorted, count, sizeof *sorted, by_key, (void *)(uintptr_t)keys);
  out->by_key = sorted;
  return 0;
}

struct value value_lanes(struct lanes lanes)
{
  return (struct value){.kind = VALUE_LANES, .lanes = lanes};
}

struct value value_filtered(struct lanes lanes, const struct lanes *kept)
{
  return (struct value){.kind = VALUE_LANES, .lanes = lanes, .kept = kept};
}

struct value value_cube(const struct node *node)
{
  return (struct value){.kind = VALUE_CUBE, .cube = node};
}

struct value value_handle(const struct handle_type *type, const struct node *node)
{
  return (struct value){.kind = VALUE_HANDLE, .handle_type = type, .handle_node = node};
}

const char *value_kind_name(const struct value *value)
{
  switch (value->kind) {
  case VALUE_NULL:
    return "null";
  case VALUE_BOOLEAN:
    return "boolean";
  case VALUE_NUMBER:
    return "number";
  case VALUE_TEXT:
    return "string";
  case VALUE_ARRAY:
    return "array";
  case VALUE_OBJECT:
    return "object";
  case VALUE_LANES:
    return value->lanes.is_array ? "array" : value->lanes.class == LANES_BOOLEAN ? "boolean" : "number";
  case VALUE_CUBE:
    return "datacube";
  case VALUE_CALLBACK:
    return "process-graph";
  case VALUE_HANDLE:
    return value->handle_type->name;
  }
  return "unknown";
}

enum { SHOWN_TEXT = 60 }; /* bytes of a text */

static void describe_text(const char *text, struct buffer *out)
{
  size_t length = strlen(text), shown = length;
  if (length > SHOWN_TEXT)
    for (shown = SHOWN_TEXT; ((unsigned char)text[shown] & 0xC0) == 0x80; shown--)
      ;
  buffer_text(out, "the string '");
  buffer_add(out, text, shown);
  buffer_text(out, shown < length ? "…'" : "'");
}

void value_describe(const struct value *value, struct buffer *out)
{
  char room[32];
  switch (value->kind) {
  case VALUE_NULL:
    buffer_text(out, "null");
    break;
  case VALUE_BOOLEAN:
    buffer_text(out, value->boolean ? "true" : "false");
    break;
  case VALUE_NUMBER:
    number_format(value->number, room);
    buffer_printf(out, "the number %s", room);
    break;
  case VALUE_TEXT:
    describe_text(value->text, out);
    break;
  case VALUE_ARRAY:
    buffer_printf(out, "an array of %zu element%s", value->count, value->count == 1 ? "" : "s");
    break;
  case VALUE_OBJECT:
    buffer_printf(out, "an object with %zu member%s", value->count, value->count == 1 ? "" : "s");
    break;
  case VALUE_LANES:
    buffer_printf(out, "%s %s that depends on the pixel", value->lanes.is_array ? "an" : "a", value_kind_name(value));
    break;
  case VALUE_CUBE:
    buffer_text(out, "a data cube");
    break;
  case VALUE_CALLBACK:
    buffer_text(out, "a process graph");
    break;
  case VALUE_HANDLE:
    buffer_text(out, value_kind_name(value));
    break;
  }
}

size_t value_weight(const struct value *value)
{
  return value->weight > 0 ? value->weight : 1;
}

bool value_is_host(const struct value *value)
{
  return inside_of(value) == 0;
}

bool value_has_lanes(const struct value *value)
{
  return (inside_of(value) & INSIDE_LANES) != 0;
}

static const struct value *search_member(const struct value *object, const char *key)
{
  size_t low = 0, high = object->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = strcmp(object->keys[object->by_key[middle]], key);
    if (order == 0)
      return &object->items[object->by_key[middle]];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const struct value *value_member(const struct value *object, const char *key)
{
  if (object->kind != VALUE_OBJECT)
    return NULL;
  if (object->by_key != NULL)
    return search_member(object, key);
  for (size_t i = 0; i < object->count; i++) {
    if (strcmp(object->keys[i], key) == 0)
      return &object->items[i];
  }
  return NULL;
}

static bool items_equal(const struct value *a, const struct value *b, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (!value_equal(&a[i], &b[i]))
      return false;
  }
  return true;
}

static bool array_equal(const struct value *a, const struct value *b)
{
  if (a->count != b->count || (a->labels == NULL) != (b->labels == NULL))
    return false;
  if (!items_equal(a->items, b->items, a->count))
    return false;
  return a->labels == NULL || items_equal(a->labels, b->labels, a->count);
}

static bool object_equal(const struct value *a, const struct value *b)
{
  if (a->count != b->count)
    return false;
  for (size_t i = 0; i < a->count; i++) {
    const struct value *other = value_member(b, a->keys[i]);
    if (other == NULL || !value_equal(&a->items[i], other))
      return false;
  }
  return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
  if (a->kind != b->kind)
    return false;
  switch (a->kind) {
  case VALUE_NULL:
    return true;
  case VALUE_BOOLEAN:
    return a->boolean == b->boolean;
  case VALUE_NUMBER:
    return a->number == b->number;
  case VALUE_TEXT:
    return strcmp(a->text, b->text) == 0;
  case VALUE_ARRAY:
    return array_equal(a, b);
  case VALUE_OBJECT:
    return object_equal(a, b);
  default:
    return false;
  }
}

void value_write(const struct value *value, struct json_writer *writer)
{
  switch (value->kind) {
  case VALUE_BOOLEAN:
    json_write_bool(writer, value->boolean);
    break;
  case VALUE_NUMBER:
    json_write_number(writer, value->number);
    break;
  case VALUE_TEXT:
    json_write_string(writer, value->text);
    break;
  case VALUE_ARRAY:
    json_write_array(writer);
    for (size_t i = 0; i < value->count; i++)
      value_write(&value->items[i], writer);
    json_end_array(writer);
    break;
  case VALUE_OBJECT:
    json_write_object(writer);
    for (size_t i = 0; i < value->count; i++) {
      json_key(writer, value->keys[i]);
      value_write(&value->items[i], writer);
    }
    json_end_object(writer);
    break;
  default: /* null; lanes, cubes, callbacks and handles are not host values and have no JSON */
    json_write_null(writer);
    break;
  }
}
