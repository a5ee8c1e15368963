/* Sum. */
#include "processes/process.h"

static int sum_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_SUM, result);
}

const struct process process_sum = {.id = "sum", .shape = PROCESS_REDUCER, .call = sum_call};
