/* Pauses of sources that fail: doubled each time, bounded by a day, gone with a success, each source by itself. */
#include "server/sources/refresh_pauses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void check_pause(const struct refresh_pauses *pauses, const char *name, int64_t seconds, int64_t before)
{
  const int64_t until = refresh_pauses_until(pauses, name);
  assert_in_range(until, before + seconds, (int64_t)time(NULL) + seconds);
}

static void test_doubling(void **state)
{
  struct refresh_pauses pauses = {0};
  (void)state;
  assert_int_equal(refresh_pauses_until(NULL, "a"), 0);
  refresh_pauses_note(NULL, "a", 1, -1);
  refresh_pauses_note(&pauses, "a", 60, 0);
  assert_int_equal(refresh_pauses_until(&pauses, "a"), 0);
  for (int64_t seconds = 60; seconds < 86400; seconds *= 2) {
    const int64_t before = time(NULL);
    refresh_pauses_note(&pauses, "a", 60, -1);
    check_pause(&pauses, "a", seconds, before);
    assert_int_equal(refresh_pauses_until(&pauses, "b"), 0);
  }
  for (int i = 0; i < 100; i++) {
    const int64_t before = time(NULL);
    refresh_pauses_note(&pauses, "a", 60, -1);
    check_pause(&pauses, "a", 86400, before);
  }
  const int64_t before = time(NULL);
  refresh_pauses_note(&pauses, "b", 1000000, -1); /* it is looked at less often than that anyway */
  refresh_pauses_note(&pauses, "b", 1000000, -1);
  check_pause(&pauses, "b", 1000000, before);
  refresh_pauses_note(&pauses, "a", 60, 0);
  assert_int_equal(refresh_pauses_until(&pauses, "a"), 0);
  const int64_t again = time(NULL);
  refresh_pauses_note(&pauses, "a", 60, -1);
  check_pause(&pauses, "a", 60, again);
  refresh_pauses_free(&pauses);
  assert_int_equal(pauses.count, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_doubling)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
