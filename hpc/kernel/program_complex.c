/* Complex numbers as pairs of lanes, in builders of real ones. Arithmetic with a real operand leaves out the products
 * with zero: infinities would make NaN of them. */
#include "hpc/kernel/program_complex.h"

#include "datacube/base/missing.h"

static struct lanes unsupported(struct program *p, const char *name)
{
  if (!p->failed)
    p->unsupported = name;
  p->failed = true;
  return (struct lanes){.program = p, .length = 1, .type = ELEMENT_F32};
}

static struct lanes one(struct program *p, enum kernel_op op, struct lanes a)
{
  return program_unary(p, op, a);
}

static struct lanes two(struct program *p, enum kernel_op op, struct lanes a, struct lanes b)
{
  return program_binary(p, op, a, b);
}

/* Two parts of one shape that are NA together. */
static struct lanes pair(struct lanes real, struct lanes imaginary)
{
  struct lanes z = real;
  bool narrow = element_info(real.type)->exact_in_f32 && element_info(imaginary.type)->exact_in_f32;
  z.is_complex = true;
  z.imaginary = imaginary.value;
  z.type = narrow ? ELEMENT_C64 : ELEMENT_C128;
  z.class = LANES_NUMBER;
  return z;
}

struct lanes program_complex(struct program *p, struct lanes real, struct lanes imaginary)
{
  if (real.is_complex || imaginary.is_complex)
    return unsupported(p, "complex");
  return pair(two(p, KOP_MASK, real, one(p, KOP_IS_NODATA, imaginary)),
              two(p, KOP_MASK, imaginary, one(p, KOP_IS_NODATA, real)));
}

struct lanes program_real(struct program *p, struct lanes z)
{
  (void)p;
  if (z.is_complex)
    z.type = z.type == ELEMENT_C64 ? ELEMENT_F32 : ELEMENT_F64;
  z.is_complex = false;
  z.imaginary = 0;
  return z;
}

struct lanes program_imaginary(struct program *p, struct lanes z)
{
  if (!z.is_complex) /* zero, or NA where z is */
    return two(p, KOP_MASK, program_constant(p, 0), one(p, KOP_IS_NODATA, z));
  const int value = z.imaginary;
  z = program_real(p, z);
  z.value = value;
  return z;
}

struct lanes program_conjugate(struct program *p, struct lanes z)
{
  return z.is_complex ? pair(program_real(p, z), one(p, KOP_NEG, program_imaginary(p, z))) : z;
}

struct lanes program_argument(struct program *p, struct lanes z)
{
  return two(p, KOP_ARCTAN2, program_imaginary(p, z), program_real(p, z));
}

static struct lanes by_part(struct program *p, enum kernel_op op, struct lanes a, struct lanes b)
{
  return pair(two(p, op, program_real(p, a), program_real(p, b)),
              two(p, op, program_imaginary(p, a), program_imaginary(p, b)));
}

/* Each part of z with the real number r: MUL, DIV, MASK. */
static struct lanes with_real(struct program *p, enum kernel_op op, struct lanes z, struct lanes r)
{
  return pair(two(p, op, program_real(p, z), r), two(p, op, program_imaginary(p, z), r));
}

static struct lanes multiply(struct program *p, struct lanes z, struct lanes w)
{
  if (!w.is_complex)
    return with_real(p, KOP_MUL, z, w);
  if (!z.is_complex)
    return with_real(p, KOP_MUL, w, z);
  struct lanes a = program_real(p, z), b = program_imaginary(p, z);
  struct lanes c = program_real(p, w), d = program_imaginary(p, w);
  return pair(two(p, KOP_SUB, two(p, KOP_MUL, a, c), two(p, KOP_MUL, b, d)),
              two(p, KOP_ADD, two(p, KOP_MUL, a, d), two(p, KOP_MUL, b, c)));
}

/* Smith's division (Communications of the ACM 5, 435, 1962): by the larger part of w first, so that no square leaves
 * the range. With (x, y) = (a, b) where |c| >= |d| and (b, a) elsewhere, and s the sign of the choice:
 * z / w = ((x + y r) + i s (y - x r)) / (large + small r), r = small / large. */
static struct lanes divide(struct program *p, struct lanes z, struct lanes w)
{
  if (!w.is_complex)
    return with_real(p, KOP_DIV, z, w);
  struct lanes a = program_real(p, z), b = program_imaginary(p, z);
  struct lanes c = program_real(p, w), d = program_imaginary(p, w);
  struct lanes first = two(p, KOP_GTE, one(p, KOP_ABS, c), one(p, KOP_ABS, d));
  struct lanes large = program_ternary(p, KOP_SELECT, c, d, first), small = program_ternary(p, KOP_SELECT, d, c, first);
  struct lanes x = program_ternary(p, KOP_SELECT, a, b, first), y = program_ternary(p, KOP_SELECT, b, a, first);
  struct lanes r = two(p, KOP_DIV, small, large);
  struct lanes under = two(p, KOP_ADD, large, two(p, KOP_MUL, small, r));
  struct lanes cross = two(p, KOP_SUB, y, two(p, KOP_MUL, x, r));
  struct lanes turned = program_ternary(p, KOP_SELECT, cross, one(p, KOP_NEG, cross), first);
  return pair(two(p, KOP_DIV, two(p, KOP_ADD, x, two(p, KOP_MUL, y, r)), under), two(p, KOP_DIV, turned, under));
}

static struct lanes exponential(struct program *p, struct lanes z)
{
  struct lanes size = one(p, KOP_EXP, program_real(p, z)), angle = program_imaginary(p, z);
  return pair(two(p, KOP_MUL, size, one(p, KOP_COS, angle)), two(p, KOP_MUL, size, one(p, KOP_SIN, angle)));
}

static struct lanes modulus(struct program *p, struct lanes z)
{
  return two(p, KOP_HYPOT, program_real(p, z), program_imaginary(p, z));
}

/* `test` of both parts, joined by AND or OR. */
static struct lanes either(struct program *p, enum kernel_op join, enum kernel_op test, struct lanes z)
{
  return two(p, join, one(p, test, program_real(p, z)), one(p, test, program_imaginary(p, z)));
}

static struct lanes compare(struct program *p, enum kernel_op op, struct lanes z, struct lanes w)
{
  return two(p, op == KOP_EQ ? KOP_AND : KOP_OR, two(p, op, program_real(p, z), program_real(p, w)),
             two(p, op, program_imaginary(p, z), program_imaginary(p, w)));
}

static struct lanes select(struct program *p, struct lanes z, struct lanes w, struct lanes condition)
{
  return pair(program_ternary(p, KOP_SELECT, program_real(p, z), program_real(p, w), condition),
              program_ternary(p, KOP_SELECT, program_imaginary(p, z), program_imaginary(p, w), condition));
}

static struct lanes element_of_one(struct program *p, enum kernel_op op, struct lanes z)
{
  switch (op) {
  case KOP_NEG:
    return pair(one(p, op, program_real(p, z)), one(p, op, program_imaginary(p, z)));
  case KOP_ABS:
    return modulus(p, z);
  case KOP_EXP:
    return exponential(p, z);
  case KOP_LN:
    return pair(one(p, op, modulus(p, z)), program_argument(p, z));
  case KOP_IS_NODATA:
    return one(p, op, program_real(p, z));
  case KOP_IS_NAN:
  case KOP_IS_INFINITE:
    return either(p, KOP_OR, op, z);
  case KOP_IS_VALID:
    return either(p, KOP_AND, op, z);
  default:
    return unsupported(p, kernel_op_name(op));
  }
}

struct lanes complex_element(struct program *p, enum kernel_op op, const struct lanes *operand, int count)
{
  if (count == 1)
    return element_of_one(p, op, operand[0]);
  switch (op) {
  case KOP_ADD:
  case KOP_SUB:
    return by_part(p, op, operand[0], operand[1]);
  case KOP_MUL:
    return multiply(p, operand[0], operand[1]);
  case KOP_DIV:
    return divide(p, operand[0], operand[1]);
  case KOP_EQ:
  case KOP_NEQ:
    return compare(p, op, operand[0], operand[1]);
  case KOP_MASK:
    return operand[1].is_complex ? unsupported(p, "MASK") : with_real(p, op, operand[0], operand[1]);
  case KOP_SELECT:
    return operand[2].is_complex ? unsupported(p, "SELECT") : select(p, operand[0], operand[1], operand[2]);
  default:
    return unsupported(p, kernel_op_name(op));
  }
}

/* Elements counted as valid, or all of them. */
static struct lanes count_elements(struct program *p, struct lanes array, const double *parameters, size_t count)
{
  if (parameters[1] == 2)
    return unsupported(p, kernel_reducer_name(KRED_COUNT));
  struct lanes bad = one(p, KOP_IS_NAN, program_imaginary(p, array));
  return program_reduce(p, KRED_COUNT, two(p, KOP_MASK, program_real(p, array), bad), parameters, count);
}

struct lanes complex_reduce(struct program *p, enum kernel_reducer reducer, struct lanes array,
                            const double *parameters, size_t count)
{
  switch (reducer) {
  case KRED_SUM:
  case KRED_MEAN:
  case KRED_FIRST:
  case KRED_LAST:
    return pair(program_reduce(p, reducer, program_real(p, array), parameters, count),
                program_reduce(p, reducer, program_imaginary(p, array), parameters, count));
  case KRED_COUNT:
    return count_elements(p, array, parameters, count);
  default:
    return unsupported(p, kernel_reducer_name(reducer));
  }
}

struct lanes complex_series(struct program *p, enum kernel_series series, struct lanes array, const double *parameters,
                            size_t count)
{
  if (series != KSER_CUMSUM && series != KSER_REVERSE)
    return unsupported(p, kernel_series_name(series));
  return pair(program_series(p, series, program_real(p, array), parameters, count),
              program_series(p, series, program_imaginary(p, array), parameters, count));
}

struct lanes complex_pick(struct program *p, struct lanes array, const size_t *indexes, size_t count, bool is_array)
{
  struct lanes real = program_real(p, array), imaginary = program_imaginary(p, array);
  if (is_array)
    return pair(program_pick(p, real, indexes, count), program_pick(p, imaginary, indexes, count));
  return pair(program_element(p, real, indexes[0]), program_element(p, imaginary, indexes[0]));
}

struct lanes complex_concat(struct program *p, const struct lanes *parts, size_t count)
{
  struct lanes *real = ARENA_ARRAY(p->arena, struct lanes, count);
  struct lanes *imaginary = ARENA_ARRAY(p->arena, struct lanes, count);
  if (!real || !imaginary) {
    p->failed = true;
    return (struct lanes){.program = p, .length = 1, .type = ELEMENT_F32};
  }
  for (size_t i = 0; i < count; i++) {
    real[i] = program_real(p, parts[i]);
    imaginary[i] = program_imaginary(p, parts[i]);
  }
  return pair(program_concat(p, real, count), program_concat(p, imaginary, count));
}
