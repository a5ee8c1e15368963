/* Values against compiled schemas. */
#include "processes/graph/schema.h"

#include <math.h>
#include <string.h>

static bool lanes_fit(const struct schema *schema, const struct value *value)
{
  if (value->lanes.is_array)
    return (schema->types & TYPE_ARRAY) != 0 || schema->takes_labelled;
  return (schema->types & (TYPE_NUMBER | TYPE_INTEGER | TYPE_BOOLEAN)) != 0;
}

static bool type_fits(const struct schema *schema, const struct value *value)
{
  bool object = (schema->types & TYPE_OBJECT) != 0;
  if (schema->types == 0)
    return true;
  switch (value->kind) {
  case VALUE_NULL:
    return (schema->types & TYPE_NULL) != 0;
  case VALUE_BOOLEAN:
    return (schema->types & TYPE_BOOLEAN) != 0;
  case VALUE_NUMBER:
    return (schema->types & TYPE_NUMBER) != 0 ||
           ((schema->types & TYPE_INTEGER) != 0 && value->number == rint(value->number));
  case VALUE_TEXT:
    return (schema->types & TYPE_TEXT) != 0;
  case VALUE_ARRAY:
    return (schema->types & TYPE_ARRAY) != 0 || (value->labels != NULL && schema->takes_labelled);
  case VALUE_OBJECT:
    return object && !schema->takes_graph && !schema->takes_cube;
  case VALUE_LANES:
    return lanes_fit(schema, value);
  case VALUE_CUBE:
    return object && schema->takes_cube;
  case VALUE_CALLBACK:
    return object && schema->takes_graph;
  case VALUE_HANDLE:
    return object && schema->subtype != NULL && strcmp(schema->subtype, value->handle_type->subtype) == 0;
  }
  return false;
}

static bool enumeration_fits(const struct schema *schema, const struct value *value)
{
  bool plain = value->kind == VALUE_TEXT || value->kind == VALUE_NUMBER || value->kind == VALUE_BOOLEAN ||
               value->kind == VALUE_NULL;
  for (size_t i = 0; plain && i < schema->enumeration_count; i++)
    if (value_equal(&schema->enumeration[i], value))
      return true;
  return !plain || schema->enumeration_count == 0;
}

static bool bounds_fit(const struct schema *schema, const struct value *value)
{
  const double x = value->number, *bound = schema->bound;
  if (value->kind != VALUE_NUMBER)
    return true;
  return !((schema->bounds & 1u << BOUND_MINIMUM) && x < bound[BOUND_MINIMUM]) &&
         !((schema->bounds & 1u << BOUND_MAXIMUM) && x > bound[BOUND_MAXIMUM]) &&
         !((schema->bounds & 1u << BOUND_ABOVE) && x <= bound[BOUND_ABOVE]) &&
         !((schema->bounds & 1u << BOUND_BELOW) && x >= bound[BOUND_BELOW]);
}

static bool items_fit(const struct schema *schema, const struct value *value, bool ranges)
{
  if (value->kind != VALUE_ARRAY)
    return true;
  if (value->count < schema->least || (schema->most > 0 && value->count > schema->most))
    return false;
  for (size_t i = 0; schema->items != NULL && i < value->count; i++)
    if (!schema_fits(schema->items, &value->items[i], ranges))
      return false;
  return true;
}

static bool members_fit(const struct schema *schema, const struct value *value)
{
  for (size_t i = 0; value->kind == VALUE_OBJECT && i < schema->required_count; i++)
    if (value_member(value, schema->required[i]) == NULL)
      return false;
  return true;
}

/* An object by whose type it is GeoJSON; whether it is right is for the process to say. */
static bool says_geojson(const struct value *value)
{
  static const char *const types[] = {"Feature",    "FeatureCollection", "Point",
                                      "MultiPoint", "LineString",        "MultiLineString",
                                      "Polygon",    "MultiPolygon",      "GeometryCollection"};
  const struct value *type = value->kind == VALUE_OBJECT ? value_member(value, "type") : NULL;
  for (size_t i = 0; type && type->kind == VALUE_TEXT && i < sizeof types / sizeof types[0]; i++)
    if (strcmp(type->text, types[i]) == 0)
      return true;
  return false;
}

bool schema_fits(const struct schema *schema, const struct value *value, bool ranges)
{
  if (schema == NULL || (schema->takes_geojson && says_geojson(value)))
    return true;
  for (size_t i = 0; i < schema->alternative_count; i++)
    if (schema_fits(&schema->alternatives[i], value, ranges))
      return true;
  if (schema->alternative_count > 0)
    return false;
  return type_fits(schema, value) && enumeration_fits(schema, value) && (!ranges || bounds_fit(schema, value)) &&
         items_fit(schema, value, ranges) && members_fit(schema, value);
}

/* ---- saying what would fit -------------------------------------------------------------------------------------- */

static void describe_types(const struct schema *schema, struct buffer *out)
{
  static const struct {
    unsigned type;
    const char *name;
  } names[] = {{TYPE_BOOLEAN, "boolean"}, {TYPE_INTEGER, "integer"}, {TYPE_NUMBER, "number"}, {TYPE_TEXT, "string"},
               {TYPE_ARRAY, "array"},     {TYPE_OBJECT, "object"},   {TYPE_NULL, "null"}};
  bool several = (schema->types & (schema->types - 1)) != 0;
  if (out->length > 0)
    buffer_text(out, " or ");
  if (schema->subtype != NULL && !several) {
    buffer_text(out, schema->subtype);
    return;
  }
  const char *between = "";
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if ((schema->types & names[i].type) == 0)
      continue;
    buffer_printf(out, "%s%s", between, names[i].name);
    between = " or ";
  }
}

static void describe_bounds(const struct schema *schema, struct buffer *out)
{
  static const char *const words[BOUND_COUNT] = {"at least", "at most", "above", "below"};
  for (size_t i = 0; i < BOUND_COUNT; i++) {
    char number[32];
    if ((schema->bounds & 1u << i) == 0)
      continue;
    number_format(schema->bound[i], number);
    buffer_printf(out, " %s %s", words[i], number);
  }
  if (schema->least > 0)
    buffer_printf(out, " with at least this many elements: %zu", schema->least);
  if (schema->most > 0)
    buffer_printf(out, " with at most this many elements: %zu", schema->most);
}

/* What an array holds, where the schema says it. */
static void describe_elements(const struct schema *schema, struct buffer *out)
{
  struct buffer elements = {.limit = 1024};
  if (schema->items == NULL || schema->subtype != NULL)
    return;
  schema_describe(schema->items, &elements);
  if (elements.length > 0)
    buffer_printf(out, " of %s", elements.data);
  buffer_free(&elements);
}

static void describe_enumeration(const struct schema *schema, struct buffer *out)
{
  const char *before = " out of ";
  for (size_t i = 0; i < schema->enumeration_count; i++) {
    if (schema->enumeration[i].kind != VALUE_TEXT)
      continue;
    buffer_printf(out, "%s%s", before, schema->enumeration[i].text);
    before = ", ";
  }
}

void schema_describe(const struct schema *schema, struct buffer *out)
{
  for (size_t i = 0; i < schema->alternative_count; i++)
    schema_describe(&schema->alternatives[i], out);
  if (schema->alternative_count > 0)
    return;
  describe_types(schema, out);
  describe_elements(schema, out);
  describe_bounds(schema, out);
  describe_enumeration(schema, out);
}
