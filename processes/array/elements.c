#include "processes/array/elements.h"

#include "processes/array/kept.h"

#include <math.h>
#include <string.h>

bool is_array(const struct value *value)
{
  return value->kind == VALUE_ARRAY || (value->kind == VALUE_LANES && value->lanes.is_array);
}

size_t array_length(const struct value *array)
{
  return array->kind == VALUE_LANES ? array->lanes.length : array->count;
}

struct value array_item(struct call *call, const struct value *array, size_t i)
{
  if (array->kind == VALUE_LANES)
    return value_lanes(program_element(call->program, array->lanes, i));
  return array->items[i];
}

bool array_is_labelled(const struct value *array)
{
  return array->kind == VALUE_LANES ? array->lanes.labels != NULL : array->labels != NULL;
}

struct value array_label(struct call *call, const struct value *array, size_t i)
{
  if (array->kind != VALUE_LANES)
    return array->labels[i];
  const struct dimension *dimension = array->lanes.labels;
  if (dimension_label_is_number(dimension, i))
    return value_number(dimension_label_number(dimension, i));
  char room[LABEL_TEXT_ROOM];
  const char *text = arena_strdup(call->arena, dimension_label_text(dimension, i, room));
  return value_text(text == NULL ? "" : text);
}

int array_labels_list(struct call *call, const struct value *array, const struct value **out)
{
  *out = NULL;
  if (!array_is_labelled(array))
    return 0;
  struct value *labels = ARENA_ARRAY(call->arena, struct value, array_length(array));
  if (labels == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < array_length(array); i++)
    labels[i] = array_label(call, array, i);
  *out = labels;
  return 0;
}

const char *label_text(const struct value *label, char room[32])
{
  if (label->kind == VALUE_TEXT)
    return label->text;
  number_format(label->number, room);
  return room;
}

static size_t find_in_list(const struct value *array, const struct value *label)
{
  char wanted_room[32], room[32];
  const char *wanted = label_text(label, wanted_room);
  for (size_t i = 0; i < array->count; i++)
    if (value_equal(&array->labels[i], label))
      return i;
  for (size_t i = 0; i < array->count; i++) {
    if (strcmp(wanted, label_text(&array->labels[i], room)) == 0)
      return i;
  }
  return SIZE_MAX;
}

size_t array_find_label(const struct value *array, const struct value *label)
{
  if (array->kind != VALUE_LANES)
    return find_in_list(array, label);
  const struct dimension *dimension = array->lanes.labels;
  size_t index = label->kind == VALUE_NUMBER ? dimension_find_number(dimension, label->number) : SIZE_MAX;
  char room[32];
  return index != SIZE_MAX ? index : dimension_find_text(dimension, label_text(label, room));
}

const struct dimension *labels_as_dimension(struct arena *arena, const struct value *labels, size_t count)
{
  struct dimension *dimension = ARENA_NEW(arena, struct dimension);
  double *numbers = ARENA_ARRAY(arena, double, count);
  const char **texts = ARENA_ARRAY(arena, const char *, count);
  if (dimension == NULL || numbers == NULL || texts == NULL)
    return NULL;
  bool all_numbers = true, any_number = false;
  for (size_t i = 0; i < count; i++) {
    char room[32];
    const char *text = label_text(&labels[i], room);
    texts[i] = text == room ? arena_strdup(arena, room) : text;
    if (texts[i] == NULL)
      return NULL;
    const bool is_number = labels[i].kind == VALUE_NUMBER;
    numbers[i] = is_number ? labels[i].number : NAN;
    all_numbers = all_numbers && is_number;
    any_number = any_number || is_number;
  }
  *dimension = dimension_texts("labels", DIMENSION_OTHER, texts, count);
  dimension->numbers = any_number ? numbers : NULL;
  if (all_numbers) {
    dimension->labels = LABEL_NUMBER;
    dimension->texts = NULL;
  }
  return dimension;
}

int array_relabel(struct call *call, const struct value *array, const struct value *labels, struct value *out)
{
  if (array->kind != VALUE_LANES) {
    *out = value_labelled(array->items, labels, array->count);
    return 0;
  }
  *out = *array;
  out->lanes.labels = labels == NULL ? NULL : labels_as_dimension(call->arena, labels, array->lanes.length);
  return labels == NULL || out->lanes.labels != NULL ? 0 : error_memory(call->error);
}

int array_pick(struct call *call, const struct value *array, const size_t *indexes, size_t count, struct value *out)
{
  bool labelled = array_is_labelled(array);
  struct value *items = ARENA_ARRAY(call->arena, struct value, count);
  struct value *labels = labelled ? ARENA_ARRAY(call->arena, struct value, count) : NULL;
  if (items == NULL || (labelled && labels == NULL))
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++) {
    if (labelled)
      labels[i] = array_label(call, array, indexes[i]);
    if (array->kind != VALUE_LANES)
      items[i] = array->items[indexes[i]];
  }
  if (array->kind != VALUE_LANES) {
    *out = value_labelled(items, labels, count);
    return 0;
  }
  const struct value picked = value_lanes(program_pick(call->program, array->lanes, indexes, count));
  return array_relabel(call, &picked, labels, out);
}

const struct value *call_filtered(struct call *call, const char *name)
{
  const struct value *value = call_argument(call, name);
  if (value != NULL && is_array(value))
    return value;
  error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                  "parameter '%s' of process '%s' must be an array; it is a value of type %s", name, call->process->id,
                  value == NULL ? "null" : value_kind_name(value));
  return NULL;
}

const struct value *call_array(struct call *call, const char *name)
{
  const struct value *value = call_filtered(call, name);
  if (value == NULL || value->kind != VALUE_LANES || value->kept == NULL)
    return value;
  kept_unsupported(call, name);
  return NULL;
}

/* Over what is left: the others stay out of it, and stay left out. A missing one among those left ends the series where
 * missing ones are not ignored. */
static struct lanes kept_series(struct program *p, enum kernel_series series, struct lanes data, struct lanes kept,
                                bool ignore)
{
  const double skip = 1;
  struct lanes running = program_series(p, series, kept_mask(p, data, kept), &skip, 1);
  if (ignore)
    return running;
  struct lanes missing = program_binary(p, KOP_AND, program_unary(p, KOP_IS_NODATA, data), kept);
  struct lanes since = program_series(p, KSER_CUMMAX, missing, &skip, 1);
  return program_binary(p, KOP_MASK, running, since);
}

int emit_cumulative(struct call *call, enum kernel_series series, struct value *result)
{
  struct lanes data, running;
  const struct lanes *kept;
  bool ignore_nodata = true;
  if (call_kept_array(call, "data", &data, &kept) != 0)
    return -1;
  if (call_has(call, "ignore_nodata") && call_boolean(call, "ignore_nodata", &ignore_nodata) != 0)
    return -1;
  double parameter = ignore_nodata ? 1 : 0;
  if (kept == NULL)
    running = program_series(call->program, series, data, &parameter, 1);
  else
    running = kept_series(call->program, series, data, *kept, ignore_nodata);
  running.labels = data.labels;
  *result = value_filtered(running, kept);
  return 0;
}
