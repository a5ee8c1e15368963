#include "processes/array/matches.h"

#include "processes/compare/operands.h"

static bool is_scalar(const struct value *value)
{
  enum operand_type type = operand_type(value);
  return type == OPERAND_NUMBER || type == OPERAND_BOOLEAN || type == OPERAND_TEXT;
}

static void match_on_host(const struct value *data, const struct value *value, struct matches *out)
{
  for (size_t i = 0; i < data->count && is_scalar(value); i++) {
    if (!value_equal(&data->items[i], value))
      continue;
    if (out->first == SIZE_MAX)
      out->first = i;
    out->last = i;
  }
}

/* One answer per element; elements whose type differs are false. */
static int match_each(struct call *call, const struct value *data, const struct value *value, struct lanes *out)
{
  struct value *answers = ARENA_ARRAY(call->arena, struct value, array_length(data));
  if (answers == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < array_length(data); i++)
    answers[i] = values_equal(call, &data->items[i], value, (struct equality){0});
  struct value array = value_array(answers, array_length(data));
  *out = value_as_lanes_array(call->program, &array);
  return 0;
}

int find_matches(struct call *call, struct matches *out)
{
  const struct value *data = call_filtered(call, "data");
  const struct value *value = call_argument(call, "value");
  if (data == NULL)
    return -1;
  *out = (struct matches){.first = SIZE_MAX, .last = SIZE_MAX, .on_host = true};
  bool host = value_is_host(data) && value_is_host(value);
  if (host)
    match_on_host(data, value, out);
  if (host || !is_scalar(value))
    return 0;
  if (data->kind == VALUE_ARRAY) {
    out->on_host = false;
    return match_each(call, data, value, &out->lanes);
  }
  enum operand_type type = data->lanes.class == LANES_BOOLEAN ? OPERAND_BOOLEAN : OPERAND_NUMBER;
  if (type != operand_type(value))
    return 0; /* no element can match */
  out->on_host = false;
  out->kept = data->kept;
  out->lanes = program_binary(call->program, KOP_EQ, data->lanes, value_as_lanes(call->program, value));
  return 0;
}
