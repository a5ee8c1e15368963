/* Samples of a cube as tables. See measurements.h. */
#include "processes/statistics/measurements.h"

#include "datacube/base/checked.h"
#include "datacube/base/missing.h"
#include "hpc/kernel/program_gradient.h"
#include "processes/cube/shape.h"

#include <string.h>

static const double most_work = 3e10;               /* half a minute of one thread, about */
static const size_t most_numbers = (size_t)1 << 28; /* of a position, 2 GiB */

/* Takes the dimension that the parameter names; *labels stays as it is where that is not given. */
static int take_axis(struct call *call, const char *parameter, struct measurements *m, const struct dimension **labels)
{
  size_t d;
  if (!call_has(call, parameter)) {
    return 0;
  }
  if (call_dimension(call, parameter, m->data, &d) != 0) {
    return -1;
  }
  for (size_t i = 0; i < m->axes.taken_count; i++) {
    if (m->axes.taken[i] == d) {
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                             "the dimension '%s' is named by another parameter of process '%s' already",
                             m->data->cube->dimension[d].name, call->process->id);
    }
  }
  m->axes.taken[m->axes.taken_count++] = d;
  *labels = &m->data->cube->dimension[d];
  return 0;
}

int measurements_read(struct call *call, size_t least, struct measurements *out)
{
  const struct dimension *chain = NULL;
  *out = (struct measurements){.chains = 1, .observables = 1};
  if (call_cube(call, "data", &out->data) != 0 || take_axis(call, "chain", out, &chain) != 0 ||
      take_axis(call, "dimension", out, &out->sample_labels) != 0 ||
      take_axis(call, "observables", out, &out->observable_labels) != 0) {
    return -1;
  }
  out->samples = out->sample_labels->size;
  out->chains = chain ? chain->size : 1;
  out->observables = out->used = out->observable_labels ? out->observable_labels->size : 1;
  if (element_info(out->data->cube->type)->is_complex) {
    return error_parameter(call->error, ERROR_FeatureUnsupported, "data",
                           "process '%s' takes real numbers; take real and imaginary parts of complex ones",
                           call->process->id);
  }
  if (out->observables == 0 || saturated_mul(out->samples, out->chains) < least) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "dimension",
                           "process '%s' needs at least %zu samples of an observable; there are %zu of %zu",
                           call->process->id, least, saturated_mul(out->samples, out->chains), out->observables);
  }
  if (measurements_count(out) > most_numbers) {
    return error_parameter(call->error, ERROR_ProcessGraphComplexity, "dimension",
                           "process '%s' takes at most %zu numbers at once; here are %zu", call->process->id,
                           most_numbers, measurements_count(out));
  }
  return 0;
}

size_t measurements_count(const struct measurements *m)
{
  return saturated_mul(saturated_mul(m->chains, m->samples), m->observables);
}

static bool counts(const double *sample, size_t observables)
{
  for (size_t k = 0; k < observables; k++) {
    if (is_na_f64(sample[k])) {
      return false;
    }
  }
  return true;
}

size_t measurements_keep(const struct measurements *m, const double *in, double *table, size_t *lengths)
{
  size_t kept = 0;
  for (size_t c = 0; c < m->chains; c++) {
    lengths[c] = 0;
    for (size_t i = 0; i < m->samples; i++, in += m->observables) {
      if (counts(in + m->first, m->used)) {
        memcpy(table + kept++ * m->used, in + m->first, m->used * sizeof *in);
        lengths[c]++;
      }
    }
  }
  return kept;
}

int derived_function(struct call *call, const struct measurements *m, bool gradient, struct number_function *out)
{
  const struct callback *derived;
  struct value value;
  size_t count = gradient ? m->observables : 0;
  struct program *program = program_new(call->arena);
  struct lanes *parts = ARENA_ARRAY(call->arena, struct lanes, count + 1);
  if (!program || !parts) {
    return error_memory(call->error);
  }
  if (!m->observable_labels) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "observables",
                           "a derived quantity needs the dimension 'observables' whose means it is computed from");
  }
  struct lanes means = program_input(program, 0, true, m->observables, ELEMENT_F64, m->observable_labels);
  const struct argument parameters[] = {{"data", value_lanes(means)}, {"context", call_context(call)}};
  if (call_callback_argument(call, "derived", &derived) != 0 ||
      call_run_callback(call, derived, program, parameters, 2, &value) != 0 ||
      callback_lanes(call, program, &value, false, "derived", &parts[0]) != 0) {
    return -1;
  }
  if (parts[0].is_complex) {
    return error_parameter(call->error, ERROR_FeatureUnsupported, "derived", "a derived quantity is a real number");
  }
  if (gradient && program_gradient(program, means, parts[0], parts + 1, call->error) != 0) {
    return error_at_parameter(call->error, "derived");
  }
  return number_function_make(call->arena, program, program_concat(program, parts, count + 1), out, call->error);
}

struct dimension statistic_dimension(const struct measurements *m, const char *const *labels, size_t count)
{
  size_t bands = cube_count_type(m->data->cube, DIMENSION_BANDS);
  for (size_t i = 0; i < m->axes.taken_count; i++) {
    bands -= m->data->cube->dimension[m->axes.taken[i]].type == DIMENSION_BANDS;
  }
  return dimension_texts("statistic", bands == 0 ? DIMENSION_BANDS : DIMENSION_OTHER, labels, count);
}

static bool is_taken(const struct measurements *m, size_t d)
{
  for (size_t i = 0; i < m->axes.taken_count; i++) {
    if (m->axes.taken[i] == d) {
      return true;
    }
  }
  return false;
}

static int add_dimension(struct call *call, struct cube *cube, const struct dimension *dimension)
{
  if (cube_find_dimension(cube, dimension->name) != SIZE_MAX) {
    return error_parameter(call->error, ERROR_DimensionExists, "data",
                           "the result of process '%s' has a dimension '%s', as the data have: rename that",
                           call->process->id, dimension->name);
  }
  if (cube->dimensions == CUBE_MAX_DIMENSIONS) {
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                           "the result would have more than %d dimensions", CUBE_MAX_DIMENSIONS);
  }
  cube->dimension[cube->dimensions++] = *dimension;
  return 0;
}

/* Adds the arguments that are known values. */
static int hash_arguments(struct call *call, struct hash *hash)
{
  struct buffer text = {0};
  struct json_writer writer = {.out = &text};
  json_write_object(&writer);
  for (size_t i = 0; i < call->argument_count; i++) {
    if (value_is_host(&call->arguments[i].value)) {
      json_key(&writer, call->arguments[i].name);
      value_write(&call->arguments[i].value, &writer);
    }
  }
  json_end_object(&writer);
  int status = text.failed ? error_memory(call->error) : 0;
  hash_bytes(hash, text.data, text.length);
  buffer_free(&text);
  return status;
}

int statistic_result(struct call *call, const struct measurements *m, const struct axes_function *function,
                     const struct dimension *made, size_t made_count, struct value *result)
{
  struct cube *cube = cube_copy(call->arena, m->data->cube);
  struct axes *axes = arena_copy(call->arena, &m->axes, sizeof *axes);
  struct axes_function *own = arena_copy(call->arena, function, sizeof *own);
  if (!cube || !axes || !own) {
    return error_memory(call->error);
  }
  if (hash_arguments(call, &own->hash) != 0) {
    return -1;
  }
  for (size_t d = cube->dimensions; d-- > 0;) {
    if (is_taken(m, d)) {
      cube_remove_dimension(cube, d);
    }
  }
  for (size_t i = 0; i < made_count; i++) {
    if (add_dimension(call, cube, &made[i]) != 0) {
      return -1;
    }
  }
  cube->type = ELEMENT_F64;
  cube->has_nodata = true;
  cube->nodata = na_f64();
  cube->bands = NULL;
  axes->made_count = made_count;
  axes->function = own;
  const struct node *node = node_axes(call->arena, call_origin(call), m->data, cube, axes);
  *result = value_cube(node);
  return node ? 0 : error_memory(call->error);
}

size_t measurements_bins(const struct measurements *m, size_t bin_size)
{
  return saturated_mul(m->chains, bins_count(m->samples, bin_size));
}

int read_bin_size(struct call *call, const struct measurements *m, size_t *out)
{
  int64_t size;
  if (call_integer(call, "bin_size", 1, 1000000000, &size) != 0) {
    return -1;
  }
  *out = (size_t)size;
  size_t count = measurements_bins(m, *out);
  return count >= 2 ? 0
                    : error_parameter(call->error, ERROR_ProcessParameterInvalid, "bin_size",
                                      "process '%s' needs at least two bins; %zu samples in bins of %zu make %zu",
                                      call->process->id, m->samples, *out, count);
}

int check_statistic_work(struct call *call, double work, const char *parameter)
{
  return work <= most_work
             ? 0
             : error_parameter(call->error, ERROR_ProcessGraphComplexity, parameter,
                               "process '%s' would take some %.3g steps for each position; %.3g are allowed",
                               call->process->id, work, most_work);
}

double *take_doubles(double **work, size_t count)
{
  double *out = *work;
  *work += count;
  return out;
}
