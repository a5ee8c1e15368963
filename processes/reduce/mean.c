/* Arithmetic mean. */
#include "processes/process.h"

static int mean_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_MEAN, result);
}

const struct process process_mean = {.id = "mean", .shape = PROCESS_REDUCER, .call = mean_call};
