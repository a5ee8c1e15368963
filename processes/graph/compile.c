#include "processes/graph/compile.h"

#include "processes/graph/json.h"

#include <stdint.h>
#include <string.h>

enum { MAX_PARAMETERS = 1000, MAX_COST = 10000 };

struct compiler {
  struct arena *arena;
  struct error *error;
  size_t parts; /* of the parameter in work: schemas and values of enumerations */
};

static int compile_schema(struct compiler *c, const json_t *json, struct schema *out);

/* ---- texts ------------------------------------------------------------------------------------------------------ */

static int copy_text(struct compiler *c, const json_t *json, const char **out)
{
  *out = json_is_string(json) ? arena_strdup(c->arena, json_string_value(json)) : NULL;
  return json_is_string(json) && *out == NULL ? error_memory(c->error) : 0;
}

/* The strings of an array; with `member`, the strings that its objects have there. Others are left out. */
static int copy_texts(struct compiler *c, const json_t *list, const char *member, const char *const **out,
                      size_t *count)
{
  const char **texts = ARENA_ARRAY(c->arena, const char *, json_array_size(list));
  size_t n = 0;
  if (texts == NULL)
    return error_memory(c->error);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    if (copy_text(c, member ? json_object_get(item, member) : item, &texts[n]) != 0)
      return -1;
    n += texts[n] != NULL;
  }
  *out = texts;
  *count = n;
  return 0;
}

/* ---- schemas ---------------------------------------------------------------------------------------------------- */

static unsigned type_bit(const json_t *name)
{
  static const struct {
    const char *name;
    unsigned type;
  } types[] = {{"null", TYPE_NULL},   {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER}, {"number", TYPE_NUMBER},
               {"string", TYPE_TEXT}, {"array", TYPE_ARRAY},     {"object", TYPE_OBJECT}};
  for (size_t i = 0; json_is_string(name) && i < sizeof types / sizeof types[0]; i++)
    if (strcmp(json_string_value(name), types[i].name) == 0)
      return types[i].type;
  return 0;
}

/* Whether a data cube of the schema has a dimension of geometries. */
static bool has_geometries(const json_t *json)
{
  const json_t *dimensions = json_object_get(json, "dimensions");
  for (size_t i = 0; i < json_array_size(dimensions); i++) {
    const char *type = json_string_value(json_object_get(json_array_get(dimensions, i), "type"));
    if (type && strcmp(type, "geometry") == 0)
      return true;
  }
  return false;
}

static int compile_types(struct compiler *c, const json_t *json, struct schema *out)
{
  const json_t *types = json_object_get(json, "type");
  out->types = type_bit(types);
  for (size_t i = 0; i < json_array_size(types); i++)
    out->types |= type_bit(json_array_get(types, i));
  if (copy_text(c, json_object_get(json, "subtype"), &out->subtype) != 0)
    return -1;
  if (out->subtype != NULL) {
    out->takes_graph = strcmp(out->subtype, "process-graph") == 0;
    out->takes_cube = strstr(out->subtype, "cube") != NULL || strcmp(out->subtype, "stac") == 0;
    out->takes_labelled = strcmp(out->subtype, "labeled-array") == 0;
    out->takes_geojson = strcmp(out->subtype, "bounding-box") == 0 || (out->takes_cube && has_geometries(json));
  }
  return 0;
}

static void compile_bounds(const json_t *json, struct schema *out)
{
  static const char *const keys[BOUND_COUNT] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
  const json_int_t least = json_integer_value(json_object_get(json, "minItems"));
  const json_int_t most = json_integer_value(json_object_get(json, "maxItems"));
  for (size_t i = 0; i < BOUND_COUNT; i++) {
    const json_t *bound = json_object_get(json, keys[i]);
    if (!json_is_number(bound))
      continue;
    out->bounds |= 1u << i;
    out->bound[i] = json_number_value(bound);
  }
  out->least = least > 0 ? (size_t)least : 0;
  out->most = most > 0 ? (size_t)most : 0;
}

static int compile_enumeration(struct compiler *c, const json_t *json, struct schema *out)
{
  const json_t *list = json_object_get(json, "enum"), *only = json_object_get(json, "const");
  size_t count = only ? 1 : json_array_size(list);
  struct value *values = ARENA_ARRAY(c->arena, struct value, count);
  if (values == NULL)
    return error_memory(c->error);
  for (size_t i = 0; i < count; i++)
    if (json_to_value(c->arena, only ? only : json_array_get(list, i), false, &values[i], c->error) != 0)
      return -1;
  c->parts += count;
  out->enumeration = values;
  out->enumeration_count = count;
  return 0;
}

static int compile_list(struct compiler *c, const json_t *list, struct schema *out)
{
  size_t count = json_array_size(list);
  struct schema *alternatives = ARENA_ARRAY(c->arena, struct schema, count);
  if (alternatives == NULL)
    return error_memory(c->error);
  for (size_t i = 0; i < count; i++)
    if (compile_schema(c, json_array_get(list, i), &alternatives[i]) != 0)
      return -1;
  out->alternatives = alternatives;
  out->alternative_count = count;
  return 0;
}

static bool takes_anything(const struct schema *s)
{
  return s->types == 0 && s->bounds == 0 && s->least == 0 && s->most == 0 && s->enumeration_count == 0 &&
         s->required_count == 0 && s->items == NULL && s->alternative_count == 0;
}

/* NULL where the schema takes anything, so that a walk over the elements is spared. */
static int compile_new(struct compiler *c, const json_t *json, const struct schema **out)
{
  struct schema *schema = ARENA_NEW(c->arena, struct schema);
  size_t parts = c->parts;
  if (schema == NULL)
    return error_memory(c->error);
  if (compile_schema(c, json, schema) != 0)
    return -1;
  *out = takes_anything(schema) ? NULL : schema;
  if (*out == NULL)
    c->parts = parts;
  return 0;
}

static int compile_schema(struct compiler *c, const json_t *json, struct schema *out)
{
  const json_t *any = json_is_array(json) ? json : json_object_get(json, "anyOf");
  *out = (struct schema){0};
  if (++c->parts > MAX_COST)
    return error_set(c->error, ERROR_ProcessGraphComplexity, "a schema has more than %d parts", (int)MAX_COST);
  if (any != NULL)
    return compile_list(c, any, out);
  compile_bounds(json, out);
  if (compile_types(c, json, out) != 0 || compile_enumeration(c, json, out) != 0 ||
      copy_texts(c, json_object_get(json, "required"), NULL, &out->required, &out->required_count) != 0)
    return -1;
  const json_t *items = json_object_get(json, "items");
  return json_is_object(items) ? compile_new(c, items, &out->items) : 0;
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

/* Parameters of a process graph: of the graph itself, or of graphs that are members of an object. */
static const json_t *callback_parameters(const json_t *schema)
{
  const json_t *members = json_object_get(schema, "additionalProperties"),
               *found = json_object_get(schema, "parameters");
  if (found == NULL && json_is_object(members))
    found = callback_parameters(members);
  for (size_t i = 0; found == NULL && i < json_array_size(schema); i++)
    found = callback_parameters(json_array_get(schema, i));
  return found;
}

bool compile_is_graph(const json_t *value)
{
  return json_object_get(value, "process_graph") != NULL;
}

static int compile_parameter(struct compiler *c, const json_t *json, struct parameter *out)
{
  const json_t *value = json_object_get(json, "default"), *schema = json_object_get(json, "schema");
  *out = (struct parameter){.optional = json_is_true(json_object_get(json, "optional")) || value != NULL,
                            .has_default = value != NULL && !json_is_null(value) && !compile_is_graph(value)};
  c->parts = 0;
  if (copy_text(c, json_object_get(json, "name"), &out->name) != 0)
    return -1;
  if (out->name == NULL)
    return error_set(c->error, ERROR_ProcessGraphInvalid, "a parameter has no name");
  if ((out->has_default && json_to_value(c->arena, value, false, &out->default_value, c->error) != 0) ||
      (schema != NULL && compile_new(c, schema, &out->schema) != 0) ||
      copy_texts(c, callback_parameters(schema), "name", &out->callback_parameters, &out->callback_parameter_count) !=
          0)
    return error_at_parameter(c->error, out->name);
  out->cost = c->parts > 0 ? c->parts : 1;
  return 0;
}

int signature_compile(struct arena *arena, const json_t *list, struct signature *out, struct error *error)
{
  struct compiler c = {.arena = arena, .error = error};
  size_t count = json_array_size(list);
  if (count > MAX_PARAMETERS)
    return error_set(error, ERROR_ProcessGraphComplexity, "a process has more than %d parameters", (int)MAX_PARAMETERS);
  struct parameter *parameters = ARENA_ARRAY(arena, struct parameter, count);
  if (parameters == NULL)
    return error_memory(error);
  *out = (struct signature){.parameters = parameters};
  for (; out->count < count; out->count++) {
    struct parameter *parameter = &parameters[out->count];
    if (compile_parameter(&c, json_array_get(list, out->count), parameter) != 0)
      return -1;
    if (signature_find(out, parameter->name) != NULL)
      return error_parameter(error, ERROR_ProcessGraphInvalid, parameter->name, "two parameters have the name '%s'",
                             parameter->name);
  }
  return 0;
}
