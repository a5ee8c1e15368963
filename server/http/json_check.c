/* One pass with a stack of open brackets: linear, and of fixed size. */
#include "server/http/json_check.h"

#include "datacube/base/utf8.h"

#include <stdbool.h>
#include <string.h>

struct json_scan {
  const char *at, *end;
  size_t depth;
  char open[JSON_CHECK_DEPTH]; /* the brackets: '{' or '[' */
};

static void skip_blanks(struct json_scan *s)
{
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
    s->at++;
}

static bool take(struct json_scan *s, char c)
{
  bool is_there = s->at < s->end && *s->at == c;
  s->at += is_there;
  return is_there;
}

static size_t take_digits(struct json_scan *s)
{
  const char *from = s->at;
  while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
    s->at++;
  return (size_t)(s->at - from);
}

static const char *check_number(struct json_scan *s)
{
  static const char wrong[] = "a number is not well formed";
  take(s, '-');
  if (!take(s, '0') && take_digits(s) == 0)
    return "a value is missing, or is none";
  if (take(s, '.') && take_digits(s) == 0)
    return wrong;
  if (take(s, 'e') || take(s, 'E')) {
    if (!take(s, '+'))
      take(s, '-');
    if (take_digits(s) == 0)
      return wrong;
  }
  return NULL;
}

static const char *check_escape(struct json_scan *s)
{
  if (s->at == s->end || strchr("\"\\/bfnrtu", *s->at) == NULL || *s->at == '\0')
    return "an escape in a string is none";
  if (*s->at++ != 'u')
    return NULL;
  for (int i = 0; i < 4; i++, s->at++)
    if (s->at == s->end || *s->at == '\0' || strchr("0123456789abcdefABCDEF", *s->at) == NULL)
      return "an escape in a string is none";
  return NULL;
}

static const char *check_string(struct json_scan *s)
{
  if (!take(s, '"'))
    return "a name in quotation marks is missing";
  while (s->at < s->end && *s->at != '"') {
    if ((unsigned char)*s->at < ' ')
      return "a string has a control character";
    if (take(s, '\\')) {
      const char *wrong = check_escape(s);
      if (wrong != NULL)
        return wrong;
      continue;
    }
    size_t length = utf8_length(s->at, (size_t)(s->end - s->at));
    if (length == 0)
      return "a string is not UTF-8";
    s->at += length;
  }
  return take(s, '"') ? NULL : "a string does not end";
}

static const char *check_word(struct json_scan *s, const char *word)
{
  const size_t length = strlen(word);
  if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
    return "a value is missing, or is none";
  s->at += length;
  return NULL;
}

static const char *check_scalar(struct json_scan *s)
{
  switch (s->at < s->end ? *s->at : '\0') {
  case '"':
    return check_string(s);
  case 't':
    return check_word(s, "true");
  case 'f':
    return check_word(s, "false");
  case 'n':
    return check_word(s, "null");
  default:
    return check_number(s);
  }
}

/* The name before a value, where the value is an object's. */
static const char *check_name(struct json_scan *s)
{
  if (s->depth == 0 || s->open[s->depth - 1] != '{')
    return NULL;
  skip_blanks(s);
  const char *wrong = check_string(s);
  skip_blanks(s);
  return wrong != NULL ? wrong : take(s, ':') ? NULL : "a colon is missing";
}

static bool take_end(struct json_scan *s)
{
  bool is_end = s->depth > 0 && take(s, s->open[s->depth - 1] == '{' ? '}' : ']');
  s->depth -= is_end;
  return is_end;
}

/* Up to the next scalar, through the brackets that open before it: *is_whole where the value was an empty one. */
static const char *open_brackets(struct json_scan *s, bool *is_whole)
{
  *is_whole = false;
  for (;;) {
    skip_blanks(s);
    if (s->at == s->end || (*s->at != '{' && *s->at != '['))
      return NULL;
    if (s->depth == JSON_CHECK_DEPTH)
      return "it is nested too deep";
    s->open[s->depth++] = *s->at++;
    skip_blanks(s);
    *is_whole = take_end(s);
    if (*is_whole)
      return NULL;
    const char *wrong = check_name(s);
    if (wrong != NULL)
      return wrong;
  }
}

static const char *check_text(struct json_scan *s)
{
  do {
    bool is_whole;
    const char *wrong = open_brackets(s, &is_whole);
    if (wrong == NULL && !is_whole)
      wrong = check_scalar(s);
    if (wrong != NULL)
      return wrong;
    do
      skip_blanks(s);
    while (take_end(s));
    if (s->depth == 0)
      return s->at == s->end ? NULL : "something follows the value";
    if (!take(s, ','))
      return "a comma or a closing bracket is missing";
    wrong = check_name(s);
    if (wrong != NULL)
      return wrong;
  } while (true);
}

const char *json_check(const char *text, size_t length, size_t *line)
{
  struct json_scan s;
  s.at = text;
  s.end = text + length;
  s.depth = 0;
  const char *wrong = check_text(&s);
  *line = 1;
  for (const char *c = text; c < s.at && c < s.end; c++)
    *line += *c == '\n';
  return wrong;
}
