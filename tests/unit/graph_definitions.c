/* Processes that are defined by graphs: look-up, parameters, paths of errors, and the graphs of the official specs,
 * which must give what our C gives, for values and over cubes. */
#include "graph_fixture.h"

#include "datacube/base/missing.h"
#include "hpc_plan_sink.h"
#include "processes/graph/bound.h"

#include <dirent.h>

/* ---- a user's processes ----------------------------------------------------------------------------------------- */

struct shelf { /* definitions under a namespace */
  const char *space;
  struct process_entry entries[64];
  size_t count;
};

static const struct process_entry *find_on_shelf(void *context, struct arena *arena, const char *space, const char *id,
                                                 struct error *error)
{
  const struct shelf *shelf = context;
  (void)arena, (void)error;
  for (size_t i = 0; strcmp(space, shelf->space) == 0 && i < shelf->count; i++)
    if (strcmp(shelf->entries[i].id, id) == 0)
      return &shelf->entries[i];
  return NULL;
}

static void put(struct arena *arena, struct shelf *shelf, const char *json)
{
  struct error error = {0};
  if (process_define(arena, json, strlen(json), &shelf->entries[shelf->count++], &error) != 0)
    fail_msg("%s: %s", json, error.message);
}

/* As lower_text, with the definitions of a shelf at hand. */
static struct lowered lower_shelved(struct shelf *shelf, const char *text)
{
  struct lowered l = {.arena = arena_new((size_t)1 << 30)};
  const struct graph *graph;
  const struct bound *bound;
  const struct graph_options options = {.lookup = {find_on_shelf, shelf}, .official_encoding = true};
  l.status = graph_parse(l.arena, text, strlen(text), true, &graph, &l.error);
  if (l.status == 0)
    l.status = graph_bind(l.arena, graph, &options, &bound, &l.error);
  if (l.status == 0)
    l.status = graph_lower(l.arena, bound, &options, &l.outcome, &l.error);
  assert_true((l.status == 0) == !error_is_set(&l.error));
  return l;
}

static void expect_shelved(struct shelf *shelf, const char *text, const char *json)
{
  struct lowered l = lower_shelved(shelf, text);
  struct buffer out = {0};
  if (l.status != 0)
    fail_msg("%s: %s %s: %s", text, l.error.code, l.error.node, l.error.message);
  value_write(&l.outcome.value, &(struct json_writer){.out = &out});
  assert_string_equal(out.data, json);
  buffer_free(&out);
  arena_free(l.arena);
}

static void expect_failure(struct shelf *shelf, const char *text, const char *code, const char *node,
                           const char *parameter)
{
  struct lowered l = lower_shelved(shelf, text);
  if (l.status == 0)
    fail_msg("no error: %s", text);
  assert_string_equal(l.error.code, code);
  assert_string_equal(l.error.node, node);
  assert_string_equal(l.error.parameter, parameter);
  arena_free(l.arena);
}

#define NODE(id, process, arguments) "\"" id "\":{\"process_id\":\"" process "\",\"arguments\":{" arguments "}"
#define RESULT ",\"result\":true}"
#define PARAMETER(name) "{\"from_parameter\":\"" name "\"}"
#define FROM(id) "{\"from_node\":\"" id "\"}"
#define DEFINE(id, parameters, graph)                                                                                  \
  "{\"id\":\"" id "\",\"parameters\":[" parameters "],\"process_graph\":{" graph "}}"
#define NUMBER(name, more) "{\"name\":\"" name "\",\"schema\":{\"type\":[\"number\",\"null\"]}" more "}"
#define CALL(process, arguments) "{" NODE("a", process, arguments) RESULT "}"

static const char twice[] =
    DEFINE("twice", NUMBER("x", ""), NODE("d", "multiply", "\"x\":2,\"y\":" PARAMETER("x")) RESULT);
static const char grown[] =
    DEFINE("grown",
           NUMBER("x", "") "," NUMBER("by", ",\"optional\":true,\"default\":10") "," NUMBER("or", ",\"optional\":true"),
           NODE("t", "twice", "\"x\":" PARAMETER("x")) "}," NODE(
               "s", "sum", "\"data\":[" FROM("t") "," PARAMETER("by") "," PARAMETER("or") "]") RESULT);

static struct shelf users_shelf(struct arena *arena)
{
  struct shelf shelf = {.space = "user"};
  put(arena, &shelf, twice);
  put(arena, &shelf, grown);
  return shelf;
}

static void a_definition_is_a_process(void **state)
{
  struct arena *arena = arena_new(0);
  struct shelf shelf = users_shelf(arena);
  (void)state;
  expect_shelved(&shelf, CALL("twice", "\"x\":4"), "8");
  expect_shelved(&shelf, CALL("grown", "\"x\":4"), "18");
  expect_shelved(&shelf, CALL("grown", "\"x\":4,\"by\":1"), "9");
  expect_shelved(&shelf, CALL("grown", "\"x\":4,\"by\":null"), "8");
  expect_shelved(&shelf,
                 CALL("grown", "\"x\":4,\"or\":"
                               "100"),
                 "118");
  expect_shelved(&shelf,
                 "{" NODE("a", "grown", "\"x\":1") "}," NODE("b", "grown", "\"x\":" FROM("a") ",\"by\":" FROM("a"))
                     RESULT "}",
                 "36");
  arena_free(arena);
}

static void namespaces_say_whose_process(void **state)
{
  struct arena *arena = arena_new(0);
  struct shelf shelf = users_shelf(arena);
  (void)state;
  put(arena, &shelf, DEFINE("pi", "", NODE("three", "constant", "\"x\":3") RESULT));
#define SPACED(space) "{\"a\":{\"process_id\":\"pi\",\"namespace\":" space ",\"arguments\":{},\"result\":true}}"
  expect_shelved(&shelf, SPACED("\"user\""), "3");
  expect_shelved(&shelf, SPACED("\"backend\""), "3.141592653589793");
  expect_shelved(&shelf, SPACED("null"), "3"); /* a user's own comes first */
  expect_failure(&shelf, SPACED("\"https://somewhere.else\""), "ProcessUnsupported", "a", "");
  expect_failure(&shelf, SPACED("7"), "ProcessGraphInvalid", "a", "");
  expect_failure(&shelf,
                 "{\"a\":{\"process_id\":\"twice\",\"namespace\":\"backend\",\"arguments\":{\"x\":1},\"result\":true}}",
                 "ProcessUnsupported", "a", "");
  struct lowered l = lower_text(SPACED("\"user\""));
  assert_string_equal(l.error.code, "ProcessUnsupported");
  assert_non_null(strstr(l.error.message, "'user'"));
  arena_free(l.arena);
  arena_free(arena);
}

static void arguments_of_definitions_are_checked(void **state)
{
  struct arena *arena = arena_new(0);
  struct shelf shelf = users_shelf(arena);
  (void)state;
  expect_failure(&shelf, CALL("twice", "\"x\":\"4\""), "ProcessParameterInvalid", "a", "x");
  expect_failure(&shelf, CALL("twice", ""), "ProcessParameterRequired", "a", "x");
  expect_failure(&shelf, CALL("twice", "\"x\":1,\"y\":1"), "ProcessParameterUnsupported", "a", "y");
  expect_failure(
      &shelf, "{" NODE("t", "text_concat", "\"data\":[\"a\"]") "}," NODE("b", "twice", "\"x\":" FROM("t")) RESULT "}",
      "ProcessParameterInvalid", "b", "x");
  arena_free(arena);
}

static void errors_name_the_path(void **state)
{
  struct arena *arena = arena_new(0);
  struct shelf shelf = users_shelf(arena);
  (void)state;
  put(arena, &shelf, DEFINE("broken", "", NODE("n", "nowhere", "") RESULT));
  put(arena, &shelf,
      DEFINE("element", "{\"name\":\"at\",\"schema\":{}}",
             NODE("e", "array_element", "\"data\":[1],\"index\":" PARAMETER("at")) RESULT));
  put(arena, &shelf, DEFINE("outer", "", NODE("i", "element", "\"at\":5") RESULT));
  put(arena, &shelf, DEFINE("mistyped", "", NODE("i", "twice", "\"x\":[]") RESULT));
  expect_failure(&shelf, CALL("broken", ""), "ProcessUnsupported", "a/n", "");
  expect_failure(&shelf, CALL("element", "\"at\":5"), "ArrayElementNotAvailable", "a/e", "index");
  expect_failure(&shelf, CALL("element", "\"at\":\"x\""), "ProcessParameterInvalid", "a/e", "index");
  expect_failure(&shelf, CALL("outer", ""), "ArrayElementNotAvailable", "a/i/e", "index");
  expect_failure(&shelf, CALL("mistyped", ""), "ProcessParameterInvalid", "a/i", "x");
#define CUBE                                                                                                           \
  "{\"type\":\"datacube\",\"dimensions\":[{\"name\":\"x\",\"type\":\"other\",\"values\":[1,2]}],\"data\":[1,2]}"
#define REDUCE(graph)                                                                                                  \
  "{" NODE("r", "reduce_dimension",                                                                                    \
           "\"data\":" CUBE ",\"dimension\":\"x\",\"reducer\":{\"process_graph\":{" graph "}}") RESULT "}"
  expect_failure(&shelf, REDUCE(NODE("f", "array_element", "\"data\":" PARAMETER("data") ",\"index\":9") RESULT),
                 "ArrayElementNotAvailable", "r/reducer/f", "index");
  expect_failure(&shelf, REDUCE(NODE("f", "nowhere", "") RESULT), "ProcessUnsupported", "r/reducer/f", "");
  expect_failure(&shelf, REDUCE(NODE("f", "add", "\"x\":1,\"y\":\"z\"") RESULT), "ProcessParameterInvalid",
                 "r/reducer/f", "y");
  expect_failure(&shelf, REDUCE("\"f\":1"), "ProcessGraphInvalid", "r/reducer/f", "");
  expect_failure(&shelf, REDUCE(NODE("f", "broken", "") RESULT), "ProcessUnsupported", "r/reducer/f/n", "");
  expect_failure(&shelf, REDUCE(""), "ProcessGraphMissing", "r", "reducer");
  arena_free(arena);
}

static void recursion_is_refused(void **state)
{
  struct arena *arena = arena_new(0);
  struct shelf shelf = {.space = "user"};
  (void)state;
  put(arena, &shelf, DEFINE("ouroboros", "", NODE("tail", "ouroboros", "") RESULT));
  put(arena, &shelf, DEFINE("hen", "", NODE("lays", "egg", "") RESULT));
  put(arena, &shelf, DEFINE("egg", "", NODE("hatches", "hen", "") RESULT));
  expect_failure(&shelf, CALL("ouroboros", ""), "ProcessGraphInvalid", "a/tail", "");
  expect_failure(&shelf, CALL("hen", ""), "ProcessGraphInvalid", "a/lays/hatches", "");
  arena_free(arena);
}

/* A default that is a graph is used as if the caller had written it, and sees its own parameters alone. */
static void defaults_may_be_graphs(void **state)
{
  struct arena *arena = arena_new(0);
  struct shelf shelf = users_shelf(arena);
  (void)state;
#define CALLBACK(more)                                                                                                 \
  "{\"name\":\"f\",\"schema\":{\"type\":\"object\",\"subtype\":\"process-graph\",\"parameters\":[{\"name\":\"x\","     \
  "\"schema\":{}}]}" more "}"
#define GRAPH(nodes) "{\"process_graph\":{" nodes "}}"
#define EACH NODE("e", "array_apply", "\"data\":[1,2],\"process\":" PARAMETER("f")) RESULT
#define DEFAULT(nodes) CALLBACK(",\"optional\":true,\"default\":" GRAPH(nodes))
  const char *negative = GRAPH(NODE("m", "multiply", "\"x\":-1,\"y\":" PARAMETER("x")) RESULT);
  put(arena, &shelf, DEFINE("each", DEFAULT(NODE("t", "twice", "\"x\":" PARAMETER("x")) RESULT), EACH));
  expect_shelved(&shelf, CALL("each", ""), "[2,4]");
  expect_shelved(&shelf, CALL("each", "\"f\":null"), "[2,4]");
  expect_shelved(&shelf, arena_printf(arena, CALL("each", "\"f\":%s"), negative), "[-1,-2]");
  const char *both = NODE("a", "each", "") "}," NODE("b", "each", "") "},";
  const char *joined = NODE("c", "array_concat", "\"array1\":" FROM("a") ",\"array2\":" FROM("b")) RESULT;
  expect_shelved(&shelf, arena_printf(arena, "{%s%s}", both, joined), "[2,4,2,4]");
  /* handed on, given or left out */
  put(arena, &shelf,
      DEFINE("outer", CALLBACK(",\"optional\":true"), NODE("o", "each", "\"f\":" PARAMETER("f")) RESULT));
  expect_shelved(&shelf, CALL("outer", ""), "[2,4]");
  expect_shelved(&shelf, arena_printf(arena, CALL("outer", "\"f\":%s"), negative), "[-1,-2]");
  /* of the graph that is run */
  expect_shelved(&shelf, DEFINE("top", DEFAULT(NODE("t", "twice", "\"x\":" PARAMETER("x")) RESULT), EACH), "[2,4]");
  put(arena, &shelf, DEFINE("lost", DEFAULT(NODE("t", "twice", "\"x\":" PARAMETER("y")) RESULT), EACH));
  expect_failure(&shelf, CALL("lost", ""), "ProcessParameterMissing", "a/f/t", "");
  put(arena, &shelf, DEFINE("curl", DEFAULT(NODE("t", "curl", "") RESULT), EACH));
  expect_failure(&shelf, CALL("curl", ""), "ProcessGraphInvalid", "a/f/t", "");
  put(arena, &shelf, DEFINE("deep", DEFAULT(NODE("t", "array_element", "\"data\":[],\"index\":7") RESULT), EACH));
  expect_failure(&shelf, CALL("deep", ""), "ArrayElementNotAvailable", "a/e/f/t", "index");
  arena_free(arena);
}

static void wrong_default_graphs_are_refused(void **state)
{
  static const struct {
    const char *json, *code;
  } cases[] = {
      {DEFINE("p", DEFAULT(""), EACH), "ProcessGraphMissing"},
      {DEFINE("p", DEFAULT("\"n\":1"), EACH), "ProcessGraphInvalid"},
      {DEFINE("p", NUMBER("f", ",\"default\":" GRAPH(NODE("n", "pi", "") RESULT)), NODE("n", "pi", "") RESULT),
       "ProcessParameterInvalid"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct arena *arena = arena_new(0);
    struct process_entry entry;
    struct error error = {0};
    assert_int_equal(process_define(arena, cases[i].json, strlen(cases[i].json), &entry, &error), -1);
    assert_string_equal(error.code, cases[i].code);
    arena_free(arena);
  }
}

/* p0 … p15 fit; each calls the one before twice, and is bound once. */
static void definitions_nest(void **state)
{
  struct arena *arena = arena_new(0);
  struct shelf shelf = {.space = "user"};
  (void)state;
  put(arena, &shelf, DEFINE("p0", "", NODE("one", "constant", "\"x\":1") RESULT));
  for (size_t i = 1; i <= 16; i++)
    put(arena, &shelf,
        arena_printf(arena,
                     DEFINE("p%zu", "",
                            NODE("a", "p%zu", "") "}," NODE("b", "p%zu", "") "}," NODE(
                                "s", "add", "\"x\":" FROM("a") ",\"y\":" FROM("b")) RESULT),
                     i, i - 1, i - 1));
  expect_shelved(&shelf, CALL("p10", ""), "1024");
  struct lowered l = lower_shelved(&shelf, CALL("p16", ""));
  assert_string_equal(l.error.code, "ProcessGraphComplexity");
  arena_free(l.arena);
  arena_free(arena);
}

static size_t questions;

/* Every id is a process of the user's that is 1, but for the built-in one that it calls, and one that is not to be had.
 */
static const struct process_entry *find_anything(void *context, struct arena *arena, const char *space, const char *id,
                                                 struct error *error)
{
  struct process_entry *entry = ARENA_NEW(arena, struct process_entry);
  (void)context;
  questions++;
  if (strcmp(id, "constant") == 0)
    return NULL;
  if (strcmp(space, "user") != 0 || strcmp(id, "lost") == 0) {
    error_set(error, ERROR_StorageFailure, "the shelf is empty");
    return NULL;
  }
  const char *json = arena_printf(arena, DEFINE("%s", "", NODE("n", "constant", "\"x\":1") RESULT), id);
  assert_int_equal(process_define(arena, json, strlen(json), entry, error), 0);
  return entry;
}

/* A graph that uses p0 … p<n - 1>, each `times` times, then `last`. */
static struct lowered bind_many(size_t n, size_t times, const char *last)
{
  struct lowered l = {.arena = arena_new(0)};
  const struct graph_options options = {.lookup = {.find = find_anything}};
  const struct graph *graph;
  const struct bound *bound;
  struct buffer text = {0};
  buffer_text(&text, "{");
  for (size_t i = 0; i < n * times; i++)
    buffer_printf(&text, NODE("n%zu", "p%zu", "") "},", i, i % n);
  buffer_printf(&text, NODE("last", "%s", "") RESULT "}", last);
  questions = 0;
  l.status = graph_parse(l.arena, text.data, text.length, false, &graph, &l.error);
  if (l.status == 0)
    l.status = graph_bind(l.arena, graph, &options, &bound, &l.error);
  buffer_free(&text);
  return l;
}

static void look_ups_are_few(void **state)
{
  (void)state;
  struct lowered l = bind_many(20, 50, "p3");
  assert_int_equal(l.status, 0);
  assert_int_equal(questions, 21); /* "constant" may be the user's own, too */
  arena_free(l.arena);
  l = bind_many(998, 1, "p998"); /* with "constant" as many as may be */
  assert_int_equal(l.status, 0);
  arena_free(l.arena);
  l = bind_many(999, 1, "p999");
  assert_string_equal(l.error.code, "ProcessGraphComplexity");
  assert_string_equal(l.error.node, "last");
  arena_free(l.arena);
  l = bind_many(2, 1, "lost");
  assert_string_equal(l.error.code, "StorageFailure");
  assert_string_equal(l.error.node, "last");
  arena_free(l.arena);
}

/* ---- parameters of a posted process ----------------------------------------------------------------------------- */

#define POSTED                                                                                                         \
  "{\"process_graph\":{" NODE("a", "add", "\"x\":" PARAMETER("p") ",\"y\":" PARAMETER("q")) RESULT                     \
      "},\"parameters\":["                                                                                             \
      "{\"name\":\"p\",\"schema\":{\"type\":\"integer\",\"minimum\":0}},{\"name\":\"q\",\"schema\":{\"type\":"         \
      "\"number\"},\"optional\":true,\"default\":10}]}"

static void expect_posted(const struct graph_parameter *given, size_t count, const char *code, const char *parameter)
{
  struct lowered l = lower_with(POSTED, strlen(POSTED), given, count);
  assert_string_equal(l.error.code, code);
  assert_string_equal(l.error.parameter, parameter);
  arena_free(l.arena);
}

static void count_error(void *data, const struct error *error)
{
  struct buffer *codes = data;
  buffer_printf(codes, "%s(%s,%s) ", error->code, error->node, error->parameter);
}

static void posted_parameters_are_honoured(void **state)
{
  (void)state;
  expect_posted(&(struct graph_parameter){"p", "3", false}, 1, "", "");
  expect_posted(&(struct graph_parameter){"p", "3.5", false}, 1, "ProcessParameterInvalid", "p");
  expect_posted(&(struct graph_parameter){"p", "-1", false}, 1, "ProcessParameterInvalid", "p");
  expect_posted(NULL, 0, "ProcessParameterMissing", "p");
  expect_posted((const struct graph_parameter[]){{"p", "1", false}, {"z", "1", false}}, 2,
                "ProcessParameterUnsupported", "z");
  struct buffer codes = {0};
  buffer_text(&codes, "");
  graph_validate(POSTED, strlen(POSTED), &(struct graph_options){0}, count_error,
                 &codes); /* a value is not needed to validate */
  assert_int_equal(codes.length, 0);
  static const char twofold[] =
      "{\"process_graph\":{" NODE("a", "pi", "") RESULT "},\"parameters\":[{\"name\":\"p\"},{\"name\":\"p\"}]}";
  expect_error(twofold, "ProcessGraphInvalid", "'p'", "p");
  buffer_free(&codes);
}

/* ---- validation ------------------------------------------------------------------------------------------------- */

static void validation_finds_wrong_constants_everywhere(void **state)
{
  static const char text[] =
      "{" NODE("a", "add", "\"x\":\"1\",\"y\":[2]") "}," NODE("b", "sort", "\"data\":[1],\"asc\":7") "}," NODE(
          "c", "reduce_dimension",
          "\"data\":" CUBE
          ",\"dimension\":5,\"reducer\":{\"process_graph\":{" NODE("m", "mean", "\"data\":3,\"ignore_nodata\":\"no\"")
              RESULT "}}") RESULT "}";
  struct buffer codes = {0};
  (void)state;
  graph_validate(text, strlen(text), &(struct graph_options){.official_encoding = true}, count_error, &codes);
  assert_string_equal(codes.data,
                      "ProcessParameterInvalid(a,x) ProcessParameterInvalid(a,y) ProcessParameterInvalid(b,asc) "
                      "ProcessParameterInvalid(c,dimension) ProcessParameterInvalid(c/reducer/m,data) "
                      "ProcessParameterInvalid(c/reducer/m,ignore_nodata) ");
  buffer_free(&codes);
}

static void count_only(void *data, const struct error *error)
{
  (void)error;
  ++*(size_t *)data;
}

static void reported_errors_have_a_limit(void **state)
{
  (void)state;
  for (size_t n = GRAPH_MAX_ERRORS; n <= GRAPH_MAX_ERRORS + 1; n++) {
    struct buffer text = {0};
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
      buffer_printf(&text, "%s\"n%zu\":{\"process_id\":\"nowhere\",\"arguments\":{}%s}", i ? "," : "{", i,
                    i ? "" : ",\"result\":true");
    buffer_text(&text, "}");
    graph_validate(text.data, text.length, &(struct graph_options){0}, count_only, &found);
    assert_int_equal(found, GRAPH_MAX_ERRORS);
    buffer_free(&text);
  }
}

/* ---- the graphs of the official specs --------------------------------------------------------------------------- */

static uint64_t random_state = 20240607;

static unsigned random_below(unsigned n)
{
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(random_state >> 33) % n;
}

static void random_scalar(const struct schema *schema, bool nulls, struct json_writer *w)
{
  static const double numbers[] = {0, 1, -1, 2, 0.5, -0.25, 3, 7, 12.5, -8, 100, 0.75};
  unsigned types = schema ? schema->types : 0;
  for (size_t i = 0; schema && schema->alternative_count > 0 && i < schema->alternative_count; i++)
    types |= schema->alternatives[i].types;
  bool number = types == 0 || (types & (TYPE_NUMBER | TYPE_INTEGER));
  if (nulls && random_below(5) == 0 && (types == 0 || (types & TYPE_NULL)))
    json_write_null(w);
  else if ((types & TYPE_BOOLEAN) && (!number || random_below(3) == 0))
    json_write_bool(w, random_below(2) == 1);
  else
    json_write_number(w, numbers[random_below((types & TYPE_NUMBER) || types == 0 ? 12 : 4)]);
}

static void random_array(const struct schema *schema, struct json_writer *w)
{
  const struct schema *items = schema->alternative_count > 0 ? schema->alternatives[0].items : schema->items;
  json_write_array(w);
  for (unsigned left = random_below(7); left > 0; left--)
    random_scalar(items, true, w);
  json_end_array(w);
}

static bool takes_array(const struct parameter *p)
{
  return p->schema && ((p->schema->types & TYPE_ARRAY) ||
                       (p->schema->alternative_count > 0 && (p->schema->alternatives[0].types & TYPE_ARRAY)));
}

/* Arguments that fit the signature: JSON text of the object. */
static void random_arguments(const struct signature *signature, struct buffer *out)
{
  struct json_writer w = {.out = out};
  json_write_object(&w);
  for (size_t i = 0; i < signature->count; i++) {
    const struct parameter *p = &signature->parameters[i];
    if (p->optional && random_below(2) == 0)
      continue;
    json_key(&w, p->name);
    if (takes_array(p))
      random_array(p->schema, &w);
    else
      random_scalar(p->schema, true, &w);
  }
  json_end_object(&w);
}

static bool close_enough(const struct value *a, const struct value *b)
{
  if (a->kind == VALUE_ARRAY && b->kind == VALUE_ARRAY) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
      same = close_enough(&a->items[i], &b->items[i]);
    return same;
  }
  if (a->kind != VALUE_NUMBER || b->kind != VALUE_NUMBER)
    return value_equal(a, b);
  if (!isfinite(a->number) || !isfinite(b->number))
    return isnan(a->number) ? isnan(b->number) : a->number == b->number;
  return fabs(a->number - b->number) <= 1e-12 * fmax(1, fmax(fabs(a->number), fabs(b->number)));
}

static struct lowered use(struct shelf *shelf, const char *space, const char *id, const char *arguments)
{
  char text[4096];
  snprintf(text, sizeof text, "{\"n\":{\"process_id\":\"%s\",\"namespace\":\"%s\",\"arguments\":%s,\"result\":true}}",
           id, space, arguments);
  return lower_shelved(shelf, text);
}

static void write_result(const struct lowered *l, struct buffer *out)
{
  if (l->status != 0)
    buffer_printf(out, "%s %s", l->error.node, l->error.message);
  else
    value_write(&l->outcome.value, &(struct json_writer){.out = out});
}

/* Graphs that do not do what their own description says. Each must go on disagreeing, so that a mended one is noticed.
 */
static const struct {
  const char *id, *why;
} defective[] = {
    {"between", "exclude_max is the wrong way round"},
    {"gte", "two equal booleans give true, though they are no numbers"},
    {"linear_scale_range", "x is not clipped"},
    {"lte", "two equal booleans give true, though they are no numbers"},
    {"variance", "its callback is a process-graph instead of a process_graph"},
};

static bool is_defective(const char *id)
{
  for (size_t i = 0; i < sizeof defective / sizeof defective[0]; i++)
    if (strcmp(defective[i].id, id) == 0)
      return true;
  return false;
}

/* The number of random inputs for which the graph and the C disagree; prints the first few. */
static unsigned compare_with_c(struct shelf *shelf, const struct process_entry *entry)
{
  unsigned wrong = 0;
  for (unsigned round = 0; round < 300; round++) {
    struct buffer arguments = {0}, ours = {0}, theirs = {0};
    random_arguments(&entry->signature, &arguments);
    struct lowered graph = use(shelf, "user", entry->id, arguments.data),
                   native = use(shelf, "backend", entry->id, arguments.data);
    bool same = graph.status == native.status &&
                (graph.status != 0 ? strcmp(graph.error.code, native.error.code) == 0
                                   : close_enough(&graph.outcome.value, &native.outcome.value));
    write_result(&graph, &theirs);
    write_result(&native, &ours);
    if (!same && wrong++ < 3 && !is_defective(entry->id))
      print_message("%s %s: by the graph %s, by C %s\n", entry->id, arguments.data, theirs.data, ours.data);
    buffer_free(&arguments);
    buffer_free(&ours);
    buffer_free(&theirs);
    arena_free(graph.arena);
    arena_free(native.arena);
  }
  return wrong;
}

/* ---- the same over cubes ---------------------------------------------------------------------------------------- */

static const char cube_text[] =
    "{\"type\":\"datacube\",\"dimensions\":[{\"name\":\"k\",\"type\":\"other\",\"values\":[1,2,3,4]},{\"name\":\"x\","
    "\"type\":\"other\",\"values\":[1,2,3]}],\"data\":[[1,-2.5,null],[7,0,0.5],[null,4,-1],[12,0.25,3]]}";

/* The process over each element, or each column, of the cube: its first argument comes from there. */
static void write_over_cube(const struct process_entry *entry, const char *space, const char *arguments,
                            struct buffer *out)
{
  const struct parameter *first = &entry->signature.parameters[0];
  bool array = takes_array(first);
  const char *rest = strchr(arguments, ',') ? strchr(arguments, ',') : "}";
  buffer_printf(out, "{\"n\":{\"process_id\":\"%s\",\"arguments\":{\"data\":%s,", array ? "reduce_dimension" : "apply",
                cube_text);
  buffer_printf(out, "%s\"%s\":{\"process_graph\":{\"c\":{\"process_id\":\"%s\",\"namespace\":\"%s\",",
                array ? "\"dimension\":\"k\"," : "", array ? "reducer" : "process", entry->id, space);
  buffer_printf(out, "\"arguments\":{\"%s\":{\"from_parameter\":\"%s\"}%s,\"result\":true}}}},\"result\":true}}",
                first->name, array ? "data" : "x", rest);
}

struct elements {
  double data[16];
  size_t count;
  char code[64], message[512];
};

static void compute(struct shelf *shelf, const char *text, struct elements *out)
{
  struct lowered l = lower_shelved(shelf, text);
  const struct plan *plan;
  *out = (struct elements){0};
  if (l.status == 0)
    l.status = plan_make(l.arena, l.outcome.value.cube, &(struct plan_options){.threads = 1}, &plan, &l.error);
  if (l.status == 0) {
    struct keeping_sink sink = keeping_sink(plan_cube(plan));
    assert_int_equal(plan_run(plan, &sink.sink, NULL, NULL, &l.error), 0);
    out->count = cube_elements(plan_cube(plan));
    assert_true(out->count <= 16);
    for (size_t i = 0; i < out->count; i++)
      out->data[i] =
          plan_cube(plan)->type == ELEMENT_BOOLEAN ? sink.data[i] : ((const double *)(const void *)sink.data)[i];
    free(sink.data);
    free(sink.written);
  }
  snprintf(out->code, sizeof out->code, "%s", l.error.code);
  snprintf(out->message, sizeof out->message, "%s: %.150s", l.error.node, l.error.message);
  arena_free(l.arena);
}

static unsigned compare_over_cubes(struct shelf *shelf, const struct process_entry *entry)
{
  unsigned wrong = 0;
  for (unsigned round = 0; round < 40; round++) {
    struct buffer arguments = {0}, ours = {0}, theirs = {0};
    struct elements graph, native;
    random_arguments(&entry->signature, &arguments);
    char *array_end = strstr(arguments.data, "]"); /* the first argument is dropped, whatever it was */
    write_over_cube(entry, "user",
                    takes_array(&entry->signature.parameters[0]) && array_end ? array_end : arguments.data, &theirs);
    write_over_cube(entry, "backend",
                    takes_array(&entry->signature.parameters[0]) && array_end ? array_end : arguments.data, &ours);
    compute(shelf, theirs.data, &graph);
    compute(shelf, ours.data, &native);
    bool same = strcmp(graph.code, native.code) == 0 && graph.count == native.count;
    for (size_t i = 0; same && i < graph.count; i++)
      same = close_enough(&(struct value){.kind = VALUE_NUMBER, .number = graph.data[i]},
                          &(struct value){.kind = VALUE_NUMBER, .number = native.data[i]});
    if (!same && wrong++ < 2)
      print_message("%s: by the graph %s %s %g, by C %s %s %g: %s\n", entry->id, graph.code, graph.message,
                    graph.data[0], native.code, native.message, native.data[0], theirs.data);
    buffer_free(&arguments);
    buffer_free(&ours);
    buffer_free(&theirs);
  }
  return wrong;
}

/* ---- every spec ------------------------------------------------------------------------------------------------- */

static char *read_text(const char *path)
{
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  char *text = calloc(1, 1 << 20);
  assert_non_null(text);
  size_t length = fread(text, 1, (1 << 20) - 1, file);
  assert_true(length > 0);
  fclose(file);
  return text;
}

/* Puts every spec of the folder that has a process_graph, and C here, on the shelf. */
static void put_folder(struct arena *arena, struct shelf *shelf, const char *folder)
{
  DIR *list = opendir(folder);
  assert_non_null(list);
  for (struct dirent *file; (file = readdir(list)) != NULL;) {
    char path[1024];
    const char *dot = strrchr(file->d_name, '.');
    if (dot == NULL || strcmp(dot, ".json") != 0)
      continue;
    snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
    char *text = read_text(path);
    const char *kept = arena_strdup(arena, text);
    struct process_entry entry;
    struct error error = {0};
    free(text);
    if (process_define(arena, kept, strlen(kept), &entry, &error) != 0)
      continue; /* "process_graph" appears in a schema or an example only: it is no definition */
    const struct process_entry *known = process_table_find(entry.id);
    if (known != NULL && known->process != NULL && shelf->count < 64)
      shelf->entries[shelf->count++] = entry;
  }
  closedir(list);
}

static void official_graphs_give_what_c_gives(void **state)
{
  (void)state;
  const char *shared = getenv("TWINCUBE_SHARED");
  if (shared == NULL || shared[0] == '\0') {
    print_message("SKIPPED: TWINCUBE_SHARED is not set, the graphs of the official specs are not compared with C\n");
    skip();
  }
  static const char *const places[] = {"processes", "proposals"};
  struct arena *arena = arena_new(0);
  struct shelf shelf = {.space = "user"};
  unsigned wrong = 0;
  for (size_t i = 0; i < 2; i++) {
    char folder[512];
    snprintf(folder, sizeof folder, "%s/reference/openeo/%s", shared, places[i]);
    put_folder(arena, &shelf, folder);
  }
  assert_true(shelf.count >= 18);
  for (size_t i = 0; i < shelf.count; i++) {
    struct shelf one = {
        .space = "user", .entries = {shelf.entries[i]}, .count = 1}; /* it hides the C of this one only */
    unsigned disagree = compare_with_c(&one, &one.entries[0]);
    bool sorts =
        strcmp(one.entries[0].id, "sort") == 0; /* "rearrange" wants an order that is the same for all pixels */
    bool numbers = !sorts && one.entries[0].signature.count > 0 && one.entries[0].signature.parameters[0].schema &&
                   !(one.entries[0].signature.parameters[0].schema->types & TYPE_BOOLEAN);
    if (is_defective(one.entries[0].id)) {
      assert_true(disagree > 0);
      continue;
    }
    if (numbers)
      wrong += compare_over_cubes(&one, &one.entries[0]);
    wrong += disagree;
  }
  assert_int_equal(wrong, 0);
  arena_free(arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_definition_is_a_process),
      cmocka_unit_test(namespaces_say_whose_process),
      cmocka_unit_test(arguments_of_definitions_are_checked),
      cmocka_unit_test(errors_name_the_path),
      cmocka_unit_test(recursion_is_refused),
      cmocka_unit_test(defaults_may_be_graphs),
      cmocka_unit_test(wrong_default_graphs_are_refused),
      cmocka_unit_test(definitions_nest),
      cmocka_unit_test(look_ups_are_few),
      cmocka_unit_test(posted_parameters_are_honoured),
      cmocka_unit_test(validation_finds_wrong_constants_everywhere),
      cmocka_unit_test(reported_errors_have_a_limit),
      cmocka_unit_test(official_graphs_give_what_c_gives),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
