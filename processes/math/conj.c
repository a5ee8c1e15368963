/* The complex conjugate. */
#include "processes/process.h"

static int conj_call(struct call *call, struct value *result)
{
  struct lanes x;
  if (call_lanes(call, "x", &x) != 0)
    return -1;
  *result = value_lanes(program_conjugate(call->program, x));
  return 0;
}

const struct process process_conj = {.id = "conj", .shape = PROCESS_VALUE, .call = conj_call};
