#include "processes/compare/operands.h"

#include "processes/text/fold.h"

#include <string.h>

enum operand_type operand_type(const struct value *value)
{
  switch (value->kind) {
  case VALUE_NULL:
    return OPERAND_NULL;
  case VALUE_NUMBER:
    return OPERAND_NUMBER;
  case VALUE_BOOLEAN:
    return OPERAND_BOOLEAN;
  case VALUE_TEXT:
    return OPERAND_TEXT;
  case VALUE_LANES:
    if (value->lanes.is_array)
      return OPERAND_OTHER;
    return value->lanes.class == LANES_BOOLEAN ? OPERAND_BOOLEAN : OPERAND_NUMBER;
  default:
    return OPERAND_OTHER;
  }
}

/* x < x: false, but missing where x is. */
static struct lanes false_unless_missing(struct program *p, struct lanes x)
{
  return program_binary(p, KOP_LT, x, x);
}

struct value decided(struct call *call, const struct value *x, const struct value *y, bool answer)
{
  if (x->kind == VALUE_NULL || y->kind == VALUE_NULL)
    return value_null();
  bool x_lanes = x->kind == VALUE_LANES && !x->lanes.is_array;
  bool y_lanes = y->kind == VALUE_LANES && !y->lanes.is_array;
  if (!x_lanes && !y_lanes)
    return value_boolean(answer);
  struct program *p = call->program;
  struct lanes lanes = false_unless_missing(p, x_lanes ? x->lanes : y->lanes);
  if (x_lanes && y_lanes)
    lanes = program_binary(p, KOP_OR, lanes, false_unless_missing(p, y->lanes));
  return value_lanes(answer ? program_unary(p, KOP_NOT, lanes) : lanes);
}

int emit_comparison(struct call *call, enum kernel_op op, struct value *result)
{
  const struct value *x = call_argument(call, "x");
  const struct value *y = call_argument(call, "y");
  if (operand_type(x) == OPERAND_NUMBER && operand_type(y) == OPERAND_NUMBER)
    return emit_binary(call, op, "x", "y", result);
  *result = decided(call, x, y, false);
  return 0;
}

static struct value numbers_equal(struct call *call, const struct value *x, const struct value *y, double delta)
{
  struct program *p = call->program;
  struct lanes a = value_as_lanes(p, x), b = value_as_lanes(p, y);
  if (!(delta > 0))
    return value_lanes(program_binary(p, KOP_EQ, a, b));
  struct lanes distance = program_unary(p, KOP_ABS, program_binary(p, KOP_SUB, a, b));
  struct lanes near = program_binary(p, KOP_LTE, distance, program_constant(p, delta));
  return value_lanes(program_binary(p, KOP_OR, near, program_binary(p, KOP_EQ, a, b))); /* equal infinities */
}

struct value values_equal(struct call *call, const struct value *x, const struct value *y, struct equality how)
{
  enum operand_type type = operand_type(x);
  if (type != operand_type(y) || type == OPERAND_NULL || type == OPERAND_OTHER)
    return decided(call, x, y, false);
  if (type == OPERAND_TEXT)
    return value_boolean(how.fold_case ? text_equal_folded(x->text, y->text) : strcmp(x->text, y->text) == 0);
  return numbers_equal(call, x, y, type == OPERAND_NUMBER ? how.delta : 0);
}

int emit_equality(struct call *call, struct value *result)
{
  struct equality how = {0};
  bool case_sensitive = true;
  if (call_has(call, "delta") && call_number(call, "delta", &how.delta) != 0)
    return -1;
  if (call_has(call, "case_sensitive") && call_boolean(call, "case_sensitive", &case_sensitive) != 0)
    return -1;
  how.fold_case = !case_sensitive;
  *result = values_equal(call, call_argument(call, "x"), call_argument(call, "y"), how);
  return 0;
}

struct value value_negated(struct call *call, const struct value *value)
{
  switch (value->kind) {
  case VALUE_BOOLEAN:
    return value_boolean(!value->boolean);
  case VALUE_LANES:
    return value_lanes(program_unary(call->program, KOP_NOT, value->lanes));
  default:
    return value_null();
  }
}
