/* The value NaN. */
#include "processes/process.h"

#include <math.h>

static int nan_call(struct call *call, struct value *result)
{
  (void)call;
  *result = value_number((double)NAN);
  return 0;
}

const struct process process_nan = {.id = "nan", .shape = PROCESS_VALUE, .call = nan_call};
