/* Fuzzing what a request's body goes through: text to graph, graph to nodes, nodes to a plan, and small plans to
 * numbers.
 *
 * There is no catalogue and nothing is written, so every byte of a cube comes from the input itself. Byte 0 chooses how
 * far an input goes, so that the cheap steps get most of the runs: 'p' parses and binds, 'v' validates, anything else
 * goes all the way. */
#include "datacube/gdal_init.h"
#include "hpc/run/run.h"
#include "processes/graph/graph.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 64 << 20, MOST_TILES = 64, MOST_ELEMENTS = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static int drop_tile(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  (void)sink;
  (void)box;
  (void)data;
  (void)error;
  return 0;
}

static const struct sink_ops dropping_ops = {.put = drop_tile};

static void count_error(void *data, const struct error *error)
{
  if (error->code[0] == '\0' || error->message[0] == '\0')
    abort(); /* an error says something */
  ++*(size_t *)data;
}

static void run_plan(const struct plan *plan, struct error *error)
{
  struct sink sink = {.ops = &dropping_ops};
  struct buffer text = {0};
  plan_print(plan, &text);
  buffer_free(&text);
  if (plan_tiles(plan) <= MOST_TILES && cube_elements(plan_cube(plan)) <= MOST_ELEMENTS &&
      plan_read_bytes(plan) < MOST_ELEMENTS * 8)
    plan_run(plan, &sink, NULL, NULL, error);
}

static void run_graph(struct arena *arena, const char *text, size_t size, bool bind_only, struct error *error)
{
  static const struct graph_parameter parameters[] = {{"a", "1", false}, {"b", "[1, null, 3]", false}};
  static const struct graph_options given = {.parameters = parameters, .parameter_count = 2, .official_encoding = true};
  const struct plan_options options = {.memory = (size_t)128 << 20, .threads = 1};
  const struct graph *graph;
  const struct bound *bound;
  const struct plan *plan;
  struct outcome outcome;
  if (graph_parse(arena, text, size, true, &graph, error) != 0 ||
      graph_bind(arena, graph, &given, &bound, error) != 0 || bind_only ||
      graph_lower(arena, bound, &given, &outcome, error) != 0)
    return;
  if (!outcome.is_value && plan_make(arena, outcome_result(&outcome)->node, &options, &plan, error) == 0)
    run_plan(plan, error);
  else if (outcome.is_value) {
    struct buffer json = {.limit = ARENA_BYTES};
    value_write(&outcome.value, &(struct json_writer){.out = &json});
    buffer_free(&json);
  }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc;
  (void)argv;
  gdal_init();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct error error = {0};
  size_t errors = 0;
  if (size > 0 && data[0] == 'v') {
    graph_validate((const char *)data + 1, size - 1, &(struct graph_options){.official_encoding = true}, count_error,
                   &errors);
    return 0;
  }
  bool bind_only = size > 0 && data[0] == 'p';
  struct arena *arena = arena_new(ARENA_BYTES);
  run_graph(arena, (const char *)data + bind_only, size - bind_only, bind_only, &error);
  if (error.code[0] != '\0' && error.message[0] == '\0')
    abort();
  arena_free(arena);
  return 0;
}
