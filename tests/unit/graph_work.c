/* Small graphs that describe enormous values: each is refused at once, naming a node, and none is walked as a tree. */
#include "graph_fixture.h"

#include <time.h>

static double seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* not the wall clock: other work may go on */
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#ifdef __SANITIZE_ADDRESS__
static const double at_once = 20;
#else
static const double at_once = 3; /* about a tenth of a second; trees of 2^60 leaves would take years */
#endif

static void expect_refused_at_once(struct buffer *text)
{
  double start = seconds();
  struct lowered l = lower_text(text->data);
  double spent = seconds() - start;
  if (l.status == 0)
    fail_msg("no error: %.200s", text->data);
  assert_string_equal(l.error.code, "ProcessGraphComplexity");
  assert_true(l.error.node[0] != '\0');
  arena_free(l.arena);
  if (spent > at_once)
    fail_msg("refused after %.2f s: %.200s", spent, text->data);
  buffer_free(text);
}

#define FROM_NODE(format) "{\"from_node\":\"" format "\"}"

/* n0, then `count` nodes of which each uses the one before twice. `arguments` has two %zu for it. */
static struct buffer doubling(const char *first, const char *process, const char *arguments, size_t count)
{
  struct buffer out = {0};
  buffer_printf(&out, "{\"n0\":%s", first);
  for (size_t i = 1; i <= count; i++) {
    buffer_printf(&out, ",\"n%zu\":{\"process_id\":\"%s\",\"arguments\":{", i, process);
    for (const char *at = arguments; *at; at++)
      if (*at == '#')
        buffer_printf(&out, FROM_NODE("n%zu"), i - 1);
      else
        buffer_add(&out, at, 1);
    buffer_printf(&out, "}%s}", i == count ? ",\"result\":true" : "");
  }
  buffer_text(&out, "}");
  return out;
}

#define CONSTANT(x) "{\"process_id\":\"constant\",\"arguments\":{\"x\":" x "}}"

static void arrays_that_double(void **state)
{
  (void)state;
  static const char *const arguments[] = {
      "\"data\":[#,#]",
      "\"data\":[[#],[#]]",
      "\"data\":[{\"a\":#,\"b\":{\"c\":#}}]",
  };
  for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
    struct buffer text = doubling(CONSTANT("1"), "array_create", arguments[i], 60);
    expect_refused_at_once(&text);
  }
}

static void objects_that_double(void **state)
{
  (void)state;
  struct buffer text = doubling(CONSTANT("{}"), "constant", "\"x\":{\"a\":#,\"b\":#}", 200);
  expect_refused_at_once(&text);
}

static void texts_that_double(void **state)
{
  (void)state;
  struct buffer text = doubling(CONSTANT("\"0123456789\""), "text_concat", "\"data\":[#,#]", 60);
  double start = seconds();
  struct lowered l = lower_text(text.data);
  assert_int_equal(l.status, -1);
  assert_true(seconds() - start < at_once);
  arena_free(l.arena);
  buffer_free(&text);
}

/* A value just below the limit, used again and again. */
static void much_work_in_a_row(void **state)
{
  (void)state;
  struct buffer text = doubling(CONSTANT("1"), "array_create", "\"data\":[#,#]", 21);
  text.length = (size_t)(strstr(text.data, ",\"result\"") - text.data);
  buffer_text(&text, "}");
  for (size_t i = 0; i < 200; i++)
    buffer_printf(&text, ",\"f%zu\":{\"process_id\":\"constant\",\"arguments\":{\"x\":[" FROM_NODE("n21") "]}%s}", i,
                  i == 199 ? ",\"result\":true" : "");
  buffer_text(&text, "}");
  double start = seconds();
  struct lowered l = lower_text(text.data);
  assert_string_equal(l.error.code, "ProcessGraphComplexity");
  assert_string_equal(l.error.node, "f9");
  assert_true(seconds() - start < 4 * at_once);
  arena_free(l.arena);
  buffer_free(&text);
}

#define EIGHT_DAYS                                                                                                     \
  "{\"type\":\"datacube\",\"dimensions\":[{\"name\":\"t\",\"type\":\"temporal\",\"values\":[\"2020-01-01\","           \
  "\"2020-01-02\",\"2020-01-03\",\"2020-01-04\",\"2020-01-05\",\"2020-01-06\",\"2020-01-07\",\"2020-01-08\"]}],"       \
  "\"data\":[1,2,3,4,5,6,7,8]}"
#define DAILY                                                                                                          \
  "{\"process_id\":\"aggregate_temporal_period\",\"arguments\":{\"data\":" EIGHT_DAYS                                  \
  ",\"period\":\"day\",\"reducer\":{\"process_graph\":{"
#define MEAN "\"r\":{\"process_id\":\"mean\",\"arguments\":{\"data\":{\"from_parameter\":\"data\"}},\"result\":true}"

/* Callbacks within callbacks, each called once for each of eight days: 8^12 calls. */
static void callbacks_that_multiply(void **state)
{
  (void)state;
  for (size_t depth = 3; depth <= 12; depth += 9) {
    struct buffer text = {0};
    double start = seconds();
    for (size_t i = 0; i < depth; i++)
      buffer_text(&text, i ? "\"m\":" DAILY : "{\"m\":" DAILY);
    buffer_text(&text, MEAN);
    for (size_t i = 0; i < depth; i++)
      buffer_text(&text, i + 1 == depth ? "}}},\"result\":true}}" : "}}}}," MEAN);
    struct lowered l = lower_text(text.data);
    if (depth == 3 && l.status != 0)
      fail_msg("%s %s", l.error.code, l.error.message);
    if (depth == 12)
      assert_string_equal(l.error.code, "ProcessGraphComplexity");
    assert_true(seconds() - start < 2 * at_once);
    arena_free(l.arena);
    buffer_free(&text);
  }
}

/* CPU seconds for a reference at the end of a long array, so many arrays deep. */
static double lower_nested(size_t depth)
{
  enum { LENGTH = 900000 };
  struct buffer text = {0};
  buffer_text(&text, "{\"a\":" CONSTANT("1") ",\"b\":{\"process_id\":\"constant\",\"arguments\":{\"x\":");
  for (size_t i = 0; i < depth; i++)
    buffer_text(&text, "[");
  for (size_t i = 0; i < LENGTH; i++)
    buffer_text(&text, "1,");
  buffer_text(&text, FROM_NODE("a"));
  for (size_t i = 0; i < depth; i++)
    buffer_text(&text, "]");
  buffer_text(&text, "},\"result\":true}}");
  double start = seconds();
  struct lowered l = lower_text(text.data);
  double spent = seconds() - start;
  if (l.status != 0)
    fail_msg("%s", l.error.message);
  arena_free(l.arena);
  buffer_free(&text);
  return spent;
}

/* References below a long array, at every depth: the text is read once, not once a depth. */
static void deep_references_are_found_once(void **state)
{
  (void)state;
  double flat = lower_nested(1), deep = lower_nested(150);
  if (deep > 10 * flat)
    fail_msg("%.2f s against %.2f s", deep, flat);
}

static void a_cancelled_request_ends(void **state)
{
  (void)state;
  const volatile int cancel = 1;
  const char *text = "{\"a\":" CONSTANT("1") "}";
  struct arena *arena = arena_new(0);
  struct error error = {0};
  const struct graph *graph;
  const struct bound *bound;
  const struct graph_options options = {.cancel = &cancel};
  struct outcome outcome;
  assert_int_equal(graph_parse(arena, text, strlen(text), false, &graph, &error), 0);
  assert_int_equal(graph_bind(arena, graph, &options, &bound, &error), 0);
  assert_int_equal(graph_lower(arena, bound, &options, &outcome, &error), -1);
  assert_string_equal(error.code, "RequestTimeout");
  arena_free(arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arrays_that_double),       cmocka_unit_test(objects_that_double),
      cmocka_unit_test(texts_that_double),        cmocka_unit_test(much_work_in_a_row),
      cmocka_unit_test(callbacks_that_multiply),  cmocka_unit_test(deep_references_are_found_once),
      cmocka_unit_test(a_cancelled_request_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
