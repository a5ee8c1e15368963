/* What is to be sent to a named workspace, as JSON. */
#include "processes/save/workspace.h"

#include <string.h>

static void write_result(struct json_writer *w, const struct workspace_result *result)
{
  const char *slash = strrchr(result->path, '/');
  json_write_object(w);
  json_kv_string(w, "file", slash ? slash + 1 : result->path);
  json_kv_string(w, "type", result->media_type);
  if (result->metadata->length > 0) {
    json_key(w, "metadata");
    json_write_raw(w, result->metadata->data, result->metadata->length);
  }
  if (result->changes) {
    json_key(w, "changes");
    json_write_raw(w, result->changes, strlen(result->changes));
  }
  json_end_object(w);
}

int workspace_send(const struct workspace_room *room, const struct workspace_result *results, size_t count,
                   struct error *error)
{
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  json_write_object(&w);
  json_kv_string(&w, results[0].is_collection ? "collection" : "workspace", results[0].workspace);
  json_kv_string(&w, "merge", results[0].catalogue);
  json_kv_string(&w, "name", results[0].name);
  json_key(&w, "results");
  json_write_array(&w);
  for (size_t i = 0; i < count; i++)
    write_result(&w, &results[i]);
  json_end_array(&w);
  json_end_object(&w);
  const int status = text.failed ? error_memory(error) : room->send(room->context, text.data, error);
  buffer_free(&text);
  return status;
}
