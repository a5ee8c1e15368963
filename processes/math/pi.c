/* The ratio of a circle's circumference to its diameter. */
#include "processes/process.h"

#include <math.h>

static int pi_call(struct call *call, struct value *result)
{
  (void)call;
  *result = value_number(M_PI);
  return 0;
}

const struct process process_pi = {.id = "pi", .shape = PROCESS_VALUE, .call = pi_call};
