/* Files of features: within their memory, and ended when the request is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "datacube/source/vector_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEATURES = 20000 };

static char path[] = P_tmpdir "/twincube-features-XXXXXX.csv";

/* One file for all tests: points with a number and a text. */
static int write_file(void **state)
{
  (void)state;
  FILE *file = fdopen(mkstemps(path, 4), "w");
  if (!file)
    return -1;
  fputs("lon,lat,n,name,flag\n", file);
  for (int i = 0; i < FEATURES; i++)
    fprintf(file, "%d,%d,%d,name %d,%s\n", i % 360 - 180, i % 90, i, i, i % 2 ? "true" : "false");
  return fclose(file);
}

static int remove_file(void **state)
{
  (void)state;
  return unlink(path);
}

static int read_file(size_t limit, const volatile int *cancel, struct error *error)
{
  struct arena *arena = arena_new(limit);
  const struct vector_file file = {.path = path};
  const struct vector_selection selection = {.cancel = cancel};
  const struct source *source;
  int status = vector_file_source(arena, &file, &selection, &source, error);
  if (status == 0)
    assert_int_equal(source->cube.dimension[0].size, FEATURES);
  arena_free(arena);
  return status;
}

static void all_is_read(void **state)
{
  (void)state;
  const volatile int cancel = 0;
  struct error error = {{0}, {0}, {0}, {0}};
  assert_int_equal(read_file(0, &cancel, &error), 0);
}

static void a_cancelled_request_ends(void **state)
{
  (void)state;
  const volatile int cancel = 1;
  struct error error = {{0}, {0}, {0}, {0}};
  assert_int_equal(read_file(0, &cancel, &error), -1);
  assert_string_equal(error.code, "RequestTimeout");
}

/* However little there is, it is an error and no crash. */
static void memory_has_a_limit(void **state)
{
  (void)state;
  for (size_t limit = 1 << 10; limit <= 1 << 20; limit *= 4) {
    struct error error = {{0}, {0}, {0}, {0}};
    assert_int_equal(read_file(limit, NULL, &error), -1);
    assert_true(error_is_set(&error));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_is_read), cmocka_unit_test(a_cancelled_request_ends),
                                     cmocka_unit_test(memory_has_a_limit)};
  return cmocka_run_group_tests(tests, write_file, remove_file);
}
