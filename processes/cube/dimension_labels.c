/* dimension_labels: the labels of a dimension as an array. */
#include "processes/cube/shape.h"

static int dimension_labels_call(struct call *call, struct value *result)
{
  const struct node *data;
  size_t d;
  if (call_cube(call, "data", &data) != 0 || call_dimension(call, "dimension", data, &d) != 0)
    return -1;
  const struct dimension *dimension = &data->cube->dimension[d];
  struct value *labels = ARENA_ARRAY(call->arena, struct value, dimension->size);
  if (!labels)
    return error_memory(call->error);
  for (size_t i = 0; i < dimension->size; i++) {
    char room[LABEL_TEXT_ROOM];
    labels[i] = dimension_label_is_number(dimension, i)
                    ? value_number(dimension_label_number(dimension, i))
                    : value_text(arena_strdup(call->arena, dimension_label_text(dimension, i, room)));
  }
  *result = value_array(labels, dimension->size);
  return 0;
}

const struct process process_dimension_labels = {
    .id = "dimension_labels", .shape = PROCESS_CUBE, .call = dimension_labels_call};
