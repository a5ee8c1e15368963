/* Sample standard deviation: the root of the variance. */
#include "processes/process.h"

static int sd_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_SD, result);
}

const struct process process_sd = {.id = "sd", .shape = PROCESS_REDUCER, .call = sd_call};
