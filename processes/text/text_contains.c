/* Whether a text contains another. */
#include "processes/text/pattern.h"

#include <string.h>

static bool contains(const char *data, const char *pattern)
{
  return strstr(data, pattern) != NULL;
}

static int text_contains_call(struct call *call, struct value *result)
{
  return match_pattern(call, contains, result);
}

const struct process process_text_contains = {
    .id = "text_contains", .shape = PROCESS_VALUE, .call = text_contains_call};
