/* Running product. */
#include "processes/process.h"
#include "processes/array/elements.h"

static int cumproduct_call(struct call *call, struct value *result)
{
  return emit_cumulative(call, KSER_CUMPRODUCT, result);
}

const struct process process_cumproduct = {.id = "cumproduct", .shape = PROCESS_SERIES, .call = cumproduct_call};
