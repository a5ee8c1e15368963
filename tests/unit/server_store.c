/* The store: users, tokens, and the states a job can go through, each reached twice or out of turn. */
#include "server/auth/auth.h"
#include "server/store/store_dialect.h"
#include "server/store/store_jobs.h"
#include "tests/unit/store_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct queue_limits no_limits;

struct fixture {
  struct store_place at;
  struct store *store;
  struct error error;
};

static int setup(void **state)
{
  struct fixture *f = calloc(1, sizeof *f);
  if (f == NULL)
    return -1;
  *state = f;
  if (store_place_make(&f->at, &f->error) != 0 || store_open(f->at.place, &f->store, &f->error) != 0)
    return -1;
  return store_user_put(f->store, "alice", "hash", &f->error);
}

static int teardown(void **state)
{
  struct fixture *f = *state;
  store_close(f->store);
  store_place_remove(&f->at);
  free(f);
  return 0;
}

static void new_job(struct fixture *f, struct job *job)
{
  *job = (struct job){.owner = "alice", .log_level = "info", .process = strdup("{}")};
  assert_int_equal(store_job_put(f->store, job, &f->error), 0);
}

static void expect_status(struct fixture *f, const char *id, const char *status)
{
  struct job job = {0};
  assert_int_equal(store_job_get(f->store, "alice", id, &job, &f->error), 0);
  assert_string_equal(job.status, status);
  job_free(&job);
}

static void start(struct fixture *f, const struct job *job)
{
  bool started = false;
  assert_int_equal(store_job_start(f->store, &(struct job_key){"alice", job->id}, &no_limits, &started, &f->error), 0);
  assert_true(started);
}

static void claim(struct fixture *f, struct job *out)
{
  bool found = false;
  assert_int_equal(store_job_claim(f->store, out, &found, &f->error), 0);
  assert_true(found);
}

static void test_users_and_tokens(void **state)
{
  struct fixture *f = *state;
  unsigned char hash[TOKEN_HASH_BYTES] = {7}, old[TOKEN_HASH_BYTES] = {8};
  char user[USER_NAME_SIZE], password[PASSWORD_HASH_SIZE];
  bool found = false;
  assert_int_equal(store_token_put(f->store, hash, "alice", store_now() + 60000, &f->error), 0);
  assert_int_equal(store_token_user(f->store, hash, user, &found, &f->error), 0);
  assert_true(found);
  assert_string_equal(user, "alice");
  assert_int_equal(store_token_put(f->store, old, "alice", store_now() - 1, &f->error), 0);
  assert_int_equal(store_token_user(f->store, old, user, &found, &f->error), 0);
  assert_false(found);
  assert_int_equal(store_user_put(f->store, "alice", "other", &f->error), 0); /* a new password ends sessions */
  assert_int_equal(store_token_user(f->store, hash, user, &found, &f->error), 0);
  assert_false(found);
  assert_int_equal(store_user_hash(f->store, "alice", password, &found, &f->error), 0);
  assert_string_equal(password, "other");
  assert_int_equal(store_user_remove(f->store, "nobody", &found, &f->error), 0);
  assert_false(found);
  assert_int_not_equal(store_token_put(f->store, hash, "nobody", store_now() + 1, &f->error), 0);
}

static void test_names(void **state)
{
  (void)state;
  assert_true(user_name_is_valid("alice-1_x.y~z"));
  assert_false(user_name_is_valid(""));
  assert_false(user_name_is_valid("a b"));
  assert_false(user_name_is_valid("a/b"));
  char name[USER_NAME_SIZE + 1];
  memset(name, 'a', sizeof name);
  name[USER_NAME_SIZE - 1] = '\0';
  assert_true(user_name_is_valid(name));
  name[USER_NAME_SIZE - 1] = 'a';
  name[USER_NAME_SIZE] = '\0';
  assert_false(user_name_is_valid(name));
}

static void test_secret_stays(void **state)
{
  struct fixture *f = *state;
  unsigned char a[32], b[32];
  struct store *second = NULL;
  assert_int_equal(store_secret(f->store, a, &f->error), 0);
  assert_int_equal(store_open(f->at.place, &second, &f->error), 0);
  assert_int_equal(store_secret(second, b, &f->error), 0);
  assert_memory_equal(a, b, sizeof a);
  store_close(second);
  if (store_is_shared(f->store))
    return; /* there is no file */
  struct stat info;
  char path[128];
  snprintf(path, sizeof path, "%s/server.sqlite", f->at.folder);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_a_job_runs(void **state)
{
  struct fixture *f = *state;
  struct job job, running = {0};
  bool again = true, accepted = false;
  new_job(f, &job);
  expect_status(f, job.id, "created");
  start(f, &job);
  assert_int_equal(store_job_start(f->store, &(struct job_key){"alice", job.id}, &no_limits, &again, &f->error), 0);
  assert_false(again);
  claim(f, &running);
  assert_string_equal(running.id, job.id);
  assert_int_equal(running.run, 1);
  expect_status(f, job.id, "running");
  running.result = strdup("{\"file\":\"x\"}");
  assert_int_equal(store_job_finish(f->store, &running, "finished", &accepted, &f->error), 0);
  assert_true(accepted);
  assert_int_equal(store_job_finish(f->store, &running, "finished", &accepted, &f->error), 0);
  assert_false(accepted);
  expect_status(f, job.id, "finished");
  job_free(&running);
  job_free(&job);
}

static void test_nobody_claims_twice(void **state)
{
  struct fixture *f = *state;
  struct job job, first = {0}, second = {0};
  struct store *other = NULL;
  bool found = true;
  new_job(f, &job);
  start(f, &job);
  claim(f, &first);
  assert_int_equal(store_open(f->at.place, &other, &f->error), 0);
  assert_int_equal(store_job_claim(other, &second, &found, &f->error), 0);
  assert_false(found);
  store_close(other);
  job_free(&first);
  job_free(&job);
}

static void test_the_oldest_goes_first(void **state)
{
  struct fixture *f = *state;
  struct job a, b, got = {0};
  new_job(f, &a);
  new_job(f, &b);
  start(f, &b);
  usleep(3000); /* the queue's clock counts milliseconds */
  start(f, &a);
  claim(f, &got);
  assert_string_equal(got.id, b.id);
  job_free(&got);
  job_free(&a);
  job_free(&b);
}

static void test_cancelled_runs_do_not_finish(void **state)
{
  struct fixture *f = *state;
  struct job job, first = {0}, second = {0};
  bool accepted = true;
  int64_t run = -1;
  new_job(f, &job);
  start(f, &job);
  assert_int_equal(store_job_cancel(f->store, &(struct job_key){"alice", job.id}, -1, &run, &f->error), 0);
  expect_status(f, job.id, "created"); /* it was only queued */
  start(f, &job);
  claim(f, &first);
  assert_int_equal(store_job_cancel(f->store, &(struct job_key){"alice", job.id}, 40, &run, &f->error), 0);
  assert_int_equal(run, first.run);
  assert_int_equal(store_job_cancel(f->store, &(struct job_key){"alice", job.id}, 40, &run, &f->error), 0);
  assert_int_equal(run, 0); /* there was nothing to end */
  expect_status(f, job.id, "canceled");
  assert_int_equal(store_job_finish(f->store, &first, "finished", &accepted, &f->error), 0);
  assert_false(accepted);
  start(f, &job);
  claim(f, &second); /* the old run must not end the new one */
  assert_int_equal(store_job_finish(f->store, &first, "error", &accepted, &f->error), 0);
  assert_false(accepted);
  assert_int_equal(second.run, first.run + 1);
  expect_status(f, job.id, "running");
  job_free(&first);
  job_free(&second);
  job_free(&job);
}

static void count_log(void *data, const struct job_log *log)
{
  (void)log;
  ++*(int *)data;
}

static void test_recovery_gives_up_in_the_end(void **state)
{
  struct fixture *f = *state;
  struct job job, got = {0};
  int logs = 0;
  new_job(f, &job);
  start(f, &job);
  for (int attempt = 1; attempt <= JOB_MAX_ATTEMPTS; attempt++) {
    claim(f, &got);
    assert_int_equal(got.attempts, attempt);
    job_free(&got);
    assert_int_equal(store_job_recover(f->store, &f->error), 0);
    expect_status(f, job.id, attempt < JOB_MAX_ATTEMPTS ? "queued" : "error");
  }
  assert_int_equal(store_log_list(f->store, job.id, 0, LOG_DEBUG, 0, count_log, &logs, &f->error), 0);
  assert_int_equal(logs, JOB_MAX_ATTEMPTS);
  start(f, &job); /* the user may start it anew, with fresh attempts and no old log */
  claim(f, &got);
  assert_int_equal(got.attempts, 1);
  job_free(&got);
  job_free(&job);
}

static void test_a_clean_stop_does_not_count(void **state)
{
  struct fixture *f = *state;
  struct job job, got = {0};
  new_job(f, &job);
  start(f, &job);
  for (int i = 0; i < 2 * JOB_MAX_ATTEMPTS; i++) {
    claim(f, &got);
    assert_int_equal(store_job_requeue(f->store, &got, false, "stopped", &f->error), 0);
    job_free(&got);
    expect_status(f, job.id, "queued");
  }
  job_free(&job);
}

/* What looks for rows that say running while nobody runs them: in order, each once, none that is fresh. */
static void test_running_rows_are_found(void **state)
{
  struct fixture *f = *state;
  struct job jobs[3], claimed[2] = {{0}}, found = {0};
  bool is_found = false;
  for (int i = 0; i < 3; i++) {
    new_job(f, &jobs[i]);
    start(f, &jobs[i]);
  }
  claim(f, &claimed[0]);
  claim(f, &claimed[1]);
  assert_int_equal(store_job_running(f->store, 0, claimed[0].updated - 1, &found, &is_found, &f->error), 0);
  assert_false(is_found);
  int64_t after = 0;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(store_job_running(f->store, after, INT64_MAX, &found, &is_found, &f->error), 0);
    assert_true(is_found);
    assert_string_equal(found.id, claimed[i].id);
    after = found.seq;
    job_free(&found);
  }
  assert_int_equal(store_job_running(f->store, after, INT64_MAX, &found, &is_found, &f->error), 0);
  assert_false(is_found);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(store_job_requeue(f->store, &claimed[i], false, NULL, &f->error), 0);
    expect_status(f, claimed[i].id, "queued");
    job_free(&claimed[i]);
  }
  for (int i = 0; i < 3; i++)
    job_free(&jobs[i]);
}

static void test_locked_and_foreign(void **state)
{
  struct fixture *f = *state;
  struct job job, other = {0};
  int64_t run = -1;
  new_job(f, &job);
  start(f, &job);
  assert_int_equal(store_job_update(f->store, &job, &f->error), -1);
  assert_string_equal(f->error.code, "JobLocked");
  f->error = (struct error){0};
  assert_int_equal(store_job_get(f->store, "bob", job.id, &other, &f->error), -1);
  assert_string_equal(f->error.code, "JobNotFound");
  f->error = (struct error){0};
  assert_int_equal(store_job_delete(f->store, &(struct job_key){"bob", job.id}, &run, &f->error), -1);
  f->error = (struct error){0};
  assert_int_equal(store_job_delete(f->store, &(struct job_key){"alice", job.id}, &run, &f->error), 0);
  assert_int_equal(store_job_get(f->store, "alice", job.id, &other, &f->error), -1);
  f->error = (struct error){0};
  job_free(&job);
}

static void test_log_levels(void **state)
{
  struct fixture *f = *state;
  struct job job;
  int count = 0;
  new_job(f, &job);
  for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
    const struct job_log log = {.entry = {.level = (enum log_level)level, .message = "m"}};
    assert_int_equal(store_log_put(f->store, job.id, &log, &f->error), 0);
    assert_int_equal(store_log_put(f->store, "no such job", &log, &f->error), 0);
  }
  assert_int_equal(store_log_list(f->store, job.id, 0, LOG_DEBUG, 0, count_log, &count, &f->error), 0);
  assert_int_equal(count, 3); /* the job keeps info and worse */
  count = 0;
  assert_int_equal(store_log_list(f->store, job.id, 0, LOG_WARNING, 0, count_log, &count, &f->error), 0);
  assert_int_equal(count, 2);
  job_free(&job);
}

static void expect_entry(void *data, const struct job_log *log)
{
  ++*(int *)data;
  assert_true(log->time > 0);
  assert_int_equal(log->entry.level, LOG_WARNING);
  assert_string_equal(log->entry.message, "m");
  assert_string_equal(log->entry.code, "c");
  assert_string_equal(log->entry.node, "a/b");
  assert_string_equal(log->entry.parameter, "p");
  assert_string_equal(log->entry.data, "[1]");
}

/* A store of the first version gets what it lacks when it is opened, and keeps what it has. */
static void test_an_older_store_grows(void **state)
{
  struct fixture *f = *state;
  struct job job;
  char path[128];
  sqlite3 *db;
  if (store_is_shared(f->store))
    return; /* no older program knew it */
  int count = 0;
  new_job(f, &job);
  store_close(f->store);
  f->store = NULL;
  snprintf(path, sizeof path, "%s/server.sqlite", f->at.folder);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(
      sqlite3_exec(db,
                   "DROP TRIGGER jobs_dropped; DROP TABLE dropped;"
                   "ALTER TABLE logs DROP COLUMN data; ALTER TABLE jobs DROP COLUMN options;"
                   "DROP INDEX jobs_waiting; DROP INDEX jobs_by_turn; DROP TABLE served;"
                   "ALTER TABLE jobs DROP COLUMN turn; ALTER TABLE jobs DROP COLUMN priority;"
                   "ALTER TABLE jobs DROP COLUMN started; ALTER TABLE jobs DROP COLUMN ended;"
                   "ALTER TABLE jobs DROP COLUMN costs; ALTER TABLE jobs DROP COLUMN server; DROP TABLE servers;"
                   "PRAGMA user_version = 1;",
                   NULL, NULL, NULL),
      SQLITE_OK);
  sqlite3_close(db);
  assert_int_equal(store_open(f->at.place, &f->store, &f->error), 0);
  const struct job_log log = {
      .entry = {.level = LOG_WARNING, .message = "m", .code = "c", .node = "a/b", .parameter = "p", .data = "[1]"}};
  assert_int_equal(store_log_put(f->store, job.id, &log, &f->error), 0);
  assert_int_equal(store_log_list(f->store, job.id, 0, LOG_DEBUG, 0, expect_entry, &count, &f->error), 0);
  assert_int_equal(count, 1);
  job_free(&job);
}

static int64_t store_size(const struct fixture *f)
{
  char path[128];
  struct stat state;
  sqlite3 *db;
  snprintf(path, sizeof path, "%s/server.sqlite", f->at.folder);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  assert_int_equal(stat(path, &state), 0);
  return state.st_size;
}

/* What large jobs took is the disk's again when they are gone; also in a store that was made without auto_vacuum. */
static void test_space_is_given_back(void **state)
{
  struct fixture *f = *state;
  for (int old = 0; old < 2 && !store_is_shared(f->store); old++) {
    if (old)
      assert_int_equal(store_execute(f->store, "PRAGMA auto_vacuum = NONE; VACUUM;", &f->error), 0);
    struct job job = {.owner = "alice", .log_level = "info", .process = malloc(10000001)};
    memset(job.process, 'x', 10000000);
    job.process[10000000] = '\0';
    int64_t run, before = store_size(f);
    assert_int_equal(store_job_put(f->store, &job, &f->error), 0);
    assert_true(store_size(f) > before + 9000000);
    assert_int_equal(store_job_delete(f->store, &(struct job_key){"alice", job.id}, &run, &f->error), 0);
    int parts = 0;
    while (store_shrink(f->store))
      assert_true(++parts < 100);
    assert_true(parts > 0 && store_size(f) < before + 4200000);
    job_free(&job);
  }
}

static void test_authorization(void **state)
{
  struct fixture *f = *state;
  struct auth *auth = auth_new(NULL, true);
  const struct auth_request right = {"Basic Y2Fyb2w6cHc=", "::1"}, no = {"Basic Y2Fyb2w6bm8=", "::1"};
  unsigned wait;
  char token[AUTH_TOKEN_SIZE], header[128], user[USER_NAME_SIZE], hash[PASSWORD_HASH_SIZE];
  assert_non_null(auth);
  assert_int_equal(auth_hash_password("pw", hash, &f->error), 0);
  assert_int_equal(store_user_put(f->store, "carol", hash, &f->error), 0);
  /* base64 of carol:pw and carol:no */
  assert_int_equal(auth_login(auth, f->store, &right, token, &wait, &f->error), 0);
  snprintf(header, sizeof header, "Bearer basic//%s", token);
  assert_int_equal(auth_user(auth, f->store, &(struct auth_request){header, "::1"}, user, &f->error), 0);
  assert_string_equal(user, "carol");
  assert_int_equal(auth_login(auth, f->store, &no, token, &wait, &f->error), -1);
  assert_string_equal(f->error.code, "CredentialsInvalid");
  const char *const wrong[] = {"Bearer basic//", "Bearer basic//x", "bearer", "Bearer  oidc/a/b", "Basic x", ""};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    f->error = (struct error){0};
    assert_int_equal(auth_user(auth, f->store, &(struct auth_request){wrong[i], "::1"}, user, &f->error), -1);
  }
  f->error = (struct error){0};
  auth_free(auth);
}

static void test_the_dialect(void **state)
{
  static const struct {
    const char *sqlite, *postgres;
    int parameters;
  } cases[] = {
      {"a = ? AND b = ?", "a = $1 AND b = $2", 2},
      {"?2 < ?1 OR c = ?", "$2 < $1 OR c = $3", 3},
      {"x = 'what? user ''REAL''' AND y = ?", "x = 'what? user ''REAL''' AND y = $1", 1},
      {"user, i.user, users(name), user_id", "\"user\", i.\"user\", users(name), user_id", 0},
      {"n INTEGER PRIMARY KEY, t TEXT NOT NULL) WITHOUT ROWID;",
       "n BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, t TEXT COLLATE \"C\" NOT NULL) ;", 0},
      {"a INTEGER, b REAL, c BLOB, INTEGERS", "a BIGINT, b DOUBLE PRECISION, c BYTEA, INTEGERS", 0},
      {"LIMIT 1 /*postgres FOR UPDATE */)", "LIMIT 1  FOR UPDATE )", 0},
      {"AS $$BEGIN user TEXT ?; END$$ user", "AS $$BEGIN user TEXT ?; END$$ \"user\"", 0},
      {"'open", "'open", 0},
      {"", "", 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct buffer out = {0};
    int parameters = -1;
    store_dialect_postgres(cases[i].sqlite, &out, &parameters);
    assert_string_equal(out.data != NULL ? out.data : "", cases[i].postgres);
    assert_int_equal(parameters, cases[i].parameters);
    buffer_free(&out);
  }
}

static unsigned syncs; /* how often something was written through to the disk */

/* In place of the C library's, for SQLite, too. */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
  syncs++;
  return (int)syscall(SYS_fdatasync, fd);
}

static unsigned syncs_since_last(void)
{
  const unsigned count = syncs;
  syncs = 0;
  return count;
}

/* What was answered is on the disk, should the power fail; what nobody was told does not wait for it. */
static void test_what_is_told_is_on_the_disk(void **state)
{
  struct fixture *f = *state;
  struct job job, claimed = {0};
  const struct job_log log = {.entry = {.level = LOG_ERROR, .message = "one of many"}};
  int64_t run;
  bool flag;
  if (store_is_shared(f->store))
    return; /* the database's own matter */
  syncs_since_last();
  new_job(f, &job);
  const struct job_key key = {"alice", job.id};
  assert_int_not_equal(syncs_since_last(), 0);
  assert_int_equal(store_job_start(f->store, &key, &no_limits, &flag, &f->error), 0);
  assert_int_not_equal(syncs_since_last(), 0);
  assert_int_equal(store_job_claim(f->store, &claimed, &flag, &f->error), 0);
  assert_int_equal(store_log_put(f->store, job.id, &log, &f->error), 0);
  assert_int_equal(syncs_since_last(), 0);
  assert_int_equal(store_job_finish(f->store, &claimed, "finished", &flag, &f->error), 0);
  assert_int_not_equal(syncs_since_last(), 0);
  assert_int_equal(store_job_cancel(f->store, &key, 50, &run, &f->error), 0); /* it has ended: nothing changes */
  assert_int_equal(store_job_update(f->store, &job, &f->error), 0);
  assert_int_not_equal(syncs_since_last(), 0);
  assert_int_equal(store_user_put(f->store, "bob", "hash", &f->error), 0);
  assert_int_not_equal(syncs_since_last(), 0);
  assert_int_equal(store_job_delete(f->store, &key, &run, &f->error), 0);
  assert_int_not_equal(syncs_since_last(), 0);
  job_free(&job);
  job_free(&claimed);
}

/* Names that no database takes as they are; and a message with such bytes, as one that was cut off within a letter. */
static void test_bytes_that_are_no_text(void **state)
{
  struct fixture *f = *state;
  struct job job, found = {0};
  char hash[PASSWORD_HASH_SIZE];
  bool is_found = true;
  assert_int_equal(store_user_hash(f->store, "al\xffice", hash, &is_found, &f->error), 0);
  assert_false(is_found);
  assert_int_equal(store_job_get(f->store, "alice", "j-\xc3", &found, &f->error), -1);
  assert_string_equal(f->error.code, "JobNotFound");
  f->error = (struct error){0};
  new_job(f, &job);
  const struct job_log log = {.entry = {.level = LOG_ERROR, .message = "cut off: \xe2\x82"}};
  assert_int_equal(store_log_put(f->store, job.id, &log, &f->error), 0);
  job_free(&job);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_users_and_tokens),
      TEST(test_names),
      TEST(test_secret_stays),
      TEST(test_a_job_runs),
      TEST(test_nobody_claims_twice),
      TEST(test_the_oldest_goes_first),
      TEST(test_cancelled_runs_do_not_finish),
      TEST(test_recovery_gives_up_in_the_end),
      TEST(test_a_clean_stop_does_not_count),
      TEST(test_running_rows_are_found),
      TEST(test_locked_and_foreign),
      TEST(test_log_levels),
      TEST(test_an_older_store_grows),
      TEST(test_space_is_given_back),
      TEST(test_authorization),
      TEST(test_the_dialect),
      TEST(test_bytes_that_are_no_text),
      TEST(test_what_is_told_is_on_the_disk),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
