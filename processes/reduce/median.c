/* Middle value, or the mean of the two middle ones. */
#include "processes/process.h"

static int median_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_MEDIAN, result);
}

const struct process process_median = {.id = "median", .shape = PROCESS_REDUCER, .call = median_call};
