/* See the header. */
#include "stac/merge_patch.h"

#include <stdint.h>

json_t *merge_patched(const json_t *there, const json_t *patch)
{
  const char *name;
  json_t *value;
  if (!json_is_object(patch))
    return json_deep_copy(patch);
  json_t *out = json_is_object(there) ? json_copy((json_t *)(uintptr_t)there) : json_object();
  json_object_foreach((json_t *)(uintptr_t)patch, name, value)
  {
    if (json_is_null(value))
      json_object_del(out, name);
    else if (json_object_set_new(out, name, merge_patched(json_object_get(out, name), value)) != 0) {
      json_decref(out);
      return NULL;
    }
  }
  return out;
}
