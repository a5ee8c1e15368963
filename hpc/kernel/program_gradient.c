/* Derivatives by the rules of each operation. See program_gradient.h. */
#include "hpc/kernel/program_gradient.h"

#include "datacube/base/checked.h"

static const size_t most_emitted = (size_t)1 << 20; /* steps times elements */

struct tangent { /* the derivative of a step's value; absent: it is zero */
  bool present;
  struct lanes lanes;
};

struct gradient {
  struct program *p;
  const struct tangent *known; /* per step */
  const struct program_step *step;
  struct lanes value;  /* of the step */
  struct lanes x[3];   /* its operands … */
  struct tangent d[3]; /* … and their derivatives */
};

static const double skip[] = {1};

static struct lanes handle(const struct program *p, int value)
{
  const struct program_step *step = &p->steps[value];
  return (struct lanes){.program = p,
                        .value = value,
                        .is_array = step->is_array,
                        .length = step->length,
                        .class = LANES_NUMBER,
                        .type = ELEMENT_F64};
}

static struct lanes number(struct gradient *g, double value)
{
  return program_constant(g->p, value);
}

static struct lanes one(struct gradient *g, enum kernel_op op, struct lanes a)
{
  return program_unary(g->p, op, a);
}

static struct lanes two(struct gradient *g, enum kernel_op op, struct lanes a, struct lanes b)
{
  return program_binary(g->p, op, a, b);
}

static struct lanes square(struct gradient *g, struct lanes a)
{
  return two(g, KOP_MUL, a, a);
}

static const struct tangent zero = {false, {0}};

static struct tangent tangent(struct lanes lanes)
{
  return (struct tangent){true, lanes};
}

static struct tangent times(struct gradient *g, struct tangent d, struct lanes factor)
{
  return d.present ? tangent(two(g, KOP_MUL, d.lanes, factor)) : zero;
}

static struct tangent over(struct gradient *g, struct tangent d, struct lanes divisor)
{
  return d.present ? tangent(two(g, KOP_DIV, d.lanes, divisor)) : zero;
}

static struct tangent negative(struct gradient *g, struct tangent d)
{
  return d.present ? tangent(one(g, KOP_NEG, d.lanes)) : zero;
}

static struct tangent sum(struct gradient *g, struct tangent a, struct tangent b)
{
  return !a.present ? b : !b.present ? a : tangent(two(g, KOP_ADD, a.lanes, b.lanes));
}

static struct lanes filled(struct gradient *g, struct tangent d)
{
  return d.present ? d.lanes : number(g, 0);
}

/* a where the condition holds, else b. */
static struct tangent chosen(struct gradient *g, struct tangent a, struct tangent b, struct lanes condition)
{
  if (!a.present && !b.present)
    return zero;
  return tangent(program_ternary(g->p, KOP_SELECT, filled(g, a), filled(g, b), condition));
}

/* ---- element operations ----------------------------------------------------------------------------------------- */

/* (d1 b - a d2 …) of a quotient v = a / b. */
static struct tangent quotient(struct gradient *g)
{
  return over(g, sum(g, g->d[0], negative(g, times(g, g->d[1], g->value))), g->x[1]);
}

/* d times the factor; 0 where d is, though the factor be infinite. */
static struct tangent times_infinite(struct gradient *g, struct tangent d, struct lanes factor)
{
  return d.present ? chosen(g, zero, times(g, d, factor), two(g, KOP_EQ, d.lanes, number(g, 0))) : zero;
}

/* a^b: b a^(b - 1) a' + a^b ln(a) b'. At a = 0, a^0 and 0^b (b > 0) do not change, though a factor is infinite. */
static struct tangent power(struct gradient *g)
{
  struct tangent base = zero, exponent = zero;
  if (g->d[0].present) {
    struct lanes less = two(g, KOP_SUB, g->x[1], number(g, 1));
    base = times_infinite(g, times(g, g->d[0], g->x[1]), two(g, KOP_POW, g->x[0], less));
  }
  if (g->d[1].present)
    exponent = times_infinite(g, times(g, g->d[1], g->value), one(g, KOP_LN, g->x[0]));
  return sum(g, base, exponent);
}

/* Logarithm of a to base b: (a'/a - v b'/b) / ln b */
static struct tangent logarithm(struct gradient *g)
{
  struct tangent of_base = over(g, times(g, g->d[1], g->value), g->x[1]);
  return over(g, sum(g, over(g, g->d[0], g->x[0]), negative(g, of_base)), one(g, KOP_LN, g->x[1]));
}

/* Angle of (b, a): (a' b - a b') / (a^2 + b^2) */
static struct tangent angle(struct gradient *g)
{
  struct tangent top = sum(g, times(g, g->d[0], g->x[1]), negative(g, times(g, g->d[1], g->x[0])));
  return over(g, top, two(g, KOP_ADD, square(g, g->x[0]), square(g, g->x[1])));
}

/* a' / sqrt(sign a^2 + offset) */
static struct tangent over_root(struct gradient *g, double sign, double offset)
{
  struct lanes under = two(g, KOP_ADD, two(g, KOP_MUL, square(g, g->x[0]), number(g, sign)), number(g, offset));
  return over(g, g->d[0], one(g, KOP_SQRT, under));
}

/* 1 + sign x^2 */
static struct lanes one_and_square(struct gradient *g, struct lanes x, double sign)
{
  return two(g, KOP_ADD, two(g, KOP_MUL, square(g, x), number(g, sign)), number(g, 1));
}

static struct tangent element_tangent(struct gradient *g)
{
  const struct tangent a = g->d[0], b = g->d[1];
  switch ((enum kernel_op)g->step->op) {
  case KOP_ADD:
    return sum(g, a, b);
  case KOP_SUB:
    return sum(g, a, negative(g, b));
  case KOP_MUL:
    return sum(g, times(g, a, g->x[1]), times(g, b, g->x[0]));
  case KOP_DIV:
    return quotient(g);
  case KOP_NEG:
    return negative(g, a);
  case KOP_ABS:
    return times(g, a, one(g, KOP_SGN, g->x[0]));
  case KOP_SQRT:
    return over(g, a, two(g, KOP_MUL, g->value, number(g, 2)));
  case KOP_MOD:
    return sum(g, a, negative(g, times(g, b, one(g, KOP_FLOOR, two(g, KOP_DIV, g->x[0], g->x[1])))));
  case KOP_POW:
    return power(g);
  case KOP_EXP:
    return times(g, a, g->value);
  case KOP_LN:
    return over(g, a, g->x[0]);
  case KOP_LOG:
    return logarithm(g);
  case KOP_SIN:
    return times(g, a, one(g, KOP_COS, g->x[0]));
  case KOP_COS:
    return negative(g, times(g, a, one(g, KOP_SIN, g->x[0])));
  case KOP_TAN:
    return times(g, a, one_and_square(g, g->value, 1));
  case KOP_ARCSIN:
    return over_root(g, -1, 1);
  case KOP_ARCCOS:
    return negative(g, over_root(g, -1, 1));
  case KOP_ARCTAN:
    return over(g, a, one_and_square(g, g->x[0], 1));
  case KOP_ARCTAN2:
    return angle(g);
  case KOP_HYPOT:
    return over(g, sum(g, times(g, a, g->x[0]), times(g, b, g->x[1])), g->value);
  case KOP_SINH:
    return times(g, a, one(g, KOP_COSH, g->x[0]));
  case KOP_COSH:
    return times(g, a, one(g, KOP_SINH, g->x[0]));
  case KOP_TANH:
    return times(g, a, one_and_square(g, g->value, -1));
  case KOP_ARSINH:
    return over_root(g, 1, 1);
  case KOP_ARCOSH:
    return over_root(g, 1, -1);
  case KOP_ARTANH:
    return over(g, a, one_and_square(g, g->x[0], -1));
  case KOP_MIN:
    return chosen(g, b, a, two(g, KOP_LT, g->x[1], g->x[0]));
  case KOP_MAX:
    return chosen(g, b, a, two(g, KOP_GT, g->x[1], g->x[0]));
  case KOP_SELECT:
    return chosen(g, a, b, g->x[2]);
  case KOP_MASK:
    return a.present ? tangent(two(g, KOP_MASK, a.lanes, g->x[1])) : zero;
  case KOP_FLOOR:
  case KOP_CEIL:
  case KOP_TRUNC:
  case KOP_ROUND:
  case KOP_SGN:
  case KOP_EQ:
  case KOP_NEQ:
  case KOP_LT:
  case KOP_LTE:
  case KOP_GT:
  case KOP_GTE:
  case KOP_AND:
  case KOP_OR:
  case KOP_XOR:
  case KOP_NOT:
  case KOP_IS_NAN:
  case KOP_IS_NODATA:
  case KOP_IS_VALID:
  case KOP_IS_INFINITE:
  case KOP_COUNT_:
    break;
  }
  return zero;
}

/* ---- arrays ----------------------------------------------------------------------------------------------------- */

static struct lanes reduced(struct gradient *g, enum kernel_reducer reducer, struct lanes array)
{
  return program_reduce(g->p, reducer, array, g->step->parameters, g->step->parameter_count);
}

/* The derivative where the elements count, NA where they are missing. */
static struct lanes masked(struct gradient *g)
{
  return two(g, KOP_MASK, g->d[0].lanes, one(g, KOP_IS_NODATA, g->x[0]));
}

/* Of the elements that are the extreme one: the mean of their derivatives. */
static struct tangent extreme(struct gradient *g)
{
  struct lanes differs = two(g, KOP_NEQ, g->x[0], g->value);
  return tangent(program_reduce(g->p, KRED_MEAN, two(g, KOP_MASK, g->d[0].lanes, differs), skip, 1));
}

/* 2 sum (x - mean) x' / (n - 1), n elements that are not missing; of the root, over 2 v. */
static struct tangent spread(struct gradient *g, bool root)
{
  static const double skip_and_count[] = {1, 0};
  struct lanes off = two(g, KOP_SUB, g->x[0], reduced(g, KRED_MEAN, g->x[0]));
  struct lanes total = reduced(g, KRED_SUM, two(g, KOP_MUL, off, g->d[0].lanes));
  struct lanes n = program_reduce(g->p, KRED_COUNT, g->x[0], skip_and_count, 2);
  struct lanes change = two(g, KOP_DIV, total, two(g, KOP_SUB, n, number(g, 1)));
  return tangent(root ? two(g, KOP_DIV, change, g->value) : two(g, KOP_MUL, change, number(g, 2)));
}

/* Product rule, factor by factor: right where factors are 0, too. */
static struct tangent product(struct gradient *g)
{
  struct lanes value = number(g, 1), change = number(g, 0), one_more = number(g, 1), none = number(g, 0);
  for (size_t i = 0; i < g->x[0].length; i++) {
    struct lanes x = program_element(g->p, g->x[0], i), d = program_element(g->p, g->d[0].lanes, i);
    if (g->step->parameters[0] != 0) {
      struct lanes missing = one(g, KOP_IS_NODATA, x);
      x = program_ternary(g->p, KOP_SELECT, one_more, x, missing);
      d = program_ternary(g->p, KOP_SELECT, none, d, missing);
    }
    change = two(g, KOP_ADD, two(g, KOP_MUL, change, x), two(g, KOP_MUL, value, d));
    value = two(g, KOP_MUL, value, x);
  }
  return tangent(change);
}

static int no_rule(const char *name, struct error *error)
{
  return error_set(error, ERROR_FeatureUnsupported,
                   "the operation %s has no derivative here: errors are not propagated through it", name);
}

static int reduce_tangent(struct gradient *g, struct tangent *out, struct error *error)
{
  enum kernel_reducer reducer = (enum kernel_reducer)g->step->op;
  switch (reducer) {
  case KRED_SUM:
  case KRED_MEAN:
  case KRED_WEIGHTED_SUM:
  case KRED_FIRST:
  case KRED_LAST:
    *out = tangent(reduced(g, reducer, masked(g)));
    return 0;
  case KRED_PRODUCT:
    *out = product(g);
    return 0;
  case KRED_MIN:
  case KRED_MAX:
    *out = extreme(g);
    return 0;
  case KRED_VARIANCE:
  case KRED_SD:
    *out = spread(g, reducer == KRED_SD);
    return 0;
  case KRED_COUNT:
  case KRED_ALL:
  case KRED_ANY:
    *out = zero;
    return 0;
  default:
    return no_rule(kernel_reducer_name(reducer), error);
  }
}

static int series_tangent(struct gradient *g, struct tangent *out, struct error *error)
{
  enum kernel_series series = (enum kernel_series)g->step->op;
  if (series != KSER_CUMSUM && series != KSER_REVERSE)
    return no_rule(kernel_series_name(series), error);
  *out = tangent(program_series(g->p, series, masked(g), g->step->parameters, g->step->parameter_count));
  return 0;
}

static int concat_tangent(struct gradient *g, struct tangent *out, struct error *error)
{
  struct lanes *parts = ARENA_ARRAY(g->p->arena, struct lanes, g->step->part_count);
  if (!parts)
    return error_memory(error);
  for (size_t i = 0; i < g->step->part_count; i++) {
    const struct program_step *part = &g->p->steps[g->step->parts[i]];
    const struct tangent *d = &g->known[g->step->parts[i]];
    double *zeros = ARENA_ARRAY(g->p->arena, double, part->length);
    if (!zeros)
      return error_memory(error);
    parts[i] = d->present ? d->lanes : part->is_array ? program_array(g->p, zeros, part->length) : number(g, 0);
    out->present = out->present || d->present;
  }
  *out = out->present ? tangent(program_concat(g->p, parts, g->step->part_count)) : zero;
  return 0;
}

/* ---- the walk --------------------------------------------------------------------------------------------------- */

/* A derivative that does not depend on the element, for each element of the step. */
static struct tangent widened(struct gradient *g, size_t length, struct tangent d)
{
  double *zeros = ARENA_ARRAY(g->p->arena, double, length);
  if (!zeros) {
    g->p->failed = true;
    return d;
  }
  return tangent(two(g, KOP_ADD, d.lanes, program_array(g->p, zeros, length)));
}

static int step_tangent(struct program *p, size_t i, struct tangent *known, struct error *error)
{
  const struct program_step step = p->steps[i]; /* the steps move when more are added */
  struct gradient g = {.p = p, .known = known, .step = &step, .value = handle(p, (int)i)};
  struct tangent *out = &known[i];
  bool any = step.kind == PROGRAM_CONCAT;
  for (int k = 0; k < 3; k++) {
    if (step.operand[k] < 0)
      continue;
    g.x[k] = handle(p, step.operand[k]);
    g.d[k] = known[step.operand[k]];
    any = any || g.d[k].present;
  }
  if (!any)
    return 0;
  switch (step.kind) {
  case PROGRAM_ELEMENT:
    *out = element_tangent(&g);
    if (out->present && step.is_array && !out->lanes.is_array)
      *out = widened(&g, step.length, *out);
    return 0;
  case PROGRAM_REDUCE:
    return reduce_tangent(&g, out, error);
  case PROGRAM_SERIES:
    return series_tangent(&g, out, error);
  case PROGRAM_PICK:
    *out = tangent(step.is_array ? program_pick(p, g.d[0].lanes, step.indexes, step.length)
                                 : program_element(p, g.d[0].lanes, step.indexes[0]));
    return 0;
  case PROGRAM_CONCAT:
    return concat_tangent(&g, out, error);
  case PROGRAM_FIT:
    return no_rule("FIT", error);
  case PROGRAM_FUNCTION:
    return no_rule(step.function->name, error);
  case PROGRAM_INPUT:
  case PROGRAM_CONSTANT:
    break;
  }
  return 0;
}

/* The derivative of the result along element k; known: room for each step up to the result. */
static int gradient_along(struct program *p, struct lanes array, size_t k, struct lanes result, struct tangent *known,
                          const bool *needed, struct error *error)
{
  double *unit = ARENA_ARRAY(p->arena, double, array.length);
  if (!unit)
    return error_memory(error);
  for (int i = 0; i <= result.value; i++)
    known[i] = zero;
  unit[k] = 1;
  known[array.value] = tangent(program_array(p, unit, array.length));
  for (int i = array.value + 1; i <= result.value; i++)
    if (needed[i] && step_tangent(p, (size_t)i, known, error) != 0)
      return -1;
  return 0;
}

int program_gradient(struct program *p, struct lanes array, struct lanes result, struct lanes *out, struct error *error)
{
  size_t steps = (size_t)(result.value > array.value ? result.value : array.value) + 1;
  bool *needed = ARENA_ARRAY(p->arena, bool, steps);
  struct tangent *known = ARENA_ARRAY(p->arena, struct tangent, steps);
  if (!needed || !known)
    return error_memory(error);
  if (result.is_complex || array.is_complex)
    return error_set(error, ERROR_FeatureUnsupported, "complex numbers have no derivative here");
  if (saturated_mul(steps, array.length) > most_emitted)
    return error_set(error, ERROR_ProcessGraphComplexity,
                     "a derivative of %zu steps along %zu elements is more than is allowed", steps, array.length);
  program_mark_needed(p, result.value, needed);
  for (size_t k = 0; k < array.length; k++) {
    if (gradient_along(p, array, k, result, known, needed, error) != 0)
      return -1;
    struct gradient g = {.p = p};
    struct tangent d = known[result.value];
    if (!d.present)
      d = tangent(number(&g, 0));
    out[k] = result.is_array && !d.lanes.is_array ? widened(&g, result.length, d).lanes : d.lanes;
  }
  return program_failed(p) ? program_error(p, error) : 0;
}
