/* aggregate_temporal_period: what an empty period is, whatever goes wrong on the way. */
#include "graph_fixture.h"

#include "hpc/plan/node.h"

#define DATES                                                                                                          \
  "{\"type\":\"datacube\",\"dimensions\":[{\"name\":\"t\",\"type\":\"temporal\",\"values\":"                           \
  "[\"2020-01-01\",\"2020-03-05\"]}],\"data\":[1,2]}"
#define MONTHS(reducer)                                                                                                \
  "{\"a\":{\"process_id\":\"aggregate_temporal_period\",\"arguments\":{\"data\":" DATES                                \
  ",\"period\":\"month\",\"reducer\":{\"process_graph\":" reducer "}},\"result\":true}}"
#define COUNT_ALL                                                                                                      \
  "{\"c\":{\"process_id\":\"count\",\"arguments\":{\"data\":{\"from_parameter\":\"data\"},\"condition\":true},"        \
  "\"result\":true}}"
#define SECOND                                                                                                         \
  "{\"e\":{\"process_id\":\"array_element\",\"arguments\":{\"data\":{\"from_parameter\":\"data\"},\"index\":%s},"      \
  "\"result\":true}}"

#define FIRST_BY_ORDER                                                                                                 \
  "{\"r\":{\"process_id\":\"rearrange\",\"arguments\":{\"data\":{\"from_parameter\":\"data\"},\"order\":[0]}},"        \
  "\"m\":{\"process_id\":\"sum\",\"arguments\":{\"data\":{\"from_node\":\"r\"}},\"result\":true}}"

/* Steps of the program of the second month, which has no dates; 0 where the graph could not be lowered. */
static size_t empty_month(const char *text, size_t limit, struct error *error)
{
  struct arena *arena = arena_new(limit);
  const struct graph *graph;
  const struct bound *bound;
  struct outcome outcome;
  size_t steps = 0;
  *error = (struct error){{0}, {0}, {0}, {0}};
  const struct graph_options options = {.official_encoding = true};
  if (graph_parse(arena, text, strlen(text), true, &graph, error) == 0 &&
      graph_bind(arena, graph, &options, &bound, error) == 0 &&
      graph_lower(arena, bound, &options, &outcome, error) == 0)
    steps = outcome_result(&outcome)->node->children[1]->program->count;
  arena_free(arena);
  return steps;
}

/* With too little memory there is an error; never no-data where the count is 0. */
static void too_little_memory_is_no_value(void **state)
{
  (void)state;
  struct error error;
  size_t right = empty_month(MONTHS(COUNT_ALL), 0, &error), failures = 0;
  assert_true(right > 1);
  for (size_t limit = 4096; limit < (size_t)1 << 22; limit += 16) {
    size_t steps = empty_month(MONTHS(COUNT_ALL), limit, &error);
    if (steps == right)
      break;
    assert_int_equal(steps, 0);
    assert_true(error_is_set(&error));
    failures++;
  }
  assert_true(failures > 100);
}

static void a_reducer_that_needs_an_element_gives_none(void **state)
{
  (void)state;
  struct error error;
  char text[1024];
  snprintf(text, sizeof text, MONTHS(SECOND), "0");
  assert_int_equal(empty_month(text, 0, &error), 1);
  snprintf(text, sizeof text, MONTHS(SECOND), "1"); /* no month has a second date */
  assert_int_equal(empty_month(text, 0, &error), 0);
  assert_string_equal(error.code, "ArrayElementNotAvailable");
}

static void other_errors_stay(void **state)
{
  (void)state;
  struct error error;
  assert_int_equal(empty_month(MONTHS(FIRST_BY_ORDER), 0, &error), 0);
  assert_string_equal(error.code, "ProcessParameterInvalid");
  assert_string_equal(error.parameter, "order");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(too_little_memory_is_no_value),
      cmocka_unit_test(a_reducer_that_needs_an_element_gives_none),
      cmocka_unit_test(other_errors_stay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
