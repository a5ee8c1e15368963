/* Whether a text begins with another. */
#include "processes/text/pattern.h"

#include <string.h>

static bool begins(const char *data, const char *pattern)
{
  return strncmp(data, pattern, strlen(pattern)) == 0;
}

static int text_begins_call(struct call *call, struct value *result)
{
  return match_pattern(call, begins, result);
}

const struct process process_text_begins = {.id = "text_begins", .shape = PROCESS_VALUE, .call = text_begins_call};
