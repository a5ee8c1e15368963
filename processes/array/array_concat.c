/* Two arrays, one behind the other. Labels stay where both arrays have them. */
#include "processes/array/elements.h"
#include "processes/graph/graph.h"

static int labels_conflict(struct call *call, const struct value *first, const struct value *second)
{
  for (size_t i = 0; i < array_length(second); i++) {
    struct value label = array_label(call, second, i);
    char room[32];
    if (array_find_label(first, &label) == SIZE_MAX)
      continue;
    if (label.kind == VALUE_NUMBER)
      number_format(label.number, room);
    return error_parameter(call->error, "ArrayLabelConflict", "array2", "both arrays have the label '%s'",
                           label.kind == VALUE_NUMBER ? room : label.text);
  }
  return 0;
}

static void copy_items(struct call *call, const struct value *array, struct value *items, struct value *labels)
{
  for (size_t i = 0; i < array_length(array); i++) {
    items[i] = array_item(call, array, i);
    if (labels != NULL)
      labels[i] = array_label(call, array, i);
  }
}

/* Array lanes without labels join in one step; everything else goes element by element. */
static bool joins_as_lanes(const struct value *a, const struct value *b, bool labelled)
{
  return !labelled && (a->kind == VALUE_LANES || b->kind == VALUE_LANES) && value_is_lanes_array_like(a) &&
         value_is_lanes_array_like(b);
}

static int array_concat_call(struct call *call, struct value *result)
{
  const struct value *first = call_array(call, "array1");
  const struct value *second = first == NULL ? NULL : call_array(call, "array2");
  if (second == NULL)
    return -1;
  bool labelled = array_is_labelled(first) && array_is_labelled(second);
  if (labelled && labels_conflict(call, first, second) != 0)
    return -1;
  if (joins_as_lanes(first, second, labelled)) {
    struct lanes parts[] = {value_as_lanes_array(call->program, first), value_as_lanes_array(call->program, second)};
    *result = value_lanes(program_concat(call->program, parts, 2));
    return 0;
  }
  size_t at = array_length(first), count = at + array_length(second);
  if (count > GRAPH_MAX_ARRAY)
    return error_parameter(call->error, "ProcessParameterInvalid", "array2",
                           "the array would have %zu elements; the limit is %d", count, (int)GRAPH_MAX_ARRAY);
  struct value *items = ARENA_ARRAY(call->arena, struct value, count);
  struct value *labels = ARENA_ARRAY(call->arena, struct value, count);
  if (items == NULL || labels == NULL)
    return error_memory(call->error);
  copy_items(call, first, items, labelled ? labels : NULL);
  copy_items(call, second, items + at, labelled ? labels + at : NULL);
  *result = value_labelled(items, labelled ? labels : NULL, count);
  return 0;
}

const struct process process_array_concat = {.id = "array_concat", .shape = PROCESS_SERIES, .call = array_concat_call};
