/* Small pieces of the server that read text from outside: JSON members, percent signs, sizes, error rows, signatures.
 */
#include "server/commands/command.h"
#include "server/error_table.h"
#include "server/http/http.h"
#include "server/http/json_check.h"
#include "server/http/json_text.h"
#include "server/auth/signed_url.h"
#include "server/services/service_crs.h"
#include "server/services/subset_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_member(const char *json, const char *name, const char *wanted)
{
  size_t length = 0;
  const char *value = json_text_member(json, strlen(json), name, &length);
  if (wanted == NULL) {
    assert_null(value);
    return;
  }
  assert_non_null(value);
  assert_int_equal(length, strlen(wanted));
  assert_memory_equal(value, wanted, length);
}

static void test_members(void **state)
{
  (void)state;
  expect_member("{\"a\":1}", "a", "1");
  expect_member("{\"a\":1}", "b", NULL);
  expect_member(" {\n \"b\" : [1, {\"a\": 2}] , \"a\" : {\"x\":\"}\\\"\"}  }", "a", "{\"x\":\"}\\\"\"}");
  expect_member("{\"b\":\"a\",\"a\":\"b\"}", "a", "\"b\"");
  expect_member("{\"b\":{\"a\":0},\"a\": -1.50e3 }", "a", "-1.50e3");
  expect_member("{\"\":{},\"a\":[]}", "a", "[]");
  expect_member("{\"a\\\"\":1,\"a\":null}", "a", "null");
  expect_member("{}", "a", NULL);
  expect_member("[{\"a\":1}]", "a", NULL);
}

static void test_what_is_json(void **state)
{
  static const char *const good[] = {"0",
                                     "-0.5e+10",
                                     "\"\"",
                                     "\"\\u00e9\\n\xc3\xa9\"",
                                     "true",
                                     " null ",
                                     "[]",
                                     "{}",
                                     "[[],{},[1,\"a\",{\"b\":[false]}]]",
                                     "{\"a\":{\"a\":1},\"b\":[]}\n"};
  static const char *const bad[] = {"",
                                    " ",
                                    "+1",
                                    "01",
                                    "1.",
                                    ".5",
                                    "1e",
                                    "-",
                                    "nul",
                                    "True",
                                    "\"",
                                    "\"\\x\"",
                                    "\"\xff\"",
                                    "\"\n\"",
                                    "\"\\u12g4\"",
                                    "[",
                                    "[1",
                                    "[1,",
                                    "[1,]",
                                    "[,1]",
                                    "[1 2]",
                                    "[1}",
                                    "{",
                                    "{\"a\"",
                                    "{a:1}",
                                    "{1:1}",
                                    "{\"a\":",
                                    "{\"a\":}",
                                    "{\"a\":1,}",
                                    "{\"a\" 1}",
                                    "{\"a\":1]",
                                    "1 2",
                                    "[]]",
                                    "{}{}",
                                    "NaN",
                                    "[1]x",
                                    "'a'",
                                    "\"\xed\xa0\x80\""};
  char deep[2 * JSON_CHECK_DEPTH + 2];
  size_t line;
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    if (json_check(good[i], strlen(good[i]), &line) != NULL)
      fail_msg("%s is JSON", good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (json_check(bad[i], strlen(bad[i]), &line) == NULL)
      fail_msg("%s is no JSON", bad[i]);
  assert_non_null(json_check("[1,\n2,\n\nx]", 10, &line));
  assert_int_equal(line, 4);
  assert_non_null(json_check("\"a\0b\"", 5, &line));
  memset(deep, '[', JSON_CHECK_DEPTH);
  memset(deep + JSON_CHECK_DEPTH, ']', JSON_CHECK_DEPTH);
  assert_null(json_check(deep, 2 * JSON_CHECK_DEPTH, &line));
  memset(deep, '[', JSON_CHECK_DEPTH + 1);
  assert_non_null(json_check(deep, sizeof deep, &line));
}

static void test_elements(void **state)
{
  static const char json[] = " [1 , {\"a\":[2,3]},\"x,]\" , [] ]";
  static const char *const wanted[] = {"1", "{\"a\":[2,3]}", "\"x,]\"", "[]"};
  size_t at = 0, length = 0;
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    const char *element = json_text_element(json, strlen(json), &at, &length);
    assert_non_null(element);
    assert_int_equal(length, strlen(wanted[i]));
    assert_memory_equal(element, wanted[i], length);
  }
  assert_null(json_text_element(json, strlen(json), &at, &length));
  at = 0;
  assert_null(json_text_element("[ ]", 3, &at, &length));
  at = 0;
  assert_null(json_text_element("{}", 2, &at, &length));
}

/* Whatever is cut off where: never past the end (a heap copy of exactly that length lets the sanitizer see). */
static void test_members_of_cut_text(void **state)
{
  (void)state;
  static const char text[] = "{\"b\":[1,\"x\\\"y\",{\"a\":2}],\"c\":\"\\\\\",\"a\":{\"d\":[true,\"\\u0041\"]}}";
  for (size_t length = 0; length < sizeof text; length++) {
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    size_t found = 0;
    const char *value = json_text_member(copy, length, "a", &found);
    if (value != NULL)
      assert_true(value >= copy && value + found <= copy + length);
    free(copy);
  }
}

static void expect_decoded(const char *text, const char *wanted)
{
  char out[16] = "";
  int status = http_decode(text, strlen(text), out, sizeof out);
  assert_int_equal(status, wanted ? 0 : -1);
  if (wanted)
    assert_string_equal(out, wanted);
}

static void test_percent_signs(void **state)
{
  (void)state;
  expect_decoded("abc", "abc");
  expect_decoded("a%20b%2Fc", "a b/c");
  expect_decoded("%c3%A4", "\xc3\xa4");
  expect_decoded("a%", NULL);
  expect_decoded("a%2", NULL);
  expect_decoded("%zz", NULL);
  expect_decoded("a%00b", NULL);
  expect_decoded("a%0Ab", NULL);
  expect_decoded("123456789012345", "123456789012345");
  expect_decoded("1234567890123456", NULL);
}

static void test_sizes(void **state)
{
  (void)state;
  size_t bytes = 0;
  assert_int_equal(command_size("512M", &bytes), 0);
  assert_int_equal(bytes, (size_t)512 << 20);
  assert_int_equal(command_size("2g", &bytes), 0);
  assert_int_equal(bytes, (size_t)2 << 30);
  assert_int_equal(command_size("1.5GiB", &bytes), 0);
  assert_int_equal(bytes, (size_t)3 << 29);
  assert_int_equal(command_size("1048576", &bytes), 0);
  const char *const wrong[] = {"", "lots", "-1G", "0", "1K", "1048575", "2X", "2GG", "1e300", "nan", "inf"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_int_equal(command_size(wrong[i], &bytes), -1);
}

/* The openEO API's list of errors, and what HTTP asks beyond it. */
static void test_error_statuses(void **state)
{
  (void)state;
  static const struct {
    const char *code;
    unsigned status;
  } facts[] = {{"Internal", 500},
               {"NotFound", 404},
               {"FeatureUnsupported", 501},
               {"InfrastructureMaintenance", 503},
               {"InfrastructureBusy", 503},
               {"UnsupportedApiVersion", 404},
               {"RequestTimeout", 408},
               {"BudgetInvalid", 400},
               {"EstimateComplexity", 500},
               {"NoDataForUpdate", 400},
               {"PropertyNotEditable", 400},
               {"CollectionNotFound", 404},
               {"StorageFailure", 500},
               {"StorageQuotaExceeded", 400},
               {"FileNotFound", 404},
               {"FilePathInvalid", 400},
               {"FileOperationUnsupported", 400},
               {"FolderOperationUnsupported", 400},
               {"ContentTypeInvalid", 400},
               {"FileTypeInvalid", 400},
               {"FileSizeExceeded", 400},
               {"FileContentInvalid", 400},
               {"FileLocked", 400},
               {"ProcessGraphNotFound", 404},
               {"ProcessInvalid", 400},
               {"ProcessGraphMissing", 400},
               {"ProcessGraphInvalid", 400},
               {"PredefinedProcessExists", 400},
               {"ProcessGraphComplexity", 400},
               {"ProcessUnsupported", 400},
               {"ProcessParameterUnsupported", 400},
               {"ProcessParameterInvalid", 400},
               {"ProcessParameterRequired", 400},
               {"JobNotFound", 404},
               {"JobLocked", 400},
               {"JobNotFinished", 400},
               {"JobNotStarted", 400},
               {"ResultLinkExpired", 410},
               {"PaymentRequired", 402},
               {"BillingPlanInvalid", 400},
               {"BillingPlanMissing", 400},
               {"AuthenticationRequired", 401},
               {"AuthenticationSchemeInvalid", 403},
               {"TokenInvalid", 403},
               {"CredentialsInvalid", 403},
               {"PermissionsInsufficient", 403},
               {"ServiceNotFound", 404},
               {"ServiceUnsupported", 400},
               {"ServiceConfigUnsupported", 400},
               {"ServiceConfigInvalid", 400},
               {"ServiceConfigRequired", 400},
               {"DimensionNotAvailable", 400},
               {"ContentTooLarge", 413},
               {"MethodNotAllowed", 405},
               {"TooManyRequests", 429},
               {"RangeNotSatisfiable", 416},
               {"NoSuchCode", 500},
               {"", 500}};
  for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
    assert_int_equal(error_status(facts[i].code), facts[i].status);
}

static void test_error_codes(void **state)
{
  (void)state;
  for (int i = 1; i < ERROR_CODE_COUNT; i++) {
    const char *name = error_code_name((enum error_code)i);
    assert_int_equal(error_code_find(name), i);
    assert_true(strlen(name) < sizeof((struct error *)NULL)->code);
    assert_true(error_code_status((enum error_code)i) >= 400 && error_code_status((enum error_code)i) < 600);
  }
  assert_int_equal(error_code_find("Nothing"), ERROR_NONE);
}

static void test_error_texts(void **state)
{
  (void)state;
  char text[ERROR_TEXT_SIZE];
  struct error error = {0};
  error_parameter(&error, ERROR_Internal, "data", "line\none");
  error_text(&error, text);
  assert_string_equal(text, "parameter \"data\": line one");
  error_at_node(&error, "ndvi");
  error_text(&error, text);
  assert_string_equal(text, "node \"ndvi\", parameter \"data\": line one");
}

static void test_signatures(void **state)
{
  (void)state;
  unsigned char secret[32] = {1}, other[32] = {2};
  char signature[SIGNATURE_SIZE], again[SIGNATURE_SIZE];
  const struct signed_link link = {"j-1", "result.tif", "run 1", 1700000000};
  struct signed_link changed = link;
  signed_url_sign(secret, &link, signature);
  signed_url_sign(secret, &link, again);
  assert_string_equal(signature, again);
  assert_int_equal(signed_url_check(secret, &link, signature), 0);
  assert_int_equal(signed_url_is_current(secret, &link, signature), 0);
  changed.version = "run 2";
  assert_int_equal(signed_url_check(secret, &changed, signature), 0);
  assert_int_equal(signed_url_is_current(secret, &changed, signature), -1);
  changed = (struct signed_link){"j-1", "result.tif", "run 1", 1700000001};
  assert_int_equal(signed_url_check(secret, &changed, signature), -1);
  changed = (struct signed_link){"j-2", "result.tif", "run 1", 1700000000};
  assert_int_equal(signed_url_check(secret, &changed, signature), -1);
  assert_int_equal(signed_url_is_current(secret, &changed, signature), -1);
  changed = (struct signed_link){"j-1", "result.nc", "run 1", 1700000000};
  assert_int_equal(signed_url_check(secret, &changed, signature), -1);
  assert_int_equal(signed_url_check(other, &link, signature), -1);
  assert_int_equal(signed_url_check(secret, &link, ""), -1);
  for (size_t i = 0; i < strlen(signature); i++) { /* the version's letters are signed, too */
    memcpy(again, signature, sizeof again);
    again[i] = again[i] == 'A' ? 'B' : 'A';
    assert_int_equal(signed_url_check(secret, &link, again), -1);
  }
}

static void expect_item(const char **text, const char *name, const char *low, const char *high)
{
  struct subset_item item;
  assert_int_equal(subset_next(text, &item), 1);
  assert_string_equal(item.name, name);
  assert_string_equal(item.low, low);
  assert_int_equal(item.has_high, high != NULL);
  if (high != NULL)
    assert_string_equal(item.high, high);
}

static void test_subsets(void **state)
{
  static const char *const wrong[] = {"E",     "E(",     "E(1,2",   "(1)",         "E(1))", "E(1)x",
                                      "E((1)", "E(\"1)", "E(1\"2)", "E(1,2)(3,4)", "E)1("};
  const char *text = "E(1:2), N( -3.5 , * ),time(\"2018-01-01T00:00:00Z\":\"..\"),i(7)";
  struct subset_item item;
  (void)state;
  expect_item(&text, "E", "1", "2");
  expect_item(&text, "N", "-3.5", "*");
  expect_item(&text, "time", "2018-01-01T00:00:00Z", "..");
  expect_item(&text, "i", "7", NULL);
  assert_int_equal(subset_next(&text, &item), 0);
  text = "t(2018-01-01T00:00:00Z:2019-01-01T00:00:00Z),t(2018-01-01T00:00:00Z),a(\"x,(y):z\")";
  expect_item(&text, "t", "2018-01-01T00:00:00Z", "2019-01-01T00:00:00Z");
  expect_item(&text, "t", "2018-01-01T00:00:00Z", NULL);
  expect_item(&text, "a", "x,(y):z", NULL);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    int found;
    text = wrong[i];
    while ((found = subset_next(&text, &item)) > 0)
      ;
    if (found != -1)
      fail_msg("'%s' was read", wrong[i]);
  }
}

static void test_names_of_reference_systems(void **state)
{
  static const struct {
    const char *text, *code;
    bool turned;
  } known[] = {{"EPSG:3857", "EPSG:3857", false},
               {"epsg:4326", "EPSG:4326", true},
               {"urn:ogc:def:crs:EPSG::3035", "EPSG:3035", true},
               {"urn:ogc:def:crs:EPSG:9.9:32632", "EPSG:32632", false},
               {"http://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326", true},
               {"[https://www.opengis.net/def/crs/EPSG/0/3857]", "EPSG:3857", false},
               {"http://www.opengis.net/def/crs/OGC/1.3/CRS84", "EPSG:4326", false},
               {"urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", false},
               {"CRS84", "EPSG:4326", false},
               {"CRS:84", "EPSG:4326", false}};
  static const char *const unknown[] = {"",   "EPSG:",    "EPSG:x",     "EPSG:1",  "EPSG:3857x",
                                        "84", "mercator", "[EPSG:3857", "OGC:3857"};
  (void)state;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    char code[MAP_CRS_SIZE];
    bool turned;
    struct error error = {0};
    assert_int_equal(service_crs_read(known[i].text, "crs", code, &turned, &error), 0);
    assert_string_equal(code, known[i].code);
    assert_int_equal(turned, known[i].turned);
  }
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
    char code[MAP_CRS_SIZE];
    bool turned;
    struct error error = {0};
    assert_int_equal(service_crs_read(unknown[i], "crs", code, &turned, &error), -1);
    assert_string_equal(error.code, "CRSInvalid");
    assert_string_equal(error.parameter, "crs");
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_members),        cmocka_unit_test(test_what_is_json),
      cmocka_unit_test(test_elements),       cmocka_unit_test(test_members_of_cut_text),
      cmocka_unit_test(test_percent_signs),  cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_error_statuses), cmocka_unit_test(test_error_codes),
      cmocka_unit_test(test_error_texts),    cmocka_unit_test(test_signatures),
      cmocka_unit_test(test_subsets),        cmocka_unit_test(test_names_of_reference_systems),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
