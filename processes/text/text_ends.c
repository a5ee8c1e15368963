/* Whether a text ends with another. */
#include "processes/text/pattern.h"

#include <string.h>

static bool ends(const char *data, const char *pattern)
{
  size_t length = strlen(data), end = strlen(pattern);
  return end <= length && strcmp(data + length - end, pattern) == 0;
}

static int text_ends_call(struct call *call, struct value *result)
{
  return match_pattern(call, ends, result);
}

const struct process process_text_ends = {.id = "text_ends", .shape = PROCESS_VALUE, .call = text_ends_call};
