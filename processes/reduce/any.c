/* Whether some value is true, in three-valued logic; false for an empty array. */
#include "processes/process.h"

static int any_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_ANY, result);
}

const struct process process_any = {.id = "any", .shape = PROCESS_REDUCER, .call = any_call};
