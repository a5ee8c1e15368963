/* Which tasks of a launcher belong to one run. */
#include "hpc/ranks/ranks_threads.h"
#include "server/commands/rank_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct task {
  struct ranks *ranks;
  struct hash command;
  struct graph_arguments arguments;
  int status;
};

static void *check(void *data)
{
  struct task *task = data;
  struct error error = {0};
  task->status = rank_command_check(task->ranks, task->command, &task->arguments, &error);
  assert_true(task->status == 0 || error_is(&error, ERROR_FeatureUnsupported));
  return NULL;
}

/* Whether both say so. */
static bool are_of_one_run(struct task a, struct task b)
{
  struct ranks all[2];
  struct error error = {0};
  pthread_t thread;
  assert_int_equal(ranks_threads_open(2, NULL, all, &error), 0);
  a.ranks = &all[0];
  b.ranks = &all[1];
  assert_int_equal(pthread_create(&thread, NULL, check, &b), 0);
  check(&a);
  pthread_join(thread, NULL);
  ranks_threads_close(all);
  assert_int_equal(a.status, b.status);
  return a.status == 0;
}

static void write_file(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static struct task task_of(const char *command, const char *graph, const char *data)
{
  char name[] = "run", line[32];
  char *argv[] = {name, line};
  snprintf(line, sizeof line, "%s", command);
  return (struct task){.command = rank_command_hash(2, argv), .arguments = {.graph = graph, .data = data}};
}

static void tasks_of_one_run_have_all_in_common(void **state)
{
  char folder[] = "/tmp/twincube-ranks-XXXXXX";
  (void)state;
  assert_non_null(mkdtemp(folder));
  assert_int_equal(chdir(folder), 0);
  write_file("a.json", "{}");
  write_file("same.json", "{}");
  write_file("b.json", "{ }");
  assert_int_equal(symlink(".", "link"), 0);
  const struct task task = task_of("beta=1", "a.json", ".");
  assert_true(are_of_one_run(task, task));
  assert_true(are_of_one_run(task, task_of("beta=1", "same.json", "link")));
  assert_true(are_of_one_run(task_of("x", "-", "."), task_of("x", "-", ".")));
  assert_false(are_of_one_run(task, task_of("beta=2", "a.json", ".")));
  assert_false(are_of_one_run(task, task_of("beta=1", "b.json", ".")));
  assert_false(are_of_one_run(task, task_of("beta=1", "missing.json", ".")));
  assert_false(are_of_one_run(task, task_of("beta=1", "a.json", "..")));
  const char *const made[] = {"a.json", "same.json", "b.json", "link"};
  for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
    unlink(made[i]);
  }
  rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(tasks_of_one_run_have_all_in_common)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
