/* Arena, buffer, JSON writer and error record: limits, order, escapes, numbers that read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/base/arena.h"
#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arena ------------------------------------------------------------------------------------------------------ */

static void arena_counts_what_it_takes_and_what_is_reserved(void **state)
{
  struct arena *arena = arena_new(100000);
  (void)state;
  assert_int_equal(arena_reserve(arena, 60000), 0);
  assert_false(arena_refused(arena));
  assert_null(arena_alloc(arena, 40001));
  assert_true(arena_refused(arena));
  assert_non_null(arena_alloc(arena, 30000));
  assert_int_equal(arena_reserve(arena, 10001), -1); /* the block counts, not what of it is used */
  arena_release(arena, 60000);
  assert_int_equal(arena_reserve(arena, 60000), 0);
  arena_free(arena);
}

static void arena_stops_at_its_limit(void **state)
{
  struct arena *arena = arena_new(1000);
  (void)state;
  assert_non_null(arena_alloc(arena, 600));
  assert_null(arena_alloc(arena, 401));
  assert_non_null(arena_alloc(arena, 400));
  assert_null(arena_alloc(arena, 1));
  assert_int_equal(arena_used(arena), 1000);
  arena_free(arena);
  arena_free(NULL);
}

static void arena_refuses_sizes_that_overflow(void **state)
{
  struct arena *arena = arena_new(0);
  (void)state;
  assert_null(arena_array(arena, SIZE_MAX / 2, 3));
  assert_null(arena_alloc(arena, SIZE_MAX));
  assert_null(arena_alloc(arena, SIZE_MAX - 64));
  assert_non_null(arena_array(arena, 0, 8));
  assert_non_null(arena_array(arena, SIZE_MAX, 0));
  arena_free(arena);
}

static void arena_memory_is_zero_aligned_and_apart(void **state)
{
  static const size_t sizes[] = {1, 15, 64, 65, 4096, 100000, 3, 2000000, 17};
  struct arena *arena = arena_new(0);
  unsigned char *at[9][20];
  (void)state;
  for (size_t k = 0; k < 20; k++)
    for (size_t i = 0; i < 9; i++) {
      at[i][k] = arena_alloc(arena, sizes[i]);
      assert_int_equal((uintptr_t)at[i][k] % (sizes[i] > 64 ? 64 : 16), 0);
      for (size_t b = 0; b < sizes[i]; b++)
        assert_int_equal(at[i][k][b], 0);
      memset(at[i][k], (int)(i * 20 + k + 1), sizes[i]);
    }
  for (size_t k = 0; k < 20; k++)
    for (size_t i = 0; i < 9; i++)
      for (size_t b = 0; b < sizes[i]; b++)
        assert_int_equal(at[i][k][b], i * 20 + k + 1);
  arena_free(arena);
}

static char order[8];

static void note(void *data)
{
  strncat(order, data, 1);
}

static void arena_cleans_up_backwards(void **state)
{
  struct arena *arena = arena_new(200);
  char a[] = "a", b[] = "b", c[] = "c";
  (void)state;
  order[0] = '\0';
  assert_int_equal(arena_on_free(arena, note, a), 0);
  assert_int_equal(arena_on_free(arena, note, b), 0);
  while (arena_alloc(arena, 16))
    continue;
  assert_int_equal(arena_on_free(arena, note, c), -1); /* no room: done at once */
  assert_string_equal(order, "c");
  arena_free(arena);
  assert_string_equal(order, "cba");
}

static void arena_arrays_grow_and_keep_what_they_hold(void **state)
{
  struct arena *arena = arena_new(0);
  size_t *small = NULL, small_room = 0, large_room = 0;
  struct large {
    char text[700];
  } *large = NULL;
  (void)state;
  for (size_t i = 0; i < 1000; i++) {
    small = arena_grow(arena, small, i, &small_room, sizeof *small);
    large = arena_grow(arena, large, i, &large_room, sizeof *large);
    assert_true(small_room > i && large_room > i);
    small[i] = i;
    snprintf(large[i].text, sizeof large[i].text, "%zu", i);
  }
  for (size_t i = 0; i < 1000; i++) {
    assert_int_equal(small[i], i);
    assert_int_equal(strtoul(large[i].text, NULL, 10), i);
  }
  arena_free(arena);
}

/* ---- buffer and JSON -------------------------------------------------------------------------------------------- */

static void buffer_stops_at_its_limit_and_stays_failed(void **state)
{
  struct buffer out = {.limit = 10};
  (void)state;
  buffer_text(&out, "0123456789");
  assert_false(out.failed);
  buffer_add(&out, "", 0);
  assert_false(out.failed);
  buffer_printf(&out, "%d", 1);
  assert_true(out.failed);
  buffer_text(&out, "");
  assert_true(out.failed);
  assert_string_equal(out.data, "0123456789");
  buffer_free(&out);
  assert_null(out.data);
}

static void json_escapes_what_must_be(void **state)
{
  struct buffer out = {0};
  struct json_writer w = {.out = &out};
  (void)state;
  json_write_array(&w);
  json_write_string(&w, "a\"b\\c\nd\te\x01/\x7f \xC3\xA9");
  json_write_string_n(&w, "a\0b", 3);
  json_write_string(&w, NULL);
  json_write_string(&w, "\xE9t\xC3\xA9 \xC0\xAF \xED\xA0\x80 \xF0\x9F\x9B"); /* Latin 1, overlong, surrogate, cut */
  json_end_array(&w);
  assert_string_equal(out.data, "[\"a\\\"b\\\\c\\nd\\u0009e\\u0001/\x7f \xC3\xA9\",\"a\\u0000b\",null,"
                                "\"\xEF\xBF\xBDt\xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD "
                                "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"]");
  buffer_free(&out);
}

static void json_places_commas(void **state)
{
  struct buffer out = {0};
  struct json_writer w = {.out = &out};
  (void)state;
  json_write_object(&w);
  json_kv_integer(&w, "i", INT64_MIN);
  json_key(&w, "o");
  json_write_object(&w);
  json_end_object(&w);
  json_key(&w, "a");
  json_write_array(&w);
  json_write_array(&w);
  json_end_array(&w);
  json_write_number(&w, (double)NAN);
  json_write_bool(&w, true);
  json_write_raw(&w, "{}", 2);
  json_end_array(&w);
  json_kv_number(&w, "n", -0.5);
  json_end_object(&w);
  assert_string_equal(out.data, "{\"i\":-9223372036854775808,\"o\":{},\"a\":[[],null,true,{}],\"n\":-0.5}");
  buffer_free(&out);
}

/* Plain JSON knows no such numbers; the tokens come only where they are asked for. */
static void json_has_no_nonfinite_numbers(void **state)
{
  (void)state;
  for (int tokens = 0; tokens <= 1; tokens++) {
    struct buffer out = {0};
    struct json_writer w = {.out = &out, .nonfinite_tokens = tokens == 1};
    json_write_array(&w);
    json_write_number(&w, (double)NAN);
    json_write_number(&w, (double)INFINITY);
    json_write_number(&w, -(double)INFINITY);
    json_end_array(&w);
    assert_string_equal(out.data, tokens ? "[NaN,Infinity,-Infinity]" : "[null,null,null]");
    buffer_free(&out);
  }
}

static void numbers_read_back_and_are_short(void **state)
{
  static const struct {
    double number;
    const char *text;
  } known[] = {{0, "0"},
               {0.1, "0.1"},
               {-2.5, "-2.5"},
               {1e21, "1e+21"},
               {100000, "100000"},
               {5e-324, "4.94065645841247e-324"},
               {1.0 / 3, "0.3333333333333333"},
               {9007199254740993.0, "9007199254740992"},
               {-0.0, "-0"},
               {999999999999999, "999999999999999"},
               {-1e15, "-1e+15"}};
  uint64_t state_bits = 88172645463325252u;
  char text[32];
  (void)state;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    number_format(known[i].number, text);
    assert_string_equal(text, known[i].text);
  }
  for (size_t i = 0; i < 20000; i++) {
    double number;
    state_bits ^= state_bits << 13;
    state_bits ^= state_bits >> 7;
    state_bits ^= state_bits << 17;
    memcpy(&number, &state_bits, sizeof number);
    number_format(number, text);
    assert_true(strlen(text) < 32);
    if (isfinite(number))
      assert_true(strtod(text, NULL) == number);
    char printed[32];
    const double whole = (double)((int64_t)state_bits >> (14 + i % 50)); /* of any length below 1e15 */
    number_format(whole, text);
    snprintf(printed, sizeof printed, "%.15g", whole);
    assert_string_equal(text, printed);
  }
}

/* ---- error ------------------------------------------------------------------------------------------------------ */

static void the_first_error_stays(void **state)
{
  struct error error = {0};
  (void)state;
  assert_false(error_is_set(&error));
  assert_int_equal(error_parameter(&error, ERROR_NotFound, "p", "one %d", 1), -1);
  assert_int_equal(error_set(&error, ERROR_FileNotFound, "two"), -1);
  assert_int_equal(error_memory(&error), -1);
  error_at_node(&error, "n1");
  error_at_node(&error, "n2");
  error_at_parameter(&error, "q");
  assert_string_equal(error.code, "NotFound");
  assert_string_equal(error.message, "one 1");
  assert_string_equal(error.node, "n1");
  assert_string_equal(error.parameter, "p");
}

static void paths_grow_from_the_inside(void **state)
{
  struct error error = {0};
  (void)state;
  error_parameter(&error, ERROR_Internal, "p", "text");
  error_within(&error, "x");
  error_at_parameter(&error, "outer"); /* the parameter is x's */
  error_within(&error, "reducer");
  error_within(&error, "a");
  assert_string_equal(error.node, "a/reducer/x");
  assert_string_equal(error.parameter, "p");
  error = (struct error){0};
  error_set(&error, ERROR_Internal, "text");
  error_within(&error, "x");
  error_at_parameter(&error, "outer");
  assert_string_equal(error.parameter, "");
  for (int i = 0; i < 100; i++) {
    error_within(&error, i % 2 ? "na\xC3\xAFve" : "callback");
    assert_true(strlen(error.node) < sizeof error.node);
  }
  assert_non_null(strstr(error.node, "…"));
  assert_memory_equal(error.node, "na\xC3\xAFve/", 7);
  char huge[1000];
  memset(huge, 'h', sizeof huge - 1);
  huge[sizeof huge - 1] = '\0';
  error_within(&error, huge);
  assert_true(strlen(error.node) < sizeof error.node);
}

static bool is_utf8(const char *text)
{
  for (const unsigned char *c = (const unsigned char *)text; *c;) {
    int more = *c < 0x80                 ? 0
               : *c >= 0xC2 && *c < 0xE0 ? 1
               : *c >= 0xE0 && *c < 0xF0 ? 2
               : *c >= 0xF0 && *c < 0xF5 ? 3
                                         : -1;
    if (more < 0)
      return false;
    for (c++; more > 0; more--, c++)
      if ((*c & 0xC0) != 0x80)
        return false;
  }
  return true;
}

/* Texts of users are quoted in messages; wherever they are cut, what stays must be UTF-8. */
static void messages_are_cut_between_characters(void **state)
{
  char text[3000] = "";
  (void)state;
  for (size_t ascii = 0; ascii < 4; ascii++) {
    struct error error = {0}, quoting = {0};
    size_t at = ascii;
    memset(text, 'x', ascii);
    for (; at + 5 < sizeof text; at += 4)
      memcpy(text + at, "\xF0\x9F\x9B\xB0", 5);
    error_parameter(&error, ERROR_Internal, text, "%s", text);
    error_at_node(&error, text);
    assert_true(strlen(error.message) > 600 && is_utf8(error.message));
    assert_true(is_utf8(error.node) && is_utf8(error.parameter));
    error_set(&quoting, ERROR_Internal, "the value '%.40s' does not fit", text);
    assert_true(is_utf8(quoting.message));
    assert_non_null(strstr(quoting.message, "' does not fit"));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arena_stops_at_its_limit),
      cmocka_unit_test(arena_counts_what_it_takes_and_what_is_reserved),
      cmocka_unit_test(arena_refuses_sizes_that_overflow),
      cmocka_unit_test(arena_memory_is_zero_aligned_and_apart),
      cmocka_unit_test(arena_cleans_up_backwards),
      cmocka_unit_test(arena_arrays_grow_and_keep_what_they_hold),
      cmocka_unit_test(buffer_stops_at_its_limit_and_stays_failed),
      cmocka_unit_test(json_escapes_what_must_be),
      cmocka_unit_test(json_places_commas),
      cmocka_unit_test(json_has_no_nonfinite_numbers),
      cmocka_unit_test(numbers_read_back_and_are_short),
      cmocka_unit_test(the_first_error_stays),
      cmocka_unit_test(paths_grow_from_the_inside),
      cmocka_unit_test(messages_are_cut_between_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
