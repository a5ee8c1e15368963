/* Whether some element of an array equals a value. */
#include "processes/array/kept.h"
#include "processes/array/matches.h"

static int array_contains_call(struct call *call, struct value *result)
{
  struct matches matches;
  if (find_matches(call, &matches) != 0)
    return -1;
  double ignore_nodata = 1;
  *result = matches.on_host
                ? value_boolean(matches.first != SIZE_MAX)
                : value_lanes(kept_reduce(call->program, KRED_ANY, matches.lanes, matches.kept, &ignore_nodata, 1));
  return 0;
}

const struct process process_array_contains = {
    .id = "array_contains", .shape = PROCESS_REDUCER, .call = array_contains_call};
