/* bootstrap: error and interval of a mean, or of a quantity derived from several means, from bins of samples that are
 * drawn again with replacement (physics/statistics/bootstrap_draws.h). */
#include "physics/statistics/bootstrap_draws.h"

#include "processes/statistics/measurements.h"

#include <math.h>
#include <string.h>

enum { ESTIMATES = 5, MOST_DRAWS = 1000000 };

static const char *const labels[ESTIMATES] = {"value", "error", "lower", "upper", "samples"};

struct bootstrap_data {
  struct measurements m;
  size_t bin_size, draws;
  uint64_t seed;
  double confidence;
  bool bca, derived;
  struct number_function function;
};

/* The estimate from means of the observables. */
static double estimate(const struct bootstrap_data *b, void *function_work, const double *means)
{
  double value = means[0];
  if (b->derived) {
    number_function_run(&b->function, function_work, means, &value, 1);
  }
  return value;
}

struct bootstrap_space {
  void *function_work;
  double *table;    /* [samples][observables] */
  double *means;    /* [observables] */
  double *draws;    /* [draws] */
  double *left_out; /* [bins] */
  size_t *lengths;  /* [chains]: samples that count */
  double *bins;     /* of bins_of_chains */
};

static struct bootstrap_space take_space(const struct bootstrap_data *b, double *work)
{
  struct bootstrap_space s;
  s.function_work = take_doubles(&work, b->derived ? number_function_work(&b->function) / sizeof(double) : 0);
  s.table = take_doubles(&work, measurements_count(&b->m));
  s.means = take_doubles(&work, b->m.observables);
  s.draws = take_doubles(&work, b->draws);
  s.left_out = take_doubles(&work, measurements_bins(&b->m, b->bin_size));
  s.lengths = (size_t *)take_doubles(&work, b->m.chains);
  s.bins = work;
  return s;
}

/* Error and interval of the value, from draws of the bins; there are two at least. */
static int draw(const struct bootstrap_data *b, const struct bootstrap_space *s, const struct binned *bins,
                const struct axes_point *at, struct bootstrap_estimate *e, struct error *error)
{
  for (size_t d = 0; d < b->draws; d++) {
    if (axes_go_on(at, error) != 0) {
      return -1;
    }
    bins_drawn(bins, (struct philox_stream){b->seed, d}, s->means);
    s->draws[d] = estimate(b, s->function_work, s->means);
  }
  const struct bootstrap_draws given = {s->draws, b->draws, e->value, b->confidence};
  if (!b->bca) {
    *e = bootstrap_percentile(given);
    return 0;
  }
  for (size_t k = 0; k < bins->count; k++) {
    if (axes_go_on(at, error) != 0) {
      return -1;
    }
    bins_without(bins, k, s->means);
    s->left_out[k] = estimate(b, s->function_work, s->means);
  }
  *e = bootstrap_bca(given, s->left_out, bins->count);
  return 0;
}

static int bootstrap_run(const void *data, const struct axes_point *at, struct error *error)
{
  const struct bootstrap_data *b = data;
  const struct bootstrap_space s = take_space(b, at->work);
  struct bootstrap_estimate e = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};
  const struct samples samples = {s.table, measurements_keep(&b->m, at->in, s.table, s.lengths), b->m.observables};
  if (samples.count > 0) {
    const struct binned bins = bins_of_chains(&samples, s.lengths, b->m.chains, b->bin_size, s.bins);
    e.value = estimate(b, s.function_work, bins.mean);
    if (bins.count > 1 && draw(b, &s, &bins, at, &e, error) != 0) {
      return -1;
    }
  }
  const double estimates[ESTIMATES] = {e.value, e.error, e.lower, e.upper, (double)samples.count};
  memcpy(at->out, estimates, sizeof estimates);
  return 0;
}

static int read_options(struct call *call, struct bootstrap_data *b)
{
  int64_t draws, seed;
  const char *interval;
  if (call_integer(call, "resamples", 2, MOST_DRAWS, &draws) != 0 ||
      call_integer(call, "seed", 0, INT64_C(9007199254740991), &seed) != 0 ||
      call_number(call, "confidence", &b->confidence) != 0 || call_text(call, "interval", &interval) != 0 ||
      read_bin_size(call, &b->m, &b->bin_size) != 0) {
    return -1;
  }
  if (!(b->confidence > 0 && b->confidence < 1)) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "confidence",
                           "the confidence must lie between 0 and 1; it is %.10g", b->confidence);
  }
  b->draws = (size_t)draws;
  b->seed = (uint64_t)seed;
  b->bca = strcmp(interval, "bca") == 0;
  double bins = (double)measurements_bins(&b->m, b->bin_size);
  return check_statistic_work(call, (double)draws * bins * (double)(b->m.observables + 15), "resamples");
}

static int bootstrap_call(struct call *call, struct value *result)
{
  struct bootstrap_data *b = ARENA_NEW(call->arena, struct bootstrap_data);
  if (!b) {
    return error_memory(call->error);
  }
  b->derived = call_has(call, "derived");
  if (measurements_read(call, 2, &b->m) != 0 || read_options(call, b) != 0) {
    return -1;
  }
  if (!b->derived && call_has(call, "observables")) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "observables",
                           "observables are for a derived quantity: give 'derived', or leave 'observables' out to have "
                           "each of them by itself");
  }
  if (b->derived && derived_function(call, &b->m, false, &b->function) != 0) {
    return -1;
  }
  size_t bins = measurements_bins(&b->m, b->bin_size);
  size_t doubles =
      measurements_count(&b->m) + b->m.observables + b->draws + bins + b->m.chains + bins_room(bins, b->m.observables);
  const struct axes_function function = {.name = "bootstrap",
                                         .run = bootstrap_run,
                                         .data = b,
                                         .work_bytes = doubles * sizeof(double) +
                                                       (b->derived ? number_function_work(&b->function) : 0),
                                         .hash = b->function.hash};
  const struct dimension statistic = statistic_dimension(&b->m, labels, ESTIMATES);
  return statistic_result(call, &b->m, &function, &statistic, 1, result);
}

const struct process process_bootstrap = {.id = "bootstrap", .shape = PROCESS_CUBE, .call = bootstrap_call};
