/* Smallest value. */
#include "processes/process.h"

static int min_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_MIN, result);
}

const struct process process_min = {.id = "min", .shape = PROCESS_REDUCER, .call = min_call};
