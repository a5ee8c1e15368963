#include "processes/array/join.h"

#include "processes/array/kept.h"
#include "processes/graph/graph.h"

#include <stdlib.h>
#include <string.h>

/* ---- labels ----------------------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The labels as texts, sorted; NULL with an error. */
static const char **sorted_labels(struct call *call, const struct value *array)
{
  size_t count = array_length(array);
  const char **texts = ARENA_ARRAY(call->arena, const char *, count);
  for (size_t i = 0; texts != NULL && i < count; i++) {
    char room[32];
    struct value label = array_label(call, array, i);
    const char *text = label_text(&label, room);
    texts[i] = text == room ? arena_strdup(call->arena, room) : text;
    if (texts[i] == NULL)
      texts = NULL;
  }
  if (texts == NULL)
    error_memory(call->error);
  else if (count > 1)
    qsort(texts, count, sizeof *texts, compare_texts);
  return texts;
}

int labels_conflict(struct call *call, const struct value *first, const struct value *second, const char *name)
{
  const char **a = sorted_labels(call, first), **b = a == NULL ? NULL : sorted_labels(call, second);
  size_t i = 0, k = 0;
  if (b == NULL)
    return -1;
  while (i < array_length(first) && k < array_length(second)) {
    int order = strcmp(a[i], b[k]);
    if (order == 0)
      return error_parameter(call->error, ERROR_ArrayLabelConflict, name, "both arrays have the label '%s'", a[i]);
    if (order < 0)
      i++;
    else
      k++;
  }
  return 0;
}

/* ---- elements --------------------------------------------------------------------------------------------------- */

static bool is_filtered(const struct value *array)
{
  return array->kind == VALUE_LANES && array->kept != NULL;
}

/* Whether lanes are among the parts, and everything can become lanes. */
static bool joins_as_lanes(const struct value *parts, size_t count)
{
  bool some = false;
  for (size_t i = 0; i < count; i++) {
    if (!is_filtered(&parts[i]) && !value_is_lanes_array_like(&parts[i]))
      return false;
    some |= parts[i].kind == VALUE_LANES;
  }
  return some;
}

/* Which elements are left of a part: all, where nothing else is known. */
static struct lanes kept_of(struct program *p, const struct value *part)
{
  if (is_filtered(part))
    return *part->kept;
  struct lanes indexes = all_indexes(p, array_length(part));
  return program_binary(p, KOP_GTE, indexes, program_constant(p, 0));
}

static int join_lanes(struct call *call, const struct value *parts, size_t count, struct value *out)
{
  struct lanes *lanes = ARENA_ARRAY(call->arena, struct lanes, 2 * count), *left = lanes + count;
  struct lanes *kept = NULL;
  if (lanes == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++) {
    lanes[i] = is_filtered(&parts[i]) ? parts[i].lanes : value_as_lanes_array(call->program, &parts[i]);
    if (is_filtered(&parts[i]) && kept == NULL && (kept = ARENA_NEW(call->arena, struct lanes)) == NULL)
      return error_memory(call->error);
  }
  for (size_t i = 0; kept != NULL && i < count; i++)
    left[i] = kept_of(call->program, &parts[i]);
  if (kept != NULL)
    *kept = program_concat(call->program, left, count);
  *out = value_filtered(program_concat(call->program, lanes, count), kept);
  return 0;
}

static int join_items(struct call *call, const struct value *parts, size_t count, size_t length, struct value *out)
{
  struct value *items = ARENA_ARRAY(call->arena, struct value, length);
  size_t at = 0;
  if (items == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++) {
    if (is_filtered(&parts[i]))
      return kept_unsupported(call, "data");
    for (size_t k = 0; k < array_length(&parts[i]); k++)
      items[at++] = array_item(call, &parts[i], k);
  }
  *out = value_array(items, length);
  return 0;
}

static int join_labels_of(struct call *call, const struct value *parts, size_t count, size_t length,
                          const struct value **out)
{
  struct value *labels = ARENA_ARRAY(call->arena, struct value, length);
  size_t at = 0;
  if (labels == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < array_length(&parts[i]); k++)
      labels[at++] = array_label(call, &parts[i], k);
  *out = labels;
  return 0;
}

int array_join(struct call *call, const struct value *parts, size_t count, bool labelled, struct value *out)
{
  const struct value *labels = NULL;
  struct value joined;
  size_t length = 0;
  for (size_t i = 0; i < count; i++)
    length += array_length(&parts[i]);
  if (length > GRAPH_MAX_ARRAY)
    return error_set(call->error, ERROR_ProcessParameterInvalid, "the array would have %zu elements; the limit is %d",
                     length, (int)GRAPH_MAX_ARRAY);
  bool as_lanes = joins_as_lanes(parts, count);
  if ((as_lanes ? join_lanes(call, parts, count, &joined) : join_items(call, parts, count, length, &joined)) != 0)
    return -1;
  if (!labelled) {
    *out = joined;
    return 0;
  }
  if (join_labels_of(call, parts, count, length, &labels) != 0)
    return -1;
  return array_relabel(call, &joined, labels, out);
}
