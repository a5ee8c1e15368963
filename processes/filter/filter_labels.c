/* filter_labels: the labels for which a condition holds. It is run on one label after the other while the graph is
 * lowered: labels are known then. */
#include "processes/cube/given_labels.h"
#include "processes/cube/shape.h"

/* Whether the condition keeps the label; null does not. */
static int keeps(struct call *call, const struct callback *condition, const struct value *label, bool *out)
{
  struct argument parameters[] = {{"value", *label}, {"context", call_context(call)}};
  struct value value;
  if (call_run_callback(call, condition, NULL, parameters, 2, &value) != 0)
    return -1;
  *out = value.kind == VALUE_BOOLEAN && value.boolean;
  if (value.kind == VALUE_BOOLEAN || value.kind == VALUE_NULL)
    return 0;
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "condition",
                         "the process given as 'condition' returns a value of type %s, not true or false",
                         value_kind_name(&value));
}

static int filter_labels_call(struct call *call, struct value *result)
{
  const struct node *data;
  const struct callback *condition;
  size_t d, count = 0;
  if (call_cube(call, "data", &data) != 0 || call_dimension(call, "dimension", data, &d) != 0 ||
      call_callback_argument(call, "condition", &condition) != 0)
    return -1;
  const struct dimension *dimension = &data->cube->dimension[d];
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, dimension->size);
  if (!indexes)
    return error_memory(call->error);
  for (size_t i = 0; i < dimension->size; i++) {
    struct value label;
    bool kept;
    if (dimension_label_value(call->arena, dimension, i, &label, call->error) != 0 ||
        keeps(call, condition, &label, &kept) != 0)
      return -1;
    if (kept)
      indexes[count++] = i;
  }
  return view_pick(call, data, d, indexes, count, result);
}

const struct process process_filter_labels = {.id = "filter_labels", .shape = PROCESS_CUBE, .call = filter_labels_call};
