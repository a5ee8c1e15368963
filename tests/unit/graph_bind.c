/* Graphs that cannot be: each gives one clear error that names the node and the parameter. And the tokens, duplicate
 * keys, defaults and nested callbacks that can. */
#include "graph_fixture.h"

#define ADD(x, y) "{\"process_id\":\"add\",\"arguments\":{\"x\":" x ",\"y\":" y "}"

static void one_result(void **state)
{
  (void)state;
  expect_json("{\"a\":" ADD("1", "2") "}}", "3"); /* a single node needs no mark */
  expect_json("{\"a\":" ADD("1", "2") "},\"b\":" ADD("{\"from_node\":\"a\"}", "1") ",\"result\":true}}", "4");
  expect_json("{\"b\":" ADD("{\"from_node\":\"a\"}", "1") "},\"a\":" ADD("1", "2") ",\"result\":true}}", "3");
  expect_error("{\"a\":" ADD("1", "2") "},\"b\":" ADD("1", "2") "}}", "ProcessGraphInvalid", "result", NULL);
  expect_error("{\"a\":" ADD("1", "2") ",\"result\":true},\"b\":" ADD("1", "2") ",\"result\":true}}",
               "ProcessGraphInvalid", "'a' and 'b'", NULL);
}

static void no_cycles(void **state)
{
  (void)state;
  expect_error("{\"a\":" ADD("{\"from_node\":\"a\"}", "2") ",\"result\":true}}", "ProcessGraphInvalid", "cycle", NULL);
  expect_error("{\"a\":" ADD("{\"from_node\":\"b\"}", "2") "},\"b\":" ADD("1", "{\"from_node\":\"c\"}") "},\"c\":" ADD(
                   "{\"from_node\":\"a\"}", "1") ",\"result\":true}}",
               "ProcessGraphInvalid", "cycle", NULL);
  expect_error("{\"a\":" ADD("1", "2") ",\"result\":true},\"b\":" ADD("[{\"from_node\":\"b\"}]", "1") "}}",
               "ProcessGraphInvalid", "cycle", NULL);
}

static void no_unknown_names(void **state)
{
  struct lowered l = lower_text("{\"n1\":{\"process_id\":\"plus\",\"arguments\":{},\"result\":true}}");
  (void)state;
  assert_string_equal(l.error.code, "ProcessUnsupported");
  assert_string_equal(l.error.node, "n1");
  arena_free(l.arena);
  expect_error("{\"a\":" ADD("{\"from_node\":\"z\"}", "2") ",\"result\":true}}", "ProcessGraphInvalid", "'z'", NULL);
  expect_error("{\"a\":" ADD("{\"from_parameter\":\"z\"}", "2") ",\"result\":true}}", "ProcessParameterMissing", "'z'",
               NULL);
  expect_error("{\"a\":{\"process_id\":\"add\",\"arguments\":{\"x\":1,\"y\":2,\"z\":3},\"result\":true}}",
               "ProcessParameterUnsupported", "'z'", "z");
  expect_error("{\"a\":{\"process_id\":\"add\",\"arguments\":{\"x\":1},\"result\":true}}", "ProcessParameterRequired",
               "'y'", "y");
  expect_error("{\"a\":{\"process_id\":\"add\",\"namespace\":\"mine\",\"arguments\":{\"x\":1,\"y\":1}}}",
               "ProcessUnsupported", "mine", NULL);
}

static void arguments_have_the_types_of_the_spec(void **state)
{
  static const struct {
    const char *process, *arguments, *parameter, *part;
  } cases[] = {
      {"add", "{\"x\":\"1\",\"y\":2}", "x", "number"},
      {"add", "{\"x\":1,\"y\":[2]}", "y", "number"},
      {"sum", "{\"data\":1}", "data", "array"},
      {"mean", "{\"data\":[1],\"ignore_nodata\":\"yes\"}", "ignore_nodata", "boolean"},
      {"array_element", "{\"data\":[1],\"index\":0.5}", "index", "integer"},
      {"text_concat", "{\"data\":[\"a\"],\"separator\":[1]}", "separator", NULL},
      {"apply",
       "{\"data\":{\"type\":\"raster\"},\"process\":{\"process_graph\":{\"a\":{\"process_id\":\"pi\",\"arguments\":{}}}"
       "}}",
       "data", "datacube"},
      {"reduce_dimension",
       "{\"data\":{\"type\":\"datacube\",\"dimensions\":[],\"data\":1},\"dimension\":\"t\",\"reducer\":\"mean\"}",
       "reducer", "process-graph"},
      {"sort", "{\"data\":[1],\"asc\":null,\"nodata\":5}", "nodata", "boolean"},
      {"mean", "{\"data\":[1,null,\"a\"]}", "data", "data[2] is the string 'a'; expected number or null"},
      {"min", "{\"data\":[1,[2,3]]}", "data", "data[1] is an array of 2 elements; expected number or null"},
      {"sum", "{\"data\":true}", "data", "data is true; expected array of number or null"},
      {"add", "{\"x\":{\"a\":1},\"y\":2}", "x", "x is an object with 1 member; expected number or null"},
      {"date_shift", "{\"date\":\"2020-01-01\",\"value\":1,\"unit\":\"eon\"}", "unit",
       "unit is the string 'eon'; expected string out of millisecond, second"},
      {"filter_bbox", "{\"data\":{\"type\":\"datacube\",\"dimensions\":[],\"data\":1},\"extent\":{\"west\":1}}",
       "extent", "extent is an object with 1 member; the member "},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct buffer text = {0};
    buffer_printf(&text, "{\"n\":{\"process_id\":\"%s\",\"arguments\":%s,\"result\":true}}", cases[i].process,
                  cases[i].arguments);
    expect_error(text.data, "ProcessParameterInvalid", cases[i].part, cases[i].parameter);
    buffer_free(&text);
  }
}

static void quoted_values_stay_utf8(void **state)
{
  struct lowered l =
      lower_text("{\"n\":" ADD("\"1234567890123456789012345678901234567890123456789012345678\xF0\x9F\x9B\xB0"
                               "\xF0\x9F\x9B\xB0\"",
                               "1") "}}");
  (void)state;
  assert_non_null(strstr(l.error.message, "12345678…'"));
  arena_free(l.arena);
}

static void shapes_of_requests(void **state)
{
  (void)state;
  expect_json("{\"process_graph\":{\"a\":" ADD("1", "2") "}}}", "3");
  expect_json("{\"title\":\"x\",\"process\":{\"id\":\"p\",\"process_graph\":{\"a\":" ADD("1", "2") "}}}}", "3");
  expect_json("{\"process\":" ADD("1", "2") ",\"result\":true}}", "3"); /* a node named process */
  expect_json("{\"process_graph\":" ADD("1", "2") ",\"result\":true}}", "3");
  expect_error("{\"process\":{\"id\":\"p\"}}", "ProcessGraphMissing", NULL, NULL);
  expect_error("{\"process_graph\":{}}", "ProcessGraphMissing", NULL, NULL);
  expect_error("{\"process\":7}", "ProcessGraphInvalid", NULL, NULL);
  expect_error("[]", "ProcessGraphInvalid", "object", NULL);
  expect_error("", "ProcessGraphInvalid", NULL, NULL);
  expect_error("{\"a\":1}", "ProcessGraphInvalid", NULL, NULL);
  expect_error("{\"a\":{\"process_id\":3}}", "ProcessGraphInvalid", NULL, NULL);
  expect_error("{\"a\":{\"process_id\":\"add\",\"arguments\":[]}}", "ProcessGraphInvalid", NULL, NULL);
  expect_error("{\"a\":" ADD("1", "2") "}} x", "ProcessGraphInvalid", "line 1", NULL);
}

static void duplicate_keys_are_refused(void **state)
{
  (void)state;
  expect_error("{\"a\":" ADD("1", "2") "},\"a\":" ADD("1", "2") "}}", "ProcessGraphInvalid", "duplicate", NULL);
  expect_error("{\"a\":{\"process_id\":\"add\",\"arguments\":{\"x\":1,\"x\":2,\"y\":1}}}", "ProcessGraphInvalid",
               "duplicate", NULL);
}

static void tokens_beyond_json(void **state)
{
  (void)state;
  expect_json("{\"a\":{\"process_id\":\"is_nan\",\"arguments\":{\"x\":NaN}}}", "true");
  expect_json("{\"a\":" ADD("Infinity", "1") "}}", "Infinity");
  expect_json("{\"a\":{\"process_id\":\"max\",\"arguments\":{\"data\":[-Infinity,-3,NaN]}}}", "NaN");
  expect_json("{\"a\":{\"process_id\":\"text_concat\",\"arguments\":{\"data\":[\"NaN\",\"\\\"-Infinity\"],"
              "\"separator\":\"\"}}}",
              "\"NaN\\\"-Infinity\"");
  expect_error("{\"a\":" ADD("nan", "1") "}}", "ProcessGraphInvalid", NULL, NULL);
  expect_error("{\"a\":" ADD("1NaN", "1") "}}", "ProcessGraphInvalid", NULL, NULL);
  expect_error("{NaN:1}", "ProcessGraphInvalid", NULL, NULL);
}

static void plain_json_knows_no_tokens(void **state)
{
  static const char *const broken[] = {"NaN", "-Infinity", "[Infinity]"};
  struct arena *arena = arena_new(0);
  const struct graph *graph;
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    struct error error = {0};
    const char *text = arena_printf(arena, "{\"a\":{\"process_id\":\"constant\",\"arguments\":{\"x\":%s}}}", broken[i]);
    assert_int_equal(graph_parse(arena, text, strlen(text), false, &graph, &error), -1);
    assert_string_equal(error.code, "ProcessGraphInvalid");
    assert_int_equal(graph_parse(arena, text, strlen(text), true, &graph, &(struct error){0}), 0);
  }
  arena_free(arena);
}

/* {"type": "nodata"} and its like mean something in the official encoding only. */
static void plain_json_is_taken_as_it_is(void **state)
{
  static const char *const objects[] = {"{\"type\":\"nodata\"}",
                                        "{\"type\":\"labeled-array\",\"data\":[{\"key\":\"B1\",\"value\":3}]}",
                                        "\"\\u0001NaN\""};
  static const char *const meant[] = {"null", "[3]", "NaN"};
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    char text[256];
    snprintf(text, sizeof text, "{\"a\":{\"process_id\":\"constant\",\"arguments\":{\"x\":%s}}}", objects[i]);
    struct arena *arena = arena_new(0);
    struct error error = {0};
    const struct graph *graph;
    const struct bound *bound;
    const struct graph_options options = {0};
    struct outcome outcome;
    struct buffer out = {0};
    assert_int_equal(graph_parse(arena, text, strlen(text), false, &graph, &error), 0);
    assert_int_equal(graph_bind(arena, graph, &options, &bound, &error), 0);
    assert_int_equal(graph_lower(arena, bound, &options, &outcome, &error), 0);
    assert_true(outcome.value.kind != VALUE_CUBE);
    value_write(&outcome.value, &(struct json_writer){.out = &out});
    assert_string_equal(out.data, objects[i]);
    expect_json(text, meant[i]);
    buffer_free(&out);
    arena_free(arena);
  }
}

static void parameters_come_from_outside_or_their_defaults(void **state)
{
  static const char text[] = "{\"process_graph\":{\"a\":" ADD(
      "{\"from_parameter\":\"p\"}",
      "{\"from_parameter\":\"q\"}") "}},\"parameters\":[{\"name\":\"p\"},{\"name\":\"q\",\"default\":10}]}";
  const struct graph_parameter p = {.name = "p", .json = "5"}, broken = {.name = "p", .json = "{"};
  struct lowered l = lower_with(text, strlen(text), &p, 1);
  (void)state;
  assert_int_equal(l.status, 0);
  assert_true(l.outcome.value.number == 15);
  arena_free(l.arena);
  expect_error(text, "ProcessParameterMissing", "'p'", NULL);
  l = lower_with(text, strlen(text), &broken, 1);
  assert_string_equal(l.error.parameter, "p");
  arena_free(l.arena);
}

/* A callback sees the parameters of its process, and no others. */
static void parameters_of_callbacks(void **state)
{
  (void)state;
  expect_error("{\"a\":{\"process_id\":\"reduce_dimension\",\"arguments\":{\"data\":{\"type\":\"datacube\","
               "\"dimensions\":[{\"name\":\"x\",\"type\":\"other\","
               "\"values\":[1]}],\"data\":[1]},\"dimension\":\"x\",\"reducer\":{\"process_graph\":{\"m\":{\"process_"
               "id\":\"mean\",\"arguments\":{\"data\":"
               "{\"from_parameter\":\"x\"}}}}}}}}",
               "ProcessParameterMissing", "'x'", NULL);
}

static void collect(void *data, const struct error *error)
{
  struct buffer *codes = data;
  buffer_printf(codes, "%s(%s) ", error->code, error->node);
}

static void validation_finds_all_errors(void **state)
{
  static const char text[] = "{\"a\":{\"process_id\":\"plus\",\"arguments\":{}},\"b\":{\"process_id\":\"add\","
                             "\"arguments\":{\"x\":1,\"z\":1}},"
                             "\"c\":{\"process_id\":\"minus\",\"arguments\":{},\"result\":true}}";
  struct buffer codes = {0};
  (void)state;
  graph_validate(text, strlen(text), &(struct graph_options){0}, collect, &codes);
  assert_string_equal(
      codes.data,
      "ProcessUnsupported(a) ProcessParameterUnsupported(b) ProcessParameterRequired(b) ProcessUnsupported(c) ");
  buffer_free(&codes);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_result),
      cmocka_unit_test(no_cycles),
      cmocka_unit_test(no_unknown_names),
      cmocka_unit_test(arguments_have_the_types_of_the_spec),
      cmocka_unit_test(quoted_values_stay_utf8),
      cmocka_unit_test(shapes_of_requests),
      cmocka_unit_test(duplicate_keys_are_refused),
      cmocka_unit_test(tokens_beyond_json),
      cmocka_unit_test(plain_json_knows_no_tokens),
      cmocka_unit_test(plain_json_is_taken_as_it_is),
      cmocka_unit_test(parameters_come_from_outside_or_their_defaults),
      cmocka_unit_test(parameters_of_callbacks),
      cmocka_unit_test(validation_finds_all_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
