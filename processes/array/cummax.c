/* Running maximum. */
#include "processes/process.h"
#include "processes/array/elements.h"

static int cummax_call(struct call *call, struct value *result)
{
  return emit_cumulative(call, KSER_CUMMAX, result);
}

const struct process process_cummax = {.id = "cummax", .shape = PROCESS_SERIES, .call = cummax_call};
