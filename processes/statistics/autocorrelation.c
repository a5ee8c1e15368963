/* autocorrelation: how samples depend on those some steps before them (physics/statistics/gamma_estimate.h). */
#include "physics/statistics/gamma_estimate.h"
#include "processes/statistics/measurements.h"

enum { MOST_LAGS = 100000 };

static const char *const labels[] = {"value", "error"};

struct autocorrelation_data {
  struct measurements m;
  size_t lags;
};

static int autocorrelation_run(const void *data, const struct axes_point *at, struct error *error)
{
  const struct autocorrelation_data *a = data;
  double *out = at->out, *work = at->work, *table = take_doubles(&work, measurements_count(&a->m));
  double *rho = take_doubles(&work, a->lags + 1), *errors = take_doubles(&work, a->lags + 1);
  size_t *lengths = (size_t *)take_doubles(&work, a->m.chains);
  measurements_keep(&a->m, at->in, table, lengths);
  const struct chains chains = {table, lengths, a->m.chains, at->cancel};
  autocorrelation_function(&chains, a->lags, rho, errors, work);
  for (size_t t = 0; t <= a->lags; t++) {
    out[2 * t] = rho[t];
    out[2 * t + 1] = errors[t];
  }
  return axes_go_on(at, error);
}

static int autocorrelation_call(struct call *call, struct value *result)
{
  struct autocorrelation_data *a = ARENA_NEW(call->arena, struct autocorrelation_data);
  int64_t lags;
  if (!a) {
    return error_memory(call->error);
  }
  if (measurements_read(call, 2, &a->m) != 0 || call_integer(call, "lags", 0, MOST_LAGS, &lags) != 0) {
    return -1;
  }
  a->lags = (size_t)lags;
  if (a->lags >= a->m.samples) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "lags",
                           "%zu samples have distances up to %zu; 'lags' is %zu", a->m.samples, a->m.samples - 1,
                           a->lags);
  }
  if (check_statistic_work(call, (double)a->lags * ((double)a->lags + (double)a->m.samples), "lags") != 0) {
    return -1;
  }
  const struct chains one = {NULL, &a->m.samples, 1, NULL}; /* the longest there may be */
  size_t doubles = measurements_count(&a->m) + 2 * (a->lags + 1) + a->m.chains + gamma_method_work(&one);
  const struct axes_function function = {
      .name = "autocorrelation", .run = autocorrelation_run, .data = a, .work_bytes = doubles * sizeof(double)};
  const struct dimension made[] = {dimension_enumerated("lag", DIMENSION_OTHER, a->lags + 1),
                                   statistic_dimension(&a->m, labels, 2)};
  return statistic_result(call, &a->m, &function, made, 2, result);
}

const struct process process_autocorrelation = {
    .id = "autocorrelation", .shape = PROCESS_CUBE, .call = autocorrelation_call};
