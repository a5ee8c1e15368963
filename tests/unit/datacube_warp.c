/* Resampling: against brute force, against functions that a method must reproduce, and against itself in tiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/warp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum resampling methods[] = {RESAMPLE_NEAREST, RESAMPLE_BILINEAR, RESAMPLE_CUBIC, RESAMPLE_CUBIC_SPLINE,
                                          RESAMPLE_LANCZOS, RESAMPLE_AVERAGE,  RESAMPLE_MODE,  RESAMPLE_MAX,
                                          RESAMPLE_MIN,     RESAMPLE_MEDIAN,   RESAMPLE_Q1,    RESAMPLE_Q3,
                                          RESAMPLE_SUM,     RESAMPLE_RMS};
enum { METHODS = sizeof methods / sizeof *methods };

static struct grid grid(const char *crs, double west, double north, double res, size_t width, size_t height)
{
  return (struct grid){
      .west = west, .north = north, .res_x = res, .res_y = res, .width = width, .height = height, .crs = crs};
}

/* A rough surface of whole numbers. */
static float *surface(size_t width, size_t height)
{
  float *values = malloc(width * height * sizeof *values);
  for (size_t i = 0; i < width * height; i++) {
    uint64_t z = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    values[i] = (float)((z >> 40) % 1000);
  }
  return values;
}

/* Warps a box of the target by what warper_need asks for, from a whole f32 source plane. */
static void warp_box(struct warper *w, const struct grid *from, const float *plane, double nodata,
                     const size_t start[2], const size_t count[2], float *out)
{
  struct error error = {.code = ""};
  size_t from_start[2], from_count[2];
  assert_int_equal(warper_need(w, start, count, from_start, from_count, &error), 0);
  assert_true(from_start[0] + from_count[0] <= from->height && from_start[1] + from_count[1] <= from->width);
  float *window = malloc((from_count[0] * from_count[1] + 1) * sizeof *window);
  for (size_t y = 0; y < from_count[0]; y++)
    memcpy(window + y * from_count[1], plane + (from_start[0] + y) * from->width + from_start[1],
           from_count[1] * sizeof *window);
  assert_int_equal(
      warper_run(w, ELEMENT_F32, true, nodata, 1, from_start, from_count, window, start, count, out, &error), 0);
  free(window);
}

static float *warp_whole(const struct grid *from, const struct grid *to, enum resampling method, const float *plane,
                         double nodata)
{
  struct error error = {.code = ""};
  struct warper *w = NULL;
  assert_int_equal(warper_new(from, to, method, &w, &error), 0);
  float *out = malloc(to->width * to->height * sizeof *out);
  warp_box(w, from, plane, nodata, (const size_t[2]){0, 0}, (const size_t[2]){to->height, to->width}, out);
  warper_free(w);
  return out;
}

/* The value that the tile's position must not change. */
static void tiles_join(const struct grid *from, const struct grid *to, size_t tile)
{
  float *plane = surface(from->width, from->height);
  for (size_t i = 0; i < from->width * from->height; i += 97)
    plane[i] = -1; /* no-data */
  float *part = malloc(tile * tile * sizeof *part);
  for (size_t m = 0; m < METHODS; m++) {
    float *whole = warp_whole(from, to, methods[m], plane, -1);
    struct warper *w = NULL;
    struct error error = {.code = ""};
    assert_int_equal(warper_new(from, to, methods[m], &w, &error), 0);
    size_t valid = 0, different = 0;
    for (size_t y = 0; y < to->height; y += tile)
      for (size_t x = 0; x < to->width; x += tile) {
        size_t start[2] = {y, x};
        size_t count[2] = {to->height - y < tile ? to->height - y : tile, to->width - x < tile ? to->width - x : tile};
        warp_box(w, from, plane, -1, start, count, part);
        for (size_t j = 0; j < count[0]; j++)
          different += memcmp(part + j * count[1], whole + (y + j) * to->width + x, count[1] * sizeof *part) != 0;
      }
    for (size_t i = 0; i < to->width * to->height; i++)
      valid += whole[i] != -1;
    assert_int_equal(different, 0);
    assert_true(valid > to->width * to->height / 10);
    warper_free(w);
    free(whole);
  }
  free(part);
  free(plane);
}

static void tiles_are_the_whole(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 431085, 4740615, 3012.077922077922, 77, 78);
  struct grid same_crs = grid("EPSG:32618", 420000, 4750000, 1700, 150, 150);
  struct grid zone = grid("EPSG:32617", 900000, 4770000, 2500, 110, 110);
  struct grid degrees = grid("EPSG:4326", -76, 43, 0.05, 64, 50);
  struct grid coarse = grid("EPSG:4326", -76, 43, 0.17, 19, 15);
  tiles_join(&from, &same_crs, 37);
  tiles_join(&from, &zone, 23);
  tiles_join(&from, &degrees, 16);
  tiles_join(&from, &coarse, 5);
}

static void nearest_is_the_pixel_that_holds_the_centre(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 300000, 4800000, 30, 50, 40);
  static const double cases[][3] = {{300000, 4800000, 30}, {300015, 4799985, 30}, {299700, 4800600, 10},
                                    {300003, 4799001, 7},  {300000, 4800000, 20}, {299990, 4800010, 100}};
  float *plane = surface(from.width, from.height);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    struct grid to = grid("EPSG:32618", cases[c][0], cases[c][1], cases[c][2], 60, 60);
    float *out = warp_whole(&from, &to, RESAMPLE_NEAREST, plane, -1);
    for (long j = 0; j < 60; j++)
      for (long i = 0; i < 60; i++) { /* in half metres, exact in integers: edges belong to the east and to the south */
        long x = (long)(2 * to.west) + (2 * i + 1) * (long)to.res_x - 2 * 300000;
        long y = 2 * 4800000 - ((long)(2 * to.north) - (2 * j + 1) * (long)to.res_y);
        bool inside = x >= 0 && y >= 0 && x / 60 < 50 && y / 60 < 40;
        float expected = inside ? plane[y / 60 * 50 + x / 60] : -1;
        assert_true(out[j * 60 + i] == expected);
      }
    free(out);
  }
  free(plane);
}

/* A lattice with edges that doubles cannot hold exactly: shifting by whole pixels must still be exact. */
static void noise_shifts_nothing(void **state)
{
  (void)state;
  double res = 1.0 / 3600;
  struct grid from = {
      .west = -75.1, .north = 40.7, .res_x = res, .res_y = res, .width = 200, .height = 200, .crs = "EPSG:4326"};
  float *plane = surface(200, 200);
  for (int shift = 1; shift < 50; shift += 7) {
    struct grid to = from;
    to.west = from.west + shift * res;
    to.north = from.north - (shift + 1) * res;
    to.width = to.height = 100;
    for (size_t m = 0; m < 3; m++) { /* nearest, bilinear, cubic */
      float *out = warp_whole(&from, &to, methods[m], plane, -1);
      for (int j = 0; j < 100; j++)
        for (int i = 0; i < 100; i++)
          assert_true(out[j * 100 + i] == plane[(j + shift + 1) * 200 + i + shift]);
      free(out);
    }
    struct grid half = to; /* half a pixel off: every centre is on an edge, and belongs to the south-east */
    half.west += res / 2;
    half.north -= res / 2;
    float *out = warp_whole(&from, &half, RESAMPLE_NEAREST, plane, -1);
    for (int j = 0; j < 100; j++)
      for (int i = 0; i < 100; i++)
        assert_true(out[j * 100 + i] == plane[(j + shift + 2) * 200 + i + shift + 1]);
    free(out);
  }
  free(plane);
}

/* Interpolation reproduces a plane a + bx + cy away from the edges; every averaging method a constant. */
static void methods_reproduce_what_they_must(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 0, 6000, 10, 120, 120), to = grid("EPSG:32618", 203, 5797, 7, 100, 100);
  float *ramp = malloc(120 * 120 * sizeof *ramp), *flat = malloc(120 * 120 * sizeof *flat);
  for (int j = 0; j < 120; j++)
    for (int i = 0; i < 120; i++) {
      ramp[j * 120 + i] = (float)(2 * (i + 0.5) - 3 * (j + 0.5) + 500);
      flat[j * 120 + i] = 7;
    }
  for (size_t m = 0; m < METHODS; m++) {
    float *out = warp_whole(&from, &to, methods[m], flat, -1);
    for (int i = 0; i < 100 * 100; i++)
      assert_float_equal(out[i], methods[m] == RESAMPLE_SUM ? 7 * 0.49 : 7, 1e-5);
    free(out);
    bool linear =
        methods[m] == RESAMPLE_BILINEAR || methods[m] == RESAMPLE_CUBIC || methods[m] == RESAMPLE_CUBIC_SPLINE;
    out = linear ? warp_whole(&from, &to, methods[m], ramp, -1) : NULL;
    for (int j = 0; linear && j < 100; j++)
      for (int i = 0; i < 100; i++) {
        double x = (203 + (i + 0.5) * 7) / 10, y = (6000 - 5797 + (j + 0.5) * 7) / 10;
        assert_float_equal(out[j * 100 + i], 2 * x - 3 * y + 500, 1e-3);
      }
    free(out);
  }
  free(ramp);
  free(flat);
}

static double keys(double t)
{
  t = fabs(t);
  return t <= 1 ? ((1.5 * t - 2.5) * t) * t + 1 : t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

/* Bilinear and cubic written out over all pixels near; at the rim the weights of what is there are scaled up. */
static void interpolation_is_what_the_formula_says(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 0, 400, 10, 40, 40), to = grid("EPSG:32618", -13, 417, 9, 50, 50);
  float *plane = surface(40, 40);
  for (int m = 1; m <= 2; m++) {
    float *out = warp_whole(&from, &to, methods[m], plane, -1);
    for (int j = 0; j < 50; j++)
      for (int i = 0; i < 50; i++) {
        double x = (-13 + 9 * (i + 0.5)) / 10, y = (400 - 417 + 9 * (j + 0.5)) / 10, sum = 0, weights = 0;
        bool inside = x >= 0 && y >= 0 && x < 40 && y < 40, rim = x < 1.5 || y < 1.5 || x >= 38.5 || y >= 38.5;
        for (int v = 0; v < 40; v++)
          for (int u = 0; u < 40; u++) {
            double tx = u + 0.5 - x, ty = v + 0.5 - y;
            double weight = m == 2 && !rim ? keys(tx) * keys(ty) : fmax(1 - fabs(tx), 0) * fmax(1 - fabs(ty), 0);
            weights += weight;
            sum += weight * (double)plane[v * 40 + u];
          }
        assert_float_equal(out[j * 50 + i], inside ? sum / weights : -1, 1e-3);
      }
    free(out);
  }
  free(plane);
}

static void blocks_of_two(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 0, 40, 10, 4, 4), to = grid("EPSG:32618", 0, 40, 20, 2, 2);
  const float plane[16] = {1, 2, 5, 5, 3, 4, 6, -1, -1, -1, 9, 8, -1, -1, 8, 9};
  static const struct {
    enum resampling method;
    float expected[4];
  } cases[] = {{RESAMPLE_AVERAGE, {2.5f, 16 / 3.0f, -1, 8.5f}},
               {RESAMPLE_SUM, {10, 16, -1, 34}},
               {RESAMPLE_MIN, {1, 5, -1, 8}},
               {RESAMPLE_MAX, {4, 6, -1, 9}},
               {RESAMPLE_MODE, {1, 5, -1, 8}},
               {RESAMPLE_MEDIAN, {2, 5, -1, 8}},
               {RESAMPLE_Q1, {1, 5, -1, 8}},
               {RESAMPLE_Q3, {3, 6, -1, 9}},
               {RESAMPLE_NEAREST, {4, -1, -1, 9}}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    float *out = warp_whole(&from, &to, cases[c].method, plane, -1);
    for (int i = 0; i < 4; i++)
      assert_float_equal(out[i], cases[c].expected[i], 1e-6);
    free(out);
  }
}

/* The valid area of interpolation is that of nearest; NaN counts as missing beside a declared no-data. */
static void missing_pixels_do_not_spread(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 0, 300, 10, 30, 30), to = grid("EPSG:32618", -23, 320, 7, 50, 50);
  float *plane = surface(30, 30);
  for (int i = 0; i < 900; i += 11)
    plane[i] = i % 2 ? -1 : (float)NAN;
  float *near = warp_whole(&from, &to, RESAMPLE_NEAREST, plane, -1);
  for (size_t m = 1; m < 4; m++) {
    float *out = warp_whole(&from, &to, methods[m], plane, -1);
    for (int i = 0; i < 2500; i++) {
      bool missing = near[i] == -1 || isnan(near[i]);
      assert_true(missing == (out[i] == -1));
      assert_true(missing || methods[m] == RESAMPLE_CUBIC || (out[i] >= 0 && out[i] <= 999));
    }
    free(out);
  }
  free(near);
  free(plane);
}

/* The source holds its own longitude and latitude; the target must read what belongs to its centre. */
static void check_lonlat(const struct grid *to)
{
  double lon0 = -180, res = 0.5;
  struct grid from = grid("EPSG:4326", lon0, 90, res, 720, 360);
  float *lon = malloc(720 * 360 * sizeof *lon), *lat = malloc(720 * 360 * sizeof *lat);
  for (int i = 0; i < 720 * 360; i++) {
    lon[i] = (float)(lon0 + (i % 720 + 0.5) * res);
    lat[i] = (float)(90 - (i / 720 + 0.5) * res);
  }
  float *x = warp_whole(&from, to, RESAMPLE_NEAREST, lon, -999),
        *y = warp_whole(&from, to, RESAMPLE_NEAREST, lat, -999);
  float *smooth = warp_whole(&from, to, RESAMPLE_BILINEAR, lat, -999);
  free(warp_whole(&from, to, RESAMPLE_AVERAGE, lon, -999));
  size_t n = to->width * to->height;
  double *px = malloc(n * sizeof *px), *py = malloc(n * sizeof *py);
  for (size_t i = 0; i < n; i++) {
    px[i] = to->west + ((double)(i % to->width) + 0.5) * to->res_x;
    py[i] = to->north - ((double)(i / to->width) + 0.5) * to->res_y;
  }
  struct error error = {.code = ""};
  assert_int_equal(points_transform(to->crs, "EPSG:4326", n, px, py, &error), 0);
  for (size_t i = 0; i < n; i++) {
    if (px[i] == HUGE_VAL) {
      assert_true(x[i] == -999 && y[i] == -999);
      continue;
    }
    double d = remainder(px[i] - (double)x[i], 360);
    assert_true(fabs(d) <= res / 2 + 1e-5 && fabs(py[i] - (double)y[i]) <= res / 2 + 1e-5);
    if (fabs(py[i]) < 89.5 && fabs(px[i]) < 179.5) /* a widened kernel is no longer exactly centred */
      assert_float_equal(smooth[i], py[i], 0.2 * res);
  }
  free(px);
  free(py);
  free(x);
  free(y);
  free(smooth);
  free(lon);
  free(lat);
}

static void pole_and_antimeridian(void **state)
{
  (void)state;
  struct grid pole = grid("EPSG:3413", -2e6, 2e6, 190000, 21, 21);
  struct grid antimeridian = grid("EPSG:3832", 3000000, 500000, 100000, 8, 8);
  struct grid mercator = grid("EPSG:3832", -500000, 500000, 300000, 20, 4);
  check_lonlat(&pole);
  check_lonlat(&antimeridian);
  check_lonlat(&mercator);
}

/* A source on 0 … 360 degrees serves a target on -180 … 180. */
static void longitudes_are_taken_modulo_360(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:4326", 0, 90, 1, 360, 180), to = grid("EPSG:4326", -180, 90, 1, 360, 180);
  float *plane = surface(360, 180);
  float *out = warp_whole(&from, &to, RESAMPLE_NEAREST, plane, -1);
  for (int j = 0; j < 180; j++)
    for (int i = 0; i < 360; i++)
      assert_true(out[j * 360 + i] == plane[j * 360 + (i + 180) % 360]);
  free(out);
  free(plane);
}

static void far_points_have_no_image(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 300000, 4800000, 1000, 100, 100);
  struct grid world = grid("EPSG:4326", -180, 90, 1, 360, 180);
  float *plane = surface(100, 100);
  for (size_t m = 0; m < METHODS; m++) {
    float *out = warp_whole(&from, &world, methods[m], plane, (double)NAN);
    int valid = 0;
    for (int j = 0; j < 180; j++)
      for (int i = 0; i < 360; i++)
        if (!isnan(out[j * 360 + i])) {
          valid++;
          assert_true(i >= 180 - 79 && i <= 180 - 75 && j >= 90 - 45 && j <= 90 - 41);
        }
    assert_true(valid >= 1 && valid <= 9);
    free(out);
  }
  free(plane);
}

static void every_type_is_resampled(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 0, 20, 10, 2, 2), to = grid("EPSG:32618", -10, 30, 10, 4, 4);
  const size_t all[2] = {0, 0}, four[2] = {4, 4}, two[2] = {2, 2};
  for (int type = 0; type < ELEMENT_TYPE_COUNT; type++) {
    const struct element_info *info = element_info((enum element_type)type);
    for (size_t m = 0; m < METHODS; m++) {
      unsigned char source[2 * 4 * 16], out[2 * 16 * 16], zero[16] = {0};
      for (size_t i = 0; i < sizeof source; i++) /* any bytes will do for nearest, ones for the others */
        source[i] = m == 0 ? (unsigned char)(i * 37 + 11) : i % info->size == 0 && !info->is_float;
      struct error error = {.code = ""};
      struct warper *w = NULL;
      assert_int_equal(warper_new(&from, &to, methods[m], &w, &error), 0);
      int status = warper_run(w, (enum element_type)type, false, 0, 2, all, two, source, all, four, out, &error);
      assert_int_equal(status, m > 0 && info->is_complex ? -1 : 0);
      if (status == 0)
        for (size_t plane = 0; plane < 2; plane++)
          for (size_t row = 0; row < 2; row++)
            assert_memory_equal(out + (plane * 16 + (row + 1) * 4 + 1) * info->size,
                                source + (plane * 4 + row * 2) * info->size, 2 * info->size);
      if (status == 0 && !info->is_float && type != ELEMENT_BOOLEAN)
        assert_memory_equal(out, zero, info->size); /* outside, without a no-data */
      if (status == 0 && type == ELEMENT_BOOLEAN)
        assert_int_equal(out[0], 255);
      float first;
      memcpy(&first, out, sizeof first);
      if (status == 0 && type == ELEMENT_F32)
        assert_true(isnan(first));
      if (status != 0)
        assert_string_equal(error.code, "FeatureUnsupported");
      warper_free(w);
    }
  }
}

/* Averages of integers are rounded; a valid one never becomes the no-data value. */
static void integers_are_rounded(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 0, 10, 10, 4, 1), to = grid("EPSG:32618", 0, 10, 20, 2, 1);
  to.res_y = 10;
  const uint8_t source[4] = {1, 2, 9, 11};
  uint8_t out[2];
  const size_t all[2] = {0, 0}, four[2] = {1, 4}, two[2] = {1, 2};
  struct error error = {.code = ""};
  struct warper *w = NULL;
  assert_int_equal(warper_new(&from, &to, RESAMPLE_AVERAGE, &w, &error), 0);
  assert_int_equal(warper_run(w, ELEMENT_U8, true, 10, 1, all, four, source, all, two, out, &error), 0);
  assert_int_equal(out[0], 2);
  assert_int_not_equal(out[1], 10);
  assert_in_range(out[1], 9, 11);
  warper_free(w);
}

static void what_cannot_be_is_an_error(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 0, 20, 10, 2, 2), bare = from, flat = from;
  bare.crs = NULL;
  flat.res_x = 0;
  struct warper *w = NULL;
  struct error error = {.code = ""};
  assert_int_equal(warper_new(&from, &from, RESAMPLE_GEOCODE, &w, &error), -1);
  assert_string_equal(error.code, "FeatureUnsupported");
  assert_string_equal(error.parameter, "method");
  error = (struct error){.code = ""};
  assert_int_equal(warper_new(&from, &bare, RESAMPLE_NEAREST, &w, &error), -1);
  assert_string_equal(error.code, "CRSInvalid");
  error = (struct error){.code = ""};
  assert_int_equal(warper_new(&from, &flat, RESAMPLE_NEAREST, &w, &error), -1);
  struct grid away = grid("EPSG:32618", 1e6, 20, 10, 2, 2);
  size_t start[2], count[2];
  error = (struct error){.code = ""};
  assert_int_equal(warper_new(&from, &away, RESAMPLE_CUBIC, &w, &error), 0);
  assert_int_equal(warper_need(w, (const size_t[2]){0, 0}, (const size_t[2]){2, 2}, start, count, &error), 0);
  assert_true(count[0] == 0 && count[1] == 0);
  warper_free(w);
}

/* The need of a box too large to be kept is a superset of its parts' needs. */
static void need_of_a_large_box(void **state)
{
  (void)state;
  struct grid from = grid("EPSG:32618", 300000, 4800000, 30, 7000, 7000);
  struct grid to = grid("EPSG:4326", -77.3, 43.2, 0.0005, 2600, 2200);
  struct error error = {.code = ""};
  struct warper *w = NULL;
  assert_int_equal(warper_new(&from, &to, RESAMPLE_BILINEAR, &w, &error), 0);
  size_t start[2], count[2];
  assert_int_equal(warper_need(w, (const size_t[2]){0, 0}, (const size_t[2]){2200, 2600}, start, count, &error), 0);
  for (size_t y = 0; y < 2200; y += 440)
    for (size_t x = 0; x < 2600; x += 520) {
      size_t s[2], c[2];
      assert_int_equal(warper_need(w, (const size_t[2]){y, x}, (const size_t[2]){440, 520}, s, c, &error), 0);
      for (int axis = 0; axis < 2 && c[0] > 0; axis++)
        assert_true(s[axis] >= start[axis] && s[axis] + c[axis] <= start[axis] + count[axis]);
    }
  warper_free(w);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(tiles_are_the_whole),
                                     cmocka_unit_test(nearest_is_the_pixel_that_holds_the_centre),
                                     cmocka_unit_test(noise_shifts_nothing),
                                     cmocka_unit_test(methods_reproduce_what_they_must),
                                     cmocka_unit_test(interpolation_is_what_the_formula_says),
                                     cmocka_unit_test(blocks_of_two),
                                     cmocka_unit_test(missing_pixels_do_not_spread),
                                     cmocka_unit_test(pole_and_antimeridian),
                                     cmocka_unit_test(longitudes_are_taken_modulo_360),
                                     cmocka_unit_test(far_points_have_no_image),
                                     cmocka_unit_test(every_type_is_resampled),
                                     cmocka_unit_test(integers_are_rounded),
                                     cmocka_unit_test(what_cannot_be_is_an_error),
                                     cmocka_unit_test(need_of_a_large_box)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
