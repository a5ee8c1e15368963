/* Turns: whatever threads do, tiles are placed once each, in order, never far behind the first that is missing; a stop
 * and a failure let everybody go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hpc/run/turns.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { TILES = 4000, WINDOW = 5, THREADS = 4 };

struct work {
  struct turns *turns;
  atomic_size_t next, failures;
  size_t placed, fails_at; /* by the one who places */
  atomic_size_t made;
};

static int place(void *data, size_t tile, struct error *error)
{
  struct work *work = data;
  if (tile == work->fails_at)
    return error_set(error, ERROR_StorageFailure, "the disk is full");
  assert_int_equal(tile, work->placed);
  assert_true(atomic_load(&work->made) <= tile + WINDOW);
  work->placed++;
  return 0;
}

static void *make(void *data)
{
  struct work *work = data;
  struct error error = {0};
  for (size_t tile; (tile = atomic_fetch_add(&work->next, 1)) < TILES;) {
    if (!turns_enter(work->turns, tile))
      break;
    for (size_t i = 0; i < tile * 2654435761U % 7; i++)
      sched_yield();
    atomic_fetch_add(&work->made, 1);
    if (turns_leave(work->turns, tile, &error) != 0) {
      atomic_fetch_add(&work->failures, 1);
      turns_stop(work->turns);
      break;
    }
  }
  return NULL;
}

static void run(struct work *work)
{
  struct error error = {0};
  pthread_t threads[THREADS];
  assert_int_equal(turns_new(WINDOW, place, work, &work->turns, &error), 0);
  for (size_t t = 0; t < THREADS; t++)
    assert_int_equal(pthread_create(&threads[t], NULL, make, work), 0);
  for (size_t t = 0; t < THREADS; t++)
    pthread_join(threads[t], NULL);
  turns_free(work->turns);
}

static void test_all_are_placed_in_order(void **state)
{
  (void)state;
  struct work work = {.fails_at = SIZE_MAX};
  run(&work);
  assert_int_equal(work.placed, TILES);
  assert_int_equal(work.failures, 0);
}

static void test_a_failure_ends_it(void **state)
{
  (void)state;
  struct work work = {.fails_at = 1234};
  run(&work);
  assert_int_equal(work.placed, 1234);
  assert_int_equal(work.failures, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_are_placed_in_order),
      cmocka_unit_test(test_a_failure_ends_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
