/* x > y for numbers; false for other types, missing where an operand is missing. */
#include "processes/process.h"
#include "processes/compare/operands.h"

static int gt_call(struct call *call, struct value *result)
{
  return emit_comparison(call, KOP_GT, result);
}

const struct process process_gt = {.id = "gt", .shape = PROCESS_VALUE, .call = gt_call};
