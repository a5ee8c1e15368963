/* What the properties of a collection's items have in common. */
#include "stac/summary.h"

#include <math.h>
#include <string.h>

static struct property_summary *find_property(struct item_summary *summary, const char *name)
{
  for (size_t i = 0; i < summary->count; i++)
    if (strcmp(summary->properties[i].name, name) == 0)
      return &summary->properties[i];
  if (summary->count == SUMMARY_MAX_PROPERTIES)
    return NULL;
  struct property_summary *added = &summary->properties[summary->count++];
  *added = (struct property_summary){.name = name, .minimum = INFINITY, .maximum = -INFINITY};
  return added;
}

static void take_text(struct property_summary *property, const char *text)
{
  property->texts = true;
  if (property->value_count > SUMMARY_MAX_VALUES)
    return;
  for (size_t i = 0; i < property->value_count; i++)
    if (strcmp(property->values[i], text) == 0)
      return;
  if (property->value_count < SUMMARY_MAX_VALUES)
    property->values[property->value_count] = text;
  property->value_count++;
}

static void take_value(struct item_summary *summary, const char *name, const json_t *value)
{
  bool texts = json_is_array(value) && json_is_string(json_array_get(value, 0));
  if (!json_is_number(value) && !json_is_string(value) && !json_is_boolean(value) && !texts)
    return;
  struct property_summary *property = find_property(summary, name);
  if (!property)
    return;
  if (json_is_number(value)) {
    property->numbers = true;
    property->minimum = fmin(property->minimum, json_number_value(value));
    property->maximum = fmax(property->maximum, json_number_value(value));
  } else if (json_is_string(value))
    take_text(property, json_string_value(value));
  else if (json_is_boolean(value))
    property->booleans = true;
  for (size_t i = 0; texts && i < json_array_size(value); i++)
    if (json_is_string(json_array_get(value, i)))
      take_text(property, json_string_value(json_array_get(value, i)));
  property->in_arrays = property->in_arrays || texts;
}

void summary_add(struct item_summary *summary, json_t *properties)
{
  for (void *at = json_object_iter(properties); at; at = json_object_iter_next(properties, at))
    take_value(summary, json_object_iter_key(at), json_object_iter_value(at));
}

int summary_make(struct arena *arena, const struct scan *scan, struct item_summary *out, struct error *error)
{
  *out = (struct item_summary){.properties = ARENA_ARRAY(arena, struct property_summary, SUMMARY_MAX_PROPERTIES)};
  if (!out->properties)
    return error_memory(error);
  for (size_t i = 0; i < scan->item_count; i++)
    summary_add(out, scan->items[i].properties);
  return 0;
}

/* Times and texts that differ from item to item say nothing about the collection. */
static bool is_time(const char *name)
{
  static const char *const names[] = {"datetime", "start_datetime", "end_datetime", "created", "updated", "published"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

static bool is_listed(const struct property_summary *property)
{
  return property->value_count > 0 && property->value_count <= SUMMARY_MAX_VALUES;
}

static void write_values(const struct property_summary *property, struct json_writer *writer)
{
  json_write_array(writer);
  for (size_t i = 0; i < property->value_count; i++)
    json_write_string(writer, property->values[i]);
  json_end_array(writer);
}

void summary_write_summaries(const struct item_summary *summary, const json_t *taken, struct json_writer *writer)
{
  for (size_t i = 0; i < summary->count; i++) {
    const struct property_summary *property = &summary->properties[i];
    if (is_time(property->name) || json_object_get(taken, property->name) || strncmp(property->name, "proj:", 5) == 0 ||
        property->numbers + property->texts + property->booleans != 1)
      continue;
    if (property->texts && is_listed(property)) {
      json_key(writer, property->name);
      write_values(property, writer);
    } else if (property->numbers) {
      json_key(writer, property->name);
      json_write_object(writer);
      json_kv_number(writer, "minimum", property->minimum);
      json_kv_number(writer, "maximum", property->maximum);
      json_end_object(writer);
    }
  }
}

static void write_schema(const struct property_summary *property, bool is_partial, struct json_writer *writer)
{
  json_write_object(writer);
  if (property->numbers + property->texts + property->booleans == 1)
    json_kv_string(writer, "type", property->numbers ? "number" : property->texts ? "string" : "boolean");
  if (is_time(property->name))
    json_kv_string(writer, "format", "date-time");
  else if (!is_partial && property->texts && !property->numbers && !property->booleans && is_listed(property)) {
    json_key(writer, "enum");
    write_values(property, writer);
  } else if (!is_partial && property->numbers && !property->texts && !property->booleans) {
    json_kv_number(writer, "minimum", property->minimum);
    json_kv_number(writer, "maximum", property->maximum);
  }
  json_end_object(writer);
}

void summary_write_queryables(const struct item_summary *summary, struct json_writer *writer)
{
  for (size_t i = 0; i < summary->count; i++) {
    const struct property_summary *property = &summary->properties[i];
    if (property->in_arrays || strcmp(property->name, "id") == 0 || strcmp(property->name, "datetime") == 0)
      continue;
    json_key(writer, property->name);
    write_schema(property, summary->is_partial, writer);
  }
}
