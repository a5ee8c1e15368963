/* jackknife: value and error of an estimate along an array, by leaving out one bin at a time.
 *
 *   theta_b = estimate without bin b (b = 1 … N);  error = sqrt((N - 1)/N sum_b (theta_b - mean theta)^2)
 *           = standard deviation of the theta_b * (N - 1) / sqrt(N)
 * The mean needs no leave-out arrays: with deviations y = x - mean, bin sums s_b and bin counts c_b,
 * theta_b = mean - s_b / (C - c_b). Its steps grow with the values, those of another estimator with values times bins.
 * Bins without a value do not count as bins. On plain arrays: physics/statistics/jackknife_bins.h. */
#include "processes/process.h"

enum { MAX_BINS = 1000, MAX_PICKS = 4000000, MAX_BIN_SIZE = 1000000000 };

static const char *const labels[] = {"value", "error"};

struct bins {
  size_t size;  /* values of a bin; the last one may have fewer */
  size_t count; /* at least 2 */
};

static const double keep[] = {0}; /* a missing value makes the result missing */
static const double skip[] = {1}; /* missing values are left out */
static const double skip_and_count[] = {1, 0};

/* Sums of size consecutive values each, by adding size strided selections: few steps where bins are many. */
static int strided_sums(struct call *call, struct lanes array, struct bins bins, struct lanes *out)
{
  struct program *p = call->program;
  const struct lanes padded_parts[] = {array, program_constant(p, 0)};
  size_t n = array.length; /* index of the zero behind the values */
  struct lanes padded = program_concat(p, padded_parts, 2);
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, bins.count);
  if (indexes == NULL) {
    return error_memory(call->error);
  }
  for (size_t k = 0; k < bins.size; k++) {
    for (size_t b = 0; b < bins.count; b++) {
      size_t i = b * bins.size + k;
      indexes[b] = i < n ? i : n;
    }
    struct lanes part = program_pick(p, padded, indexes, bins.count);
    *out = k == 0 ? part : program_binary(p, KOP_ADD, *out, part);
  }
  return 0;
}

/* The same, a sum for each bin: few steps where bins are few. */
static int single_sums(struct call *call, struct lanes array, struct bins bins, struct lanes *out)
{
  struct program *p = call->program;
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, bins.size);
  struct lanes *sums = ARENA_ARRAY(call->arena, struct lanes, bins.count);
  if (indexes == NULL || sums == NULL) {
    return error_memory(call->error);
  }
  for (size_t b = 0; b < bins.count; b++) {
    size_t start = b * bins.size, count = 0;
    while (count < bins.size && start + count < array.length) {
      indexes[count] = start + count;
      count++;
    }
    sums[b] = program_reduce(p, KRED_SUM, program_pick(p, array, indexes, count), keep, 1);
  }
  *out = program_concat(p, sums, bins.count);
  return 0;
}

static int bin_sums(struct call *call, struct lanes array, struct bins bins, struct lanes *out)
{
  if (bins.size == 1) {
    *out = array;
    return 0;
  }
  return bins.size <= bins.count ? strided_sums(call, array, bins, out) : single_sums(call, array, bins, out);
}

/* Values of each bin that are not missing. */
static int bin_counts(struct call *call, struct lanes data, struct bins bins, struct lanes *out)
{
  struct lanes missing = program_unary(call->program, KOP_IS_NODATA, data);
  struct lanes present = program_binary(call->program, KOP_SUB, program_constant(call->program, 1), missing);
  return bin_sums(call, present, bins, out);
}

/* From the leave-out estimates (NA: no such bin) of `bins` bins. */
static struct lanes error_of(struct program *p, struct lanes theta, struct lanes bins, const double *ignore)
{
  struct lanes spread = program_reduce(p, KRED_SD, theta, ignore, 1);
  struct lanes less = program_binary(p, KOP_SUB, bins, program_constant(p, 1));
  struct lanes factor = program_binary(p, KOP_DIV, less, program_unary(p, KOP_SQRT, bins));
  return program_binary(p, KOP_MUL, spread, factor);
}

static int jackknife_of_mean(struct call *call, struct lanes data, struct bins bins, bool ignore, struct lanes out[2])
{
  struct program *p = call->program;
  const struct lanes zero = program_constant(p, 0);
  struct lanes counts, sums;
  out[0] = program_reduce(p, KRED_MEAN, data, ignore ? skip : keep, 1);
  struct lanes deviation = program_binary(p, KOP_SUB, data, out[0]);
  if (ignore) {
    struct lanes missing = program_unary(p, KOP_IS_NODATA, data);
    deviation = program_ternary(p, KOP_SELECT, zero, deviation, missing);
  }
  if (bin_counts(call, data, bins, &counts) != 0 || bin_sums(call, deviation, bins, &sums) != 0) {
    return -1;
  }
  struct lanes total = program_reduce(p, KRED_SUM, counts, keep, 1);
  struct lanes left = program_binary(p, KOP_SUB, total, counts);
  struct lanes theta = program_binary(p, KOP_DIV, sums, left); /* mean - theta_b: the spread is the same */
  theta = program_binary(p, KOP_MASK, theta, program_binary(p, KOP_EQ, counts, zero));
  struct lanes filled = program_reduce(p, KRED_SUM, program_binary(p, KOP_GT, counts, zero), keep, 1);
  out[1] = error_of(p, theta, filled, skip);
  return 0;
}

/* The estimator's number for some of the data. */
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

static int check_size(struct call *call, size_t values, struct bins bins)
{
  if (bins.count <= MAX_BINS && bins.count <= MAX_PICKS / values) {
    return 0;
  }
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, "bin_size",
                         "process '%s' with an estimator of its own takes at most %d bins, and values x bins up to %d; "
                         "here %zu values make %zu bins: raise bin_size",
                         call->process->id, MAX_BINS, MAX_PICKS, values, bins.count);
}

static int jackknife_of_estimator(struct call *call, const struct callback *estimator, struct lanes data,
                                  struct bins bins, struct lanes out[2])
{
  struct program *p = call->program;
  size_t *indexes = ARENA_ARRAY(call->arena, size_t, data.length);
  struct lanes *theta = ARENA_ARRAY(call->arena, struct lanes, bins.count);
  if (indexes == NULL || theta == NULL) {
    return error_memory(call->error);
  }
  if (estimate(call, estimator, data, &out[0]) != 0) {
    return -1;
  }
  for (size_t b = 0; b < bins.count; b++) {
    size_t count = 0;
    for (size_t i = 0; i < data.length; i++) {
      if (i / bins.size != b) {
        indexes[count++] = i;
      }
    }
    if (estimate(call, estimator, program_pick(p, data, indexes, count), &theta[b]) != 0) {
      return -1;
    }
  }
  out[1] = program_concat(p, theta, bins.count);
  return 0;
}

/* The error from the leave-out estimates in out[1]. */
static int finish_estimator(struct call *call, struct lanes data, struct bins bins, bool ignore, struct lanes out[2])
{
  struct program *p = call->program;
  if (!ignore) {
    out[1] = error_of(p, out[1], program_constant(p, (double)bins.count), keep);
    return 0;
  }
  struct lanes counts;
  if (bin_counts(call, data, bins, &counts) != 0) {
    return -1;
  }
  struct lanes empty = program_binary(p, KOP_EQ, counts, program_constant(p, 0));
  struct lanes theta = program_binary(p, KOP_MASK, out[1], empty);
  out[1] = error_of(p, theta, program_reduce(p, KRED_COUNT, theta, skip_and_count, 2), skip);
  return 0;
}

static int read_bins(struct call *call, size_t values, struct bins *out)
{
  int64_t size;
  if (call_integer(call, "bin_size", 1, MAX_BIN_SIZE, &size) != 0) {
    return -1;
  }
  out->size = (size_t)size;
  out->count = values / out->size + (values % out->size != 0);
  if (out->count < 2) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "bin_size",
                           "process '%s' needs at least two bins; %zu values in bins of %zu make %zu",
                           call->process->id, values, out->size, out->count);
  }
  return 0;
}

static int jackknife_call(struct call *call, struct value *result)
{
  struct lanes data, out[2];
  struct bins bins;
  bool ignore;
  if (call_lanes_array(call, "data", &data) != 0 || call_boolean(call, "ignore_nodata", &ignore) != 0 ||
      read_bins(call, data.length, &bins) != 0) {
    return -1;
  }
  if (call_has(call, "estimator")) {
    const struct callback *estimator;
    if (call_callback_argument(call, "estimator", &estimator) != 0 || check_size(call, data.length, bins) != 0 ||
        jackknife_of_estimator(call, estimator, data, bins, out) != 0 ||
        finish_estimator(call, data, bins, ignore, out) != 0) {
      return -1;
    }
  } else if (jackknife_of_mean(call, data, bins, ignore, out) != 0) {
    return -1;
  }
  struct lanes pair = program_concat(call->program, out, 2);
  struct dimension *statistic = ARENA_NEW(call->arena, struct dimension);
  if (statistic == NULL) {
    return error_memory(call->error);
  }
  *statistic = dimension_texts("statistic", DIMENSION_OTHER, labels, 2);
  pair.labels = statistic;
  *result = value_lanes(pair);
  return 0;
}

const struct process process_jackknife = {.id = "jackknife", .shape = PROCESS_SERIES, .call = jackknife_call};
