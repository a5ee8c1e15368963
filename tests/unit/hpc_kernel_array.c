/* Reducers and series against naive answers computed lane by lane, on mixes of numbers, NA, NaN and infinities, at
 * every SIMD level, for lengths 0 to 70 and 365; and the documented cases that decide about edges. */
#include "hpc_kernel_naive.h"

enum { LANES = 80, LONGEST = 365, MAX_PARAMETERS = LONGEST + 1 };

/* Series. */

static void cumulate_naively(enum kernel_series series, struct naive *a)
{
  double r = series == KSER_CUMPRODUCT ? 1 : series == KSER_CUMMIN ? INFINITY : series == KSER_CUMMAX ? -INFINITY : 0;
  bool ended = false;
  for (size_t i = 0; i < a->n; i++) {
    double x = a->x[i];
    bool na = is_na_f64(x);
    ended |= na && a->parameters[0] == 0;
    if (!na && series == KSER_CUMSUM)
      r += x;
    else if (!na && series == KSER_CUMPRODUCT)
      r *= x;
    else if (!na && !isnan(r) && (isnan(x) || (series == KSER_CUMMIN ? x < r : x > r)))
      r = x;
    a->answer[i] = na || ended ? na_f64() : r;
  }
}

/* -1, 0, 1: whether element i stands before, anywhere or behind element k */
static int rank_of(double x, bool na_first)
{
  return is_na_f64(x) ? (na_first ? -1 : 2) : isnan(x) ? 1 : 0;
}

/* Selection, the slow and sure way: each position takes the first remaining element that no other precedes. */
static void arrange_naively(enum kernel_series series, struct naive *a)
{
  bool taken[MAX_N] = {false}, up = a->parameters[0] != 0, na_first = a->parameters[1] == 0;
  for (size_t position = 0; position < a->n; position++) {
    size_t best = a->n;
    for (size_t i = 0; i < a->n; i++) {
      if (taken[i])
        continue;
      int rank = rank_of(a->x[i], na_first), best_rank = best < a->n ? rank_of(a->x[best], na_first) : 3;
      if (rank < best_rank || (rank == 0 && best_rank == 0 && (up ? a->x[i] < a->x[best] : a->x[i] > a->x[best])))
        best = i;
    }
    taken[best] = true;
    bool dropped = a->parameters[1] < 0 && is_na_f64(a->x[best]);
    a->answer[position] = dropped ? na_f64() : series == KSER_SORT ? a->x[best] : (double)best;
  }
}

static void interpolate_naively(struct naive *a)
{
  for (size_t i = 0; i < a->n; i++) {
    size_t left = i, right = i;
    while (left > 0 && isnan(a->x[left]))
      left--;
    while (right + 1 < a->n && isnan(a->x[right]))
      right++;
    a->answer[i] = a->x[i];
    if (!isnan(a->x[i]) || isnan(a->x[left]) || isnan(a->x[right]))
      continue;
    double f = (double)(i - left) / (double)(right - left);
    a->answer[i] = a->x[left] == a->x[right] ? a->x[left] : (1 - f) * a->x[left] + f * a->x[right];
  }
}

static void series_naively(enum kernel_series series, struct naive *a)
{
  if (series == KSER_SORT || series == KSER_ORDER)
    arrange_naively(series, a);
  else if (series == KSER_INTERPOLATE)
    interpolate_naively(a);
  else if (series == KSER_REVERSE)
    for (size_t i = 0; i < a->n; i++)
      a->answer[i] = a->x[a->n - 1 - i];
  else
    cumulate_naively(series, a);
}

static void take_lane(const struct bench *b, size_t block, size_t lane, struct naive *a)
{
  a->known_count = a->nans = 0;
  for (size_t k = 0; k < a->n; k++) {
    double x = a->x[k] = lane_get(b->type, bench_block(b, 0, block + k), lane);
    a->nans += class_of(x) == COMPUTED_NAN;
    if (!is_na_f64(x))
      a->known[a->known_count++] = x;
  }
}

static void check_value(const struct bench *b, const struct kernel_step *step, size_t lane, double got, double want)
{
  double low = lane_value(b->type, want), slack = (b->type == LANE_F32 ? 4 * FLT_EPSILON : 1e-13) * (1 + fabs(want));
  bool same = class_of(want) == NUMBER && isfinite(low) ? fabs(got - low) <= slack
              : class_of(want) == NUMBER                ? got == low
                                                        : class_of(got) == class_of(want);
  if (!same)
    fail_msg("%s n=%u parameter %g lane %zu: %.17g, not %.17g",
             step->kind == STEP_REDUCE ? kernel_reducer_name((enum kernel_reducer)step->op)
                                       : kernel_series_name((enum kernel_series)step->op),
             (unsigned)step->n, step->parameters[0], lane, got, low);
}

/* Checks every lane of both outer arrays. */
static void check_step(const struct bench *b, const struct kernel_step *step, size_t lanes)
{
  static struct naive a;
  a.n = step->n, a.parameters = step->parameters, a.parameter_count = step->parameter_count;
  size_t results = step->kind == STEP_SERIES ? step->n : step->op == KRED_QUANTILES ? step->parameter_count - 1 : 1;
  for (size_t outer = 0; outer < step->outer; outer++)
    for (size_t i = 0; i < lanes; i++) {
      take_lane(b, outer * step->n, i, &a);
      if (step->kind == STEP_REDUCE)
        reduce_naively((enum kernel_reducer)step->op, &a);
      else
        series_naively((enum kernel_series)step->op, &a);
      for (size_t q = 0; q < results; q++)
        check_value(b, step, i, lane_get(b->type, bench_block(b, 3, outer * results + q), i), a.answer[q]);
    }
}

/* Runs the step at every level on two arrays side by side and checks answers and equality of the levels. */
static void try_step(const struct kernel_step *shape, enum lane_type type, size_t lanes)
{
  struct kernel_step step = *shape;
  step.dst = 3, step.outer = 2, step.operand[0] = operand(0, 0, 1);
  size_t results = step.kind == STEP_SERIES ? step.n : step.op == KRED_QUANTILES ? step.parameter_count - 1 : 1;
  step.blocks = (uint32_t)(2 * results);
  size_t blocks = 2 * (step.n > results ? step.n : results), bytes = 2 * results * LANES * lane_size(type);
  char *first = NULL;
  for (int l = 0; l < LEVELS; l++) {
    const struct kernel_engine *engine = kernel_engine_named(levels[l]);
    if (!engine)
      continue;
    struct bench b;
    bench_open(&b, type, LANES, blocks, &step);
    uint64_t seed = step.n + 1;
    for (size_t k = 0; k < 2 * step.n; k++)
      for (size_t i = 0; i < LANES; i++)
        lane_set(type, bench_block(&b, 0, k), i, mixed_value(&seed, i));
    bench_run(&b, engine, lanes);
    if (!first) {
      check_step(&b, &step, lanes);
      first = malloc(bytes + 1);
      memcpy(first, bench_block(&b, 3, 0), bytes);
    } else if (memcmp(first, bench_block(&b, 3, 0), bytes) != 0) {
      fail_msg("%s and baseline differ in step %d, n=%u", levels[l], (int)step.op, (unsigned)step.n);
    }
    bench_close(&b);
  }
  free(first);
}

static uint32_t next_length(uint32_t n)
{
  return n < 70 ? n + 1 : n == 70 ? 130 : n == 130 ? LONGEST : LONGEST + 1;
}

static void reducers_equal_naive_ones(void **state)
{
  (void)state;
  for (int op = 0; op < KRED_COUNT_; op++)
    for (uint32_t n = 0; n <= LONGEST; n = next_length(n))
      for (int variant = 0; variant < 3; variant++) {
        double parameters[MAX_PARAMETERS] = {variant != 0, op == KRED_COUNT ? variant : 0.25, 0.5, 0.9, 1, 0};
        for (uint32_t i = 1; op == KRED_WEIGHTED_SUM && i <= n; i++)
          parameters[i] = (double)(i % 7) - 3;
        struct kernel_step step = {.kind = STEP_REDUCE,
                                   .op = (uint16_t)op,
                                   .n = n,
                                   .parameters = parameters,
                                   .parameter_count = op == KRED_QUANTILES      ? 6
                                                      : op == KRED_COUNT        ? 2
                                                      : op == KRED_WEIGHTED_SUM ? n + 1
                                                                                : 1};
        for (int t = 0; t < 2; t++)
          try_step(&step, lane_types[t], variant == 2 ? 17 : LANES);
      }
}

static void series_equal_naive_ones(void **state)
{
  (void)state;
  for (int op = 0; op < KSER_COUNT_; op++)
    for (uint32_t n = 0; n <= 130; n = next_length(n))
      for (int variant = 0; variant < 6; variant++) {
        const double parameters[2] = {variant % 2, variant / 2 - 1};
        struct kernel_step step = {.kind = STEP_SERIES,
                                   .op = (uint16_t)op,
                                   .n = n,
                                   .parameters = parameters,
                                   .parameter_count = op == KSER_SORT || op == KSER_ORDER ? 2 : 1};
        for (int t = 0; t < 2; t++)
          try_step(&step, lane_types[t], LANES);
      }
}

/* Arrays of a few numbers, many of them equal, every fourth element missing in every other group of lanes. */
static void sorting_without_signs_of_zeros(void **state)
{
  (void)state;
  for (uint32_t n = 0; n <= 130; n = next_length(n))
    for (int variant = 0; variant < 12; variant++) {
      const enum lane_type type = lane_types[variant / 6];
      const double parameters[2] = {variant % 2, variant % 6 / 2 - 1};
      const struct kernel_step step = {.kind = STEP_SERIES,
                                       .op = KSER_SORT,
                                       .dst = 3,
                                       .outer = 1,
                                       .n = n,
                                       .blocks = n,
                                       .operand = {operand(0, 0, 1)},
                                       .parameters = parameters,
                                       .parameter_count = 2};
      for (int l = 0; l < LEVELS; l++) {
        struct bench b;
        uint64_t seed = n;
        if (!kernel_engine_named(levels[l]))
          continue;
        bench_open(&b, type, LANES, n, &step);
        for (size_t k = 0; k < n; k++)
          for (size_t i = 0; i < LANES; i++) {
            const uint64_t bits = random_bits(&seed);
            lane_set(type, bench_block(&b, 0, k), i, i / 16 % 2 && bits % 4 == 0 ? na_f64() : (double)(bits >> 8 & 7));
          }
        bench_run(&b, kernel_engine_named(levels[l]), LANES);
        check_step(&b, &step, LANES);
        bench_close(&b);
      }
    }
}

/* Arrays in which an element of the sorted order is hard to find: a kind for each eight lanes. */
static double awkward_value(uint64_t *seed, size_t lane, uint32_t k)
{
  const uint64_t bits = random_bits(seed);
  const double x = (double)(int64_t)bits * 0x1p-63, few = (double)(bits >> 8 & 3);
  switch (lane / 8 % 8) {
  case 0:
    return x;
  case 1: /* zeros of both signs; alone, or beside the least numbers of either type */
    return lane % 2 ? (bits % 2 ? -few : few)
                    : ldexp((double)(bits % 4) - 1.0 - (bits % 4 == 3), lane % 4 ? -149 : -1074);
  case 2:
    return bits % 8 < 3 ? INFINITY : bits % 8 < 6 ? -INFINITY : x;
  case 3:
    return bits % 3 == 0 ? na_f64() : x;
  case 4:
    return bits % 512 == 0 ? (double)NAN : bits % 5 == 0 ? na_f64() : x;
  case 5:
    return lane % 2 ? (double)k : -(double)k;
  case 6:
    return ldexp(x, (int)(bits % 240) - 120);
  default:
    return lane % 2 ? 7 : -0.0;
  }
}

/* Opens a bench of awkward arrays and runs a reducer of them, whose results are blocks of register 3. */
static void run_awkward(struct bench *b, enum lane_type type, const char *level, const struct kernel_step *step)
{
  uint64_t seed = step->n;
  bench_open(b, type, LANES, step->n > step->blocks ? step->n : step->blocks, step);
  for (uint32_t k = 0; k < step->n; k++)
    for (size_t i = 0; i < LANES; i++)
      lane_set(type, bench_block(b, 0, k), i, awkward_value(&seed, i, k));
  bench_run(b, kernel_engine_named(level), LANES);
}

static struct kernel_step order_step(enum kernel_reducer op, uint32_t n, const double *parameters, uint32_t count)
{
  const uint32_t results = op == KRED_QUANTILES ? count - 1 : 1;
  return (struct kernel_step){.kind = STEP_REDUCE,
                              .op = (uint16_t)op,
                              .dst = 3,
                              .outer = 1,
                              .n = n,
                              .blocks = results,
                              .operand = {operand(0, 0, 1)},
                              .parameters = parameters,
                              .parameter_count = count};
}

static void check_median(const struct bench *b, const struct kernel_step *step)
{
  static struct naive a;
  a.n = step->n, a.parameters = step->parameters, a.parameter_count = step->parameter_count;
  for (size_t i = 0; i < LANES; i++) {
    take_lane(b, 0, i, &a);
    reduce_naively(KRED_MEDIAN, &a);
    const double got = lane_get(b->type, bench_block(b, 3, 0), i), want = lane_value(b->type, a.answer[0]);
    const double least = b->type == LANE_F64 ? 0x1p-1073 : 0; /* halves of the least numbers are rounded */
    if (class_of(got) != class_of(want) || (!isnan(want) && got != want && !(fabs(got - want) <= least)))
      fail_msg("median of %u in lane %zu: %.17g, not %.17g", (unsigned)step->n, i, got, want);
  }
}

/* The first `count` quantiles are those that were found beside more of them. */
static void check_quantiles(const struct bench *b, const struct bench *all, uint32_t n, size_t count)
{
  for (size_t q = 0; q < count; q++)
    for (size_t i = 0; i < LANES; i++) {
      const double got = lane_get(b->type, bench_block(b, 3, q), i);
      const double want = lane_get(b->type, bench_block(all, 3, q), i);
      if (class_of(got) != class_of(want) || (!isnan(want) && got != want))
        fail_msg("quantile %zu of %zu of %u in lane %zu: %.17g, not %.17g", q, count, (unsigned)n, i, got, want);
    }
}

static void try_order(enum lane_type type, uint32_t n, const double *parameters)
{
  char *first[3] = {NULL};
  for (int l = 0; l < LEVELS; l++) {
    struct bench b[3], all;
    const struct kernel_step every = order_step(KRED_QUANTILES, n, parameters, 6);
    const struct kernel_step steps[3] = {order_step(KRED_MEDIAN, n, parameters, 1),
                                         order_step(KRED_QUANTILES, n, parameters, 2),
                                         order_step(KRED_QUANTILES, n, parameters, 3)};
    if (!kernel_engine_named(levels[l]))
      continue;
    run_awkward(&all, type, levels[l], &every);
    for (size_t s = 0; s < 3; s++) {
      const size_t bytes = LANES * lane_size(type);
      run_awkward(&b[s], type, levels[l], &steps[s]);
      if (s == 0)
        check_median(&b[s], &steps[s]);
      else
        check_quantiles(&b[s], &all, n, s);
      if (first[s])
        assert_memory_equal(first[s], bench_block(&b[s], 3, 0), bytes);
      else
        memcpy(first[s] = malloc(bytes), bench_block(&b[s], 3, 0), bytes);
      bench_close(&b[s]);
    }
    bench_close(&all);
  }
  for (size_t s = 0; s < 3; s++)
    free(first[s]);
}

/* Sorted or selected, whatever the length. */
static void order_statistics_of_any_length(void **state)
{
  (void)state;
  for (uint32_t n = 1; n <= 1025; n = n < 200 ? n + 1 : n < 1023 ? 1023 : n + 1)
    for (int variant = 0; variant < 4; variant++) {
      const double parameters[6] = {variant % 2, 0.25 + 0.5 * (n % 2), 0.93, 0.5, 0, 1};
      try_order(lane_types[variant / 2], n, parameters);
    }
}

/* Documented cases: array and answer. */
struct case_of {
  enum kernel_step_kind kind;
  int op;
  double parameters[6];
  uint32_t parameter_count, n, results;
  double x[11], answer[11];
};

static void documented_cases(void **state)
{
  (void)state;
  const double na = na_f64(), inf = INFINITY, nan_ = (double)NAN;
  const struct case_of cases[] = {
      {STEP_REDUCE, KRED_ALL, {0}, 1, 1, 1, {na}, {1}},
      {STEP_REDUCE, KRED_ANY, {0}, 1, 1, 1, {na}, {0}},
      {STEP_REDUCE, KRED_ALL, {0}, 1, 2, 1, {1, na}, {na}},
      {STEP_REDUCE, KRED_ANY, {0}, 1, 2, 1, {0, na}, {na}},
      {STEP_REDUCE, KRED_MEDIAN, {1}, 1, 5, 1, {-inf, 3, 3, 5, inf}, {3}},
      {STEP_REDUCE, KRED_MEDIAN, {1}, 1, 4, 1, {-1, -0.5, na, 1}, {-0.5}},
      {STEP_REDUCE, KRED_MEAN, {1}, 1, 4, 1, {9, 2.5, na, -2.5}, {3}},
      {STEP_REDUCE, KRED_VARIANCE, {1}, 1, 7, 1, {2, 3, 3, na, 4, 4, 5}, {1.1}},
      {STEP_REDUCE, KRED_VARIANCE, {1}, 1, 3, 1, {-1, 0, inf}, {nan_}},
      {STEP_REDUCE,
       KRED_QUANTILES,
       {1, 0, .25, .5, .75, 1},
       6,
       4,
       5,
       {1.5, -inf, 5.75, -1.25},
       {-inf, -inf, 0.125, 2.5625, 5.75}},
      {STEP_REDUCE,
       KRED_QUANTILES,
       {1, 0, .25, .5, .75, 1},
       6,
       4,
       5,
       {1.5, inf, 5.75, -1.25},
       {-1.25, 0.8125, 3.625, inf, inf}},
      {STEP_REDUCE, KRED_QUANTILES, {0, .5}, 2, 4, 1, {-1, -0.5, nan_, 1}, {nan_}},
      {STEP_SERIES,
       KSER_SORT,
       {1, -1},
       2,
       11,
       11,
       {6, -1, 2, na, 7, 4, na, 8, 3, 9, 9},
       {-1, 2, 3, 4, 6, 7, 8, 9, 9, na, na}},
      {STEP_SERIES,
       KSER_ORDER,
       {0, 1},
       2,
       11,
       11,
       {6, -1, 2, na, 7, 4, na, 8, 3, 9, 9},
       {9, 10, 7, 4, 0, 5, 8, 2, 1, 3, 6}},
      {STEP_SERIES,
       KSER_ORDER,
       {0, 0},
       2,
       11,
       11,
       {6, -1, 2, na, 7, 4, na, 8, 3, 9, 9},
       {3, 6, 9, 10, 7, 4, 0, 5, 8, 2, 1}},
      {STEP_SERIES, KSER_CUMPRODUCT, {1}, 1, 6, 6, {1, 2, 3, na, 3, 1}, {1, 2, 6, na, 18, 18}},
      {STEP_SERIES, KSER_CUMMIN, {0}, 1, 5, 5, {5, 3, na, 1, 5}, {5, 3, na, na, na}},
      {STEP_SERIES,
       KSER_INTERPOLATE,
       {0},
       0,
       7,
       7,
       {-inf, nan_, 0.1, nan_, 0.2, nan_, inf},
       {-inf, -inf, 0.1, 0.15, 0.2, inf, inf}},
      {STEP_SERIES, KSER_INTERPOLATE, {0}, 0, 6, 6, {na, 1, na, 6, na, -8}, {na, 1, 3.5, 6, -1, -8}},
  };
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    struct kernel_step step = {.kind = cases[c].kind,
                               .op = (uint16_t)cases[c].op,
                               .dst = 3,
                               .blocks = cases[c].results,
                               .outer = 1,
                               .n = cases[c].n,
                               .operand = {operand(0, 0, 1)},
                               .parameters = cases[c].parameters,
                               .parameter_count = cases[c].parameter_count};
    struct bench b;
    bench_open(&b, LANE_F64, 16, 11, &step);
    for (size_t k = 0; k < cases[c].n; k++)
      lane_set(LANE_F64, bench_block(&b, 0, k), 0, cases[c].x[k]);
    bench_run(&b, kernel_engine_named(kernel_simd_level()), 1);
    for (size_t k = 0; k < cases[c].results; k++)
      check_value(&b, &step, 0, lane_get(LANE_F64, bench_block(&b, 3, k), 0), cases[c].answer[k]);
    bench_close(&b);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(documented_cases),
      cmocka_unit_test(reducers_equal_naive_ones),
      cmocka_unit_test(series_equal_naive_ones),
      cmocka_unit_test(sorting_without_signs_of_zeros),
      cmocka_unit_test(order_statistics_of_any_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
