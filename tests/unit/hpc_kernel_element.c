/* Element operations against plain scalar answers in double, at every SIMD level and lane type. */
#include "hpc_kernel_fixture.h"

#include "datacube/base/buffer.h"

/* NA, NaN and numbers where something special may happen */
static double special(size_t i)
{
  static const double numbers[] = {0.0,
                                   -0.0,
                                   1,
                                   -1,
                                   2,
                                   -2,
                                   0.5,
                                   -0.5,
                                   1.5,
                                   2.5,
                                   -2.5,
                                   3,
                                   -5,
                                   7.25,
                                   10,
                                   16,
                                   1000,
                                   27,
                                   0.1,
                                   -0.3,
                                   1e-3,
                                   65535,
                                   -1e6,
                                   8388609,
                                   1e30,
                                   -1e30,
                                   1e-30,
                                   0x1p-130,
                                   INFINITY,
                                   -INFINITY,
                                   4503599627370497.0,
                                   3.14};
  if (i == 0)
    return na_f64();
  return i == 1 ? (double)NAN : numbers[i - 2];
}
enum { SPECIALS = 34 };

struct operands {
  double a, b, c;
};

static bool truth(double x)
{
  return !isnan(x) && x != 0;
}

static double compare(const struct operands *o, bool holds)
{
  if (is_na_f64(o->a) || is_na_f64(o->b))
    return na_f64();
  return isnan(o->a) || isnan(o->b) ? 0 : holds;
}

/* and, or, xor over {0, 1, unknown} by their truth tables */
static double logic(enum kernel_op op, double a, double b)
{
  int x = isnan(a) ? 2 : truth(a), y = isnan(b) ? 2 : truth(b);
  static const int and_table[3][3] = {{0, 0, 0}, {0, 1, 2}, {0, 2, 2}};
  static const int or_table[3][3] = {{0, 1, 2}, {1, 1, 1}, {2, 1, 2}};
  static const int xor_table[3][3] = {{0, 1, 2}, {1, 0, 2}, {2, 2, 2}};
  int r = op == KOP_AND ? and_table[x][y] : op == KOP_OR ? or_table[x][y] : xor_table[x][y];
  return r == 2 ? na_f64() : r;
}

static double remainder_of(double a, double b)
{
  if (b == 0)
    return a > 0 ? INFINITY : a < 0 ? -INFINITY : NAN;
  if (isinf(a))
    return NAN;
  if (isinf(b))
    return a;
  double r = fmod(a, b);
  return r == 0 ? 0 : r * b < 0 || (r < 0) != (b < 0) ? r + b : r;
}

static double logarithm(double a, double b)
{
  return b == 2 ? log2(a) : b == 10 ? log10(a) : log(a) / log(b);
}

/* What an operation on numbers and missing values gives that only looks at their kind. */
static bool kind_answer(enum kernel_op op, const struct operands *o, double *answer)
{
  switch (op) {
  case KOP_EQ:
    return *answer = compare(o, o->a == o->b), true;
  case KOP_NEQ:
    /* NaN differs from everything, itself included */
    return *answer = is_na_f64(o->a) || is_na_f64(o->b) ? na_f64() : o->a != o->b, true;
  case KOP_LT:
    return *answer = compare(o, o->a < o->b), true;
  case KOP_LTE:
    return *answer = compare(o, o->a <= o->b), true;
  case KOP_GT:
    return *answer = compare(o, o->a > o->b), true;
  case KOP_GTE:
    return *answer = compare(o, o->a >= o->b), true;
  case KOP_AND:
  case KOP_OR:
  case KOP_XOR:
    return *answer = logic(op, o->a, o->b), true;
  case KOP_NOT:
    return *answer = isnan(o->a) ? na_f64() : !truth(o->a), true;
  case KOP_SELECT:
    return *answer = truth(o->c) ? o->a : o->b, true;
  case KOP_IS_NAN:
    return *answer = class_of(o->a) == COMPUTED_NAN, true;
  case KOP_IS_NODATA:
    return *answer = class_of(o->a) == MISSING, true;
  case KOP_IS_VALID:
    return *answer = class_of(o->a) == NUMBER, true;
  case KOP_IS_INFINITE:
    return *answer = isinf(o->a) != 0, true;
  case KOP_MASK:
    return *answer = truth(o->b) ? na_f64() : o->a, true;
  default:
    return false;
  }
}

/* Numbers only. */
static double number_answer(enum kernel_op op, double a, double b)
{
  switch (op) {
  case KOP_ADD:
    return a + b;
  case KOP_SUB:
    return a - b;
  case KOP_MUL:
    return a * b;
  case KOP_DIV:
    return a / b;
  case KOP_NEG:
    return -a;
  case KOP_ABS:
    return fabs(a);
  case KOP_SQRT:
    return sqrt(a);
  case KOP_FLOOR:
    return floor(a);
  case KOP_CEIL:
    return ceil(a);
  case KOP_TRUNC:
    return trunc(a);
  case KOP_ROUND:
    return nearbyint(a);
  case KOP_SGN:
    return a > 0 ? 1 : a < 0 ? -1 : 0;
  case KOP_MOD:
    return remainder_of(a, b);
  case KOP_POW:
    return pow(a, b);
  case KOP_EXP:
    return exp(a);
  case KOP_LN:
    return log(a);
  case KOP_LOG:
    return logarithm(a, b);
  case KOP_SIN:
    return sin(a);
  case KOP_COS:
    return cos(a);
  case KOP_TAN:
    return tan(a);
  case KOP_ARCSIN:
    return asin(a);
  case KOP_ARCCOS:
    return acos(a);
  case KOP_ARCTAN:
    return atan(a);
  case KOP_ARCTAN2:
    return atan2(a, b);
  case KOP_HYPOT:
    return hypot(a, b);
  case KOP_SINH:
    return sinh(a);
  case KOP_COSH:
    return cosh(a);
  case KOP_TANH:
    return tanh(a);
  case KOP_ARSINH:
    return asinh(a);
  case KOP_ARCOSH:
    return acosh(a);
  case KOP_ARTANH:
    return atanh(a);
  case KOP_MIN:
    return b < a ? b : a;
  case KOP_MAX:
    return b > a ? b : a;
  default:
    fail_msg("operation %s has no answer here", kernel_op_name(op));
    return 0;
  }
}

/* Operations that f32 lanes compute to the last bit; the others are libm's, good to a few units in the last place. */
static bool is_exact(enum kernel_op op)
{
  return op <= KOP_MOD || op >= KOP_MIN;
}

static void check_number(enum kernel_op op, enum lane_type type, const struct operands *o, double got, double want)
{
  want = lane_value(type, want);
  if (isnan(want) ? class_of(got) == COMPUTED_NAN : got == want)
    return;
  double unit = (type == LANE_F32 ? FLT_EPSILON : DBL_EPSILON) * fabs(want) +
                (type == LANE_F32 ? (double)FLT_TRUE_MIN : DBL_TRUE_MIN);
  if (!is_exact(op) && fabs(got - want) <= 4 * unit)
    return;
  fail_msg("%s %s(%.17g, %.17g, %.17g) = %.17g, not %.17g", type == LANE_F32 ? "f32" : "f64", kernel_op_name(op), o->a,
           o->b, o->c, got, want);
}

static void check_answer(enum kernel_op op, enum lane_type type, const struct operands *o, double got)
{
  double want;
  if (kind_answer(op, o, &want)) {
    if (class_of(got) != class_of(want) || (class_of(want) == NUMBER && got != want))
      fail_msg("%s(%g, %g, %g) = %g, not %g", kernel_op_name(op), o->a, o->b, o->c, got, want);
    return;
  }
  bool binary = kernel_op_arity(op) == 2;
  bool a_missing = isnan(o->a), b_missing = binary && isnan(o->b);
  if (!a_missing && !b_missing) {
    check_number(op, type, o, got, number_answer(op, o->a, o->b));
    return;
  }
  /* one missing operand passes its kind on; of two, either may */
  bool as_a = a_missing && class_of(got) == class_of(o->a), as_b = b_missing && class_of(got) == class_of(o->b);
  if (!as_a && !as_b)
    fail_msg("%s(%g, %g) gives %g: kind %d of %d, %d", kernel_op_name(op), o->a, o->b, got, (int)class_of(got),
             (int)class_of(o->a), (int)class_of(o->b));
}

enum { ELEMENT_LANES = 48, ELEMENT_BLOCKS = SPECIALS * SPECIALS };

/* Block b holds the pair (b / SPECIALS, b mod SPECIALS); the third operand goes by lanes. */
static void fill_operands(const struct bench *b)
{
  for (size_t block = 0; block < ELEMENT_BLOCKS; block++)
    for (size_t i = 0; i < ELEMENT_LANES; i++) {
      lane_set(b->type, bench_block(b, 0, block), i, special(block / SPECIALS));
      lane_set(b->type, bench_block(b, 1, block), i, special(block % SPECIALS));
      lane_set(b->type, bench_block(b, 2, block), i, special(i % SPECIALS));
    }
}

static void run_all_pairs(enum kernel_op op, enum lane_type type)
{
  struct kernel_step step = {.kind = STEP_ELEMENT,
                             .op = (uint16_t)op,
                             .dst = 3,
                             .blocks = ELEMENT_BLOCKS,
                             .operand = {operand(0, 0, 1), operand(1, 0, 1), operand(2, 0, 1)}};
  size_t bytes = ELEMENT_BLOCKS * ELEMENT_LANES * lane_size(type);
  void *first = NULL;
  for (int l = 0; l < LEVELS; l++) {
    const struct kernel_engine *engine = kernel_engine_named(levels[l]);
    if (!engine)
      continue;
    struct bench b;
    bench_open(&b, type, ELEMENT_LANES, ELEMENT_BLOCKS, &step);
    fill_operands(&b);
    bench_run(&b, engine, ELEMENT_LANES);
    if (!first) {
      first = malloc(bytes);
      memcpy(first, bench_block(&b, 3, 0), bytes);
    } else if (memcmp(first, bench_block(&b, 3, 0), bytes) != 0) {
      fail_msg("%s: %s and baseline differ", kernel_op_name(op), levels[l]);
    }
    bench_close(&b);
  }
  for (size_t k = 0; k < ELEMENT_BLOCKS * ELEMENT_LANES; k++) {
    size_t block = k / ELEMENT_LANES;
    struct operands o = {lane_value(type, special(block / SPECIALS)), lane_value(type, special(block % SPECIALS)),
                         lane_value(type, special(k % ELEMENT_LANES % SPECIALS))};
    check_answer(op, type, &o, lane_get(type, first, k));
  }
  free(first);
}

static void every_operation_on_special_values(void **state)
{
  (void)state;
  for (int op = 0; op < KOP_COUNT_; op++)
    for (int t = 0; t < 2; t++)
      run_all_pairs((enum kernel_op)op, lane_types[t]);
}

/* Random bit patterns too: levels agree, and exact operations equal C's. */
static void levels_agree_on_random_bits(void **state)
{
  (void)state;
  enum { LANES = 1024 };
  for (int op = 0; op < KOP_COUNT_; op++)
    for (int t = 0; t < 2; t++) {
      struct kernel_step step = {.kind = STEP_ELEMENT,
                                 .op = (uint16_t)op,
                                 .dst = 3,
                                 .blocks = 1,
                                 .operand = {operand(0, 0, 1), operand(1, 0, 1), operand(2, 0, 1)}};
      char first[LANES * sizeof(double)];
      for (int l = 0; l < LEVELS; l++) {
        const struct kernel_engine *engine = kernel_engine_named(levels[l]);
        if (!engine)
          continue;
        struct bench b;
        bench_open(&b, lane_types[t], LANES, 1, &step);
        uint64_t seed = 7;
        for (size_t r = 0; r < 3; r++)
          for (size_t i = 0; i < LANES; i++) {
            double x = ldexp(random_unit(&seed) - 0.5, (int)(random_bits(&seed) % 60) - 30);
            lane_set(b.type, bench_block(&b, r, 0), i, random_bits(&seed) % 4 ? x : floor(x));
          }
        bench_run(&b, engine, LANES);
        if (l == 0)
          memcpy(first, bench_block(&b, 3, 0), LANES * lane_size(b.type));
        else
          assert_memory_equal(first, bench_block(&b, 3, 0), LANES * lane_size(b.type));
        for (size_t i = 0; i < LANES && is_exact((enum kernel_op)op); i++) {
          struct operands o = {lane_get(b.type, bench_block(&b, 0, 0), i), lane_get(b.type, bench_block(&b, 1, 0), i),
                               lane_get(b.type, bench_block(&b, 2, 0), i)};
          check_answer((enum kernel_op)op, b.type, &o, lane_get(b.type, bench_block(&b, 3, 0), i));
        }
        bench_close(&b);
      }
    }
}

/* Broadcast operands, offsets into registers, destinations in place, short pieces. */
static void operands_broadcast_and_alias(void **state)
{
  (void)state;
  struct kernel_step step = {.kind = STEP_ELEMENT,
                             .op = KOP_SUB,
                             .dst = 0,
                             .dst_block = 1,
                             .blocks = 3,
                             .operand = {operand(0, 1, 1), operand(1, 2, 0)}};
  for (int l = 0; l < LEVELS; l++)
    for (size_t lanes = 1; lanes <= 64; lanes += 21) {
      const struct kernel_engine *engine = kernel_engine_named(levels[l]);
      if (!engine)
        continue;
      struct bench b;
      bench_open(&b, LANE_F32, 64, 4, &step);
      for (size_t block = 0; block < 4; block++)
        for (size_t i = 0; i < 64; i++) {
          lane_set(LANE_F32, bench_block(&b, 0, block), i, 100.0 * (double)block + (double)i);
          lane_set(LANE_F32, bench_block(&b, 1, block), i, (double)block);
        }
      bench_run(&b, engine, lanes);
      for (size_t block = 0; block < 4; block++)
        for (size_t i = 0; i < lanes; i++)
          assert_float_equal(lane_get(LANE_F32, bench_block(&b, 0, block), i),
                             100.0 * (double)block + (double)i - (block ? 2 : 0), 0);
      bench_close(&b);
    }
}

static void constants_and_gathers(void **state)
{
  (void)state;
  const uint32_t map[3] = {2, 0, 2};
  struct kernel_step gather = {.kind = STEP_GATHER, .dst = 3, .blocks = 3, .operand = {operand(0, 1, 1)}, .map = map};
  struct kernel_step constant = {.kind = STEP_CONSTANT, .dst = 3, .dst_block = 1, .blocks = 2, .value = na_f64()};
  for (int t = 0; t < 2; t++) {
    struct bench b;
    bench_open(&b, lane_types[t], 32, 4, &gather);
    for (size_t block = 0; block < 4; block++)
      for (size_t i = 0; i < 32; i++)
        lane_set(b.type, bench_block(&b, 0, block), i, 10.0 * (double)block + (double)i);
    bench_run(&b, kernel_engine_named("baseline"), 32);
    for (size_t block = 0; block < 3; block++)
      for (size_t i = 0; i < 32; i++)
        assert_true(lane_get(b.type, bench_block(&b, 3, block), i) == 10.0 * (1 + map[block]) + (double)i);
    bench_close(&b);
    bench_open(&b, lane_types[t], 32, 4, &constant);
    bench_run(&b, kernel_engine_named("baseline"), 32);
    for (size_t i = 0; i < 64; i++)
      assert_true(is_na_f64(lane_get(b.type, bench_block(&b, 3, 1), i)));
    bench_close(&b);
  }
}

static void print_is_readable(void **state)
{
  (void)state;
  const double parameters[1] = {1};
  const size_t offsets[1] = {0};
  const struct kernel_step steps[] = {
      {.kind = STEP_LOAD,
       .dst = 0,
       .blocks = 24,
       .load = 1,
       .type = ELEMENT_U16,
       .lane_stride = 1,
       .has_nodata = true,
       .nodata = 0},
      {.kind = STEP_CONSTANT, .dst = 1, .blocks = 1, .value = 0.5},
      {.kind = STEP_ELEMENT, .op = KOP_MUL, .dst = 2, .blocks = 24, .operand = {operand(0, 0, 1), operand(1, 0, 0)}},
      {.kind = STEP_REDUCE,
       .op = KRED_MEDIAN,
       .dst = 3,
       .blocks = 1,
       .outer = 1,
       .n = 24,
       .operand = {operand(2, 0, 1)},
       .parameters = parameters,
       .parameter_count = 1},
      {.kind = STEP_STORE, .blocks = 1, .operand = {operand(3, 0, 1)}, .type = ELEMENT_F32, .lane_stride = 1},
  };
  struct kernel kernel = {.steps = steps, .step_count = 5, .register_offset = offsets};
  struct buffer out = {0};
  kernel_print(&kernel, &out);
  assert_false(out.failed);
  assert_string_equal(out.data, "r0[24] = LOAD 1 uint16 nodata 0\n"
                                "r1[1] = CONSTANT 0.5\n"
                                "r2[24] = MUL r0 r1.0\n"
                                "r3[1] = MEDIAN r2 over 24 (1)\n"
                                "STORE[1] r3 float32\n");
  buffer_free(&out);
}

static void names_and_levels(void **state)
{
  (void)state;
  assert_string_equal(kernel_op_name(KOP_ARCTAN2), "ARCTAN2");
  assert_int_equal(kernel_op_arity(KOP_SELECT), 3);
  assert_string_equal(kernel_reducer_name(KRED_QUANTILES), "QUANTILES");
  assert_string_equal(kernel_series_name(KSER_INTERPOLATE), "INTERPOLATE");
  assert_non_null(kernel_engine_named("baseline"));
  assert_null(kernel_engine_named("avx"));
  assert_non_null(kernel_engine_named(kernel_simd_level()));
  for (int l = 0; l < LEVELS; l++)
    if (!kernel_engine_named(levels[l]))
      print_message("SKIPPED: this CPU has no %s\n", levels[l]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_operation_on_special_values),
      cmocka_unit_test(levels_agree_on_random_bits),
      cmocka_unit_test(operands_broadcast_and_alias),
      cmocka_unit_test(constants_and_gathers),
      cmocka_unit_test(print_is_readable),
      cmocka_unit_test(names_and_levels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
