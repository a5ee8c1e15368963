/* Building programs. Types follow two rules: what selects keeps the type, what computes gives a float. */
#include "hpc/kernel/program.h"

#include "datacube/base/missing.h"
#include "hpc/kernel/program_complex.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct program *program_new(struct arena *arena)
{
  struct program *program = ARENA_NEW(arena, struct program);
  if (program)
    program->arena = arena;
  return program;
}

bool program_failed(const struct program *program)
{
  return program->failed;
}

int program_error(const struct program *program, struct error *error)
{
  if (program->unsupported)
    return error_set(error, ERROR_FeatureUnsupported, "the operation %s is not available for complex numbers",
                     program->unsupported);
  if (!program->mismatch)
    return error_memory(error);
  return error_set(error, ERROR_ProcessParameterInvalid,
                   "arrays of different lengths are combined, or an index is out of range");
}

static void mismatch(struct program *p)
{
  p->mismatch |= !p->failed; /* the first failure counts: values made after it are placeholders */
  p->failed = true;
}

static struct program_step *add_step(struct program *p)
{
  if (p->count == p->capacity) {
    size_t capacity = p->capacity ? 2 * p->capacity : 16;
    struct program_step *steps = ARENA_ARRAY(p->arena, struct program_step, capacity);
    if (!steps) {
      p->failed = true;
      return NULL;
    }
    if (p->count)
      memcpy(steps, p->steps, p->count * sizeof *steps);
    p->steps = steps;
    p->capacity = capacity;
  }
  struct program_step *step = &p->steps[p->count++];
  *step = (struct program_step){.operand = {-1, -1, -1}, .length = 1};
  return step;
}

/* Handle of the newest value. */
static struct lanes newest(const struct program *p, enum lane_class class, enum element_type type)
{
  if (p->failed || p->count == 0)
    return (struct lanes){.program = p, .length = 1, .class = class, .type = type};
  const struct program_step *step = &p->steps[p->count - 1];
  return (struct lanes){.program = p,
                        .value = (int)p->count - 1,
                        .is_array = step->is_array,
                        .length = step->length,
                        .class = class,
                        .type = type};
}

/* A number's one component, or one of its two. */
static struct lanes component_input(struct program *p, const struct program_step *shape, enum element_type type)
{
  struct program_step *step = add_step(p);
  if (step) {
    *step = *shape;
    if (shape->input >= p->input_count)
      p->input_count = shape->input + 1;
  }
  return newest(p, type == ELEMENT_BOOLEAN ? LANES_BOOLEAN : LANES_NUMBER, type);
}

struct lanes program_input(struct program *p, size_t input, bool is_array, size_t length, enum element_type type,
                           const struct dimension *labels)
{
  const bool is_complex = element_info(type)->is_complex;
  const enum element_type part = !is_complex ? type : type == ELEMENT_C64 ? ELEMENT_F32 : ELEMENT_F64;
  struct program_step step = {.kind = PROGRAM_INPUT,
                              .is_array = is_array,
                              .length = is_array ? length : 1,
                              .operand = {-1, -1, -1},
                              .input = input,
                              .wants_f64 = !element_info(part)->exact_in_f32};
  struct lanes lanes = component_input(p, &step, part);
  if (is_complex) {
    step.component = 1;
    lanes = program_complex(p, lanes, component_input(p, &step, part));
  }
  lanes.labels = labels;
  return lanes;
}

static enum element_type constant_type(double value)
{
  for (int type = ELEMENT_U8; type <= ELEMENT_I16; type++)
    if (element_holds((enum element_type)type, value))
      return (enum element_type)type;
  if (isfinite(value) && value == rint(value) && fabs(value) > 16777216.0)
    return element_holds(ELEMENT_I64, value) && fabs(value) <= 9007199254740992.0 ? ELEMENT_I64 : ELEMENT_F64;
  return isfinite(value) && fabs(value) > (double)FLT_MAX ? ELEMENT_F64 : ELEMENT_F32;
}

struct lanes program_constant(struct program *p, double value)
{
  enum element_type type = constant_type(value);
  struct program_step *step = add_step(p);
  if (step) {
    step->kind = PROGRAM_CONSTANT;
    step->constant = value;
    step->wants_f64 = !element_info(type)->exact_in_f32;
  }
  return newest(p, LANES_NUMBER, type);
}

struct lanes program_boolean(struct program *p, bool value)
{
  struct lanes lanes = program_constant(p, value ? 1 : 0);
  lanes.class = LANES_BOOLEAN;
  lanes.type = ELEMENT_BOOLEAN;
  return lanes;
}

struct lanes program_missing(struct program *p)
{
  struct lanes lanes = program_constant(p, na_f64());
  lanes.type = ELEMENT_BOOLEAN; /* fits beside everything */
  return lanes;
}

static enum element_type join(enum element_type a, enum element_type b);

struct lanes program_array(struct program *p, const double *values, size_t count)
{
  double *copy = arena_copy(p->arena, values, count * sizeof *values);
  enum element_type type = ELEMENT_BOOLEAN;
  struct program_step *step = add_step(p);
  p->failed |= copy == NULL;
  for (size_t i = 0; i < count; i++)
    type = is_na_f64(values[i]) ? type : join(type, constant_type(values[i]));
  if (step) {
    step->kind = PROGRAM_CONSTANT;
    step->is_array = true;
    step->length = count;
    step->parameters = copy;
    step->wants_f64 = !element_info(type)->exact_in_f32;
  }
  return newest(p, LANES_NUMBER, type);
}

static bool exact(const struct lanes *lanes)
{
  return element_info(lanes->type)->exact_in_f32;
}

/* The narrowest type that holds both: for selection among values. */
static enum element_type join(enum element_type a, enum element_type b)
{
  if (a == b || b == ELEMENT_BOOLEAN)
    return a;
  if (a == ELEMENT_BOOLEAN)
    return b;
  const struct element_info *x = element_info(a), *y = element_info(b);
  if (x->is_float || y->is_float)
    return x->exact_in_f32 && y->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  static const enum element_type order[] = {ELEMENT_U8,  ELEMENT_I8,  ELEMENT_U16, ELEMENT_I16,
                                            ELEMENT_U32, ELEMENT_I32, ELEMENT_I64};
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    const struct element_info *z = element_info(order[i]);
    bool holds_x = x == z || (z->size > x->size && (z->is_signed || !x->is_signed));
    bool holds_y = y == z || (z->size > y->size && (z->is_signed || !y->is_signed));
    if (holds_x && holds_y)
      return order[i];
  }
  return ELEMENT_F64;
}

/* What the result of an operation means: kernel_ops.def's column. */
enum op_class { NUMBER, BOOLEAN, SELECTED };

static const enum op_class op_classes[] = {
#define KOP(name, arity, class, expression) [KOP_##name] = class,
#include "hpc/kernel/kernel_ops.def"
#undef KOP
};

static enum element_type element_type_of(enum kernel_op op, const struct lanes *operand, int count)
{
  if (op_classes[op] == BOOLEAN)
    return ELEMENT_BOOLEAN;
  if (op == KOP_MASK || (op == KOP_ABS && !element_info(operand[0].type)->is_signed))
    return operand[0].type;
  if (op == KOP_SELECT || op == KOP_MIN || op == KOP_MAX)
    return join(operand[0].type, operand[1].type);
  bool narrow = true;
  for (int i = 0; i < count; i++)
    narrow = narrow && exact(&operand[i]);
  return narrow ? ELEMENT_F32 : ELEMENT_F64;
}

static enum lane_class class_of(enum kernel_op op, const struct lanes *operand)
{
  switch (op_classes[op]) {
  case BOOLEAN:
    return LANES_BOOLEAN;
  case SELECTED: /* MASK: from the first operand; SELECT: from the first two */
    return op == KOP_MASK || operand[0].class == operand[1].class ? operand[0].class : LANES_NUMBER;
  default:
    return LANES_NUMBER;
  }
}

static struct lanes element(struct program *p, enum kernel_op op, const struct lanes *operand, int count)
{
  for (int i = 0; i < count; i++)
    if (operand[i].is_complex)
      return complex_element(p, op, operand, count);
  size_t length = 1;
  bool is_array = false;
  const struct dimension *labels = NULL;
  for (int i = 0; i < count; i++) {
    if (!operand[i].is_array)
      continue;
    if (is_array && operand[i].length != length)
      mismatch(p);
    is_array = true;
    length = operand[i].length;
    labels = labels ? labels : operand[i].labels;
  }
  struct program_step *step = add_step(p);
  if (step) {
    step->kind = PROGRAM_ELEMENT;
    step->op = (uint16_t)op;
    step->is_array = is_array;
    step->length = length;
    for (int i = 0; i < count; i++)
      step->operand[i] = operand[i].value;
  }
  struct lanes lanes = newest(p, class_of(op, operand), element_type_of(op, operand, count));
  lanes.labels = labels;
  return lanes;
}

struct lanes program_unary(struct program *p, enum kernel_op op, struct lanes a)
{
  return element(p, op, &a, 1);
}

struct lanes program_binary(struct program *p, enum kernel_op op, struct lanes a, struct lanes b)
{
  struct lanes operand[] = {a, b};
  return element(p, op, operand, 2);
}

struct lanes program_ternary(struct program *p, enum kernel_op op, struct lanes a, struct lanes b, struct lanes c)
{
  struct lanes operand[] = {a, b, c};
  return element(p, op, operand, 3);
}

static enum element_type reduced_type(enum kernel_reducer reducer, enum element_type type)
{
  switch (reducer) {
  case KRED_MIN:
  case KRED_MAX:
  case KRED_FIRST:
  case KRED_LAST:
    return type;
  case KRED_COUNT:
    return ELEMENT_I32;
  case KRED_ALL:
  case KRED_ANY:
    return ELEMENT_BOOLEAN;
  default:
    return element_info(type)->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  }
}

struct lanes program_reduce(struct program *p, enum kernel_reducer reducer, struct lanes array,
                            const double *parameters, size_t count)
{
  if (array.is_complex)
    return complex_reduce(p, reducer, array, parameters, count);
  double *copy = arena_copy(p->arena, parameters, count * sizeof *parameters);
  struct program_step *step = add_step(p);
  p->failed |= !copy;
  if (!array.is_array || (reducer == KRED_WEIGHTED_SUM && count != array.length + 1))
    mismatch(p);
  if (step) {
    step->kind = PROGRAM_REDUCE;
    step->op = (uint16_t)reducer;
    step->operand[0] = array.value;
    step->parameters = copy;
    step->parameter_count = count;
    step->is_array = reducer == KRED_QUANTILES;
    step->length = step->is_array ? count - 1 : 1;
  }
  bool keeps = reducer == KRED_FIRST || reducer == KRED_LAST;
  bool decides = reducer == KRED_ALL || reducer == KRED_ANY;
  enum lane_class class = decides ? LANES_BOOLEAN : keeps ? array.class : LANES_NUMBER;
  enum element_type type = reduced_type(reducer, array.type);
  if (type == ELEMENT_BOOLEAN && class == LANES_NUMBER)
    type = ELEMENT_U8;
  return newest(p, class, type);
}

struct lanes program_series(struct program *p, enum kernel_series series, struct lanes array, const double *parameters,
                            size_t count)
{
  if (array.is_complex)
    return complex_series(p, series, array, parameters, count);
  double *copy = arena_copy(p->arena, parameters, count * sizeof *parameters);
  struct program_step *step = add_step(p);
  p->failed |= !copy;
  if (!array.is_array)
    mismatch(p);
  if (step) {
    step->kind = PROGRAM_SERIES;
    step->op = (uint16_t)series;
    step->operand[0] = array.value;
    step->parameters = copy;
    step->parameter_count = count;
    step->is_array = true;
    step->length = array.length;
  }
  bool keeps = series == KSER_SORT || series == KSER_REVERSE || series == KSER_CUMMIN || series == KSER_CUMMAX;
  enum element_type computed = exact(&array) ? ELEMENT_F32 : ELEMENT_F64;
  enum element_type type = keeps ? array.type : series == KSER_ORDER ? ELEMENT_I32 : computed;
  return newest(p, keeps ? array.class : LANES_NUMBER, type);
}

struct lanes program_fit(struct program *p, struct lanes array, const struct program_curve *curve,
                         const double *parameters, size_t count)
{
  double *copy = arena_copy(p->arena, parameters, count * sizeof *parameters);
  struct program_step *step = add_step(p);
  p->failed |= !copy;
  if (!array.is_array || array.is_complex)
    mismatch(p);
  if (step) {
    step->kind = PROGRAM_FIT;
    step->operand[0] = array.value;
    step->parameters = copy;
    step->parameter_count = count;
    step->curve = curve;
    step->is_array = true;
    step->length = count - 1;
    step->wants_f64 = true;
  }
  return newest(p, LANES_NUMBER, ELEMENT_F64);
}

struct lanes program_function(struct program *p, struct lanes array, const struct array_function *function)
{
  struct program_step *step = add_step(p);
  if (!array.is_array || array.is_complex || array.length != function->arguments)
    mismatch(p);
  if (step) {
    step->kind = PROGRAM_FUNCTION;
    step->operand[0] = array.value;
    step->function = function;
    step->is_array = true;
    step->length = function->results;
    step->wants_f64 = true;
  }
  return newest(p, LANES_NUMBER, ELEMENT_F64);
}

static struct lanes pick(struct program *p, struct lanes array, const size_t *indexes, size_t count, bool is_array)
{
  if (array.is_complex)
    return complex_pick(p, array, indexes, count, is_array);
  size_t *copy = arena_copy(p->arena, indexes, count * sizeof *indexes);
  struct program_step *step = add_step(p);
  p->failed |= !copy;
  if (!array.is_array)
    mismatch(p);
  for (size_t i = 0; copy && i < count; i++)
    if (copy[i] >= array.length)
      mismatch(p);
  if (step) {
    step->kind = PROGRAM_PICK;
    step->operand[0] = array.value;
    step->indexes = copy;
    step->is_array = is_array;
    step->length = count;
  }
  return newest(p, array.class, array.type);
}

struct lanes program_element(struct program *p, struct lanes array, size_t index)
{
  return pick(p, array, &index, 1, false);
}

struct lanes program_pick(struct program *p, struct lanes array, const size_t *indexes, size_t count)
{
  return pick(p, array, indexes, count, true);
}

struct lanes program_concat(struct program *p, const struct lanes *parts, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (parts[i].is_complex)
      return complex_concat(p, parts, count);
  int *ids = ARENA_ARRAY(p->arena, int, count);
  if (!ids) {
    p->failed = true;
    return newest(p, LANES_NUMBER, ELEMENT_F32);
  }
  size_t length = 0;
  enum lane_class class = count ? parts[0].class : LANES_NUMBER;
  enum element_type type = count ? parts[0].type : ELEMENT_F32;
  for (size_t i = 0; i < count; i++) {
    ids[i] = parts[i].value;
    length += parts[i].length;
    type = join(type, parts[i].type);
    if (parts[i].class != class)
      class = LANES_NUMBER;
  }
  struct program_step *step = add_step(p);
  if (step) {
    step->kind = PROGRAM_CONCAT;
    step->parts = ids;
    step->part_count = count;
    step->is_array = true;
    step->length = length;
  }
  return newest(p, class, type);
}

/* ---- an element's computation, for all elements ------------------------------------------------------------------ */

/* Whether step i can be taken for all elements at once, and what it then becomes: spread[i] is the value that step i
 * has as an array, -1 where it does not depend on the element. */
static bool spread_step(struct program *p, size_t i, size_t length, int *spread)
{
  struct program_step step = p->steps[i];
  bool depends = false;
  for (int k = 0; k < 3; k++) {
    const int operand = step.operand[k];
    if (operand < 0 || spread[operand] < 0)
      continue;
    depends = true;
    step.operand[k] = spread[operand];
  }
  for (size_t k = 0; k < step.part_count; k++)
    if (spread[step.parts[k]] >= 0)
      return false;
  if (!depends)
    return true;
  if (step.kind != PROGRAM_ELEMENT || step.is_array)
    return false;
  step.is_array = true;
  step.length = length;
  struct program_step *added = add_step(p);
  if (!added)
    return false;
  *added = step;
  spread[i] = (int)p->count - 1;
  return true;
}

bool program_spread(struct program *p, struct lanes array, struct lanes element, struct lanes result, struct lanes *out)
{
  const size_t end = p->count;
  if (p->failed || array.is_complex || result.is_complex || result.is_array)
    return false;
  int *spread = ARENA_ARRAY(p->arena, int, end);
  if (!spread) {
    p->failed = true;
    return false;
  }
  for (size_t i = 0; i < end; i++)
    spread[i] = -1;
  spread[element.value] = array.value;
  for (size_t i = (size_t)element.value + 1; i < end; i++)
    if (!spread_step(p, i, array.length, spread))
      return false;
  *out = result;
  out->value = spread[result.value];
  out->is_array = true;
  out->length = array.length;
  out->labels = array.labels;
  return out->value >= 0;
}

void program_mark_needed(const struct program *program, int result, bool *needed)
{
  needed[result] = true;
  for (size_t i = (size_t)result + 1; i-- > 0;) {
    const struct program_step *step = &program->steps[i];
    if (!needed[i])
      continue;
    for (int k = 0; k < 3; k++)
      if (step->operand[k] >= 0)
        needed[step->operand[k]] = true;
    for (size_t k = 0; k < step->part_count; k++)
      needed[step->parts[k]] = true;
  }
}
