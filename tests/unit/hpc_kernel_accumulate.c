/* Accumulators against reducers by the book and against the fused REDUCE step; and that bits do not depend on what the
 * header says they do not: neighbours, layout, level, and for exact reducers the cuts. */
#include "hpc_kernel_naive.h"

#include "hpc/kernel/accumulate.h"

enum { MOST_STATE = 8, ELEMENTS = 1100 };

/* The reducer and variant under test. */
struct trial {
  double parameters[2];
  struct accumulator a;
};

static bool trial_open(struct trial *t, int reducer, int variant)
{
  t->parameters[0] = variant & 1;
  t->parameters[1] = reducer == KRED_COUNT ? variant / 2 : 0;
  t->a = (struct accumulator){(enum kernel_reducer)reducer, t->parameters};
  return kernel_reducer_states(t->a.reducer) > 0;
}

static bool is_spread(enum kernel_reducer reducer)
{
  return reducer == KRED_VARIANCE || reducer == KRED_SD;
}

static bool is_exact(enum kernel_reducer reducer)
{
  return !is_spread(reducer) && reducer != KRED_SUM && reducer != KRED_PRODUCT && reducer != KRED_MEAN;
}

static struct accumulate_data f64_data(const double *x)
{
  return (struct accumulate_data){.data = x, .type = ELEMENT_F64};
}

/* Accumulates and finishes in one go. */
static void accumulate(const struct accumulator *a, const struct accumulate_data *data, struct accumulate_shape shape,
                       double *out)
{
  size_t positions = shape.outer * shape.inner;
  double *state = malloc((kernel_reducer_states(a->reducer) * positions + 1) * sizeof *state);
  kernel_accumulate_init(a, state, positions);
  kernel_accumulate_step(a, state, data, shape);
  kernel_accumulate_finish(a, state, positions, out);
  free(state);
}

static double accumulate_one(const struct accumulator *a, const double *x, size_t n)
{
  double out;
  const struct accumulate_data data = f64_data(x);
  accumulate(a, &data, (struct accumulate_shape){1, n, 1}, &out);
  return out;
}

static void check_close(const struct trial *t, size_t n, double got, double want)
{
  bool same = class_of(want) != NUMBER || isinf(want) || is_exact(t->a.reducer)
                  ? class_of(got) == class_of(want) && (class_of(want) != NUMBER || got == want)
                  : fabs(got - want) <= 1e-12 * (1 + fabs(want));
  if (!same)
    fail_msg("%s (%g, %g) n=%zu: %.17g, not %.17g", kernel_reducer_name(t->a.reducer), t->parameters[0],
             t->parameters[1], n, got, want);
}

static void check_bits(const struct trial *t, const char *what, double got, double want)
{
  if (memcmp(&got, &want, sizeof got) != 0)
    fail_msg("%s (%g, %g) %s: %.17g, not %.17g", kernel_reducer_name(t->a.reducer), t->parameters[0],
             t->parameters[1], what, got, want);
}

/* As doubles, no-data as NaN, which loads read as NA: a computed NaN cannot lie in memory. */
static void fill(double *x, size_t n, uint64_t seed, size_t mix)
{
  for (size_t k = 0; k < n; k++) {
    x[k] = mixed_value(&seed, mix);
    if (isnan(x[k]))
      x[k] = na_f64();
  }
}

static size_t next_length(size_t n)
{
  return n < 20 ? n + 1 : n < 255 ? n + 47 : n < 259 ? n + 1 : n * 2;
}

static double by_the_book(const struct trial *t, const double *x, size_t n)
{
  static struct naive naive;
  naive.n = n, naive.known_count = naive.nans = 0;
  naive.parameters = t->parameters, naive.parameter_count = 2;
  for (size_t k = 0; k < n; k++) {
    naive.x[k] = x[k];
    if (!is_na_f64(x[k]))
      naive.known[naive.known_count++] = x[k];
  }
  reduce_naively(t->a.reducer, &naive);
  return naive.answer[0];
}

typedef void visit(const struct trial *t, const double *x, size_t n, uint64_t seed);

/* Every reducer with states, its variants, lengths and mixes. */
static void visit_all(visit *check)
{
  static double x[ELEMENTS];
  for (int reducer = 0; reducer < KRED_COUNT_; reducer++)
    for (int variant = 0; variant < (reducer == KRED_COUNT ? 6 : 2); variant++) {
      struct trial t;
      if (!trial_open(&t, reducer, variant))
        continue;
      for (size_t n = 0; n <= ELEMENTS; n = next_length(n))
        for (size_t mix = 0; mix < 8; mix++) {
          fill(x, n, 31 * n + mix, mix);
          check(&t, x, n, 77 * n + mix);
        }
    }
}

static void check_value_by_the_book(const struct trial *t, const double *x, size_t n, uint64_t seed)
{
  (void)seed;
  check_close(t, n, accumulate_one(&t->a, x, n), by_the_book(t, x, n));
}

static void results_are_by_the_book(void **state)
{
  (void)state;
  visit_all(check_value_by_the_book);
}

/* Random cuts, accumulated apart, merged in order; exact reducers to the bit. */
static void check_cuts(const struct trial *t, const double *x, size_t n, uint64_t seed)
{
  double into[MOST_STATE], from[MOST_STATE], out;
  kernel_accumulate_init(&t->a, into, 1);
  for (size_t k = 0; k < n;) {
    size_t count = random_bits(&seed) % (n - k + 1);
    const struct accumulate_data data = f64_data(x + k);
    kernel_accumulate_init(&t->a, from, 1);
    kernel_accumulate_step(&t->a, from, &data, (struct accumulate_shape){1, count, 1});
    kernel_accumulate_merge(&t->a, into, from, 1);
    k += count;
  }
  kernel_accumulate_finish(&t->a, into, 1, &out);
  double whole = accumulate_one(&t->a, x, n);
  check_close(t, n, out, whole);
  if (is_exact(t->a.reducer))
    check_bits(t, "cut", out, whole);
}

static void parts_merge_to_the_whole(void **state)
{
  (void)state;
  visit_all(check_cuts);
}

/* Steps cut at multiples of 256 give the bits of one step. */
static void check_steps(const struct trial *t, const double *x, size_t n, uint64_t seed)
{
  (void)seed;
  double state[MOST_STATE], out;
  kernel_accumulate_init(&t->a, state, 1);
  for (size_t k = 0; k < n;) {
    size_t count = (k == 0 ? 256 : 512) < n - k ? (k == 0 ? 256 : 512) : n - k;
    const struct accumulate_data data = f64_data(x + k);
    kernel_accumulate_step(&t->a, state, &data, (struct accumulate_shape){1, count, 1});
    k += count;
  }
  kernel_accumulate_finish(&t->a, state, 1, &out);
  check_bits(t, "steps of 256", out, accumulate_one(&t->a, x, n));
}

static void whole_strips_may_come_apart(void **state)
{
  (void)state;
  visit_all(check_steps);
}

/* An empty part on either side changes nothing. */
static void check_empty(const struct trial *t, const double *x, size_t n, uint64_t seed)
{
  (void)seed;
  double some[MOST_STATE], empty[MOST_STATE], kept[MOST_STATE];
  size_t bytes = kernel_reducer_states(t->a.reducer) * sizeof(double);
  const struct accumulate_data data = f64_data(x);
  kernel_accumulate_init(&t->a, some, 1);
  kernel_accumulate_init(&t->a, empty, 1);
  kernel_accumulate_step(&t->a, some, &data, (struct accumulate_shape){1, n, 1});
  memcpy(kept, some, bytes);
  if (!(is_spread(t->a.reducer) && isnan(some[4]))) { /* a spread with infinities in it is lost already */
    kernel_accumulate_merge(&t->a, some, empty, 1);
    assert_memory_equal(some, kept, bytes);
    kernel_accumulate_merge(&t->a, empty, some, 1);
    assert_memory_equal(empty, kept, bytes);
  }
}

static void empty_parts_change_nothing(void **state)
{
  (void)state;
  visit_all(check_empty);
}

/* What the fused step gives for the same array in a register. */
static double fused(const struct trial *t, const double *x, size_t n)
{
  struct kernel_step step = {.kind = STEP_REDUCE,
                             .op = (uint16_t)t->a.reducer,
                             .dst = 3,
                             .blocks = 1,
                             .outer = 1,
                             .n = (uint32_t)n,
                             .operand = {operand(0, 0, 1)},
                             .parameters = t->parameters,
                             .parameter_count = 2};
  struct bench b;
  bench_open(&b, LANE_F64, 16, n + 1, &step);
  for (size_t k = 0; k < n; k++)
    lane_set(LANE_F64, bench_block(&b, 0, k), 0, x[k]);
  bench_run(&b, kernel_engine_named(kernel_simd_level()), 1);
  double value = lane_get(LANE_F64, bench_block(&b, 3, 0), 0);
  bench_close(&b);
  return value;
}

static void check_fused(const struct trial *t, const double *x, size_t n, uint64_t seed)
{
  (void)seed;
  double got = accumulate_one(&t->a, x, n), want = fused(t, x, n);
  check_close(t, n, got, want);
  if (is_exact(t->a.reducer) || (n <= STRIP_ROWS && !is_spread(t->a.reducer)))
    check_bits(t, "fused", got, want);
}

static void fused_and_accumulated_agree(void **state)
{
  (void)state;
  visit_all(check_fused);
}

/* A cube's positions have the bits that each has alone, whatever the layout. */
static void check_layout(const struct trial *t, struct accumulate_shape shape)
{
  size_t positions = shape.outer * shape.inner, count = positions * shape.n;
  double *x = malloc((count + 1) * sizeof *x), *out = malloc((positions + 1) * sizeof *out), alone[ELEMENTS];
  for (size_t i = 0; i < count; i++)
    fill(x + i, 1, i + 1, i % 7 == 0 ? 1 : 0);
  const struct accumulate_data data = f64_data(x);
  accumulate(&t->a, &data, shape, out);
  for (size_t p = 0; p < positions; p++) {
    for (size_t k = 0; k < shape.n; k++)
      alone[k] = x[(p / shape.inner * shape.n + k) * shape.inner + p % shape.inner];
    check_bits(t, "layout", out[p], accumulate_one(&t->a, alone, shape.n));
  }
  free(x), free(out);
}

static void bits_do_not_depend_on_layout(void **state)
{
  (void)state;
  static const struct accumulate_shape shapes[] = {{1, 24, 600}, {3, 300, 17}, {2, 5, 8},   {40, 24, 1}, {17, 600, 1},
                                                   {20, 300, 3}, {1, 1100, 3}, {3, 700, 1}, {2, 0, 9},   {0, 4, 9}};
  for (int reducer = 0; reducer < KRED_COUNT_; reducer++)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
      struct trial t;
      if (trial_open(&t, reducer, 1))
        check_layout(&t, shapes[s]);
    }
}

/* One strip at every level, lanes at both strides. */
static void check_levels(const struct trial *t, enum element_type type, const void *data)
{
  enum { STATES = MOST_STATE * STRIP_LANES };
  static double first[STATES], other[STATES];
  const struct accumulate_data in = {.data = data, .type = type, .has_nodata = true, .nodata = 3};
  struct kernel_strip strip = {.reducer = t->a.reducer,
                               .ignore = t->parameters[0] != 0,
                               .mode = (int)t->parameters[1],
                               .type = in.type,
                               .has_nodata = in.has_nodata,
                               .nodata = in.nodata,
                               .data = in.data};
  bool narrow = element_info(type)->exact_in_f32;
  for (int turned = 0; turned < 2; turned++) {
    strip.lanes = turned ? 13 : 77, strip.rows = 50;
    strip.lane_stride = turned ? 53 : 1, strip.row_stride = turned ? 1 : 80;
    for (int l = 0; l < LEVELS; l++) {
      const struct kernel_engine *engine = kernel_engine_named(levels[l]);
      if (!engine)
        continue;
      (narrow ? engine->strip_f32 : engine->strip_f64)(&strip, l ? other : first);
      for (size_t j = 0; l && j < kernel_reducer_states(strip.reducer); j++)
        assert_memory_equal(first + j * STRIP_LANES, other + j * STRIP_LANES, strip.lanes * sizeof *first);
    }
  }
}

static void levels_give_the_same_bits(void **state)
{
  (void)state;
  static double wide[4000];
  static float narrow[4000];
  static uint16_t whole[4000];
  uint64_t seed = 5;
  for (size_t i = 0; i < 4000; i++) {
    wide[i] = random_bits(&seed) % 9 ? random_unit(&seed) - 0.5 : (double)NAN;
    narrow[i] = (float)wide[i];
    whole[i] = (uint16_t)(random_bits(&seed) % 10);
  }
  for (int reducer = 0; reducer < KRED_COUNT_; reducer++)
    for (int variant = 0; variant < 6; variant++) {
      struct trial t;
      if (!trial_open(&t, reducer, variant))
        continue;
      check_levels(&t, ELEMENT_F64, wide);
      check_levels(&t, ELEMENT_F32, narrow);
      check_levels(&t, ELEMENT_U16, whole);
    }
}

/* Elements of a type and the same numbers as doubles. */
#define TYPED(TYPE, E, missing)                                                                                        \
  {                                                                                                                    \
    static E elements[ELEMENTS];                                                                                       \
    for (size_t i = 0; i < ELEMENTS; i++) {                                                                            \
      elements[i] = (E)(i * 37 % 101);                                                                                 \
      numbers[i] = elements[i] == (E)(missing) ? na_f64() : (double)elements[i];                                       \
    }                                                                                                                  \
    check_type(&(struct accumulate_data){elements, ELEMENT_##TYPE, true, (missing)}, numbers);                         \
  }

static void check_type(const struct accumulate_data *data, const double *numbers)
{
  static double got[ELEMENTS], want[ELEMENTS];
  static const struct accumulate_shape shapes[] = {{2, 5, 110}, {110, 10, 1}, {1, 1100, 1}, {4, 55, 5}};
  const struct accumulate_data reference = f64_data(numbers);
  for (int reducer = 0; reducer < KRED_COUNT_; reducer++)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
      struct trial t;
      if (!trial_open(&t, reducer, 1))
        continue;
      accumulate(&t.a, data, shapes[s], got);
      accumulate(&t.a, &reference, shapes[s], want);
      for (size_t p = 0; p < shapes[s].outer * shapes[s].inner; p++)
        check_bits(&t, element_info(data->type)->name, got[p], want[p]);
    }
}

static void every_type_is_read(void **state)
{
  (void)state;
  static double numbers[ELEMENTS];
  TYPED(U8, uint8_t, 7)
  TYPED(I8, int8_t, 7)
  TYPED(U16, uint16_t, 7)
  TYPED(I16, int16_t, 7)
  TYPED(U32, uint32_t, 7)
  TYPED(I32, int32_t, 7)
  TYPED(U64, uint64_t, 7)
  TYPED(I64, int64_t, 7)
  TYPED(F32, float, 7)
  TYPED(F64, double, 7)
  static uint8_t flags[ELEMENTS];
  for (size_t i = 0; i < ELEMENTS; i++) {
    flags[i] = i % 5 == 0 ? 255 : i % 3 == 0;
    numbers[i] = i % 5 == 0 ? na_f64() : i % 3 == 0;
  }
  check_type(&(struct accumulate_data){flags, ELEMENT_BOOLEAN, false, 0}, numbers);
}

/* Zones against each zone's elements taken out by hand; and calls cut anywhere give the same bits. */
static void check_zones(const struct trial *t, const float *pixels, const uint32_t *pixel, const uint32_t *zone)
{
  enum { ZONES = 7, COUNT = 3000 };
  double whole[MOST_STATE * ZONES], cut[MOST_STATE * ZONES], out[ZONES];
  const struct accumulate_data data = {.data = pixels, .type = ELEMENT_F32, .has_nodata = true, .nodata = -1};
  const struct accumulate_zones all = {ZONES, pixel, zone, COUNT}, head = {ZONES, pixel, zone, 1234},
                                tail = {ZONES, pixel + 1234, zone + 1234, COUNT - 1234};
  kernel_accumulate_init(&t->a, whole, ZONES);
  kernel_accumulate_init(&t->a, cut, ZONES);
  kernel_accumulate_zones(&t->a, whole, &data, &all);
  kernel_accumulate_zones(&t->a, cut, &data, &head);
  kernel_accumulate_zones(&t->a, cut, &data, &tail);
  assert_memory_equal(whole, cut, kernel_reducer_states(t->a.reducer) * ZONES * sizeof *whole);
  kernel_accumulate_finish(&t->a, whole, ZONES, out);
  for (uint32_t z = 0; z < ZONES; z++) {
    static double x[COUNT];
    size_t n = 0;
    for (size_t i = 0; i < COUNT; i++)
      if (zone[i] == z)
        x[n++] = pixels[pixel[i]] == -1 ? na_f64() : (double)pixels[pixel[i]];
    check_close(t, n, out[z], by_the_book(t, x, n));
  }
}

static void zones_are_by_the_book(void **state)
{
  (void)state;
  static float pixels[5000];
  static uint32_t pixel[3000], zone[3000];
  uint64_t seed = 3;
  for (size_t i = 0; i < 5000; i++)
    pixels[i] = random_bits(&seed) % 6 ? (float)random_unit(&seed) : -1;
  for (size_t i = 0; i < 3000; i++) {
    pixel[i] = (uint32_t)(random_bits(&seed) % 5000);
    zone[i] = i < 2000 ? (uint32_t)(i / 40 % 5) : (uint32_t)(random_bits(&seed) % 6); /* zone 6 stays empty */
  }
  for (int reducer = 0; reducer < KRED_COUNT_; reducer++)
    for (int variant = 0; variant < (reducer == KRED_COUNT ? 6 : 2); variant++) {
      struct trial t;
      if (trial_open(&t, reducer, variant))
        check_zones(&t, pixels, pixel, zone);
    }
}

/* The spread of numbers far from zero, in parts: the naive sum of squares has no digit left there. */
static void spread_keeps_its_digits(void **state)
{
  (void)state;
  enum { N = 20000 };
  static double x[N];
  for (size_t i = 0; i < N; i++)
    x[i] = 1e9 + (double)(i % 2);
  const double parameters[] = {1};
  const struct accumulator a = {KRED_VARIANCE, parameters};
  double got = accumulate_one(&a, x, N), want = 0.25 * N / (N - 1);
  assert_true(fabs(got - want) < 1e-7 * want); /* a mean of 1e9 rounds at 1e-7 of the deviation */
}

static void what_has_states(void **state)
{
  (void)state;
  for (int r = 0; r < KRED_COUNT_; r++)
    assert_int_equal(kernel_reducer_states((enum kernel_reducer)r) == 0,
                     r == KRED_MEDIAN || r == KRED_QUANTILES || r == KRED_WEIGHTED_SUM);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_has_states),
      cmocka_unit_test(results_are_by_the_book),
      cmocka_unit_test(parts_merge_to_the_whole),
      cmocka_unit_test(whole_strips_may_come_apart),
      cmocka_unit_test(empty_parts_change_nothing),
      cmocka_unit_test(fused_and_accumulated_agree),
      cmocka_unit_test(bits_do_not_depend_on_layout),
      cmocka_unit_test(levels_give_the_same_bits),
      cmocka_unit_test(every_type_is_read),
      cmocka_unit_test(zones_are_by_the_book),
      cmocka_unit_test(spread_keeps_its_digits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
