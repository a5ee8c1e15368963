/* The table of processes, and an operator's specs laid over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "processes/graph/spec_compare.h"
#include "processes/graph/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_sorted_and_whole(void **state)
{
  (void)state;
  assert_true(process_table_size() > 0);
  for (size_t i = 0; i < process_table_size(); i++) {
    const struct process_entry *entry = process_table_at(i);
    if (i > 0)
      assert_true(strcmp(process_table_at(i - 1)->id, entry->id) < 0);
    assert_ptr_equal(process_table_find(entry->id), entry);
    assert_int_equal(strlen(entry->spec), entry->spec_length);
    if (entry->process != NULL)
      assert_string_equal(entry->process->id, entry->id);
  }
  assert_null(process_table_find("no_such_process"));
  assert_null(process_table_find(""));
}

#define PARAMETER(name, more, schema) "{\"name\": \"" name "\"" more ", \"schema\": " schema "}"
#define SPEC(id, parameters) "{\"id\": \"" id "\", \"parameters\": [" parameters "]}"

static int compare(const char *ours, const char *theirs, struct error *error)
{
  *error = (struct error){0};
  return spec_compare("p", (struct spec_text){ours, strlen(ours)}, (struct spec_text){theirs, strlen(theirs)}, error);
}

static void expect_same(const char *ours, const char *theirs)
{
  struct error error;
  assert_int_equal(compare(ours, theirs, &error), 0);
}

static void expect_difference(const char *ours, const char *theirs, const char *words)
{
  struct error error;
  assert_int_equal(compare(ours, theirs, &error), -1);
  assert_string_equal(error.code, "ProcessSpecInvalid");
  assert_non_null(strstr(error.message, words));
}

static void test_signatures(void **state)
{
  (void)state;
  const char *x = SPEC("p", PARAMETER("x", "", "{\"type\": \"number\"}"));
  expect_same(x, x);
  expect_same(SPEC("p", PARAMETER("x", "", "{\"type\": [\"number\", \"null\"]}")), x);
  expect_same(x, SPEC("p", PARAMETER("x", "", "{\"type\": \"integer\"}")));
  expect_same(SPEC("p", PARAMETER("x", "", "{}")), x);
  expect_same(SPEC("p", PARAMETER("x", "", "[{\"type\": \"null\"}, {\"type\": \"array\"}]")),
              SPEC("p", PARAMETER("x", "", "{\"type\": [\"array\", \"null\"]}")));
  expect_difference(x, SPEC("q", ""), "id 'q'");
  expect_difference(x, SPEC("p", ""), "1 parameters here and 0");
  expect_difference(x, SPEC("p", PARAMETER("y", "", "{}")), "'x' here and 'y'");
  expect_difference(x, SPEC("p", PARAMETER("x", ", \"optional\": true", "{\"type\": \"number\"}")), "is required");
  expect_difference(x, SPEC("p", PARAMETER("x", "", "{\"type\": [\"number\", \"null\"]}")), "null");
  expect_difference(x, SPEC("p", PARAMETER("x", "", "{}")), "anything");
  expect_difference(x, "{\"id\":", "no JSON");
}

static void write_text(const char *folder, const char *name, const char *text)
{
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static void remove_text(const char *folder, const char *name)
{
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  unlink(path);
}

static void test_overlay(void **state)
{
  (void)state;
  char folder[512];
  const char *temporary = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/twincube-specs-XXXXXX", temporary != NULL ? temporary : P_tmpdir);
  assert_non_null(mkdtemp(folder));
  struct error error = {0};
  assert_int_equal(process_table_use_specs(folder, &error), -1); /* an empty folder is a mistake */
  error = (struct error){0};
  write_text(folder, "add.json", SPEC("add", PARAMETER("x", "", "{\"type\": \"number\"}")));
  assert_int_equal(process_table_use_specs(folder, &error), -1);
  assert_non_null(strstr(error.message, "'add' has 2 parameters here and 1"));
  const char *ours = process_table_find("add")->spec;
  error = (struct error){0};
  const char *given =
      SPEC("add", PARAMETER("x", "", "{\"type\": \"number\"}") ", " PARAMETER("y", "", "{\"type\": \"number\"}"));
  write_text(folder, "add.json", given);
  assert_int_equal(process_table_use_specs(folder, &error), 0);
  assert_string_equal(process_table_find("add")->spec, given);
  assert_ptr_not_equal(process_table_find("add")->spec, ours);
  assert_non_null(process_table_find("add")->process);
  assert_non_null(process_table_find("subtract"));
  remove_text(folder, "add.json");
  rmdir(folder);
}

/* The official specs, where they lie beside the project. */
static void test_official(void **state)
{
  (void)state;
  const char *shared = getenv("TWINCUBE_SHARED");
  if (shared == NULL || shared[0] == '\0') {
    print_message("SKIPPED: TWINCUBE_SHARED is not set, the official specs are not compared\n");
    skip();
  }
  char folder[512];
  struct error error = {0};
  static const char *const places[] = {"processes", "proposals"};
  for (size_t i = 0; i < 2; i++) {
    snprintf(folder, sizeof folder, "%s/reference/openeo/%s", shared, places[i]);
    if (process_table_use_specs(folder, &error) != 0)
      fail_msg("%s", error.message);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sorted_and_whole),
      cmocka_unit_test(test_signatures),
      cmocka_unit_test(test_overlay),
      cmocka_unit_test(test_official),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
