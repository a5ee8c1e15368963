/* A function in C as a step of a program: between other steps, for any number of positions, NA kept; and what has no
 * such step says so. */
#include "datacube/base/buffer.h"
#include "datacube/base/missing.h"
#include "hpc/device/device_text.h"
#include "hpc/kernel/program_gradient.h"
#include "hpc/plan/number_function.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 5, RESULTS = 3, POINTS = 2000 };

/* Sum times a factor, the elements that are NA, the last element; by way of the work space. */
static void describe(const void *data, const double *in, double *out, void *work)
{
  double *copy = work, sum = 0, missing = 0;
  memcpy(copy, in, N * sizeof *in);
  for (size_t i = 0; i < N; i++) {
    sum += is_na_f64(copy[i]) ? 0 : copy[i];
    missing += is_na_f64(copy[i]);
  }
  out[0] = sum * *(const double *)data;
  out[1] = missing;
  out[2] = copy[N - 1];
}

static const double factor = 0.5;
static const struct array_function function = {.name = "DESCRIBE",
                                               .run = describe,
                                               .data = &factor,
                                               .arguments = N,
                                               .results = RESULTS,
                                               .work_bytes = N * sizeof(double)};

struct fixture {
  struct arena *arena;
  struct program *program;
  struct lanes input, result;
};

/* 1 + the results of twice the input. */
static struct fixture start(void)
{
  struct fixture f = {.arena = arena_new(0)};
  f.program = program_new(f.arena);
  assert_non_null(f.program);
  f.input = program_input(f.program, 0, true, N, ELEMENT_F64, NULL);
  struct lanes twice = program_binary(f.program, KOP_MUL, f.input, program_constant(f.program, 2));
  struct lanes described = program_function(f.program, twice, &function);
  f.result = program_binary(f.program, KOP_ADD, described, program_constant(f.program, 1));
  assert_false(program_failed(f.program));
  assert_int_equal(f.result.length, RESULTS);
  return f;
}

static struct number_function compile(const struct fixture *f)
{
  struct number_function out;
  struct error error = {0};
  assert_int_equal(number_function_make(f->arena, f->program, f->result, &out, &error), 0);
  return out;
}

static void every_position_has_its_own(void **state)
{
  (void)state;
  struct fixture f = start();
  const struct number_function compiled = compile(&f);
  static double in[POINTS * N], out[POINTS * RESULTS];
  void *work = aligned_alloc(64, number_function_work(&compiled));
  assert_non_null(work);
  for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
    in[i] = i % 7 == 3 ? na_f64() : (double)((i * 37) % 101);
  }
  for (size_t count = 1; count <= POINTS; count = count * 3 + 1) {
    memset(out, 0, sizeof out);
    number_function_run(&compiled, work, in, out, count);
    for (size_t i = 0; i < count * N; i += N) {
      double sum = 0, missing = 0, *got = out + i / N * RESULTS;
      for (size_t k = i; k < i + N; k++) {
        sum += is_na_f64(in[k]) ? 0 : in[k];
        missing += is_na_f64(in[k]);
      }
      assert_true(got[0] == sum + 1 && got[1] == missing + 1);
      assert_true(is_na_f64(in[i + N - 1]) ? is_na_f64(got[2]) : got[2] == 2 * in[i + N - 1] + 1);
    }
  }
  free(work);
  arena_free(f.arena);
}

static void what_has_no_such_step_says_so(void **state)
{
  (void)state;
  struct fixture f = start();
  struct error error = {0}, on_device = {0};
  struct lanes slopes[N];
  const struct number_function compiled = compile(&f);
  struct buffer text = {0};
  struct device_launch launch;
  assert_int_equal(device_text_kernel(&compiled.kernel, "kernel", &text, &launch, &on_device), -1);
  assert_string_equal(on_device.code, "FeatureUnsupported");
  assert_non_null(strstr(on_device.message, "DESCRIBE"));
  kernel_print(&compiled.kernel, &text);
  assert_false(text.failed);
  assert_non_null(strstr(text.data, "DESCRIBE r"));
  struct lanes first = program_element(f.program, f.result, 0);
  assert_int_equal(program_gradient(f.program, f.input, first, slopes, &error), -1);
  assert_string_equal(error.code, "FeatureUnsupported");
  assert_non_null(strstr(error.message, "DESCRIBE"));
  program_function(f.program, f.result, &function); /* of another length */
  assert_true(program_failed(f.program));
  buffer_free(&text);
  arena_free(f.arena);
}

/* Programs that differ in what their functions know are not the same. */
static void data_are_part_of_the_hash(void **state)
{
  (void)state;
  struct array_function other = function;
  hash_word(&other.hash, 1);
  struct fixture f = start(), same = start();
  struct program *p = program_new(f.arena);
  struct lanes input = program_input(p, 0, true, N, ELEMENT_F64, NULL);
  struct lanes twice = program_binary(p, KOP_MUL, input, program_constant(p, 2));
  const struct fixture changed = {
      .arena = f.arena,
      .program = p,
      .result = program_binary(p, KOP_ADD, program_function(p, twice, &other), program_constant(p, 1))};
  assert_true(hash_equal(compile(&f).hash, compile(&same).hash));
  assert_false(hash_equal(compile(&f).hash, compile(&changed).hash));
  arena_free(f.arena);
  arena_free(same.arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_position_has_its_own),
                                     cmocka_unit_test(what_has_no_such_step_says_so),
                                     cmocka_unit_test(data_are_part_of_the_hash)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
