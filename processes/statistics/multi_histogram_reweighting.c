/* multi_histogram_reweighting: observables at couplings between those that were simulated
 * (physics/statistics/multi_histogram.h). Errors by the jackknife: each time, the same share of every ensemble is left
 * out and the whole is solved again, from the solution of all. */
#include "physics/statistics/multi_histogram.h"

#include "physics/statistics/jackknife_bins.h"
#include "processes/statistics/measurements.h"

#include <math.h>
#include <string.h>

enum { ESTIMATES = 5, MOST_ENSEMBLES = 256, MOST_TARGETS = 4096, MOST_BINS = 10000 };

static const char *const labels[ESTIMATES] = {"value", "error", "effective_samples", "log_z", "log_z_error"};

struct reweighting_data {
  struct measurements m;   /* chains: ensembles */
  const double *couplings; /* [ensembles] */
  const double *targets;   /* [target_count] */
  size_t target_count;
  size_t energy; /* index of the observable that the coupling multiplies */
  size_t bins;
  double least; /* effective samples that a target needs */
};

struct pool { /* the samples of one solution */
  struct ensembles ensembles;
  double *table;    /* [configurations][observables] */
  double *energies; /* [configurations] */
  size_t *sizes;    /* [ensembles] */
  double *f;        /* [ensembles] */
};

struct reweighting_space {
  struct pool all, part;
  double *weights;   /* [configurations] */
  double *leave_out; /* [bins][targets][observables + 1]: observables, then log Z */
  double *row;       /* [bins] */
  double *solve;     /* work of multi_histogram_solve */
};

static struct pool take_pool(const struct reweighting_data *r, const volatile int *cancel, double **work)
{
  size_t all = r->m.chains * r->m.samples;
  struct pool pool;
  pool.table = take_doubles(work, all * r->m.observables);
  pool.energies = take_doubles(work, all);
  pool.sizes = (size_t *)take_doubles(work, r->m.chains);
  pool.f = take_doubles(work, r->m.chains);
  pool.ensembles = (struct ensembles){r->couplings, pool.sizes, r->m.chains, pool.energies, 0, cancel};
  return pool;
}

static struct reweighting_space take_space(const struct reweighting_data *r, const struct axes_point *at)
{
  struct reweighting_space s;
  double *work = at->work;
  s.all = take_pool(r, at->cancel, &work);
  s.part = take_pool(r, at->cancel, &work);
  s.weights = take_doubles(&work, r->m.chains * r->m.samples);
  s.leave_out = take_doubles(&work, r->bins * r->target_count * (r->m.observables + 1));
  s.row = take_doubles(&work, r->bins);
  s.solve = take_doubles(&work, multi_histogram_work(r->m.chains));
  return s;
}

static size_t space_doubles(const struct reweighting_data *r)
{
  size_t all = r->m.chains * r->m.samples, width = r->m.observables + 1;
  size_t pools = 2 * (all * width + 2 * r->m.chains);
  return pools + all + r->bins * (r->target_count * width + 1) + multi_histogram_work(r->m.chains);
}

static void settle_pool(const struct reweighting_data *r, struct pool *pool, size_t configurations)
{
  pool->ensembles.configurations = configurations;
  for (size_t k = 0; k < configurations; k++) {
    pool->energies[k] = pool->table[k * r->m.observables + r->energy];
  }
}

/* All samples but share `bin` of each ensemble. */
static void leave_out(const struct reweighting_data *r, const struct pool *all, size_t bin, struct pool *part)
{
  size_t width = r->m.observables, kept = 0;
  const double *row = all->table;
  for (size_t e = 0; e < r->m.chains; e++) {
    size_t n = all->sizes[e], first = n * bin / r->bins, last = n * (bin + 1) / r->bins;
    for (size_t i = 0; i < n; i++, row += width) {
      if (i < first || i >= last) {
        memcpy(part->table + kept++ * width, row, width * sizeof *row);
      }
    }
    part->sizes[e] = n - (last - first);
    part->f[e] = isnan(all->f[e]) ? 0 : all->f[e];
  }
  settle_pool(r, part, kept);
}

/* Means of the observables, then log Z. */
static struct reweighting reweight(const struct reweighting_data *r, const struct pool *pool, double coupling,
                                   double *weights, double *out)
{
  struct reweighting at = multi_histogram_weights(&pool->ensembles, pool->f, coupling, weights);
  size_t width = r->m.observables;
  for (size_t k = 0; k < width; k++) {
    out[k] = 0;
    for (size_t i = 0; i < pool->ensembles.configurations; i++) {
      out[k] += weights[i] * (pool->table[i * width + k] - pool->table[k]);
    }
    out[k] += pool->table[k];
  }
  out[width] = at.log_z;
  return at;
}

static int solve(const struct reweighting_data *r, const struct pool *pool, const struct axes_point *at, double *work,
                 struct error *error)
{
  int status = multi_histogram_solve(&pool->ensembles, pool->f, work);
  if (axes_go_on(at, error) != 0) {
    return -1;
  }
  return status == 0 ? 0
                     : error_set(error, ERROR_ProcessParameterInvalid,
                                 "the ensembles at %zu couplings from %.6g to %.6g overlap too little to be joined",
                                 r->m.chains, r->couplings[0], r->couplings[r->m.chains - 1]);
}

/* Values and errors at all targets. leave_out is filled. */
static int fill(const struct reweighting_data *r, const struct reweighting_space *s, const struct axes_point *point,
                struct error *error)
{
  double *out = point->out;
  size_t width = r->m.observables + 1;
  for (size_t t = 0; t < r->target_count; t++) {
    double values[ESTIMATES], log_z_error = 0;
    double *means = s->part.table; /* not needed any more */
    struct reweighting at = reweight(r, &s->all, r->targets[t], s->weights, means);
    if (axes_go_on(point, error) != 0) {
      return -1;
    }
    if (!(at.effective >= r->least)) {
      return error_set(error, ERROR_ProcessParameterInvalid,
                       "only %.3g of %zu samples count at the coupling %.10g, which lies too far from those that were "
                       "simulated; %.3g are needed (parameter 'minimum_samples')",
                       at.effective, s->all.ensembles.configurations, r->targets[t], r->least);
    }
    for (size_t k = width; k-- > 0;) {
      for (size_t b = 0; b < r->bins; b++) {
        s->row[b] = s->leave_out[(b * r->target_count + t) * width + k];
      }
      double spread = jackknife_error(s->row, r->bins);
      if (k + 1 == width) {
        log_z_error = spread;
        continue;
      }
      values[0] = means[k];
      values[1] = spread;
      values[2] = at.effective;
      values[3] = at.log_z;
      values[4] = log_z_error;
      memcpy(out + (t * r->m.observables + k) * ESTIMATES, values, sizeof values);
    }
  }
  return 0;
}

static int reweighting_run(const void *data, const struct axes_point *at, struct error *error)
{
  const struct reweighting_data *r = data;
  struct reweighting_space s = take_space(r, at);
  settle_pool(r, &s.all, measurements_keep(&r->m, at->in, s.all.table, s.all.sizes));
  memset(s.all.f, 0, r->m.chains * sizeof *s.all.f);
  for (size_t e = 0; e < r->m.chains; e++) {
    if (s.all.sizes[e] < r->bins) {
      return error_set(error, ERROR_ProcessParameterInvalid,
                       "the ensemble at coupling %.10g has %zu samples, fewer than the %zu bins of the jackknife",
                       r->couplings[e], s.all.sizes[e], r->bins);
    }
  }
  if (solve(r, &s.all, at, s.solve, error) != 0) {
    return -1;
  }
  for (size_t b = 0; b < r->bins; b++) {
    leave_out(r, &s.all, b, &s.part);
    if (solve(r, &s.part, at, s.solve, error) != 0) {
      return -1;
    }
    for (size_t t = 0; t < r->target_count && axes_go_on(at, error) == 0; t++) {
      reweight(r, &s.part, r->targets[t], s.weights, s.leave_out + (b * r->target_count + t) * (r->m.observables + 1));
    }
  }
  return fill(r, &s, at, error);
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static int read_couplings(struct call *call, const struct dimension *chain, struct reweighting_data *r)
{
  double *couplings = ARENA_ARRAY(call->arena, double, chain->size);
  if (!couplings) {
    return error_memory(call->error);
  }
  for (size_t i = 0; i < chain->size; i++) {
    char room[LABEL_TEXT_ROOM];
    couplings[i] = dimension_label_number(chain, i);
    if (!isfinite(couplings[i])) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "chain",
                             "the labels of the dimension '%s' must be the couplings of the ensembles; '%s' is no "
                             "number",
                             chain->name, dimension_label_text(chain, i, room));
    }
  }
  r->couplings = couplings;
  return 0;
}

static int read_targets(struct call *call, struct reweighting_data *r)
{
  const struct value *given = call_argument(call, "targets");
  double *targets = given->kind == VALUE_ARRAY ? ARENA_ARRAY(call->arena, double, given->count + 1) : NULL;
  r->target_count = targets ? given->count : 0;
  if (r->target_count < 1 || r->target_count > MOST_TARGETS) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "targets",
                           "'targets' must be 1 to %d couplings; they are %zu", MOST_TARGETS, r->target_count);
  }
  for (size_t i = 0; i < given->count; i++) {
    if (given->items[i].kind != VALUE_NUMBER || !isfinite(given->items[i].number)) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "targets",
                             "the couplings must be finite numbers; number %zu is not", i);
    }
    targets[i] = given->items[i].number;
    for (size_t k = 0; k < i; k++) {
      if (targets[k] == targets[i]) {
        return error_parameter(call->error, ERROR_ProcessParameterInvalid, "targets",
                               "the coupling %.10g is there twice", targets[i]);
      }
    }
  }
  r->targets = targets;
  return 0;
}

static int read_energy(struct call *call, struct reweighting_data *r)
{
  const char *label;
  if (call_text(call, "energy", &label) != 0) {
    return -1;
  }
  r->energy = dimension_find_text(r->m.observable_labels, label);
  return r->energy != SIZE_MAX
             ? 0
             : error_parameter(call->error, ERROR_LabelNotAvailable, "energy", "the dimension '%s' has no label '%s'",
                               r->m.observable_labels->name, label);
}

static int read_options(struct call *call, struct reweighting_data *r)
{
  int64_t bins;
  const struct dimension *chain = &r->m.data->cube->dimension[r->m.axes.taken[0]];
  if (call_integer(call, "bins", 2, MOST_BINS, &bins) != 0 || call_number(call, "minimum_samples", &r->least) != 0 ||
      read_couplings(call, chain, r) != 0 || read_targets(call, r) != 0 || read_energy(call, r) != 0) {
    return -1;
  }
  r->bins = (size_t)bins;
  if (r->m.chains > MOST_ENSEMBLES) {
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "chain",
                           "process '%s' takes at most %d ensembles; here are %zu", call->process->id, MOST_ENSEMBLES,
                           r->m.chains);
  }
  double each = (double)r->m.chains * (double)r->m.samples, ensembles = (double)r->m.chains;
  double solving = 10 * each * (10 * ensembles + ensembles * ensembles);
  double targets = (double)r->target_count * each * (20 * ensembles + (double)r->m.observables);
  return check_statistic_work(call, ((double)r->bins + 1) * (solving + targets), "bins");
}

static int reweighting_call(struct call *call, struct value *result)
{
  struct reweighting_data *r = ARENA_NEW(call->arena, struct reweighting_data);
  if (!r) {
    return error_memory(call->error);
  }
  if (measurements_read(call, 2, &r->m) != 0 || read_options(call, r) != 0) {
    return -1;
  }
  const struct axes_function function = {.name = "multi-histogram reweighting",
                                         .run = reweighting_run,
                                         .data = r,
                                         .work_bytes = space_doubles(r) * sizeof(double)};
  struct dimension made[] = {r->m.data->cube->dimension[r->m.axes.taken[0]], *r->m.observable_labels,
                             statistic_dimension(&r->m, labels, ESTIMATES)};
  made[0].size = r->target_count;
  made[0].labels = LABEL_NUMBER;
  made[0].numbers = r->targets;
  made[0].texts = NULL;
  made[0].enumerated = false;
  return statistic_result(call, &r->m, &function, made, 3, result);
}

const struct process process_multi_histogram_reweighting = {
    .id = "multi_histogram_reweighting", .shape = PROCESS_CUBE, .call = reweighting_call};
