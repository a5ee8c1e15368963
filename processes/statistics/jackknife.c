/* jackknife: value and error of an estimate along an array, by leaving out one bin at a time
 * (physics/statistics/jackknife_bins.h).
 *
 * Of a mean, both are one function of the array. Another estimator is a callback, which runs in the program once for
 * all data and once for each bin that is left out; the error is a function of what that gives. Bins are places in the
 * array: those without a value do not count. */
#include "physics/statistics/jackknife_bins.h"

#include "datacube/base/missing.h"
#include "processes/process.h"

enum { MAX_BINS = 1000, MAX_PICKS = 4000000, MAX_BIN_SIZE = 1000000000 };

static const char *const labels[] = {"value", "error"};

struct jackknife {
  size_t values;
  size_t bin_size; /* the last bin may have fewer */
  size_t bins;     /* at least 2 */
  bool ignore;     /* missing values are left out; else one makes the results missing */
};

/* ---- the functions ----------------------------------------------------------------------------------------------- */

struct jackknife_space {
  double *kept;    /* [values]: those that are there */
  double *bins;    /* of bins_of_chains, of bins with a value */
  size_t *lengths; /* [bins]: values that are there */
};

static size_t space_bytes(const struct jackknife *j)
{
  return (j->values + bins_room(j->bins, 1)) * sizeof(double) + j->bins * sizeof(size_t);
}

static struct jackknife_space take_space(const struct jackknife *j, void *work)
{
  double *kept = work, *bins = kept + j->values;
  return (struct jackknife_space){kept, bins, (size_t *)(bins + bins_room(j->bins, 1))};
}

/* in: the values; out: value and error. */
static void mean_run(const void *data, const double *in, double *out, void *work)
{
  const struct jackknife *j = data;
  const struct jackknife_space s = take_space(j, work);
  struct samples samples = {s.kept, 0, 1};
  out[0] = out[1] = na_f64();
  for (size_t b = 0; b < j->bins; b++) {
    s.lengths[b] = 0;
  }
  for (size_t i = 0; i < j->values; i++) {
    if (!is_na_f64(in[i])) {
      s.kept[samples.count++] = in[i];
      s.lengths[i / j->bin_size]++;
    }
  }
  if (samples.count > 0 && (j->ignore || samples.count == j->values)) {
    const struct binned bins = bins_of_chains(&samples, s.lengths, j->bins, j->bin_size, s.bins);
    const struct estimate e = jackknife_mean(&bins);
    out[0] = e.value;
    out[1] = bins.count > 1 ? e.error : na_f64();
  }
}

/* in: for each value whether it is missing; the estimate of all; those without one bin each. out: value, error. */
static void estimates_run(const void *data, const double *in, double *out, void *work)
{
  const struct jackknife *j = data;
  const double *missing = in, *whole = in + j->values, *estimates = whole + 1;
  double *kept = take_space(j, work).kept;
  size_t count = 0, gaps = 0, i = 0;
  for (size_t b = 0; b < j->bins; b++) {
    size_t start = i, gaps_before = gaps;
    for (; i < j->values && i - start < j->bin_size; i++) {
      gaps += missing[i] != 0;
    }
    if (!is_na_f64(estimates[b]) && gaps - gaps_before < i - start) {
      kept[count++] = estimates[b];
    }
  }
  bool is_complete = gaps == 0 && count == j->bins;
  out[0] = j->ignore || gaps == 0 ? whole[0] : na_f64();
  out[1] = count > 1 && (j->ignore || is_complete) ? jackknife_error(kept, count) : na_f64();
}

/* The function's results of the array. */
static int run_function(struct call *call, const struct jackknife *j, struct array_function function,
                        struct lanes array, struct lanes *out)
{
  const struct jackknife *data = arena_copy(call->arena, j, sizeof *j);
  function.data = data;
  function.arguments = array.length;
  function.work_bytes = space_bytes(j);
  hash_word(&function.hash, j->bin_size);
  hash_word(&function.hash, j->values);
  hash_word(&function.hash, j->ignore);
  const struct array_function *own = arena_copy(call->arena, &function, sizeof function);
  if (!data || !own) {
    return error_memory(call->error);
  }
  if (array.is_complex) {
    return error_parameter(call->error, ERROR_FeatureUnsupported, "data",
                           "process '%s' estimates real numbers; take real and imaginary parts of complex ones",
                           call->process->id);
  }
  *out = program_function(call->program, array, own);
  return 0;
}

/* ---- an estimator ------------------------------------------------------------------------------------------------ */

/* Its number for some of the data. */
static int estimate(struct call *call, const struct callback *estimator, struct lanes data, struct lanes *out)
{
  const struct argument parameters[] = {{.name = "data", .value = value_lanes(data)}};
  struct value value;
  if (call_run_callback(call, estimator, call->program, parameters, 1, &value) != 0) {
    return -1;
  }
  if (!value_is_lanes_like(&value)) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "estimator",
                           "the estimator of process '%s' must give one number; it gives a value of type %s",
                           call->process->id, value_kind_name(&value));
  }
  *out = value_as_lanes(call->program, &value);
  return 0;
}

static int check_size(struct call *call, const struct jackknife *j)
{
  if (j->bins <= MAX_BINS && j->bins <= MAX_PICKS / j->values) {
    return 0;
  }
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "bin_size",
                         "process '%s' with an estimator of its own takes at most %d bins, and values x bins up to %d; "
                         "here %zu values make %zu bins: raise bin_size",
                         call->process->id, MAX_BINS, MAX_PICKS, j->values, j->bins);
}

/* The estimates without one bin each. */
static int leave_out(struct call *call, const struct callback *estimator, const struct jackknife *j, struct lanes data,
                     struct lanes *out)
{
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, j->values);
  struct lanes *estimates = ARENA_ARRAY(call->arena, struct lanes, j->bins);
  if (!indexes || !estimates) {
    return error_memory(call->error);
  }
  for (size_t b = 0; b < j->bins; b++) {
    size_t count = 0;
    for (size_t i = 0; i < j->values; i++) {
      if (i / j->bin_size != b) {
        indexes[count++] = i;
      }
    }
    if (estimate(call, estimator, program_pick(call->program, data, indexes, count), &estimates[b]) != 0) {
      return -1;
    }
  }
  *out = program_concat(call->program, estimates, j->bins);
  return 0;
}

static int of_estimator(struct call *call, const struct jackknife *j, struct lanes data, struct lanes *out)
{
  static const struct array_function function = {.name = "JACKKNIFE_OF", .run = estimates_run, .results = 2};
  const struct callback *estimator;
  struct lanes parts[] = {program_unary(call->program, KOP_IS_NODATA, data), {0}, {0}};
  if (call_callback_argument(call, "estimator", &estimator) != 0 || check_size(call, j) != 0 ||
      estimate(call, estimator, data, &parts[1]) != 0 || leave_out(call, estimator, j, data, &parts[2]) != 0) {
    return -1;
  }
  return run_function(call, j, function, program_concat(call->program, parts, 3), out);
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static int read_bins(struct call *call, size_t values, struct jackknife *out)
{
  int64_t size;
  if (call_integer(call, "bin_size", 1, MAX_BIN_SIZE, &size) != 0 ||
      call_boolean(call, "ignore_nodata", &out->ignore) != 0) {
    return -1;
  }
  out->values = values;
  out->bin_size = (size_t)size;
  out->bins = bins_count(values, out->bin_size);
  if (out->bins < 2) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "bin_size",
                           "process '%s' needs at least two bins; %zu values in bins of %zu make %zu",
                           call->process->id, values, out->bin_size, out->bins);
  }
  return 0;
}

static int jackknife_call(struct call *call, struct value *result)
{
  static const struct array_function of_mean = {.name = "JACKKNIFE", .run = mean_run, .results = 2};
  struct lanes data, pair;
  struct jackknife j;
  if (call_lanes_array(call, "data", &data) != 0 || read_bins(call, data.length, &j) != 0) {
    return -1;
  }
  if ((call_has(call, "estimator") ? of_estimator(call, &j, data, &pair)
                                   : run_function(call, &j, of_mean, data, &pair)) != 0) {
    return -1;
  }
  struct dimension *statistic = ARENA_NEW(call->arena, struct dimension);
  if (!statistic) {
    return error_memory(call->error);
  }
  *statistic = dimension_texts("statistic", DIMENSION_OTHER, labels, 2);
  pair.labels = statistic;
  *result = value_lanes(pair);
  return 0;
}

const struct process process_jackknife = {.id = "jackknife", .shape = PROCESS_SERIES, .call = jackknife_call};
