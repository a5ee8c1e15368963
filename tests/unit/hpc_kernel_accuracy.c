/* Elementary functions against the C library's long double: how far each may be from the correctly rounded value, in
 * units of the last place, for f32 and f64, over dense, random, huge, tiny and special arguments. Prints what it finds.
 */
#include "hpc_kernel_fixture.h"

#include <float.h>

static long double remainder_of(long double a, long double b)
{
  const long double r = fmodl(a, b);
  return r == 0 ? 0 : (r < 0) != (b < 0) ? r + b : r;
}

static long double logarithm(long double a, long double b)
{
  return b == 2 ? log2l(a) : b == 10 ? log10l(a) : logl(a) / logl(b);
}

struct function {
  enum kernel_op op;
  long double (*one)(long double), (*two)(long double, long double);
  double from, to; /* dense arguments */
  double f32, f64; /* bounds: units of the last place, the half one of rounding included */
};

static const struct function functions[] = {
    {KOP_EXP, expl, NULL, -110, 95, .501, .85},     {KOP_LN, logl, NULL, 0, 4, .501, .8},
    {KOP_SIN, sinl, NULL, -30, 30, .501, .8},       {KOP_COS, cosl, NULL, -30, 30, .501, .8},
    {KOP_TAN, tanl, NULL, -30, 30, .501, .95},      {KOP_ARCSIN, asinl, NULL, -1, 1, .501, .8},
    {KOP_ARCCOS, acosl, NULL, -1, 1, .501, .65},    {KOP_ARCTAN, atanl, NULL, -8, 8, .501, .95},
    {KOP_SINH, sinhl, NULL, -4, 4, .501, .9},       {KOP_COSH, coshl, NULL, -4, 4, .501, .9},
    {KOP_TANH, tanhl, NULL, -4, 4, .501, .9},       {KOP_ARSINH, asinhl, NULL, -4, 4, .501, .9},
    {KOP_ARCOSH, acoshl, NULL, 1, 5, .501, .65},    {KOP_ARTANH, atanhl, NULL, -1, 1, .501, .75},
    {KOP_ARCTAN2, NULL, atan2l, -5, 5, .501, .95},  {KOP_HYPOT, NULL, hypotl, -5, 5, .501, .505},
    {KOP_POW, NULL, powl, -5, 5, .501, .55},        {KOP_LOG, NULL, logarithm, 0, 20, .501, .75},
    {KOP_MOD, NULL, remainder_of, -50, 50, .5, .5},
};

enum { FUNCTIONS = sizeof functions / sizeof *functions, LANES = 1024, BLOCKS = 96 };

static const double edges[] = {0.0,
                               -0.0,
                               1,
                               -1,
                               0.5,
                               -0.5,
                               2,
                               -2,
                               3,
                               10,
                               1000,
                               1e22,
                               0.1,
                               0x1p-149,
                               -0x1p-149,
                               0x1p-126,
                               0x1.8p-130,
                               0x1p-1074,
                               -0x1p-1074,
                               0x1p-1022,
                               0x1.8p-1030,
                               0x1p-30,
                               0x1p-600,
                               0x1p600,
                               FLT_MAX,
                               -FLT_MAX,
                               DBL_MAX,
                               -DBL_MAX,
                               INFINITY,
                               -INFINITY,
                               0x1.921fb54442d18p+0,
                               0x1.921fb54442d18p+1,
                               0x1.921fb6p+0,
                               0x1p20,
                               0x1.fffffep19,
                               0x1p22,
                               1e10,
                               1e30,
                               1e300,
                               88.72283,
                               88.72284,
                               -87.33655,
                               -103.97208,
                               709.782712893384,
                               709.7827128933841,
                               710.4758600739439,
                               -745.1332191019411,
                               -745.1332191019412,
                               89.41598,
                               0x1.fffffffffffffp-1,
                               0x1.0000000000001p0,
                               0x1.fffffep-1,
                               0x1.000002p0,
                               27,
                               81,
                               0.55,
                               0.3125,
                               0.75,
                               0.4375};
enum { EDGES = sizeof edges / sizeof *edges };

/* Argument `which` of number i: a dense sweep, edges and pairs of them, and bits at random. */
static double argument(const struct function *f, size_t i, int which, uint64_t *seed)
{
  const size_t dense = (size_t)LANES * BLOCKS / 2;
  if (i < EDGES * EDGES)
    return edges[which == 0 ? i / EDGES : i % EDGES];
  if (i < dense && which == 0)
    return f->from + (f->to - f->from) * ((double)i + random_unit(seed)) / (double)dense;
  if (i < dense)
    return i % 5 == 0 ? 2 : i % 5 == 1 ? 10 : 6 * random_unit(seed) - (f->op == KOP_LOG ? 0 : 3);
  const uint64_t bits = random_bits(seed);
  double any;
  memcpy(&any, &bits, sizeof any);
  const double scaled = ldexp(2 * random_unit(seed) - 1, (int)(random_bits(seed) % 80) - 50);
  return i % 4 == 0 ? any : i % 4 == 1 ? 1 + ldexp(scaled, -10) : scaled;
}

/* Distance of got from the wanted value, in units of the last place of the wanted value in the lane type. */
static double distance(enum lane_type type, double got, long double want)
{
  const bool f32 = type == LANE_F32;
  const long double most = f32 ? (long double)FLT_MAX : (long double)DBL_MAX;
  if (isnan(want) || isnan(got))
    return isnan(want) && isnan(got) ? 0 : INFINITY;
  const double rounded = f32 ? (double)(float)want : (double)want;
  if (got == rounded)
    return got == 0 && !signbit(got) != !signbit(want) ? INFINITY : fabsl(want) > most ? 0 : .5;
  if (isinf(got) || isinf(rounded)) /* the largest number and infinity are neighbours */
    return fabs(got) >= (double)most && fabs(rounded) >= (double)most ? 1 : INFINITY;
  int exponent;
  frexpl(want, &exponent);
  const int digits = f32 ? FLT_MANT_DIG : DBL_MANT_DIG, least = f32 ? -149 : -1074;
  const int unit = exponent - digits < least ? least : exponent - digits;
  return (double)ldexpl(fabsl((long double)got - want), -unit);
}

/* Where the row says something else than C, or C says nothing: hpc_kernel_element.c has these. */
static bool has_reference(const struct function *f, double x, double y)
{
  if (isnan(x) || (f->two && isnan(y)))
    return false;
  if (f->op == KOP_MOD)
    return isfinite(x) && isfinite(y) && y != 0;
  return f->op != KOP_LOG || (x > 0 && isfinite(x) && y > 0 && isfinite(y) && y != 1);
}

static bool is_near(const struct function *f, enum lane_type type)
{
  struct kernel_step step = {.kind = STEP_ELEMENT,
                             .op = (uint16_t)f->op,
                             .dst = 3,
                             .blocks = BLOCKS,
                             .operand = {operand(0, 0, 1), operand(1, 0, 1), operand(2, 0, 1)}};
  struct bench b;
  bench_open(&b, type, LANES, BLOCKS, &step);
  uint64_t seed = 11;
  for (size_t i = 0; i < (size_t)LANES * BLOCKS; i++)
    for (int which = 0; which < 2; which++)
      lane_set(type, bench_block(&b, (size_t)which, 0), i, argument(f, i, which, &seed));
  bench_run(&b, kernel_engine_chosen(), LANES);
  double worst = 0, at[2] = {0, 0}, got = 0;
  for (size_t i = 0; i < (size_t)LANES * BLOCKS; i++) {
    const double x = lane_get(type, bench_block(&b, 0, 0), i), y = lane_get(type, bench_block(&b, 1, 0), i);
    const double have = lane_get(type, bench_block(&b, 3, 0), i);
    if (!has_reference(f, x, y))
      continue;
    const double d = distance(type, have, f->one ? f->one(x) : f->two(x, y));
    if (d > worst)
      worst = d, at[0] = x, at[1] = y, got = have;
  }
  bench_close(&b);
  const double bound = type == LANE_F32 ? f->f32 : f->f64;
  printf("%-8s %s %.4f\n", kernel_op_name(f->op), type == LANE_F32 ? "f32" : "f64", worst);
  if (worst > bound)
    print_error("%s(%a, %a) = %a is %g units of the last place off\n", kernel_op_name(f->op), at[0], at[1], got, worst);
  return worst <= bound;
}

static void functions_are_near_the_rounded_value(void **state)
{
  (void)state;
  if (LDBL_MANT_DIG < 64)
    skip(); /* long double is double here */
  bool near = true;
  for (size_t f = 0; f < FUNCTIONS; f++)
    for (int t = 0; t < 2; t++)
      near &= is_near(&functions[f], lane_types[t]);
  assert_true(near);
}

/* Logarithms that are integers. */
static void logarithms_of_powers_are_exact(void **state)
{
  (void)state;
  enum { MOST = 64 };
  struct kernel_step step = {.kind = STEP_ELEMENT,
                             .op = KOP_LOG,
                             .dst = 3,
                             .blocks = 1,
                             .operand = {operand(0, 0, 1), operand(1, 0, 1), operand(2, 0, 1)}};
  for (int t = 0; t < 2; t++)
    for (int base = 2; base <= 100; base++) {
      struct bench b;
      bench_open(&b, lane_types[t], MOST, 1, &step);
      double power = 1;
      size_t count = 0;
      for (; count < MOST && power <= (t ? 0x1p53 : 0x1p24); count++, power *= base) {
        lane_set(b.type, bench_block(&b, 0, 0), count, power);
        lane_set(b.type, bench_block(&b, 1, 0), count, base);
      }
      bench_run(&b, kernel_engine_chosen(), MOST);
      for (size_t i = 0; i < count; i++)
        assert_true(lane_get(b.type, bench_block(&b, 3, 0), i) == (double)i);
      bench_close(&b);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(functions_are_near_the_rounded_value),
      cmocka_unit_test(logarithms_of_powers_are_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
