/* Signatures from specs, and values against schemas. Of JSON Schema the specs use: type, subtype, enum, const, bounds,
 * item schemas, required members and lists of alternatives; those are checked here, patterns and formats are left to
 * the process. */
#include "processes/graph/signature.h"

#include "processes/graph/json.h"
#include "processes/graph/table.h"

#include <math.h>
#include <string.h>

struct schema {
  const json_t *json; /* an object, or an array of alternatives */
};

static void release_json(void *json)
{
  json_decref(json);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Names of a process graph's parameters: of the graph itself, or of graphs that are members of an object. */
static const json_t *callback_parameters(const json_t *schema)
{
  const json_t *alternative, *members = json_object_get(schema, "additionalProperties");
  size_t i;
  if (json_object_get(schema, "parameters"))
    return json_object_get(schema, "parameters");
  if (json_is_object(members))
    return callback_parameters(members);
  json_array_foreach((json_t *)schema, i, alternative)
    if (callback_parameters(alternative))
      return callback_parameters(alternative);
  return NULL;
}

static int read_callback_names(struct arena *arena, const json_t *schema, struct parameter *out, struct error *error)
{
  const json_t *list = callback_parameters(schema);
  size_t count = json_array_size(list);
  const char **names = ARENA_ARRAY(arena, const char *, count);
  if (!names)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    const char *name = json_string_value(json_object_get(json_array_get(list, i), "name"));
    names[i] = name ? name : ""; /* lives as long as the JSON */
  }
  out->callback_parameter_count = count;
  out->callback_parameters = names;
  return 0;
}

static int read_parameter(struct arena *arena, const json_t *json, struct parameter *out, struct error *error)
{
  const json_t *value = json_object_get(json, "default");
  struct schema *schema = ARENA_NEW(arena, struct schema);
  if (!schema)
    return error_memory(error);
  schema->json = json_object_get(json, "schema");
  *out = (struct parameter){.name = json_string_value(json_object_get(json, "name")), .schema = schema,
                            .optional = json_is_true(json_object_get(json, "optional")), .has_default = value && !json_is_null(value)};
  if (!out->name)
    return error_set(error, "Internal", "a spec has a parameter without a name");
  if (out->has_default && json_to_value(arena, value, &out->default_value, error) != 0)
    return -1;
  return read_callback_names(arena, schema->json, out, error);
}

int signature_read(struct arena *arena, const struct process_entry *entry, const struct signature **out, struct error *error)
{
  json_error_t problem;
  json_t *spec = json_loadb(entry->spec, entry->spec_length, 0, &problem);
  if (!spec)
    return error_set(error, "Internal", "spec of %s: %s", entry->id, problem.text);
  if (arena_on_free(arena, release_json, spec) != 0)
    return error_memory(error);
  const json_t *list = json_object_get(spec, "parameters");
  struct signature *signature = ARENA_NEW(arena, struct signature);
  struct parameter *parameters = ARENA_ARRAY(arena, struct parameter, json_array_size(list));
  if (!signature || !parameters)
    return error_memory(error);
  for (size_t i = 0; i < json_array_size(list); i++)
    if (read_parameter(arena, json_array_get(list, i), &parameters[i], error) != 0)
      return -1;
  *signature = (struct signature){.id = entry->id, .count = json_array_size(list), .parameters = parameters};
  *out = signature;
  return 0;
}

const struct parameter *signature_find(const struct signature *signature, const char *name)
{
  for (size_t i = 0; i < signature->count; i++)
    if (strcmp(signature->parameters[i].name, name) == 0)
      return &signature->parameters[i];
  return NULL;
}

/* ---- checking --------------------------------------------------------------------------------------------------- */

static bool fits(const json_t *schema, const struct value *value, bool ranges);

static bool names_type(const json_t *types, const char *name)
{
  const json_t *type;
  size_t i;
  if (json_is_string(types))
    return strcmp(json_string_value(types), name) == 0;
  json_array_foreach((json_t *)types, i, type)
    if (json_is_string(type) && strcmp(json_string_value(type), name) == 0)
      return true;
  return false;
}

static bool type_fits(const json_t *schema, const struct value *value)
{
  const json_t *types = json_object_get(schema, "type");
  const char *subtype = json_string_value(json_object_get(schema, "subtype"));
  bool graph = subtype && strcmp(subtype, "process-graph") == 0;
  bool cube = subtype && (strstr(subtype, "cube") || strcmp(subtype, "stac") == 0);
  if (!types)
    return true;
  switch (value->kind) {
  case VALUE_NULL:
    return names_type(types, "null");
  case VALUE_BOOLEAN:
    return names_type(types, "boolean");
  case VALUE_NUMBER:
    return names_type(types, "number") || (names_type(types, "integer") && (value->number == rint(value->number)));
  case VALUE_TEXT:
    return names_type(types, "string");
  case VALUE_ARRAY:
    return names_type(types, "array") || (value->labels && subtype && strcmp(subtype, "labeled-array") == 0);
  case VALUE_OBJECT:
    return names_type(types, "object") && !graph && !cube;
  case VALUE_LANES:
    if (value->lanes.is_array)
      return names_type(types, "array") || (subtype && strcmp(subtype, "labeled-array") == 0);
    return names_type(types, "number") || names_type(types, "integer") || names_type(types, "boolean");
  case VALUE_CUBE:
    return names_type(types, "object") && cube;
  case VALUE_CALLBACK:
    return names_type(types, "object") && graph;
  case VALUE_HANDLE:
    return names_type(types, "object") && subtype && strcmp(subtype, value->handle_type->subtype) == 0;
  }
  return false;
}

static bool json_is_value(const json_t *json, const struct value *value)
{
  if (value->kind == VALUE_TEXT)
    return json_is_string(json) && strcmp(json_string_value(json), value->text) == 0;
  if (value->kind == VALUE_NUMBER)
    return json_is_number(json) && json_number_value(json) == value->number;
  if (value->kind == VALUE_BOOLEAN)
    return json_is_boolean(json) && json_is_true(json) == value->boolean;
  return value->kind == VALUE_NULL && json_is_null(json);
}

static bool enum_fits(const json_t *schema, const struct value *value)
{
  const json_t *list = json_object_get(schema, "enum"), *only = json_object_get(schema, "const"), *item;
  size_t i;
  bool plain = value->kind == VALUE_TEXT || value->kind == VALUE_NUMBER || value->kind == VALUE_BOOLEAN || value->kind == VALUE_NULL;
  if (!plain)
    return true;
  if (only && !json_is_value(only, value))
    return false;
  if (!list)
    return true;
  json_array_foreach((json_t *)list, i, item)
    if (json_is_value(item, value))
      return true;
  return false;
}

static bool bounds_fit(const json_t *schema, const struct value *value)
{
  if (value->kind != VALUE_NUMBER)
    return true;
  const json_t *low = json_object_get(schema, "minimum"), *high = json_object_get(schema, "maximum");
  const json_t *above = json_object_get(schema, "exclusiveMinimum"), *below = json_object_get(schema, "exclusiveMaximum");
  double x = value->number;
  return !(low && x < json_number_value(low)) && !(high && x > json_number_value(high)) &&
         !(json_is_number(above) && x <= json_number_value(above)) && !(json_is_number(below) && x >= json_number_value(below));
}

static bool items_fit(const json_t *schema, const struct value *value, bool ranges)
{
  const json_t *items = json_object_get(schema, "items"), *least = json_object_get(schema, "minItems"), *most = json_object_get(schema, "maxItems");
  if (value->kind != VALUE_ARRAY)
    return true;
  if ((least && (json_int_t)value->count < json_integer_value(least)) || (most && (json_int_t)value->count > json_integer_value(most)))
    return false;
  for (size_t i = 0; json_is_object(items) && json_object_size(items) > 0 && i < value->count; i++)
    if (!fits(items, &value->items[i], ranges))
      return false;
  return true;
}

static bool members_fit(const json_t *schema, const struct value *value)
{
  const json_t *required = json_object_get(schema, "required"), *name;
  size_t i;
  if (value->kind != VALUE_OBJECT)
    return true;
  json_array_foreach((json_t *)required, i, name)
    if (json_is_string(name) && !value_member(value, json_string_value(name)))
      return false;
  return true;
}

static bool fits(const json_t *schema, const struct value *value, bool ranges)
{
  const json_t *alternative, *any = json_object_get(schema, "anyOf");
  size_t i;
  if (json_is_array(schema) || any) {
    json_array_foreach((json_t *)(any ? any : schema), i, alternative)
      if (fits(alternative, value, ranges))
        return true;
    return json_is_array(schema) && json_array_size(schema) == 0;
  }
  if (!json_is_object(schema))
    return true;
  return type_fits(schema, value) && enum_fits(schema, value) && (!ranges || bounds_fit(schema, value)) &&
         items_fit(schema, value, ranges) &&
         members_fit(schema, value);
}

/* ---- saying what would fit -------------------------------------------------------------------------------------- */

static void describe_types(const json_t *schema, struct buffer *out)
{
  const json_t *types = json_object_get(schema, "type"), *type;
  const char *subtype = json_string_value(json_object_get(schema, "subtype"));
  size_t i;
  if (out->length)
    buffer_text(out, " or ");
  if (subtype && !json_is_array(types))
    buffer_text(out, subtype);
  else if (json_is_string(types))
    buffer_text(out, json_string_value(types));
  json_array_foreach((json_t *)types, i, type)
    buffer_printf(out, "%s%s", i ? " or " : "", json_is_string(type) ? json_string_value(type) : "?");
}

static void describe_bounds(const json_t *schema, struct buffer *out)
{
  static const struct {
    const char *key, *text;
  } bounds[] = {{"minimum", "at least"}, {"maximum", "at most"}, {"exclusiveMinimum", "above"}, {"exclusiveMaximum", "below"},
                {"minItems", "with at least this many elements:"}, {"maxItems", "with at most this many elements:"}};
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
    const json_t *bound = json_object_get(schema, bounds[i].key);
    char number[32];
    if (!json_is_number(bound))
      continue;
    number_format(json_number_value(bound), number);
    buffer_printf(out, " %s %s", bounds[i].text, number);
  }
}

static void describe_enum(const json_t *schema, struct buffer *out)
{
  const json_t *list = json_object_get(schema, "enum"), *item;
  size_t i;
  json_array_foreach((json_t *)list, i, item)
    if (json_is_string(item))
      buffer_printf(out, "%s%s", i ? ", " : " out of ", json_string_value(item));
}

static void describe(const json_t *schema, struct buffer *out)
{
  const json_t *alternative, *any = json_object_get(schema, "anyOf");
  size_t i;
  if (json_is_array(schema) || any) {
    json_array_foreach((json_t *)(any ? any : schema), i, alternative)
      describe(alternative, out);
    return;
  }
  describe_types(schema, out);
  describe_bounds(schema, out);
  describe_enum(schema, out);
}

int parameter_check(const struct parameter *parameter, const struct value *value, bool ranges, struct error *error)
{
  if (fits(parameter->schema->json, value, ranges))
    return 0;
  struct buffer wanted = {.limit = 4096};
  describe(parameter->schema->json, &wanted);
  error_parameter(error, "ProcessParameterInvalid", parameter->name, "the value of '%s' (%s%s%.40s%s) does not fit: expected %s",
                  parameter->name, value_kind_name(value), value->kind == VALUE_TEXT ? " '" : "",
                  value->kind == VALUE_TEXT ? value->text : "", value->kind == VALUE_TEXT ? "'" : "",
                  wanted.data && wanted.length ? wanted.data : "something else");
  buffer_free(&wanted);
  return -1;
}

int value_read(struct arena *arena, const char *text, size_t length, struct value *out, struct error *error)
{
  json_t *json;
  if (json_read(text, length, &json, error) != 0)
    return -1;
  int status = json_to_value(arena, json, out, error);
  json_decref(json);
  return status;
}
