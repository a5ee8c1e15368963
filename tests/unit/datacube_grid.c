/* Grid algebra, CRS texts and transformations: by identities, brute force and values known from the definitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/cube.h"
#include "datacube/grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t counter;

/* Numbers in [0, 1) from a counter (splitmix64): the same in every run. */
static double uniform(void)
{
  uint64_t z = (counter += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double between(double low, double high)
{
  return low + uniform() * (high - low);
}

static void resampling_names_go_both_ways(void **state)
{
  (void)state;
  for (int i = 0; i < RESAMPLE_COUNT; i++)
    assert_int_equal(resampling_from_name(resampling_name((enum resampling)i)), i);
  assert_int_equal(resampling_from_name("near"), RESAMPLE_NEAREST);
  assert_int_equal(resampling_from_name("nearest-ish"), RESAMPLE_COUNT);
  assert_int_equal(resampling_from_name(NULL), RESAMPLE_COUNT);
}

static void crs_texts_become_codes(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"EPSG:32618", "EPSG:32618"},
      {"32618", "EPSG:32618"},
      {"epsg:4326", "EPSG:4326"},
      {"OGC:CRS84", "EPSG:4326"},
      {"EPSG:4979", "EPSG:4326"},
      {"EPSG:7415", "EPSG:28992"},
      {" EPSG:3035", "EPSG:3035"},
      {"urn:ogc:def:crs:EPSG::32617", "EPSG:32617"},
      {"+proj=utm +zone=18 +datum=WGS84", "EPSG:32618"},
      {"+proj=longlat +datum=WGS84 +no_defs", "EPSG:4326"},
      {"+init=epsg:32618", "EPSG:32618"},
      {"PROJCS[\"WGS_1984_UTM_Zone_18N\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\","
       "6378137.0,298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],"
       "PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],"
       "PARAMETER[\"Central_Meridian\",-75.0],PARAMETER[\"Scale_Factor\",0.9996],PARAMETER[\"Latitude_Of_Origin\","
       "0.0],UNIT[\"Meter\",1.0]]",
       "EPSG:32618"}};
  struct arena *arena = arena_new(0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error error = {.code = ""};
    const char *out = NULL;
    assert_int_equal(crs_canonical(arena, cases[i][0], &out, &error), 0);
    assert_string_equal(out, cases[i][1]);
  }
  arena_free(arena);
}

/* The WKT of a code is that code again; its axes may run north first (EPSG:3035, 2193). */
static void crs_wkt_comes_back(void **state)
{
  (void)state;
  static const char *const codes[] = {"EPSG:32618", "EPSG:4326",  "EPSG:3035", "EPSG:2193", "EPSG:2056",
                                      "EPSG:3857",  "EPSG:25832", "EPSG:2263", "EPSG:3413"};
  struct arena *arena = arena_new(0);
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    struct error error = {.code = ""};
    const char *wkt = NULL, *out = NULL;
    assert_int_equal(crs_wkt(arena, codes[i], &wkt, &error), 0);
    assert_int_equal(crs_canonical(arena, wkt, &out, &error), 0);
    assert_string_equal(out, codes[i]);
    assert_true(crs_equal(wkt, codes[i]));
  }
  arena_free(arena);
}

static void crs_without_code_is_wkt_and_stays(void **state)
{
  (void)state;
  struct arena *arena = arena_new(0);
  struct error error = {.code = ""};
  const char *first = NULL, *second = NULL;
  assert_int_equal(crs_canonical(arena, "+proj=sinu +R=6371007.181", &first, &error), 0);
  assert_int_equal(strncmp(first, "PROJCRS[", 8), 0);
  assert_null(strchr(first, '\n'));
  assert_int_equal(crs_canonical(arena, first, &second, &error), 0);
  assert_string_equal(first, second);
  arena_free(arena);
}

static void bad_crs_is_an_error(void **state)
{
  (void)state;
  static const char *const bad[] = {"",         "  ", "nonsense", "EPSG:99999",    "EPSG:5773",           "EPSG:4978",
                                    "PROJCRS[", "{}", "[[[[",     "+proj=nothing", "99999999999999999999"};
  struct arena *arena = arena_new(0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct error error = {.code = ""};
    const char *out = NULL;
    assert_int_equal(crs_canonical(arena, bad[i], &out, &error), -1);
    assert_string_equal(error.code, "CRSInvalid");
  }
  struct error error = {.code = ""};
  const char *out = NULL;
  assert_int_equal(crs_canonical(arena, NULL, &out, &error), -1);
  char *deep = arena_alloc(arena, 200001);
  memset(deep, '[', 200000);
  assert_int_equal(crs_canonical(arena, deep, &out, &error), -1);
  arena_free(arena);
}

/* A CRS that names a file or a recipe, in every language that PROJ reads. A FIFO would stop who opens it. */
static void crs_texts_open_no_files(void **state)
{
  (void)state;
#define GEOGRAPHIC                                                                                                     \
  "GEOGCRS[\"a\",DATUM[\"b\",ELLIPSOID[\"c\",6378206.4,294.9]],CS[ellipsoidal,2],AXIS[\"latitude\",north],"            \
  "AXIS[\"longitude\",east],ANGLEUNIT[\"degree\",0.0174532925199433]]"
  static const char *const forms[] = {"+proj=longlat +nadgrids=%s",
                                      "+proj=longlat +datum=WGS84 +geoidgrids=@%s",
                                      "+init=%s:root",
                                      "init=%s:root",
                                      "+proj=pipeline +step +proj=hgridshift +grids=%s +type=crs",
                                      "+proj=merc +datum=%s",
                                      "proj=longlat file=%s",
                                      "+proj=defmodel +model=%s +type=crs",
                                      "BOUNDCRS[SOURCECRS[" GEOGRAPHIC "],TARGETCRS[" GEOGRAPHIC "],"
                                      "ABRIDGEDTRANSFORMATION[\"d\",METHOD[\"NTv2\",ID[\"EPSG\",9615]],PARAMETERFILE["
                                      "\"Latitude and longitude difference file\",\"%s\",ID[\"EPSG\",8656]]]]"};
  struct arena *arena = arena_new(0);
  char folder[] = P_tmpdir "/twincube-crs-XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/fifo", folder);
  assert_int_equal(mkfifo(path, 0600), 0);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    struct error error = {.code = ""};
    const char *out = NULL;
    assert_int_equal(crs_canonical(arena, arena_printf(arena, forms[i], path), &out, &error), -1);
    assert_string_equal(error.code, "CRSInvalid");
  }
  /* WKT 1 may carry a PROJ string: the CRS is good, its grid is left alone */
  struct error error = {.code = ""};
  const char *out = NULL;
  double x = 10, y = 50;
  const char *extended = arena_printf(arena,
                                      "GEOGCS[\"a\",DATUM[\"b\",SPHEROID[\"c\",6378206.4,294.9],EXTENSION["
                                      "\"PROJ4_GRIDS\",\"%s\"]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\","
                                      "0.0174532925199433]]",
                                      path);
  if (crs_canonical(arena, extended, &out, &error) == 0)
    points_transform(out, "EPSG:3857", 1, &x, &y, &error);
  unlink(path);
  rmdir(folder);
  arena_free(arena);
}

static void crs_properties(void **state)
{
  (void)state;
  assert_true(crs_is_geographic("EPSG:4326"));
  assert_true(crs_is_geographic("EPSG:4258"));
  assert_false(crs_is_geographic("EPSG:32618"));
  assert_false(crs_is_geographic("EPSG:3035"));
  assert_false(crs_is_geographic(NULL));
  assert_true(crs_unit_metres("EPSG:32618") == 1);
  assert_float_equal(crs_unit_metres("EPSG:4326"), 111319.4908, 1e-3);
  assert_float_equal(crs_unit_metres("EPSG:2263"), 1200.0 / 3937.0, 1e-12); /* US survey foot */
  assert_true(crs_equal("EPSG:32618", "epsg:32618"));
  assert_false(crs_equal("EPSG:32618", "EPSG:32617"));
  assert_false(crs_equal("EPSG:32618", NULL));
  assert_true(crs_equal(NULL, NULL));
}

/* On the central meridian UTM is 500 000 east and 0.9996 of the meridian arc north (4984944.378 m to 45 degrees). */
static void points_of_known_place(void **state)
{
  (void)state;
  double x[3] = {-75, -75, -75}, y[3] = {0, 45, HUGE_VAL};
  struct error error = {.code = ""};
  assert_int_equal(points_transform("EPSG:4326", "EPSG:32618", 3, x, y, &error), 0);
  assert_float_equal(x[0], 500000, 1e-6);
  assert_float_equal(y[0], 0, 1e-6);
  assert_float_equal(x[1], 500000, 1e-6);
  assert_float_equal(y[1], 0.9996 * 4984944.378, 2e-3);
  assert_true(x[2] == HUGE_VAL && y[2] == HUGE_VAL);
  assert_int_equal(points_transform("EPSG:32618", NULL, 2, x, y, &error), 0);
  assert_float_equal(x[1], -75, 1e-9);
  assert_float_equal(y[1], 45, 1e-9);
  assert_int_equal(points_transform("EPSG:32618", "EPSG:1", 2, x, y, &error), -1);
  assert_string_equal(error.code, "CRSInvalid");
}

/* The image of every point of an extent lies in the extent's image. */
static void extent_image_covers(void **state)
{
  (void)state;
  static const struct {
    struct extent in;
    const char *to;
  } cases[] = {{{300000, 4500000, 600000, 4800000, "EPSG:32618"}, "EPSG:4326"},
               {{-80, 35, -70, 50, NULL}, "EPSG:32618"},
               {{-80, 35, -70, 50, NULL}, "EPSG:32617"},
               {{-180, 60, 180, 90, NULL}, "EPSG:3413"},
               {{-3000000, -3000000, 2500000, 3000000, "EPSG:3413"}, "EPSG:4326"},
               {{2500000, 1500000, 6500000, 5000000, "EPSG:3035"}, "EPSG:3857"},
               {{570585, 5612085, 803115, 5847615, "EPSG:32660"}, "EPSG:4326"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error error = {.code = ""};
    struct extent in = cases[i].in, out;
    assert_int_equal(extent_transform(&in, cases[i].to, &out, &error), 0);
    assert_string_equal(out.crs, cases[i].to);
    double x[500], y[500];
    for (size_t k = 0; k < 500; k++) {
      x[k] = between(in.west, in.east);
      y[k] = between(in.south, in.north);
    }
    assert_int_equal(points_transform(in.crs, cases[i].to, 500, x, y, &error), 0);
    for (size_t k = 0; k < 500; k++)
      assert_true(x[k] >= out.west && x[k] <= out.east && y[k] >= out.south && y[k] <= out.north);
  }
}

static void extent_of_pole_and_antimeridian(void **state)
{
  (void)state;
  struct error error = {.code = ""};
  struct extent polar = {-1e6, -1e6, 1e6, 1e6, "EPSG:3413"}, out;
  assert_int_equal(extent_transform(&polar, "EPSG:4326", &out, &error), 0);
  assert_true(out.west == -180 && out.east == 180 && out.north == 90 && out.south > 70);
  struct extent across = {170, -10, -170, 10, NULL};
  assert_int_equal(extent_transform(&across, "EPSG:3832", &out, &error), 0); /* Mercator about 150 degrees east */
  assert_true(out.west < out.east);
  assert_float_equal(out.east - out.west, 20 * 111319.4908, 1);
  struct extent same = {1.25, 2.5, 3.75, 5, "EPSG:4326"};
  assert_int_equal(extent_transform(&same, "EPSG:4326", &out, &error), 0);
  assert_true(out.west == 1.25 && out.south == 2.5 && out.east == 3.75 && out.north == 5);
}

static struct grid utm_grid(double west, double north, double res, size_t width, size_t height)
{
  return (struct grid){
      .west = west, .north = north, .res_x = res, .res_y = res, .width = width, .height = height, .crs = "EPSG:32618"};
}

static void near(const struct extent *e, double west, double south, double east, double north, double slack)
{
  const double got[] = {e->west, e->south, e->east, e->north}, want[] = {west, south, east, north};
  for (size_t i = 0; i < 4; i++)
    if (!(fabs(got[i] - want[i]) <= slack))
      fail_msg("edge %zu is %.10g and not %.10g", i, got[i], want[i]);
}

/* The world ends where its projections end, whichever meridian a box of all longitudes begins at, and not beyond. */
static void the_world_in_other_crs(void **state)
{
  (void)state;
  const double edge = 20037508.342789244;
  struct error error = {.code = ""};
  struct extent out;
  for (double west = -180; west <= 0; west += 45) {
    const double east = west + 360;
    const struct extent band = {west, -50, east, 50, "EPSG:4326"}, north = {west, 60, east, 90, "EPSG:4326"};
    const struct extent all = {west, -90, east, 90, "EPSG:4326"};
    assert_int_equal(extent_transform(&band, "EPSG:3857", &out, &error), 0);
    near(&out, -edge, -6446275.841, edge, 6446275.841, 1);
    assert_int_equal(extent_transform(&band, "EPSG:3832", &out, &error), 0); /* cut at 30 degrees west */
    assert_true(out.west < -20037507 && out.west > -20037600 && out.east > 20037507 && out.east < 20037600);
    assert_int_equal(extent_transform_in_use(&all, "EPSG:3857", &out, &error), 0);
    near(&out, -edge, -edge, edge, edge, 20100);
    assert_int_equal(extent_transform(&north, "EPSG:3413", &out, &error), 0);
    near(&out, -3323160.27, -3323160.27, 3323160.27, 3323160.27, 4000);
    assert_int_equal(extent_transform_in_use(&all, "EPSG:3413", &out, &error), 0);
    near(&out, -3323160.27, -3323160.27, 3323160.27, 3323160.27, 4000);
    assert_int_equal(extent_transform_in_use(&all, "EPSG:6933", &out, &error), 0); /* equal area */
    near(&out, -17367530.45, -7342230.14, 17367530.45, 7342230.14, 100);
  }
}

static void lattices(void **state)
{
  (void)state;
  struct grid a = utm_grid(300000, 4800000, 30, 5000, 5000);
  struct grid b = utm_grid(300000 - 17 * 30, 4800000 + 300000 * 30, 30, 10, 10);
  assert_true(grid_same_lattice(&a, &b));
  b.west += 0.02; /* less than a thousandth of a pixel */
  assert_true(grid_same_lattice(&a, &b));
  b.west += 0.3;
  assert_false(grid_same_lattice(&a, &b));
  struct grid half = utm_grid(300015, 4800000, 30, 5000, 5000);
  assert_false(grid_same_lattice(&a, &half));
  struct grid finer = utm_grid(300000, 4800000, 10, 5000, 5000);
  assert_false(grid_same_lattice(&a, &finer));
  struct grid drift = utm_grid(300000, 4800000, 30.0001, 5000, 5000); /* 0.017 pixels at the far end */
  assert_false(grid_same_lattice(&a, &drift));
  struct grid noise = utm_grid(300000, 4800000, 30 * (1 + 1e-12), 5000, 5000);
  assert_true(grid_same_lattice(&a, &noise));
  struct grid zone = a;
  zone.crs = "EPSG:32617";
  assert_false(grid_same_lattice(&a, &zone));
}

/* grid_crop against the definition, centre by centre. */
static void crop_takes_the_centres(void **state)
{
  (void)state;
  for (int round = 0; round < 300; round++) {
    double res = round % 3 == 0 ? 1.0 / 3 : round % 3 == 1 ? 30 : 0.1;
    struct grid g = {.west = rint(between(-50, 50)) * res,
                     .north = rint(between(-50, 50)) * res,
                     .res_x = res,
                     .res_y = res / 2,
                     .width = 23,
                     .height = 31,
                     .crs = "EPSG:4326"};
    double cells = round % 2 ? 1 : 0; /* edges on half pixels: centres on edges */
    struct extent e = {g.west + between(-5, 20) * res, 0, 0, g.north + between(-10, 3) * res, g.crs};
    e.east = e.west + between(0, 20) * res;
    e.south = e.north - between(0, 20) * res;
    if (cells > 0) {
      e.west = g.west + (rint(between(-5, 20)) + 0.5) * res;
      e.east = e.west + rint(between(0, 20)) * res;
      e.north = g.north - (rint(between(-5, 20)) + 0.5) * g.res_y;
      e.south = e.north - rint(between(0, 20)) * g.res_y;
    }
    struct grid crop = grid_crop(&g, &e);
    size_t columns = 0, rows = 0, first_column = 0, first_row = 0;
    for (size_t i = g.width; i-- > 0;) {
      double centre = g.west + ((double)i + 0.5) * res, tiny = res * 1e-7;
      if (centre >= e.west - tiny && centre < e.east - tiny)
        columns++, first_column = i;
    }
    for (size_t j = g.height; j-- > 0;) {
      double centre = g.north - ((double)j + 0.5) * g.res_y, tiny = res * 1e-7;
      if (centre >= e.south - tiny && centre < e.north - tiny)
        rows++, first_row = j;
    }
    assert_int_equal(crop.width, columns);
    assert_int_equal(crop.height, rows);
    if (columns)
      assert_true(fabs(crop.west - (g.west + (double)first_column * res)) < res * 1e-9);
    if (rows)
      assert_true(fabs(crop.north - (g.north - (double)first_row * g.res_y)) < res * 1e-9);
    if (columns && rows)
      assert_true(grid_same_lattice(&crop, &g));
  }
}

static void crop_of_nothing(void **state)
{
  (void)state;
  struct grid g = utm_grid(0, 0, 10, 100, 100);
  struct extent far_off = {1e9, 1e9, 2e9, 2e9, g.crs}, turned = {500, -200, 300, -400, g.crs};
  assert_int_equal(grid_crop(&g, &far_off).width, 0);
  assert_int_equal(grid_crop(&g, &turned).width, 0);
  struct extent none = {(double)NAN, (double)NAN, (double)NAN, (double)NAN, g.crs};
  assert_int_equal(grid_crop(&g, &none).width, 0);
}

static void anchored_is_smallest_cover(void **state)
{
  (void)state;
  for (int round = 0; round < 300; round++) {
    double res = round % 2 ? between(0.1, 100) : 30;
    struct extent e = {between(-1e6, 1e6), between(-1e6, 1e6), 0, 0, "EPSG:32618"};
    e.east = e.west + between(0.001, 1000) * res;
    e.north = e.south + between(0.001, 1000) * res;
    struct grid g;
    struct error error = {.code = ""};
    assert_int_equal(grid_anchored(&e, res, res, &g, &error), 0);
    double east = g.west + (double)g.width * res, south = g.north - (double)g.height * res, slack = 2e-6 * res;
    assert_true(g.west <= e.west + slack && east >= e.east - slack && south <= e.south + slack &&
                g.north >= e.north - slack);
    assert_true(g.west > e.west - res - slack && east < e.east + res + slack && south > e.south - res - slack &&
                g.north < e.north + res + slack);
    assert_true(fabs(g.west / res - rint(g.west / res)) < 1e-6 && fabs(g.north / res - rint(g.north / res)) < 1e-6);
  }
}

static void anchored_keeps_exact_edges(void **state)
{
  (void)state;
  struct extent e = {300000, 4500000, 300300, 4500600, "EPSG:32618"};
  struct grid g;
  struct error error = {.code = ""};
  assert_int_equal(grid_anchored(&e, 30, 30, &g, &error), 0);
  assert_true(g.west == 300000 && g.north == 4500600 && g.width == 10 && g.height == 20);
  struct extent tenths = {0.1 * 3, 0, 0.1 * 7, 0.7, "EPSG:4326"}; /* 0.30000000000000004, 0.7000000000000001 */
  assert_int_equal(grid_anchored(&tenths, 0.1, 0.1, &g, &error), 0);
  assert_int_equal(g.width, 4);
  assert_int_equal(g.height, 7);
}

static void anchored_refuses_the_absurd(void **state)
{
  (void)state;
  struct extent e = {-1e300, -1e300, 1e300, 1e300, "EPSG:32618"}, inf = {0, 0, HUGE_VAL, 1, "EPSG:32618"};
  struct extent small = {0, 0, 1, 1, "EPSG:32618"};
  struct grid g;
  const double bad[] = {0, -1, (double)NAN, HUGE_VAL};
  for (size_t i = 0; i < 4; i++) {
    struct error error = {.code = ""};
    assert_int_equal(grid_anchored(&small, bad[i], 1, &g, &error), -1);
    assert_string_equal(error.code, "ProcessParameterInvalid");
  }
  struct error error = {.code = ""};
  assert_int_equal(grid_anchored(&e, 1, 1, &g, &error), -1);
  assert_int_equal(grid_anchored(&inf, 1, 1, &g, &error), -1);
}

static void grid_of_a_cube(void **state)
{
  (void)state;
  struct grid g;
  struct cube cube = {.dimensions = 2, .crs = "EPSG:32618"};
  cube.dimension[0] = dimension_steps("y", 'y', 995, -10, 7);
  cube.dimension[1] = dimension_steps("x", 'x', 105, 10, 5);
  assert_int_equal(grid_of_cube(&cube, &g), 0);
  assert_true(g.west == 100 && g.north == 1000 && g.res_x == 10 && g.res_y == 10 && g.width == 5 && g.height == 7);
  cube.dimension[0] = dimension_steps("y", 'y', 5, 10, 7); /* rows that go north are no grid */
  assert_int_equal(grid_of_cube(&cube, &g), -1);
  cube.dimensions = 1;
  assert_int_equal(grid_of_cube(&cube, &g), -1);
}

/* What is asked again is answered from memory: after more codes and pairs than that holds, and in any case of letters,
 * the answers are the first ones. */
static void what_is_remembered_is_the_same(void **state)
{
  enum { ZONES = 90 };
  double first[ZONES][2], metres[ZONES];
  (void)state;
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < ZONES; i++) {
      char code[32];
      double x = 500000 + 1000 * i, y = 5e6 + i, unit;
      struct error error = {0};
      snprintf(code, sizeof code, round == 2 ? "epsg:%d" : "EPSG:%d", 32601 + i % 60 + (i >= 60 ? 100 : 0));
      assert_int_equal(points_transform(code, "EPSG:3857", 1, &x, &y, &error), 0);
      unit = crs_unit_metres(code);
      assert_false(crs_is_geographic(code));
      if (round == 0) {
        first[i][0] = x, first[i][1] = y, metres[i] = unit;
        continue;
      }
      assert_memory_equal(&x, &first[i][0], sizeof x);
      assert_memory_equal(&y, &first[i][1], sizeof y);
      assert_memory_equal(&unit, &metres[i], sizeof unit);
    }
  assert_true(crs_starts_north("EPSG:4326") && crs_starts_north("EPSG:4326") && !crs_starts_north("EPSG:3857"));
  assert_true(crs_unit_metres("EPSG:2263") < 0.4 && crs_unit_metres("EPSG:2263") == crs_unit_metres("epsg:2263"));
  assert_false(crs_is_geographic("EPSG:1") || crs_is_geographic("EPSG:1"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(resampling_names_go_both_ways),
                                     cmocka_unit_test(crs_texts_become_codes),
                                     cmocka_unit_test(crs_wkt_comes_back),
                                     cmocka_unit_test(crs_without_code_is_wkt_and_stays),
                                     cmocka_unit_test(bad_crs_is_an_error),
                                     cmocka_unit_test(crs_texts_open_no_files),
                                     cmocka_unit_test(crs_properties),
                                     cmocka_unit_test(points_of_known_place),
                                     cmocka_unit_test(extent_image_covers),
                                     cmocka_unit_test(extent_of_pole_and_antimeridian),
                                     cmocka_unit_test(the_world_in_other_crs),
                                     cmocka_unit_test(lattices),
                                     cmocka_unit_test(crop_takes_the_centres),
                                     cmocka_unit_test(crop_of_nothing),
                                     cmocka_unit_test(anchored_is_smallest_cover),
                                     cmocka_unit_test(anchored_keeps_exact_edges),
                                     cmocka_unit_test(anchored_refuses_the_absurd),
                                     cmocka_unit_test(grid_of_a_cube),
                                     cmocka_unit_test(what_is_remembered_is_the_same)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
