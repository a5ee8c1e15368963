/* min <= x <= max, or min <= x < max; false for values that are no numbers. */
#include "processes/process.h"
#include "processes/compare/operands.h"

static int between_call(struct call *call, struct value *result)
{
  const struct value *x = call_argument(call, "x");
  struct lanes value, min, max;
  bool exclude_max = false;
  if (operand_type(x) != OPERAND_NUMBER) {
    *result = decided(call, x, x, false);
    return 0;
  }
  if (call_lanes(call, "x", &value) != 0 || call_lanes(call, "min", &min) != 0 || call_lanes(call, "max", &max) != 0)
    return -1;
  if (call_has(call, "exclude_max") && call_boolean(call, "exclude_max", &exclude_max) != 0)
    return -1;
  struct program *p = call->program;
  struct lanes above = program_binary(p, KOP_GTE, value, min);
  struct lanes below = program_binary(p, exclude_max ? KOP_LT : KOP_LTE, value, max);
  *result = value_lanes(program_binary(p, KOP_AND, above, below));
  return 0;
}

const struct process process_between = {.id = "between", .shape = PROCESS_VALUE, .call = between_call};
