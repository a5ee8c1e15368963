/* Whether every value is true, in three-valued logic; true for an empty array. */
#include "processes/process.h"

static int all_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_ALL, result);
}

const struct process process_all = {.id = "all", .shape = PROCESS_REDUCER, .call = all_call};
