#include "processes/text/pattern.h"

#include "processes/text/fold.h"

int read_pattern(struct call *call, const char **data, const char **pattern)
{
  bool case_sensitive = true;
  if (call_text(call, "data", data) != 0 || call_text(call, "pattern", pattern) != 0)
    return -1;
  if (call_has(call, "case_sensitive") && call_boolean(call, "case_sensitive", &case_sensitive) != 0)
    return -1;
  if (case_sensitive)
    return 0;
  *data = text_folded(call->arena, *data);
  *pattern = text_folded(call->arena, *pattern);
  return *data != NULL && *pattern != NULL ? 0 : error_memory(call->error);
}

int match_pattern(struct call *call, bool (*test)(const char *data, const char *pattern), struct value *result)
{
  const char *data, *pattern;
  if (!call_has(call, "data")) {
    *result = value_null();
    return 0;
  }
  if (read_pattern(call, &data, &pattern) != 0)
    return -1;
  *result = value_boolean(test(data, pattern));
  return 0;
}
