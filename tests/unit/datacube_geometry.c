/* Geometry sets: which pixels they cover, against tests of single pixels; texts; transformed edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/geometry.h"
#include "datacube/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 23, HEIGHT = 17, MOST_POINTS = 12 };

static const struct grid grid = {
    .west = 100, .north = 50, .res_x = 2, .res_y = 3, .width = WIDTH, .height = HEIGHT, .crs = "EPSG:32632"};

static uint64_t random_state = 1;

static double random_unit(void) /* 0 … 1, the same numbers in every run */
{
  random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(random_state >> 11) / 9007199254740992.0;
}

/* Somewhere on the grid or a little outside; `lattice`: at quarter pixels, so that centres and edges are met. */
static void random_position(bool lattice, double *x, double *y)
{
  double u = random_unit() * (WIDTH + 8) - 4, v = random_unit() * (HEIGHT + 8) - 4;
  if (lattice) {
    u = rint(u * 4) / 4;
    v = rint(v * 4) / 4;
  }
  *x = grid.west + u * grid.res_x;
  *y = grid.north - v * grid.res_y;
}

struct shape { /* one part with room for its positions */
  double x[MOST_POINTS], y[MOST_POINTS];
  struct geometry_part part;
};

static void random_shape(struct shape *shape, enum geometry_part_kind kind, size_t count, bool lattice)
{
  for (size_t i = 0; i < count; i++)
    random_position(lattice, &shape->x[i], &shape->y[i]);
  shape->part = (struct geometry_part){.kind = kind, .count = count, .x = shape->x, .y = shape->y};
}

/* Counts per zone and pixel, checking the order of the spans; to be freed. */
static unsigned char *count_pixels(const struct geometry *items, size_t count)
{
  struct arena *arena = arena_new(0);
  struct error error = {{0}, {0}, {0}, {0}};
  struct geometry_set set = {.count = count, .items = items, .crs = grid.crs};
  const struct zone_span *spans;
  size_t n;
  const struct pixel_plane plane = {.grid = grid, .rows = {.size = HEIGHT}, .columns = {.size = WIDTH}};
  unsigned char *hits = calloc(count * HEIGHT, WIDTH);
  assert_int_equal(geometry_spans(&set, &plane, arena, &spans, &n, &error), 0);
  for (size_t i = 0; i < n; i++) {
    const struct zone_span *s = &spans[i], *before = i ? s - 1 : NULL;
    assert_true(s->zone < count && s->row < HEIGHT && s->first < s->last && s->last <= WIDTH);
    if (before)
      assert_true(
          before->row < s->row ||
          (before->row == s->row && (before->zone < s->zone || (before->zone == s->zone && before->last < s->first))));
    for (size_t x = s->first; x < s->last; x++)
      hits[(s->zone * HEIGHT + s->row) * WIDTH + x]++;
  }
  arena_free(arena);
  return hits;
}

/* Whether a ray from the pixel's centre to the west crosses the rings an odd number of times: cross products, no
 * division. */
static bool centre_inside(const struct geometry_part *parts, size_t count, size_t row, size_t column)
{
  double cx = grid.west + ((double)column + 0.5) * grid.res_x, cy = grid.north - ((double)row + 0.5) * grid.res_y;
  bool inside = false;
  for (size_t p = 0; p < count; p++)
    for (size_t i = 0; i < parts[p].count; i++) {
      size_t k = (i + 1) % parts[p].count;
      double ax = parts[p].x[i], ay = parts[p].y[i], bx = parts[p].x[k], by = parts[p].y[k];
      if ((ay >= cy) == (by >= cy))
        continue;
      double side = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay); /* > 0: the centre is left of a → b */
      inside ^= by > ay ? side <= 0 : side >= 0;
    }
  return inside;
}

static void polygons_cover_the_centres_inside(void **state)
{
  (void)state;
  for (size_t round = 0; round < 400; round++) {
    struct shape shapes[3];
    struct geometry_part parts[3];
    size_t rings = 1 + round % 3;
    for (size_t p = 0; p < rings; p++) {
      random_shape(&shapes[p], PART_RING, 3 + (round + p) % (MOST_POINTS - 3), round % 2);
      parts[p] = shapes[p].part;
    }
    struct geometry geometry = {.type = GEOMETRY_POLYGON, .part_count = rings, .parts = parts};
    unsigned char *hits = count_pixels(&geometry, 1);
    for (size_t row = 0; row < HEIGHT; row++)
      for (size_t x = 0; x < WIDTH; x++)
        assert_int_equal(hits[row * WIDTH + x], centre_inside(parts, rings, row, x));
    free(hits);
  }
}

/* Triangles around a point inside a frame larger than the grid: every pixel belongs to exactly one of them, also where
 * corners and edges run through the centres. */
static void neighbours_share_no_pixel_and_lose_none(void **state)
{
  (void)state;
  const double west = 90, east = 160, north = 60, south = -20;
  const double frame_x[] = {west, (west + east) / 2, east, east, east, (west + east) / 2, west, west};
  const double frame_y[] = {north, north, north, (north + south) / 2, south, south, south, (north + south) / 2};
  for (size_t round = 0; round < 200; round++) {
    struct shape shapes[8];
    struct geometry geometries[8];
    double cx, cy;
    random_position(round % 2, &cx, &cy);
    for (size_t i = 0; i < 8; i++) {
      struct shape *s = &shapes[i];
      size_t k = (i + 1) % 8, turn = round % 3;
      double x[] = {cx, frame_x[i], frame_x[k]}, y[] = {cy, frame_y[i], frame_y[k]};
      for (size_t j = 0; j < 3; j++) {
        s->x[j] = x[(j + turn) % 3];
        s->y[j] = y[(j + turn) % 3];
      }
      s->part = (struct geometry_part){.kind = PART_RING, .count = 3, .x = s->x, .y = s->y};
      geometries[i] = (struct geometry){.type = GEOMETRY_POLYGON, .part_count = 1, .parts = &s->part};
    }
    unsigned char *hits = count_pixels(geometries, 8);
    for (size_t pixel = 0; pixel < WIDTH * HEIGHT; pixel++) {
      unsigned sum = 0;
      for (size_t i = 0; i < 8; i++)
        sum += hits[i * WIDTH * HEIGHT + pixel];
      assert_int_equal(sum, 1);
    }
    free(hits);
  }
}

/* Whether the segment meets the pixel: separating axes of a box and a segment. */
static bool meets(double ax, double ay, double bx, double by, size_t row, size_t column)
{
  double x = grid.west + ((double)column + 0.5) * grid.res_x, y = grid.north - ((double)row + 0.5) * grid.res_y;
  double hx = grid.res_x / 2, hy = grid.res_y / 2, dx = bx - ax, dy = by - ay;
  if (fmin(ax, bx) > x + hx || fmax(ax, bx) < x - hx || fmin(ay, by) > y + hy || fmax(ay, by) < y - hy)
    return false;
  return fabs(dx * (y - ay) - dy * (x - ax)) <= fabs(dy) * hx + fabs(dx) * hy;
}

static void lines_touch_pixels(void **state)
{
  (void)state;
  for (size_t round = 0; round < 400; round++) {
    struct shape line;
    random_shape(&line, PART_LINE, 2 + round % 4, false);
    if (round % 5 == 1)
      line.y[1] = line.y[0];
    if (round % 5 == 2)
      line.x[1] = line.x[0];
    struct geometry geometry = {.type = GEOMETRY_LINE, .part_count = 1, .parts = &line.part};
    unsigned char *hits = count_pixels(&geometry, 1);
    for (size_t row = 0; row < HEIGHT; row++)
      for (size_t x = 0; x < WIDTH; x++) {
        bool expected = false;
        for (size_t i = 0; i + 1 < line.part.count; i++)
          expected = expected || meets(line.x[i], line.y[i], line.x[i + 1], line.y[i + 1], row, x);
        assert_int_equal(hits[row * WIDTH + x], expected);
      }
    free(hits);
  }
}

static void a_line_through_corners_takes_the_diagonal(void **state)
{
  (void)state;
  double x[] = {100, 110}, y[] = {50, 35};
  for (size_t turn = 0; turn < 2; turn++) {
    double ends_x[] = {x[turn], x[1 - turn]}, ends_y[] = {y[turn], y[1 - turn]};
    struct geometry_part part = {.kind = PART_LINE, .count = 2, .x = ends_x, .y = ends_y};
    struct geometry geometry = {.type = GEOMETRY_LINE, .part_count = 1, .parts = &part};
    unsigned char *hits = count_pixels(&geometry, 1);
    size_t sum = 0;
    for (size_t pixel = 0; pixel < WIDTH * HEIGHT; pixel++)
      sum += hits[pixel];
    for (size_t i = 0; i < 6; i++) /* five pixels, and the one that the end belongs to */
      assert_int_equal(hits[i * WIDTH + i], 1);
    assert_int_equal(sum, 6);
    free(hits);
  }
}

static void points_and_empty_geometries(void **state)
{
  (void)state;
  double x[] = {100, 101.9, 146, 120, 99.9}, y[] = {50, 47.1, 20, -1, 30};
  struct geometry_part parts[5];
  for (size_t i = 0; i < 5; i++)
    parts[i] = (struct geometry_part){.kind = PART_POINT, .count = 1, .x = &x[i], .y = &y[i]};
  struct geometry items[] = {{.type = GEOMETRY_POINT, .part_count = 1, .parts = &parts[0]},
                             {.type = GEOMETRY_NONE},
                             {.type = GEOMETRY_MULTIPOINT, .part_count = 5, .parts = parts}};
  unsigned char *hits = count_pixels(items, 3);
  size_t sum = 0;
  for (size_t pixel = 0; pixel < 3 * WIDTH * HEIGHT; pixel++)
    sum += hits[pixel];
  assert_int_equal(sum, 2); /* the second point lies in the same pixel, the others outside */
  assert_int_equal(hits[0], 1);
  assert_int_equal(hits[2 * WIDTH * HEIGHT], 1);
  free(hits);
}

static void overlapping_members_count_once(void **state)
{
  (void)state;
  double x[2][4] = {{104, 120, 120, 104}, {110, 130, 130, 110}}, y[4] = {40, 40, 20, 20};
  struct geometry_part parts[2];
  for (size_t i = 0; i < 2; i++)
    parts[i] = (struct geometry_part){.kind = PART_RING, .polygon = i, .count = 4, .x = x[i], .y = y};
  struct geometry item = {.type = GEOMETRY_MULTIPOLYGON, .part_count = 2, .parts = parts};
  unsigned char *hits = count_pixels(&item, 1);
  for (size_t row = 0; row < HEIGHT; row++)
    for (size_t c = 0; c < WIDTH; c++)
      assert_int_equal(hits[row * WIDTH + c],
                       centre_inside(&parts[0], 1, row, c) || centre_inside(&parts[1], 1, row, c));
  free(hits);
}

static void texts_and_labels(void **state)
{
  (void)state;
  struct arena *arena = arena_new(0);
  struct error error = {{0}, {0}, {0}, {0}};
  double x[] = {0, 1, 1.5}, y[] = {0, 0, 2};
  struct geometry_part ring = {.kind = PART_RING, .count = 3, .x = x, .y = y};
  struct geometry_part mixed[] = {
      {.kind = PART_POINT, .count = 1, .x = x, .y = y}, ring, ring, {.kind = PART_LINE, .count = 2, .x = x, .y = y}};
  mixed[2].polygon = 1;
  struct geometry items[] = {{.type = GEOMETRY_POLYGON, .part_count = 1, .parts = &ring},
                             {.type = GEOMETRY_COLLECTION, .part_count = 4, .parts = mixed},
                             {.type = GEOMETRY_MULTIPOLYGON, .part_count = 2, .parts = &mixed[1]},
                             {.type = GEOMETRY_NONE}};
  struct geometry_set set = {.count = 4, .items = items, .crs = "EPSG:4326"};
  struct dimension dimension;
  char room[LABEL_TEXT_ROOM];
  assert_int_equal(geometry_dimension(arena, "geometry", &set, &dimension, &error), 0);
  assert_string_equal(dimension_label_text(&dimension, 0, room), "POLYGON ((0 0, 1 0, 1.5 2, 0 0))");
  assert_string_equal(dimension_label_text(&dimension, 1, room),
                      "GEOMETRYCOLLECTION (POINT (0 0), POLYGON ((0 0, 1 0, 1.5 2, 0 0)), "
                      "POLYGON ((0 0, 1 0, 1.5 2, 0 0)), LINESTRING (0 0, 1 0))");
  assert_string_equal(dimension_label_text(&dimension, 2, room),
                      "MULTIPOLYGON (((0 0, 1 0, 1.5 2, 0 0)), ((0 0, 1 0, 1.5 2, 0 0)))");
  assert_string_equal(dimension_label_text(&dimension, 3, room), "GEOMETRYCOLLECTION EMPTY");
  const size_t picks[] = {2, 0};
  struct dimension picked;
  assert_int_equal(dimension_pick(arena, &dimension, picks, 2, &picked), 0);
  assert_true(dimension_same_label(&picked, 1, &dimension, 0));
  assert_false(dimension_same_label(&picked, 0, &dimension, 0));
  items[0].id = "a";
  items[1].id = items[2].id = "b";
  items[3].id = "c";
  assert_int_equal(geometry_dimension(arena, "geometry", &set, &dimension, &error), 0);
  assert_int_equal(dimension_find_text(&dimension, "a"), SIZE_MAX); /* two are called b */
  items[2].id = "d";
  assert_int_equal(geometry_dimension(arena, "geometry", &set, &dimension, &error), 0);
  assert_int_equal(dimension_find_text(&dimension, "d"), 2);
  arena_free(arena);
}

/* A long edge in degrees, in UTM: every point of it lies within the tolerance of the new line, in both directions. */
static void edges_stay_where_they_are(void **state)
{
  (void)state;
  struct arena *arena = arena_new(0);
  struct error error = {{0}, {0}, {0}, {0}};
  const double x[] = {6, 12, 9, 6}, y[] = {40, 50, 45, 42}, back_x[] = {6, 9, 12, 6}, back_y[] = {42, 45, 50, 40};
  struct geometry_part parts[] = {{.kind = PART_LINE, .count = 4, .x = x, .y = y},
                                  {.kind = PART_LINE, .count = 4, .x = back_x, .y = back_y}};
  struct geometry item = {.type = GEOMETRY_MULTILINE, .part_count = 2, .parts = parts};
  struct geometry_set set = {.count = 1, .items = &item, .crs = "EPSG:4326"};
  const struct geometry_set *moved;
  struct transform *transform;
  const double tolerance = 1;
  assert_int_equal(geometry_transform(&set, "EPSG:32632", tolerance, arena, &moved, &error), 0);
  assert_int_equal(transform_new("EPSG:4326", "EPSG:32632", &transform, &error), 0);
  const struct geometry_part *line = &moved->items[0].parts[0], *back = &moved->items[0].parts[1];
  assert_true(line->count > 20 && line->count < 5000 && back->count == line->count);
  for (size_t i = 0; i < line->count; i++)
    assert_true(line->x[i] == back->x[line->count - 1 - i] && line->y[i] == back->y[line->count - 1 - i]);
  for (size_t i = 0; i <= 1000; i++) {
    double px = 6 + 6 * (double)i / 1000, py = 40 + 10 * (double)i / 1000, nearest = HUGE_VAL;
    transform_points(transform, 1, &px, &py);
    for (size_t k = 0; k + 1 < line->count; k++) {
      double dx = line->x[k + 1] - line->x[k], dy = line->y[k + 1] - line->y[k], length = dx * dx + dy * dy;
      double f = length > 0 ? ((px - line->x[k]) * dx + (py - line->y[k]) * dy) / length : 0;
      f = fmin(fmax(f, 0), 1);
      nearest = fmin(nearest, hypot(px - line->x[k] - f * dx, py - line->y[k] - f * dy));
    }
    assert_true(nearest <= tolerance);
  }
  assert_int_equal(geometry_transform(&set, "EPSG:4326", tolerance, arena, &moved, &error), 0);
  assert_ptr_equal(moved, &set);
  transform_free(transform);
  arena_free(arena);
}

static void points_without_an_image_are_errors(void **state)
{
  (void)state;
  struct arena *arena = arena_new(0);
  struct error error = {{0}, {0}, {0}, {0}};
  const double x[] = {9, 9}, y[] = {50, 95};
  struct geometry_part part = {.kind = PART_LINE, .count = 2, .x = x, .y = y};
  struct geometry items[] = {{.type = GEOMETRY_NONE}, {.type = GEOMETRY_LINE, .part_count = 1, .parts = &part}};
  struct geometry_set set = {.count = 2, .items = items, .crs = "EPSG:4326"};
  const struct geometry_set *moved;
  assert_int_equal(geometry_transform(&set, "EPSG:32632", 1, arena, &moved, &error), -1);
  assert_string_equal(error.code, "CRSInvalid");
  assert_non_null(strstr(error.message, "geometry 1"));
  arena_free(arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(polygons_cover_the_centres_inside),
      cmocka_unit_test(neighbours_share_no_pixel_and_lose_none),
      cmocka_unit_test(lines_touch_pixels),
      cmocka_unit_test(a_line_through_corners_takes_the_diagonal),
      cmocka_unit_test(points_and_empty_geometries),
      cmocka_unit_test(overlapping_members_count_once),
      cmocka_unit_test(texts_and_labels),
      cmocka_unit_test(edges_stay_where_they_are),
      cmocka_unit_test(points_without_an_image_are_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
