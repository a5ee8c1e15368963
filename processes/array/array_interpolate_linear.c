/* Missing and NaN elements filled by linear interpolation between their valid neighbours; the edges stay.
 *
 * Where the labels are numbers or times they are the positions x, else the index is. With the last valid element
 * before (value a at x_a) and the next one behind (value b at x_b):
 *
 *   w = (x - x_a) / (x_b - x_a),   value = a (1 - w) + b w
 *
 * Equidistant positions take the kernel's own series; others are written out: two sweeps carry the nearest valid value
 * and its position forwards and backwards, four steps an element. */
#include "processes/array/elements.h"

#include <math.h>

struct neighbour { /* nearest valid element on one side, per lane; missing where there is none */
  struct lanes value, position;
};

/* Positions from the labels, counted from the first in units of the first step. NULL when out of memory. */
static const double *label_positions(struct call *call, const struct dimension *labels, size_t count)
{
  double *x = ARENA_ARRAY(call->arena, double, count);
  if (x == NULL) {
    error_memory(call->error);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    x[i] = labels->labels == LABEL_TIME ? (double)labels->times[i] : dimension_label_number(labels, i);
  double first = x[0], step = x[1] - x[0];
  for (size_t i = 0; i < count; i++)
    x[i] = (x[i] - first) / step;
  return x;
}

/* Whether the positions are 0, 1, 2, …; error when they do not ascend. */
static int check_positions(struct call *call, const double *x, size_t count, bool *equidistant)
{
  for (size_t i = 1; i < count; i++) {
    if (!(x[i] > x[i - 1]))
      return error_parameter(call->error, ERROR_ProcessParameterInvalid, "data",
                             "the array's labels are not sorted; interpolation needs them in order");
    *equidistant &= fabs(x[i] - (double)i) <= 1e-9 * (double)i;
  }
  return 0;
}

static struct neighbour carry(struct program *p, struct neighbour before, struct lanes element, double position)
{
  struct lanes valid = program_unary(p, KOP_IS_VALID, element);
  struct lanes here = program_constant(p, position);
  return (struct neighbour){program_ternary(p, KOP_SELECT, element, before.value, valid),
                            program_ternary(p, KOP_SELECT, here, before.position, valid)};
}

static struct lanes between(struct program *p, struct neighbour a, struct neighbour b, struct lanes element, double x)
{
  struct lanes distance = program_binary(p, KOP_SUB, b.position, a.position);
  struct lanes offset = program_binary(p, KOP_SUB, program_constant(p, x), a.position);
  struct lanes weight = program_binary(p, KOP_DIV, offset, distance);
  struct lanes rest = program_binary(p, KOP_SUB, program_constant(p, 1), weight);
  struct lanes value = program_binary(p, KOP_ADD, program_binary(p, KOP_MUL, a.value, rest),
                                      program_binary(p, KOP_MUL, b.value, weight));
  /* a weight exists where both neighbours do; a valid element stays as it is */
  struct lanes fillable = program_binary(p, KOP_AND, program_unary(p, KOP_IS_VALID, weight),
                                         program_unary(p, KOP_NOT, program_unary(p, KOP_IS_VALID, element)));
  return program_ternary(p, KOP_SELECT, value, element, fillable);
}

static int interpolate_positions(struct call *call, struct lanes data, const double *x, struct lanes *out)
{
  struct program *p = call->program;
  size_t n = data.length;
  struct lanes *elements = ARENA_ARRAY(call->arena, struct lanes, n);
  struct neighbour *before = ARENA_ARRAY(call->arena, struct neighbour, n);
  if (elements == NULL || before == NULL)
    return error_memory(call->error);
  struct neighbour side = {program_missing(p), program_missing(p)};
  for (size_t i = 0; i < n; i++) {
    elements[i] = program_element(p, data, i);
    before[i] = side = carry(p, side, elements[i], x[i]);
  }
  side = (struct neighbour){program_missing(p), program_missing(p)};
  for (size_t i = n; i-- > 0;) {
    struct lanes element = elements[i];
    side = carry(p, side, element, x[i]);
    elements[i] = between(p, before[i], side, element, x[i]);
  }
  *out = program_concat(p, elements, n);
  return 0;
}

static int array_interpolate_linear_call(struct call *call, struct value *result)
{
  struct lanes data, filled;
  bool equidistant = true;
  if (call_lanes_array(call, "data", &data) != 0)
    return -1;
  const double *positions = NULL;
  if (data.labels != NULL && data.labels->labels != LABEL_TEXT && data.length > 2) {
    positions = label_positions(call, data.labels, data.length);
    if (positions == NULL || check_positions(call, positions, data.length, &equidistant) != 0)
      return -1;
  }
  if (equidistant)
    filled = program_series(call->program, KSER_INTERPOLATE, data, NULL, 0);
  else if (interpolate_positions(call, data, positions, &filled) != 0)
    return -1;
  filled.labels = data.labels;
  *result = value_lanes(filled);
  return 0;
}

const struct process process_array_interpolate_linear = {
    .id = "array_interpolate_linear", .shape = PROCESS_SERIES, .call = array_interpolate_linear_call};
