/* The interpolated transformation against the exact one, point by point, and against itself in other boxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/locate.h"
#include "datacube/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pair { /* of grids */
  const char *from_crs, *to_crs;
  double from[4], to[4]; /* west, north, resolution, pixels along a side */
};

static const struct pair pairs[] = {
    {"EPSG:32618", "EPSG:32619", {600000, 4800000, 30, 2048}, {110000, 4830000, 30, 1500}},
    {"EPSG:32618", "EPSG:4326", {600000, 4800000, 10, 2048}, {-75.8, 43.4, 0.0001, 1000}},
    {"EPSG:4326", "EPSG:32618", {-77, 44, 0.0003, 4000}, {300000, 4800000, 30, 1000}},
    {"EPSG:4326", "EPSG:3857", {-180, 90, 0.25, 1440}, {-20037508, 20037508, 40000, 1001}},
    {"EPSG:4326", "EPSG:3413", {-180, 90, 0.5, 720}, {-4e6, 4e6, 10000, 800}},
    {"EPSG:4326", "EPSG:3832", {-180, 90, 0.1, 3600}, {2000000, 2000000, 5000, 700}},
    {"EPSG:3035", "EPSG:4326", {2500000, 5500000, 1000, 4000}, {-30, 75, 0.05, 1400}},
    {"EPSG:32618", "EPSG:32618", {600000, 4800000, 30, 100}, {599000, 4801000, 7.5, 400}},
    {"ESRI:54009", "EPSG:4326", {-18e6, 9e6, 20000, 1800}, {-180, 90, 0.5, 720}},
    {"EPSG:4326", "ESRI:54009", {-180, 90, 0.5, 720}, {-18.1e6, 9.1e6, 40000, 905}},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static struct grid grid_from(const char *crs, const double g[4])
{
  return (struct grid){.west = g[0],
                       .north = g[1],
                       .res_x = g[2],
                       .res_y = g[2],
                       .width = (size_t)g[3],
                       .height = (size_t)g[3] / 2 + 7,
                       .crs = crs};
}

struct opened_pair {
  struct grid from, to;
  struct transform *transform;
  struct locator locator;
};

static struct opened_pair open_pair(const struct pair *p)
{
  struct opened_pair o = {.from = grid_from(p->from_crs, p->from), .to = grid_from(p->to_crs, p->to)};
  struct error error = {.code = ""};
  assert_int_equal(transform_new(o.to.crs, o.from.crs, &o.transform, &error), 0);
  o.locator = locator_make(o.transform, &o.from, &o.to);
  return o;
}

static void close_pair(struct opened_pair *o)
{
  locator_clear(&o->locator);
  transform_free(o->transform);
}

/* Centres of a box, row by row; every pixel exactly once. */
static void centres(struct opened_pair *o, const size_t start[2], const size_t count[2], double *x, double *y)
{
  struct error error = {.code = ""};
  size_t seen = 0;
  assert_int_equal(locator_box(&o->locator, start, count, &error), 0);
  for (size_t k = 0; k < o->locator.count; k++) {
    const struct located_cell *cell = &o->locator.cells[k];
    seen += cell->height * cell->width;
    for (size_t row = cell->row; row < cell->row + cell->height; row++) {
      size_t at = (row - start[0]) * count[1] + cell->column - start[1];
      locator_row(&o->locator, cell, (double)cell->column + 0.5, (double)row + 0.5, cell->width, x + at, y + at);
    }
  }
  assert_int_equal(seen, count[0] * count[1]);
}

static void coordinates_are_near_the_exact_ones(void **state)
{
  (void)state;
  for (size_t k = 0; k < PAIRS; k++) {
    struct opened_pair o = open_pair(&pairs[k]);
    const size_t start[2] = {0, 0}, count[2] = {o.to.height, o.to.width};
    size_t n = count[0] * count[1], images = 0;
    double *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y), *ex = malloc(n * sizeof *ex),
           *ey = malloc(n * sizeof *ey), worst = 0;
    centres(&o, start, count, x, y);
    for (size_t i = 0; i < n; i++) {
      ex[i] = o.to.west + ((double)(i % count[1]) + 0.5) * o.to.res_x;
      ey[i] = o.to.north - ((double)(i / count[1]) + 0.5) * o.to.res_y;
    }
    if (!transform_is_identity(o.transform))
      transform_points(o.transform, n, ex, ey);
    for (size_t i = 0; i < n; i++) {
      if (ex[i] == HUGE_VAL) {
        assert_true(isnan(x[i]) && isnan(y[i]));
        continue;
      }
      images++;
      double dx = x[i] - (ex[i] - o.from.west) / o.from.res_x, dy = y[i] - (o.from.north - ey[i]) / o.from.res_y;
      if (o.locator.circle > 0)
        dx = remainder(dx, o.locator.circle);
      worst = fmax(worst, fmax(fabs(dx), fabs(dy)));
    }
    if (!(worst < LOCATE_ERROR))
      fail_msg("pair %zu is off by %g pixels", k, worst);
    assert_true(images > n / 10);
    free(x), free(y), free(ex), free(ey);
    close_pair(&o);
  }
}

/* Bounds hold all centres and are not much wider. */
static void bounds_hold_all_points(void **state)
{
  (void)state;
  struct error error = {.code = ""};
  size_t known = 0;
  for (size_t k = 0; k < PAIRS; k++) {
    struct opened_pair o = open_pair(&pairs[k]);
    assert_int_equal(locator_box(&o.locator, (const size_t[2]){41, 7}, (const size_t[2]){200, 300}, &error), 0);
    for (size_t c = 0; c < o.locator.count; c++) {
      const struct located_cell *cell = &o.locator.cells[c];
      double low[2], high[2], x[LOCATE_SIDE], y[LOCATE_SIDE], least[2] = {1e30, 1e30}, most[2] = {-1e30, -1e30};
      if (!locator_bounds(&o.locator, cell, low, high))
        continue;
      known++;
      for (size_t row = cell->row; row < cell->row + cell->height; row++) {
        locator_row(&o.locator, cell, (double)cell->column + 0.5, (double)row + 0.5, cell->width, x, y);
        for (size_t i = 0; i < cell->width; i++) {
          least[0] = fmin(least[0], y[i]), most[0] = fmax(most[0], y[i]);
          least[1] = fmin(least[1], x[i]), most[1] = fmax(most[1], x[i]);
        }
      }
      for (int axis = 0; axis < 2; axis++) {
        double slack = 3 + 0.1 * (most[axis] - least[axis]);
        assert_true(low[axis] <= least[axis] && high[axis] >= most[axis]);
        assert_true(low[axis] >= least[axis] - slack && high[axis] <= most[axis] + slack);
      }
    }
    close_pair(&o);
  }
  assert_true(known > 20);
}

/* Settled points are in the very pixel, bit for bit where an edge is near. */
static void settled_points_are_in_their_pixel(void **state)
{
  (void)state;
  struct error error = {.code = ""};
  for (size_t k = 0; k < 3; k++) {
    struct opened_pair o = open_pair(&pairs[k]);
    assert_int_equal(locator_box(&o.locator, (const size_t[2]){0, 0}, (const size_t[2]){600, 900}, &error), 0);
    for (size_t c = 0; c < o.locator.count; c++) {
      const struct located_cell *cell = &o.locator.cells[c];
      for (size_t row = cell->row; row < cell->row + cell->height; row++) {
        double x[LOCATE_SIDE], y[LOCATE_SIDE], ex[LOCATE_SIDE], ey[LOCATE_SIDE];
        locator_row_settled(&o.locator, cell, (double)cell->column + 0.5, (double)row + 0.5, cell->width, x, y);
        for (size_t i = 0; i < cell->width; i++) {
          ex[i] = o.to.west + ((double)(cell->column + i) + 0.5) * o.to.res_x;
          ey[i] = o.to.north - ((double)row + 0.5) * o.to.res_y;
        }
        transform_points(o.transform, cell->width, ex, ey);
        for (size_t i = 0; i < cell->width; i++) {
          assert_true(floor(x[i]) == floor((ex[i] - o.from.west) / o.from.res_x));
          assert_true(floor(y[i]) == floor((o.from.north - ey[i]) / o.from.res_y));
        }
      }
    }
    close_pair(&o);
  }
}

static void bits_do_not_depend_on_the_box(void **state)
{
  (void)state;
  for (size_t k = 0; k < PAIRS; k++) {
    struct opened_pair o = open_pair(&pairs[k]);
    const size_t start[2] = {0, 0}, count[2] = {o.to.height, o.to.width};
    size_t n = count[0] * count[1];
    double *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y), px[61 * 47], py[61 * 47];
    centres(&o, start, count, x, y);
    for (size_t row = 5; row + 47 < count[0]; row += 83)
      for (size_t column = 3; column + 61 < count[1]; column += 131) {
        centres(&o, (const size_t[2]){row, column}, (const size_t[2]){47, 61}, px, py);
        for (size_t j = 0; j < 47; j++) {
          assert_memory_equal(px + j * 61, x + (row + j) * count[1] + column, 61 * sizeof *px);
          assert_memory_equal(py + j * 61, y + (row + j) * count[1] + column, 61 * sizeof *py);
        }
      }
    free(x), free(y);
    close_pair(&o);
  }
}

/* Between neighbouring zones nothing has to be cut: a few points stand for thousands of pixels. */
static void smooth_regions_take_whole_cells(void **state)
{
  (void)state;
  struct opened_pair o = open_pair(&pairs[0]);
  struct error error = {.code = ""};
  assert_int_equal(locator_box(&o.locator, (const size_t[2]){0, 0}, (const size_t[2]){512, 1024}, &error), 0);
  assert_int_equal(o.locator.count, 512 / LOCATE_SIDE * 1024 / LOCATE_SIDE);
  for (size_t k = 0; k < o.locator.count; k++)
    assert_true(o.locator.cells[k].kind == CELL_SMOOTH && o.locator.cells[k].even);
  assert_int_equal(locator_box(&o.locator, (const size_t[2]){0, 0}, (const size_t[2]){0, 1024}, &error), 0);
  assert_int_equal(o.locator.count, 0);
  close_pair(&o);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(coordinates_are_near_the_exact_ones),
                                     cmocka_unit_test(settled_points_are_in_their_pixel),
                                     cmocka_unit_test(bounds_hold_all_points),
                                     cmocka_unit_test(bits_do_not_depend_on_the_box),
                                     cmocka_unit_test(smooth_regions_take_whole_cells)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
