/* Functions of numbers, and their derivatives against differences: every element operation and every reducer. */
#include "hpc/kernel/program_gradient.h"
#include "hpc/plan/number_function.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 4, MOST_OUT = N * (N + 1) };

typedef struct lanes make_result(struct program *p, struct lanes x, int op);

/* Value and derivatives of the program that `make` gives, as one function: [value …][d value / dx_0 …] … */
struct derived {
  struct arena *arena;
  struct number_function function;
  size_t values; /* elements of the value */
  void *work;
};

static int derive(make_result *make, int op, struct derived *out, struct error *error)
{
  out->arena = arena_new(0);
  struct program *p = program_new(out->arena);
  struct lanes x = program_input(p, 0, true, N, ELEMENT_F64, NULL), parts[N + 1];
  parts[0] = make(p, x, op);
  out->values = parts[0].length;
  if (program_gradient(p, x, parts[0], parts + 1, error) != 0)
    return -1;
  assert_int_equal(number_function_make(out->arena, p, program_concat(p, parts, N + 1), &out->function, error), 0);
  assert_int_equal(out->function.inputs, N);
  assert_int_equal(out->function.outputs, out->values * (N + 1));
  out->work = aligned_alloc(64, number_function_work(&out->function));
  assert_non_null(out->work);
  return 0;
}

static void drop(struct derived *d)
{
  arena_free(d->arena);
  free(d->work);
}

static void check_against_differences(make_result *make, int op, const double *x, const char *name)
{
  struct derived d;
  struct error error = {0};
  assert_int_equal(derive(make, op, &d, &error), 0);
  double at[MOST_OUT], below[MOST_OUT], above[MOST_OUT], points[2 * N];
  number_function_run(&d.function, d.work, x, at, 1);
  for (size_t k = 0; k < N; k++) {
    double h = 1e-5;
    memcpy(points, x, N * sizeof *x);
    points[k] -= h;
    number_function_run(&d.function, d.work, points, below, 1);
    points[k] += 2 * h;
    number_function_run(&d.function, d.work, points, above, 1);
    for (size_t i = 0; i < d.values; i++) {
      double slope = (above[i] - below[i]) / (2 * h), rule = at[d.values * (k + 1) + i];
      bool both_missing = op == KOP_MASK && isnan(rule) && isnan(slope);
      if (!both_missing && !(fabs(rule - slope) < 1e-7 * (1 + fabs(slope)))) {
        print_error("%s: d/dx%zu of element %zu is %.12g, by differences %.12g\n", name, k, i, rule, slope);
        fail();
      }
    }
  }
  drop(&d);
}

static struct lanes operation(struct program *p, struct lanes x, int op)
{
  struct lanes a = program_element(p, x, 0), b = program_element(p, x, 1), c = program_element(p, x, 3);
  switch (kernel_op_arity((enum kernel_op)op)) {
  case 1:
    return program_unary(p, (enum kernel_op)op, a);
  case 2:
    return program_binary(p, (enum kernel_op)op, a, b);
  default:
    return program_ternary(p, (enum kernel_op)op, a, b, c);
  }
}

static void element_operations(void **state)
{
  (void)state;
  const double x[N] = {0.37, 0.83, 0.2, 1.3}, large[N] = {1.7, 2.3, 0.2, 0};
  for (int op = 0; op < KOP_COUNT_; op++) {
    bool beyond_one = op == KOP_ARCOSH;
    check_against_differences(operation, op, beyond_one ? large : x, kernel_op_name((enum kernel_op)op));
    if (op != KOP_ARCSIN && op != KOP_ARCCOS && op != KOP_ARTANH)
      check_against_differences(operation, op, large, kernel_op_name((enum kernel_op)op));
  }
}

/* The operation on the array and a scalar that depends on it, and the other way round. */
static struct lanes broadcast(struct program *p, struct lanes x, int op)
{
  struct lanes a = program_element(p, x, 2), constant = program_constant(p, 2);
  struct lanes wide = program_binary(p, (enum kernel_op)op, program_binary(p, KOP_MUL, x, constant), a);
  return program_binary(p, (enum kernel_op)op, a, wide);
}

static void scalars_beside_arrays(void **state)
{
  (void)state;
  const double x[N] = {0.37, 0.83, 0.52, 1.3};
  const int ops[] = {KOP_ADD, KOP_SUB, KOP_MUL, KOP_DIV, KOP_POW, KOP_MIN, KOP_MAX, KOP_HYPOT, KOP_ARCTAN2};
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    check_against_differences(broadcast, ops[i], x, kernel_op_name((enum kernel_op)ops[i]));
}

static struct lanes reducer(struct program *p, struct lanes x, int op)
{
  const double parameters[] = {1, 0.5, 2, 3, -1};
  struct lanes squares = program_binary(p, KOP_MUL, x, x);
  return program_reduce(p, (enum kernel_reducer)op, squares, parameters,
                        op == KRED_WEIGHTED_SUM ? 5
                        : op == KRED_COUNT      ? 2
                                                : 1);
}

static void reducers(void **state)
{
  (void)state;
  const double x[N] = {0.37, -0.83, 0.2, 1.3}, with_zero[N] = {0.37, 0, 0.2, 1.3};
  for (int op = 0; op < KRED_COUNT_; op++) {
    if (op == KRED_MEDIAN || op == KRED_QUANTILES)
      continue;
    check_against_differences(reducer, op, x, kernel_reducer_name((enum kernel_reducer)op));
    check_against_differences(reducer, op, with_zero, kernel_reducer_name((enum kernel_reducer)op));
  }
}

static struct lanes mixture(struct program *p, struct lanes x, int op)
{
  const size_t order[] = {2, 0, 3};
  const double keep[] = {0};
  (void)op;
  struct lanes picked = program_pick(p, x, order, 3), running = program_series(p, KSER_CUMSUM, picked, keep, 1);
  struct lanes back = program_series(p, KSER_REVERSE, program_unary(p, KOP_EXP, running), NULL, 0);
  const struct lanes parts[] = {program_element(p, x, 1), back, program_constant(p, 5)};
  struct lanes all = program_concat(p, parts, 3);
  return program_reduce(p, KRED_SD, all, keep, 1);
}

static void arrays_are_taken_apart_and_joined(void **state)
{
  (void)state;
  const double x[N] = {0.37, 0.83, 0.2, 1.3};
  check_against_differences(mixture, 0, x, "mixture");
}

static struct lanes nothing(struct program *p, struct lanes x, int op)
{
  (void)x;
  (void)op;
  return program_constant(p, 3);
}

static struct lanes by_median(struct program *p, struct lanes x, int op)
{
  const double keep[] = {0};
  (void)op;
  return program_reduce(p, KRED_MEDIAN, x, keep, 1);
}

static void what_has_no_derivative_says_so(void **state)
{
  (void)state;
  const double x[N] = {1, 2, 3, 4};
  check_against_differences(nothing, 0, x, "a constant");
  struct derived d;
  struct error error = {0};
  assert_int_equal(derive(by_median, 0, &d, &error), -1);
  assert_string_equal(error.code, "FeatureUnsupported");
  assert_non_null(strstr(error.message, "MEDIAN"));
  arena_free(d.arena);
}

static struct lanes power(struct program *p, struct lanes x, int op)
{
  (void)op;
  return program_binary(p, KOP_POW, program_element(p, x, 0), program_element(p, x, 1));
}

/* Of x^b: b x^(b - 1) along x, x^b ln x along b; at x = 0 what these tend to. */
static void powers_of_zero_have_slopes(void **state)
{
  (void)state;
  const double points[][N] = {{0, 1.5}, {0, 1}, {0, 2}, {0, 0}, {3, 0}, {2, 3}};
  const double slopes[][2] = {{0, 0}, {1, 0}, {0, 0}, {0, -(double)INFINITY}, {0, log(3)}, {12, 8 * log(2)}};
  struct derived d;
  struct error error = {0};
  assert_int_equal(derive(power, 0, &d, &error), 0);
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    double out[N + 1];
    number_function_run(&d.function, d.work, points[i], out, 1);
    for (size_t k = 0; k < 2; k++)
      if (!(out[k + 1] == slopes[i][k] || fabs(out[k + 1] - slopes[i][k]) < 1e-12 * fabs(slopes[i][k]))) {
        print_error("%g^%g: slope %zu is %g, not %g\n", points[i][0], points[i][1], k, out[k + 1], slopes[i][k]);
        fail();
      }
  }
  drop(&d);
}

/* Many points at once give the bits of each alone. */
static void points_are_independent(void **state)
{
  (void)state;
  enum { POINTS = 77 };
  struct derived d;
  struct error error = {0};
  assert_int_equal(derive(mixture, 0, &d, &error), 0);
  double in[POINTS * N], all[POINTS * (N + 1)], alone[N + 1];
  for (size_t i = 0; i < POINTS * N; i++)
    in[i] = sin((double)i);
  number_function_run(&d.function, d.work, in, all, POINTS);
  for (size_t i = 0; i < POINTS; i++) {
    number_function_run(&d.function, d.work, in + i * N, alone, 1);
    assert_memory_equal(alone, all + i * (N + 1), sizeof alone);
  }
  drop(&d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(element_operations),
      cmocka_unit_test(scalars_beside_arrays),
      cmocka_unit_test(reducers),
      cmocka_unit_test(arrays_are_taken_apart_and_joined),
      cmocka_unit_test(what_has_no_derivative_says_so),
      cmocka_unit_test(powers_of_zero_have_slopes),
      cmocka_unit_test(points_are_independent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
