/* rename_labels: other labels for a dimension, all of an enumerated one, or chosen ones. */
#include "processes/cube/given_labels.h"
#include "processes/cube/shape.h"

#include "datacube/label_match.h"

/* Index of each given label, SIZE_MAX where there is none. */
static int find_labels(struct call *call, const struct dimension *dimension, const struct value *given, size_t **out)
{
  struct dimension wanted = {.name = dimension->name, .type = dimension->type, .calendar = dimension->calendar};
  *out = ARENA_ARRAY(call->arena, size_t, given->count);
  if (!*out)
    return error_memory(call->error);
  if (dimension_give_labels(call->arena, given->items, given->count, &wanted, call->error) != 0)
    return -1;
  return labels_match(dimension, &wanted, *out, call->error);
}

/* New label of index i: the target of the source that names it, else the old one. */
static int new_labels(struct call *call, const struct dimension *dimension, const struct value *target,
                      const struct value *source, struct value *labels)
{
  size_t *at;
  for (size_t i = 0; i < dimension->size; i++) {
    if (dimension_label_value(call->arena, dimension, i, &labels[i], call->error) != 0)
      return -1;
    if (source->count == 0 && i < target->count)
      labels[i] = target->items[i];
  }
  if (find_labels(call, dimension, source, &at) != 0)
    return error_at_parameter(call->error, "source");
  for (size_t k = 0; k < source->count; k++) {
    if (at[k] == SIZE_MAX)
      return error_parameter(call->error, ERROR_LabelNotAvailable, "source",
                             "source label number %zu does not exist in dimension '%s'", k, dimension->name);
    labels[at[k]] = target->items[k];
  }
  return 0;
}

static int check_counts(struct call *call, const struct dimension *dimension, const struct value *target,
                        const struct value *source)
{
  size_t *at;
  if (source->count == 0 && !dimension->enumerated)
    return error_parameter(call->error, ERROR_LabelsNotEnumerated, "source",
                           "the labels of dimension '%s' are not enumerated: name the source labels", dimension->name);
  if (source->count ? source->count != target->count : target->count > dimension->size)
    return error_parameter(call->error, ERROR_LabelMismatch, "target", "%zu target labels for %zu source labels",
                           target->count, source->count ? source->count : dimension->size);
  if (find_labels(call, dimension, target, &at) != 0)
    return error_at_parameter(call->error, "target");
  for (size_t k = 0; source->count && k < target->count; k++)
    if (at[k] != SIZE_MAX)
      return error_parameter(call->error, ERROR_LabelExists, "target",
                             "target label number %zu exists already in dimension '%s'", k, dimension->name);
  return 0;
}

static int rename_labels_call(struct call *call, struct value *result)
{
  const struct node *data;
  size_t d, repeated;
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
      dimension_give_labels(call->arena, labels, dimension->size, &cube->dimension[d], call->error) != 0)
    return error_at_parameter(call->error, "target");
  if (dimension_find_repeated(&cube->dimension[d], &repeated, call->error) != 0)
    return -1;
  if (repeated != SIZE_MAX)
    return error_parameter(call->error, ERROR_LabelExists, "target", "dimension '%s' would have the label %zu twice",
                           dimension->name, repeated);
  *result = value_cube(node_view(call->arena, call_origin(call), data, cube, view));
  return result->cube ? 0 : error_memory(call->error);
}

const struct process process_rename_labels = {.id = "rename_labels", .shape = PROCESS_CUBE, .call = rename_labels_call};
