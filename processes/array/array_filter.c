/* The elements for which a condition is true. Where the condition depends on the pixel the array keeps its length, and
 * what is left is noted beside it (kept.h). */
#include "processes/array/each.h"
#include "processes/array/elements.h"

static int check_answers(struct call *call, const struct value *answers)
{
  if (answers->kind == VALUE_LANES && answers->lanes.class == LANES_BOOLEAN)
    return 0;
  for (size_t i = 0; answers->kind == VALUE_ARRAY && i < answers->count; i++) {
    const struct value *answer = &answers->items[i];
    bool is_lanes = answer->kind == VALUE_LANES && !answer->lanes.is_array && answer->lanes.class == LANES_BOOLEAN;
    if (answer->kind != VALUE_BOOLEAN && answer->kind != VALUE_NULL && !is_lanes)
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "condition",
                             "the condition must give true, false or null; for element %zu it gives a value of type %s",
                             i, value_kind_name(answer));
  }
  return answers->kind == VALUE_ARRAY
             ? 0
             : error_parameter(call->error, ERROR_ProcessParameterInvalid, "condition",
                               "the condition must give true, false or null; it gives numbers");
}

static int filter_known(struct call *call, const struct value *data, const struct value *answers, struct value *result)
{
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, answers->count), count = 0;
  if (indexes == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < answers->count; i++)
    if (answers->items[i].kind == VALUE_BOOLEAN && answers->items[i].boolean)
      indexes[count++] = i;
  return array_pick(call, data, indexes, count, result);
}

static int filter_lanes(struct call *call, const struct value *data, const struct value *answers, struct value *result)
{
  struct program *p = call->program;
  bool is_filtered = data->kind == VALUE_LANES && data->kept != NULL;
  struct lanes *kept = ARENA_NEW(call->arena, struct lanes);
  if (kept == NULL)
    return error_memory(call->error);
  if (!is_filtered && !value_is_lanes_array_like(data))
    return error_parameter(
        call->error, ERROR_FeatureUnsupported, "condition",
        "where the condition depends on the pixel, only numbers, booleans and nulls can be filtered");
  struct lanes truth = program_boolean(p, true), untruth = program_boolean(p, false);
  *kept = program_ternary(p, KOP_SELECT, truth, untruth, value_as_lanes_array(p, answers));
  if (is_filtered)
    *kept = program_binary(p, KOP_AND, *kept, *data->kept);
  *result = value_filtered(is_filtered ? data->lanes : value_as_lanes_array(p, data), kept);
  return 0;
}

static int array_filter_call(struct call *call, struct value *result)
{
  const struct value *data = call_filtered(call, "data");
  const struct callback *condition;
  struct value answers;
  if (data == NULL || call_callback_argument(call, "condition", &condition) != 0 ||
      each_element(call, data, condition, &answers) != 0 || check_answers(call, &answers) != 0)
    return -1;
  if (!value_is_host(&answers))
    return filter_lanes(call, data, &answers, result);
  return filter_known(call, data, &answers, result);
}

const struct process process_array_filter = {.id = "array_filter", .shape = PROCESS_SERIES, .call = array_filter_call};
