/* Euler's number, the base of the natural logarithm. */
#include "processes/process.h"

#include <math.h>

static int e_call(struct call *call, struct value *result)
{
  (void)call;
  *result = value_number(M_E);
  return 0;
}

const struct process process_e = {.id = "e", .shape = PROCESS_VALUE, .call = e_call};
