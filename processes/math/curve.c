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
  case PROGRAM_FUNCTION:
    *out = program_function(to, of, step->function);
    return 0;
  case PROGRAM_CONCAT:
    *out = repeat_parts(to, step, values);
    return 0;
  default:
    return error_parameter(c->call->error, ERROR_FeatureUnsupported, "function",
                           "the process given as 'function' fits a curve itself");
  }
}

/* Which steps depend on the value `of`. */
static void mark_dependent(const struct program *program, int of, bool *depends)
{
  for (size_t i = 0; i < program->count; i++) {
    const struct program_step *step = &program->steps[i];
    depends[i] = (int)i == of;
    for (int k = 0; k < 3; k++)
      depends[i] = depends[i] || (step->operand[k] >= 0 && depends[step->operand[k]]);
    for (size_t k = 0; k < step->part_count; k++)
      depends[i] = depends[i] || depends[step->parts[k]];
  }
}

struct uses { /* per step of the function */
  bool *needed, *of_x, *of_parameters;
  const double **known; /* its value at each x, where the parameters do not matter; NULL: to be computed */
};

/* The function's steps once more; values: per step, filled. */
static int repeat(const struct curve *c, struct program *to, const struct uses *uses, struct lanes *values)
{
  for (size_t i = 0; i < c->program->count; i++) {
    if (!uses->needed[i] || uses->known[i] || (int)i == c->parameters)
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

/* Computes what depends on x alone, once: not again for every guess of the parameters. */
static int find_known(const struct curve *c, const struct uses *uses, const double *x, size_t count)
{
  struct error *error = c->call->error;
  struct program *once = program_new(c->call->arena);
  struct lanes *values = ARENA_ARRAY(c->call->arena, struct lanes, c->program->count);
  if (!once || !values)
    return error_memory(error);
  uses->known[c->x] = x;
  values[c->x] = program_array(once, x, count);
  for (size_t i = c->first; i < c->program->count; i++) {
    const struct program_step *step = &c->program->steps[i];
    bool simple = step->kind == PROGRAM_CONSTANT || (step->kind == PROGRAM_ELEMENT && !step->is_array);
    for (int k = 0; k < 3; k++)
      simple = simple && (step->operand[k] < 0 || values[step->operand[k]].length > 0);
    if (!uses->needed[i] || uses->of_parameters[i] || !simple || (int)i == c->x || (int)i == c->parameters)
      continue;
    if (repeat_step(c, once, step, values, &values[i]) != 0 || program_failed(once))
      return program_failed(once) ? program_error(once, error) : -1;
    if (!uses->of_x[i])
      continue;
    double *numbers = ARENA_ARRAY(c->call->arena, double, count);
    if (!numbers)
      return error_memory(error);
    if (program_evaluate(once, values[i], numbers, error) != 0)
      return -1;
    uses->known[i] = numbers;
    values[i].value = program_array(once, numbers, count).value;
  }
  return 0;
}

/* The known values at all x, or at one. */
static void put_known(const struct curve *c, const struct uses *uses, struct program *to, struct lanes *values,
                      size_t first, size_t count, bool is_array)
{
  for (size_t i = 0; i < c->program->count; i++)
    if (uses->known[i])
      values[i] = is_array ? program_array(to, uses->known[i], count) : program_constant(to, uses->known[i][first]);
}

/* Whether all steps that x goes through work on single numbers. */
static bool works_on_arrays(const struct curve *c, const struct uses *uses)
{
  for (size_t i = 0; i < c->program->count; i++) {
    const struct program_step *step = &c->program->steps[i];
    if (uses->needed[i] && uses->of_x[i] && (int)i != c->x && (step->kind != PROGRAM_ELEMENT || step->is_array))
      return false;
  }
  return true;
}

static int each_alone(const struct curve *c, struct program *to, const struct uses *uses, struct lanes *values,
                      size_t count, struct lanes *out)
{
  struct lanes *results = ARENA_ARRAY(to->arena, struct lanes, count);
  if (!results)
    return error_memory(c->call->error);
  if (saturated_mul(count, c->program->count - c->first) > most_steps)
    return error_parameter(c->call->error, ERROR_ProcessGraphComplexity, "function",
                           "the function makes arrays of x, for too many x");
  for (size_t i = 0; i < count; i++) {
    put_known(c, uses, to, values, i, 1, false);
    if (repeat(c, to, uses, values) != 0)
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
  const struct uses uses = {ARENA_ARRAY(to->arena, bool, steps), ARENA_ARRAY(to->arena, bool, steps),
                            ARENA_ARRAY(to->arena, bool, steps), ARENA_ARRAY(to->arena, const double *, steps)};
  struct lanes *values = ARENA_ARRAY(to->arena, struct lanes, steps);
  if (!uses.needed || !uses.of_x || !uses.of_parameters || !uses.known || !values)
    return error_memory(c->call->error);
  program_mark_needed(c->program, c->result.value, uses.needed);
  mark_dependent(c->program, c->x, uses.of_x);
  mark_dependent(c->program, c->parameters, uses.of_parameters);
  values[c->parameters] = parameters;
  if (find_known(c, &uses, x, count) != 0)
    return -1;
  if (!works_on_arrays(c, &uses))
    return each_alone(c, to, &uses, values, count, out);
  put_known(c, &uses, to, values, 0, count, true);
  if (repeat(c, to, &uses, values) != 0)
    return -1;
  *out = values[c->result.value];
  if (!out->is_array || !uses.of_x[c->result.value]) { /* the same for all x */
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
