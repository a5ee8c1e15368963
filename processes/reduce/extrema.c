/* Smallest and largest value, as an array of two. */
#include "processes/process.h"

static int extrema_call(struct call *call, struct value *result)
{
  struct value smallest, largest;
  if (emit_reduce(call, KRED_MIN, &smallest) != 0 || emit_reduce(call, KRED_MAX, &largest) != 0)
    return -1;
  struct lanes parts[] = {smallest.lanes, largest.lanes};
  *result = value_lanes(program_concat(call->program, parts, 2));
  return 0;
}

const struct process process_extrema = {.id = "extrema", .shape = PROCESS_REDUCER, .call = extrema_call};
