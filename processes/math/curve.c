/* A function is a few steps on a scalar x and the array of parameters. Steps on single numbers work on arrays as well,
 * so the steps are repeated once with the array of all x. A function that makes arrays of x is repeated for each x. */
#include "processes/math/curve.h"

#include "datacube/base/checked.h"
#include "hpc/plan/cut_reduction.h"

#include <math.h>
#include <string.h>

static const size_t most_steps = (size_t)1 << 20;

int curve_make(struct call *call, const struct callback *function, struct program *program, size_t parameters,
               struct curve *out)
{
  double *none = ARENA_ARRAY(call->arena, double, parameters);
  struct value value;
  if (!none)
    return error_memory(call->error);
  *out = (struct curve){.call = call, .program = program, .first = program->count};
  struct lanes x = program_constant(program, 0), p = program_array(program, none, parameters);
  out->x = x.value;
  out->parameters = p.value;
  struct argument arguments[] = {{"x", value_lanes(x)}, {"parameters", value_lanes(p)}};
  if (call_run_callback(call, function, program, arguments, 2, &value) != 0)
    return -1;
  if (!value_is_lanes_like(&value) || (value.kind == VALUE_LANES && value.lanes.is_complex))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, "function",
                           "the process given as 'function' must return a number; it returns a value of type %s",
                           value_kind_name(&value));
  out->result = value_as_lanes(program, &value);
  return program_failed(program) ? program_error(program, call->error) : 0;
}

static struct lanes repeat_parts(struct program *to, const struct program_step *step, const struct lanes *values)
{
  struct lanes *parts = ARENA_ARRAY(to->arena, struct lanes, step->part_count);
  for (size_t i = 0; parts && i < step->part_count; i++)
    parts[i] = values[step->parts[i]];
  to->failed = to->failed || !parts;
  return program_concat(to, parts, parts ? step->part_count : 0);
}

static int repeat_step(const struct curve *c, struct program *to, const struct program_step *step,
                       const struct lanes *values, struct lanes *out)
{
  const struct lanes of = step->operand[0] >= 0 ? values[step->operand[0]] : (struct lanes){0};
  switch (step->kind) {
  case PROGRAM_CONSTANT:
    *out = step->is_array ? program_array(to, step->parameters, step->length) : program_constant(to, step->constant);
    return 0;
  case PROGRAM_ELEMENT:
    *out = element_again(to, step, values);
    return 0;
  case PROGRAM_REDUCE:
    *out = program_reduce(to, (enum kernel_reducer)step->op, of, step->parameters, step->parameter_count);
    return 0;
  case PROGRAM_SERIES:
    *out = program_series(to, (enum kernel_series)step->op, of, step->parameters, step->parameter_count);
    return 0;
  case PROGRAM_PICK:
    *out =
        step->is_array ? program_pick(to, of, step->indexes, step->length) : program_element(to, of, step->indexes[0]);
    return 0;
  case PROGRAM_CONCAT:
    *out = repeat_parts(to, step, values);
    return 0;
  default:
    return error_parameter(c->call->error, ERROR_FeatureUnsupported, "function",
                           "the process given as 'function' fits a curve itself");
  }
}

/* The function's steps once more; values: per step, filled. */
static int repeat(const struct curve *c, struct program *to, const bool *needed, struct lanes *values)
{
  for (size_t i = 0; i < c->program->count; i++) {
    if (!needed[i] || (int)i == c->x || (int)i == c->parameters)
      continue;
    if (i < c->first)
      return error_parameter(c->call->error, ERROR_FeatureUnsupported, "function",
                             "the process given as 'function' uses a value that depends on the pixel besides 'x' and "
                             "'parameters'");
    if (repeat_step(c, to, &c->program->steps[i], values, &values[i]) != 0)
      return -1;
  }
  return program_failed(to) ? program_error(to, c->call->error) : 0;
}

/* Whether all steps that x goes through work on single numbers. */
static bool works_on_arrays(const struct curve *c, const bool *needed, bool *has_x)
{
  for (size_t i = 0; i < c->program->count; i++) {
    const struct program_step *step = &c->program->steps[i];
    has_x[i] = (int)i == c->x;
    for (int k = 0; k < 3; k++)
      has_x[i] = has_x[i] || (step->operand[k] >= 0 && has_x[step->operand[k]]);
    for (size_t k = 0; k < step->part_count; k++)
      has_x[i] = has_x[i] || has_x[step->parts[k]];
    if (needed[i] && has_x[i] && (int)i != c->x && (step->kind != PROGRAM_ELEMENT || step->is_array))
      return false;
  }
  return true;
}

static int each_alone(const struct curve *c, struct program *to, const bool *needed, struct lanes *values,
                      const double *x, size_t count, struct lanes *out)
{
  struct lanes *results = ARENA_ARRAY(to->arena, struct lanes, count);
  if (!results)
    return error_memory(c->call->error);
  if (saturated_mul(count, c->program->count - c->first) > most_steps)
    return error_parameter(c->call->error, ERROR_ProcessGraphComplexity, "function",
                           "the function makes arrays of x, for too many x");
  for (size_t i = 0; i < count; i++) {
    values[c->x] = program_constant(to, x[i]);
    if (repeat(c, to, needed, values) != 0)
      return -1;
    results[i] = values[c->result.value];
  }
  *out = program_concat(to, results, count);
  return 0;
}

int curve_values(const struct curve *c, struct program *to, struct lanes parameters, const double *x, size_t count,
                 struct lanes *out)
{
  size_t steps = c->program->count;
  bool *needed = ARENA_ARRAY(to->arena, bool, steps), *has_x = ARENA_ARRAY(to->arena, bool, steps);
  struct lanes *values = ARENA_ARRAY(to->arena, struct lanes, steps);
  if (!needed || !has_x || !values)
    return error_memory(c->call->error);
  program_mark_needed(c->program, c->result.value, needed);
  values[c->parameters] = parameters;
  if (!works_on_arrays(c, needed, has_x))
    return each_alone(c, to, needed, values, x, count, out);
  values[c->x] = program_array(to, x, count);
  if (repeat(c, to, needed, values) != 0)
    return -1;
  *out = values[c->result.value];
  if (!out->is_array || !has_x[c->result.value]) { /* the same for all x */
    struct lanes *copies = ARENA_ARRAY(to->arena, struct lanes, count);
    for (size_t i = 0; copies && i < count; i++)
      copies[i] = *out;
    if (!copies)
      return error_memory(c->call->error);
    *out = program_concat(to, copies, count);
  }
  return program_failed(to) ? program_error(to, c->call->error) : 0;
}

const double *curve_positions(struct call *call, const struct dimension *labels, const char *parameter)
{
  double *x = ARENA_ARRAY(call->arena, double, labels->size);
  if (!x)
    error_memory(call->error);
  for (size_t i = 0; x && i < labels->size; i++) {
    char room[LABEL_TEXT_ROOM];
    int64_t instant = 0;
    const char *text = dimension_label_text(labels, i, room);
    if (labels->labels == LABEL_TIME)
      x[i] = (double)labels->times[i] / (double)MS_PER_SECOND;
    else if (labels->labels == LABEL_STEP || labels->labels == LABEL_NUMBER)
      x[i] = dimension_label_number(labels, i);
    else if (instant_parse(text, labels->calendar, &instant) == 0)
      x[i] = (double)instant / (double)MS_PER_SECOND;
    else {
      error_parameter(call->error, ERROR_ProcessParameterInvalid, parameter,
                      "the label '%s' is neither a number nor a date", text);
      return NULL;
    }
  }
  return x;
}
