#include "processes/graph/spec_compare.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TYPES_ROOM = 160 };

/* Bit per JSON type, for comparing schemas whatever way they spell a union. */
static const char *const type_names[] = {"array", "boolean", "integer", "null", "number", "object", "string"};
enum { TYPE_INTEGER = 2, TYPE_NUMBER = 4, TYPE_COUNT = sizeof type_names / sizeof type_names[0] };

static unsigned type_bit(const json_t *name)
{
  for (unsigned i = 0; i < TYPE_COUNT && json_is_string(name); i++) {
    if (strcmp(type_names[i], json_string_value(name)) == 0)
      return i == TYPE_NUMBER ? 1u << TYPE_NUMBER | 1u << TYPE_INTEGER : 1u << i;
  }
  return 0;
}

/* Types that a parameter's schema (an object, or an array of alternatives) names; 0 where it allows anything. Integers
 * are numbers. */
static unsigned schema_types(const json_t *schema)
{
  unsigned types = 0;
  size_t i;
  json_t *item;
  if (json_is_array(schema)) {
    json_array_foreach(schema, i, item) types |= schema_types(item);
    return types;
  }
  const json_t *type = json_object_get(schema, "type");
  if (json_is_string(type))
    return type_bit(type);
  json_array_foreach(type, i, item) types |= type_bit(item);
  return types;
}

static const char *types_text(unsigned types, char room[TYPES_ROOM])
{
  if (types == 0)
    return "anything";
  size_t length = 0;
  for (unsigned i = 0; i < TYPE_COUNT; i++) {
    if ((types & 1u << i) != 0)
      length += (size_t)snprintf(room + length, TYPES_ROOM - length, "%s%s", length > 0 ? ", " : "", type_names[i]);
  }
  return room;
}

static const char *member_text(const json_t *object, const char *key)
{
  const char *text = json_string_value(json_object_get(object, key));
  return text == NULL ? "" : text;
}

static int compare_parameter(const char *id, size_t i, const json_t *ours, const json_t *theirs, struct error *error)
{
  const char *name = member_text(ours, "name");
  const char *other = member_text(theirs, "name");
  if (strcmp(name, other) != 0)
    return error_set(error, ERROR_ProcessSpecInvalid,
                     "process '%s': parameter %zu is '%s' here and '%s' in the given spec", id, i + 1, name, other);
  bool optional = json_is_true(json_object_get(ours, "optional"));
  if (optional != json_is_true(json_object_get(theirs, "optional")))
    return error_set(error, ERROR_ProcessSpecInvalid,
                     "process '%s': parameter '%s' is %s here and not so in the given spec", id, name,
                     optional ? "optional" : "required");
  unsigned types = schema_types(json_object_get(ours, "schema"));
  unsigned given = schema_types(json_object_get(theirs, "schema"));
  bool accepts_given = types == 0 || (given != 0 && (given & ~types) == 0);
  char a[TYPES_ROOM], b[TYPES_ROOM];
  if (!accepts_given)
    return error_set(error, ERROR_ProcessSpecInvalid,
                     "process '%s': parameter '%s' takes %s here and %s in the given spec", id, name,
                     types_text(types, a), types_text(given, b));
  return 0;
}

static int compare_signatures(const char *id, const json_t *ours, const json_t *theirs, struct error *error)
{
  if (strcmp(member_text(theirs, "id"), id) != 0)
    return error_set(error, ERROR_ProcessSpecInvalid, "the spec for '%s' has the id '%s'", id,
                     member_text(theirs, "id"));
  const json_t *a = json_object_get(ours, "parameters");
  const json_t *b = json_object_get(theirs, "parameters");
  for (size_t i = 0; i < json_array_size(a) && i < json_array_size(b); i++) {
    if (compare_parameter(id, i, json_array_get(a, i), json_array_get(b, i), error) != 0)
      return -1;
  }
  if (json_array_size(a) != json_array_size(b))
    return error_set(error, ERROR_ProcessSpecInvalid, "process '%s' has %zu parameters here and %zu in the given spec",
                     id, json_array_size(a), json_array_size(b));
  return 0;
}

int spec_compare(const char *id, struct spec_text ours, struct spec_text theirs, struct error *error)
{
  json_error_t where;
  json_t *theirs_json = json_loadb(theirs.text, theirs.length, JSON_REJECT_DUPLICATES, &where);
  if (theirs_json == NULL)
    return error_set(error, ERROR_ProcessSpecInvalid, "the given spec of '%s' is no JSON: line %d: %s", id, where.line,
                     where.text);
  json_t *ours_json = json_loadb(ours.text, ours.length, 0, NULL);
  int status = compare_signatures(id, ours_json, theirs_json, error);
  json_decref(theirs_json);
  json_decref(ours_json);
  return status;
}
