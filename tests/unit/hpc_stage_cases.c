/* Small cases that random plans once failed on, with their answers written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hpc_plan_sink.h"

#include "datacube/source/memory_source.h"
#include "hpc/plan/plan.h"

#include <math.h>

static const struct node_origin from_test = {"test", "test"};

static struct cube some_cube(size_t dimensions, const size_t *sizes, enum element_type type, double nodata)
{
  static const char *const names[] = {"a", "b", "c"};
  struct cube cube = {
      .dimensions = dimensions, .type = type, .has_nodata = !isinf(nodata), .nodata = isinf(nodata) ? 0 : nodata};
  for (size_t d = 0; d < dimensions; d++)
    cube.dimension[d] = dimension_enumerated(names[d], DIMENSION_OTHER, sizes[d]);
  return cube;
}

/* Bytes; nodata INFINITY: none. */
static const struct node *bytes(struct arena *arena, size_t dimensions, const size_t *sizes, double nodata,
                                const uint8_t *data)
{
  struct cube cube = some_cube(dimensions, sizes, ELEMENT_U8, nodata);
  return node_source(arena, from_test, memory_source(arena, &cube, data, "test"));
}

static struct cube *floats(struct arena *arena, size_t dimensions, const size_t *sizes)
{
  struct cube cube = some_cube(dimensions, sizes, ELEMENT_F64, NAN);
  return arena_copy(arena, &cube, sizeof cube);
}

/* The node's elements are these; NAN is missing. */
static void gives(struct arena *arena, const struct node *node, const double *expected)
{
  const struct plan *plan;
  struct error error = {0};
  if (plan_make(arena, node, &(struct plan_options){.threads = 1}, &plan, &error) != 0)
    fail_msg("%s %s", error.code, error.message);
  struct keeping_sink sink = keeping_sink(plan_cube(plan));
  if (plan_run(plan, &sink.sink, NULL, NULL, &error) != 0)
    fail_msg("%s %s", error.code, error.message);
  for (size_t i = 0; i < cube_elements(plan_cube(plan)); i++) {
    double have = ((const double *)(const void *)sink.data)[i];
    if (have != expected[i] && !(isnan(have) && isnan(expected[i])))
      fail_msg("element %zu is %g, not %g", i, have, expected[i]);
  }
  free(sink.data);
  free(sink.written);
  arena_free(arena);
}

/* Running sums 1 3 6 of 1 2 3, as an array that a program makes. */
static const struct node *running_sums(struct arena *arena)
{
  static const uint8_t data[] = {1, 2, 3};
  const size_t size = 3;
  struct kernel_input *input = ARENA_NEW(arena, struct kernel_input);
  struct program *p = program_new(arena);
  *input = (struct kernel_input){.node = bytes(arena, 1, &size, INFINITY, data), .to_output = {NO_DIMENSION}};
  struct lanes array = program_input(p, 0, true, 3, ELEMENT_U8, NULL);
  return node_kernel(arena, from_test, floats(arena, 1, &size), input, 1, p,
                     program_series(p, KSER_CUMSUM, array, (const double[]){1}, 1), 0);
}

static void sees(const size_t *indexes, size_t count, const double *expected)
{
  struct arena *arena = arena_new(0);
  struct view_dimension *view = ARENA_NEW(arena, struct view_dimension);
  view->indexes = indexes;
  gives(arena, node_view(arena, from_test, running_sums(arena), floats(arena, 1, &count), view), expected);
}

static void holes_of_an_array_that_a_program_makes(void **state)
{
  (void)state;
  sees((const size_t[]){NO_INDEX}, 1, (const double[]){NAN});
  sees((const size_t[]){NO_INDEX, 0}, 2, (const double[]){NAN, 1}); /* no slice from -1 on */
  sees((const size_t[]){NO_INDEX, NO_INDEX}, 2, (const double[]){NAN, NAN});
  sees((const size_t[]){2, NO_INDEX, 1, 2}, 4, (const double[]){6, NAN, 3, 6});
}

static void holes_of_an_empty_dimension(void **state)
{
  struct arena *arena = arena_new(0);
  const size_t none = 0, two = 2, *holes = arena_copy(arena, (const size_t[]){NO_INDEX, NO_INDEX}, 2 * sizeof two);
  struct view_dimension *view = ARENA_NEW(arena, struct view_dimension);
  (void)state;
  view->indexes = holes;
  gives(
      arena,
      node_view(arena, from_test, bytes(arena, 1, &none, INFINITY, (const uint8_t *)""), floats(arena, 1, &two), view),
      (const double[]){NAN, NAN});
}

/* Sum of the valid ones and 100 times their number, of each byte and its neighbours. */
static void neighbours(double nodata, double border, const double *expected)
{
  static const uint8_t data[] = {0, 5, 9};
  const size_t size = 3;
  struct arena *arena = arena_new(0);
  struct kernel_input *input = ARENA_NEW(arena, struct kernel_input);
  struct program *p = program_new(arena);
  *input = (struct kernel_input){
      .node = bytes(arena, 1, &size, nodata, data), .array_dimension = NO_DIMENSION, .window_count = 1};
  input->window[0] = (struct window){.before = 1, .length = 3, .border = BORDER_VALUE, .value = border};
  struct lanes array = program_input(p, 0, true, 3, ELEMENT_U8, NULL);
  struct lanes count = program_reduce(p, KRED_COUNT, array, (const double[]){1, 0}, 2);
  struct lanes sum = program_reduce(p, KRED_SUM, array, (const double[]){1}, 1);
  struct lanes value = program_binary(p, KOP_ADD, sum, program_binary(p, KOP_MUL, count, program_constant(p, 100)));
  gives(arena, node_kernel(arena, from_test, floats(arena, 1, &size), input, 1, p, value, NO_DIMENSION), expected);
}

static void border_values_that_bytes_cannot_hold(void **state)
{
  (void)state;
  neighbours(INFINITY, 7, (const double[]){312, 314, 321});
  neighbours(INFINITY, NAN, (const double[]){205, 314, 214}); /* nothing stands for NA among the bytes */
  neighbours(INFINITY, -1, (const double[]){304, 314, 313});
  neighbours(INFINITY, 0.5, (const double[]){305.5, 314, 314.5});
  neighbours(0, 0, (const double[]){205, 214, 314}); /* a 0 beside bytes whose 0 is no-data */
  neighbours(0, NAN, (const double[]){105, 214, 214});
  neighbours(9, 300, (const double[]){605, 205, 505});
}

/* Each element and the one before, less a stack along the same dimension. */
static void a_window_beside_a_stack(void **state)
{
  static const uint8_t data[] = {1, 4, 9};
  struct arena *arena = arena_new(0);
  const size_t size = 3, one = 1;
  const struct node *x = bytes(arena, 1, &size, INFINITY, data),
                    **children = ARENA_ARRAY(arena, const struct node *, 3);
  struct kernel_input *inputs = ARENA_ARRAY(arena, struct kernel_input, 2);
  struct program *p = program_new(arena);
  (void)state;
  for (size_t k = 0; k < 3; k++) { /* the other way round */
    struct view_dimension *view = ARENA_NEW(arena, struct view_dimension);
    view->offset = 2 - k;
    children[k] = node_view(arena, from_test, x, floats(arena, 1, &one), view);
  }
  inputs[0] = (struct kernel_input){.node = x, .array_dimension = NO_DIMENSION, .window_count = 1};
  inputs[0].window[0] = (struct window){.before = 1, .length = 2, .border = BORDER_REPLICATE};
  inputs[1] = (struct kernel_input){.node = node_stack(arena, from_test, floats(arena, 1, &size), 0, children),
                                    .array_dimension = NO_DIMENSION};
  struct lanes sum =
      program_reduce(p, KRED_SUM, program_input(p, 0, true, 2, ELEMENT_U8, NULL), (const double[]){1}, 1);
  struct lanes value = program_binary(p, KOP_SUB, sum, program_input(p, 1, false, 1, ELEMENT_F64, NULL));
  gives(arena, node_kernel(arena, from_test, floats(arena, 1, &size), inputs, 2, p, value, NO_DIMENSION),
        (const double[]){-7, 1, 12});
}

/* The number of elements of a short array less that of a long one. */
static void a_short_array_beside_a_long_one(void **state)
{
  struct arena *arena = arena_new(0);
  const size_t small = 3, large = 5000;
  struct kernel_input *inputs = ARENA_ARRAY(arena, struct kernel_input, 2);
  struct program *p = program_new(arena);
  (void)state;
  for (size_t k = 0; k < 2; k++)
    inputs[k] =
        (struct kernel_input){.node = bytes(arena, 1, k ? &large : &small, INFINITY, arena_array(arena, large, 1)),
                              .to_output = {NO_DIMENSION}};
  struct lanes few =
      program_reduce(p, KRED_COUNT, program_input(p, 0, true, small, ELEMENT_U8, NULL), (const double[]){1, 0}, 2);
  struct lanes many =
      program_reduce(p, KRED_COUNT, program_input(p, 1, true, large, ELEMENT_U8, NULL), (const double[]){1, 0}, 2);
  gives(arena,
        node_kernel(arena, from_test, floats(arena, 0, NULL), inputs, 2, p, program_binary(p, KOP_SUB, few, many),
                    NO_DIMENSION),
        (const double[]){3 - 5000});
}

/* Two windows with values of their own: in the corner the first dimension's. */
static void a_corner_of_two_borders(void **state)
{
  static const uint8_t data[] = {1, 2, 3, 4};
  const size_t sizes[] = {2, 2};
  struct arena *arena = arena_new(0);
  struct kernel_input *input = ARENA_NEW(arena, struct kernel_input);
  struct program *p = program_new(arena);
  (void)state;
  *input = (struct kernel_input){.node = bytes(arena, 2, sizes, INFINITY, data),
                                 .array_dimension = NO_DIMENSION,
                                 .to_output = {0, 1},
                                 .window_count = 2};
  input->window[0] = (struct window){.dimension = 0, .before = 1, .length = 1, .border = BORDER_VALUE, .value = 50};
  input->window[1] = (struct window){.dimension = 1, .before = 1, .length = 1, .border = BORDER_VALUE, .value = 60};
  struct lanes value = program_element(p, program_input(p, 0, true, 1, ELEMENT_U8, NULL), 0);
  gives(arena, node_kernel(arena, from_test, floats(arena, 2, sizes), input, 1, p, value, NO_DIMENSION),
        (const double[]){50, 50, 60, 1});
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(holes_of_an_array_that_a_program_makes), cmocka_unit_test(holes_of_an_empty_dimension),
      cmocka_unit_test(border_values_that_bytes_cannot_hold),   cmocka_unit_test(a_window_beside_a_stack),
      cmocka_unit_test(a_short_array_beside_a_long_one),        cmocka_unit_test(a_corner_of_two_borders)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
