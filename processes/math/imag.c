/* The imaginary part, 0 of a real number. */
#include "processes/process.h"

static int imag_call(struct call *call, struct value *result)
{
  struct lanes x;
  if (call_lanes(call, "x", &x) != 0)
    return -1;
  *result = value_lanes(program_imaginary(call->program, x));
  return 0;
}

const struct process process_imag = {.id = "imag", .shape = PROCESS_VALUE, .call = imag_call};
