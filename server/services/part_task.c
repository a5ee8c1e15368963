/* JSON to structs. The server wrote it, but what it holds comes from strangers: counts are checked. */
#include "server/services/part_task.h"

#include "server/services/map_task.h"

#include <math.h>
#include <string.h>

static int too_many(struct error *error, const char *what, size_t most)
{
  return error_set(error, ERROR_QueryParameterInvalid, "a coverage takes at most %zu %s", most, what);
}

static int read_parameters(struct part_task *task, struct error *error)
{
  const char *name;
  json_t *value, *all = json_object_get(task->choice, "parameters");
  if (json_object_size(all) > PART_PARAMETERS)
    return too_many(error, "parameters", PART_PARAMETERS);
  json_object_foreach(all, name, value) task->parameters[task->parameter_count++] =
      (struct graph_parameter){.name = name, .json = json_string_value(value), .is_offered = true};
  return 0;
}

static int read_labels(const json_t *wanted, struct part_task *task, struct error *error)
{
  const json_t *bands = json_object_get(wanted, "properties"), *intervals = json_object_get(wanted, "intervals");
  const json_t *item;
  size_t i;
  if (json_array_size(bands) > PART_BANDS)
    return too_many(error, "bands", PART_BANDS);
  if (json_array_size(intervals) > PART_INTERVALS)
    return too_many(error, "intervals", PART_INTERVALS);
  json_array_foreach(bands, i, item) task->bands[task->part.band_count++] = json_string_value(item);
  json_array_foreach(intervals, i, item) task->intervals[task->part.interval_count++] =
      (struct map_interval){.dimension = json_string_value(json_array_get(item, 0)),
                            .from = json_string_value(json_array_get(item, 1)),
                            .to = json_string_value(json_array_get(item, 2))};
  task->part.bands = task->bands;
  task->part.intervals = task->intervals;
  return 0;
}

static double edge(const json_t *box, size_t i, double open)
{
  const json_t *number = json_array_get(box, i);
  return json_is_number(number) ? json_number_value(number) : open;
}

static void read_pixels(const json_t *wanted, struct map_part *part)
{
  const json_t *box = json_object_get(wanted, "box"), *size = json_object_get(wanted, "size");
  const json_t *scale = json_object_get(wanted, "scale");
  part->has_box = box != NULL;
  part->box = (struct extent){edge(box, 0, -HUGE_VAL), edge(box, 1, -HUGE_VAL), edge(box, 2, HUGE_VAL),
                              edge(box, 3, HUGE_VAL), json_string_value(json_object_get(wanted, "box_crs"))};
  part->crs = json_string_value(json_object_get(wanted, "crs"));
  part->width = (size_t)json_number_value(json_array_get(size, 0));
  part->height = (size_t)json_number_value(json_array_get(size, 1));
  part->across = json_number_value(json_array_get(scale, 0));
  part->down = json_number_value(json_array_get(scale, 1));
  part->method = resampling_from_name(json_string_value(json_object_get(wanted, "method")));
  part->format = json_string_value(json_object_get(wanted, "format"));
}

int part_task_read(const char *body, size_t length, struct part_task *out, struct error *error)
{
  struct map_task head;
  *out = (struct part_task){.choice = NULL};
  if (length < sizeof head)
    return error_set(error, ERROR_Internal, "a task for a coverage is cut off");
  memcpy(&head, body, sizeof head);
  body += sizeof head;
  length -= sizeof head;
  if (head.choice_size > length)
    return error_set(error, ERROR_Internal, "a task for a coverage is cut off");
  out->graph = body + head.choice_size;
  out->graph_length = length - (size_t)head.choice_size;
  out->choice = json_loadb(body, (size_t)head.choice_size, 0, NULL);
  const json_t *wanted = json_object_get(out->choice, "coverage");
  if (read_parameters(out, error) != 0 || read_labels(wanted, out, error) != 0)
    return -1;
  read_pixels(wanted, &out->part);
  if (out->part.method == RESAMPLE_COUNT || sink_format_find(out->part.format) == NULL)
    return error_set(error, ERROR_Internal, "a task for a coverage makes no sense");
  return 0;
}

void part_task_free(struct part_task *task)
{
  json_decref(task->choice);
  task->choice = NULL;
}
