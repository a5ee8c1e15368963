/* Graphs over small cubes written out in them, run to their end: answers known by hand, and shapes that went wrong
 * once. */
#include "graph_fixture.h"

#include "hpc_plan_sink.h"

#define Y(...) "{\"name\":\"y\",\"type\":\"spatial\",\"axis\":\"y\",\"values\":[" __VA_ARGS__ "]}"
#define X(...)                                                                                                         \
  "{\"name\":\"x\",\"type\":\"spatial\",\"axis\":\"x\",\"reference_system\":32632,\"values\":[" __VA_ARGS__ "]}"
#define T(...) "{\"name\":\"t\",\"type\":\"temporal\",\"values\":[" __VA_ARGS__ "]}"
#define B(...) "{\"name\":\"b\",\"type\":\"bands\",\"values\":[" __VA_ARGS__ "]}"
#define CUBE(dimensions, data) "{\"type\":\"datacube\",\"dimensions\":[" dimensions "],\"data\":" data "}"
#define NODE(id, process, arguments) "\"" id "\":{\"process_id\":\"" process "\",\"arguments\":{" arguments "}"
#define FROM(id) "{\"from_node\":\"" id "\"}"
#define CALLBACK(process, arguments)                                                                                   \
  "{\"process_graph\":{\"c\":{\"process_id\":\"" process "\",\"arguments\":{" arguments "},\"result\":true}}}"
#define REDUCER(process) CALLBACK(process, "\"data\":{\"from_parameter\":\"data\"}")
#define PLUS_ONE CALLBACK("add", "\"x\":{\"from_parameter\":\"x\"},\"y\":1")
#define BOTH(process) CALLBACK(process, "\"x\":{\"from_parameter\":\"x\"},\"y\":{\"from_parameter\":\"y\"}")

/* The elements of a graph's cube in f64; NaN for no-data. */
static void expect_cube(const char *text, const double *expected, size_t count)
{
  struct lowered l = lower_text(text);
  const struct plan *plan;
  if (l.status != 0 ||
      plan_make(l.arena, outcome_result(&l.outcome)->node, &(struct plan_options){.threads = 2}, &plan, &l.error) != 0)
    fail_msg("%s %s", l.error.code, l.error.message);
  struct keeping_sink sink = keeping_sink(plan_cube(plan));
  assert_int_equal(plan_run(plan, &sink.sink, NULL, NULL, &l.error), 0);
  assert_int_equal(cube_elements(plan_cube(plan)), count);
  for (size_t i = 0; i < count; i++) {
    double have =
        plan_cube(plan)->type == ELEMENT_BOOLEAN ? sink.data[i] : ((const double *)(const void *)sink.data)[i];
    assert_true(sink.written[i] == 1);
    if (have != expected[i] && !(isnan(have) && isnan(expected[i])))
      fail_msg("element %zu is %g, not %g", i, have, expected[i]);
  }
  free(sink.data);
  free(sink.written);
  arena_free(l.arena);
}

#define EXPECT_CUBE(text, ...)                                                                                         \
  expect_cube(text, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

/* Rows 35 … 5 and columns 5 … 25 with the values 11 … 43, made by a kernel so that a warp stage follows. */
#define COMPUTED_GRID                                                                                                  \
  NODE("g", "apply",                                                                                                   \
       "\"data\":" CUBE(Y("35,25,15,5") "," X("5,15,25"),                                                              \
                        "[[10,11,12],[20,21,22],[30,31,32],[40,41,42]]") ",\"process\":" PLUS_ONE)                     \
  "},"
#define FINER COMPUTED_GRID NODE("r", "resample_spatial", "\"data\":" FROM("g") ",\"resolution\":5") "},"

static void an_element_along_a_resampled_axis(void **state)
{
  (void)state;
  EXPECT_CUBE(
      "{" FINER NODE("a", "reduce_dimension",
                     "\"data\":" FROM("r") ",\"dimension\":\"y\",\"reducer\":" CALLBACK(
                         "array_element", "\"data\":{\"from_parameter\":\"data\"},\"index\":6")) ",\"result\":true}}",
      41, 41, 42, 42, 43, 43);
}

static void a_reduced_crop_of_a_resampled_cube(void **state)
{
  (void)state;
  EXPECT_CUBE(
      "{" FINER NODE("f", "filter_bbox",
                     "\"data\":" FROM("r") ",\"extent\":{\"west\":10,\"east\":20,\"south\":0,\"north\":10,\"crs\":"
                                           "32632}") "}," NODE("a", "reduce_dimension",
                                                               "\"data\":" FROM("f") ",\"dimension\":\"y\","
                                                                                     "\"reducer\":" REDUCER(
                                                                                         "max")) ",\"result\":true}}",
      42, 42);
}

static void resampling_what_was_made_along_an_axis(void **state)
{
  (void)state;
  EXPECT_CUBE(
      "{" COMPUTED_GRID NODE("s", "apply_dimension",
                             "\"data\":" FROM("g") ",\"dimension\":\"x\",\"process\":" REDUCER(
                                 "cumsum")) "}," NODE("r", "resample_spatial",
                                                      "\"data\":" FROM("s") ",\"resolution\":30") ",\"result\":true}}",
      21 + 22, (double)NAN); /* the second row lies outside */
}

static void empty_dimensions(void **state)
{
  (void)state;
#define NO_BANDS                                                                                                       \
  NODE("e", "filter_bands", "\"data\":" CUBE(B("\"r\",\"n\"") "," X("5,15"), "[[1,2],[3,4]]") ",\"bands\":[\"q\"]") "},"
  expect_cube("{" NO_BANDS NODE(
                  "a", "apply_dimension",
                  "\"data\":" FROM("e") ",\"dimension\":\"b\",\"process\":" REDUCER("cumsum")) ",\"result\":true}}",
              NULL, 0);
  EXPECT_CUBE(
      "{" NO_BANDS NODE("a", "reduce_dimension",
                        "\"data\":" FROM("e") ",\"dimension\":\"b\",\"reducer\":" REDUCER("sum")) ",\"result\":true}}",
      (double)NAN, (double)NAN);
  expect_cube("{" NODE("a", "aggregate_temporal_period",
                       "\"data\":" CUBE(T() "," X("5,15"),
                                        "[]") ",\"period\":\"day\",\"reducer\":" REDUCER("mean")) ",\"result\":true}}",
              NULL, 0);
}

static void periods_with_and_without_dates(void **state)
{
  (void)state;
#define DATES CUBE(T("\"2020-03-05\",\"2020-01-31\",\"2020-01-01\",\"2020-05-09T23:59:59Z\""), "[1,2,5,null]")
  EXPECT_CUBE("{" NODE("a", "aggregate_temporal_period",
                       "\"data\":" DATES ",\"period\":\"month\",\"reducer\":" REDUCER("first")) ",\"result\":true}}",
              2, (double)NAN, 1, (double)NAN, (double)NAN);
  EXPECT_CUBE("{" NODE("a", "aggregate_temporal_period",
                       "\"data\":" DATES ",\"period\":\"month\",\"reducer\":" REDUCER("mean")) ",\"result\":true}}",
              3.5, (double)NAN, 1, (double)NAN, (double)NAN);
  EXPECT_CUBE("{" NODE("p", "aggregate_temporal_period",
                       "\"data\":" DATES ",\"period\":\"month\",\"reducer\":" REDUCER(
                           "mean")) "}," NODE("a", "reduce_dimension",
                                              "\"data\":" FROM("p") ",\"dimension\":\"t\",\"reducer\":" REDUCER(
                                                  "sum")) ",\"result\":true}}",
              4.5);
}

static void masks_broadcast(void **state)
{
  (void)state;
  EXPECT_CUBE(
      "{" NODE(
          "m", "apply",
          "\"data\":" CUBE(X("5,15"), "[0,3]") ",\"process\":" CALLBACK(
              "gt",
              "\"x\":{\"from_parameter\":\"x\"},\"y\":1")) "}," NODE("a", "mask",
                                                                     "\"data\":" CUBE(
                                                                         T("\"2020\",\"2021\"") "," X("5,15"),
                                                                         "[[1,2],[3,4]]") ",\"mask\":" FROM("m")) ",\"r"
                                                                                                                  "esul"
                                                                                                                  "t\":"
                                                                                                                  "true"
                                                                                                                  "}}",
      1, (double)NAN, 3, (double)NAN);
}

static void merges(void **state)
{
  (void)state;
  EXPECT_CUBE("{" NODE("a", "merge_cubes",
                       "\"cube1\":" CUBE(B("\"r\"") "," X("5,15"), "[[1,2]]") ",\"cube2\":" CUBE(
                           B("\"n\"") "," X("5,15"), "[[3,4]]")) ",\"result\":true}}",
              1, 2, 3, 4);
  EXPECT_CUBE("{" NODE("a", "merge_cubes",
                       "\"cube1\":" CUBE(B("\"r\",\"n\"") "," X("5,15"), "[[1,2],[3,4]]") ",\"cube2\":" CUBE(
                           B("\"n\",\"z\""), "[10,20]") ",\"overlap_resolver\":" BOTH("add")) ",\"result\":true}}",
              1, 2, 13, 14, 20, 20);
}

static void a_dimension_appears_once(void **state)
{
  (void)state;
#define APPLY(cube) "{" NODE("a", "apply", "\"data\":" cube ",\"process\":" PLUS_ONE) ",\"result\":true}}"
  expect_error(APPLY(CUBE(T("1,2,3") "," T("1"), "[[1],[2],[3]]")), "ProcessParameterInvalid", "two dimensions",
               "data");
  expect_error(
      APPLY(CUBE(X("1,2,3") ",{\"name\":\"q\",\"type\":\"spatial\",\"axis\":\"x\",\"values\":[1]}", "[[1],[2],[3]]")),
      "ProcessParameterInvalid", "axis x", "data");
  expect_error(APPLY("{\"type\":\"datacube\",\"dimensions\":[],\"order\":[\"x\"],\"data\":1}"),
               "ProcessParameterInvalid", NULL, "data");
  expect_error(APPLY("{\"type\":\"datacube\",\"dimensions\":[" X("1") "],\"order\":[\"x\",\"x\"],\"data\":[1]}"),
               "ProcessParameterInvalid", NULL, "data");
  expect_error(APPLY(CUBE(X("1,2"), "[1]")), "ProcessParameterInvalid", "shape", "data");
  expect_error(APPLY(CUBE(X("1,2"), "[1,\"2\"]")), "ProcessParameterInvalid", "string", "data");
  EXPECT_CUBE(APPLY("{\"type\":\"datacube\",\"dimensions\":[],\"data\":4}"), 5);
}

static void axes_without_steps_have_no_grid(void **state)
{
  (void)state;
#define RESAMPLE(x)                                                                                                    \
  "{" NODE("a", "resample_spatial",                                                                                    \
           "\"data\":" CUBE(Y("2,1") "," X(x), "[[1,2],[3,4]]") ",\"resolution\":5") ",\"result\":true}}"
  expect_error(RESAMPLE("1,1"), "ProcessParameterInvalid", "grid", "data");
  expect_error(RESAMPLE("NaN,2"), "ProcessParameterInvalid", "grid", "data");
  expect_error(RESAMPLE("1,Infinity"), "ProcessParameterInvalid", "grid", "data");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_element_along_a_resampled_axis),
      cmocka_unit_test(a_reduced_crop_of_a_resampled_cube),
      cmocka_unit_test(resampling_what_was_made_along_an_axis),
      cmocka_unit_test(empty_dimensions),
      cmocka_unit_test(periods_with_and_without_dates),
      cmocka_unit_test(masks_broadcast),
      cmocka_unit_test(merges),
      cmocka_unit_test(a_dimension_appears_once),
      cmocka_unit_test(axes_without_steps_have_no_grid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
