/* Who goes next: work of many owners in the fair queue of the workers, and jobs of many owners in the store. */
#include "server/jobs/tariff.h"
#include "server/store/store_jobs.h"
#include "server/workers/fair_queue.h"
#include "tests/unit/store_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the workers' queue ------------------------------------------------------------------------------------------ */

struct piece {
  struct fair_item item; /* first member */
  char name[8];
  bool is_dead;
};

static struct piece *put(struct fair_queue *queue, struct piece *piece, const char *name, enum fair_answer expected)
{
  *piece = (struct piece){0};
  snprintf(piece->name, sizeof piece->name, "%s", name);
  char owner[2] = {name[0], '\0'}; /* "a3": the third of a */
  assert_int_equal(fair_queue_put(queue, &piece->item, owner), expected);
  return piece;
}

static struct piece *take(struct fair_queue *queue)
{
  return (struct piece *)fair_queue_take(queue, NULL);
}

/* Takes all, each done before the next is taken where `one_by_one`, and says in which order they came. */
static void expect_order(struct fair_queue *queue, bool one_by_one, const char *expected)
{
  char order[256] = "";
  struct piece *taken[64];
  size_t count = 0;
  for (struct piece *piece; (piece = take(queue)) != NULL;) {
    snprintf(order + strlen(order), sizeof order - strlen(order), "%s ", piece->name);
    if (one_by_one)
      fair_queue_done(queue, &piece->item);
    else
      taken[count++] = piece;
  }
  while (count > 0)
    fair_queue_done(queue, &taken[--count]->item);
  assert_string_equal(order, expected);
}

/* Names of two characters with a space between. */
static void put_all(struct fair_queue *queue, struct piece *pieces, const char *names)
{
  for (const char *at = names; at[0] != '\0'; at += at[2] == ' ' ? 3 : 2) {
    const char name[] = {at[0], at[1], '\0'};
    put(queue, pieces++, name, FAIR_TAKEN);
  }
}

static void test_owners_take_turns(void **state)
{
  (void)state;
  struct fair_queue *queue = fair_queue_new(&(struct fair_limits){.all = 20, .per_owner = 20}, 20);
  struct piece pieces[16];
  put_all(queue, pieces, "a1 a2 a3 a4 b1 b2 c1");
  expect_order(queue, false, "a1 b1 c1 a2 b2 a3 a4 ");
  put_all(queue, pieces, "a1 a2 a3 a4 b1 b2 c1"); /* a was served last, c longest ago */
  expect_order(queue, true, "c1 b1 a1 b2 a2 a3 a4 ");
  put_all(queue, pieces, "a1 a2 d1"); /* the newcomer was never served */
  expect_order(queue, true, "d1 a1 a2 ");
  fair_queue_free(queue);
}

static void test_who_has_less_under_way_goes_first(void **state)
{
  (void)state;
  struct fair_queue *queue = fair_queue_new(&(struct fair_limits){.all = 20, .per_owner = 20}, 20);
  struct piece pieces[16];
  put_all(queue, pieces, "b1 a1 a2 a3");
  struct piece *b1 = take(queue), *a1 = take(queue), *a2 = take(queue);
  assert_string_equal(a2->name, "a2");
  put_all(queue, pieces + 4, "b2"); /* b was served first, but has one under way where a has two */
  fair_queue_done(queue, &a1->item);
  fair_queue_done(queue, &b1->item);
  assert_string_equal(take(queue)->name, "b2");
  fair_queue_give_back(queue, &a2->item); /* to its place before a3 */
  assert_string_equal(take(queue)->name, "a2");
  fair_queue_free(queue);
}

static bool piece_is_dead(const struct fair_item *item)
{
  return ((const struct piece *)item)->is_dead;
}

static void test_what_may_wait_is_bounded(void **state)
{
  (void)state;
  struct fair_queue *queue = fair_queue_new(&(struct fair_limits){.all = 5, .per_owner = 3}, 2);
  struct piece pieces[16];
  put_all(queue, pieces, "a1 a2 a3");
  put(queue, &pieces[3], "a4", FAIR_OWNER_FULL);
  put_all(queue, pieces + 4, "b1 b2");
  put(queue, &pieces[6], "c1", FAIR_FULL);
  pieces[1].is_dead = pieces[4].is_dead = true;
  struct fair_item *dropped = fair_queue_drop(queue, piece_is_dead);
  assert_non_null(dropped);
  assert_non_null(dropped->next);
  assert_null(dropped->next->next);
  put(queue, &pieces[7], "a5", FAIR_TAKEN);
  expect_order(queue, true, "a1 b2 a3 a5 ");
  fair_queue_free(queue);
}

/* Thousands of owners come and go: the table stays as it is, and nobody is taken for another. */
static void test_owners_are_forgotten(void **state)
{
  (void)state;
  struct fair_queue *queue = fair_queue_new(&(struct fair_limits){.all = 4, .per_owner = 2}, 2);
  struct piece pieces[4] = {0};
  char name[24];
  for (int i = 0; i < 3000; i++) {
    for (int j = 0; j < 3; j++) {
      snprintf(name, sizeof name, "%d-%d", i, j / 2);
      assert_int_equal(fair_queue_put(queue, &pieces[j].item, name), FAIR_TAKEN);
    }
    assert_ptr_equal(take(queue), &pieces[0]);
    assert_ptr_equal(take(queue), &pieces[2]);
    fair_queue_done(queue, &pieces[0].item);
    fair_queue_done(queue, &pieces[2].item);
    assert_ptr_equal(take(queue), &pieces[1]);
    fair_queue_done(queue, &pieces[1].item);
    assert_null(take(queue));
  }
  fair_queue_free(queue);
}

/* ---- the store's ------------------------------------------------------------------------------------------------- */

struct fixture {
  struct store_place at;
  struct store *store;
  struct error error;
};

static int setup(void **state)
{
  static const char *const users[] = {"alice", "bob", "carol"};
  struct fixture *f = calloc(1, sizeof *f);
  if (f == NULL)
    return -1;
  *state = f;
  if (store_place_make(&f->at, &f->error) != 0 || store_open(f->at.place, &f->store, &f->error) != 0)
    return -1;
  for (size_t i = 0; i < 3; i++)
    if (store_user_put(f->store, users[i], "hash", &f->error) != 0)
      return -1;
  return 0;
}

static int teardown(void **state)
{
  struct fixture *f = *state;
  store_close(f->store);
  store_place_remove(&f->at);
  free(f);
  return 0;
}

static int queue_job(struct fixture *f, const char *owner, const char *title, int64_t priority,
                     const struct queue_limits *limits)
{
  struct job job = {.log_level = "info", .process = strdup("{}"), .title = strdup(title), .priority = priority};
  bool started = false;
  f->error = (struct error){0};
  snprintf(job.owner, sizeof job.owner, "%s", owner);
  assert_int_equal(store_job_put(f->store, &job, &f->error), 0);
  int status = store_job_start(f->store, &(struct job_key){owner, job.id}, limits, &started, &f->error);
  assert_int_equal(started, status == 0);
  job_free(&job);
  return status;
}

/* Claims, and ends where `ends`, until nothing is queued; the titles in order. */
static void expect_claims(struct fixture *f, bool ends, const char *expected)
{
  char order[256] = "";
  for (;;) {
    struct job job = {0};
    bool found = false, accepted = false;
    assert_int_equal(store_job_claim(f->store, &job, &found, &f->error), 0);
    if (!found)
      break;
    snprintf(order + strlen(order), sizeof order - strlen(order), "%s ", job.title);
    if (ends)
      assert_int_equal(store_job_finish(f->store, &job, "finished", &accepted, &f->error), 0);
    job_free(&job);
  }
  assert_string_equal(order, expected);
}

static const struct queue_limits no_limits;

/* With one slot, where nobody else ever runs, and with many. */
static void test_jobs_take_turns(void **state)
{
  struct fixture *f = *state;
  for (int ends = 0; ends < 2; ends++) {
    for (int i = 0; i < 4; i++)
      queue_job(f, "alice", "a", 0, &no_limits);
    queue_job(f, "bob", "b", 0, &no_limits);
    queue_job(f, "bob", "b", 0, &no_limits);
    if (ends) /* bob was served longest ago */
      expect_claims(f, true, "b a b a a a ");
    else
      expect_claims(f, false, "a b a b a a ");
    assert_int_equal(store_execute(f->store, "UPDATE jobs SET status = 'finished'", &f->error), 0);
    struct job job = {0};
    bool found = false;
    if (!ends) /* so that who was served last is known */
      queue_job(f, "alice", "a", 0, &no_limits);
    assert_int_equal(store_job_claim(f->store, &job, &found, &f->error), 0);
    job_free(&job);
    assert_int_equal(store_execute(f->store, "UPDATE jobs SET status = 'finished'", &f->error), 0);
  }
}

static void test_priorities(void **state)
{
  struct fixture *f = *state;
  queue_job(f, "alice", "a1", 0, &no_limits);
  queue_job(f, "alice", "a2", -3, &no_limits);
  queue_job(f, "alice", "a3", 10, &no_limits);
  queue_job(f, "bob", "b1", -10, &no_limits); /* a user's priority is nothing to others */
  queue_job(f, "carol", "c1", 0, &no_limits);
  queue_job(f, "carol", "c2", JOB_OPERATOR_PRIORITY, &no_limits); /* an operator's is */
  expect_claims(f, true, "c2 a3 b1 c1 a1 a2 ");
}

/* The clock goes back a day between two jobs. */
static void test_no_clock_in_the_order(void **state)
{
  struct fixture *f = *state;
  queue_job(f, "alice", "a1", 0, &no_limits);
  assert_int_equal(store_execute(f->store, "UPDATE jobs SET queued = queued + 86400000", &f->error), 0);
  queue_job(f, "alice", "a2", 0, &no_limits);
  expect_claims(f, true, "a1 a2 ");
}

static void test_queued_jobs_are_bounded(void **state)
{
  struct fixture *f = *state;
  const struct queue_limits limits = {.per_owner = 2, .all = 3};
  assert_int_equal(queue_job(f, "alice", "a", 0, &limits), 0);
  assert_int_equal(queue_job(f, "alice", "a", 0, &limits), 0);
  assert_int_equal(queue_job(f, "alice", "a", 0, &limits), -1);
  assert_true(error_is(&f->error, ERROR_TooManyRequests));
  assert_int_equal(queue_job(f, "bob", "b", 0, &limits), 0);
  assert_int_equal(queue_job(f, "bob", "b", 0, &limits), -1);
  assert_true(error_is(&f->error, ERROR_InfrastructureBusy));
  f->error = (struct error){0};
  expect_claims(f, true, "a b a ");
}

/* ---- what it costs ----------------------------------------------------------------------------------------------- */

static void test_tariffs(void **state)
{
  (void)state;
  struct tariff tariff;
  struct error error = {0};
  assert_int_equal(tariff_parse("currency=EUR,cpu-hour=0.36,gb-read=0.5", &tariff, &error), 0);
  assert_string_equal(tariff.currency, "EUR");
  assert_true(tariff_costs(&tariff, 100, 2e9) == 1.01);
  assert_int_equal(tariff_check_plan(&tariff, NULL, &error), 0);
  assert_int_equal(tariff_check_plan(&tariff, "PAID", &error), 0);
  assert_int_equal(tariff_check_plan(&tariff, "free", &error), -1);
  assert_true(error_is(&error, ERROR_BillingPlanInvalid));
  const char *const wrong[] = {"",
                               "currency=EUR",
                               "cpu-hour=1",
                               "currency=EUR,cpu-hour=-1",
                               "currency=EUR,cpu-hour=x",
                               "currency=,cpu-hour=1",
                               "currency=EUR,cpu-hour=1,",
                               "currency=EUR,cpu-hour=inf",
                               "currency=EUR,cpu-hour=1x,gb-read=2",
                               "price=3",
                               "currency=ABCDEFGHIJKLMNOPQ,gb-read=1"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    error = (struct error){0};
    assert_int_equal(tariff_parse(wrong[i], &tariff, &error), -1);
    assert_true(error_is_set(&error));
  }
  tariff = (struct tariff){0};
  assert_true(tariff_costs(&tariff, 1e6, 1e15) == 0);
  assert_int_equal(tariff_check_plan(&tariff, "Free", &error), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_owners_take_turns),
      cmocka_unit_test(test_who_has_less_under_way_goes_first),
      cmocka_unit_test(test_what_may_wait_is_bounded),
      cmocka_unit_test(test_owners_are_forgotten),
      TEST(test_jobs_take_turns),
      TEST(test_priorities),
      TEST(test_no_clock_in_the_order),
      TEST(test_queued_jobs_are_bounded),
      cmocka_unit_test(test_tariffs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
