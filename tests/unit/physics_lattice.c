/* The lattice's tables against arithmetic on coordinates, and links in and out of the lanes. */
#include "physics/lattice/gauge_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct shape {
  size_t dimensions, extent[LATTICE_MAX_DIMENSIONS], lanes;
} shapes[] = {{4, {4, 4, 4, 4}, 8}, {4, {8, 4, 6, 2}, 8}, {2, {8, 8}, 8},      {2, {10, 6}, 1},       {2, {16, 12}, 8},
              {1, {64}, 8},         {1, {5}, 1},          {3, {3, 4, 8}, 1},   {4, {16, 8, 8, 8}, 8}, {2, {2, 2}, 1},
              {3, {6, 10, 16}, 8},  {4, {1, 1, 1, 1}, 1}, {4, {4, 4, 4, 8}, 8}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static void lattice_open(struct lattice *lattice, const struct shape *shape)
{
  size_t bytes = lattice_bytes(shape->dimensions, shape->extent);
  assert_true(bytes > 0);
  void *memory = aligned_alloc(64, bytes);
  assert_non_null(memory);
  lattice_init(lattice, shape->dimensions, shape->extent, memory);
}

static void every_site_has_one_place(void **state)
{
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) {
    struct lattice lattice;
    lattice_open(&lattice, &shapes[i]);
    assert_int_equal(lattice.lanes, shapes[i].lanes);
    unsigned char *seen = calloc(lattice.sites, 1);
    for (size_t block = 0; block < lattice.blocks; block++) {
      uint32_t sites[LATTICE_LANES];
      lattice_sites(&lattice, block, sites);
      for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
        size_t at[LATTICE_MAX_DIMENSIONS], back_block, back_lane;
        lattice_coordinates(&lattice, block, lane, at);
        lattice_locate(&lattice, at, &back_block, &back_lane);
        assert_int_equal(back_block, block);
        assert_int_equal(back_lane, lane % lattice.lanes);
        size_t sum = 0, number = 0;
        for (size_t k = 0; k < lattice.dimensions; k++) {
          sum += at[k];
          number = number * lattice.extent[k] + at[k];
        }
        assert_int_equal(number, lattice_site(&lattice, block, lane));
        assert_int_equal(number, sites[lane]);
        assert_true(!lattice.has_parity || sum % 2 == (block >= lattice.blocks / 2));
        seen[number] += lane < lattice.lanes;
      }
    }
    for (size_t site = 0; site < lattice.sites; site++) {
      assert_int_equal(seen[site], 1);
    }
    free(seen);
    free(lattice.link);
  }
}

static void links_lead_to_the_neighbours(void **state)
{
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) {
    struct lattice lattice;
    lattice_open(&lattice, &shapes[i]);
    for (size_t block = 0; block < lattice.blocks; block++) {
      for (size_t direction = 0; direction < 2 * lattice.dimensions; direction++) {
        uint32_t link = lattice.link[block * 2 * lattice.dimensions + direction];
        for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
          size_t at[LATTICE_MAX_DIMENSIONS], there[LATTICE_MAX_DIMENSIONS], k = direction / 2;
          lattice_coordinates(&lattice, block, lane, at);
          at[k] = (at[k] + (direction % 2 ? lattice.extent[k] - 1 : 1)) % lattice.extent[k];
          size_t to = link & LATTICE_CROSSES ? lattice.permutation[direction][lane] : lane;
          lattice_coordinates(&lattice, link & LATTICE_BLOCK, to, there);
          assert_memory_equal(at, there, lattice.dimensions * sizeof *at);
        }
      }
    }
    free(lattice.link);
  }
}

static void links_come_out_as_they_went_in(void **state)
{
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) {
    struct lattice lattice;
    lattice_open(&lattice, &shapes[i]);
    size_t colours = 1 + i % 4, count = lattice.sites * lattice.dimensions * colours * colours * 2;
    double *values = malloc(count * sizeof *values), *back = malloc(count * sizeof *back);
    for (size_t k = 0; k < count; k++) {
      values[k] = (double)k + 0.5;
    }
    struct gauge_field field =
        gauge_field_over(&lattice, colours, aligned_alloc(64, gauge_field_bytes(&lattice, colours)));
    gauge_field_set(&field, 2, values);
    gauge_field_get(&field, 2, back);
    assert_memory_equal(values, back, count * sizeof *values);
    free(field.links);
    free(values);
    free(back);
    free(lattice.link);
  }
}

static void hopeless_shapes_are_refused(void **state)
{
  (void)state;
  assert_int_equal(lattice_bytes(0, (size_t[]){1}), 0);
  assert_int_equal(lattice_bytes(2, (size_t[]){4, 0}), 0);
  assert_int_equal(lattice_bytes(2, (size_t[]){SIZE_MAX, 2}), 0);
  assert_int_equal(lattice_bytes(1, (size_t[]){(size_t)1 << 40}), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_site_has_one_place), cmocka_unit_test(links_lead_to_the_neighbours),
      cmocka_unit_test(links_come_out_as_they_went_in), cmocka_unit_test(hopeless_shapes_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
