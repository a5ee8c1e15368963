/* Instants and calendars against known days, and by their own inverse; dimensions and their labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/dimension.h"

#include <math.h>
#include <string.h>

/* From Python's datetime, which is proleptic Gregorian as well: milliseconds since 1970, ISO weekday, day of the year.
 */
static const struct {
  const char *text;
  int64_t instant;
  int weekday, day;
} known[] = {
    {"0001-01-01T00:00:00Z", INT64_C(-62135596800000), 1, 1},
    {"1582-10-15T00:00:00Z", INT64_C(-12219292800000), 5, 288},
    {"1600-02-29T00:00:00Z", INT64_C(-11670998400000), 2, 60},
    {"1899-12-31T00:00:00Z", INT64_C(-2209075200000), 7, 365},
    {"1900-03-01T00:00:00Z", INT64_C(-2203891200000), 4, 60},
    {"1969-12-31T23:59:59.999Z", -1, 3, 365},
    {"1970-01-01T00:00:00Z", 0, 4, 1},
    {"2000-02-29T00:00:00Z", INT64_C(951782400000), 2, 60},
    {"2018-01-06T10:30:00Z", INT64_C(1515234600000), 6, 6},
    {"2100-03-01T00:00:00Z", INT64_C(4107542400000), 1, 60},
    {"9999-12-31T23:59:59Z", INT64_C(253402300799000), 5, 365},
};

static void gregorian_days_are_pythons(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    int64_t instant;
    char text[40];
    assert_int_equal(instant_parse(known[i].text, CALENDAR_GREGORIAN, &instant), 0);
    assert_true(instant == known[i].instant);
    instant_format(instant, CALENDAR_GREGORIAN, text);
    assert_string_equal(text, known[i].text);
    assert_int_equal(instant_weekday(instant), known[i].weekday);
    assert_int_equal(day_of_year(instant_civil(instant, CALENDAR_GREGORIAN), CALENDAR_GREGORIAN), known[i].day);
  }
}

/* Every day of many years, years before 0 included, follows the day before it. */
static void days_follow_each_other_in_all_calendars(void **state)
{
  static const int year_days[] = {0, 365, 366, 360, 0};
  (void)state;
  for (int calendar = CALENDAR_GREGORIAN; calendar <= CALENDAR_JULIAN; calendar++) {
    int64_t expected = instant_from_civil((struct civil){.year = -401, .month = 1, .day = 1}, (enum calendar)calendar);
    for (int year = -401; year <= 2401; year++) {
      int64_t start = expected;
      for (int month = 1; month <= 12; month++)
        for (int day = 1; day <= days_in_month(year, month, (enum calendar)calendar); day++, expected += MS_PER_DAY) {
          struct civil civil = {
              .year = year, .month = month, .day = day, .hour = 23, .minute = 59, .second = 59, .millisecond = 999};
          int64_t last = instant_from_civil(civil, (enum calendar)calendar);
          struct civil back = instant_civil(last, (enum calendar)calendar);
          assert_true(last == expected + MS_PER_DAY - 1);
          assert_memory_equal(&back, &civil, sizeof civil);
        }
      if (year_days[calendar])
        assert_true(expected - start == year_days[calendar] * MS_PER_DAY);
    }
  }
}

static void all_calendars_meet_in_1970(void **state)
{
  (void)state;
  for (int calendar = CALENDAR_GREGORIAN; calendar <= CALENDAR_JULIAN; calendar++)
    assert_true(instant_from_civil((struct civil){.year = 1970, .month = 1, .day = 1}, (enum calendar)calendar) == 0);
}

/* Thirteen days apart in our days, none in the third century: known from the reform. */
static void julian_days_drift_from_gregorian_ones(void **state)
{
  (void)state;
  int64_t here = instant_from_civil((struct civil){.year = 1970, .month = 1, .day = 14}, CALENDAR_GREGORIAN);
  static const struct civil julian[] = {{.year = 1582, .month = 10, .day = 5}, {.year = 250, .month = 6, .day = 1}},
                            gregorian[] = {{.year = 1582, .month = 10, .day = 15}, {.year = 250, .month = 6, .day = 1}};
  for (size_t i = 0; i < 2; i++)
    assert_true(instant_from_civil(julian[i], CALENDAR_JULIAN) + here ==
                instant_from_civil(gregorian[i], CALENDAR_GREGORIAN));
  assert_int_equal(days_in_month(1900, 2, CALENDAR_JULIAN), 29);
  assert_int_equal(days_in_month(-4, 2, CALENDAR_JULIAN), 29);
}

static void far_years_are_read_as_written(void **state)
{
  static const char *const texts[] = {"-0044-03-15T00:00:00Z", "+12000-02-29T00:00:00Z", "+123456-12-31T23:59:59Z",
                                      "-12345-01-01T00:00:00Z", "0000-02-29T00:00:00Z"};
  static const char *const none[] = {"12345", "123456", "-123", "+1234567-01-01", "20180506", "-", "+"};
  int64_t instant, plain;
  char text[40];
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    assert_int_equal(instant_parse(texts[i], CALENDAR_GREGORIAN, &instant), 0);
    instant_format(instant, CALENDAR_GREGORIAN, text);
    assert_string_equal(text, texts[i]);
  }
  assert_int_equal(instant_parse("12000-02-29", CALENDAR_GREGORIAN, &plain), 0);
  assert_int_equal(instant_parse(texts[1], CALENDAR_GREGORIAN, &instant), 0);
  assert_true(plain == instant);
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    assert_int_equal(instant_parse(none[i], CALENDAR_GREGORIAN, &instant), -1);
}

static void fields_carry_over(void **state)
{
  (void)state;
  struct civil next = instant_civil(
      instant_from_civil((struct civil){.year = 2019, .month = 14, .day = 0, .hour = 25}, CALENDAR_GREGORIAN),
      CALENDAR_GREGORIAN);
  assert_int_equal(next.year, 2020);
  assert_int_equal(next.month, 2);
  assert_int_equal(next.day, 1);
  assert_int_equal(next.hour, 1);
  struct civil before = instant_civil(
      instant_from_civil((struct civil){.year = 2019, .month = -1, .day = 1}, CALENDAR_GREGORIAN), CALENDAR_GREGORIAN);
  assert_int_equal(before.year, 2018);
  assert_int_equal(before.month, 11);
}

static void texts_are_read_as_written(void **state)
{
  static const struct {
    const char *text, *same;
  } equal[] = {{"2018", "2018-01-01T00:00:00Z"},
               {"2018-05", "2018-05-01"},
               {"2018-05-06", "2018-05-06T00:00:00Z"},
               {"2018-05-06T07:08Z", "2018-05-06T07:08:00Z"},
               {"2018-05-06 07:08:09", "2018-05-06T07:08:09Z"},
               {"2018-05-06T07:08:09.1Z", "2018-05-06T07:08:09.100Z"},
               {"2018-05-06T07:08:09.123456Z", "2018-05-06T07:08:09.123Z"},
               {"2018-05-06T00:00:00+05:30", "2018-05-05T18:30:00Z"},
               {"2018-12-31T23:00:00-0200", "2019-01-01T01:00:00Z"},
               {"2018-05-06T24:00:00Z", "2018-05-07"},
               {"0000-01-01T00:00:00+01:00", "0000-01-01T00:00:00+0100"}};
  (void)state;
  for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
    int64_t a, b;
    assert_int_equal(instant_parse(equal[i].text, CALENDAR_GREGORIAN, &a), 0);
    assert_int_equal(instant_parse(equal[i].same, CALENDAR_GREGORIAN, &b), 0);
    assert_true(a == b);
  }
}

static void what_is_no_date_is_refused(void **state)
{
  static const char *const bad[] = {"",
                                    "18",
                                    "2018-",
                                    "2018-13",
                                    "2018-00",
                                    "2018-1",
                                    "2018-02-29",
                                    "2018-04-31",
                                    "2018-05-00",
                                    "2018-05-06T",
                                    "2018-05-06x",
                                    "2018-05-06T25:00Z",
                                    "2018-05-06T24:01Z",
                                    "2018-05-06T07:60Z",
                                    "2018-05-06T07:08:61Z",
                                    "2018-05-06T07:08:09.Z",
                                    "2018-05-06T07:08+5:30",
                                    "2018-05-06T07:08+24:00",
                                    "2018-05-06T07:08Zz",
                                    "1900-02-29",
                                    "2100-02-29",
                                    "20180506"};
  int64_t instant;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (instant_parse(bad[i], CALENDAR_GREGORIAN, &instant) == 0)
      fail_msg("'%s' was taken for a date", bad[i]);
  assert_int_equal(instant_parse("2018-02-29", CALENDAR_ALL_LEAP, &instant), 0);
  assert_int_equal(instant_parse("2000-02-29", CALENDAR_NOLEAP, &instant), -1);
  assert_int_equal(instant_parse("2018-02-30", CALENDAR_360_DAY, &instant), 0);
  assert_int_equal(instant_parse("2018-01-31", CALENDAR_360_DAY, &instant), -1);
}

/* ---- dimensions ------------------------------------------------------------------------------------------------- */

static void labels_are_found_by_text_and_number(void **state)
{
  static const char *const texts[] = {"B4", "8", "B4"};
  static const double numbers[] = {2, -1, 0.1};
  static const int64_t times[] = {0, 86400000, 1};
  const struct dimension bands = dimension_texts("b", DIMENSION_BANDS, texts, 3),
                         steps = dimension_steps("y", 'y', 100, -0.1, 50);
  const struct dimension time = dimension_times("t", times, 3, CALENDAR_GREGORIAN);
  const struct dimension other = {.name = "n", .size = 3, .labels = LABEL_NUMBER, .numbers = numbers};
  (void)state;
  assert_int_equal(dimension_find_text(&bands, "B4"), 0);
  assert_true(dimension_find_text(&bands, "B") == SIZE_MAX);
  assert_int_equal(dimension_find_number(&bands, 8), 1);
  for (size_t i = 0; i < 50; i++)
    assert_int_equal(dimension_find_number(&steps, 100 - 0.1 * (double)i), i);
  assert_int_equal(dimension_find_text(&steps, "99.5"), 5);
  assert_true(dimension_find_number(&steps, 99.55) == SIZE_MAX);
  assert_true(dimension_find_number(&steps, 100.1) == SIZE_MAX);
  assert_true(dimension_find_number(&steps, (double)NAN) == SIZE_MAX);
  assert_true(dimension_find_number(&steps, -(double)INFINITY) == SIZE_MAX);
  assert_int_equal(dimension_find_text(&time, "1970-01-02"), 1);
  assert_int_equal(dimension_find_text(&time, "1970-01-01T01:00:00.001+01:00"), 2);
  assert_true(dimension_find_text(&time, "yesterday") == SIZE_MAX);
  assert_int_equal(dimension_find_text(&other, "0.1"), 2);
  assert_true(dimension_find_text(&other, "0.1 m") == SIZE_MAX);
}

static void picks_keep_their_labels(void **state)
{
  struct arena *arena = arena_new(0);
  const struct dimension steps = dimension_steps("x", 'x', 10, 2, 8);
  static const size_t run[] = {3, 4, 5}, jump[] = {7, 0, 0};
  struct dimension a, b, none;
  assert_int_equal(dimension_pick(arena, &steps, run, 3, &a), 0);
  assert_int_equal(dimension_pick(arena, &steps, jump, 3, &b), 0);
  assert_int_equal(dimension_pick(arena, &steps, run, 0, &none), 0);
  char room[LABEL_TEXT_ROOM];
  (void)state;
  assert_int_equal(a.labels, LABEL_STEP);
  assert_int_equal(b.labels, LABEL_NUMBER);
  for (size_t i = 0; i < 3; i++) {
    assert_true(dimension_same_label(&a, i, &steps, run[i]));
    assert_true(dimension_same_label(&b, i, &steps, jump[i]));
  }
  assert_string_equal(dimension_label_text(&b, 0, room), "24");
  assert_int_equal(none.size, 0);
  assert_false(dimension_labels_equal(&a, &b));
  assert_true(dimension_labels_equal(&a, &a));
  const struct dimension shifted = dimension_steps("x", 'x', 10 + 1e-12, 2, 8);
  assert_true(dimension_labels_equal(&steps, &shifted));
  arena_free(arena);
}

/* Out of memory is a failure, not an empty dimension. */
static void picks_without_memory_fail(void **state)
{
  (void)state;
  static const size_t jump[] = {7, 0, 0, 5};
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  const struct dimension kinds[] = {dimension_steps("x", 'x', 10, 2, 8),
                                    dimension_texts("bands", DIMENSION_BANDS, names, 8)};
  for (size_t k = 0; k < 2; k++) {
    struct arena *arena = arena_new(8);
    struct dimension out = kinds[k];
    assert_int_equal(dimension_pick(arena, &kinds[k], jump, 4, &out), -1);
    assert_int_equal(out.size, 8);
    arena_free(arena);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gregorian_days_are_pythons),
      cmocka_unit_test(days_follow_each_other_in_all_calendars),
      cmocka_unit_test(all_calendars_meet_in_1970),
      cmocka_unit_test(fields_carry_over),
      cmocka_unit_test(texts_are_read_as_written),
      cmocka_unit_test(what_is_no_date_is_refused),
      cmocka_unit_test(labels_are_found_by_text_and_number),
      cmocka_unit_test(picks_keep_their_labels),
      cmocka_unit_test(picks_without_memory_fail),
      cmocka_unit_test(far_years_are_read_as_written),
      cmocka_unit_test(julian_days_drift_from_gregorian_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
