/* stac_modify: a merge patch (RFC 7396) to the items of what save_result made, where these are exported. What an item
 * says of its file and of the catalogue around it stays as it is; the rest is the user's to say. */
#include "datacube/base/instant.h"
#include "processes/graph/saves.h"

#include <string.h>

enum { MOST_BYTES = 1 << 20 };

static bool is_one_of(const char *name, const char *const *names)
{
  while (*names && strcmp(name, *names) != 0)
    names++;
  return *names != NULL;
}

static int refuse(struct call *call, const char *what, const char *name)
{
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "changes", "'%.100s': %s", name, what);
}

/* The asset is the file. */
static int check_assets(struct call *call, const struct value *assets)
{
  static const char *const kept[] = {"href", "type", "file:size", NULL};
  if (assets->kind != VALUE_OBJECT)
    return refuse(call, "an object is wanted", "assets");
  for (size_t i = 0; i < assets->count; i++) {
    const struct value *asset = &assets->items[i];
    if (strcmp(assets->keys[i], "data") != 0 || asset->kind != VALUE_OBJECT)
      return refuse(call, "of assets only members of 'data' can be changed", assets->keys[i]);
    for (size_t k = 0; k < asset->count; k++)
      if (is_one_of(asset->keys[k], kept))
        return refuse(call, "this is the file's own", asset->keys[k]);
  }
  return 0;
}

static int check_properties(struct call *call, const struct value *properties)
{
  static const char *const dates[] = {"datetime", "start_datetime", "end_datetime", NULL};
  int64_t instant;
  if (properties->kind != VALUE_OBJECT)
    return refuse(call, "an object is wanted", "properties");
  for (size_t i = 0; i < properties->count; i++) {
    const struct value *value = &properties->items[i];
    if (!is_one_of(properties->keys[i], dates) || value->kind == VALUE_NULL)
      continue;
    if (value->kind != VALUE_TEXT || strchr(value->text, 'T') == NULL ||
        instant_parse(value->text, CALENDAR_GREGORIAN, &instant) != 0)
      return refuse(call, "a date with time is wanted, such as 2018-01-06T00:00:00Z", properties->keys[i]);
  }
  return 0;
}

static int check_extensions(struct call *call, const struct value *extensions)
{
  bool fits = extensions->kind == VALUE_ARRAY;
  for (size_t i = 0; fits && i < extensions->count; i++)
    fits = extensions->items[i].kind == VALUE_TEXT;
  return fits ? 0 : refuse(call, "an array of addresses is wanted", "stac_extensions");
}

static int check_changes(struct call *call, const struct value *changes)
{
  static const char *const kept[] = {"type", "stac_version", "id", "geometry", "bbox", "collection", "links", NULL};
  for (size_t i = 0; i < changes->count; i++) {
    const char *name = changes->keys[i];
    const struct value *value = &changes->items[i];
    int status = is_one_of(name, kept) ? refuse(call, "this member of an item cannot be changed", name) : 0;
    if (status == 0 && strcmp(name, "properties") == 0)
      status = check_properties(call, value);
    if (status == 0 && strcmp(name, "assets") == 0)
      status = check_assets(call, value);
    if (status == 0 && strcmp(name, "stac_extensions") == 0)
      status = check_extensions(call, value);
    if (status != 0)
      return -1;
  }
  return 0;
}

static int stac_modify_call(struct call *call, struct value *result)
{
  const struct value *changes = call_argument(call, "changes");
  struct buffer text = {.limit = MOST_BYTES};
  struct json_writer writer = {.out = &text};
  if (changes == NULL || changes->kind != VALUE_OBJECT)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "changes", "an object is wanted");
  if (check_changes(call, changes) != 0)
    return -1;
  value_write(changes, &writer);
  const char *patch = text.failed ? NULL : arena_strndup(call->arena, text.data, text.length);
  const bool is_large = text.failed;
  buffer_free(&text);
  if (is_large)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "changes", "they are more than %d bytes",
                           (int)MOST_BYTES);
  return patch ? lowering_change(call, call_argument(call, "data"), patch, result) : error_memory(call->error);
}

const struct process process_stac_modify = {
    .id = "stac_modify", .shape = PROCESS_CUBE, .call = stac_modify_call, .takes_values = "data"};
