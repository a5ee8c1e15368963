/* Running values along axes that are cut into parts: the same bits as in one piece and as one loop over the elements,
 * whatever the parts, the threads and the memory. The numbers are eighths and powers of two: their sums and products
 * are exact, so the order of rounding does not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hpc_plan_sink.h"

#include "datacube/base/missing.h"
#include "datacube/source/memory_source.h"
#include "hpc/plan/plan_internal.h"
#include "hpc/plan/rewrite.h"

#include <math.h>

enum { SMALL = 1000, LARGE = 200000, WIDE = 3 };

static const struct node_origin from_test = {"test", "test"};

static const enum kernel_series all_series[] = {KSER_CUMSUM, KSER_CUMPRODUCT, KSER_CUMMIN, KSER_CUMMAX};

enum holes { NO_HOLES, SOME_MISSING, SOME_NAN, BOTH, FIRST_MISSING, PARTS_MISSING, ALL_MISSING, LATE_NAN, HOLES_COUNT };

struct series_case {
  enum kernel_series series;
  enum holes holes;
  bool ignore;
  size_t size;     /* along t */
  bool surrounded; /* by elementwise steps that tell NA from NaN */
};

/* The stored number: -3 stands for NaN (made by the program), NaN for NA. */
static double stored(const struct series_case *c, size_t t, size_t x)
{
  uint64_t h = (t * WIDE + x + 1) * UINT64_C(0x9E3779B97F4A7C15);
  h ^= h >> 31;
  bool missing = (c->holes == SOME_MISSING || c->holes == BOTH) && t > c->size / 3 && h % 61 == 0;
  bool nan = (c->holes == SOME_NAN || c->holes == BOTH) && t > c->size / 2 && h % 1009 == 1;
  missing = missing || c->holes == ALL_MISSING || (c->holes == FIRST_MISSING && t == 0);
  missing = missing || (c->holes == PARTS_MISSING && t % (c->size / 5) >= c->size / 50 + x);
  nan = nan || (c->holes == LATE_NAN && t + 1 == c->size);
  if (missing || nan)
    return missing ? NAN : -3;
  if (c->series == KSER_CUMPRODUCT)
    return h % 3 == 0 ? (t % 2 ? 2 : 0.5) : 1;
  return (double)(h >> 8 & 1023) / 8 + (c->series == KSER_CUMMIN ? 1e5 - (double)t / 8 : (double)t / 8);
}

static double running(enum kernel_series series, double s, double x)
{
  switch (series) {
  case KSER_CUMSUM:
    return s + x;
  case KSER_CUMPRODUCT:
    return s * x;
  case KSER_CUMMIN:
    return isnan(s) || isnan(x) ? (double)NAN : x < s ? x : s;
  default:
    return isnan(s) || isnan(x) ? (double)NAN : x > s ? x : s;
  }
}

static double start_of(enum kernel_series series)
{
  return series == KSER_CUMSUM       ? 0
         : series == KSER_CUMPRODUCT ? 1
         : series == KSER_CUMMIN     ? (double)INFINITY
                                     : -(double)INFINITY;
}

/* What comes out: NaN for NA; where it is surrounded, -1 for NA and -2 for NaN. */
static double *expected_of(const struct series_case *c)
{
  double *out = malloc(c->size * WIDE * sizeof *out);
  for (size_t x = 0; x < WIDE; x++) {
    double s = start_of(c->series);
    bool ended = false;
    for (size_t t = 0; t < c->size; t++) {
      double value = stored(c, t, x);
      bool missing = isnan(value);
      ended = ended || (missing && !c->ignore);
      if (!missing)
        s = running(c->series, s, value == -3 ? (double)NAN : value);
      double given = missing || ended ? -1 : isnan(s) ? -2 : s;
      out[t * WIDE + x] = c->surrounded || given >= 0 ? given : (double)NAN;
    }
  }
  return out;
}

/* The series of a (t, x) cube along t; -3 becomes NaN before it. */
static const struct node *series_node(struct arena *arena, const struct series_case *c)
{
  struct cube cube = {.dimensions = 2, .type = ELEMENT_F64, .has_nodata = true, .nodata = NAN};
  cube.dimension[0] = dimension_enumerated("t", DIMENSION_OTHER, c->size);
  cube.dimension[1] = dimension_enumerated("x", DIMENSION_OTHER, WIDE);
  double *data = ARENA_ARRAY(arena, double, c->size *WIDE);
  for (size_t i = 0; i < c->size * WIDE; i++)
    data[i] = stored(c, i / WIDE, i % WIDE);
  struct kernel_input *input = ARENA_NEW(arena, struct kernel_input);
  *input = (struct kernel_input){.node = node_source(arena, from_test, memory_source(arena, &cube, data, "test")),
                                 .to_output = {NO_DIMENSION, 1}};
  struct program *p = program_new(arena);
  struct lanes stored_value = program_input(p, 0, true, c->size, ELEMENT_F64, NULL);
  struct lanes is_nan = program_binary(p, KOP_EQ, stored_value, program_constant(p, -3));
  struct lanes value = program_ternary(p, KOP_SELECT, program_constant(p, (double)NAN), stored_value, is_nan);
  value = program_series(p, c->series, value, &(double){c->ignore}, 1);
  struct lanes na = program_unary(p, KOP_IS_NODATA, value), nan = program_unary(p, KOP_IS_NAN, value);
  if (c->surrounded)
    value = program_ternary(p, KOP_SELECT, program_constant(p, -1),
                            program_ternary(p, KOP_SELECT, program_constant(p, -2), value, nan), na);
  return node_kernel(arena, from_test, arena_copy(arena, &cube, sizeof cube), input, 1, p, value, 0);
}

static const struct node *cut(struct arena *arena, const struct node *node, struct series_parts parts)
{
  const struct node *out;
  struct error error = {0};
  if (series_cut(arena, node, &parts, &out, &error) != 0)
    fail_msg("%s %s", error.code, error.message);
  return out;
}

static const struct plan *plan_of(struct arena *arena, const struct node *node, struct plan_options options)
{
  const struct plan *plan;
  struct error error = {0};
  if (plan_make(arena, node, &options, &plan, &error) != 0)
    fail_msg("%s %s", error.code, error.message);
  return plan;
}

/* The elements of a node's cube; the caller frees them. */
static double *elements_of(struct arena *arena, const struct node *node, struct plan_options options)
{
  const struct plan *plan = plan_of(arena, node, options);
  struct keeping_sink sink = keeping_sink(plan_cube(plan));
  struct error error = {0};
  if (plan_run(plan, &sink.sink, NULL, NULL, &error) != 0)
    fail_msg("%s %s", error.code, error.message);
  free(sink.written);
  return (double *)(void *)sink.data;
}

static void compare(const struct series_case *c, const double *have, const double *expected, size_t t, size_t x)
{
  if (memcmp(have, expected, sizeof *have) != 0 && !(isnan(*have) && isnan(*expected)))
    fail_msg("series %d, holes %d, ignore %d, surrounded %d: element (%zu, %zu) of %zu is %.17g, not %.17g", c->series,
             c->holes, c->ignore, c->surrounded, t, x, c->size, *have, *expected);
}

static void check(struct arena *arena, const struct series_case *c, const struct node *node,
                  struct plan_options options)
{
  double *have = elements_of(arena, node, options), *expected = expected_of(c);
  for (size_t i = 0; i < c->size * WIDE; i++)
    compare(c, &have[i], &expected[i], i / WIDE, i % WIDE);
  free(expected);
  free(have);
}

/* Every kind of series, holes (those that are telling, on a large axis) and NA handling. */
static void each_case(size_t size, bool surrounded, void (*test)(const struct series_case *))
{
  for (size_t s = 0; s < sizeof all_series / sizeof *all_series; s++)
    for (int holes = size == LARGE ? BOTH : NO_HOLES; holes < HOLES_COUNT; holes++)
      for (int ignore = 0; ignore < 2; ignore++)
        test(&(struct series_case){all_series[s], (enum holes)holes, ignore, size, surrounded});
}

/* In one piece, and in parts that fit the axis and that do not. */
static void short_axis(const struct series_case *c)
{
  static const size_t lengths[] = {37, 250, 500, 999, 1000};
  struct arena *arena = arena_new(0);
  const struct node *whole = series_node(arena, c);
  check(arena, c, whole, (struct plan_options){.threads = 1});
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    const struct node *node = cut(arena, whole, (struct series_parts){c->size - 1, lengths[i]});
    assert_true((node != whole) == (lengths[i] < c->size));
    check(arena, c, node, (struct plan_options){.threads = i == 0 ? 2 : 1});
  }
  arena_free(arena);
}

static void short_axes_in_parts(void **state)
{
  (void)state;
  each_case(SMALL, false, short_axis);
  each_case(SMALL, true, short_axis);
}

static void long_axis(const struct series_case *c)
{
  struct arena *arena = arena_new(0);
  const struct node *node = series_node(arena, c);
  check(arena, c, node, (struct plan_options){.threads = 1});
  check(arena, c, node, (struct plan_options){.threads = 2, .memory = (size_t)128 << 20});
  arena_free(arena);
}

static void long_axes(void **state)
{
  (void)state;
  each_case(LARGE, true, long_axis);
}

/* Beside the series: an array as long, and a number for each x. */
static void series_beside_other_inputs(void **state)
{
  struct arena *arena = arena_new(0);
  const struct series_case c = {KSER_CUMSUM, BOTH, true, SMALL, false};
  const struct node *first = series_node(arena, &c), *x = first->inputs[0].node;
  struct view_dimension *view = ARENA_ARRAY(arena, struct view_dimension, 2);
  struct kernel_input *inputs = ARENA_ARRAY(arena, struct kernel_input, 2);
  struct program *p = program_new(arena);
  (void)state;
  struct cube row = {.dimensions = 1, .type = ELEMENT_F64, .has_nodata = true, .nodata = NAN};
  row.dimension[0] = x->cube->dimension[1];
  view[0] = (struct view_dimension){.out = NO_DIMENSION, .fixed = 5};
  view[1] = (struct view_dimension){.out = 0};
  inputs[0] = first->inputs[0];
  inputs[1] = (struct kernel_input){.node = node_view(arena, from_test, x, arena_copy(arena, &row, sizeof row), view),
                                    .array_dimension = NO_DIMENSION,
                                    .to_output = {1}};
  struct lanes array = program_input(p, 0, true, SMALL, ELEMENT_F64, NULL);
  struct lanes number = program_input(p, 1, false, 1, ELEMENT_F64, NULL);
  struct lanes series = program_series(p, KSER_CUMSUM, program_binary(p, KOP_SUB, array, number), &(double){1}, 1);
  struct lanes value = program_binary(p, KOP_ADD, program_binary(p, KOP_MUL, series, number), array);
  const struct node *whole = node_kernel(arena, from_test, x->cube, inputs, 2, p, value, 0);
  const struct node *node = cut(arena, whole, (struct series_parts){10, 96});
  assert_true(node != whole);
  double *in_one = elements_of(arena, whole, (struct plan_options){.threads = 1});
  double *in_parts = elements_of(arena, node, (struct plan_options){.threads = 1});
  assert_memory_equal(in_one, in_parts, cube_bytes(x->cube));
  free(in_one);
  free(in_parts);
  arena_free(arena);
}

/* A few indexes are not worth keeping anything: they are computed from the parts as they are asked for. */
static void some_indexes(const struct series_case *c)
{
  static const size_t indexes[] = {5, 36, 37, 999, 500, 500, 0};
  enum { COUNT = sizeof indexes / sizeof *indexes };
  struct arena *arena = arena_new(0);
  const struct node *node = cut(arena, series_node(arena, c), (struct series_parts){10, 37});
  struct view_dimension *view = ARENA_ARRAY(arena, struct view_dimension, 2);
  struct cube *cube = arena_copy(arena, node->cube, sizeof *cube);
  cube->dimension[0] = dimension_enumerated("t", DIMENSION_OTHER, COUNT);
  view[0] = (struct view_dimension){.out = 0, .indexes = indexes};
  view[1] = (struct view_dimension){.out = 1};
  double *have = elements_of(arena, node_view(arena, from_test, node, cube, view), (struct plan_options){.threads = 1});
  double *expected = expected_of(c);
  for (size_t i = 0; i < (size_t)COUNT * WIDE; i++)
    compare(c, &have[i], &expected[indexes[i / WIDE] * WIDE + i % WIDE], indexes[i / WIDE], i % WIDE);
  free(have);
  free(expected);
  arena_free(arena);
}

static void some_indexes_of_parts(void **state)
{
  (void)state;
  each_case(SMALL, true, some_indexes);
}

static void parts_of_one_index(void **state)
{
  const struct series_case c = {KSER_CUMSUM, BOTH, false, 50, true};
  struct arena *arena = arena_new(0);
  (void)state;
  check(arena, &c, cut(arena, series_node(arena, &c), (struct series_parts){10, 1}),
        (struct plan_options){.threads = 2});
  arena_free(arena);
}

/* What needs its whole axis stays as it is. */
static void what_is_not_cut(void **state)
{
  struct arena *arena = arena_new(0);
  const struct series_case c = {KSER_CUMSUM, NO_HOLES, true, SMALL, false};
  const struct node *sum = series_node(arena, &c);
  const struct series_parts parts = {10, 100};
  (void)state;
  assert_ptr_equal(cut(arena, sum, (struct series_parts){SMALL, 100}), sum);
  for (int kind = 0; kind < 3; kind++) {
    struct program *p = program_new(arena);
    struct lanes array = program_input(p, 0, true, SMALL, ELEMENT_F64, NULL);
    struct lanes value = program_series(p, KSER_CUMSUM, array, &(double){1}, 1);
    if (kind == 0) /* a series of a series */
      value = program_series(p, KSER_CUMMAX, value, &(double){1}, 1);
    else if (kind == 1) /* beside a reducer */
      value = program_binary(p, KOP_SUB, value, program_reduce(p, KRED_SUM, array, &(double){1}, 1));
    else
      value = program_series(p, KSER_REVERSE, array, NULL, 0);
    const struct node *node = node_kernel(arena, from_test, sum->cube, sum->inputs, 1, p, value, 0);
    assert_ptr_equal(cut(arena, node, parts), node);
  }
  arena_free(arena);
}

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

enum { VERY_LONG = 1000000, POSITIONS = 4 };

static int open_ones(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  (void)threads;
  (void)error;
  *out = source->state;
  return 0;
}

static int read_ones(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  (void)reader;
  (void)error;
  for (size_t i = 0; i < box_elements(box); i++)
    ((double *)data)[i] = 1;
  return 0;
}

static void close_ones(struct source_reader *reader)
{
  (void)reader;
}

static const struct source_ops ones_ops = {.name = "ones", .open = open_ones, .read = read_ones, .close = close_ones};

struct counting_sink { /* the running sum of ones at t is t + 1 */
  struct sink sink;
  atomic_size_t right;
};

static int count_right(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  struct counting_sink *to = (struct counting_sink *)sink;
  size_t row = box->count[1], right = 0;
  (void)error;
  for (size_t i = 0; i < box_elements(box); i++)
    right += ((const double *)data)[i] == (double)(box->start[0] + i / row + 1);
  atomic_fetch_add(&to->right, right);
  return 0;
}

static const struct sink_ops counting_ops = {.put = count_right};

static void longer_than_memory(void **state)
{
  struct arena *arena = arena_new(0);
  struct source *source = ARENA_NEW(arena, struct source);
  const size_t memory = (size_t)160 << 20;
  (void)state;
  *source = (struct source){.ops = &ones_ops, .state = source};
  source->cube = (struct cube){.dimensions = 2, .type = ELEMENT_F64, .has_nodata = true, .nodata = NAN};
  source->cube.dimension[0] = dimension_enumerated("t", DIMENSION_OTHER, VERY_LONG);
  source->cube.dimension[1] = dimension_enumerated("x", DIMENSION_OTHER, POSITIONS);
  struct kernel_input input = {.node = node_source(arena, from_test, source), .to_output = {NO_DIMENSION, 1}};
  struct program *p = program_new(arena);
  struct lanes array = program_input(p, 0, true, VERY_LONG, ELEMENT_F64, NULL);
  struct lanes value = program_series(p, KSER_CUMSUM, array, &(double){1}, 1);
  const struct node *node = node_kernel(arena, from_test, &source->cube, &input, 1, p, value, 0);
  for (unsigned threads = 1; threads <= 2; threads++) {
    const struct plan *plan = plan_of(arena, node, (struct plan_options){.threads = threads, .memory = memory});
    struct counting_sink sink = {.sink = {.ops = &counting_ops}};
    struct error error = {0};
    assert_true(plan_peak_memory(plan) <= memory);
    if (plan_run(plan, &sink.sink, NULL, NULL, &error) != 0)
      fail_msg("%s %s", error.code, error.message);
    assert_int_equal(atomic_load(&sink.right), (size_t)VERY_LONG * POSITIONS);
  }
  arena_free(arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(short_axes_in_parts),        cmocka_unit_test(long_axes),
      cmocka_unit_test(series_beside_other_inputs), cmocka_unit_test(some_indexes_of_parts),
      cmocka_unit_test(parts_of_one_index),         cmocka_unit_test(what_is_not_cut),
      cmocka_unit_test(longer_than_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
