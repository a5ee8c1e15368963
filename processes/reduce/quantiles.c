/* Quantiles of an array by linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996).
 *
 * Probabilities are a list in ascending order, or a number q of intervals: 1/q, 2/q, … (q-1)/q. */
#include "processes/array/kept.h"

enum { QUANTILES_MAX = 10000 };

static int ascending_list(struct call *call, const struct value *list, double *out)
{
  for (size_t i = 0; i < list->count; i++) {
    const struct value *item = &list->items[i];
    if (item->kind != VALUE_NUMBER || !(item->number >= 0 && item->number <= 1))
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "probabilities",
                             "probability %zu is not a number from 0 to 1", i + 1);
    out[i] = item->number;
    if (i > 0 && !(out[i] > out[i - 1]))
      return error_parameter(call->error, ERROR_AscendingProbabilitiesRequired, "probabilities",
                             "the probabilities must ascend; number %zu is %g after %g", i + 1, out[i], out[i - 1]);
  }
  return 0;
}

/* parameters[0] is ignore_nodata, the probabilities follow; *count says how many these are. NULL with an error. */
static double *read_probabilities(struct call *call, const char *name, size_t *count)
{
  const struct value *value = call_argument(call, name);
  int64_t intervals = 0;
  if (value->kind == VALUE_ARRAY && value->count > QUANTILES_MAX) {
    error_parameter(call->error, ERROR_ProcessParameterInvalid, name, "at most %d probabilities can be given",
                    QUANTILES_MAX);
    return NULL;
  }
  if (value->kind != VALUE_ARRAY && call_integer(call, name, 2, QUANTILES_MAX, &intervals) != 0)
    return NULL;
  *count = value->kind == VALUE_ARRAY ? value->count : (size_t)intervals - 1;
  double *parameters = ARENA_ARRAY(call->arena, double, *count + 1);
  if (parameters == NULL) {
    error_memory(call->error);
    return NULL;
  }
  if (value->kind == VALUE_ARRAY)
    return ascending_list(call, value, parameters + 1) == 0 ? parameters : NULL;
  for (size_t i = 1; i <= *count; i++)
    parameters[i] = (double)i / (double)intervals;
  return parameters;
}

static int quantiles_call(struct call *call, struct value *result)
{
  bool has_probabilities = call_has(call, "probabilities"), has_q = call_has(call, "q");
  bool ignore_nodata = true;
  struct lanes data;
  const struct lanes *kept;
  size_t count = 0;
  if (!has_probabilities && !has_q)
    return error_parameter(call->error, ERROR_QuantilesParameterMissing, "probabilities",
                           "either 'probabilities' or 'q' must be given");
  if (has_probabilities && has_q)
    return error_parameter(call->error, ERROR_QuantilesParameterConflict, "probabilities",
                           "only one of 'probabilities' and 'q' can be given");
  double *parameters = read_probabilities(call, has_q ? "q" : "probabilities", &count);
  if (parameters == NULL || call_kept_array(call, "data", &data, &kept) != 0)
    return -1;
  if (call_has(call, "ignore_nodata") && call_boolean(call, "ignore_nodata", &ignore_nodata) != 0)
    return -1;
  parameters[0] = ignore_nodata ? 1 : 0;
  *result = count == 0 ? value_array(NULL, 0)
                       : value_lanes(kept_reduce(call->program, KRED_QUANTILES, data, kept, parameters, count + 1));
  return 0;
}

const struct process process_quantiles = {.id = "quantiles", .shape = PROCESS_REDUCER, .call = quantiles_call};
