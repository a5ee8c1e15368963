/* Largest value. */
#include "processes/process.h"

static int max_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_MAX, result);
}

const struct process process_max = {.id = "max", .shape = PROCESS_REDUCER, .call = max_call};
