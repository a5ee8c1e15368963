/* save_result: marks a cube for a sink: one of the graph's outcomes. The format is checked here, before anything
 * runs. */
#include "datacube/sink/options.h"
#include "processes/cube/shape.h"
#include "processes/graph/saves.h"
#include "processes/save/parts.h"
#include "processes/save/value_cube.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *option_text(struct arena *arena, const struct value *value)
{
  struct buffer out = {.limit = 1 << 16};
  struct json_writer writer = {.out = &out, .nonfinite_tokens = true}; /* for the options' own checks to refuse */
  if (value->kind == VALUE_TEXT)
    return value->text;
  value_write(value, &writer);
  const char *text = out.failed ? NULL : arena_strndup(arena, out.data ? out.data : "", out.length);
  buffer_free(&out);
  return text;
}

/* Options, or the items of one that is an object. One that is null is as good as left out. */
static int read_items(struct call *call, const struct value *object, const struct sink_option **out, size_t *count)
{
  struct sink_option *items = ARENA_ARRAY(call->arena, struct sink_option, object->count + 1);
  *out = items;
  *count = 0;
  for (size_t i = 0; items && i < object->count; i++) {
    const struct value *value = &object->items[i];
    struct sink_option *item = &items[*count];
    if (value->kind == VALUE_NULL)
      continue;
    *item = (struct sink_option){.name = object->keys[i], .value = option_text(call->arena, value)};
    if (!item->value)
      return error_memory(call->error);
    if (value->kind == VALUE_OBJECT && read_items(call, value, &item->items, &item->item_count) != 0)
      return -1;
    ++*count;
  }
  return items ? 0 : error_memory(call->error);
}

static int read_options(struct call *call, const struct sink_option **out, size_t *count)
{
  const struct value *options = call_argument(call, "options");
  *out = NULL;
  *count = 0;
  return options && options->kind == VALUE_OBJECT ? read_items(call, options, out, count) : 0;
}

/* Clients send options of other services along: what a format does not know is no reason to fail. */
static void warn_of_unknown(const struct call *call, const struct sink_format *format,
                            const struct sink_option *options, size_t count)
{
  char text[256];
  for (size_t i = 0; i < count; i++) {
    if (sink_format_knows(format, options[i].name) || strcasecmp(options[i].name, "filename_prefix") == 0)
      continue;
    snprintf(text, sizeof text, "%s has no option '%.100s': it is ignored", format->name, options[i].name);
    call_log(call, &(struct log_entry){.level = LOG_WARNING, .message = text});
  }
}

static int unknown_format(struct call *call, const char *format)
{
  return error_parameter(call->error, ERROR_FormatUnsuitable, "format", "there is no output format '%s'", format);
}

static int check_format(struct call *call, const char *format, const struct cube *cube,
                        const struct sink_option *options, size_t count)
{
  const struct sink_format *sink = sink_format_find(format);
  if (!sink)
    return unknown_format(call, format);
  if (!sink->text && cube_elements(cube) == 0)
    return error_parameter(call->error, ERROR_DataCubeEmpty, "data", "the data cube is empty; %s cannot hold that",
                           sink->name);
  if (sink->check(cube, options, count, call->error) != 0)
    return error_at_parameter(call->error, "format");
  warn_of_unknown(call, sink, options, count);
  return 0;
}

/* JSON holds any value as it is; for other formats it becomes a cube. *out: NULL where it stays a value. */
static int cube_of_value(struct call *call, const char *format, const struct value *data, const struct node **out)
{
  const struct sink_format *sink = sink_format_find(format);
  *out = NULL;
  if (!sink)
    return unknown_format(call, format);
  return sink == sink_format_find("JSON") ? 0 : value_cube_node(call, data, out);
}

static int save_cube(struct call *call, struct outcome_output *output)
{
  bool dates, bands;
  output->stem = sink_options_text((struct sink_options){output->options, output->option_count}, "filename_prefix");
  if (sink_format_find(output->format) != sink_format_find("GTiff"))
    return lowering_save(call, output);
  if (parts_wanted(call, output, &dates, &bands) != 0)
    return -1;
  return dates || bands ? parts_save(call, output, dates, bands) : lowering_save(call, output);
}

static int save_result_call(struct call *call, struct value *result)
{
  struct outcome_output output = {.name = call->node, .value = call_argument(call, "data")};
  const struct node *data;
  const struct sink_option *options;
  if (call_text(call, "format", &output.format) != 0 || read_options(call, &options, &output.option_count) != 0)
    return -1;
  if (!value_is_host(output.value) ? call_cube(call, "data", &data) != 0
                                   : cube_of_value(call, output.format, output.value, &data) != 0)
    return -1;
  if (!data) {
    *result = *output.value;
    return lowering_save(call, &output);
  }
  if (check_format(call, output.format, data->cube, options, output.option_count) != 0)
    return -1;
  struct view_dimension *view = view_identity(call->arena, data->cube);
  const struct node *node = view ? node_view(call->arena, call_origin(call), data, data->cube, view) : NULL;
  if (!node)
    return error_memory(call->error);
  *result = value_cube(node); /* a node of its own: the same cube may be saved in several formats */
  output.node = node;
  output.options = options;
  return save_cube(call, &output);
}

const struct process process_save_result = {
    .id = "save_result", .shape = PROCESS_CUBE, .call = save_result_call, .takes_values = "data"};
