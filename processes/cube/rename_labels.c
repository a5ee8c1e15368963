/* rename_labels: other labels for a dimension, all of an enumerated one, or chosen ones. */
#include "processes/cube/shape.h"

#include <string.h>

/* Index of a label, SIZE_MAX where there is none. */
static size_t find_label(const struct value *label, const struct dimension *dimension)
{
  return label->kind == VALUE_NUMBER ? dimension_find_number(dimension, label->number)
         : label->kind == VALUE_TEXT ? dimension_find_text(dimension, label->text)
                                     : SIZE_MAX;
}

/* New label of index i: the target of the source that names it, else the old one. */
static int new_labels(struct call *call, const struct dimension *dimension, const struct value *target,
                      const struct value *source, struct value *labels)
{
  for (size_t i = 0; i < dimension->size; i++) {
    char room[LABEL_TEXT_ROOM];
    bool number = dimension->labels == LABEL_STEP || dimension->labels == LABEL_NUMBER;
    labels[i] = number ? value_number(dimension_label_number(dimension, i))
                       : value_text(arena_strdup(call->arena, dimension_label_text(dimension, i, room)));
    if (source->count == 0 && i < target->count)
      labels[i] = target->items[i];
  }
  for (size_t k = 0; k < source->count; k++) {
    size_t at = find_label(&source->items[k], dimension);
    if (at == SIZE_MAX)
      return error_parameter(call->error, "LabelNotAvailable", "source",
                             "source label number %zu does not exist in dimension '%s'", k, dimension->name);
    labels[at] = target->items[k];
  }
  return 0;
}

static int check_counts(struct call *call, const struct dimension *dimension, const struct value *target,
                        const struct value *source)
{
  if (source->count == 0 && !dimension->enumerated)
    return error_parameter(call->error, "LabelsNotEnumerated", "source",
                           "the labels of dimension '%s' are not enumerated: name the source labels", dimension->name);
  if (source->count ? source->count != target->count : target->count > dimension->size)
    return error_parameter(call->error, "LabelMismatch", "target", "%zu target labels for %zu source labels",
                           target->count, source->count ? source->count : dimension->size);
  for (size_t k = 0; source->count && k < target->count; k++)
    if (find_label(&target->items[k], dimension) != SIZE_MAX)
      return error_parameter(call->error, "LabelExists", "target",
                             "target label number %zu exists already in dimension '%s'", k, dimension->name);
  return 0;
}

/* Labels of mixed kinds become texts. */
static int set_labels(struct call *call, struct dimension *dimension, const struct value *labels)
{
  double *numbers = ARENA_ARRAY(call->arena, double, dimension->size);
  const char **texts = ARENA_ARRAY(call->arena, const char *, dimension->size);
  int64_t *times = ARENA_ARRAY(call->arena, int64_t, dimension->size);
  bool all_numbers = true, all_times = dimension->type == DIMENSION_TEMPORAL;
  if (!numbers || !texts || !times)
    return error_memory(call->error);
  for (size_t i = 0; i < dimension->size; i++) {
    char text[32];
    bool is_text = labels[i].kind == VALUE_TEXT;
    all_numbers = all_numbers && !is_text;
    numbers[i] = labels[i].number;
    number_format(labels[i].number, text);
    texts[i] = is_text ? labels[i].text : arena_strdup(call->arena, text);
    all_times = all_times && is_text && instant_parse(texts[i], dimension->calendar, &times[i]) == 0;
  }
  dimension->enumerated = false;
  dimension->labels = all_numbers ? LABEL_NUMBER : all_times ? LABEL_TIME : LABEL_TEXT;
  dimension->numbers = numbers;
  dimension->texts = texts;
  dimension->times = times;
  return 0;
}

static int rename_labels_call(struct call *call, struct value *result)
{
  const struct node *data;
  size_t d;
  if (call_cube(call, "data", &data) != 0 || call_dimension(call, "dimension", data, &d) != 0)
    return -1;
  const struct value *target = call_argument(call, "target"), *source = call_argument(call, "source");
  const struct value none = value_array(NULL, 0);
  if (!source)
    source = &none;
  const struct dimension *dimension = &data->cube->dimension[d];
  struct value *labels = ARENA_ARRAY(call->arena, struct value, dimension->size);
  struct cube *cube = cube_copy(call->arena, data->cube);
  struct view_dimension *view = view_identity(call->arena, data->cube);
  if (!labels || !cube || !view)
    return error_memory(call->error);
  if (check_counts(call, dimension, target, source) != 0 || new_labels(call, dimension, target, source, labels) != 0 ||
      set_labels(call, &cube->dimension[d], labels) != 0)
    return -1;
  *result = value_cube(node_view(call->arena, call_origin(call), data, cube, view));
  return result->cube ? 0 : error_memory(call->error);
}

const struct process process_rename_labels = {.id = "rename_labels", .shape = PROCESS_CUBE, .call = rename_labels_call};
