/* Reading the arguments of a call, and the one-line emitters that most processes consist of.
 *
 * Arguments were checked against the spec when the graph was bound. What remains to be checked here is what a spec
 * cannot say: that a number is known before the run (lanes are not), that it is whole or in range, and that an array
 * holds numbers. */
#include "processes/process.h"

#include "datacube/base/missing.h"

#include "datacube/cube.h"
#include "hpc/plan/node.h"
#include "processes/array/elements.h"
#include "processes/array/kept.h"

#include <math.h>
#include <string.h>

const struct value *call_argument(const struct call *call, const char *name)
{
  for (size_t i = 0; i < call->argument_count; i++) {
    if (strcmp(call->arguments[i].name, name) == 0)
      return &call->arguments[i].value;
  }
  return NULL;
}

bool call_has(const struct call *call, const char *name)
{
  const struct value *value = call_argument(call, name);
  return value != NULL && value->kind != VALUE_NULL;
}

/* The argument, or NULL with ProcessParameterRequired. */
static const struct value *required(struct call *call, const char *name)
{
  const struct value *value = call_argument(call, name);
  if (value == NULL)
    error_parameter(call->error, ERROR_ProcessParameterRequired, name, "process '%s' needs the parameter '%s'",
                    call->process->id, name);
  return value;
}

static int invalid(struct call *call, const char *name, const char *expected, const struct value *value)
{
  struct buffer given = {.limit = 1024};
  value_describe(value, &given);
  error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                  "parameter '%s' of process '%s' must be %s; it is %s", name, call->process->id, expected,
                  given.length > 0 ? given.data : value_kind_name(value));
  buffer_free(&given);
  return -1;
}

/* The argument if it is of the kind, else NULL with the error set. */
static const struct value *of_kind(struct call *call, const char *name, enum value_kind kind, const char *expected)
{
  const struct value *value = required(call, name);
  if (value == NULL)
    return NULL;
  if (value->kind == kind)
    return value;
  invalid(call, name, expected, value);
  return NULL;
}

int call_number(struct call *call, const char *name, double *out)
{
  const struct value *value = of_kind(call, name, VALUE_NUMBER, "a number");
  if (value == NULL)
    return -1;
  *out = value->number;
  return 0;
}

int call_integer(struct call *call, const char *name, int64_t minimum, int64_t maximum, int64_t *out)
{
  const struct value *value = of_kind(call, name, VALUE_NUMBER, "a whole number");
  if (value == NULL)
    return -1;
  double number = value->number;
  /* written so that NaN fails */
  if (!(number >= (double)minimum && number <= (double)maximum && number == trunc(number)))
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                           "parameter '%s' of process '%s' must be a whole number from %lld to %lld; it is %.17g", name,
                           call->process->id, (long long)minimum, (long long)maximum, number);
  *out = (int64_t)number;
  return 0;
}

int call_boolean(struct call *call, const char *name, bool *out)
{
  const struct value *value = of_kind(call, name, VALUE_BOOLEAN, "true or false");
  if (value == NULL)
    return -1;
  *out = value->boolean;
  return 0;
}

int call_text(struct call *call, const char *name, const char **out)
{
  const struct value *value = of_kind(call, name, VALUE_TEXT, "a string");
  if (value == NULL)
    return -1;
  *out = value->text;
  return 0;
}

int call_cube(struct call *call, const char *name, const struct node **out)
{
  const struct value *value = of_kind(call, name, VALUE_CUBE, "a data cube");
  if (value == NULL)
    return -1;
  *out = value->cube;
  return 0;
}

int call_callback_argument(struct call *call, const char *name, const struct callback **out)
{
  const struct value *value = of_kind(call, name, VALUE_CALLBACK, "a process graph");
  if (value == NULL)
    return -1;
  *out = value->callback;
  return 0;
}

bool value_is_lanes_like(const struct value *value)
{
  switch (value->kind) {
  case VALUE_NULL:
  case VALUE_BOOLEAN:
  case VALUE_NUMBER:
    return true;
  case VALUE_LANES:
    return !value->lanes.is_array;
  default:
    return false;
  }
}

bool value_is_lanes_array_like(const struct value *value)
{
  if (value->kind == VALUE_LANES)
    return value->lanes.is_array && value->kept == NULL;
  if (value->kind != VALUE_ARRAY)
    return false;
  for (size_t i = 0; i < value->count; i++) {
    if (!value_is_lanes_like(&value->items[i]))
      return false;
  }
  return true;
}

struct lanes value_as_lanes(struct program *program, const struct value *value)
{
  switch (value->kind) {
  case VALUE_BOOLEAN:
    return program_boolean(program, value->boolean);
  case VALUE_NUMBER:
    return program_constant(program, value->number);
  case VALUE_LANES:
    return value->lanes;
  default:
    return program_missing(program);
  }
}

static bool all_boolean(const struct value *array)
{
  bool some = false;
  for (size_t i = 0; i < array->count; i++) {
    const struct value *item = &array->items[i];
    bool boolean = item->kind == VALUE_BOOLEAN || (item->kind == VALUE_LANES && item->lanes.class == LANES_BOOLEAN);
    if (!boolean && item->kind != VALUE_NULL)
      return false;
    some |= boolean;
  }
  return some;
}

/* All elements known: one constant. */
static struct lanes host_array(struct program *program, const struct value *value)
{
  double *numbers = ARENA_ARRAY(program->arena, double, value->count);
  if (numbers == NULL) {
    program->failed = true;
    return program_missing(program);
  }
  for (size_t i = 0; i < value->count; i++) {
    const struct value *item = &value->items[i];
    numbers[i] = item->kind == VALUE_NULL ? na_f64() : item->kind == VALUE_BOOLEAN ? item->boolean : item->number;
  }
  return program_array(program, numbers, value->count);
}

static struct lanes mixed_array(struct program *program, const struct value *value)
{
  struct lanes *parts = ARENA_ARRAY(program->arena, struct lanes, value->count + 1);
  if (parts == NULL) {
    program->failed = true;
    return program_missing(program);
  }
  for (size_t i = 0; i < value->count; i++)
    parts[i] = value_as_lanes(program, &value->items[i]);
  return program_concat(program, parts, value->count);
}

struct lanes value_as_lanes_array(struct program *program, const struct value *value)
{
  if (value->kind == VALUE_LANES)
    return value->lanes;
  struct lanes array = value_is_host(value) ? host_array(program, value) : mixed_array(program, value);
  array.class = all_boolean(value) ? LANES_BOOLEAN : LANES_NUMBER;
  if (value->labels != NULL) {
    array.labels = labels_as_dimension(program->arena, value->labels, value->count);
    program->failed |= array.labels == NULL;
  }
  return array;
}

int call_lanes(struct call *call, const char *name, struct lanes *out)
{
  const struct value *value = required(call, name);
  if (value == NULL)
    return -1;
  if (value->kind == VALUE_CUBE)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                           "process '%s' works on single values; use it inside 'apply' for a data cube",
                           call->process->id);
  if (!value_is_lanes_like(value))
    return invalid(call, name, "a number, a boolean or null", value);
  *out = value_as_lanes(call->program, value);
  return 0;
}

int call_lanes_array(struct call *call, const char *name, struct lanes *out)
{
  const struct value *value = required(call, name);
  if (value == NULL)
    return -1;
  if (value->kind == VALUE_CUBE)
    return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                           "process '%s' works on arrays; use it inside 'reduce_dimension' or 'apply_dimension' for a "
                           "data cube",
                           call->process->id);
  if (value->kind == VALUE_LANES && value->kept != NULL)
    return kept_unsupported(call, name);
  if (!value_is_lanes_array_like(value))
    return invalid(call, name, "an array of numbers, booleans or nulls", value);
  *out = value_as_lanes_array(call->program, value);
  return 0;
}

int emit_unary(struct call *call, enum kernel_op op, const char *x, struct value *result)
{
  struct lanes a;
  if (call_lanes(call, x, &a) != 0)
    return -1;
  *result = value_lanes(program_unary(call->program, op, a));
  return 0;
}

int emit_binary(struct call *call, enum kernel_op op, const char *x, const char *y, struct value *result)
{
  struct lanes a, b;
  if (call_lanes(call, x, &a) != 0 || call_lanes(call, y, &b) != 0)
    return -1;
  *result = value_lanes(program_binary(call->program, op, a, b));
  return 0;
}

int emit_reduce(struct call *call, enum kernel_reducer reducer, struct value *result)
{
  struct lanes data;
  const struct lanes *kept;
  bool ignore_nodata = false;
  if (call_kept_array(call, "data", &data, &kept) != 0)
    return -1;
  if (call_has(call, "ignore_nodata") && call_boolean(call, "ignore_nodata", &ignore_nodata) != 0)
    return -1;
  double parameter = ignore_nodata ? 1 : 0;
  *result = value_lanes(kept_reduce(call->program, reducer, data, kept, &parameter, 1));
  return 0;
}

int call_dimension(struct call *call, const char *name, const struct node *cube, size_t *out)
{
  const char *text;
  if (call_text(call, name, &text) != 0)
    return -1;
  size_t index = cube_find_dimension(cube->cube, text);
  if (index == SIZE_MAX)
    return error_parameter(call->error, ERROR_DimensionNotAvailable, name,
                           "the data cube has no dimension '%s'; its dimensions are: %s", text,
                           cube_dimension_names(call->arena, cube->cube));
  *out = index;
  return 0;
}
