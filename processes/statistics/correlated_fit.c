/* correlated_fit: the parameters of a function that brings it closest to means along a dimension, with the covariance
 * of these means estimated from the same samples (physics/statistics/chi_square_fit.h). The function and its slopes, by
 * the rules of differentiation, are one compiled program. The fit is repeated without each bin in turn, with the same
 * covariance, for the jackknife's errors. */
#include "physics/statistics/chi_square_fit.h"

#include "hpc/kernel/program_gradient.h"
#include "physics/statistics/cholesky.h"
#include "physics/statistics/covariance_matrix.h"
#include "physics/statistics/jackknife_bins.h"
#include "processes/math/curve.h"
#include "processes/statistics/measurements.h"
#include "processes/statistics/shrinkage_argument.h"

#include <math.h>
#include <string.h>

enum { ESTIMATES = 8, MOST_POINTS = 1024, MOST_PARAMETERS = 64 }; /* estimates, then a column of the covariance each */

static const char *const labels[ESTIMATES] = {
    "value", "error", "jackknife_error", "chi_square", "degrees_of_freedom", "p_value", "shrinkage", "samples"};

struct fit_data {
  struct measurements m; /* observables: the points; used: those in the range that is fitted */
  size_t parameters, bin_size;
  const double *start;         /* [parameters] */
  const double *prior, *width; /* [parameters], NaN: none */
  enum shrinkage shrinkage;
  struct number_function model; /* values, then slopes [parameters][points] */
};

struct fit_space {
  void *model_work;
  double *both;                        /* the model's values and slopes at once */
  double *table, *pseudo;              /* [samples][points] */
  double *matrix, *work;               /* [points][points]; of the fit */
  double *y, *best, *left, *estimates; /* [points]; [parameters]; [parameters]; [bins] */
  double *covariance, *thetas;         /* [parameters][parameters]; [parameters][bins] */
  double *bins;
};

struct model_use { /* fit_model.data */
  const struct fit_data *fit;
  const struct fit_space *space;
};

static void evaluate(const struct fit_model *model, const double *parameters, double *values, double *slopes)
{
  const struct model_use *use = model->data;
  size_t points = use->fit->m.used;
  number_function_run(&use->fit->model, use->space->model_work, parameters, use->space->both, 1);
  memcpy(values, use->space->both, points * sizeof *values);
  memcpy(slopes, use->space->both + points, use->fit->parameters * points * sizeof *slopes);
}

static size_t most_bins(const struct fit_data *f)
{
  return bins_count(f->m.samples, f->bin_size);
}

static struct samples all_samples(const struct fit_data *f)
{
  return (struct samples){NULL, f->m.samples, f->m.used};
}

static size_t space_doubles(const struct fit_data *f)
{
  const struct samples all = all_samples(f);
  size_t n = f->m.used, m = f->parameters;
  return number_function_work(&f->model) / sizeof(double) + n * (m + 1) + measurements_count(&f->m) + f->m.samples * n +
         n * n + correlated_fit_work(n, m) + n + 2 * m + m * m + (m + 1) * most_bins(f) + bins_work(&all, f->bin_size);
}

static struct fit_space take_space(const struct fit_data *f, double *work)
{
  size_t n = f->m.used, m = f->parameters;
  struct fit_space s;
  s.model_work = take_doubles(&work, number_function_work(&f->model) / sizeof(double));
  s.both = take_doubles(&work, n * (m + 1));
  s.table = take_doubles(&work, measurements_count(&f->m));
  s.pseudo = take_doubles(&work, f->m.samples * n);
  s.matrix = take_doubles(&work, n * n);
  s.work = take_doubles(&work, correlated_fit_work(n, m));
  s.y = take_doubles(&work, n);
  s.best = take_doubles(&work, m);
  s.left = take_doubles(&work, m);
  s.covariance = take_doubles(&work, m * m);
  s.thetas = take_doubles(&work, m * most_bins(f));
  s.estimates = take_doubles(&work, most_bins(f));
  s.bins = work;
  return s;
}

/* The factor of the covariance of the means; returns the share of the target, NaN where there is no factor. */
static double factorise(const struct fit_data *f, const struct fit_space *s, const struct binned *bins,
                        const volatile int *cancel)
{
  const struct samples pseudo = {s->pseudo, bins->count, f->m.used};
  bins_pseudo_values(bins, s->pseudo);
  double share = covariance_matrix(&pseudo, f->shrinkage, s->matrix, s->y, cancel);
  for (size_t i = 0; i < f->m.used * f->m.used; i++) {
    s->matrix[i] /= (double)bins->count;
  }
  return cholesky_factor(s->matrix, f->m.used) == 0 ? share : (double)NAN;
}

/* Errors of all parameters by the jackknife, into s->left. */
static int leave_out(const struct fit_data *f, const struct fit_space *s, const struct binned *bins,
                     struct fit_problem problem, const struct axes_point *at, struct error *error)
{
  problem.y = s->y;
  problem.start = s->best;
  for (size_t b = 0; b < bins->count; b++) {
    if (axes_go_on(at, error) != 0) {
      return -1;
    }
    bins_without(bins, b, s->y);
    correlated_fit(&problem, s->left, NULL, s->work);
    for (size_t j = 0; j < f->parameters; j++) {
      s->thetas[j * bins->count + b] = s->left[j];
    }
  }
  for (size_t j = 0; j < f->parameters; j++) {
    s->left[j] = jackknife_error(s->thetas + j * bins->count, bins->count);
  }
  return 0;
}

static void fill(const struct fit_data *f, const struct fit_space *s, struct fit_result result, double share,
                 double *out)
{
  size_t m = f->parameters, row = ESTIMATES + m;
  for (size_t j = 0; j < m; j++, out += row) {
    out[0] = s->best[j];
    out[1] = sqrt(s->covariance[j * m + j]);
    out[2] = s->left[j];
    out[3] = result.chi_square;
    out[4] = result.degrees;
    out[5] = result.p;
    out[6] = share;
    memcpy(out + ESTIMATES, s->covariance + j * m, m * sizeof *out);
  }
}

/* Fills the output, except the number of samples, where there is a fit. */
static int fit_bins(const struct fit_data *f, const struct fit_space *s, const struct binned *bins,
                    const struct axes_point *at, struct error *error)
{
  double share = factorise(f, s, bins, at->cancel);
  if (isnan(share)) {
    return 0;
  }
  struct model_use use = {f, s};
  const struct fit_model model = {evaluate, &use};
  const struct fit_problem problem = {&model,   f->m.used, f->parameters, bins->mean, s->matrix,
                                      f->prior, f->width,  f->start,      at->cancel};
  struct fit_result result = correlated_fit(&problem, s->best, s->covariance, s->work);
  if (!result.converged) {
    return 0;
  }
  if (leave_out(f, s, bins, problem, at, error) != 0) {
    return -1;
  }
  fill(f, s, result, share, at->out);
  return 0;
}

static int fit_run(const void *data, const struct axes_point *at, struct error *error)
{
  const struct fit_data *f = data;
  const struct fit_space s = take_space(f, at->work);
  size_t m = f->parameters, row = ESTIMATES + m, kept;
  double *out = at->out;
  const struct samples samples = {s.table, measurements_keep(&f->m, at->in, s.table, &kept), f->m.used};
  for (size_t i = 0; i < m * row; i++) {
    out[i] = (double)NAN;
  }
  if (bins_count(kept, f->bin_size) >= 2) {
    const struct binned bins = bins_of(&samples, f->bin_size, s.bins);
    if (fit_bins(f, &s, &bins, at, error) != 0) {
      return -1;
    }
  }
  for (size_t j = 0; j < m; j++) {
    out[j * row + 7] = (double)kept;
  }
  return axes_go_on(at, error);
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static int read_start(struct call *call, struct fit_data *f)
{
  const struct value *given = call_argument(call, "parameters");
  f->parameters = given->kind == VALUE_ARRAY ? given->count : 0;
  if (f->parameters < 1 || f->parameters > MOST_PARAMETERS) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "parameters",
                           "the first guess must be an array of 1 to %d numbers", MOST_PARAMETERS);
  }
  double *start = ARENA_ARRAY(call->arena, double, f->parameters);
  for (size_t i = 0; start && i < f->parameters; i++) {
    if (given->items[i].kind != VALUE_NUMBER || !isfinite(given->items[i].number)) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "parameters",
                             "the first guess of parameter %zu must be a finite number", i);
    }
    start[i] = given->items[i].number;
  }
  f->start = start;
  return start ? 0 : error_memory(call->error);
}

/* A prior is null or an array of mean and width. */
static int read_prior(struct call *call, const struct value *given, size_t i, double *mean, double *width)
{
  *mean = *width = (double)NAN;
  if (given->kind == VALUE_NULL) {
    return 0;
  }
  bool pair = given->kind == VALUE_ARRAY && given->count == 2 && given->items[0].kind == VALUE_NUMBER &&
              given->items[1].kind == VALUE_NUMBER;
  if (!pair || !isfinite(given->items[0].number) || !(given->items[1].number > 0)) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "priors",
                           "the prior of parameter %zu must be null, or a mean and a width above 0", i);
  }
  *mean = given->items[0].number;
  *width = given->items[1].number;
  return 0;
}

static int read_priors(struct call *call, struct fit_data *f)
{
  const struct value *given = call_argument(call, "priors");
  if (!call_has(call, "priors")) {
    return 0;
  }
  double *prior = ARENA_ARRAY(call->arena, double, f->parameters);
  double *width = ARENA_ARRAY(call->arena, double, f->parameters);
  if (!prior || !width) {
    return error_memory(call->error);
  }
  if (given->count != f->parameters) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "priors",
                           "there must be a prior, or null, for each of the %zu parameters; there are %zu",
                           f->parameters, given->count);
  }
  for (size_t i = 0; i < f->parameters; i++) {
    if (read_prior(call, &given->items[i], i, &prior[i], &width[i]) != 0) {
      return -1;
    }
  }
  f->prior = prior;
  f->width = width;
  return 0;
}

/* The run of points whose positions lie in "range"; positions ascend or descend. */
static int read_range(struct call *call, const double *x, struct fit_data *f)
{
  const struct value *given = call_argument(call, "range");
  double low = -(double)INFINITY, high = (double)INFINITY;
  if (call_has(call, "range")) {
    if (given->count != 2 || given->items[0].kind != VALUE_NUMBER || given->items[1].kind != VALUE_NUMBER) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "range", "the range must be two numbers");
    }
    low = given->items[0].number;
    high = given->items[1].number;
  }
  f->m.used = 0;
  for (size_t i = 0; i < f->m.observables; i++) {
    bool inside = x[i] >= low && x[i] <= high;
    if (inside && f->m.used > 0 && f->m.first + f->m.used != i) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "range",
                             "the labels in the range do not lie side by side: the dimension '%s' is not sorted",
                             f->m.observable_labels->name);
    }
    f->m.first = inside && f->m.used == 0 ? i : f->m.first;
    f->m.used += inside;
  }
  if (f->m.used == 0 || f->m.used > MOST_POINTS) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "range",
                           "a fit takes 1 to %d points; in the range of the dimension '%s' are %zu", MOST_POINTS,
                           f->m.observable_labels->name, f->m.used);
  }
  return 0;
}

/* The function at the points and its slopes along the parameters, as one program. */
static int make_model(struct call *call, const double *x, struct fit_data *f)
{
  const struct callback *function;
  struct curve curve;
  struct program *once = program_new(call->arena), *model = program_new(call->arena);
  struct lanes *parts = ARENA_ARRAY(call->arena, struct lanes, f->parameters + 1);
  if (!once || !model || !parts) {
    return error_memory(call->error);
  }
  struct lanes parameters = program_input(model, 0, true, f->parameters, ELEMENT_F64, NULL);
  if (call_callback_argument(call, "function", &function) != 0 ||
      curve_make(call, function, once, f->parameters, &curve) != 0 ||
      curve_values(&curve, model, parameters, x + f->m.first, f->m.used, &parts[0]) != 0) {
    return -1;
  }
  if (program_gradient(model, parameters, parts[0], parts + 1, call->error) != 0) {
    return error_at_parameter(call->error, "function");
  }
  return number_function_make(call->arena, model, program_concat(model, parts, f->parameters + 1), &f->model,
                              call->error);
}

/* A full covariance needs more bins than points, and a fit as many points and priors as parameters. */
static int check_rank(struct call *call, const struct fit_data *f)
{
  size_t bins = most_bins(f), known = f->m.used;
  for (size_t j = 0; f->prior && j < f->parameters; j++) {
    known += !isnan(f->prior[j]);
  }
  if (known < f->parameters) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "parameters",
                           "%zu points and priors do not determine %zu parameters", known, f->parameters);
  }
  if (f->shrinkage == SHRINKAGE_NONE && bins <= f->m.used) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "shrinkage",
                           "the covariance of %zu points cannot be inverted with %zu bins of samples: take more bins, "
                           "fewer points, or a shrinkage",
                           f->m.used, bins);
  }
  double steps = (double)f->m.used * (double)f->m.used * ((double)f->parameters + (double)f->m.samples / 10);
  return check_statistic_work(call, 20 * (double)bins * steps, "bin_size");
}

static const char *const *make_labels(struct call *call, size_t parameters)
{
  const char **all = ARENA_ARRAY(call->arena, const char *, ESTIMATES + parameters);
  for (size_t i = 0; all && i < ESTIMATES + parameters; i++) {
    all[i] = i < ESTIMATES ? labels[i] : arena_printf(call->arena, "covariance_%zu", i - ESTIMATES);
    if (!all[i]) {
      return NULL;
    }
  }
  return all;
}

static int fit_call(struct call *call, struct value *result)
{
  struct fit_data *f = ARENA_NEW(call->arena, struct fit_data);
  if (!f) {
    return error_memory(call->error);
  }
  if (measurements_read(call, 2, &f->m) != 0 || read_bin_size(call, &f->m, &f->bin_size) != 0 ||
      call_shrinkage(call, "shrinkage", &f->shrinkage) != 0 || read_start(call, f) != 0 || read_priors(call, f) != 0) {
    return -1;
  }
  const double *x = curve_positions(call, f->m.observable_labels, "observables");
  if (!x || read_range(call, x, f) != 0 || check_rank(call, f) != 0 || make_model(call, x, f) != 0) {
    return -1;
  }
  const char *const *all = make_labels(call, f->parameters);
  if (!all) {
    return error_memory(call->error);
  }
  const struct axes_function function = {.name = "correlated fit",
                                         .run = fit_run,
                                         .data = f,
                                         .work_bytes = space_doubles(f) * sizeof(double),
                                         .hash = f->model.hash};
  const struct dimension made[] = {dimension_enumerated("parameter", DIMENSION_OTHER, f->parameters),
                                   statistic_dimension(&f->m, all, ESTIMATES + f->parameters)};
  return statistic_result(call, &f->m, &function, made, 2, result);
}

const struct process process_correlated_fit = {.id = "correlated_fit", .shape = PROCESS_CUBE, .call = fit_call};
