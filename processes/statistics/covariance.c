/* covariance: how observables vary together, from bins of their samples (physics/statistics/covariance_matrix.h). */
#include "physics/statistics/covariance_matrix.h"

#include "processes/statistics/measurements.h"
#include "processes/statistics/shrinkage_argument.h"

#include <math.h>

enum { ESTIMATES = 5, MOST_OBSERVABLES = 2048 };

static const char *const labels[ESTIMATES] = {"covariance", "covariance_of_mean", "correlation", "shrinkage",
                                              "samples"};

struct covariance_data {
  struct measurements m;
  size_t bin_size;
  enum shrinkage shrinkage;
};

static void fill(const double *covariance, size_t observables, double bins, double samples, double *out)
{
  for (size_t i = 0; i < observables; i++) {
    for (size_t j = 0; j < observables; j++, out += ESTIMATES) {
      double of_mean = covariance[i * observables + j] / bins;
      double scale = sqrt(covariance[i * observables + i] * covariance[j * observables + j]);
      out[0] = of_mean * samples;
      out[1] = of_mean;
      out[2] = i == j && scale > 0 ? 1 : covariance[i * observables + j] / scale;
    }
  }
}

static int covariance_run(const void *data, const struct axes_point *at, struct error *error)
{
  const struct covariance_data *c = data;
  size_t observables = c->m.observables, pairs = observables * observables, kept;
  double *out = at->out, *work = at->work, *table = take_doubles(&work, measurements_count(&c->m));
  double *pseudo = take_doubles(&work, measurements_count(&c->m)), *covariance = take_doubles(&work, pairs);
  const struct samples samples = {table, measurements_keep(&c->m, at->in, table, &kept), observables};
  double weight = (double)NAN;
  size_t bins_kept = bins_count(kept, c->bin_size);
  for (size_t i = 0; i < pairs * ESTIMATES; i++) {
    out[i] = (double)NAN;
  }
  if (bins_kept >= 2) {
    const struct binned bins = bins_of(&samples, c->bin_size, work);
    bins_pseudo_values(&bins, pseudo);
    const struct samples values = {pseudo, bins.count, observables};
    weight = covariance_matrix(&values, c->shrinkage, covariance, table, at->cancel);
    if (axes_go_on(at, error) != 0) {
      return -1;
    }
    fill(covariance, observables, (double)bins.count, (double)kept, out);
  }
  for (size_t i = 0; i < pairs; i++) {
    out[i * ESTIMATES + 3] = weight;
    out[i * ESTIMATES + 4] = (double)kept;
  }
  return 0;
}

static int covariance_call(struct call *call, struct value *result)
{
  struct covariance_data *c = ARENA_NEW(call->arena, struct covariance_data);
  const char *second;
  if (!c) {
    return error_memory(call->error);
  }
  if (measurements_read(call, 2, &c->m) != 0 || read_bin_size(call, &c->m, &c->bin_size) != 0 ||
      call_shrinkage(call, "shrinkage", &c->shrinkage) != 0 || call_text(call, "target_dimension", &second) != 0) {
    return -1;
  }
  size_t observables = c->m.observables, pairs = observables * observables;
  if (observables > MOST_OBSERVABLES) {
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "observables",
                           "process '%s' takes at most %d observables; here are %zu", call->process->id,
                           MOST_OBSERVABLES, observables);
  }
  if (check_statistic_work(call, 4 * (double)pairs * (double)c->m.samples, "observables") != 0) {
    return -1;
  }
  const struct samples all = {NULL, c->m.samples, observables};
  size_t doubles = 2 * measurements_count(&c->m) + pairs + bins_work(&all, c->bin_size);
  const struct axes_function function = {
      .name = "covariance", .run = covariance_run, .data = c, .work_bytes = doubles * sizeof(double)};
  struct dimension made[] = {*c->m.observable_labels, *c->m.observable_labels,
                             statistic_dimension(&c->m, labels, ESTIMATES)};
  made[1].name = second;
  return statistic_result(call, &c->m, &function, made, 3, result);
}

const struct process process_covariance = {.id = "covariance", .shape = PROCESS_CUBE, .call = covariance_call};
