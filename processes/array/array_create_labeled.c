/* An array with labels, from the values and the labels. */
#include "processes/array/elements.h"

#include <stdlib.h>
#include <string.h>

static int compare_labels(const void *a, const void *b)
{
  const struct value *x = *(const struct value *const *)a, *y = *(const struct value *const *)b;
  if (x->kind != y->kind)
    return x->kind < y->kind ? -1 : 1;
  if (x->kind == VALUE_TEXT)
    return strcmp(x->text, y->text);
  return (x->number > y->number) - (x->number < y->number);
}

/* Texts and numbers, none twice. */
static int check_labels(struct call *call, const struct value *labels)
{
  const struct value **sorted = ARENA_ARRAY(call->arena, const struct value *, labels->count);
  char room[32];
  if (sorted == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < labels->count; i++) {
    sorted[i] = &labels->items[i];
    if (sorted[i]->kind != VALUE_TEXT && sorted[i]->kind != VALUE_NUMBER)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "labels",
                             "labels[%zu] must be a string or a number; it is a value of type %s", i,
                             value_kind_name(sorted[i]));
  }
  if (labels->count > 1)
    qsort(sorted, labels->count, sizeof *sorted, compare_labels);
  for (size_t i = 1; i < labels->count; i++)
    if (compare_labels(&sorted[i - 1], &sorted[i]) == 0)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "labels", "the label '%s' is given twice",
                             label_text(sorted[i], room));
  return 0;
}

static int array_create_labeled_call(struct call *call, struct value *result)
{
  const struct value *data = call_array(call, "data"), *labels = call_argument(call, "labels");
  if (data == NULL)
    return -1;
  if (labels->kind != VALUE_ARRAY)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "labels",
                           "the labels must be an array that does not depend on the pixel");
  if (array_length(data) != labels->count)
    return error_parameter(call->error, ERROR_ArrayLengthMismatch, "labels", "there are %zu labels for %zu values",
                           labels->count, array_length(data));
  if (check_labels(call, labels) != 0)
    return -1;
  return array_relabel(call, data, labels->items, result);
}

const struct process process_array_create_labeled = {
    .id = "array_create_labeled", .shape = PROCESS_SERIES, .call = array_create_labeled_call};
