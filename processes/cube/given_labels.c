/* What kind of labels a list of numbers and texts makes. */
#include "processes/cube/given_labels.h"

#include "datacube/label_match.h"

#include <math.h>
#include <stdlib.h>

int dimension_give_labels(struct arena *arena, const struct value *labels, size_t count, struct dimension *dimension,
                          struct error *error)
{
  double *numbers = ARENA_ARRAY(arena, double, count);
  const char **texts = ARENA_ARRAY(arena, const char *, count);
  int64_t *times = ARENA_ARRAY(arena, int64_t, count);
  bool all_numbers = true, any_number = false, all_times = dimension->type == DIMENSION_TEMPORAL;
  if (!numbers || !texts || !times)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    char text[32];
    bool is_number = labels[i].kind == VALUE_NUMBER;
    if (!is_number && labels[i].kind != VALUE_TEXT)
      return error_set(error, ERROR_ProcessParameterInvalid,
                       "label %zu of dimension '%s' must be a number or a text; it is of type %s", i, dimension->name,
                       value_kind_name(&labels[i]));
    number_format(labels[i].number, text);
    all_numbers = all_numbers && is_number;
    any_number = any_number || is_number;
    numbers[i] = is_number ? labels[i].number : NAN;
    texts[i] = is_number ? arena_strdup(arena, text) : labels[i].text;
    all_times = all_times && !is_number && instant_parse(texts[i], dimension->calendar, &times[i]) == 0;
    if (!texts[i])
      return error_memory(error);
  }
  dimension->size = count;
  dimension->enumerated = false;
  dimension->labels = all_times && count ? LABEL_TIME : all_numbers ? LABEL_NUMBER : LABEL_TEXT;
  dimension->numbers = any_number ? numbers : NULL;
  dimension->texts = dimension->labels == LABEL_NUMBER ? NULL : texts;
  dimension->times = dimension->labels == LABEL_TIME ? times : NULL;
  return 0;
}

int dimension_label_value(struct arena *arena, const struct dimension *dimension, size_t i, struct value *out,
                          struct error *error)
{
  char room[LABEL_TEXT_ROOM];
  if (dimension_label_is_number(dimension, i)) {
    *out = value_number(dimension_label_number(dimension, i));
    return 0;
  }
  const char *text = dimension_label_text(dimension, i, room);
  *out = value_text(text == room ? arena_strdup(arena, text) : text);
  return out->text ? 0 : error_memory(error);
}

int dimension_find_repeated(const struct dimension *dimension, size_t *out, struct error *error)
{
  size_t *first = malloc((dimension->size + 1) * sizeof *first);
  if (!first)
    return error_memory(error);
  int status = labels_match(dimension, dimension, first, error);
  *out = SIZE_MAX;
  for (size_t i = 0; status == 0 && *out == SIZE_MAX && i < dimension->size; i++)
    if (first[i] != i)
      *out = i;
  free(first);
  return status;
}
