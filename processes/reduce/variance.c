/* Sample variance, divided by n - 1. */
#include "processes/process.h"

static int variance_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_VARIANCE, result);
}

const struct process process_variance = {.id = "variance", .shape = PROCESS_REDUCER, .call = variance_call};
