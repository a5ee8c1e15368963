/* Frames against sums by hand: several inputs, shared ones, parts of results, chains, threads, cancelling. */
#include "hpc_stage_fixture.h"

#include "hpc/stage/frame_stage.h"

struct weighing { /* weight * (sum of the first input's frame) + the second's, for each of its y */
  size_t y, x, weight;
  int (*extra)(const struct frame_job *job, struct error *error);
};

static size_t weighing_bytes(const void *data)
{
  return ((const struct weighing *)data)->y * sizeof(double);
}

static int weighing_open(const void *data, void **work, struct error *error)
{
  *work = calloc(((const struct weighing *)data)->y, sizeof(double));
  return *work ? 0 : error_memory(error);
}

static int weighing_compute(const void *data, const struct frame_job *job, struct error *error)
{
  const struct weighing *w = data;
  double *rows = job->work;
  for (size_t y = 0; y < w->y; y++) {
    rows[y] = job->inputs[1] ? (double)((const float *)job->inputs[1])[y] : 0;
    for (size_t x = 0; x < w->x; x++) {
      double value = (double)((const float *)job->inputs[0])[y * w->x + x];
      rows[y] += isnan(value) ? 0 : (double)w->weight * value;
    }
    ((float *)job->output)[y] = (float)rows[y];
  }
  return w->extra ? w->extra(job, error) : 0;
}

static void weighing_close(void *work)
{
  free(work);
}

static const struct frame_ops weighing_ops = {.name = "weighing",
                                              .bytes = weighing_bytes,
                                              .open = weighing_open,
                                              .compute = weighing_compute,
                                              .close = weighing_close};

/* (t, y, x) and, where it is not NULL, (y) -> (t, y). */
static const struct node *weighed(const struct case_maker *c, const struct node *a, const struct node *b,
                                  const struct weighing *weighing)
{
  struct cube *cube = copied_cube(c, a);
  const struct node *inputs[] = {a, b};
  struct weighing *data = arena_copy(c->arena, weighing, sizeof *weighing);
  data->y = a->cube->dimension[1].size;
  data->x = a->cube->dimension[2].size;
  cube->dimensions = 2;
  struct frames frames = {
      .ops = &weighing_ops, .data = data, .leading = 1, .to_output = {{0, -1, -1}, {-1}}, .reduces = true};
  hash_word(&frames.hash, data->weight);
  return node_frames(c->arena, from_test, cube, inputs, b ? 2 : 1, &frames);
}

static double expected_row(const struct case_maker *c, const struct node *a, size_t t, size_t y, size_t weight)
{
  size_t x_size = a->cube->dimension[2].size, y_size = a->cube->dimension[1].size;
  double sum = 0;
  (void)c;
  for (size_t x = 0; x < x_size; x++) {
    double value = counted_value((t * y_size + y) * x_size + x);
    sum += isnan(value) ? 0 : (double)weight * value;
  }
  return sum;
}

/* Of the whole and of a part of both dimensions, by one thread and by two that have met. */
static void frames_are_sums(void **state)
{
  (void)state;
  for (unsigned threads = 1; threads <= 2; threads++) {
    struct case_maker c;
    const struct node *a = make_counted(&c, 130, 3, 70), *node = weighed(&c, a, NULL, &(struct weighing){.weight = 2});
    const struct plan *plan = planned(&c, &node, 1, (struct plan_options){.threads = threads});
    unsigned char *data = run_counted(&c, plan, threads);
    assert_false(atomic_load(&c.counting->alone));
    assert_int_equal(atomic_load(&c.counting->elements), 130 * 3 * 70);
    for (size_t i = 0; i < 130 * 3; i++)
      assert_true(((float *)(void *)data)[i] == (float)expected_row(&c, a, i / 3, i % 3, 2));
    free(data);
    arena_free(c.arena);
  }
}

/* A view of some frames and one row: frames that nobody wants are not read. */
static void parts_of_frames(void **state)
{
  (void)state;
  struct case_maker c;
  const struct node *a = make_counted(&c, 9, 4, 5), *node = weighed(&c, a, NULL, &(struct weighing){.weight = 1});
  struct view_dimension view[2] = {{.out = 0, .offset = 3}, {.out = NO_DIMENSION, .fixed = 2}};
  struct cube *cube = copied_cube(&c, node);
  cube->dimensions = 1;
  cube->dimension[0].size = 4;
  const struct node *part = node_view(c.arena, from_test, node, cube, arena_copy(c.arena, view, sizeof view));
  const struct plan *plan = planned(&c, &part, 1, (struct plan_options){.threads = 1});
  unsigned char *data = run_counted(&c, plan, 0);
  assert_int_equal(atomic_load(&c.counting->elements), 4 * 4 * 5);
  for (size_t t = 0; t < 4; t++)
    assert_true(((float *)(void *)data)[t] == (float)expected_row(&c, a, 3 + t, 2, 1));
  free(data);
  arena_free(c.arena);
}

/* The second input lacks the frames' dimension: its one frame serves all. */
static void a_shared_input(void **state)
{
  (void)state;
  struct case_maker c;
  const struct node *a = make_counted(&c, 6, 4, 5);
  const struct node *b = reduced(&c, reduced(&c, a, 2, KRED_MAX), 0, KRED_MAX);
  const struct node *node = weighed(&c, a, b, &(struct weighing){.weight = 3});
  const struct node *outputs[] = {node, b};
  const struct plan *plan = planned(&c, outputs, 2, (struct plan_options){.threads = 2});
  unsigned char *data = run_counted(&c, plan, 0);
  const float *sums = (float *)(void *)data, *most = sums + 6 * 4;
  for (size_t i = 0; i < 6 * 4; i++)
    assert_true(sums[i] == (float)(expected_row(&c, a, i / 4, i % 4, 3) + (double)most[i % 4]));
  free(data);
  arena_free(c.arena);
}

/* What is kept of a chain whose frames are measured, and then compared with their mean, is what was measured. */
static void a_chain_is_read_once(void **state)
{
  (void)state;
  struct case_maker c;
  const struct node *a = make_counted(&c, 50, 4, 60), *rows = weighed(&c, a, NULL, &(struct weighing){.weight = 1});
  c.counting->source.sequential = true;
  const struct node *node = combined(&c, KOP_SUB, rows, reduced(&c, rows, 0, KRED_MEAN), 0);
  const struct plan *plan = planned(&c, &node, 1, (struct plan_options){.threads = 2});
  assert_int_equal(plan->keep_count, 1);
  assert_int_equal(cube_elements(plan->keeps[0].cube), 50 * 4);
  unsigned char *data = run_counted(&c, plan, 0);
  assert_int_equal(atomic_load(&c.counting->elements), 50 * 4 * 60);
  for (size_t y = 0; y < 4; y++) {
    double sum = 0;
    for (size_t t = 0; t < 50; t++)
      sum += (double)((float *)(void *)data)[t * 4 + y];
    assert_true(fabs(sum) < 0.1);
    double first = expected_row(&c, a, 0, y, 1) - expected_row(&c, a, 1, y, 1);
    assert_true(fabs((double)(((float *)(void *)data)[y] - ((float *)(void *)data)[4 + y]) - first) < 1e-2);
  }
  free(data);
  arena_free(c.arena);
}

static unsigned most_threads;

static int note_threads(const struct frame_job *job, struct error *error)
{
  (void)error;
  most_threads = job->threads;
  return 0;
}

/* One frame has all threads; many have one each. */
static void few_frames_have_more_threads(void **state)
{
  (void)state;
  const struct {
    size_t frames;
    unsigned threads;
  } rows[] = {{1, 4}, {512, 1}};
  for (size_t i = 0; i < 2; i++) {
    struct case_maker c;
    const struct node *a = make_counted(&c, rows[i].frames, 40, 100);
    const struct node *node = weighed(&c, a, NULL, &(struct weighing){.weight = 1, .extra = note_threads});
    const struct plan *plan = planned(&c, &node, 1, (struct plan_options){.threads = 4});
    free(run_counted(&c, plan, 0));
    assert_int_equal(most_threads, rows[i].threads);
    arena_free(c.arena);
  }
}

static volatile int cancelled;

static int cancel_all(const struct frame_job *job, struct error *error)
{
  (void)job;
  (void)error;
  cancelled = 1;
  return 0;
}

static void frames_stop_when_cancelled(void **state)
{
  (void)state;
  struct case_maker c;
  const struct node *a = make_counted(&c, 8, 3, 10);
  struct weighing weighing = {.y = 3, .x = 10, .weight = 1, .extra = cancel_all};
  struct frames frames = {
      .ops = &weighing_ops, .data = &weighing, .leading = 1, .to_output = {{0, -1, -1}}, .cancel = &cancelled};
  struct cube *cube = copied_cube(&c, a);
  cube->dimensions = 2;
  const struct node *node = node_frames(c.arena, from_test, cube, &a, 1, &frames);
  const struct plan *plan = planned(&c, &node, 1, (struct plan_options){.threads = 1});
  struct keeping_sink sink = keeping_sink(plan_cube(plan));
  struct error error = {0};
  assert_int_equal(plan_run(plan, &sink.sink, NULL, NULL, &error), -1);
  assert_string_equal(error.code, "RequestTimeout");
  assert_int_equal(atomic_load(&c.counting->elements), 30);
  free(sink.data);
  free(sink.written);
  arena_free(c.arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(frames_are_sums),
                                     cmocka_unit_test(parts_of_frames),
                                     cmocka_unit_test(a_shared_input),
                                     cmocka_unit_test(a_chain_is_read_once),
                                     cmocka_unit_test(few_frames_have_more_threads),
                                     cmocka_unit_test(frames_stop_when_cancelled)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
