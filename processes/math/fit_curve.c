/* fit_curve: the parameters of a function that bring it closest to an array. The function becomes a program of its
 * own, which the engine runs inside the fit (hpc/kernel/kernel_fit.inc). */
#include "processes/math/curve.h"

#include "datacube/base/checked.h"

#include <math.h>

static const size_t most_slopes = (size_t)1 << 20; /* values times parameters */

/* Whether missing values are left out, then the first guess. */
static int read_guess(struct call *call, double **out, size_t *count)
{
  const struct value *guess = call_argument(call, "parameters");
  bool ignore;
  if (call_boolean(call, "ignore_nodata", &ignore) != 0)
    return -1;
  *count = guess->kind == VALUE_ARRAY ? guess->count : 0;
  *out = ARENA_ARRAY(call->arena, double, *count + 1);
  if (!*out)
    return error_memory(call->error);
  (*out)[0] = ignore;
  for (size_t i = 0; i < *count; i++) {
    if (guess->items[i].kind != VALUE_NUMBER || !isfinite(guess->items[i].number))
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "parameters",
                             "the first guess of parameter %zu must be a finite number known beforehand", i);
    (*out)[i + 1] = guess->items[i].number;
  }
  return *count > 0 ? 0
                    : error_parameter(call->error, ERROR_ProcessParameterInvalid, "parameters",
                                      "the first guess must be an array of numbers known beforehand, one at least");
}

static int make_model(struct call *call, const struct lanes *data, size_t count, struct program_curve **out)
{
  const struct callback *function;
  struct program *model = program_new(call->arena);
  struct curve curve;
  struct lanes values;
  *out = ARENA_NEW(call->arena, struct program_curve);
  if (!*out || !model)
    return error_memory(call->error);
  const double *x = curve_positions(call, data->labels, "data");
  if (!x || call_callback_argument(call, "function", &function) != 0 ||
      curve_make(call, function, call->program, count, &curve) != 0)
    return -1;
  struct lanes parameters = program_input(model, 0, true, count, ELEMENT_F64, NULL);
  if (curve_values(&curve, model, parameters, x, data->length, &values) != 0)
    return -1;
  **out = (struct program_curve){model, values.value};
  return 0;
}

static int fit_curve_call(struct call *call, struct value *result)
{
  struct lanes data;
  struct program_curve *curve;
  double *guess;
  size_t count;
  if (call_lanes_array(call, "data", &data) != 0 || read_guess(call, &guess, &count) != 0)
    return -1;
  if (data.is_complex)
    return error_parameter(call->error, ERROR_FeatureUnsupported, "data", "curves are not fitted to complex numbers");
  if (!data.labels)
    return error_parameter(call->error, ERROR_ArrayNotLabeled, "data",
                           "the array has no labels that say where the function takes its values");
  if (saturated_mul(data.length, count) > most_slopes)
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "parameters",
                           "%zu parameters for %zu values are too many", count, data.length);
  if (make_model(call, &data, count, &curve) != 0)
    return -1;
  *result = value_lanes(program_fit(call->program, data, curve, guess, count + 1));
  return 0;
}

const struct process process_fit_curve = {.id = "fit_curve", .shape = PROCESS_SERIES, .call = fit_curve_call};
