/* (x - y) / (x + y). */
#include "processes/process.h"

static int normalized_difference_call(struct call *call, struct value *result)
{
  struct lanes x, y;
  if (call_lanes(call, "x", &x) != 0 || call_lanes(call, "y", &y) != 0)
    return -1;
  struct program *p = call->program;
  struct lanes difference = program_binary(p, KOP_SUB, x, y);
  struct lanes sum = program_binary(p, KOP_ADD, x, y);
  *result = value_lanes(program_binary(p, KOP_DIV, difference, sum));
  return 0;
}

const struct process process_normalized_difference = {
    .id = "normalized_difference", .shape = PROCESS_VALUE, .call = normalized_difference_call, .takes_null = true};
