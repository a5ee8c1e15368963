/* Limits of graphs at the limit and one past it, and the time that long graphs take. */
#include "graph_fixture.h"

#include <time.h>

static double seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* not the wall clock: other work may go on */
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* {"a":{"process_id":"constant","arguments":{"x":[[…]]},"result":true}} with `depth` levels in all. */
static char *nested(size_t depth)
{
  struct buffer out = {0};
  buffer_text(&out, "{\"a\":{\"process_id\":\"constant\",\"arguments\":{\"x\":");
  for (size_t i = 3; i < depth; i++)
    buffer_text(&out, i % 2 ? "[" : "{\"k\":");
  buffer_text(&out, "1");
  for (size_t i = depth; i-- > 3;)
    buffer_text(&out, i % 2 ? "]" : "}");
  buffer_text(&out, "},\"result\":true}}");
  return out.data;
}

static void depth(void **state)
{
  char *fits = nested(GRAPH_MAX_DEPTH), *deep = nested(GRAPH_MAX_DEPTH + 1), *abyss = nested(1000000);
  (void)state;
  struct lowered l = lower_text(fits);
  assert_int_equal(l.status, 0);
  arena_free(l.arena);
  expect_error(deep, "ProcessGraphComplexity", "200", NULL);
  expect_error(abyss, "ProcessGraphComplexity", "200", NULL);
  free(fits);
  free(deep);
  free(abyss);
}

/* A chain of `count` additions of one; `inside` of them in the callback of an apply. */
static struct buffer chain(size_t count)
{
  struct buffer out = {0};
  buffer_text(&out, "{\"n0\":{\"process_id\":\"add\",\"arguments\":{\"x\":0,\"y\":1}}");
  for (size_t i = 1; i < count; i++)
    buffer_printf(&out, ",\"n%zu\":{\"process_id\":\"add\",\"arguments\":{\"x\":{\"from_node\":\"n%zu\"},\"y\":1}%s}",
                  i, i - 1, i + 1 == count ? ",\"result\":true" : "");
  buffer_text(&out, "}");
  return out;
}

static void nodes(void **state)
{
  struct buffer fits = chain(GRAPH_MAX_NODES), many = chain(GRAPH_MAX_NODES + 1);
  double start = seconds();
  (void)state;
  expect_json(fits.data, "10000");
  assert_true(seconds() - start < 5); /* about 0.1 s */
  expect_error(many.data, "ProcessGraphComplexity", "10000", NULL);
  buffer_free(&fits);
  buffer_free(&many);
}

static void nodes_of_callbacks_count(void **state)
{
  struct buffer out = {0}, inner = chain(GRAPH_MAX_NODES);
  (void)state;
  buffer_text(&out, "{\"a\":{\"process_id\":\"apply\",\"arguments\":{\"data\":null,\"process\":{\"process_graph\":");
  buffer_add(&out, inner.data, inner.length);
  buffer_text(&out, "}},\"result\":true}}");
  expect_error(out.data, "ProcessGraphComplexity", "10000", NULL);
  buffer_free(&out);
  buffer_free(&inner);
}

static struct buffer long_array(size_t count)
{
  struct buffer out = {0};
  buffer_text(&out, "{\"a\":{\"process_id\":\"count\",\"arguments\":{\"data\":[");
  for (size_t i = 0; i < count; i++)
    buffer_text(&out, i ? ",1" : "1");
  buffer_text(&out, "]},\"result\":true}}");
  return out;
}

static void elements_of_an_array(void **state)
{
  struct buffer fits = long_array(GRAPH_MAX_ARRAY), longer = long_array(GRAPH_MAX_ARRAY + 1);
  double start = seconds();
  (void)state;
  expect_json(fits.data, "1000000");
  assert_true(seconds() - start < 20);
  expect_error(longer.data, "ProcessGraphComplexity", "1000000", "data");
  buffer_free(&fits);
  buffer_free(&longer);
}

static void bytes_of_the_text(void **state)
{
  size_t length = GRAPH_MAX_BYTES;
  char *text = malloc(length + 1);
  static const char graph[] = "{\"a\":{\"process_id\":\"pi\",\"arguments\":{},\"result\":true}}";
  (void)state;
  memset(text, ' ', length + 1);
  memcpy(text, graph, strlen(graph));
  struct lowered fits = lower_with(text, length, NULL, 0), longer = lower_with(text, length + 1, NULL, 0);
  assert_int_equal(fits.status, 0);
  assert_string_equal(longer.error.code, "ProcessGraphComplexity");
  arena_free(fits.arena);
  arena_free(longer.arena);
  free(text);
}

#define CUBE                                                                                                           \
  "{\"type\":\"datacube\",\"dimensions\":[{\"name\":\"x\",\"type\":\"other\",\"values\":[1,2]}],\"data\":[1,2]}"
#define GRID                                                                                                           \
  "{\"type\":\"datacube\",\"dimensions\":[{\"name\":\"y\",\"type\":\"spatial\",\"axis\":\"y\",\"values\":[15,5]},"     \
  "{\"name\":\"x\",\"type\":\"spatial\",\"axis\":\"x\",\"reference_system\":32632,\"values\":[5,15]}],\"data\":[[1,2]" \
  ",[3,4]]}"

/* What the plan of a graph says: "" or the code of its error. */
static void expect_plan(const char *text, const char *code)
{
  struct lowered l = lower_text(text);
  const struct plan *plan;
  double start = seconds();
  if (l.status != 0)
    fail_msg("%s %s", l.error.code, l.error.message);
  plan_make(l.arena, outcome_result(&l.outcome)->node, &(struct plan_options){.threads = 1}, &plan, &l.error);
  assert_string_equal(l.error.code, code);
  assert_true(seconds() - start < 10);
  arena_free(l.arena);
}

static void cube_processes_in_a_row(void **state)
{
  (void)state;
  for (size_t count = 1400; count <= 9000; count += 7600) {
    struct buffer out = {0};
    buffer_text(&out, "{\"n0\":{\"process_id\":\"save_result\",\"arguments\":{\"data\":" CUBE ",\"format\":\"JSON\"}}");
    for (size_t i = 1; i < count; i++)
      buffer_printf(
          &out,
          ",\"n%zu\":{\"process_id\":\"apply\",\"arguments\":{\"data\":{\"from_node\":\"n%zu\"},\"process\":{\"process_"
          "graph\":"
          "{\"c\":{\"process_id\":\"absolute\",\"arguments\":{\"x\":{\"from_parameter\":\"x\"}},\"result\":true}}}}%s}",
          i, i - 1, i + 1 == count ? ",\"result\":true" : "");
    buffer_text(&out, "}");
    if (2 * count <= GRAPH_MAX_NODES)
      expect_plan(out.data, "");
    else
      expect_error(out.data, "ProcessGraphComplexity", NULL, NULL);
    buffer_free(&out);
  }
}

/* Each resampling is a stage that fills its own input. */
static void resamplings_in_a_row(void **state)
{
  (void)state;
  for (size_t count = 100; count <= 9000; count += 8900) {
    struct buffer out = {0};
    buffer_text(&out,
                "{\"n0\":{\"process_id\":\"resample_spatial\",\"arguments\":{\"data\":" GRID ",\"resolution\":5}}");
    for (size_t i = 1; i < count; i++)
      buffer_printf(&out,
                    ",\"n%zu\":{\"process_id\":\"resample_spatial\",\"arguments\":{\"data\":{\"from_node\":\"n%zu\"},"
                    "\"resolution\":%d}%s}",
                    i, i - 1, i % 2 ? 10 : 5, i + 1 == count ? ",\"result\":true" : "");
    buffer_text(&out, "}");
    expect_plan(out.data, count == 100 ? "" : "ProcessGraphComplexity");
    buffer_free(&out);
  }
}

/* x_(k+1) = near(x_k) + bilinear(x_k): the work doubles with each step. */
static void resamplings_that_double(void **state)
{
  (void)state;
  for (size_t count = 10; count <= 60; count += 50) {
    struct buffer out = {0};
    buffer_text(&out,
                "{\"n0\":{\"process_id\":\"resample_spatial\",\"arguments\":{\"data\":" GRID ",\"resolution\":5}}");
    for (size_t i = 1; i < count; i++) {
      for (int k = 0; k < 2; k++)
        buffer_printf(&out,
                      ",\"%c%zu\":{\"process_id\":\"resample_spatial\",\"arguments\":{\"data\":{\"from_node\":\"n%zu\"}"
                      ",\"resolution\":%d,"
                      "\"method\":\"%s\"}}",
                      k ? 'b' : 'a', i, i - 1, i % 2 ? 10 : 5, k ? "bilinear" : "near");
      buffer_printf(&out,
                    ",\"n%zu\":{\"process_id\":\"merge_cubes\",\"arguments\":{\"cube1\":{\"from_node\":\"a%zu\"},"
                    "\"cube2\":{\"from_node\":\"b%zu\"},"
                    "\"overlap_resolver\":{\"process_graph\":{\"c\":{\"process_id\":\"add\",\"arguments\":{\"x\":{"
                    "\"from_parameter\":\"x\"},"
                    "\"y\":{\"from_parameter\":\"y\"}},\"result\":true}}}}%s}",
                    i, i, i, i + 1 == count ? ",\"result\":true" : "");
    }
    buffer_text(&out, "}");
    expect_plan(out.data, count == 10 ? "" : "ProcessGraphComplexity");
    buffer_free(&out);
  }
}

/* Twenty years of hours with two dates among them. */
static void periods_without_dates(void **state)
{
  (void)state;
  expect_plan("{\"a\":{\"process_id\":\"aggregate_temporal_period\",\"arguments\":{\"data\":{\"type\":\"datacube\","
              "\"dimensions\":[{\"name\":\"t\","
              "\"type\":\"temporal\",\"values\":[\"2000-01-01\",\"2020-01-01\"]}],\"data\":[1,2]},\"period\":\"hour\","
              "\"reducer\":{\"process_graph\":"
              "{\"m\":{\"process_id\":\"mean\",\"arguments\":{\"data\":{\"from_parameter\":\"data\"}},\"result\":true}}"
              "}},\"result\":true}}",
              "");
  expect_error("{\"a\":{\"process_id\":\"aggregate_temporal_period\",\"arguments\":{\"data\":{\"type\":\"datacube\","
               "\"dimensions\":[{\"name\":\"t\","
               "\"type\":\"temporal\",\"values\":[\"1000-01-01\",\"2020-01-01\"]}],\"data\":[1,2]},\"period\":\"hour\","
               "\"reducer\":{\"process_graph\":"
               "{\"m\":{\"process_id\":\"mean\",\"arguments\":{\"data\":{\"from_parameter\":\"data\"}},\"result\":true}"
               "}}},\"result\":true}}",
               "ProcessGraphComplexity", "200000", "period");
}

static void many_labels_are_renamed_quickly(void **state)
{
  struct buffer out = {0};
  double start = seconds();
  enum { LABELS = 3000 };
  (void)state;
  buffer_text(&out, "{\"a\":{\"process_id\":\"rename_labels\",\"arguments\":{\"data\":{\"type\":\"datacube\","
                    "\"dimensions\":[{\"name\":\"x\",\"type\":\"other\",\"values\":[");
  for (int i = 0; i < LABELS; i++)
    buffer_printf(&out, "%s\"l%d\"", i ? "," : "", i);
  buffer_text(&out, "]}]},\"dimension\":\"x\",\"source\":[");
  for (int i = 0; i < LABELS; i++)
    buffer_printf(&out, "%s\"l%d\"", i ? "," : "", i);
  buffer_text(&out, "],\"target\":[");
  for (int i = 0; i < LABELS; i++)
    buffer_printf(&out, "%s\"k%d\"", i ? "," : "", i);
  buffer_text(&out, "]},\"result\":true}}");
  expect_plan(out.data, "");
  assert_true(seconds() - start < 10); /* about 0.1 s; a cubic search took minutes */
  buffer_free(&out);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(depth),
      cmocka_unit_test(nodes),
      cmocka_unit_test(nodes_of_callbacks_count),
      cmocka_unit_test(elements_of_an_array),
      cmocka_unit_test(bytes_of_the_text),
      cmocka_unit_test(cube_processes_in_a_row),
      cmocka_unit_test(resamplings_in_a_row),
      cmocka_unit_test(resamplings_that_double),
      cmocka_unit_test(periods_without_dates),
      cmocka_unit_test(many_labels_are_renamed_quickly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
