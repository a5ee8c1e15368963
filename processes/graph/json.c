/* JSON text to values. jansson has no NaN: before it sees the text, the bare tokens become strings that start with
 * U+0001, which no client writes by accident, and json_to_value turns those back into numbers. */
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

/* Checks the nesting and replaces tokens outside strings. */
static int prepare(const char *text, size_t length, struct buffer *out, struct error *error)
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
      return error_set(error, "ProcessGraphComplexity", "the JSON is nested deeper than %d levels", (int)GRAPH_MAX_DEPTH);
    else if ((c == '}' || c == ']') && depth > 0)
      depth--;
    else if (c == 'N' || c == 'I' || c == '-') {
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

int json_read(const char *text, size_t length, json_t **out, struct error *error)
{
  struct buffer prepared = {.limit = 4 * (size_t)GRAPH_MAX_BYTES};
  json_error_t problem;
  if (length > GRAPH_MAX_BYTES)
    return error_set(error, "ProcessGraphComplexity", "the JSON has %zu bytes, more than the limit of %d", length, (int)GRAPH_MAX_BYTES);
  int status = prepare(text, length, &prepared, error);
  if (status == 0) {
    *out = prepared.length ? json_loadb(prepared.data, prepared.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem)
                           : json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!*out)
      status = error_set(error, "ProcessGraphInvalid", "not valid JSON at line %d, column %d: %s", problem.line, problem.column, problem.text);
  }
  buffer_free(&prepared);
  return status;
}

bool json_special_number(const json_t *json, double *out)
{
  const char *text = json_string_value(json);
  for (size_t i = 0; text && text[0] == '\001' && i < sizeof tokens / sizeof *tokens; i++)
    if (strcmp(text, tokens[i].value) == 0) {
      *out = tokens[i].number;
      return true;
    }
  return false;
}

static int array_to_value(struct arena *arena, const json_t *json, struct value *out, struct error *error)
{
  size_t count = json_array_size(json);
  struct value *items = count > GRAPH_MAX_ARRAY ? NULL : ARENA_ARRAY(arena, struct value, count);
  if (count > GRAPH_MAX_ARRAY)
    return error_set(error, "ProcessGraphComplexity", "an array has %zu elements, more than the limit of %d", count, (int)GRAPH_MAX_ARRAY);
  if (!items)
    return error_memory(error);
  for (size_t i = 0; i < count; i++)
    if (json_to_value(arena, json_array_get(json, i), &items[i], error) != 0)
      return -1;
  *out = value_array(items, count);
  return 0;
}

static int labelled_to_value(struct arena *arena, const json_t *data, struct value *out, struct error *error)
{
  size_t count = json_array_size(data);
  struct value *items = ARENA_ARRAY(arena, struct value, count), *labels = ARENA_ARRAY(arena, struct value, count);
  if (!items || !labels)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    const json_t *pair = json_array_get(data, i), *value = json_object_get(pair, "value");
    const json_t *key = json_object_get(pair, "key");
    if (!key || !value)
      return error_set(error, "ProcessGraphInvalid", "a labelled array needs key and value in each element");
    if (json_to_value(arena, key, &labels[i], error) != 0 || json_to_value(arena, value, &items[i], error) != 0)
      return -1;
  }
  *out = value_labelled(items, labels, count);
  return 0;
}

static int object_to_value(struct arena *arena, const json_t *json, struct value *out, struct error *error)
{
  size_t count = json_object_size(json), i = 0;
  const char *type = json_string_value(json_object_get(json, "type"));
  const json_t *data = json_object_get(json, "data");
  if (type && strcmp(type, "nodata") == 0 && count == 1) {
    *out = value_null();
    return 0;
  }
  if (type && strcmp(type, "labeled-array") == 0 && json_is_array(data))
    return labelled_to_value(arena, data, out, error);
  struct value *items = ARENA_ARRAY(arena, struct value, count);
  const char **keys = ARENA_ARRAY(arena, const char *, count);
  const char *key;
  json_t *item;
  if (!items || !keys)
    return error_memory(error);
  json_object_foreach((json_t *)json, key, item) {
    keys[i] = arena_strdup(arena, key);
    if (!keys[i])
      return error_memory(error);
    if (json_to_value(arena, item, &items[i++], error) != 0)
      return -1;
  }
  return value_object(arena, keys, items, count, out) == 0 ? 0 : error_memory(error);
}

int json_to_value(struct arena *arena, const json_t *json, struct value *out, struct error *error)
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
    if (json_special_number(json, &special)) {
      *out = value_number(special);
      return 0;
    }
    *out = value_text(arena_strdup(arena, json_string_value(json)));
    return out->text ? 0 : error_memory(error);
  case JSON_ARRAY:
    return array_to_value(arena, json, out, error);
  case JSON_OBJECT:
    return object_to_value(arena, json, out, error);
  }
  return error_set(error, "Internal", "unknown JSON type");
}
