/* One pass over the text, counting brackets and stepping over strings. */
#include "server/http/json_text.h"

#include <stdbool.h>
#include <string.h>

static const char *skip_blanks(const char *at, const char *end)
{
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
    at++;
  return at;
}

/* From the opening quote to behind the closing one. */
static const char *skip_string(const char *at, const char *end)
{
  for (at++; at < end && *at != '"'; at++)
    if (*at == '\\')
      at++;
  return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end)
{
  size_t depth = 0;
  for (; at < end; at++) {
    if (*at == '"') {
      at = skip_string(at, end) - 1;
    } else if (*at == '{' || *at == '[') {
      depth++;
    } else if (*at == '}' || *at == ']') {
      if (depth == 0)
        return at; /* behind a plain value: the object's end */
      depth--;
      if (depth == 0)
        return at + 1;
    } else if (*at == ',' && depth == 0) {
      return at;
    }
  }
  return end;
}

/* Length of a value without the blanks behind it. */
static size_t trimmed(const char *value, const char *end)
{
  while (end > value && strchr(" \t\r\n", end[-1]) != NULL)
    end--;
  return (size_t)(end - value);
}

bool json_text_next(const char *json, size_t length, size_t *at, struct text_member *out)
{
  const char *end = json + length, *next = skip_blanks(json + *at, end);
  if (next == end || *next != (*at == 0 ? '{' : ','))
    return false; /* no object, or behind the last one */
  const char *key = skip_blanks(next + 1, end);
  if (key == end || *key != '"')
    return false;
  next = skip_string(key, end);
  out->name = key + 1;
  out->name_length = (size_t)(next - key) - 2;
  next = skip_blanks(next, end);
  if (next == end || *next != ':')
    return false;
  out->value = skip_blanks(next + 1, end);
  next = skip_value(out->value, end);
  out->value_length = trimmed(out->value, next);
  *at = (size_t)(skip_blanks(next, end) - json);
  return true;
}

bool text_member_is(const struct text_member *member, const char *name)
{
  return member->name_length == strlen(name) && memcmp(member->name, name, member->name_length) == 0;
}

const char *json_text_member(const char *json, size_t length, const char *name, size_t *value_length)
{
  struct text_member member;
  size_t at = 0;
  while (json_text_next(json, length, &at, &member))
    if (text_member_is(&member, name)) {
      *value_length = member.value_length;
      return member.value;
    }
  return NULL;
}

const char *json_text_element(const char *json, size_t length, size_t *at, size_t *element_length)
{
  const char *end = json + length, *next = skip_blanks(json + *at, end);
  if (next == end || *next != (*at == 0 ? '[' : ','))
    return NULL; /* no array, or behind the last one */
  const char *value = skip_blanks(next + 1, end);
  if (value == end || *value == ']')
    return NULL;
  next = skip_value(value, end);
  *at = (size_t)(next - json);
  *element_length = trimmed(value, next);
  return value;
}
