#include "processes/value.h"

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
  return (struct value){.kind = VALUE_TEXT, .text = text};
}

struct value value_array(const struct value *items, size_t count)
{
  return (struct value){.kind = VALUE_ARRAY, .items = items, .count = count};
}

struct value value_lanes(struct lanes lanes)
{
  return (struct value){.kind = VALUE_LANES, .lanes = lanes};
}

struct value value_cube(const struct node *node)
{
  return (struct value){.kind = VALUE_CUBE, .cube = node};
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
  }
  return "unknown";
}

bool value_is_host(const struct value *value)
{
  switch (value->kind) {
  case VALUE_LANES:
  case VALUE_CUBE:
  case VALUE_CALLBACK:
    return false;
  case VALUE_ARRAY:
  case VALUE_OBJECT:
    for (size_t i = 0; i < value->count; i++) {
      if (!value_is_host(&value->items[i]))
        return false;
    }
    return true;
  default:
    return true;
  }
}

const struct value *value_member(const struct value *object, const char *key)
{
  if (object->kind != VALUE_OBJECT)
    return NULL;
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
  default: /* null; lanes, cubes and callbacks are not host values and have no JSON */
    json_write_null(writer);
    break;
  }
}
