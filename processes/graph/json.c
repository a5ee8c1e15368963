/* JSON text to values. jansson has no NaN: where the official encoding is asked for, the bare tokens become strings
 * that start with U+0001 before it sees the text, and json_to_value turns those back into numbers. */
#include "processes/graph/json.h"

#include "processes/graph/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct token {
  const char *text;   /* in the source */
  const char *string; /* as JSON */
  const char *value;  /* after jansson */
  double number;
} tokens[] = {
    {"-Infinity", "\"\\u0001-Infinity\"", "\001-Infinity", -INFINITY},
    {"Infinity", "\"\\u0001Infinity\"", "\001Infinity", INFINITY},
    {"NaN", "\"\\u0001NaN\"", "\001NaN", NAN},
};

static const struct token *token_at(const char *text, size_t length)
{
  for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
    size_t n = strlen(tokens[i].text);
    if (length >= n && memcmp(text, tokens[i].text, n) == 0)
      return &tokens[i];
  }
  return NULL;
}

/* Checks the nesting and replaces tokens outside strings, if asked to. */
static int prepare(const char *text, size_t length, bool official, struct buffer *out, struct error *error)
{
  size_t depth = 0, from = 0;
  bool quoted = false;
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    if (quoted) {
      if (c == '\\')
        i++;
      else if (c == '"')
        quoted = false;
      continue;
    }
    if (c == '"')
      quoted = true;
    else if ((c == '{' || c == '[') && ++depth > GRAPH_MAX_DEPTH)
      return error_set(error, ERROR_ProcessGraphComplexity, "the JSON is nested deeper than %d levels",
                       (int)GRAPH_MAX_DEPTH);
    else if ((c == '}' || c == ']') && depth > 0)
      depth--;
    else if (official && (c == 'N' || c == 'I' || c == '-')) {
      const struct token *token = token_at(text + i, length - i);
      if (!token)
        continue;
      buffer_add(out, text + from, i - from);
      buffer_text(out, token->string);
      i += strlen(token->text) - 1;
      from = i + 1;
    }
  }
  if (from > 0)
    buffer_add(out, text + from, length - from);
  return out->failed ? error_memory(error) : 0;
}

/* Of jansson's values with what malloc adds: a scalar and its place in a table that is half full; a member with its
 * key; an empty array; an empty object. */
enum { SCALAR_BYTES = 64, MEMBER_BYTES = 144, ARRAY_BYTES = 160, OBJECT_BYTES = 240 };

size_t json_tree_bytes(const char *text, size_t length)
{
  size_t bytes = SCALAR_BYTES + 2 * length; /* texts, as they are and in a buffer while they are read */
  bool quoted = false;
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted)
      bytes += c == ',' ? SCALAR_BYTES : c == ':' ? MEMBER_BYTES : c == '[' ? ARRAY_BYTES : c == '{' ? OBJECT_BYTES : 0;
  }
  return bytes;
}

int json_read(const char *text, size_t length, bool official, json_t **out, struct error *error)
{
  struct buffer prepared = {.limit = 4 * (size_t)GRAPH_MAX_BYTES};
  json_error_t problem;
  if (length > GRAPH_MAX_BYTES)
    return error_set(error, ERROR_ProcessGraphComplexity, "the JSON has %zu bytes, more than the limit of %d", length,
                     (int)GRAPH_MAX_BYTES);
  int status = prepare(text, length, official, &prepared, error);
  if (status == 0) {
    *out = prepared.length
               ? json_loadb(prepared.data, prepared.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem)
               : json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!*out)
      status = error_set(error, ERROR_ProcessGraphInvalid, "not valid JSON at line %d, column %d: %s", problem.line,
                         problem.column, problem.text);
  }
  buffer_free(&prepared);
  return status;
}

static bool special_number(const json_t *json, double *out)
{
  const char *text = json_string_value(json);
  for (size_t i = 0; text && text[0] == '\001' && i < sizeof tokens / sizeof *tokens; i++)
    if (strcmp(text, tokens[i].value) == 0) {
      *out = tokens[i].number;
      return true;
    }
  return false;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

int json_check_length(size_t count, struct error *error)
{
  if (count <= GRAPH_MAX_ARRAY)
    return 0;
  return error_set(error, ERROR_ProcessGraphComplexity, "an array has %zu elements, more than the limit of %d", count,
                   (int)GRAPH_MAX_ARRAY);
}

static int array_to_value(struct arena *arena, const json_t *json, bool official, struct value *out,
                          struct error *error)
{
  size_t count = json_array_size(json);
  if (json_check_length(count, error) != 0)
    return -1;
  struct value *items = ARENA_ARRAY(arena, struct value, count);
  if (!items)
    return error_memory(error);
  for (size_t i = 0; i < count; i++)
    if (json_to_value(arena, json_array_get(json, i), official, &items[i], error) != 0)
      return -1;
  *out = value_array(items, count);
  return 0;
}

/* Pairs of key and value to an array with labels; false where there are others. */
static bool is_labelled(const struct value *data)
{
  for (size_t i = 0; i < data->count; i++)
    if (!value_member(&data->items[i], "key") || !value_member(&data->items[i], "value"))
      return false;
  return data->kind == VALUE_ARRAY;
}

static int labelled_value(struct arena *arena, const struct value *data, struct value *out)
{
  struct value *items = ARENA_ARRAY(arena, struct value, data->count),
               *labels = ARENA_ARRAY(arena, struct value, data->count);
  if (!items || !labels)
    return -1;
  for (size_t i = 0; i < data->count; i++) {
    labels[i] = *value_member(&data->items[i], "key");
    items[i] = *value_member(&data->items[i], "value");
  }
  *out = value_labelled(items, labels, data->count);
  return 0;
}

int json_object_value(struct arena *arena, const char *const *keys, const struct value *items, size_t count,
                      bool official, struct value *out)
{
  if (value_object(arena, keys, items, count, out) != 0)
    return -1;
  const struct value *type = official ? value_member(out, "type") : NULL, *data = value_member(out, "data");
  if (!type || type->kind != VALUE_TEXT)
    return 0;
  if (strcmp(type->text, "nodata") == 0 && count == 1)
    *out = value_null();
  else if (strcmp(type->text, "labeled-array") == 0 && data && is_labelled(data)) {
    const struct value pairs = *data;
    return labelled_value(arena, &pairs, out);
  }
  return 0;
}

static int object_to_value(struct arena *arena, const json_t *json, bool official, struct value *out,
                           struct error *error)
{
  size_t count = json_object_size(json), i = 0;
  struct value *items = ARENA_ARRAY(arena, struct value, count);
  const char **keys = ARENA_ARRAY(arena, const char *, count);
  const char *key;
  json_t *item;
  if (!items || !keys)
    return error_memory(error);
  json_object_foreach((json_t *)json, key, item)
  {
    keys[i] = arena_strdup(arena, key);
    if (!keys[i])
      return error_memory(error);
    if (json_to_value(arena, item, official, &items[i++], error) != 0)
      return -1;
  }
  return json_object_value(arena, keys, items, count, official, out) == 0 ? 0 : error_memory(error);
}

int json_to_value(struct arena *arena, const json_t *json, bool official, struct value *out, struct error *error)
{
  double special;
  switch (json_typeof(json)) {
  case JSON_NULL:
    *out = value_null();
    return 0;
  case JSON_TRUE:
  case JSON_FALSE:
    *out = value_boolean(json_is_true(json));
    return 0;
  case JSON_INTEGER:
  case JSON_REAL:
    *out = value_number(json_number_value(json));
    return 0;
  case JSON_STRING:
    if (official && special_number(json, &special)) {
      *out = value_number(special);
      return 0;
    }
    *out = value_text(arena_strdup(arena, json_string_value(json)));
    return out->text ? 0 : error_memory(error);
  case JSON_ARRAY:
    return array_to_value(arena, json, official, out, error);
  case JSON_OBJECT:
    return object_to_value(arena, json, official, out, error);
  }
  return error_set(error, ERROR_Internal, "unknown JSON type");
}

int value_read(struct arena *arena, const char *text, bool official, struct value *out, struct error *error)
{
  json_t *json;
  if (json_read(text, strlen(text), official, &json, error) != 0)
    return -1;
  int status = json_to_value(arena, json, official, out, error);
  json_decref(json);
  return status;
}
