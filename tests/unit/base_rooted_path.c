/* Paths below a root: what is one, what is none, and that links lead nowhere. */
#include "datacube/base/rooted_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_what_is_a_path(void **state)
{
  (void)state;
  static const char *const rows[][2] = {
      {"a", "a"},
      {"/a", "a"},
      {"//a///b//", "a/b"},
      {"a b/c", "a b/c"},
      {".zgroup", ".zgroup"},
      {"...", "..."},
      {"..a/b..", "..a/b.."},
      {"\xC3\xBC.tif", "\xC3\xBC.tif"},
  };
  char out[ROOTED_PATH_SIZE];
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct error error = {0};
    assert_int_equal(rooted_path_read(rows[i][0], out, &error), 0);
    assert_string_equal(out, rows[i][1]);
  }
}

static void assert_is_none(const char *text)
{
  char out[ROOTED_PATH_SIZE];
  struct error error = {0};
  assert_int_equal(rooted_path_read(text, out, &error), -1);
  assert_true(error_is(&error, ERROR_FilePathInvalid));
}

static void test_what_is_none(void **state)
{
  (void)state;
  static const char *const rows[] = {"",      "/",     "///",  ".",         "..",           "./a",       "a/.",
                                     "a/./b", "../a",  "a/..", "a/../b",    "a\\b",         "..\\a",     "a\nb",
                                     "a\x7F", "a\x01", "\xFF", "a\xC0\xAF", "\xED\xA0\x80", "a/\xE2\x82"};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    assert_is_none(rows[i]);
}

/* At the limit, and one past it. */
static void test_lengths(void **state)
{
  (void)state;
  char text[2 * ROOTED_PATH_SIZE] = "", out[ROOTED_PATH_SIZE];
  struct error error = {0};
  memset(text, 'x', 255);
  assert_int_equal(rooted_path_read(text, out, &error), 0);
  text[255] = 'x';
  assert_is_none(text);
  memset(text, 0, sizeof text);
  for (int i = 0; i < ROOTED_PIECES; i++)
    memcpy(text + 2 * i, "a/", 2);
  assert_int_equal(rooted_path_read(text, out, &error), 0);
  text[2 * ROOTED_PIECES] = 'b';
  assert_is_none(text);
  memset(text, 'y', ROOTED_PATH_SIZE - 1);
  text[ROOTED_PATH_SIZE - 1] = '\0';
  for (size_t i = 200; i < ROOTED_PATH_SIZE - 1; i += 201)
    text[i] = '/';
  assert_int_equal(rooted_path_read(text, out, &error), 0);
  assert_int_equal(strlen(out), ROOTED_PATH_SIZE - 1);
  strncat(text, "y", 2);
  assert_is_none(text);
}

static void put(int root, const char *path, bool makes)
{
  const char *name;
  int folder = rooted_parent(root, path, makes, &name);
  assert_true(folder >= 0);
  int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  assert_true(fd >= 0);
  close(fd);
  close(folder);
}

static void test_links_lead_nowhere(void **state)
{
  (void)state;
  char root_path[] = "twincube-rooted-XXXXXX", full[128];
  assert_non_null(mkdtemp(root_path));
  const int root = open(root_path, O_RDONLY | O_DIRECTORY);
  put(root, "a/b/file", true);
  assert_int_equal(symlinkat("a", root, "link"), 0);
  assert_int_equal(symlinkat("file", root, "a/b/self"), 0);
  int fd = rooted_open(root, "a/b/file", O_RDONLY);
  assert_true(fd >= 0);
  close(fd);
  static const char *const rows[] = {"link", "link/b/file", "a/b/self", "a/b/file/x", "a/none", "none/file"};
  static const int reasons[] = {ELOOP, ENOTDIR, ELOOP, ENOTDIR, ENOENT, ENOENT};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(rooted_open(root, rows[i], O_RDONLY), -1);
    assert_true(errno == reasons[i] || (reasons[i] == ENOTDIR && errno == ELOOP));
  }
  const char *name;
  assert_int_equal(rooted_parent(root, "link/new/file", true, &name), -1);
  assert_int_equal(rooted_parent(root, "a/none/file", false, &name), -1);
  static const char *const made[] = {"a/b/file", "a/b/self", "a/b", "a", "link"};
  for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
    snprintf(full, sizeof full, "%s/%s", root_path, made[i]);
    assert_int_equal(remove(full), 0);
  }
  close(root);
  assert_int_equal(rmdir(root_path), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_a_path),
      cmocka_unit_test(test_what_is_none),
      cmocka_unit_test(test_lengths),
      cmocka_unit_test(test_links_lead_nowhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
