/* Linear map of inputMin … inputMax onto outputMin … outputMax; x is clipped to the input range first.
 *
 *   (x - inputMin) / (inputMax - inputMin) * (outputMax - outputMin) + outputMin
 *
 * Either range may be swapped. Computed in this order, so that infinite bounds give what the formula says. What only
 * depends on known bounds is computed here, once. */
#include "processes/process.h"

#include <math.h>

static double host_result(enum kernel_op op, double a, double b)
{
  if (op == KOP_SUB || isnan(a) || isnan(b))
    return a - b;
  return (op == KOP_MIN) == (a < b) ? a : b;
}

/* SUB, MIN or MAX of two bounds. */
static struct lanes of_bounds(struct call *call, enum kernel_op op, const char *first, const char *second)
{
  const struct value *a = call_argument(call, first);
  const struct value *b = call_argument(call, second);
  if (a->kind == VALUE_NUMBER && b->kind == VALUE_NUMBER)
    return program_constant(call->program, host_result(op, a->number, b->number));
  return program_binary(call->program, op, value_as_lanes(call->program, a), value_as_lanes(call->program, b));
}

static int linear_scale_range_call(struct call *call, struct value *result)
{
  struct lanes x, in_min, in_max, out_min, out_max;
  if (call_lanes(call, "x", &x) != 0 || call_lanes(call, "inputMin", &in_min) != 0 ||
      call_lanes(call, "inputMax", &in_max) != 0 || call_lanes(call, "outputMin", &out_min) != 0 ||
      call_lanes(call, "outputMax", &out_max) != 0)
    return -1;
  struct program *p = call->program;
  struct lanes raised = program_binary(p, KOP_MAX, x, of_bounds(call, KOP_MIN, "inputMin", "inputMax"));
  struct lanes inside = program_binary(p, KOP_MIN, raised, of_bounds(call, KOP_MAX, "inputMin", "inputMax"));
  struct lanes offset = program_binary(p, KOP_SUB, inside, in_min);
  struct lanes share = program_binary(p, KOP_DIV, offset, of_bounds(call, KOP_SUB, "inputMax", "inputMin"));
  struct lanes scaled = program_binary(p, KOP_MUL, share, of_bounds(call, KOP_SUB, "outputMax", "outputMin"));
  *result = value_lanes(program_binary(p, KOP_ADD, scaled, out_min));
  return 0;
}

const struct process process_linear_scale_range = {
    .id = "linear_scale_range", .shape = PROCESS_VALUE, .call = linear_scale_range_call};
