/* gamma_method: value and error of a Markov chain's mean, or of a quantity derived from several means, with the
 * autocorrelation time (physics/statistics/gamma_estimate.h). The gradient of a derived quantity is made of its program
 * by the rules of differentiation: no step width to choose. */
#include "physics/statistics/gamma_estimate.h"
#include "processes/statistics/measurements.h"

enum { ESTIMATES = 9 };

static const char *const labels[ESTIMATES] = {"value",         "error",  "error_of_error",    "tau_int",
                                              "tau_int_error", "window", "effective_samples", "samples",
                                              "replica_p"};

struct gamma_data {
  struct measurements m;
  double s;
  bool derived;
  struct number_function function; /* value, then slopes along the observables */
};

/* The series sum_k slope_k a_k of the table's samples. */
static void project(const double *table, size_t n, size_t observables, const double *slopes, double *series)
{
  for (size_t i = 0; i < n; i++) {
    series[i] = 0;
    for (size_t k = 0; k < observables; k++) {
      series[i] += slopes[k] * table[i * observables + k];
    }
  }
}

/* Brings the table about its means: what is large and common to all samples costs no digits then. */
static void centre(double *table, size_t n, const double *means, size_t observables)
{
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < observables; k++) {
      table[i * observables + k] -= means[k];
    }
  }
}

static void fill(const struct gamma_estimate *e, double value, double *out)
{
  const double estimates[ESTIMATES] = {value,     e->error,     e->error_error, e->tau,      e->tau_error,
                                       e->window, e->effective, e->samples,     e->replica_p};
  for (size_t i = 0; i < ESTIMATES; i++) {
    out[i] = estimates[i];
  }
}

static int gamma_run(const void *data, const struct axes_point *at, struct error *error)
{
  const struct gamma_data *g = data;
  const struct measurements *m = &g->m;
  double *work = at->work,
         *function_work = take_doubles(&work, g->derived ? number_function_work(&g->function) / 8 : 0);
  double *table = take_doubles(&work, measurements_count(m)), *series = table;
  double *means = take_doubles(&work, m->observables), *value = take_doubles(&work, m->observables + 1);
  size_t *lengths = (size_t *)take_doubles(&work, m->chains);
  size_t n = measurements_keep(m, at->in, table, lengths);
  if (g->derived && n > 0) {
    const struct samples samples = {table, n, m->observables};
    for (size_t k = 0; k < m->observables; k++) {
      means[k] = mean_of_observable(&samples, k);
    }
    number_function_run(&g->function, function_work, means, value, 1);
    series = take_doubles(&work, m->chains * m->samples);
    centre(table, n, means, m->observables);
    project(table, n, m->observables, value + 1, series);
  }
  const struct chains chains = {series, lengths, m->chains, at->cancel};
  struct gamma_estimate e = gamma_method(&chains, g->s, work);
  fill(&e, g->derived && n > 0 ? value[0] : e.value, at->out);
  return axes_go_on(at, error);
}

static size_t work_bytes(const struct gamma_data *g)
{
  const struct measurements *m = &g->m;
  const struct chains one = {NULL, &m->samples, 1, NULL}; /* the longest there may be */
  size_t doubles = measurements_count(m) + 2 * m->observables + 1 + m->chains + m->chains * m->samples;
  size_t function = g->derived ? number_function_work(&g->function) : 0;
  return function + (doubles + gamma_method_work(&one)) * sizeof(double);
}

static int gamma_call(struct call *call, struct value *result)
{
  struct gamma_data *g = ARENA_NEW(call->arena, struct gamma_data);
  if (!g) {
    return error_memory(call->error);
  }
  g->derived = call_has(call, "derived");
  if (measurements_read(call, 2, &g->m) != 0 || call_number(call, "s", &g->s) != 0) {
    return -1;
  }
  if (!(g->s > 0 && g->s <= 100)) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "s",
                           "the window's factor s must lie above 0, up to 100; it is %.10g", g->s);
  }
  if (!g->derived && call_has(call, "observables")) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "observables",
                           "observables are for a derived quantity: give 'derived', or leave 'observables' out to have "
                           "each of them by itself");
  }
  if (g->derived && derived_function(call, &g->m, true, &g->function) != 0) {
    return -1;
  }
  const struct axes_function function = {
      .name = "Gamma method", .run = gamma_run, .data = g, .work_bytes = work_bytes(g), .hash = g->function.hash};
  const struct dimension statistic = statistic_dimension(&g->m, labels, ESTIMATES);
  return statistic_result(call, &g->m, &function, &statistic, 1, result);
}

const struct process process_gamma_method = {.id = "gamma_method", .shape = PROCESS_CUBE, .call = gamma_call};
