/* What is not matched yet is tried again one character further from the last %, never from one before: whatever an
 * earlier % could take, the last one can take as well. */
#include "stac/cql2/like_match.h"

#include "datacube/base/utf8.h"

#include <string.h>

/* The bytes of a character; a byte where they are none. */
static size_t step(const char *text)
{
  size_t length = utf8_length(text, strnlen(text, 4));
  return length ? length : 1;
}

/* Whether the character is what the pattern has next, which is no %; bytes of both. */
static bool fits(const char *text, const char *pattern, size_t *bytes, size_t *used)
{
  const bool escaped = pattern[0] == '\\' && pattern[1];
  *bytes = step(text);
  *used = 1;
  if (pattern[0] == '_')
    return true;
  const char *wanted = pattern + escaped;
  *used = step(wanted) + escaped;
  return step(wanted) == *bytes && memcmp(text, wanted, *bytes) == 0;
}

bool like_matches(const char *text, const char *pattern)
{
  const char *again_text = NULL, *again_pattern = NULL;
  while (*text) {
    size_t bytes, used;
    if (*pattern == '%') {
      again_pattern = ++pattern;
      again_text = text;
    } else if (*pattern && fits(text, pattern, &bytes, &used)) {
      text += bytes;
      pattern += used;
    } else if (again_pattern) {
      again_text += step(again_text);
      text = again_text;
      pattern = again_pattern;
    } else
      return false;
  }
  while (*pattern == '%')
    pattern++;
  return *pattern == '\0';
}
