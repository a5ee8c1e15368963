/* Running minimum. */
#include "processes/process.h"
#include "processes/array/elements.h"

static int cummin_call(struct call *call, struct value *result)
{
  return emit_cumulative(call, KSER_CUMMIN, result);
}

const struct process process_cummin = {.id = "cummin", .shape = PROCESS_SERIES, .call = cummin_call};
