/* Reading JSON: see the header. */
#include "datacube/source/zarr_json.h"

#include "datacube/base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEEP = 32 };

struct zarr_json_reader {
  struct arena *arena;
  const char *at; /* ends with a NUL */
  unsigned depth;
};

static bool read_value(struct zarr_json_reader *r, struct zarr_json *out);

static void skip_blanks(struct zarr_json_reader *r)
{
  r->at += strspn(r->at, " \t\r\n");
}

static bool take(struct zarr_json_reader *r, const char *word)
{
  const size_t length = strlen(word);
  if (strncmp(r->at, word, length) != 0)
    return false;
  r->at += length;
  return true;
}

/* Four hexadecimal digits; -1 where there are none. */
static long read_code(struct zarr_json_reader *r)
{
  long code = 0;
  for (int i = 0; i < 4; i++, r->at++) {
    if (!isxdigit((unsigned char)*r->at))
      return -1;
    const int digit = isdigit((unsigned char)*r->at) ? *r->at - '0' : tolower((unsigned char)*r->at) - 'a' + 10;
    code = code * 16 + digit;
  }
  return code;
}

/* Behind a backslash. NULL where nothing can be escaped so. */
static char *read_escape(struct zarr_json_reader *r, char *to)
{
  static const char from[] = "\"\\/bfnrt", as[] = "\"\\/\b\f\n\r\t";
  const char *found = *r->at ? strchr(from, *r->at) : NULL;
  if (found) {
    r->at++;
    *to = as[found - from];
    return to + 1;
  }
  long code = take(r, "u") ? read_code(r) : -1;
  if (code >= 0xD800 && code < 0xDC00) {
    const long low = take(r, "\\u") ? read_code(r) : -1;
    code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : -1;
  }
  return code > 0 && (code < 0xDC00 || code >= 0xE000) ? to + utf8_put((uint32_t)code, to) : NULL;
}

static const char *read_text(struct zarr_json_reader *r)
{
  const char *end = r->at + 1;
  while (*end && *end != '"')
    end += *end == '\\' && end[1] ? 2 : 1;
  char *text = *end ? arena_alloc(r->arena, (size_t)(end - r->at)) : NULL, *to = text;
  r->at++;
  while (to && r->at < end) {
    if (*r->at == '\\') {
      r->at++;
      to = read_escape(r, to);
    } else {
      *to++ = *r->at++;
    }
  }
  if (!to || r->at != end)
    return NULL;
  *to = '\0';
  r->at++;
  return text;
}

static bool read_number(struct zarr_json_reader *r, struct zarr_json *out)
{
  const size_t length = strspn(r->at, "+-0123456789.eEINafinty");
  char *end;
  out->kind = ZARR_JSON_NUMBER;
  out->text = arena_strndup(r->arena, r->at, length);
  if (!out->text || length == 0)
    return false;
  out->number = strtod(out->text, &end);
  r->at += length;
  return *end == '\0';
}

/* Values with commas between, up to the bracket that ends them. */
static bool read_list(struct zarr_json_reader *r, char end, struct zarr_json *out)
{
  const struct zarr_json **link = &out->first;
  bool goes_on = true;
  r->at++;
  skip_blanks(r);
  if (*r->at == end) {
    r->at++;
    return true;
  }
  while (goes_on) {
    struct zarr_json *value = ARENA_NEW(r->arena, struct zarr_json);
    if (!value)
      return false;
    skip_blanks(r);
    if (end == '}') {
      value->key = *r->at == '"' ? read_text(r) : NULL;
      skip_blanks(r);
      if (!value->key || !take(r, ":"))
        return false;
    }
    if (!read_value(r, value))
      return false;
    *link = value;
    link = &value->next;
    skip_blanks(r);
    goes_on = take(r, ",");
  }
  return *r->at++ == end;
}

static bool read_value(struct zarr_json_reader *r, struct zarr_json *out)
{
  skip_blanks(r);
  if (*r->at == '{' || *r->at == '[') {
    const char end = *r->at == '{' ? '}' : ']';
    out->kind = end == '}' ? ZARR_JSON_OBJECT : ZARR_JSON_ARRAY;
    if (r->depth == MOST_DEEP)
      return false;
    r->depth++;
    const bool done = read_list(r, end, out);
    r->depth--;
    return done;
  }
  if (*r->at == '"') {
    out->kind = ZARR_JSON_TEXT;
    return (out->text = read_text(r)) != NULL;
  }
  if (take(r, "null"))
    return true;
  if (take(r, "false") || take(r, "true")) {
    out->kind = r->at[-2] == 's' ? ZARR_JSON_FALSE : ZARR_JSON_TRUE;
    return true;
  }
  return read_number(r, out);
}

const struct zarr_json *zarr_json_read(struct arena *arena, const char *bytes, size_t length)
{
  struct zarr_json_reader r = {.arena = arena, .at = arena_strndup(arena, bytes, length)};
  struct zarr_json *root = ARENA_NEW(arena, struct zarr_json);
  if (!r.at || !root || memchr(bytes, '\0', length) || !read_value(&r, root))
    return NULL;
  skip_blanks(&r);
  return *r.at == '\0' ? root : NULL;
}

const struct zarr_json *zarr_json_member(const struct zarr_json *object, const char *key)
{
  if (!zarr_json_is(object, ZARR_JSON_OBJECT))
    return NULL;
  for (const struct zarr_json *m = object->first; m; m = m->next)
    if (strcmp(m->key, key) == 0)
      return m;
  return NULL;
}

const char *zarr_json_text(const struct zarr_json *object, const char *key)
{
  const struct zarr_json *value = zarr_json_member(object, key);
  return zarr_json_is(value, ZARR_JSON_TEXT) ? value->text : NULL;
}

bool zarr_json_is(const struct zarr_json *value, enum zarr_json_kind kind)
{
  return value && value->kind == kind;
}

bool zarr_json_integer(const struct zarr_json *value, uint64_t *out, bool *negative)
{
  char *end;
  if (!zarr_json_is(value, ZARR_JSON_NUMBER))
    return false;
  *negative = value->text[0] == '-';
  if (!isdigit((unsigned char)value->text[*negative]))
    return false;
  errno = 0;
  *out = *negative ? (uint64_t)strtoll(value->text, &end, 10) : strtoull(value->text, &end, 10);
  return errno == 0 && *end == '\0';
}

bool zarr_json_size(const struct zarr_json *value, size_t *out)
{
  uint64_t number;
  bool negative;
  if (!zarr_json_integer(value, &number, &negative) || negative || number > SIZE_MAX / 2)
    return false;
  *out = (size_t)number;
  return true;
}
