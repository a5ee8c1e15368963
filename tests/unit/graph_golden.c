/* Golden plans: EXPLAIN of the graphs in tests/golden is as it was when someone last read it.
 *
 * The line about threads and memory is left out. TWINCUBE_GOLDEN_UPDATE=1 writes the texts anew: read the difference
 * before it is committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/gdal_init.h"
#include "processes/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_golden(const char *name, const char *extension, const char *mode)
{
  char path[4096];
  snprintf(path, sizeof path, TWINCUBE_UNIT_FOLDER "/../golden/%s.%s", name, extension);
  return fopen(path, mode);
}

static struct buffer read_golden(const char *name, const char *extension)
{
  struct buffer text = {0};
  FILE *file = open_golden(name, extension, "r");
  char part[4096];
  size_t n;
  while (file && (n = fread(part, 1, sizeof part, file)) > 0)
    buffer_add(&text, part, n);
  if (file)
    fclose(file);
  return text;
}

static void write_golden(const char *name, const char *text)
{
  FILE *file = open_golden(name, "txt", "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static struct buffer explain(const char *name)
{
  struct buffer graph = read_golden(name, "json"), text = {0};
  struct error error = {0};
  struct execution execution = {.graph = graph.data,
                                .graph_length = graph.length,
                                .threads = 1,
                                .memory = (size_t)1 << 30,
                                .output = "./",
                                .official_encoding = true};
  if (graph.length == 0)
    fail_msg("tests/golden/%s.json is not there", name);
  if (execute_explain(&execution, &text, &error) != 0)
    fail_msg("%s: %s %s", name, error.code, error.message);
  buffer_free(&graph);
  char *threads = strstr(text.data, "\nthreads ");
  if (threads)
    threads[1] = '\0'; /* the last line */
  return text;
}

static void plans_are_as_they_were(void **state)
{
  static const char *const names[] = {"ndvi_monthly_median", "filters_only",       "resampled_mean", "merged_bands",
                                      "running_sum",         "known_value",        "x_over_max",     "standardised",
                                      "long_mean",           "month_mean_and_max", "smoothed",       "zone_means",
                                      "zone_medians",        "neighbourhoods",     "windows"};
  const char *update = getenv("TWINCUBE_GOLDEN_UPDATE");
  (void)state;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct buffer have = explain(names[i]), want = {0};
    if (update && *update == '1')
      write_golden(names[i], have.data);
    want = read_golden(names[i], "txt");
    if (!want.data || strcmp(have.data, want.data) != 0)
      fail_msg("tests/golden/%s.txt:\n%s\nbut the plan is:\n%s", names[i], want.data ? want.data : "(nothing)",
               have.data);
    buffer_free(&have);
    buffer_free(&want);
  }
}

static size_t count(const char *text, const char *part)
{
  size_t n = 0;
  for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
    n++;
  return n;
}

/* Band arithmetic, mask, conversion and the median of each month: one kernel stage over the source, no other stage. */
static void a_masked_index_is_one_kernel(void **state)
{
  struct buffer text = explain("ndvi_monthly_median");
  (void)state;
  assert_int_equal(count(text.data, "\n    gives "), 2);
  assert_int_equal(count(text.data, "\n  0 source \""), 1);
  assert_int_equal(count(text.data, "\n  1 kernel \""), 1);
  assert_int_equal(count(text.data, "reads stage 0"), count(text.data, "reads stage "));
  assert_int_equal(count(text.data, "MEDIAN"), 1); /* of the first of two months */
  assert_int_equal(count(text.data, "MASK"), 1);
  buffer_free(&text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(plans_are_as_they_were),
                                     cmocka_unit_test(a_masked_index_is_one_kernel)};
  gdal_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
