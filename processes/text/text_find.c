/* Where a text contains another for the first time, in characters; missing where it does not. */
#include "processes/text/pattern.h"

#include <string.h>

static int text_find_call(struct call *call, struct value *result)
{
  const char *data, *pattern;
  size_t position = 0;
  *result = value_null();
  if (!call_has(call, "data"))
    return 0;
  if (read_pattern(call, &data, &pattern) != 0)
    return -1;
  const char *found = strstr(data, pattern);
  if (found == NULL)
    return 0;
  for (; data < found; data++)
    position += ((unsigned char)*data & 0xC0) != 0x80; /* bytes that continue a character of UTF-8 do not count */
  *result = value_number((double)position);
  return 0;
}

const struct process process_text_find = {.id = "text_find", .shape = PROCESS_VALUE, .call = text_find_call};
