/* One pass a list; quotes keep separators from being taken for such. */
#include "server/services/subset_list.h"

#include <string.h>

/* Where the text's first unquoted character of `set` is, from `at` to `end`; `end` where there is none. */
static const char *find_plain(const char *at, const char *end, const char *set)
{
  bool quoted = false;
  for (; at < end; at++) {
    if (*at == '"')
      quoted = !quoted;
    else if (!quoted && strchr(set, *at) != NULL)
      return at;
  }
  return end;
}

/* Without blanks around it and quotes. */
static int copy(const char *from, const char *end, char out[SUBSET_TEXT])
{
  while (from < end && (*from == ' ' || *from == '"'))
    from++;
  while (end > from && (end[-1] == ' ' || end[-1] == '"'))
    end--;
  const size_t length = (size_t)(end - from);
  if (length >= SUBSET_TEXT || memchr(from, '"', length) != NULL)
    return -1;
  memcpy(out, from, length);
  out[length] = '\0';
  return 0;
}

/* What parts two values: a comma, or the middle one of an odd number of colons; `end` where there is one value. */
static const char *find_separator(const char *from, const char *end)
{
  const char *comma = find_plain(from, end, ",");
  if (comma < end)
    return comma;
  unsigned colons = 0;
  for (const char *at = find_plain(from, end, ":"); at < end; at = find_plain(at + 1, end, ":"))
    colons++;
  const char *middle = colons % 2 == 1 ? find_plain(from, end, ":") : end;
  for (unsigned i = 0; colons % 2 == 1 && i < colons / 2; i++)
    middle = find_plain(middle + 1, end, ":");
  return middle;
}

int subset_next(const char **text, struct subset_item *out)
{
  const char *at = *text + strspn(*text, " ,");
  const size_t length = strlen(at);
  const char *open = strchr(at, '(');
  *out = (struct subset_item){.has_high = false};
  if (length == 0)
    return 0;
  if (open == NULL)
    return -1;
  const char *end = at + length, *close = find_plain(open + 1, end, ")");
  const char *between = find_separator(open + 1, close);
  out->has_high = between < close;
  if (close == end || open == at || copy(at, open, out->name) != 0 || copy(open + 1, between, out->low) != 0 ||
      (out->has_high && copy(between + 1, close, out->high) != 0) || find_plain(open + 1, close, "(") < close)
    return -1;
  *text = close + 1;
  return (*text)[0] == '\0' || (*text)[0] == ',' || (*text)[0] == ' ' ? 1 : -1;
}
