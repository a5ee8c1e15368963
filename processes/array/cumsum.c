/* Running sum. */
#include "processes/process.h"
#include "processes/array/elements.h"

static int cumsum_call(struct call *call, struct value *result)
{
  return emit_cumulative(call, KSER_CUMSUM, result);
}

const struct process process_cumsum = {.id = "cumsum", .shape = PROCESS_SERIES, .call = cumsum_call};
