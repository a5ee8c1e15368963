/* Philox: the published known answers, the transform against the library's functions, and statistics. */
#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* simd, which tests are built without */
#include "physics/random/philox.h"
#include "physics/random/philox_lanes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 400000 };

/* Vectors that accompany the Random123 paper: zeros, ones, and the digits of pi. */
static void known_answers(void **state)
{
  (void)state;
  static const struct {
    uint32_t counter[4], key[2], out[4];
  } cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint32_t out[4];
    philox4x32(cases[i].counter, cases[i].key, out);
    assert_memory_equal(out, cases[i].out, sizeof out);
  }
}

/* Block b of a stream is the bijection of (b, stream) under the seed, words little end first. */
static void addressing(void **state)
{
  (void)state;
  struct philox_stream stream = {.seed = UINT64_C(0x123456789abcdef0), .stream = UINT64_C(0xfedcba9876543210)};
  uint64_t block = UINT64_C(0x100000002);
  uint32_t out[4];
  philox4x32((const uint32_t[]){2, 1, 0x76543210, 0xfedcba98}, (const uint32_t[]){0x9abcdef0, 0x12345678}, out);
  for (uint64_t half = 0; half < 2; half++) {
    double k = (double)out[2 * half + 1] * 0x1p20 + (double)(out[2 * half] >> 12);
    assert_true(philox_uniform(stream, 2 * block + half) == (k + 0.5) * 0x1p-52);
  }
}

static void normals_are_box_muller(void **state)
{
  (void)state;
  struct philox_stream stream = {.seed = 7, .stream = 3};
  double normal[2000];
  philox_normals(stream, 0, 2000, normal);
  for (uint64_t b = 0; b < 1000; b++) {
    double u0 = philox_uniform(stream, 2 * b), u1 = philox_uniform(stream, 2 * b + 1);
    double radius = sqrt(-2 * log(u0)), angle = 2 * acos(-1.0) * u1;
    assert_true(fabs(normal[2 * b] - radius * cos(angle)) < 4e-15 * (1 + radius));
    assert_true(fabs(normal[2 * b + 1] - radius * sin(angle)) < 4e-15 * (1 + radius));
  }
}

/* However a range is cut, number n is number n. */
static void normals_do_not_depend_on_the_call(void **state)
{
  (void)state;
  struct philox_stream stream = {.seed = 11, .stream = UINT64_MAX};
  double whole[1000], part[1000];
  const uint64_t first = (UINT64_C(1) << 33) - 301; /* odd, across a carry of the block's low word */
  philox_normals(stream, first, 1000, whole);
  for (size_t start = 0; start < 1000;) {
    size_t count = start * 7 % 150 + 1;
    count = count < 1000 - start ? count : 1000 - start;
    philox_normals(stream, first + start, count, part);
    assert_memory_equal(part, whole + start, count * sizeof *part);
    start += count;
  }
}

static void moments(void **state)
{
  (void)state;
  static double x[MANY], y[MANY];
  philox_normals((struct philox_stream){.seed = 1, .stream = 0}, 0, MANY, x);
  philox_normals((struct philox_stream){.seed = 1, .stream = 1}, 0, MANY, y);
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, cross = 0, lag = 0, uniform = 0, below = 0;
  for (size_t i = 0; i < MANY; i++) {
    m1 += x[i] / MANY;
    m2 += x[i] * x[i] / MANY;
    m3 += x[i] * x[i] * x[i] / MANY;
    m4 += x[i] * x[i] * x[i] * x[i] / MANY;
    cross += x[i] * y[i] / MANY;
    lag += x[i] * x[(i + 1) % MANY] / MANY;
    below += x[i] < -1 ? 1.0 / MANY : 0;
    double u = philox_uniform((struct philox_stream){.seed = 2, .stream = 0}, i);
    assert_true(u > 0 && u < 1);
    uniform += u / MANY;
  }
  const double sigma = 1 / sqrt(MANY); /* variances: 1, 2, 15, 96, 1, 1, 1/12 */
  assert_true(fabs(m1) < 4 * sigma);
  assert_true(fabs(m2 - 1) < 4 * sqrt(2) * sigma);
  assert_true(fabs(m3) < 4 * sqrt(15) * sigma);
  assert_true(fabs(m4 - 3) < 4 * sqrt(96) * sigma);
  assert_true(fabs(cross) < 4 * sigma);
  assert_true(fabs(lag) < 4 * sigma);
  assert_true(fabs(uniform - 0.5) < 4 * sigma / sqrt(12));
  assert_true(fabs(below - 0.158655253931457) < 4 * 0.3654 * sigma);
}

/* Against those of C in doubles, over the whole range of the numbers. */
static void functions_of_floats_are_theirs(void **state)
{
  (void)state;
  assert_true(philox_open_word_f32(0) == 0x1p-24F && philox_open_word_f32(UINT32_MAX) == 1 - 0x1p-24F);
  for (uint32_t i = 0; i < 100000; i++) {
    float u = philox_open_word_f32(i * UINT32_C(42949)), small = ldexpf(u, -(int)(i % 100)), sine, cosine;
    assert_true(fabs(philox_ln_f32(small) - log(small)) < 3e-7 * (fabs(log(small)) + (u < 0.5F)));
    philox_turn_f32(4 * u - 2, &sine, &cosine);
    double angle = 6.283185307179586 * (double)(4 * u - 2);
    assert_true(fabs(sine - sin(angle)) < 2e-7 && fabs(cosine - cos(angle)) < 2e-7);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_answers),
      cmocka_unit_test(addressing),
      cmocka_unit_test(normals_are_box_muller),
      cmocka_unit_test(normals_do_not_depend_on_the_call),
      cmocka_unit_test(moments),
      cmocka_unit_test(functions_of_floats_are_theirs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
