/* Runs that are remembered: the same request again gives the same file, another one its own. */
#include "graph_fixture.h"

#include "datacube/gdal_init.h"
#include "processes/execute.h"

#include <unistd.h>

#define GRAPH(label, reducer)                                                                                          \
  "{\"r\":{\"process_id\":\"rename_labels\",\"arguments\":{\"data\":{\"type\":\"datacube\",\"dimensions\":["           \
  "{\"name\":\"b\",\"type\":\"bands\",\"values\":[\"x\",\"y\"]},{\"name\":\"k\",\"type\":\"other\",\"values\":[1,2,3]" \
  "}],"                                                                                                                \
  "\"data\":[[1,2,3],[4,5,9]]},\"dimension\":\"b\",\"target\":[\"" label "\",\"q\"],\"source\":[\"x\",\"y\"]}},"       \
  "\"m\":{\"process_id\":\"reduce_dimension\",\"arguments\":{\"data\":{\"from_node\":\"r\"},\"dimension\":\"k\","      \
  "\"reducer\":{\"process_graph\":{\"c\":{\"process_id\":\"" reducer "\",\"arguments\":{\"data\":"                     \
  "{\"from_parameter\":\"data\"}},\"result\":true}}}},\"result\":true}}"

static struct hash key_of(const char *text)
{
  struct lowered l = lower_text(text);
  assert_int_equal(l.status, 0);
  struct plan_output output = {.node = outcome_result(&l.outcome)->node};
  struct hash key = plan_key(&output, 1, &(struct plan_options){.threads = 1});
  arena_free(l.arena);
  return key;
}

static void keys_tell_requests_apart(void **state)
{
  (void)state;
  assert_true(hash_equal(key_of(GRAPH("p", "sum")), key_of(GRAPH("p", "sum"))));
  assert_false(hash_equal(key_of(GRAPH("p", "sum")), key_of(GRAPH("o", "sum")))); /* a label */
  assert_false(hash_equal(key_of(GRAPH("p", "sum")), key_of(GRAPH("p", "max"))));
}

/* The text of the file that the graph makes; tiles: done and planned at the end. */
static char *make(struct plan_cache *cache, const char *graph, size_t tiles[2])
{
  char path[] = "/tmp/plan_cache_XXXXXX.json";
  struct run_progress progress = {0};
  struct execution_result result;
  struct error error = {0};
  int file = mkstemps(path, 5);
  assert_true(file >= 0);
  close(file);
  const struct execution execution = {.graph = graph,
                                      .graph_length = strlen(graph),
                                      .threads = 1,
                                      .output = path,
                                      .official_encoding = true,
                                      .cache = cache,
                                      .progress = &progress};
  if (execute(&execution, &result, &error) != 0)
    fail_msg("%s %s", error.code, error.message);
  execution_result_free(&result);
  tiles[0] = atomic_load(&progress.tiles_done);
  tiles[1] = progress.tiles;
  char *text = calloc(1, 4096);
  FILE *stream = fopen(path, "re");
  assert_non_null(stream);
  assert_true(fread(text, 1, 4095, stream) > 0);
  fclose(stream);
  unlink(path);
  return text;
}

static void a_request_again_gives_the_same(void **state)
{
  (void)state;
  struct plan_cache *cache = plan_cache_new();
  size_t tiles[2];
  const char *const graphs[] = {GRAPH("p", "sum"), GRAPH("o", "sum"), GRAPH("p", "max")};
  for (size_t round = 0; round < 3; round++)
    for (size_t i = 0; i < 3; i++) {
      char *alone = make(NULL, graphs[i], tiles), *cached = make(cache, graphs[i], tiles);
      assert_string_equal(cached, alone);
      assert_int_equal(tiles[0], tiles[1]);
      free(alone);
      free(cached);
    }
  struct cached_run run;
  struct hash none = {1, 2};
  assert_false(plan_cache_take(cache, none, &run));
  plan_cache_free(cache);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(keys_tell_requests_apart),
                                     cmocka_unit_test(a_request_again_gives_the_same)};
  gdal_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
