/* CQL2: what filters say of one item, as the standard words it; what is printed; what is refused, and where. */
#include "datacube/gdal_init.h"
#include "stac/cql2/cql2.h"
#include "stac/cql2/like_match.h"
#include "stac/cql2/text_fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char item_text[] =
    "{\"type\": \"Feature\", \"id\": \"scene-1\", \"collection\": \"s2\", \"bbox\": [10, 50, 12, 52],"
    " \"geometry\": {\"type\": \"Polygon\","
    "  \"coordinates\": [[[10, 50], [12, 50], [12, 52], [10, 52], [10, 50]]]},"
    " \"properties\": {\"datetime\": \"2020-06-15T10:30:00Z\", \"eo:cloud_cover\": 12.5, \"n\": 7, \"zero\": 0,"
    "  \"name\": \"Citt\\u00e0 di Castello\", \"none\": null, \"yes\": true, \"no\": false,"
    "  \"instruments\": [\"msi\", \"oli\"], \"numbers\": [1, 2, 3], \"day\": \"2020-06-15\","
    "  \"updated\": \"2021-01-01T00:00:00+01:00\", \"a-b\": 3, \"quote's\": \"it's\", \"object\": {\"x\": 1},"
    "  \"empty\": [], \"start\": \"2020-01-01T00:00:00Z\", \"end\": \"2020-12-31T00:00:00Z\"}}";

static json_t *item;

static int set_up(void **state)
{
  (void)state;
  gdal_init();
  item = json_loads(item_text, 0, NULL);
  return item ? 0 : -1;
}

static int tear_down(void **state)
{
  (void)state;
  json_decref(item);
  return 0;
}

static char truth_of(const struct cql2_filter *filter)
{
  struct error error = {0};
  enum cql2_truth truth = CQL2_UNKNOWN;
  struct cql2_tester *tester = cql2_tester_new(filter, &error);
  assert_non_null(tester);
  assert_int_equal(cql2_test(tester, item, &truth, &error), 0);
  cql2_tester_free(tester);
  return "ft?"[truth];
}

static const struct cql2_filter *read_text(struct arena *arena, const char *text)
{
  struct error error = {0};
  const struct cql2_filter *filter = NULL;
  if (cql2_of_text(arena, text, strlen(text), &filter, &error) != 0)
    fail_msg("%s\n%s", text, error.message);
  return filter;
}

/* As text, and as JSON and text again. */
static void check(const char *text, char expected)
{
  struct arena *arena = arena_new(0);
  struct error error = {0};
  struct buffer json = {0}, again = {0};
  const struct cql2_filter *filter = read_text(arena, text), *second;
  if (truth_of(filter) != expected)
    fail_msg("%s: %c", text, truth_of(filter));
  cql2_write_json(filter, &(struct json_writer){.out = &json});
  if (cql2_of_json_text(arena, json.data, json.length, &second, &error) != 0)
    fail_msg("%s\n%s", json.data, error.message);
  assert_int_equal(truth_of(second), expected);
  cql2_write_text(second, &again);
  assert_int_equal(truth_of(read_text(arena, again.data)), expected);
  buffer_free(&json);
  buffer_free(&again);
  arena_free(arena);
}

struct truth_case {
  const char *text;
  char truth; /* t, f, ? */
};

static void check_all(const struct truth_case *cases, size_t count)
{
  for (size_t i = 0; i < count; i++)
    check(cases[i].text, cases[i].truth);
}
#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof *(cases))

static void test_comparisons(void **state)
{
  (void)state;
  static const struct truth_case cases[] = {
      {"n = 7", 't'},
      {"n <> 7", 'f'},
      {"7 = n", 't'},
      {"eo:cloud_cover < 12.6", 't'},
      {"eo:cloud_cover >= 12.5", 't'},
      {"properties.eo:cloud_cover > 1.25e1", 'f'},
      {"\"a-b\" = 3", 't'},
      {"id = 'scene-1'", 't'},
      {"collection = 's2' AND n=7", 't'},
      {"\"quote's\" = 'it''s'", 't'},
      {"\"quote's\" = 'it\\'s'", 't'},
      {"yes = TRUE", 't'},
      {"yes = false", 'f'},
      {"no", 'f'},
      {"TRUE", 't'},
      {"none = 1", '?'},
      {"absent = 'x'", '?'},
      {"NOT absent = 'x'", '?'},
      {"absent = 'x' OR n = 7", 't'},
      {"absent = 'x' AND n = 8", 'f'},
      {"n = '7'", '?'}, /* of another type */
      {"object = 'x'", '?'},
      {"n < eo:cloud_cover", 't'},
      {"none IS NULL", 't'},
      {"absent is null", 't'},
      {"n IS NOT NULL", 't'},
      {"object IS NULL", 'f'},
      {"geometry IS NULL", 'f'},
      {"NOT (n = 7 AND yes = TRUE)", 'f'},
      {"NOT n = 8 AND NOT n = 9", 't'},
      {"n = 8 OR n = 7 AND yes = FALSE OR id = 'x'", 'f'},
      {"(n = 8 OR n = 7) AND yes = TRUE", 't'},
  };
  CHECK_ALL(cases);
}

static void test_advanced_comparisons(void **state)
{
  (void)state;
  static const struct truth_case cases[] = {
      {"id LIKE 'scene%'", 't'},
      {"id LIKE 'scene__'", 't'},
      {"id LIKE 'scene_'", 'f'},
      {"id NOT LIKE '%-2'", 't'},
      {"id LIKE '%e%e%1'", 't'},
      {"name LIKE 'Citt_ %'", 't'}, /* one character, two bytes */
      {"n LIKE '7'", '?'},
      {"id LIKE 'scene\\_1'", 'f'},
      {"n BETWEEN 7 AND 8", 't'},
      {"n NOT BETWEEN 7 AND 8", 'f'},
      {"n BETWEEN absent AND 6", 'f'}, /* whatever the first is */
      {"n BETWEEN absent AND 8", '?'},
      {"n + 1 BETWEEN n AND n * 2", 't'},
      {"n IN (1, 7)", 't'},
      {"n IN (1, 8)", 'f'},
      {"n IN (7)", 't'},
      {"n IN ()", 'f'},
      {"n NOT IN (1, 8)", 't'},
      {"n IN (1, absent)", '?'},
      {"id IN ('a', 'scene-1')", 't'},
      {"CASEI(id) = CASEI('SCENE-1')", 't'},
      {"CASEI(id) IN (CASEI('SCENE-1'), CASEI('x'))", 't'},
      {"casei(name) like casei('CITTÀ%')", 't'},
      {"ACCENTI(name) = ACCENTI('Citta di Castello')", 't'},
      {"ACCENTI(CASEI(name)) LIKE accenti(casei('CITTA%'))", 't'},
      {"CASEI(n) = CASEI('7')", '?'},
  };
  CHECK_ALL(cases);
}

static void test_arithmetic(void **state)
{
  (void)state;
  static const struct truth_case cases[] = {
      {"n + 1 = 8", 't'},    {"n - 1 - 1 = 5", 't'},  {"2 + n * 3 = 23", 't'}, {"(2 + n) * 3 = 27", 't'},
      {"n / 2 = 3.5", 't'},  {"n div 2 = 3", 't'},    {"-n div 2 = -3", 't'},  {"n % 4 = 3", 't'},
      {"-n % 4 = -3", 't'},  {"2 ^ 3 = 8", 't'},      {"-2 ^ 2 = 4", 't'},     {"n / zero > 0", '?'},
      {"n % zero = 0", '?'}, {"n + absent = 8", '?'}, {"name + 1 = 1", '?'},
  };
  CHECK_ALL(cases);
}

static void test_times(void **state)
{
  (void)state;
  static const struct truth_case cases[] = {
      {"datetime = TIMESTAMP('2020-06-15T10:30:00Z')", 't'},
      {"datetime = TIMESTAMP('2020-06-15T12:30:00+02:00')", 't'},
      {"datetime > DATE('2020-06-15')", 't'},
      {"datetime < DATE('2020-06-16')", 't'},
      {"datetime BETWEEN DATE('2020-06-01') AND DATE('2020-07-01')", 't'},
      {"updated = TIMESTAMP('2020-12-31T23:00:00Z')", 't'},
      {"name = DATE('2020-01-01')", '?'},
      {"T_AFTER(datetime, DATE('2020-06-14'))", 't'},
      {"T_AFTER(datetime, DATE('2020-06-15'))", 'f'},
      {"T_BEFORE(datetime, TIMESTAMP('2020-06-15T10:30:00.001Z'))", 't'},
      {"T_DURING(datetime, INTERVAL('2020-06-01', '2020-06-30'))", 't'},
      {"T_DURING(datetime, INTERVAL('..', '2020-06-15'))", 't'},
      {"T_DURING(datetime, INTERVAL('2020-06-16', '..'))", 'f'},
      {"T_DURING(datetime, INTERVAL(\"start\", \"end\"))", 't'},
      {"T_INTERSECTS(datetime, INTERVAL('2020-06-15T10:30:00Z', '..'))", 't'},
      {"T_INTERSECTS(datetime, INTERVAL('..', '..'))", 't'},
      {"T_DISJOINT(datetime, INTERVAL('2020-06-15T10:30:01Z', '..'))", 't'},
      {"T_EQUALS(day, DATE('2020-06-15'))", 't'},
      {"T_EQUALS(datetime, DATE('2020-06-15'))", 'f'},
      {"T_CONTAINS(DATE('2020-06-15'), datetime)", 't'},
      {"T_MEETS(INTERVAL('2020-01-01T00:00:00Z', '2020-06-15T10:30:00Z'), datetime)", 't'},
      {"T_METBY(datetime, INTERVAL('2020-01-01T00:00:00Z', '2020-06-15T10:30:00Z'))", 't'},
      {"T_STARTS(INTERVAL(\"start\", datetime), INTERVAL(\"start\", \"end\"))", 't'},
      {"T_STARTEDBY(INTERVAL(\"start\", \"end\"), INTERVAL(\"start\", datetime))", 't'},
      {"T_FINISHES(INTERVAL(datetime, \"end\"), INTERVAL(\"start\", \"end\"))", 't'},
      {"T_FINISHEDBY(INTERVAL(\"start\", \"end\"), INTERVAL(datetime, \"end\"))", 't'},
      {"T_OVERLAPS(INTERVAL(\"start\", '2020-07-01'), INTERVAL('2020-06-01', \"end\"))", 't'},
      {"T_OVERLAPPEDBY(INTERVAL('2020-06-01', \"end\"), INTERVAL(\"start\", '2020-07-01'))", 't'},
      {"T_INTERSECTS(absent, DATE('2020-06-15'))", '?'},
      {"T_INTERSECTS(INTERVAL(\"start\", absent), DATE('2020-06-15'))", '?'},
  };
  CHECK_ALL(cases);
}

static void test_shapes(void **state)
{
  (void)state;
  static const struct truth_case cases[] = {
      {"S_INTERSECTS(geometry, POINT(11 51))", 't'},
      {"S_INTERSECTS(POINT(11 53), geometry)", 'f'},
      {"S_INTERSECTS(geometry, BBOX(9, 49, 10, 50))", 't'},
      {"S_INTERSECTS(geometry, BBOX(170, 49, -170, 53))", 'f'},
      {"S_INTERSECTS(geometry, BBOX(11, 51, 0, 11, 51, 100))", 't'},
      {"S_DISJOINT(geometry, BBOX(20, 49, 30, 60))", 't'},
      {"S_CONTAINS(geometry, POINT(11 51))", 't'},
      {"S_CONTAINS(POINT(11 51), geometry)", 'f'},
      {"S_WITHIN(POINT(11 51), geometry)", 't'},
      {"S_WITHIN(geometry, POLYGON((0 40, 20 40, 20 60, 0 60, 0 40)))", 't'},
      {"S_WITHIN(geometry, POLYGON((0 40,20 40,20 60,0 60,0 40), (10.5 50.5,11 50.5,11 51,10.5 50.5)))", 'f'},
      {"S_TOUCHES(geometry, LINESTRING(12 50, 13 50))", 't'},
      {"S_CROSSES(geometry, LINESTRING(9 51, 13 51))", 't'},
      {"S_CROSSES(LINESTRING(9 51, 13 51), geometry)", 't'},
      {"S_OVERLAPS(geometry, BBOX(11, 51, 13, 53))", 't'},
      {"S_EQUALS(geometry, POLYGON((12 52, 10 52, 10 50, 12 50, 12 52)))", 't'},
      {"S_EQUALS(geometry, BBOX(10, 50, 12, 52))", 't'},
      {"S_INTERSECTS(geometry, MULTIPOINT((0 0), (11 51)))", 't'},
      {"S_INTERSECTS(geometry, MULTIPOINT(0 0, 1 1))", 'f'},
      {"S_INTERSECTS(geometry, MULTILINESTRING((0 0, 1 1), (0 51, 11 51)))", 't'},
      {"S_INTERSECTS(geometry, MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), ((11 51, 12 51, 12 52, 11 51))))", 't'},
      {"S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(0 0), LINESTRING(11 51, 0 0)))", 't'},
      {"S_INTERSECTS(geometry, POINT Z (11 51 300))", 't'},
      {"S_INTERSECTS(geometry, geometry)", 't'},
      {"S_INTERSECTS(absent, POINT(11 51))", '?'},
      {"S_INTERSECTS(name, POINT(11 51))", '?'},
      {"S_INTERSECTS(geometry, POINT EMPTY)", '?'},
  };
  CHECK_ALL(cases);
}

static void test_arrays(void **state)
{
  (void)state;
  static const struct truth_case cases[] = {
      {"A_CONTAINS(instruments, ('msi'))", 't'},
      {"A_CONTAINS(instruments, ('msi', 'x'))", 'f'},
      {"A_EQUALS(instruments, ('oli', 'msi', 'msi'))", 't'},
      {"A_CONTAINEDBY(instruments, ('a', 'msi', 'oli'))", 't'},
      {"A_OVERLAPS(numbers, (3, 4))", 't'},
      {"A_OVERLAPS(numbers, ('3', '4'))", 'f'},
      {"A_OVERLAPS((n, 8), (7, 9))", 't'},
      {"A_CONTAINS(numbers, (n - 4, 2 * 1))", 't'},
      {"A_EQUALS(empty, ())", 't'},
      {"A_CONTAINS(numbers, ())", 't'},
      {"A_EQUALS(absent, ())", '?'},
      {"A_OVERLAPS(name, ('a'))", '?'},
      {"A_CONTAINS((day), (DATE('2020-06-15')))", 't'},
  };
  CHECK_ALL(cases);
}

static void test_forms(void **state)
{
  (void)state;
  static const char *const cases[][3] = {
      /* text, JSON, text again */
      {"a = 1 and b like 'x%' or not c is null",
       "{\"op\":\"or\",\"args\":[{\"op\":\"and\",\"args\":[{\"op\":\"=\",\"args\":[{\"property\":\"a\"},1]},"
       "{\"op\":\"like\",\"args\":[{\"property\":\"b\"},\"x%\"]}]},"
       "{\"op\":\"not\",\"args\":[{\"op\":\"isNull\",\"args\":[{\"property\":\"c\"}]}]}]}",
       "((\"a\" = 1) AND (\"b\" LIKE 'x%')) OR (NOT (\"c\" IS NULL))"},
      {"t_during(datetime, interval('2020-01-01','..'))",
       "{\"op\":\"t_during\",\"args\":[{\"property\":\"datetime\"},{\"interval\":[\"2020-01-01\",\"..\"]}]}",
       "T_DURING(\"datetime\", INTERVAL('2020-01-01', '..'))"},
      {"s_within(geometry,polygon((0 0,1 0,1 1,0 0)))",
       "{\"op\":\"s_within\",\"args\":[{\"property\":\"geometry\"},"
       "{\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]],\"type\":\"Polygon\"}]}",
       "S_WITHIN(\"geometry\", POLYGON((0 0, 1 0, 1 1, 0 0)))"},
      {"a in (date('2020-02-29'), date('2021-01-01')) and casei(b) = 'x'",
       "{\"op\":\"and\",\"args\":[{\"op\":\"in\",\"args\":[{\"property\":\"a\"},"
       "[{\"date\":\"2020-02-29\"},{\"date\":\"2021-01-01\"}]]},"
       "{\"op\":\"=\",\"args\":[{\"op\":\"casei\",\"args\":[{\"property\":\"b\"}]},\"x\"]}]}",
       "(\"a\" IN (DATE('2020-02-29'), DATE('2021-01-01'))) AND (CASEI(\"b\") = 'x')"},
      {"a - 2 ^ 3 div -b < 1e300",
       "{\"op\":\"<\",\"args\":[{\"op\":\"-\",\"args\":[{\"property\":\"a\"},{\"op\":\"div\",\"args\":["
       "{\"op\":\"^\",\"args\":[2,3]},{\"op\":\"*\",\"args\":[-1,{\"property\":\"b\"}]}]}]},1e300]}",
       "(\"a\" - ((2 ^ 3) div (-1 * \"b\"))) < 1e+300"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct arena *arena = arena_new(0);
    struct buffer json = {0}, text = {0};
    const struct cql2_filter *filter = read_text(arena, cases[i][0]);
    cql2_write_json(filter, &(struct json_writer){.out = &json});
    cql2_write_text(filter, &text);
    json_t *made = json_loads(json.data, 0, NULL), *wanted = json_loads(cases[i][1], 0, NULL);
    if (!json_equal(made, wanted))
      fail_msg("%s", json.data);
    assert_string_equal(text.data, cases[i][2]);
    json_decref(made);
    json_decref(wanted);
    buffer_free(&json);
    buffer_free(&text);
    arena_free(arena);
  }
}

static void expect_error(bool is_json, const char *text, size_t length, const char *needle)
{
  struct arena *arena = arena_new(64 << 20);
  struct error error = {0};
  const struct cql2_filter *filter = NULL;
  const int status = is_json ? cql2_of_json_text(arena, text, length, &filter, &error)
                             : cql2_of_text(arena, text, length, &filter, &error);
  if (status == 0 || !error_is(&error, ERROR_FilterInvalid) || !strstr(error.message, needle))
    fail_msg("%.80s: %s %s", text, error.code, error.message);
  assert_string_equal(error.parameter, "filter");
  arena_free(arena);
}

static void test_errors_of_text(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"", "at character 1: the filter ends"},
      {"a =", "at character 4: the filter ends"},
      {"a = 1 b", "at character 7: the filter goes on"},
      {"a = 'x", "at character 5: the quote is not closed"},
      {"é = 1 AND AND", "at character 11: an operand is expected"},
      {"a ! 1", "at character 3: a character that has no meaning"},
      {"a = 1..2", "this is no number"},
      {"a = 1x", "this is no number"},
      {"a = 1e999", "the number is too large"},
      {"a + 1", "a filter says true or false, and this is a number"},
      {"a AND 1", "operand 2 of 'and' is a number, and must be true or false"},
      {"a = 1 = 2", "goes on"},
      {"'a' + 1 = 2", "operand 1 of '+' is a text, and must be a number"},
      {"'a' = 2", "'=' compares a text with a number"},
      {"a IN (1, 'b')", "'in' compares a number with a text"},
      {"a LIKE b", "the pattern of 'like' is a literal text"},
      {"a LIKE 1", "must be a text"},
      {"a IN 1", "'(' is expected"},
      {"a BETWEEN 1", "'between' wants 'and'"},
      {"a IS 1", "'is' wants"},
      {"a NOT 1", "'not' wants"},
      {"foo(a) = 1", "there is no function 'foo'"},
      {"S_INTERSECTS(geometry)", "'s_intersects' has 1 operands, and takes 2"},
      {"S_INTERSECTS(geometry, 1)", "must be a geometry"},
      {"S_INTERSECTS(geometry, POINT(1))", "a position has two numbers or three"},
      {"S_INTERSECTS(geometry, LINESTRING(1 1))", "a line has two or more"},
      {"S_INTERSECTS(geometry, BBOX(1, 2, 3))", "a box has 4 or 6 numbers"},
      {"S_INTERSECTS(geometry, BBOX(1, 2, 3, 1))", "the box ends before it starts"},
      {"datetime > DATE('2020-02-30')", "is no date"},
      {"datetime > DATE('2020-02-20T00:00:00Z')", "is no date"},
      {"datetime > TIMESTAMP('2020-02-20')", "is no timestamp"},
      {"T_AFTER(datetime, INTERVAL('2021-01-01', '2020-01-01'))", "the interval ends before it starts"},
      {"A_CONTAINS(a, 1)", "must be an array"},
      {"\"\" = 1", "the name of a property"},
      {"a = \xff", "no UTF-8"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (cases[i][1][0])
      expect_error(false, cases[i][0], strlen(cases[i][0]), cases[i][1]);
  expect_error(false, "a = 1\0", 6, "no UTF-8");
}

/* Bounds as drafts of the standard have them: written as the standard does. */
static void test_between_of_drafts(void **state)
{
  (void)state;
  static const char draft[] = "{\"op\":\"between\",\"args\":[{\"property\":\"n\"},[6,8]]}";
  struct arena *arena = arena_new(0);
  struct error error = {0};
  const struct cql2_filter *filter;
  struct buffer text = {0};
  assert_int_equal(cql2_of_json_text(arena, draft, sizeof draft - 1, &filter, &error), 0);
  assert_int_equal(truth_of(filter), 't');
  cql2_write_text(filter, &text);
  assert_string_equal(text.data, "\"n\" BETWEEN 6 AND 8");
  buffer_free(&text);
  arena_free(arena);
}

static void test_errors_of_json(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"{", "at character 1: this is no JSON"},
      {"[]", "a filter says true or false, and this is an array"},
      {"null", "null is no operand"},
      {"{}", "an object has 'op'"},
      {"{\"op\": \"xor\", \"args\": []}", "there is no operation 'xor'"},
      {"{\"op\": \"=\"}", "an operation has 'args'"},
      {"{\"op\": \"and\", \"args\": [true, {\"op\": \"=\", \"args\": [1, null]}]}", "args[1].args[1]: null"},
      {"{\"op\": \"in\", \"args\": [{\"property\": \"a\"}, {\"property\": \"b\"}]}", "'in' takes a list"},
      {"{\"op\": \"s_intersects\", \"args\": [{\"property\": \"geometry\"}, {\"type\": \"Circle\"}]}",
       "args[1]: this is no GeoJSON geometry"},
      {"{\"op\": \"t_after\", \"args\": [{\"property\": \"a\"}, {\"interval\": [\"..\"]}]}", "two ends"},
      {"{\"op\": \"t_after\", \"args\": [{\"property\": \"a\"}, {\"date\": \"x\"}]}", "args[1]: 'x' is no date"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    expect_error(true, cases[i][0], strlen(cases[i][0]), cases[i][1]);
}

/* The same piece many times over, with something in the middle. */
static char *repeated(const char *before, const char *middle, const char *after, size_t times)
{
  struct buffer text = {0};
  for (size_t i = 0; i < times; i++)
    buffer_text(&text, before);
  buffer_text(&text, middle);
  for (size_t i = 0; i < times; i++)
    buffer_text(&text, after);
  assert_false(text.failed);
  return text.data;
}

static void test_depths(void **state)
{
  (void)state;
  static const char *const cases[][4] = {
      {"(", "a = 1", ")", "nested too deeply"},
      {"NOT ", "a = 1", "", "nested too deeply"},
      {"NOT (", "a = 1", ")", "nested too deeply"},
      {"CASEI(", "a", ") = 'x'", "nested too deeply"},
      {"", "a", " + 1", "nested too deeply"},
      {"-", "a = 1", "", "an operand is expected"},
      {"S_INTERSECTS(geometry, GEOMETRYCOLLECTION(", "POINT(1 1)", ")", ""},
      {"GEOMETRYCOLLECTION(", "POINT(1 1)", ")", "nested too deeply"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = repeated(cases[i][0], cases[i][1], cases[i][2], 10000);
    expect_error(false, text, strlen(text), cases[i][3]);
    free(text);
  }
  for (size_t times = 1000; times <= 10000; times += 9000) { /* the second is too deep for the reader of JSON */
    char *text = repeated("{\"op\":\"not\",\"args\":[", "true", "]}", times);
    expect_error(true, text, strlen(text), times == 1000 ? "nested too deeply" : "this is no JSON");
    free(text);
  }
  char *text = repeated("a = 1 OR ", "TRUE", "", 3000); /* long is not deep */
  check(text, 't');
  free(text);
  text = repeated("a = 1 OR ", "TRUE", "", 30000);
  expect_error(false, text, strlen(text), "more than 20000 parts");
  free(text);
  text = repeated("%a", "", "", 200);
  struct buffer like = {0};
  buffer_printf(&like, "a LIKE '%s'", text);
  expect_error(false, like.data, like.length, "at most 250 characters");
  buffer_free(&like);
  free(text);
  text = repeated("'x", "", "", 600000);
  expect_error(false, text, strlen(text), "at most 1048576 bytes");
  free(text);
}

/* Patterns that take exponential time where every % is tried anew. */
static void test_patterns(void **state)
{
  (void)state;
  char *text = repeated("a", "b", "", 1000000), *pattern = repeated("%a", "c", "", 124);
  assert_false(like_matches(text, pattern));
  free(text);
  free(pattern);
  assert_true(like_matches("", ""));
  assert_true(like_matches("", "%%"));
  assert_false(like_matches("", "_"));
  assert_true(like_matches("50%", "50\\%"));
  assert_false(like_matches("500", "50\\%"));
  assert_true(like_matches("a\\", "a\\"));
  assert_true(like_matches("abcbc", "a%bc"));
  assert_true(like_matches("ÄÖ", "_Ö"));
  assert_true(like_matches("mississippi", "m%iss%pi"));
  assert_false(like_matches("mississippi", "m%iss%pp"));
}

static void test_folds(void **state)
{
  (void)state;
  static const char *const cases[][3] = {
      {"Straße", "strasse", "Straße"},
      {"ÀÉÎõü", "àéîõü", "AEIou"},
      {"ΆΣς", "άσσ", "ΑΣς"},
      {"Ёлка Й", "ёлка й", "Елка И"},
      {"e\xCC\x81", "e\xCC\x81", "e"}, /* e and a combining acute */
      {"Łódź", "łódź", "Łodz"},
      {"Ǆ ĀāĂ", "ǆ āāă", "Ǆ AaA"},
      {"plain", "plain", "plain"},
      {"\xff"
       "A",
       "\xff"
       "a",
       "\xff"
       "A"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct arena *arena = arena_new(0);
    assert_string_equal(text_fold_case(arena, cases[i][0]), cases[i][1]);
    assert_string_equal(text_fold_accents(arena, cases[i][0]), cases[i][2]);
    arena_free(arena);
  }
}

static void test_joining(void **state)
{
  (void)state;
  struct arena *arena = arena_new(0);
  struct error error = {0};
  const struct cql2_filter *both;
  size_t count;
  const struct cql2_filter *a = read_text(arena, "S_INTERSECTS(geometry, POINT(11 51))");
  const struct cql2_filter *b = read_text(arena, "S_INTERSECTS(geometry, POINT(0 0)) AND n = 7");
  assert_int_equal(cql2_both(arena, a, b, &both, &error), 0);
  assert_int_equal(truth_of(a), 't');
  assert_int_equal(truth_of(both), 'f'); /* each has its own geometry */
  const char *const *names = cql2_properties(both, &count);
  assert_int_equal(count, 2);
  assert_string_equal(names[0], "geometry");
  assert_string_equal(names[1], "n");
  arena_free(arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_comparisons),
      cmocka_unit_test(test_advanced_comparisons),
      cmocka_unit_test(test_arithmetic),
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_arrays),
      cmocka_unit_test(test_forms),
      cmocka_unit_test(test_errors_of_text),
      cmocka_unit_test(test_between_of_drafts),
      cmocka_unit_test(test_errors_of_json),
      cmocka_unit_test(test_depths),
      cmocka_unit_test(test_patterns),
      cmocka_unit_test(test_folds),
      cmocka_unit_test(test_joining),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
