/* Complex numbers in programs, folded, against the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/base/missing.h"
#include "hpc/kernel/program.h"

#include <complex.h>
#include <math.h>
#include <string.h>

typedef double complex number;

static const number numbers[] = {3 + 4 * I, -1.5 + 0.25 * I, 2 - 7 * I, -3 - 3 * I, 5, -2, 1e200 + 1e200 * I,
                                 4e-200 * I};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static struct lanes constant(struct program *p, number z)
{
  return program_complex(p, program_constant(p, creal(z)), program_constant(p, cimag(z)));
}

static struct lanes array_of(struct program *p, const number *z, size_t count)
{
  struct lanes parts[NUMBERS];
  for (size_t i = 0; i < count; i++)
    parts[i] = constant(p, z[i]);
  return program_concat(p, parts, count);
}

static void evaluate(struct program *p, struct lanes value, double *out)
{
  struct error error = {0};
  if (program_evaluate(p, value, out, &error) != 0)
    fail_msg("%s: %s", error.code, error.message);
}

static void check_real(struct program *p, struct lanes value, double want)
{
  double got;
  assert_false(value.is_complex);
  evaluate(p, value, &got);
  if (!(fabs(got - want) <= 1e-14 * fabs(want) || got == want || (is_na_f64(got) && is_na_f64(want))))
    fail_msg("%.17g, not %.17g", got, want);
}

static void check_parts(struct program *p, struct lanes value, const number *want, size_t count)
{
  double real[NUMBERS], imaginary[NUMBERS];
  assert_true(value.is_complex);
  assert_int_equal(value.is_array ? value.length : 1, count);
  evaluate(p, program_real(p, value), real);
  evaluate(p, program_imaginary(p, value), imaginary);
  for (size_t i = 0; i < count; i++) {
    double size = cabs(want[i]);
    if (!(fabs(real[i] - creal(want[i])) <= 4e-15 * size && fabs(imaginary[i] - cimag(want[i])) <= 4e-15 * size))
      fail_msg("%zu: %.17g + %.17g i, not %.17g + %.17g i", i, real[i], imaginary[i], creal(want[i]), cimag(want[i]));
  }
}

static void check(struct program *p, struct lanes value, number want)
{
  check_parts(p, value, &want, 1);
}

static void with_program(void (*test)(struct program *))
{
  struct arena *arena = arena_new(0);
  struct program *p = program_new(arena);
  assert_non_null(p);
  test(p);
  arena_free(arena);
}

static void try_pairs(struct program *p)
{
  for (size_t i = 0; i < NUMBERS; i++)
    for (size_t k = 0; k < NUMBERS; k++) {
      const number z = numbers[i], w = numbers[k];
      struct lanes a = constant(p, z), b = constant(p, w);
      if (!isinf(cabs(z) / cabs(w)))
        check(p, program_binary(p, KOP_DIV, a, b), z / w); /* no square out of range */
      if (cabs(z) > 1e100 || cabs(w) > 1e100)
        continue;
      check(p, program_binary(p, KOP_ADD, a, b), z + w);
      check(p, program_binary(p, KOP_SUB, a, b), z - w);
      check(p, program_binary(p, KOP_MUL, a, b), z * w);
      check_real(p, program_binary(p, KOP_EQ, a, b), z == w);
      check_real(p, program_binary(p, KOP_NEQ, a, b), z != w);
      check(p, program_ternary(p, KOP_SELECT, a, b, program_boolean(p, false)), w);
    }
}

static void arithmetic_is_the_librarys(void **state)
{
  (void)state;
  with_program(try_pairs);
}

static void try_single(struct program *p)
{
  for (size_t i = 0; i < NUMBERS; i++) {
    const number z = numbers[i];
    struct lanes a = constant(p, z);
    check_real(p, program_unary(p, KOP_ABS, a), cabs(z));
    check_real(p, program_argument(p, a), carg(z));
    check_real(p, program_real(p, a), creal(z));
    check_real(p, program_imaginary(p, a), cimag(z));
    check(p, program_conjugate(p, a), conj(z));
    check(p, program_unary(p, KOP_NEG, a), -z);
    check(p, program_unary(p, KOP_LN, a), clog(z));
    if (cabs(z) < 1e100)
      check(p, program_unary(p, KOP_EXP, a), cexp(z));
  }
}

static void functions_are_the_librarys(void **state)
{
  (void)state;
  with_program(try_single);
}

static void try_real_operands(struct program *p)
{
  const number z = 3 + 4 * I;
  struct lanes a = constant(p, z), r = program_constant(p, 2);
  check(p, program_binary(p, KOP_ADD, r, a), 2 + z);
  check(p, program_binary(p, KOP_SUB, r, a), 2 - z);
  check(p, program_binary(p, KOP_MUL, r, a), 2 * z);
  check(p, program_binary(p, KOP_DIV, a, r), z / 2);
  check(p, program_binary(p, KOP_DIV, r, a), 2 / z);
  check_real(p, program_argument(p, program_constant(p, -5)), acos(-1));
  check_real(p, program_imaginary(p, r), 0);
  check_real(p, program_conjugate(p, r), 2);
  /* infinity times a real number makes no NaN */
  double imaginary;
  struct lanes far = program_complex(p, program_constant(p, INFINITY), program_constant(p, 1));
  evaluate(p, program_imaginary(p, program_binary(p, KOP_MUL, far, r)), &imaginary);
  assert_true(imaginary == 2);
}

static void real_operands_mix(void **state)
{
  (void)state;
  with_program(try_real_operands);
}

static void try_arrays(struct program *p)
{
  const double ignore = 1, valid[2] = {1, 0};
  const size_t back[] = {3, 1};
  struct lanes array = array_of(p, numbers, 4);
  number sum = numbers[0] + numbers[1] + numbers[2] + numbers[3];
  check(p, program_reduce(p, KRED_SUM, array, &ignore, 1), sum);
  check(p, program_reduce(p, KRED_MEAN, array, &ignore, 1), sum / 4);
  check(p, program_reduce(p, KRED_LAST, array, &ignore, 1), numbers[3]);
  check_real(p, program_reduce(p, KRED_COUNT, array, valid, 2), 4);
  check(p, program_element(p, array, 2), numbers[2]);
  check_parts(p, program_pick(p, array, back, 2), (const number[]){numbers[3], numbers[1]}, 2);
  number running[4], turned[4];
  for (size_t i = 0; i < 4; i++) {
    running[i] = (i ? running[i - 1] : 0) + numbers[i];
    turned[i] = numbers[3 - i];
  }
  check_parts(p, program_series(p, KSER_CUMSUM, array, &ignore, 1), running, 4);
  check_parts(p, program_series(p, KSER_REVERSE, array, &ignore, 0), turned, 4);
  const struct lanes mixed[] = {program_constant(p, 7), array};
  check_parts(p, program_pick(p, program_concat(p, mixed, 2), (const size_t[]){0, 1}, 2),
              (const number[]){7, numbers[0]}, 2);
}

static void arrays_go_part_by_part(void **state)
{
  (void)state;
  with_program(try_arrays);
}

static void try_missing(struct program *p)
{
  struct lanes half = program_complex(p, program_constant(p, 1), program_missing(p)), whole = constant(p, 1 + I);
  struct lanes sum = program_binary(p, KOP_ADD, whole, program_missing(p));
  const struct lanes values[] = {half,
                                 sum,
                                 program_binary(p, KOP_MUL, whole, half),
                                 program_binary(p, KOP_DIV, whole, half),
                                 program_binary(p, KOP_MASK, whole, program_boolean(p, true)),
                                 program_conjugate(p, half)};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    check_real(p, program_real(p, values[i]), na_f64());
    check_real(p, program_imaginary(p, values[i]), na_f64());
    check_real(p, program_unary(p, KOP_IS_NODATA, values[i]), 1);
    check_real(p, program_unary(p, KOP_ABS, values[i]), na_f64());
  }
}

static void parts_are_missing_together(void **state)
{
  (void)state;
  with_program(try_missing);
}

static void try_types(struct program *p)
{
  struct lanes z = program_input(p, 2, true, 5, ELEMENT_C64, NULL);
  assert_true(z.is_complex && z.is_array && z.length == 5 && z.type == ELEMENT_C64 && p->input_count == 3);
  assert_int_equal(p->steps[0].kind, PROGRAM_INPUT);
  assert_int_equal(p->steps[1].kind, PROGRAM_INPUT);
  assert_int_equal(p->steps[0].input, 2);
  assert_int_equal(p->steps[1].input, 2);
  assert_int_equal(p->steps[0].component, 0);
  assert_int_equal(p->steps[1].component, 1);
  assert_false(p->steps[0].wants_f64);
  struct lanes wide = program_input(p, 0, true, 5, ELEMENT_C128, NULL);
  assert_int_equal(program_binary(p, KOP_MUL, z, wide).type, ELEMENT_C128);
  assert_int_equal(program_unary(p, KOP_ABS, z).type, ELEMENT_F32);
  assert_int_equal(program_unary(p, KOP_ABS, wide).type, ELEMENT_F64);
  assert_int_equal(program_binary(p, KOP_MUL, z, program_constant(p, 2)).type, ELEMENT_C64);
  assert_int_equal(program_binary(p, KOP_EQ, z, wide).class, LANES_BOOLEAN);
}

static void types_follow_the_parts(void **state)
{
  (void)state;
  with_program(try_types);
}

static void try_unsupported(struct program *p)
{
  struct error error = {0};
  program_binary(p, KOP_LT, constant(p, I), constant(p, 1));
  assert_true(program_failed(p));
  assert_int_equal(program_error(p, &error), -1);
  assert_string_equal(error.code, "FeatureUnsupported");
  assert_non_null(strstr(error.message, "LT"));
}

static void order_is_refused(void **state)
{
  (void)state;
  with_program(try_unsupported);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arithmetic_is_the_librarys), cmocka_unit_test(functions_are_the_librarys),
      cmocka_unit_test(real_operands_mix),          cmocka_unit_test(arrays_go_part_by_part),
      cmocka_unit_test(parts_are_missing_together), cmocka_unit_test(types_follow_the_parts),
      cmocka_unit_test(order_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
