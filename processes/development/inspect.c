/* What is known of the data goes to the log; the data go on. Called once per use while the graph is lowered, so inside
 * a callback it says what a pixel's values look like, not what each of them is. */
#include "processes/process.h"

#include "datacube/cube.h"
#include "hpc/plan/node.h"

#include <string.h>

enum { MAX_ITEMS = 20, MAX_LEVELS = 4, MAX_TEXT = 1000 }; /* of a value, as far as it is written out */

/* A text up to its limit, whole characters only. */
static void write_text(const char *text, struct json_writer *w)
{
  size_t length = strlen(text);
  if (length > MAX_TEXT)
    for (length = MAX_TEXT; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80; length--)
      ;
  json_write_string_n(w, text, length);
}

static void write_cube(const struct cube *cube, struct json_writer *w)
{
  json_write_object(w);
  json_kv_string(w, "type", "datacube");
  json_kv_string(w, "data_type", element_info(cube->type)->name);
  json_key(w, "dimensions");
  json_write_array(w);
  for (size_t d = 0; d < cube->dimensions; d++) {
    const struct dimension *dimension = &cube->dimension[d];
    char room[LABEL_TEXT_ROOM];
    json_write_object(w);
    json_kv_string(w, "name", dimension->name);
    json_kv_integer(w, "size", (int64_t)dimension->size);
    json_key(w, "first_labels");
    json_write_array(w);
    for (size_t i = 0; i < dimension->size && i < MAX_ITEMS; i++)
      write_text(dimension_label_text(dimension, i, room), w);
    json_end_array(w);
    json_end_object(w);
  }
  json_end_array(w);
  json_end_object(w);
}

/* Values of pixels are not there yet: their kind. */
static void write_lanes(const struct value *value, struct json_writer *w)
{
  json_write_object(w);
  json_kv_string(w, "type", value_kind_name(value));
  json_kv_bool(w, "depends_on_pixel", true);
  if (value->lanes.is_array)
    json_kv_integer(w, "length", (int64_t)value->lanes.length);
  json_end_object(w);
}

static void write_some(const struct value *value, unsigned level, struct json_writer *w);

static void write_items(const struct value *value, unsigned level, struct json_writer *w)
{
  bool is_array = value->kind == VALUE_ARRAY, cut = value->count > MAX_ITEMS || level >= MAX_LEVELS;
  size_t count = level >= MAX_LEVELS ? 0 : value->count > MAX_ITEMS ? MAX_ITEMS : value->count;
  if (cut) {
    json_write_object(w);
    json_kv_string(w, "type", value_kind_name(value));
    json_kv_integer(w, "length", (int64_t)value->count);
    json_key(w, "first");
  }
  (is_array ? json_write_array : json_write_object)(w);
  for (size_t i = 0; i < count; i++) {
    if (!is_array)
      json_key(w, value->keys[i]);
    write_some(&value->items[i], level + 1, w);
  }
  (is_array ? json_end_array : json_end_object)(w);
  if (cut)
    json_end_object(w);
}

static void write_some(const struct value *value, unsigned level, struct json_writer *w)
{
  switch (value->kind) {
  case VALUE_TEXT:
    write_text(value->text, w);
    return;
  case VALUE_ARRAY:
  case VALUE_OBJECT:
    write_items(value, level, w);
    return;
  case VALUE_LANES:
    write_lanes(value, w);
    return;
  case VALUE_CUBE:
    write_cube(value->cube->cube, w);
    return;
  case VALUE_CALLBACK:
  case VALUE_HANDLE:
    json_write_string(w, value_kind_name(value));
    return;
  default:
    value_write(value, w);
  }
}

static enum log_level level_of(const char *name)
{
  static const char *const names[] = {[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info"};
  for (int i = LOG_ERROR; i <= LOG_INFO; i++)
    if (strcmp(names[i], name) == 0)
      return (enum log_level)i;
  return LOG_DEBUG;
}

static int inspect_call(struct call *call, struct value *result)
{
  const struct value *data = call_argument(call, "data");
  const char *level;
  struct log_entry entry = {0};
  struct buffer json = {.limit = 64 * 1024};
  if (call_text(call, "message", &entry.message) != 0 || call_text(call, "code", &entry.code) != 0 ||
      call_text(call, "level", &level) != 0)
    return -1;
  *result = *data;
  if (!call_has_log(call))
    return 0;
  struct json_writer writer = {.out = &json};
  write_some(data, 0, &writer);
  entry.level = level_of(level);
  entry.data = json.failed || json.length == 0 ? "\"too large to be shown\"" : json.data;
  call_log(call, &entry);
  buffer_free(&json);
  return 0;
}

const struct process process_inspect = {.id = "inspect", .shape = PROCESS_VALUE, .call = inspect_call};
