#include "processes/text/pattern.h"

#include "processes/text/fold.h"

int match_pattern(struct call *call, bool (*test)(const char *data, const char *pattern), struct value *result)
{
  const char *data, *pattern;
  bool case_sensitive = true;
  if (!call_has(call, "data")) {
    *result = value_null();
    return 0;
  }
  if (call_text(call, "data", &data) != 0 || call_text(call, "pattern", &pattern) != 0)
    return -1;
  if (call_has(call, "case_sensitive") && call_boolean(call, "case_sensitive", &case_sensitive) != 0)
    return -1;
  if (!case_sensitive) {
    data = text_folded(call->arena, data);
    pattern = text_folded(call->arena, pattern);
    if (data == NULL || pattern == NULL)
      return error_memory(call->error);
  }
  *result = value_boolean(test(data, pattern));
  return 0;
}
