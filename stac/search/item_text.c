/* Members of documents that are known to be sound JSON, found without making a tree. */
#include "stac/search/search.h"

#include <string.h>

/* Behind the string that begins at `at`: a quote ends it that has an even number of backslashes before it. */
static size_t skip_string(const char *text, size_t length, size_t at)
{
  size_t from = at + 1;
  while (from < length) {
    const char *quote = memchr(text + from, '"', length - from);
    if (!quote)
      return length;
    const size_t end = (size_t)(quote - text);
    size_t before = end;
    while (before > at + 1 && text[before - 1] == '\\')
      before--;
    if ((end - before) % 2 == 0)
      return end + 1;
    from = end + 1;
  }
  return length;
}

/* What tells where a value ends. */
static bool is_mark(char c)
{
  static const bool marks[256] = {['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true, [','] = true};
  return marks[(unsigned char)c];
}

static size_t skip_space(const char *text, size_t length, size_t at)
{
  while (at < length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t'))
    at++;
  return at;
}

/* Up to the comma or bracket that ends it. */
size_t item_text_skip(const char *text, size_t length, size_t at)
{
  size_t depth = 0, end = at;
  for (;;) {
    while (at < length && !is_mark(text[at]))
      at++;
    end = at;
    if (at >= length)
      break;
    const char c = text[at];
    if (depth == 0 && (c == ',' || c == '}' || c == ']'))
      break;
    depth += c == '{' || c == '[';
    depth -= c == '}' || c == ']';
    at = c == '"' ? skip_string(text, length, at) : at + 1;
    end = at;
  }
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\n' || text[end - 1] == '\r' || text[end - 1] == '\t'))
    end--;
  return end;
}

bool item_text_member(const char *text, size_t length, const char *key, size_t *from, size_t *to)
{
  const size_t wanted = strlen(key);
  size_t at = skip_space(text, length, 0);
  if (at >= length || text[at] != '{')
    return false;
  for (at = skip_space(text, length, at + 1); at < length && text[at] == '"';) {
    const size_t begin = at;
    at = skip_string(text, length, at);
    const bool found = at - begin == wanted + 2 && memcmp(text + begin + 1, key, wanted) == 0;
    at = skip_space(text, length, at);
    at = item_text_skip(text, length, skip_space(text, length, at < length ? at + 1 : length));
    if (found) {
      *from = begin;
      *to = at;
      return true;
    }
    at = skip_space(text, length, at);
    if (at >= length || text[at] != ',')
      return false;
    at = skip_space(text, length, at + 1);
  }
  return false;
}

void item_text_without(const char *text, size_t length, const char *key, struct buffer *out)
{
  size_t from, to, begin = skip_space(text, length, 0) + 1, end = length;
  while (end > begin && text[end - 1] != '}')
    end--;
  if (end <= begin)
    return;
  end--;
  if (!item_text_member(text, length, key, &from, &to)) {
    buffer_add(out, text + begin, end - begin);
    return;
  }
  while (from > begin && text[from - 1] != ',')
    from--;
  while (to < end && text[to] != ',')
    to++;
  const bool first = from == begin;
  buffer_add(out, text + begin, first ? 0 : from - 1 - begin);
  if (to < end)
    buffer_add(out, text + to + first, end - to - first);
}
