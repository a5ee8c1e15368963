/* Labels matched all at once against labels compared one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/geometry.h"
#include "datacube/label_match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static void expect_matches(const struct dimension *in, const struct dimension *of)
{
  struct error error = {{0}, {0}, {0}, {0}};
  size_t found[MOST];
  assert_int_equal(labels_match(in, of, found, &error), 0);
  for (size_t i = 0; i < of->size; i++) {
    size_t expected = SIZE_MAX;
    for (size_t k = 0; expected == SIZE_MAX && k < in->size; k++)
      if (dimension_same_label(in, k, of, i))
        expected = k;
    assert_true(found[i] == expected);
  }
}

static void every_kind_against_every_kind(void **state)
{
  (void)state;
  const char *texts[] = {"b", "a", "3", "a", "2020-01-03T00:00:00Z", "", "-1", "0.5"};
  const double numbers[] = {3, -1, NAN, 0.5, 3, INFINITY, -INFINITY, 7};
  const int64_t times[] = {2 * MS_PER_DAY, 18264 * MS_PER_DAY, -5, 2 * MS_PER_DAY, 0};
  const double x[] = {1, 2, 3}, y[] = {4, 5, 6};
  struct geometry_part parts[] = {{.kind = PART_POINT, .count = 1, .x = x, .y = y},
                                  {.kind = PART_LINE, .count = 2, .x = x, .y = y},
                                  {.kind = PART_LINE, .count = 2, .x = x + 1, .y = y}};
  struct geometry items[] = {{.type = GEOMETRY_POINT, .part_count = 1, .parts = &parts[0], .id = "b"},
                             {.type = GEOMETRY_LINE, .part_count = 1, .parts = &parts[1], .id = "a"},
                             {.type = GEOMETRY_LINE, .part_count = 1, .parts = &parts[2], .id = "c"}};
  struct geometry others[] = {items[2], items[1]};
  others[0].id = "a";
  others[1].id = NULL;
  struct geometry_set one = {.count = 3, .items = items, .crs = "EPSG:4326"};
  struct geometry_set two = {.count = 2, .items = others, .crs = "EPSG:4326"};
  struct arena *arena = arena_new(0);
  struct error error = {{0}, {0}, {0}, {0}};
  struct dimension all[9] = {
      dimension_texts("d", DIMENSION_OTHER, texts, 8),
      {.name = "d", .type = DIMENSION_OTHER, .size = 8, .labels = LABEL_NUMBER, .numbers = numbers},
      dimension_steps("d", 'x', -1, 0.5, 9),
      dimension_steps("d", 'x', 7 + 1e-10, -2, 9),
      dimension_enumerated("d", DIMENSION_OTHER, 6),
      dimension_times("d", times, 5, CALENDAR_GREGORIAN),
      dimension_times("d", times, 0, CALENDAR_GREGORIAN),
  };
  assert_int_equal(geometry_dimension(arena, "d", &one, &all[7], &error), 0);
  assert_int_equal(geometry_dimension(arena, "d", &two, &all[8], &error), 0);
  for (size_t i = 0; i < 9; i++)
    for (size_t k = 0; k < 9; k++)
      expect_matches(&all[i], &all[k]);
  arena_free(arena);
}

static void many_labels_are_soon_found(void **state)
{
  (void)state;
  enum { MANY = 300000 }; /* one by one this would take minutes */
  int64_t *times = malloc(2 * MANY * sizeof *times);
  size_t *found = malloc(MANY * sizeof *found);
  struct error error = {{0}, {0}, {0}, {0}};
  for (int64_t i = 0; i < MANY; i++) {
    times[i] = (i * 7919) % MANY * 10;
    times[MANY + i] = i * 5;
  }
  struct dimension in = dimension_times("t", times, MANY, CALENDAR_GREGORIAN);
  struct dimension of = dimension_times("t", times + MANY, MANY, CALENDAR_GREGORIAN);
  assert_int_equal(labels_match(&in, &of, found, &error), 0);
  for (size_t i = 0; i < MANY; i++)
    assert_true(i % 2 ? found[i] == SIZE_MAX : times[found[i]] == (int64_t)i * 5);
  free(times);
  free(found);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_against_every_kind),
      cmocka_unit_test(many_labels_are_soon_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
