/* Memory that runs out: every allocation of a request fails once, and an arena of every size is too small once.
 *
 * Each time there must be an error and nothing may leak or crash. malloc and its family are replaced in this program;
 * under a sanitizer, which replaces them itself, only the arenas are made small. */
#include "graph_fixture.h"

#include "hpc/run/run.h"

#include <errno.h>

static const char graph_text[] =
    "{\"p\":{\"process_id\":\"aggregate_temporal_period\",\"arguments\":{\"data\":{\"from_node\":\"m\"},\"period\":"
    "\"month\",\"reducer\":{\"process_graph\":"
    "{\"c\":{\"process_id\":\"median\",\"arguments\":{\"data\":{\"from_parameter\":\"data\"}},\"result\":true}}}}},"
    "\"m\":{\"process_id\":\"mask\",\"arguments\":{\"data\":{\"from_node\":\"b\"},\"mask\":{\"from_node\":\"g\"}}},"
    "\"g\":{\"process_id\":\"apply\",\"arguments\":{\"data\":{\"from_node\":\"b\"},\"process\":{\"process_graph\":"
    "{\"c\":{\"process_id\":\"gt\",\"arguments\":{\"x\":{\"from_parameter\":\"x\"},\"y\":5},\"result\":true}}}}},"
    "\"b\":{\"process_id\":\"filter_bands\",\"arguments\":{\"bands\":[\"n\",\"r\"],\"data\":{\"type\":\"datacube\","
    "\"dimensions\":["
    "{\"name\":\"t\",\"type\":\"temporal\",\"values\":[\"2020-01-02\",\"2020-01-20\",\"2020-03-01\"]},"
    "{\"name\":\"b\",\"type\":\"bands\",\"values\":[\"r\",\"n\"]},{\"name\":\"x\",\"type\":\"other\",\"values\":[1,2]}]"
    ","
    "\"data\":[[[1,2],[3,4]],[[5,6],[7,8]],[[9,null],[1,2]]]}}},"
    "\"a\":{\"process_id\":\"apply_dimension\",\"arguments\":{\"data\":{\"from_node\":\"p\"},\"dimension\":\"b\","
    "\"process\":{\"process_graph\":"
    "{\"c\":{\"process_id\":\"sort\",\"arguments\":{\"data\":{\"from_parameter\":\"data\"},\"nodata\":true},\"result\":"
    "true}}}}},"
    "\"e\":{\"process_id\":\"merge_cubes\",\"arguments\":{\"cube1\":{\"from_node\":\"a\"},\"cube2\":{\"from_node\":"
    "\"p\"},\"overlap_resolver\":{\"process_graph\":"
    "{\"c\":{\"process_id\":\"max\",\"arguments\":{\"data\":[{\"from_parameter\":\"x\"},{\"from_parameter\":\"y\"}]},"
    "\"result\":true}}}},\"result\":true}}";

#if defined(__SANITIZE_ADDRESS__)
#define REPLACES_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REPLACES_MALLOC 0
#endif
#endif
#ifndef REPLACES_MALLOC
#define REPLACES_MALLOC 1
#endif

static size_t calls, fails_at = SIZE_MAX; /* allocations since the window was opened; the one that fails */
static long live;                         /* allocated and not freed in the window */
static size_t plan_calls;                 /* calls when the plan was begun */
static bool window;

#if REPLACES_MALLOC
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

static bool fails_now(void)
{
  if (!window || calls++ != fails_at)
    return false;
  errno = ENOMEM;
  return true;
}

static void *counted(void *memory)
{
  live += window && memory;
  return memory;
}

void *malloc(size_t bytes)
{
  return fails_now() ? NULL : counted(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
  return fails_now() ? NULL : counted(__libc_calloc(count, bytes));
}

void *realloc(void *memory, size_t bytes)
{
  if (fails_now())
    return NULL;
  void *moved = __libc_realloc(memory, bytes);
  live += window && moved && !memory;
  return moved;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
  return fails_now() ? NULL : counted(__libc_memalign(alignment, bytes));
}

void free(void *memory)
{
  live -= window && memory;
  __libc_free(memory);
}
#endif

static int put_nothing(struct sink *sink, const struct box *box, const void *data, struct error *error)
{
  (void)sink;
  (void)box;
  (void)data;
  (void)error;
  return 0;
}

static const struct sink_ops nothing_ops = {.put = put_nothing};

/* The whole way, in an arena of the given size. */
static int run_request(size_t arena_bytes, struct error *error)
{
  struct arena *arena = arena_new(arena_bytes);
  const struct graph *graph;
  const struct bound *bound;
  const struct plan *plan;
  const struct graph_options options = {0};
  struct outcome outcome;
  int status = arena ? 0 : error_memory(error);
  if (status == 0)
    status = graph_parse(arena, graph_text, strlen(graph_text), true, &graph, error);
  if (status == 0)
    status = graph_bind(arena, graph, &options, &bound, error);
  if (status == 0)
    status = graph_lower(arena, bound, &options, &outcome, error);
  plan_calls = calls;
  if (status == 0)
    status = plan_make(arena, outcome_result(&outcome)->node, &(struct plan_options){.threads = 1}, &plan, error);
  if (status == 0)
    status = plan_run(plan, &(struct sink){.ops = &nothing_ops}, NULL, NULL, error);
  arena_free(arena);
  return status;
}

static void every_allocation_fails_once(void **state)
{
  struct error error = {0};
  (void)state;
  if (!REPLACES_MALLOC) {
    print_message("SKIPPED: the sanitizer has its own malloc\n");
    skip();
  }
  assert_int_equal(run_request(0, &error), 0); /* what libraries keep is kept */
  window = true;
  calls = 0;
  run_request(0, &error);
  window = false;
  size_t total = calls, first_of_plan = plan_calls, step = 1 + first_of_plan / 400;
  assert_true(total > first_of_plan + 20);
  assert_int_equal(live, 0);
  for (size_t i = 0; i < total; i = i + step < first_of_plan ? i + step : i + 1) {
    struct error failed = {0};
    calls = 0;
    live = 0;
    fails_at = i;
    window = true;
    int status = run_request(0, &failed);
    window = false;
    fails_at = SIZE_MAX;
    assert_true((status == 0) != error_is_set(&failed));
    if (status == 0 && i >= first_of_plan) /* before it there is the JSON library, which gets by without some */
      fail_msg("allocation %zu of %zu failed and nobody noticed", i, total);
    if (live != 0)
      fail_msg("allocation %zu of %zu failed: %ld are left (%s)", i, total, live, failed.message);
  }
}

static void every_arena_is_too_small_once(void **state)
{
  struct error error = {0};
  size_t bytes = 64, refused = 0;
  (void)state;
  for (; run_request(bytes, &error) != 0; bytes += 48 + bytes / 256) {
    assert_true(error_is_set(&error));
    if (strcmp(error.message, "out of memory") != 0 && !error_is(&error, ERROR_ProcessGraphComplexity))
      fail_msg("an arena of %zu bytes: %s %s", bytes, error.code, error.message);
    error = (struct error){0};
    refused++;
  }
  assert_true(refused > 200);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails_once),
                                     cmocka_unit_test(every_arena_is_too_small_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
