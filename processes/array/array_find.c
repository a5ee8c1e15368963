/* Index of the first or last element that equals a value; missing where there is none. */
#include "processes/array/matches.h"

/* The smallest (or largest) index whose match is true. */
static struct lanes matching_index(struct program *p, struct lanes matches, bool reverse)
{
  struct lanes *indexes = ARENA_ARRAY(p->arena, struct lanes, matches.length);
  if (indexes == NULL) {
    p->failed = true;
    return program_missing(p);
  }
  for (size_t i = 0; i < matches.length; i++)
    indexes[i] = program_constant(p, (double)i);
  struct lanes all = program_concat(p, indexes, matches.length);
  struct lanes matching = program_ternary(p, KOP_SELECT, all, program_missing(p), matches);
  double ignore_nodata = 1;
  return program_reduce(p, reverse ? KRED_MAX : KRED_MIN, matching, &ignore_nodata, 1);
}

static int array_find_call(struct call *call, struct value *result)
{
  struct matches matches;
  bool reverse = false;
  if (call_has(call, "reverse") && call_boolean(call, "reverse", &reverse) != 0)
    return -1;
  if (find_matches(call, &matches) != 0)
    return -1;
  if (!matches.on_host)
    *result = value_lanes(matching_index(call->program, matches.lanes, reverse));
  else if (matches.first == SIZE_MAX)
    *result = value_null();
  else
    *result = value_number((double)(reverse ? matches.last : matches.first));
  return 0;
}

const struct process process_array_find = {.id = "array_find", .shape = PROCESS_REDUCER, .call = array_find_call};
