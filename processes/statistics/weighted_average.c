/* weighted_average: the average of measurements by their errors (physics/statistics/average_by_errors.h). */
#include "physics/statistics/average_by_errors.h"

#include "datacube/base/missing.h"
#include "processes/statistics/measurements.h"

#include <math.h>
#include <string.h>

enum { ESTIMATES = 7 };

static const char *const labels[ESTIMATES] = {"value",   "error", "chi_square", "degrees_of_freedom",
                                              "p_value", "scale", "samples"};

struct average_data {
  struct measurements m;
  size_t value, error; /* indexes along "statistic" */
};

static int average_run(const void *data, const struct axes_point *at, struct error *error)
{
  const struct average_data *a = data;
  const double *in = at->in;
  double *work = at->work, *values = take_doubles(&work, a->m.samples), *errors = take_doubles(&work, a->m.samples);
  size_t kept = 0;
  (void)error;
  for (size_t i = 0; i < a->m.samples; i++, in += a->m.observables) {
    values[kept] = in[a->value];
    errors[kept] = in[a->error];
    kept += !is_na_f64(values[kept]) && !is_na_f64(errors[kept]);
  }
  const double nan = (double)NAN;
  struct weighted_average w = {nan, nan, nan, nan, nan, nan};
  if (kept > 0) {
    w = weighted_average(values, errors, kept);
  }
  const double estimates[ESTIMATES] = {w.value, w.error, w.chi_square, w.degrees, w.p, w.scale, (double)kept};
  memcpy(at->out, estimates, sizeof estimates);
  return 0;
}

static int find_label(struct call *call, const struct dimension *labels_there, const char *label, size_t *out)
{
  *out = dimension_find_text(labels_there, label);
  return *out != SIZE_MAX ? 0
                          : error_parameter(call->error, ERROR_LabelNotAvailable, "observables",
                                            "the dimension '%s' has no label '%s'", labels_there->name, label);
}

static int average_call(struct call *call, struct value *result)
{
  struct average_data *a = ARENA_NEW(call->arena, struct average_data);
  if (!a) {
    return error_memory(call->error);
  }
  if (measurements_read(call, 1, &a->m) != 0 || find_label(call, a->m.observable_labels, "value", &a->value) != 0 ||
      find_label(call, a->m.observable_labels, "error", &a->error) != 0) {
    return -1;
  }
  const struct axes_function function = {
      .name = "weighted average", .run = average_run, .data = a, .work_bytes = 2 * (a->m.samples + 1) * sizeof(double)};
  struct dimension statistic = statistic_dimension(&a->m, labels, ESTIMATES);
  statistic.name = a->m.observable_labels->name;
  return statistic_result(call, &a->m, &function, &statistic, 1, result);
}

const struct process process_weighted_average = {.id = "weighted_average", .shape = PROCESS_CUBE, .call = average_call};
