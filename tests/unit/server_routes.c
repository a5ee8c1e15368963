/* Routes: every row is found under its own path, and nothing else is. */
#include "server/http/route_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define API_ROOT "/openeo/1.2"

static char parameters[MAX_PATH_PARAMETERS][PATH_PARAMETER_SIZE];

static struct route_match find(const char *method, const char *path)
{
  struct route_match match;
  memset(parameters, 0, sizeof parameters);
  route_find(method, path, &match, parameters);
  return match;
}

static void test_each_row_finds_itself(void **state)
{
  (void)state;
  for (size_t i = 0; i < route_count; i++) {
    char path[512], plain[512] = "";
    const bool is_below_root = routes[i].kind == ROUTE_ROOT || routes[i].kind == ROUTE_STAC;
    snprintf(path, sizeof path, "%s%s", is_below_root ? "" : API_ROOT, routes[i].path);
    for (const char *c = path; *c; c++) /* {name} -> name */
      if (*c != '{' && *c != '}')
        plain[strlen(plain)] = *c;
    struct route_match match = find(routes[i].method, plain);
    assert_ptr_equal(match.route, &routes[i]);
    assert_non_null(strstr(match.methods, routes[i].method));
  }
}

static void test_slashes(void **state)
{
  (void)state;
  const struct route *jobs = find("GET", API_ROOT "/jobs").route;
  assert_non_null(jobs);
  const char *const same[] = {API_ROOT "/jobs/", "//openeo//1.2///jobs//", API_ROOT "//jobs"};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
    assert_ptr_equal(find("GET", same[i]).route, jobs);
  assert_ptr_equal(find("HEAD", API_ROOT "/jobs").route, jobs);
  assert_non_null(find("GET", "/").route);
  assert_non_null(find("GET", "//").route);
}

static void test_parameters(void **state)
{
  (void)state;
  assert_non_null(find("GET", API_ROOT "/jobs/j-1/logs").route);
  assert_string_equal(parameters[0], "j-1");
  assert_non_null(find("GET", API_ROOT "/collections/a%2Fb").route);
  assert_string_equal(parameters[0], "a/b");
  assert_non_null(find("GET", API_ROOT "/collections/a/b%2Fc//d/").route);
  assert_string_equal(parameters[0], "a/b/c//d");
  assert_non_null(find("GET", API_ROOT "/collections/a/b/queryables").route);
  assert_string_equal(parameters[0], "a/b");
  assert_non_null(find("GET", API_ROOT "/collections/a/queryables/queryables").route);
  assert_string_equal(parameters[0], "a/queryables");
  assert_non_null(find("GET", API_ROOT "/collections/queryables").route);
  assert_string_equal(parameters[0], "queryables");
  assert_string_equal(find("GET", API_ROOT "/collections/a/b").methods, "GET, HEAD, PUT, DELETE, OPTIONS");
  assert_non_null(find("GET", API_ROOT "/download/j/17/sig/result.nc").route);
  assert_string_equal(parameters[1], "17");
  assert_string_equal(parameters[3], "result.nc");
}

static void test_paths_of_files(void **state)
{
  (void)state;
  char longest[1600];
  assert_non_null(find("GET", API_ROOT "/files/a%2Fb/c//%C3%BC.tif/").route);
  assert_string_equal(parameters[0], "a/b/c//\xC3\xBC.tif");
  assert_string_equal(find("PUT", API_ROOT "/files/a/b").route->path, "/files/{path}");
  assert_string_equal(find("GET", API_ROOT "/files/").route->path, "/files");
  /* What can be no path comes to the handler all the same, as an empty one. */
  const char *const none[] = {API_ROOT "/files/a%00b", API_ROOT "/files/a%", API_ROOT "/files/%zz/b", longest};
  snprintf(longest, sizeof longest, "%s/files/%01400d", API_ROOT, 1);
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
    assert_non_null(find("DELETE", none[i]).route);
    assert_string_equal(parameters[0], "");
  }
}

static void test_what_is_not_there(void **state)
{
  (void)state;
  const char *const nothing[] = {"/jobs",
                                 API_ROOT "/job",
                                 API_ROOT "/jobs/a/b/c",
                                 API_ROOT "/collections/%00",
                                 API_ROOT "/collections/%z",
                                 "/openeo/1.2x/jobs",
                                 "/openeo/1.4/jobs",
                                 API_ROOT "/.well-known/openeo",
                                 ""};
  for (size_t i = 0; i + 1 < sizeof nothing / sizeof nothing[0]; i++)
    assert_false(find("GET", nothing[i]).path_known);
  struct route_match match = find("PUT", API_ROOT "/jobs");
  assert_true(match.path_known);
  assert_null(match.route);
  char longest[1024];
  snprintf(longest, sizeof longest, "%s/jobs/%0300d", API_ROOT, 1);
  assert_false(find("GET", longest).path_known);
}

static void test_versions(void **state)
{
  (void)state;
  assert_true(api_version_is_unknown("/openeo/1.0/jobs"));
  assert_true(api_version_is_unknown("//openeo//1.2.0/"));
  assert_false(api_version_is_unknown("/openeo/1.2/nothing"));
  assert_false(api_version_is_unknown("/other/1.0"));
  assert_false(api_version_is_unknown("/openeo"));
  for (size_t i = 0; i < api_version_count; i++) {
    char path[64];
    snprintf(path, sizeof path, "//%s//jobs", api_versions[i].root);
    struct route_match match = find("GET", path);
    assert_ptr_equal(match.api, &api_versions[i]);
    assert_ptr_equal(match.route, find("GET", API_ROOT "/jobs").route);
    assert_true(i == 0 || !api_version_reaches(&api_versions[i], api_versions[0].major, api_versions[0].minor));
  }
  assert_null(find("GET", "/openeo").api);
  assert_non_null(find("GET", "/openeo").route);
  assert_true(api_version_reaches(&api_versions[0], 1, 3) && !api_version_reaches(&api_versions[0], 2, 0));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_row_finds_itself),
      cmocka_unit_test(test_slashes),
      cmocka_unit_test(test_parameters),
      cmocka_unit_test(test_what_is_not_there),
      cmocka_unit_test(test_versions),
      cmocka_unit_test(test_paths_of_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
