/* Equal bits on one thread and on two that really run, also where memory forces small parts. Sums of fractions depend
 * on their order: here it shows. */
#include "hpc_stage_fixture.h"

#include "hpc/stage/chunk_stage.h"
#include "hpc/stage/zones_stage.h"

static const size_t program_bytes = (size_t)96 << 20; /* what the planner reserves beside the tiles */

/* NULL where the memory is too little. */
static const struct plan *planned_in(const struct case_maker *c, const struct node *node, size_t bytes)
{
  const struct plan_output output = {.node = node};
  const struct plan_options options = {.threads = 1, .memory = program_bytes + bytes};
  const struct plan *plan;
  struct error error = {0};
  return plan_make_outputs(c->arena, &output, 1, &options, &plan, &error) == 0 ? plan : NULL;
}

/* A plan of more tiles in as little memory as doubling finds, and halving where that is enough for large tiles. */
static const struct plan *squeezed(const struct case_maker *c, const struct node *node, size_t tiles)
{
  const struct plan *least = NULL;
  size_t few = 1 << 11, enough = few;
  while (!(least = planned_in(c, node, enough *= 2)))
    few = enough;
  while (plan_tiles(least) <= tiles && enough - few > 1) {
    const size_t middle = few + (enough - few) / 2;
    const struct plan *plan = planned_in(c, node, middle);
    least = plan ? plan : least;
    *(plan ? &enough : &few) = middle;
  }
  return least;
}

/* The elements of a run on one thread, for checks; the caller frees them. */
static unsigned char *same_bits_everywhere(const struct case_maker *c, const struct node *node)
{
  const struct plan *one = planned(c, &node, 1, (struct plan_options){.threads = 1});
  const struct plan *two = planned(c, &node, 1, (struct plan_options){.threads = 2});
  const struct plan *small = squeezed(c, node, plan_tiles(one));
  struct plan_options options = {.threads = 2, .memory = small->memory};
  const struct plan *double_memory = planned(c, &node, 1, (options.memory += small->memory - program_bytes, options));
  const struct plan *others[] = {two, small, double_memory};
  unsigned char *first = run_counted(c, one, 0);
  assert_int_equal(plan_threads(two), 2);
  assert_true(plan_tiles(small) > plan_tiles(one));
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    bool meet = others[i] == two;
    unsigned char *data = run_counted(c, others[i], meet ? 2 : 0);
    assert_false(atomic_load(&c->counting->alone));
    assert_true(!meet || atomic_load(&c->counting->arrived) >= 2);
    assert_memory_equal(data, first, cube_bytes(node->cube));
    free(data);
  }
  return first;
}

static void finish(const struct case_maker *c, unsigned char *data)
{
  free(data);
  arena_free(c->arena);
}

static void a_share_of_the_maximum(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 6, 440, 440);
  (void)state;
  finish(&c,
         same_bits_everywhere(&c, combined(&c, KOP_DIV, x, reduced(&c, reduced(&c, x, 2, KRED_MAX), 1, KRED_MAX), 1)));
}

static void standardised(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 6, 440, 440), *mean = reduced(&c, reduced(&c, x, 2, KRED_MEAN), 1, KRED_MEAN);
  const struct node *spread = reduced(&c, reduced(&c, x, 2, KRED_SD), 1, KRED_MEAN);
  (void)state;
  finish(&c, same_bits_everywhere(&c, combined(&c, KOP_DIV, combined(&c, KOP_SUB, x, mean, 1), spread, 1)));
}

/* Mean and deviation of 5 x 7 pixels. */
static void windows(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 5, 400, 420);
  struct kernel_input *input = ARENA_NEW(c.arena, struct kernel_input);
  struct program *p = program_new(c.arena);
  (void)state;
  *input = (struct kernel_input){.node = x, .array_dimension = NO_DIMENSION, .to_output = {0, 1, 2}, .window_count = 2};
  input->window[0] = (struct window){.dimension = 1, .before = 2, .length = 5, .border = BORDER_REFLECT};
  input->window[1] = (struct window){.dimension = 2, .before = 3, .length = 7, .border = BORDER_WRAP};
  struct lanes array = program_input(p, 0, true, 35, ELEMENT_F32, NULL);
  struct lanes value = program_binary(p, KOP_DIV, program_reduce(p, KRED_MEAN, array, (const double[]){1}, 1),
                                      program_reduce(p, KRED_SD, array, (const double[]){1}, 1));
  finish(&c, same_bits_everywhere(
                 &c, node_kernel(c.arena, from_test, copied_cube(&c, x), input, 1, p, value, NO_DIMENSION)));
}

/* ---- zones --------------------------------------------------------------------------------------------------------
 */

struct statistics {
  struct arena *arena;
  bool median;
};

/* (mean or median) - sd of all that is not missing */
static int make_statistics(void *context, size_t length, struct zonal_program *out, struct error *error)
{
  const struct statistics *s = context;
  struct program *p = program_new(s->arena);
  struct lanes array = program_input(p, 0, true, length, ELEMENT_F32, NULL);
  struct lanes middle = program_reduce(p, s->median ? KRED_MEDIAN : KRED_MEAN, array, (const double[]){1}, 1);
  *out = (struct zonal_program){
      p, program_binary(p, KOP_SUB, middle, program_reduce(p, KRED_SD, array, (const double[]){1}, 1))};
  return program_failed(p) ? program_error(p, error) : 0;
}

/* Zone 0 is everything, 1 a slanted band over the squares' edges, 2 nothing, 3 … single rows. */
static const struct zones *some_zones(struct arena *arena, size_t height, size_t width, size_t count)
{
  struct zones *zones = ARENA_NEW(arena, struct zones);
  struct zone_span *runs = ARENA_ARRAY(arena, struct zone_span, 3 * height);
  *zones = (struct zones){.count = count, .runs = runs};
  for (size_t row = 0; row < height; row++) {
    runs[zones->run_count++] = (struct zone_span){0, row, 0, width};
    runs[zones->run_count++] = (struct zone_span){1, row, row / 2, row / 2 + 250};
    if (row >= 3 && row < count)
      runs[zones->run_count++] = (struct zone_span){(uint32_t)row, row, row, row + 1};
  }
  return zones;
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The statistics of a zone in plain double. */
static double plain_statistics(const struct case_maker *c, const struct zones *zones, size_t t, size_t zone,
                               bool median)
{
  const struct cube *cube = &c->counting->source.cube;
  size_t height = cube->dimension[1].size, width = cube->dimension[2].size, n = 0;
  double *v = malloc(height * width * sizeof *v), sum = 0, squares = 0;
  for (size_t i = 0; i < zones->run_count; i++)
    for (size_t x = zones->runs[i].first; zones->runs[i].zone == zone && x < zones->runs[i].last; x++) {
      double value = counted_value((t * height + zones->runs[i].row) * width + x);
      if (!isnan(value))
        v[n++] = value;
    }
  for (size_t i = 0; i < n; i++)
    sum += v[i];
  for (size_t i = 0; i < n; i++)
    squares += (v[i] - sum / (double)n) * (v[i] - sum / (double)n);
  qsort(v, n, sizeof *v, ascending);
  double middle = median ? (n ? (v[(n - 1) / 2] + v[n / 2]) / 2 : NAN) : sum / (double)n;
  free(v);
  return n > 1 ? middle - sqrt(squares / (double)(n - 1)) : NAN;
}

static void check_zones(bool median)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 4, 560, 540);
  struct cube *cube = copied_cube(&c, x);
  struct statistics statistics = {c.arena, median};
  struct error error = {0};
  cube->dimensions = 2;
  cube->dimension[1] = dimension_enumerated("zone", DIMENSION_OTHER, 5);
  struct zonal zonal = {x, cube, some_zones(c.arena, 560, 540, 5), make_statistics, &statistics, 2};
  const struct node *node = node_zones(c.arena, from_test, &zonal, &error);
  assert_non_null(node);
  unsigned char *data = same_bits_everywhere(&c, node);
  for (size_t i = 0; i < 20; i++) {
    double have = (double)((const float *)data)[i], want = plain_statistics(&c, zonal.zones, i / 5, i % 5, median);
    if (isnan(have) != isnan(want) || fabs(have - want) > 1e-4) /* an f32 of some tens */
      fail_msg("zone %zu of t %zu: %g, not %g", i % 5, i / 5, have, want);
  }
  finish(&c, data);
}

static void accumulated_zones(void **state)
{
  (void)state;
  check_zones(false);
}

static void gathered_zones(void **state)
{
  (void)state;
  check_zones(true);
}

/* ---- accumulators and chunks ---------------------------------------------------------------------------------------
 */

static void long_accumulators(void **state)
{
  enum { LONG = 9000 };
  struct case_maker c;
  const struct node *x = make_counted(&c, LONG, 12, 20);
  (void)state;
  unsigned char *data =
      same_bits_everywhere(&c, combined(&c, KOP_SUB, reduced(&c, x, 0, KRED_MEAN), reduced(&c, x, 0, KRED_SD), 2));
  for (size_t i = 0; i < 12 * 20; i++) {
    double sum = 0, squares = 0, n = 0;
    for (size_t t = 0; t < LONG; t++) {
      double value = counted_value(t * 12 * 20 + i);
      sum += isnan(value) ? 0 : value;
      squares += isnan(value) ? 0 : value * value;
      n += !isnan(value);
    }
    double want = sum / n - sqrt((squares - sum * sum / n) / (n - 1));
    assert_true(fabs((double)((const float *)data)[i] - want) < 1e-4);
  }
  finish(&c, data);
}

static void chunks(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 5, 300, 310);
  struct chunks *chunks = ARENA_NEW(c.arena, struct chunks);
  (void)state;
  *chunks = (struct chunks){.size = {5, 70, 90}, .overlap = {0, 3, 2}};
  chunks->chunk = node_chunk(c.arena, from_test, x->cube, chunks->size, chunks->overlap);
  chunks->body =
      combined(&c, KOP_SUB, chunks->chunk, reduced(&c, reduced(&c, chunks->chunk, 2, KRED_MEAN), 1, KRED_MEAN), 1);
  finish(&c, same_bits_everywhere(&c, node_chunks(c.arena, from_test, x, copied_cube(&c, x), chunks)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_share_of_the_maximum),
                                     cmocka_unit_test(standardised),
                                     cmocka_unit_test(windows),
                                     cmocka_unit_test(accumulated_zones),
                                     cmocka_unit_test(gathered_zones),
                                     cmocka_unit_test(long_accumulators),
                                     cmocka_unit_test(chunks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
