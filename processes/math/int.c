/* The integer part of x, cut towards zero; NaN has none and becomes missing. */
#include "processes/process.h"

static int int_call(struct call *call, struct value *result)
{
  struct lanes x;
  if (call_lanes(call, "x", &x) != 0)
    return -1;
  struct program *p = call->program;
  struct lanes whole = program_unary(p, KOP_TRUNC, x);
  struct lanes valid = program_unary(p, KOP_IS_VALID, x);
  *result = value_lanes(program_ternary(p, KOP_SELECT, whole, program_missing(p), valid));
  return 0;
}

const struct process process_int = {.id = "int", .shape = PROCESS_VALUE, .call = int_call};
