/* Index of the first or last element that equals a value; missing where there is none. */
#include "processes/array/kept.h"
#include "processes/array/matches.h"

/* The smallest (or largest) index whose match is true. */
static struct lanes matching_index(struct program *p, const struct matches *matches, bool reverse)
{
  struct lanes all = matches->kept == NULL ? all_indexes(p, matches->lanes.length) : kept_indexes(p, *matches->kept);
  struct lanes hits =
      matches->kept == NULL ? matches->lanes : program_binary(p, KOP_AND, matches->lanes, *matches->kept);
  struct lanes matching = program_ternary(p, KOP_SELECT, all, program_missing(p), hits);
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
    *result = value_lanes(matching_index(call->program, &matches, reverse));
  else if (matches.first == SIZE_MAX)
    *result = value_null();
  else
    *result = value_number((double)(reverse ? matches.last : matches.first));
  return 0;
}

const struct process process_array_find = {.id = "array_find", .shape = PROCESS_REDUCER, .call = array_find_call};
