/* What plans read: counted, against the estimate and against what the request needs. */
#include "hpc_stage_fixture.h"

#include "hpc/stage/chunk_stage.h"
#include "hpc/stage/zones_stage.h"

#include <stdio.h>

/* Indexes start … start + count of dimension d. */
static const struct node *cropped(const struct case_maker *c, const struct node *node, size_t d, size_t start,
                                  size_t count)
{
  struct cube *cube = copied_cube(c, node);
  struct view_dimension *view = ARENA_ARRAY(c->arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  for (size_t k = 0; k < cube->dimensions; k++)
    view[k].out = (int)k;
  view[d].offset = start;
  cube->dimension[d] = dimension_enumerated("part", DIMENSION_OTHER, count);
  return node_view(c->arena, from_test, node, cube, view);
}

/* The node with a new dimension of size 1 in front. */
static const struct node *with_front(const struct case_maker *c, const struct node *node)
{
  struct cube *cube = copied_cube(c, node);
  struct view_dimension *view = ARENA_ARRAY(c->arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  memmove(&cube->dimension[1], &cube->dimension[0], cube->dimensions * sizeof cube->dimension[0]);
  cube->dimension[0] = dimension_enumerated("front", DIMENSION_OTHER, 1);
  for (size_t k = 0; k < cube->dimensions; k++)
    view[k].out = (int)k + 1;
  cube->dimensions++;
  return node_view(c->arena, from_test, node, cube, view);
}

/* Nodes of size 1 along dimension 0, one behind the other. */
static const struct node *stacked(const struct case_maker *c, const struct node *const *children, size_t count)
{
  struct cube *cube = copied_cube(c, children[0]);
  cube->dimension[0] = dimension_enumerated("stack", DIMENSION_OTHER, count);
  return node_stack(c->arena, from_test, cube, 0, arena_copy(c->arena, children, count * sizeof(struct node *)));
}

/* Elements read for each of the source's elements; the estimate is near. */
static void reads_about(const struct case_maker *c, const struct node *const *nodes, size_t count, double most)
{
  static const struct plan_options some[] = {{.threads = 1}, {.threads = 2}};
  double all = (double)cube_elements(&c->counting->source.cube);
  for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
    const struct plan *plan = planned(c, nodes, count, some[i]);
    free(run_counted(c, plan, 0));
    double read = (double)atomic_load(&c->counting->elements), estimated = plan_read_bytes(plan) / sizeof(float);
    if (read > most * all || estimated < 0.9 * read || estimated > 1.5 * read) {
      struct buffer text = {0};
      plan_print(plan, &text);
      fprintf(stderr, "%s", text.data);
      buffer_free(&text);
      fail_msg("%g reads of each element, at most %g were due; estimated %g", read / all, most, estimated / all);
    }
  }
  arena_free(c->arena);
}

static void a_maximum_of_the_plane_is_read_twice(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 6, 300, 280);
  (void)state;
  const struct node *most = reduced(&c, reduced(&c, x, 2, KRED_MAX), 1, KRED_MAX),
                    *out = combined(&c, KOP_DIV, x, most, 1);
  reads_about(&c, &out, 1, 2);
}

static void anomalies_are_read_twice(void **state)
{
  static const size_t lengths[] = {24, 200};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    struct case_maker c;
    const struct node *x = make_counted(&c, lengths[i], 90, 100),
                      *out = combined(&c, KOP_SUB, x, reduced(&c, x, 0, KRED_MEAN), 0);
    reads_about(&c, &out, 1, 2);
  }
}

/* Months of four indexes each: all means, then all maxima, merged. */
static void statistics_of_a_month_are_read_once(void **state)
{
  static const enum kernel_reducer reducers[] = {KRED_MEAN, KRED_MAX};
  struct case_maker c;
  const struct node *x = make_counted(&c, 24, 90, 100), *index = combined(&c, KOP_SUB, x, x, 3), *months[6], *merged[2];
  (void)state;
  for (size_t r = 0; r < 2; r++) {
    for (size_t k = 0; k < 6; k++)
      months[k] = with_front(&c, reduced(&c, cropped(&c, index, 0, 4 * k, 4), 0, reducers[r]));
    merged[r] = with_front(&c, stacked(&c, months, 6));
  }
  const struct node *out = stacked(&c, merged, 2);
  reads_about(&c, &out, 1, 1);
}

static const struct node *warped(const struct case_maker *c, const struct node *x)
{
  size_t height = x->cube->dimension[1].size, width = x->cube->dimension[2].size;
  struct grid *grid = ARENA_NEW(c->arena, struct grid);
  *grid = (struct grid){5e5 + 5, 5e6 + 10 * (double)height - 5, 10, 10, width - 1, height - 1, "EPSG:32632"};
  struct cube *cube = copied_cube(c, x);
  cube->dimension[1] = dimension_steps("y", 'y', grid->north - 5, -10, grid->height);
  cube->dimension[2] = dimension_steps("x", 'x', grid->west + 5, 10, grid->width);
  return node_warp(c->arena, from_test, x, cube, grid, RESAMPLE_BILINEAR);
}

static void a_warp_used_twice_is_made_once(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 3, 300, 280), *warp = warped(&c, x);
  (void)state;
  const struct node *out = combined(&c, KOP_SUB, warp, combined(&c, KOP_MAX, warp, warp, 3), 3);
  reads_about(&c, &out, 1, 1.1); /* neighbouring tiles share an edge */
}

static void a_warp_of_two_outputs_is_made_once(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 3, 300, 280), *warp = warped(&c, x);
  const struct node *outputs[] = {combined(&c, KOP_SUB, warp, warp, 3), reduced(&c, warp, 0, KRED_MAX)};
  (void)state;
  reads_about(&c, outputs, 2, 1.1);
}

static void a_warp_below_an_output_that_is_read_is_made_once(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 3, 300, 280), *warp = warped(&c, x),
                    *inner = combined(&c, KOP_SUB, warp, warp, 3);
  const struct node *outputs[] = {inner, combined(&c, KOP_MAX, inner, inner, 3)};
  (void)state;
  reads_about(&c, outputs, 2, 1.1);
}

static void a_reduction_of_two_outputs_is_made_once(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 24, 150, 140), *median = reduced(&c, x, 0, KRED_MEDIAN);
  const struct node *outputs[] = {combined(&c, KOP_SUB, median, median, 2), reduced(&c, median, 0, KRED_MAX)};
  (void)state;
  reads_about(&c, outputs, 2, 1);
}

static void an_output_that_another_one_reads_is_made_once(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 24, 150, 140), *median = reduced(&c, x, 0, KRED_MEDIAN);
  const struct node *outputs[] = {median, reduced(&c, median, 0, KRED_MAX)};
  (void)state;
  reads_about(&c, outputs, 2, 1);
}

static void a_plain_cube_of_two_outputs_is_read_for_each(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 4, 150, 140),
                    *outputs[] = {combined(&c, KOP_SUB, x, x, 3), reduced(&c, x, 0, KRED_MAX)};
  (void)state;
  reads_about(&c, outputs, 2, 2);
}

static void a_sum_along_a_long_axis_is_read_once(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 6000, 20, 30), *out = reduced(&c, x, 0, KRED_SUM);
  (void)state;
  reads_about(&c, &out, 1, 1);
}

static void a_window_reads_its_margins_besides(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 4, 600, 640);
  struct kernel_input *input = ARENA_NEW(c.arena, struct kernel_input);
  struct program *p = program_new(c.arena);
  (void)state;
  *input = (struct kernel_input){.node = x, .array_dimension = NO_DIMENSION, .to_output = {0, 1, 2}, .window_count = 2};
  input->window[0] = (struct window){.dimension = 1, .before = 2, .length = 5, .border = BORDER_REFLECT};
  input->window[1] = (struct window){.dimension = 2, .before = 3, .length = 7, .border = BORDER_REFLECT};
  struct lanes value =
      program_reduce(p, KRED_MAX, program_input(p, 0, true, 35, ELEMENT_F32, NULL), (const double[]){1}, 1);
  const struct node *out = node_kernel(c.arena, from_test, copied_cube(&c, x), input, 1, p, value, NO_DIMENSION);
  reads_about(&c, &out, 1, 1.2);
}

/* As they are, and less the cube itself. */
static void chunks_read_their_overlap_besides(void **state)
{
  (void)state;
  for (int less = 0; less < 2; less++) {
    struct case_maker c;
    const struct node *x = make_counted(&c, 24, 300, 320);
    struct chunks *chunks = ARENA_NEW(c.arena, struct chunks);
    *chunks = (struct chunks){.size = {12, 100, 80}, .overlap = {0, 5, 5}};
    chunks->chunk = node_chunk(c.arena, from_test, x->cube, chunks->size, chunks->overlap);
    chunks->body = combined(&c, KOP_SUB, chunks->chunk, reduced(&c, chunks->chunk, 0, KRED_MEDIAN), 0);
    const struct node *out = node_chunks(c.arena, from_test, x, copied_cube(&c, x), chunks);
    out = less ? combined(&c, KOP_SUB, out, x, 3) : out;
    reads_about(&c, &out, 1, less ? 2.3 : 1.3);
  }
}

static int make_mean(void *context, size_t length, struct zonal_program *out, struct error *error)
{
  struct program *p = program_new(context);
  struct lanes array = program_input(p, 0, true, length, ELEMENT_F32, NULL);
  *out = (struct zonal_program){p, program_reduce(p, KRED_MEAN, array, (const double[]){1}, 1)};
  return program_failed(p) ? program_error(p, error) : 0;
}

/* One zone of all pixels: mean of each plane, taken off it. */
static void zones_are_read_once_and_their_anomalies_again(void **state)
{
  struct case_maker c;
  const struct node *x = make_counted(&c, 6, 300, 320);
  struct zone_span *runs = ARENA_ARRAY(c.arena, struct zone_span, 300);
  struct cube *cube = copied_cube(&c, x), *planes = copied_cube(&c, x);
  struct view_dimension *view = ARENA_ARRAY(c.arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  struct error error = {0};
  (void)state;
  for (size_t row = 0; row < 300; row++)
    runs[row] = (struct zone_span){0, row, 0, 320};
  cube->dimensions = 2;
  cube->dimension[1] = dimension_enumerated("zone", DIMENSION_OTHER, 1);
  planes->dimensions = 1;
  view[1].out = NO_DIMENSION;
  const struct zones zones = {1, runs, 300};
  const struct zonal zonal = {x, cube, &zones, make_mean, c.arena, 2};
  const struct node *mean = node_zones(c.arena, from_test, &zonal, &error);
  assert_non_null(mean);
  const struct node *out = combined(&c, KOP_SUB, x, node_view(c.arena, from_test, mean, planes, view), 1);
  reads_about(&c, &out, 1, 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_maximum_of_the_plane_is_read_twice),
                                     cmocka_unit_test(anomalies_are_read_twice),
                                     cmocka_unit_test(statistics_of_a_month_are_read_once),
                                     cmocka_unit_test(a_warp_used_twice_is_made_once),
                                     cmocka_unit_test(a_warp_of_two_outputs_is_made_once),
                                     cmocka_unit_test(a_warp_below_an_output_that_is_read_is_made_once),
                                     cmocka_unit_test(a_reduction_of_two_outputs_is_made_once),
                                     cmocka_unit_test(an_output_that_another_one_reads_is_made_once),
                                     cmocka_unit_test(a_plain_cube_of_two_outputs_is_read_for_each),
                                     cmocka_unit_test(a_sum_along_a_long_axis_is_read_once),
                                     cmocka_unit_test(a_window_reads_its_margins_besides),
                                     cmocka_unit_test(chunks_read_their_overlap_besides),
                                     cmocka_unit_test(zones_are_read_once_and_their_anomalies_again)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
