/* Strict rows: the lane loops compiled a second time with selects for KEEP1 and KEEP2, as devices compile them, against
 * the engine that this processor uses: NaN payloads tell apart which operand won. */
#define TWINCUBE_STRICT_NA
#define ENGINE strict_engine
#define ENGINE_LEVEL "strict"
#include "hpc/kernel/kernel_level.inc"

#include "hpc_kernel_fixture.h"

static uint64_t bits_of(double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* A quiet NaN of the payload, its sign set where negative. f32 holds it too. */
static double nan_with(unsigned payload, bool negative)
{
  uint64_t bits = UINT64_C(0x7FF8000000000000) | (uint64_t)payload << 29 | (uint64_t)negative << 63;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

enum { SPECIALS = 16 };

static void fill_specials(double values[SPECIALS])
{
  const double numbers[] = {0.0, -0.0, 1, -1, 0.5, -2.5, 3, 7, 1e30, INFINITY, -INFINITY};
  values[0] = na_f64();
  values[1] = -na_f64();
  values[2] = nan_with(0, false);
  values[3] = nan_with(0x11, false);
  values[4] = nan_with(0x22, true);
  for (size_t i = 5; i < SPECIALS; i++)
    values[i] = numbers[i - 5];
}

/* Numbers by value and sign; NA is NA whatever its sign; an operand's payload stays; what is computed is any other
 * NaN. */
static bool same(double got, double want, double a, double b)
{
  if (!isnan(want))
    return bits_of(got) == bits_of(want);
  if (is_na_f64(want))
    return is_na_f64(got);
  bool kept = isnan(a) || isnan(b);
  return isnan(got) && !is_na_f64(got) && (!kept || ((bits_of(got) ^ bits_of(want)) << 1) == 0);
}

/* All triples of special values, one a lane and block. */
static void check_op(enum kernel_op op, enum lane_type type)
{
  enum { LANES = SPECIALS * SPECIALS };
  double values[SPECIALS];
  fill_specials(values);
  struct kernel_step step = {.kind = STEP_ELEMENT,
                             .op = (uint16_t)op,
                             .dst = 3,
                             .blocks = SPECIALS,
                             .operand = {operand(0, 0, 1), operand(1, 0, 1), operand(2, 0, 1)}};
  struct bench plain, strict;
  bench_open(&plain, type, LANES, SPECIALS, &step);
  bench_open(&strict, type, LANES, SPECIALS, &step);
  for (size_t k = 0; k < SPECIALS; k++)
    for (size_t i = 0; i < LANES; i++)
      for (size_t r = 0; r < 3; r++) {
        const size_t which[3] = {i / SPECIALS, i % SPECIALS, k};
        lane_set(type, bench_block(&plain, r, k), i, values[which[r]]);
        lane_set(type, bench_block(&strict, r, k), i, values[which[r]]);
      }
  bench_run(&plain, kernel_engine_chosen(), LANES);
  bench_run(&strict, &strict_engine, LANES);
  for (size_t k = 0; k < SPECIALS; k++)
    for (size_t i = 0; i < LANES; i++) {
      double got = lane_get(type, bench_block(&strict, 3, k), i), want = lane_get(type, bench_block(&plain, 3, k), i);
      double a = values[i / SPECIALS], b = kernel_op_arity(op) > 1 ? values[i % SPECIALS] : 0;
      if (!same(got, want, a, b))
        fail_msg("%s of %016llx and %016llx: %016llx, not %016llx", kernel_op_name(op), (unsigned long long)bits_of(a),
                 (unsigned long long)bits_of(b), (unsigned long long)bits_of(got), (unsigned long long)bits_of(want));
    }
  bench_close(&plain);
  bench_close(&strict);
}

static void selects_keep_what_the_processor_keeps(void **state)
{
  (void)state;
  for (int op = 0; op < KOP_COUNT_; op++)
    for (int t = 0; t < 2; t++)
      check_op((enum kernel_op)op, lane_types[t]);
}

/* A row of numbers that computes from a missing operand gives that operand, the first of two. */
static void the_first_missing_operand_wins(void **state)
{
  (void)state;
  double a = nan_with(0x11, false), b = nan_with(0x22, false);
  static const enum kernel_op ops[] = {KOP_ADD, KOP_SUB, KOP_MUL, KOP_DIV, KOP_MOD, KOP_POW,
                                       KOP_LOG, KOP_MIN, KOP_MAX, KOP_ARCTAN2};
  for (size_t o = 0; o < sizeof ops / sizeof *ops; o++) {
    struct kernel_step step = {.kind = STEP_ELEMENT,
                               .op = (uint16_t)ops[o],
                               .dst = 3,
                               .blocks = 1,
                               .operand = {operand(0, 0, 1), operand(1, 0, 1)}};
    const struct kernel_engine *const engines[] = {&strict_engine, kernel_engine_chosen()};
    for (int e = 0; e < 2; e++) {
      struct bench bench;
      bench_open(&bench, LANE_F64, 16, 1, &step);
      for (size_t i = 0; i < 16; i++) {
        lane_set(LANE_F64, bench_block(&bench, 0, 0), i, i == 1 ? 1 : a);
        lane_set(LANE_F64, bench_block(&bench, 1, 0), i, i == 2 ? 1 : b);
      }
      bench_run(&bench, engines[e], 16);
      const double *got = bench_block(&bench, 3, 0);
      assert_int_equal(bits_of(got[0]), bits_of(a));
      assert_int_equal(bits_of(got[1]), bits_of(b));
      assert_int_equal(bits_of(got[2]), bits_of(a));
      bench_close(&bench);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(selects_keep_what_the_processor_keeps),
      cmocka_unit_test(the_first_missing_operand_wins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
