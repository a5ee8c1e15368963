/* The reader of configuration files. What texts mean was told by another reader (Python's tomllib); which lines errors
 * name was counted by hand. */
#include "server/config/toml.h"

#include "datacube/base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct meaning {
  const char *text, *json;
};

static const struct meaning meanings[] = {
    {"", "{}"},
    {"# only a comment", "{}"},
    {"\n \t# one\r\n\r\n", "{}"},
    {"a = 1", "{\"a\": 1}"},
    {"a=1#x\nb = true\nc = false # y\n", "{\"a\": 1, \"b\": true, \"c\": false}"},
    {"a-b_C9 = '\\n \"raw\"'\n\"a b\" = \"x\"\n'' = ''\n",
     "{\"a-b_C9\": \"\\\\n \\\"raw\\\"\", \"a b\": \"x\", \"\": \"\"}"},
    {"1 = \"a # b\"", "{\"1\": \"a # b\"}"},
    {"s = \"\\b\\t\\n\\f\\r\\\"\\\\\"", "{\"s\": \"\\b\\t\\n\\f\\r\\\"\\\\\"}"},
    {"s = \"\\u00e9\\u20AC\\U0001F30D\xc3\xa9\"", "{\"s\": \"\\u00e9\\u20ac\\ud83c\\udf0d\\u00e9\"}"},
    {"a = +7\nb = -0\nc = 1_000_000\nd = 9223372036854775807",
     "{\"a\": 7, \"b\": 0, \"c\": 1000000, \"d\": 9223372036854775807}"},
    {"a = 1.5\nb = -2e3\nc = 6.02_2E+2_3\nd = 0.0", "{\"a\": 1.5, \"b\": -2000.0, \"c\": 6.022e23, \"d\": 0.0}"},
    {"a = []\nb = [1,\n 2, # two\n]\nc = [ [1], ['x', \"y\"] ]",
     "{\"a\": [], \"b\": [1, 2], \"c\": [[1], [\"x\", \"y\"]]}"},
    {"a = {}\nb = { x = 1, \"y\" = [{ z = 'q' }] }", "{\"a\": {}, \"b\": {\"x\": 1, \"y\": [{\"z\": \"q\"}]}}"},
    {"[a]\n[b] # c\nx = 1\n[ c . d ]\ny = 2\n[c]\nz = 3",
     "{\"a\": {}, \"b\": {\"x\": 1}, \"c\": {\"d\": {\"y\": 2}, \"z\": 3}}"},
    {"[\"a.b\"]\nx = 1\n[a.b]\nx = 2", "{\"a.b\": {\"x\": 1}, \"a\": {\"b\": {\"x\": 2}}}"},
    {"[[o]]\ni = 1\n[[o.r]]\nj = 2\n[[o.r]]\n[[o]]\n[o.t]\nk = 3\n[[o.r]]\nj = 4",
     "{\"o\": [{\"i\": 1, \"r\": [{\"j\": 2}, {}]}, {\"t\": {\"k\": 3}, \"r\": [{\"j\": 4}]}]}"},
};

static void test_meanings(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
    struct toml toml;
    struct error error = {0};
    json_t *wanted = json_loads(meanings[i].json, 0, NULL);
    assert_non_null(wanted);
    if (toml_parse("f", meanings[i].text, strlen(meanings[i].text), &toml, &error) != 0)
      fail_msg("%s: %s", meanings[i].text, error.message);
    if (!json_equal(toml.values, wanted))
      fail_msg("%s is %s", meanings[i].text, json_dumps(toml.values, 0));
    toml_free(&toml);
    json_decref(wanted);
  }
}

struct refusal {
  const char *text;
  int line;
  const char *part; /* of the message */
};

static const struct refusal refusals[] = {
    {"a", 1, "'='"},
    {"a =", 1, "value is missing"},
    {"\na = 1 2", 2, "behind the value"},
    {"a = 1\nb = 2\na = 3", 3, "given in line 1 already"},
    {"[t]\na = 1\n\n[t]", 4, "t was given in line 1 already"},
    {"[t]\n[[t]]", 2, "no array of tables"},
    {"[[t]]\n[t]", 2, "t is an array since line 1"},
    {"a = 1\n[a]", 2, "no table"},
    {"a = 1\n[a.b]", 2, "no table"},
    {"a = [{}]\n[[a]]", 2, "no array of tables"},
    {"a = {}\n[a.b]", 2, "no table"},
    {"a = {b = 1, b = 2}", 1, "a.b was given in line 1 already"},
    {"a.b = 1", 1, "dots"},
    {"a = \"\"\"x\"\"\"", 1, "several lines"},
    {"a = \"x\ny\"", 1, "does not end"},
    {"a = 'x", 1, "does not end"},
    {"a = \"\\x41\"", 1, "backslash"},
    {"a = \"\\u0000\"", 1, "no character"},
    {"a = \"\\ud800\"", 1, "no character"},
    {"a = \"\\u12", 1, "backslash"},
    {"a = yes", 1, "not 'yes'"},
    {"a = 01", 1, "not '01'"},
    {"a = 1__0", 1, "not '1__0'"},
    {"a = 1.", 1, "not '1.'"},
    {"a = .5", 1, "not '.5'"},
    {"a = 0x10", 1, "not '0x10'"},
    {"a = 2024-01-01", 1, "not '2024-01-01'"},
    {"a = 9223372036854775808", 1, "not '9223372036854775808'"},
    {"a = 1e999", 1, "not '1e999'"},
    {"a = inf", 1, "not 'inf'"},
    {"a = [1,\n2\n", 3, "array goes on"},
    {"a = [1\n 2]", 2, "array goes on"},
    {"a = {b = 1\n}", 1, "inline table"},
    {"[a", 1, "']'"},
    {"[[a]", 1, "']]'"},
    {"[]", 1, "wants a name"},
    {"[a.]", 1, "wants a name"},
    {"= 1", 1, "KEY = VALUE"},
    {"x = 1\n\ny = \"\xff\"", 3, "UTF-8"},
    {"x = 1 # \x01", 1, "control character"},
    {"x = 1\ry = 2", 1, "control character"},
};

static void test_refusals(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
    struct toml toml;
    struct error error = {0};
    char head[32];
    snprintf(head, sizeof head, "f:%d: ", refusals[i].line);
    assert_int_equal(toml_parse("f", refusals[i].text, strlen(refusals[i].text), &toml, &error), -1);
    if (strncmp(error.message, head, strlen(head)) != 0 || strstr(error.message, refusals[i].part) == NULL)
      fail_msg("%s: %s", refusals[i].text, error.message);
  }
}

static void test_depth_is_bounded(void **state)
{
  (void)state;
  static const char *const openers[] = {"[", "{a=", "[{a="};
  for (size_t i = 0; i < 3; i++) {
    struct buffer text = {0};
    struct toml toml;
    struct error error = {0};
    buffer_text(&text, "a = ");
    for (int depth = 0; depth < 100000; depth++)
      buffer_text(&text, openers[i]);
    assert_int_equal(toml_parse("f", text.data, text.length, &toml, &error), -1);
    assert_non_null(strstr(error.message, "in each other"));
    buffer_free(&text);
  }
}

static void test_lines_of_places(void **state)
{
  static const char text[] = "a = 1\n[[o]]\nid = 'x'\n\n[[o.rules]]\nroles = [\n 'u',\n 'v']\n[[o]]\n'x y' = 2\n";
  static const struct {
    const char *place;
    int line;
  } wanted[] = {{"a", 1},
                {"o", 2},
                {"o[0]", 2},
                {"o[0].id", 3},
                {"o[0].rules[0].roles", 6},
                {"o[0].rules[0].roles[1]", 8},
                {"o[0].rules[0].none", 5},
                {"o[1].\"x y\"", 10},
                {"o[1].none.at.all", 9},
                {"o[7]", 2},
                {"none", 1},
                {"", 1}};
  struct toml toml;
  struct error error = {0};
  (void)state;
  assert_int_equal(toml_parse("f", text, sizeof text - 1, &toml, &error), 0);
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
    if (toml_line(&toml, wanted[i].place) != wanted[i].line)
      fail_msg("%s: line %d, not %d", wanted[i].place, toml_line(&toml, wanted[i].place), wanted[i].line);
  toml_free(&toml);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_meanings), cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_depth_is_bounded), cmocka_unit_test(test_lines_of_places)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
