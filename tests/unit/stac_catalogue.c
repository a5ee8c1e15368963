/* The catalogue: boxes, folders, STAC, grids, dates, documents, and what happens when writers die.
 *
 * Rasters are made here with values that say where they lie: value = column + 100 * row of the CRS in whole pixels plus
 * 20000 a band, so a cube's pixel can be checked against its own coordinates, whatever grid it came through. */
#include "datacube/base/logger.h"
#include "datacube/sink.h"
#include "stac/catalogue.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TILE = 40 };

struct world {
  char folder[256]; /* of this test: rasters in "in", the catalogue in "data" */
  struct arena *arena;
  struct catalogue *catalogue;
  struct error error;
};

static const char *in_world(struct world *world, const char *name)
{
  return arena_printf(world->arena, "%s/%s", world->folder, name);
}

static int setup(void **state)
{
  struct world *world = calloc(1, sizeof *world);
  const char *temporary = getenv("TMPDIR");
  assert_non_null(world);
  snprintf(world->folder, sizeof world->folder, "%s/twincube-catalogue-XXXXXX", temporary ? temporary : P_tmpdir);
  assert_non_null(mkdtemp(world->folder));
  world->arena = arena_new(0);
  assert_int_equal(mkdir(in_world(world, "in"), 0700), 0);
  assert_int_equal(catalogue_open(in_world(world, "data"), true, &world->catalogue, &world->error), 0);
  log_set_level(LOG_ERROR);
  *state = world;
  return 0;
}

static int remove_tree(const char *path)
{
  pid_t child = fork();
  int status = 0;
  if (child == 0) {
    execlp("rm", "rm", "-rf", "--", path, (char *)NULL);
    _exit(127);
  }
  waitpid(child, &status, 0);
  return status;
}

static int teardown(void **state)
{
  struct world *world = *state;
  catalogue_close(world->catalogue);
  arena_free(world->arena);
  remove_tree(world->folder);
  free(world);
  return 0;
}

static double truth(double x, double y, double res, size_t band)
{
  return fmod(floor(x / res), 100) + 100 * fmod(floor(y / res), 100) + 20000.0 * (double)band;
}

/* A raster of TILE x TILE pixels with the true values of `band`. */
static void write_raster(struct world *world, const char *name, const char *crs, double west, double north, double res,
                         size_t band)
{
  struct cube cube = {.dimensions = 2, .type = ELEMENT_U16, .crs = crs};
  static uint16_t data[TILE * TILE];
  struct sink *sink;
  struct box box;
  char *path = arena_printf(world->arena, "%s/in/%s", world->folder, name);
  for (char *slash = strchr(path + strlen(world->folder) + 4, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
  }
  cube.dimension[0] = dimension_steps("y", 'y', north - res / 2, -res, TILE);
  cube.dimension[1] = dimension_steps("x", 'x', west + res / 2, res, TILE);
  for (size_t row = 0; row < TILE; row++)
    for (size_t column = 0; column < TILE; column++)
      data[row * TILE + column] =
          (uint16_t)truth(west + ((double)column + 0.5) * res, north - ((double)row + 0.5) * res, res, band);
  struct sink_request request = {.format = "GTiff", .path = path};
  assert_int_equal(sink_format_find("GTiff")->open(&request, &cube, &sink, &world->error), 0);
  box = cube_box(&cube);
  assert_int_equal(sink->ops->put(sink, &box, data, &world->error), 0);
  assert_int_equal(sink->ops->finish(sink, &world->error), 0);
  sink->ops->close(sink);
}

static void write_text(struct world *world, const char *name, const char *text)
{
  FILE *file = fopen(arena_printf(world->arena, "%s/in/%s", world->folder, name), "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static int add(struct world *world, const struct catalogue_add_options *options, const char *name)
{
  struct buffer report = {0};
  world->error = (struct error){0};
  const char *path = *name == '/' ? name : arena_printf(world->arena, "%s/in/%s", world->folder, name);
  int result = catalogue_add(world->catalogue, options, path, &report, &world->error);
  if (result == 0)
    assert_non_null(strchr(report.data, '\n'));
  buffer_free(&report);
  return result;
}

static const struct source *load(struct world *world, const struct load_request *request)
{
  const struct source *source = NULL;
  world->error = (struct error){0};
  if (catalogue_load(world->catalogue, world->arena, request, &source, &world->error) != 0)
    return NULL;
  assert_false(error_is_set(&world->error));
  return source;
}

static const struct source *must_load(struct world *world, const struct load_request *request)
{
  const struct source *source = load(world, request);
  if (!source)
    print_error("%s (%s): %s\n", world->error.code, world->error.parameter, world->error.message);
  assert_non_null(source);
  return source;
}

/* Element of a cube's data as a number; NaN for no-data. */
static double element(const struct cube *cube, const void *data, size_t i)
{
  double value = cube->type == ELEMENT_U16 ? ((const uint16_t *)data)[i] : (double)((const float *)data)[i];
  return cube->has_nodata && value == cube->nodata ? NAN : value;
}

/* Checks every pixel of a (t, bands, y, x) cube against the truth; returns the number of valid ones. */
static size_t check_values(struct world *world, const struct source *source, double res, const size_t *bands)
{
  const struct cube *cube = &source->cube;
  struct source_reader *reader;
  struct box box = cube_box(cube);
  size_t valid = 0, i = 0, n = cube_elements(cube);
  void *data = calloc(n, element_info(cube->type)->size);
  assert_true(cube->type == ELEMENT_U16 || cube->type == ELEMENT_F32);
  assert_int_equal(source->ops->open(source, 1, &reader, &world->error), 0);
  assert_int_equal(source->ops->read(reader, &box, data, &world->error), 0);
  for (size_t t = 0; t < box.count[0]; t++)
    for (size_t b = 0; b < box.count[1]; b++)
      for (size_t row = 0; row < box.count[2]; row++)
        for (size_t column = 0; column < box.count[3]; column++, i++) {
          double x = dimension_label_number(&cube->dimension[3], column);
          double y = dimension_label_number(&cube->dimension[2], row), value = element(cube, data, i);
          if (isnan(value))
            continue;
          assert_true(value == truth(x, y, res, bands[b]));
          valid++;
        }
  source->ops->close(reader);
  free(data);
  return valid;
}

/* ---- folders and grids ---- */

/* Two tiles beside each other, two dates, two bands, all on one lattice. */
static void write_mosaic(struct world *world)
{
  static const char *const names[] = {"S2_20220601_B04.tif", "S2_20220601_B08.tif", "S2_20220611_B04.tif",
                                      "S2_20220611_B08.tif"};
  for (size_t i = 0; i < 4; i++) {
    write_raster(world, arena_printf(world->arena, "mosaic/east/%s", names[i]), "EPSG:32632", 680400, 5152000, 10,
                 i % 2);
    write_raster(world, arena_printf(world->arena, "mosaic/west/%s", names[i]), "EPSG:32632", 680000, 5152200, 10,
                 i % 2);
  }
}

static void test_shared_lattice(void **state)
{
  struct world *world = *state;
  const size_t both[] = {0, 1}, nir[] = {1};
  write_mosaic(world);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "mosaic"), 0);
  const struct source *all = must_load(world, &(struct load_request){.collection = "mosaic"});
  assert_int_equal(all->cube.dimensions, 4);
  assert_string_equal(all->cube.dimension[0].name, "t");
  assert_string_equal(all->cube.dimension[1].name, "bands");
  assert_string_equal(all->cube.dimension[2].name, "y");
  assert_string_equal(all->cube.dimension[3].name, "x");
  assert_int_equal(all->cube.dimension[0].size, 2);
  assert_int_equal(all->cube.dimension[1].size, 2);
  assert_int_equal(all->cube.dimension[2].size, 60);
  assert_int_equal(all->cube.dimension[3].size, 80);
  assert_true(all->cube.dimension[3].start == 680005 && all->cube.dimension[3].step == 10);
  assert_true(all->cube.dimension[2].start == 5152195 && all->cube.dimension[2].step == -10);
  assert_string_equal(all->cube.crs, "EPSG:32632");
  assert_int_equal(check_values(world, all, 10, both), 2 * 2 * 2 * TILE * TILE);

  const char *const bands[] = {"B08", "B08"};
  struct extent box = {680303, 5151803, 680512, 5152096, "EPSG:32632"};
  struct load_request request = {.collection = "mosaic", .extent = &box, .bands = bands, .band_count = 2};
  const struct source *part = must_load(world, &request);
  assert_int_equal(part->cube.dimension[1].size, 1); /* a band named twice is one label */
  assert_true(part->cube.dimension[3].start == 680305 && part->cube.dimension[3].size == 21);
  assert_true(part->cube.dimension[2].start == 5152095 && part->cube.dimension[2].size == 30);
  assert_true(check_values(world, part, 10, nir) > 0);
}

static void test_box_in_degrees(void **state)
{
  struct world *world = *state;
  const size_t both[] = {0, 1};
  write_mosaic(world);
  assert_int_equal(add(world, &(struct catalogue_add_options){.id = "a/b-1.~_"}, "mosaic"), 0);
  struct extent edges = {680100, 5151900, 680300, 5152100, "EPSG:32632"}, degrees, whole = {-180, -90, 180, 90, NULL};
  assert_int_equal(extent_transform(&edges, "EPSG:4326", &degrees, &world->error), 0);
  struct load_request request = {.collection = "a/b-1.~_", .extent = &degrees};
  const struct source *part = must_load(world, &request);
  /* the box in degrees holds the box in metres, with a margin from the turned axes: convergence is about 1.6 degrees */
  assert_in_range(part->cube.dimension[3].size, 20, 24);
  assert_in_range(part->cube.dimension[2].size, 20, 24);
  assert_true(fmod(part->cube.dimension[3].start - 5, 10) == 0);
  check_values(world, part, 10, both);
  request.extent = &whole;
  assert_int_equal(must_load(world, &request)->cube.dimension[3].size, 80);
}

static void test_dates_of_a_request(void **state)
{
  struct world *world = *state;
  struct load_request request = {.collection = "mosaic", .has_start = true, .has_end = true};
  write_mosaic(world);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "mosaic"), 0);
  instant_parse("2022-06-01", CALENDAR_GREGORIAN, &request.start);
  instant_parse("2022-06-11", CALENDAR_GREGORIAN, &request.end);
  assert_int_equal(must_load(world, &request)->cube.dimension[0].size, 1); /* the end is not in it */
  request.end++;
  assert_int_equal(must_load(world, &request)->cube.dimension[0].size, 2);
  request.start++;
  assert_int_equal(must_load(world, &request)->cube.dimension[0].size, 1);
  request.start = request.end;
  assert_null(load(world, &request));
  assert_string_equal(world->error.code, "TemporalExtentEmpty");
  request.end = request.start + 1000;
  assert_null(load(world, &request));
  assert_string_equal(world->error.code, "NoDataAvailable");
}

/* Two UTM zones: the commonest CRS, anchored to its origin, the same pixels whatever the box. */
static void test_anchored_grid(void **state)
{
  struct world *world = *state;
  struct extent neighbour, zone33 = {0};
  write_raster(world, "zones/a_20220601_B04.tif", "EPSG:32632", 740003, 5152007, 10, 0);
  write_raster(world, "zones/b_20220603_B04.tif", "EPSG:32632", 740203, 5152007, 10, 0);
  neighbour = (struct extent){740400, 5151600, 740800, 5152000, "EPSG:32632"};
  assert_int_equal(extent_transform(&neighbour, "EPSG:32633", &zone33, &world->error), 0);
  write_raster(world, "zones/c_20220602_B04.tif", "EPSG:32633", floor(zone33.west / 10) * 10,
               ceil(zone33.north / 10) * 10, 10, 0);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "zones"), 0);
  const struct source *all = must_load(world, &(struct load_request){.collection = "zones"});
  struct grid grid, part_grid;
  assert_int_equal(grid_of_cube(&all->cube, &grid), 0);
  assert_string_equal(grid.crs, "EPSG:32632");
  assert_true(grid.res_x == 10 && fmod(grid.west, 10) == 0 && fmod(grid.north, 10) == 0);
  struct extent box = {740155, 5151700, 740600, 5151900, "EPSG:32632"};
  const struct source *part = must_load(world, &(struct load_request){.collection = "zones", .extent = &box});
  assert_int_equal(grid_of_cube(&part->cube, &part_grid), 0);
  assert_true(grid_same_lattice(&grid, &part_grid));
  assert_true(part_grid.west == 740150 || part_grid.west == 740160);
  assert_int_equal(part->cube.dimension[0].size, 3);

  /* one date shares a lattice of its own: its values come through untouched */
  struct load_request request = {.collection = "zones", .has_end = true};
  instant_parse("2022-06-02", CALENDAR_GREGORIAN, &request.end);
  const struct source *single = must_load(world, &request);
  assert_true(single->cube.dimension[3].start == 740008 && single->cube.dimension[3].size == TILE);
  /* unless a grid was asked for */
  struct catalogue_add_options coarse = {.id = "coarse", .crs = "3035", .resolution = 25};
  assert_int_equal(add(world, &coarse, "zones"), 0);
  request.collection = "coarse";
  assert_int_equal(grid_of_cube(&must_load(world, &request)->cube, &grid), 0);
  assert_string_equal(grid.crs, "EPSG:3035");
  assert_true(grid.res_x == 25 && grid.res_y == 25 && fmod(grid.west, 25) == 0 && fmod(grid.north, 25) == 0);
}

static void test_days_and_instants(void **state)
{
  struct world *world = *state;
  int64_t first;
  instant_parse("2022-06-01T10:15:50Z", CALENDAR_GREGORIAN, &first);
  /* one orbit: neighbours, seconds apart */
  write_raster(world, "orbit/a_20220601T101605_B04.tif", "EPSG:32632", 680000, 5152000, 10, 0);
  write_raster(world, "orbit/b_20220601T101550_B04.tif", "EPSG:32632", 680350, 5152000, 10, 0);
  write_raster(world, "orbit/c_20220602T101550_B04.tif", "EPSG:32632", 680350, 5152000, 10, 0);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "orbit"), 0);
  const struct source *orbit = must_load(world, &(struct load_request){.collection = "orbit"});
  assert_int_equal(orbit->cube.dimension[0].size, 2);
  assert_true(orbit->cube.dimension[0].times[0] == first);
  const size_t red[] = {0};
  assert_int_equal(check_values(world, orbit, 10, red), 75 * TILE + TILE * TILE);

  /* a place seen twice a day */
  write_raster(world, "hours/a_20220601T000000_B04.tif", "EPSG:32632", 680000, 5152000, 10, 0);
  write_raster(world, "hours/a_20220601T120000_B04.tif", "EPSG:32632", 680000, 5152000, 10, 0);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "hours"), 0);
  const struct source *hours = must_load(world, &(struct load_request){.collection = "hours"});
  assert_int_equal(hours->cube.dimension[0].size, 2);
  assert_true(hours->cube.dimension[0].times[1] - hours->cube.dimension[0].times[0] == MS_PER_DAY / 2);
}

static void test_nodata_option(void **state)
{
  struct world *world = *state;
  const size_t both[] = {0, 1};
  write_raster(world, "holes/s_20220601_B1.tif", "EPSG:32632", 0, 400, 10,
               0); /* rows 0 to 39: values column + 100 row */
  write_raster(world, "holes/s_20220601_B2.tif", "EPSG:32632", 0, 400, 10, 1);
  const struct catalogue_nodata rows[] = {{"B2", 20203}, {NULL, 5}};
  struct catalogue_add_options options = {.nodata = rows, .nodata_count = 2};
  assert_int_equal(add(world, &options, "holes"), 0);
  const struct source *source = must_load(world, &(struct load_request){.collection = "holes"});
  assert_int_equal(check_values(world, source, 10, both), 2 * TILE * TILE - 2);
  const struct catalogue_nodata unknown[] = {{"B3", 0}};
  options = (struct catalogue_add_options){.nodata = unknown, .nodata_count = 1};
  assert_int_equal(add(world, &options, "holes"), -1);
  assert_string_equal(world->error.parameter, "nodata");
  assert_non_null(load(world, &(struct load_request){.collection = "holes"})); /* the old one is still there */
}

/* ---- requests that cannot be met ---- */

static void expect(struct world *world, const struct load_request *request, const char *code, const char *parameter)
{
  assert_null(load(world, request));
  if (strcmp(world->error.code, code) != 0)
    print_error("%s expected, not %s: %s\n", code, world->error.code, world->error.message);
  assert_string_equal(world->error.code, code);
  if (parameter)
    assert_string_equal(world->error.parameter, parameter);
}

static void test_bad_requests(void **state)
{
  struct world *world = *state;
  static const struct extent absurd[] = {
      {0, 0, 0, 1, NULL},    {0, 1, 1, 1, NULL},         {0, 1, 1, 0, NULL},           {0, 80, 1, 91, NULL},
      {0, -91, 1, 0, NULL},  {NAN, 0, 1, 1, NULL},       {0, 0, INFINITY, 1, NULL},    {10, 0, 9, 1, NULL},
      {-500, 0, 9, 1, NULL}, {5, 0, 4, 1, "EPSG:32632"}, {0, 0, 1e300 * 1e10, 1, NULL}};
  write_mosaic(world);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "mosaic"), 0);
  for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++)
    expect(world, &(struct load_request){.collection = "mosaic", .extent = &absurd[i]}, "ProcessParameterInvalid",
           "spatial_extent");
  const struct extent elsewhere[] = {
      {20, 20, 21, 21, NULL}, {-180, 10, 180, 20, NULL}, {1e8, 1e8, 2e8, 2e8, "EPSG:32632"}};
  for (size_t i = 0; i < 3; i++)
    expect(world, &(struct load_request){.collection = "mosaic", .extent = &elsewhere[i]}, "NoDataAvailable", NULL);
  const struct extent narrow = {680001, 5151901, 680004, 5151904, "EPSG:32632"}; /* between two centres */
  expect(world, &(struct load_request){.collection = "mosaic", .extent = &narrow}, "NoDataAvailable", NULL);
  const struct extent nowhere = {0, 0, 1, 1, "EPSG:999999"};
  expect(world, &(struct load_request){.collection = "mosaic", .extent = &nowhere}, "CRSInvalid", "spatial_extent");
  const char *const bands[] = {"B04", "B99"};
  expect(world, &(struct load_request){.collection = "mosaic", .bands = bands, .band_count = 2}, "BandNotAvailable",
         "bands");
  assert_non_null(strstr(world->error.message, "B04 (red), B08 (nir)"));
  expect(world, &(struct load_request){.collection = "other"}, "CollectionNotFound", "id");
}

static void test_antimeridian(void **state)
{
  struct world *world = *state;
  const size_t red[] = {0};
  struct extent both = {179.9, 51, -179.9, 52, NULL};
  write_raster(world, "line/s_20220601_B04.tif", "EPSG:32660", 700000, 5730000, 1000, 0);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "line"), 0);
  const struct source *source = must_load(world, &(struct load_request){.collection = "line", .extent = &both});
  assert_in_range(source->cube.dimension[3].size, 10, 20); /* 0.2 degrees at 51.5 N are 13.9 km, turned a little */
  check_values(world, source, 1000, red);

  write_raster(world, "degrees/s_20220601_B04.tif", "EPSG:4326", -180, 60, 1, 0);
  write_raster(world, "degrees/t_20220601_B04.tif", "EPSG:4326", 140, 60, 1, 0);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "degrees"), 0);
  both = (struct extent){175, 30, -175, 50, NULL};
  expect(world, &(struct load_request){.collection = "degrees", .extent = &both}, "FeatureUnsupported",
         "spatial_extent");
  both = (struct extent){185, 30, 195, 50, NULL}; /* counted from 0 */
  source = must_load(world, &(struct load_request){.collection = "degrees", .extent = &both});
  assert_true(source->cube.dimension[3].start == -174.5 && source->cube.dimension[3].size == 10);
}

/* ---- adding ---- */

static void test_bad_folders(void **state)
{
  struct world *world = *state;
  struct catalogue_add_options options = {.nodata = NULL};
  mkdir(in_world(world, "in/empty"), 0700);
  assert_int_equal(add(world, &options, "empty"), -1);
  assert_string_equal(world->error.code, "NoDataAvailable");
  assert_int_equal(add(world, &options, "missing"), -1);
  assert_string_equal(world->error.code, "FileNotFound");
  assert_int_equal(add(world, &options, "http://host/collection.json"), -1);
  mkdir(in_world(world, "in/broken"), 0700);
  write_text(world, "broken/s_20220601_B04.tif", "II*");
  assert_int_equal(add(world, &options, "broken"), -1);
  assert_string_equal(world->error.code, "NoDataAvailable");
  write_raster(world, "broken/s_20220602_B04.tif", "EPSG:32632", 0, 400, 10, 0);
  assert_int_equal(add(world, &options, "broken"), 0); /* the readable one is enough */
  write_raster(world, "undated/s_B04.tif", "EPSG:32632", 0, 400, 10, 0);
  write_raster(world, "undated/s2_B04.tif", "EPSG:32632", 5, 400, 10, 0); /* the same place: which one counts? */
  assert_int_equal(add(world, &options, "undated"), -1);
  assert_string_equal(world->error.parameter, "datetime");
  options.id = "no spaces";
  assert_int_equal(add(world, &options, "broken"), -1);
  assert_string_equal(world->error.parameter, "id");
  options = (struct catalogue_add_options){.crs = "EPSG:99999999"};
  assert_int_equal(add(world, &options, "broken"), -1);
  assert_string_equal(world->error.code, "CRSInvalid");
  assert_string_equal(world->error.parameter, "crs");
}

static const char stac_collection[] =
    "{\"type\": \"Collection\", \"stac_version\": \"1.0.0\", \"id\": \"two scenes\", \"title\": \"Two\","
    " \"description\": \"Two scenes.\", \"license\": \"CC-BY-4.0\", \"keywords\": [\"a\"],"
    " \"extent\": {\"spatial\": {\"bbox\": [[-180, -90, 180, 90]]}, \"temporal\": {\"interval\": [[null, null]]}},"
    " \"item_assets\": {\"nir\": {\"eo:bands\": [{\"name\": \"B08\", \"common_name\": \"nir\"}]}},"
    " \"links\": [{\"rel\": \"license\", \"href\": \"https://host/license\"},"
    " {\"rel\": \"child\", \"href\": \"./sub%20folder/catalog.json\"}, {\"rel\": \"self\", \"href\": \"x\"}]}";
static const char stac_catalog[] = /* points back to where it came from */
    "{\"type\": \"Catalog\", \"stac_version\": \"1.0.0\", \"id\": \"sub\", \"description\": \"x\", \"links\": ["
    " {\"rel\": \"item\", \"href\": \"item1.json\"}, {\"rel\": \"item\", \"href\": \"item2.json\"},"
    " {\"rel\": \"child\", \"href\": \"../collection.json\"}, {\"rel\": \"child\", \"href\": \"catalog.json\"}]}";
static const char stac_item1[] =
    "{\"type\": \"Feature\", \"stac_version\": \"1.0.0\", \"id\": \"one\", \"geometry\": null,"
    " \"properties\": {\"datetime\": \"2022-06-01T10:00:00Z\", \"eo:cloud_cover\": 12.5, \"platform\": \"s2a\"},"
    " \"links\": [], \"assets\": {\"red\": {\"href\": \"../red1.tif\", \"roles\": [\"data\"], \"type\":"
    " \"image/tiff; application=geotiff\", \"eo:bands\": [{\"name\": \"B04\", \"common_name\": \"red\"}],"
    " \"raster:bands\": [{\"nodata\": 203, \"scale\": 0.0001, \"offset\": -0.1}]},"
    " \"nir\": {\"href\": \"../nir1.tif\"}, \"thumbnail\": {\"href\": \"https://host/t.png\", \"roles\":"
    " [\"thumbnail\"]}, \"mtd\": {\"href\": \"s3://bucket/x.xml\", \"type\": \"application/xml\"}}}";
static const char stac_item2[] = /* STAC 1.1, start_datetime */
    "{\"type\": \"Feature\", \"stac_version\": \"1.1.0\", \"id\": \"two\", \"geometry\": null,"
    " \"properties\": {\"datetime\": null, \"start_datetime\": \"2022-06-11T10:00:00Z\", \"end_datetime\":"
    " \"2022-06-11T11:00:00Z\", \"eo:cloud_cover\": 80, \"platform\": \"s2b\"}, \"links\": [],"
    " \"assets\": {\"red\": {\"href\": \"../red2.tif\", \"nodata\": 203, \"raster:scale\": 0.0001,"
    " \"raster:offset\": -0.1, \"bands\": [{\"name\": \"B04\","
    " \"eo:common_name\": \"red\"}]}}}";

static void write_stac(struct world *world)
{
  write_raster(world, "stac/red1.tif", "EPSG:32632", 0, 400, 10, 0);
  write_raster(world, "stac/nir1.tif", "EPSG:32632", 0, 400, 10, 1);
  write_raster(world, "stac/red2.tif", "EPSG:32632", 0, 400, 10, 0);
  mkdir(in_world(world, "in/stac/sub folder"), 0700);
  write_text(world, "stac/collection.json", stac_collection);
  write_text(world, "stac/sub folder/catalog.json", stac_catalog);
  write_text(world, "stac/sub folder/item1.json", stac_item1);
  write_text(world, "stac/sub folder/item2.json", stac_item2);
}

static int little_cloud(void *data, const struct item_property *values, bool *accepted, struct error *error)
{
  (void)error;
  ++*(size_t *)data;
  assert_int_equal(values[0].kind, ITEM_PROPERTY_NUMBER);
  assert_int_equal(values[1].kind, ITEM_PROPERTY_TEXT);
  assert_int_equal(values[2].kind, ITEM_PROPERTY_ABSENT);
  assert_int_equal(values[3].kind, ITEM_PROPERTY_TEXT);
  assert_int_equal(strlen(values[3].text), strlen("2022-06-01T10:00:00Z"));
  *accepted = values[0].number < 50;
  return 0;
}

static void test_stac(void **state)
{
  struct world *world = *state;
  const size_t red[] = {0}, order[] = {1, 0};
  write_stac(world);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "stac/collection.json"), 0);
  const char *const bands[] = {"red"}, *const reversed[] = {"nir", "B04"};
  struct load_request request = {.collection = "two_scenes", .bands = bands, .band_count = 1};
  const struct source *source = must_load(world, &request);
  assert_int_equal(source->cube.dimension[0].size, 2);
  assert_string_equal(source->cube.dimension[1].texts[0], "B04");
  assert_true(source->cube.bands[0].scale == 0.0001 && source->cube.bands[0].offset == -0.1);
  assert_int_equal(check_values(world, source, 10, red), 2 * TILE * TILE - 2);
  request = (struct load_request){.collection = "two_scenes", .bands = reversed, .band_count = 2};
  source = must_load(world, &request);
  assert_string_equal(source->cube.dimension[1].texts[0], "B08");
  assert_int_equal(check_values(world, source, 10, order), 3 * TILE * TILE - 2);

  size_t calls = 0;
  const char *const names[] = {"eo:cloud_cover", "platform", "unheard:of", "datetime"};
  struct item_filter filter = {.names = names, .count = 4, .accept = little_cloud, .data = &calls};
  request = (struct load_request){.collection = "two_scenes", .filter = &filter};
  source = must_load(world, &request);
  assert_int_equal(calls, 2);
  assert_int_equal(source->cube.dimension[0].size, 1);
}

static void test_bad_stac(void **state)
{
  struct world *world = *state;
  const struct catalogue_add_options options = {.nodata = NULL};
  static const char *const malformed[] = {
      "",
      "{",
      "[]",
      "null",
      "{\"type\": \"Feature\"}",
      "{\"type\": \"Collection\"}",
      "{\"type\": \"FeatureCollection\", \"features\": [1, null]}",
      "{\"a\": 1}",
      "{\"type\": \"Feature\", \"id\": 3, \"properties\": [], \"assets\": 1}",
      "{\"type\": \"Catalog\", \"links\": [{\"rel\": \"item\", \"href\": \"no.json\"}]}"};
  for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
    write_text(world, "bad.json", malformed[i]);
    assert_int_equal(add(world, &options, "bad.json"), -1);
    assert_true(world->error.message[0] != '\0');
  }
  char *deep = malloc(200001);
  memset(deep, '[', 200000);
  deep[200000] = '\0';
  write_text(world, "bad.json", deep);
  free(deep);
  assert_int_equal(add(world, &options, "bad.json"), -1);
  write_text(world, "bad.json",
             "{\"type\": \"Feature\", \"id\": \"r\", \"properties\": {\"datetime\": \"2022-06-01T00:00:00Z\"},"
             " \"assets\": {\"red\": {\"href\": \"s3://bucket/red.tif\"}}}");
  assert_int_equal(add(world, &options, "bad.json"), -1);
  assert_string_equal(world->error.code, "FeatureUnsupported");
}

/* ---- documents ---- */

static json_t *document(struct world *world, const char *id)
{
  struct buffer text = {0};
  world->error = (struct error){0};
  assert_int_equal(catalogue_collection_json(world->catalogue, id, "http://host/openeo/1.2", &text, &world->error), 0);
  json_t *tree = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(tree);
  buffer_free(&text);
  return tree;
}

static const char *text_of(const json_t *object, const char *key)
{
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static void test_documents(void **state)
{
  struct world *world = *state;
  static const char *const required[] = {"type",    "stac_version", "stac_extensions", "id",        "description",
                                         "license", "extent",       "cube:dimensions", "summaries", "links"};
  write_stac(world);
  assert_int_equal(add(world, &(struct catalogue_add_options){.id = "two"}, "stac/collection.json"), 0);
  json_t *tree = document(world, "two");
  for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
    assert_non_null(json_object_get(tree, required[i]));
  assert_string_equal(text_of(tree, "title"), "Two");
  assert_string_equal(text_of(tree, "license"), "CC-BY-4.0");
  json_t *x = json_object_get(json_object_get(tree, "cube:dimensions"), "x");
  assert_int_equal(json_integer_value(json_object_get(x, "reference_system")), 32632);
  assert_int_equal(json_integer_value(json_array_get(json_object_get(x, "extent"), 1)), 400);
  json_t *cover = json_object_get(json_object_get(tree, "summaries"), "eo:cloud_cover");
  assert_true(json_number_value(json_object_get(cover, "minimum")) == 12.5);
  assert_int_equal(json_array_size(json_object_get(json_object_get(tree, "summaries"), "eo:bands")), 2);
  json_t *interval =
      json_array_get(json_object_get(json_object_get(json_object_get(tree, "extent"), "temporal"), "interval"), 0);
  assert_string_equal(json_string_value(json_array_get(interval, 0)), "2022-06-01T10:00:00Z");
  json_t *self = json_array_get(json_object_get(tree, "links"), 0);
  assert_string_equal(text_of(self, "href"), "http://host/openeo/1.2/collections/two");
  bool licence = false;
  for (size_t i = 0; i < json_array_size(json_object_get(tree, "links")); i++)
    licence |= strcmp(text_of(json_array_get(json_object_get(tree, "links"), i), "rel"), "license") == 0;
  assert_true(licence);
  json_decref(tree);

  struct buffer all = {0}, queryables = {0};
  const struct catalogue_page page = {.after = "", .limit = 10};
  assert_int_equal(catalogue_collections_json(world->catalogue, "http://host", &page, &all, &world->error), 0);
  tree = json_loadb(all.data, all.length, 0, NULL);
  assert_int_equal(json_array_size(json_object_get(tree, "collections")), 1);
  assert_true(json_is_array(json_object_get(tree, "links")));
  json_decref(tree);
  assert_int_equal(catalogue_queryables_json(world->catalogue, "two", "http://host", &queryables, &world->error), 0);
  tree = json_loadb(queryables.data, queryables.length, JSON_REJECT_DUPLICATES, NULL);
  json_t *platform = json_object_get(json_object_get(tree, "properties"), "platform");
  assert_int_equal(json_array_size(json_object_get(platform, "enum")), 2);
  json_decref(tree);
  buffer_free(&all);
  buffer_free(&queryables);
}

/* ---- the store ---- */

static void test_list_replace_remove(void **state)
{
  const struct catalogue_page page = {.after = "", .limit = 10};
  struct world *world = *state;
  struct buffer list = {0};
  struct catalogue *early = NULL, *reader = NULL;
  assert_int_equal(catalogue_open(in_world(world, "nothing"), false, &early, &world->error), 0);
  assert_int_equal(catalogue_list(early, &list, &world->error), 0);
  assert_int_equal(list.length, 0);
  assert_int_equal(catalogue_collections_json(early, "http://host", &page, &list, &world->error), 0);
  buffer_free(&list);

  /* a reader that came before the writer sees what the writer makes */
  struct catalogue *late = NULL;
  assert_int_equal(catalogue_open(in_world(world, "nothing"), true, &late, &world->error), 0);
  write_mosaic(world);
  assert_int_equal(catalogue_add(late, &(struct catalogue_add_options){.nodata = NULL}, in_world(world, "in/mosaic"),
                                 &list, &world->error),
                   0);
  buffer_free(&list);
  assert_int_equal(catalogue_list(early, &list, &world->error), 0);
  assert_non_null(strstr(list.data, "mosaic"));
  buffer_free(&list);
  catalogue_close(late);
  catalogue_close(early);
  assert_int_equal(catalogue_open(in_world(world, "data"), false, &reader, &world->error), 0);
  for (int i = 0; i < 3; i++)
    assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "mosaic"), 0);
  assert_int_equal(catalogue_list(reader, &list, &world->error), 0);
  assert_non_null(strstr(list.data, "mosaic"));
  assert_ptr_equal(strchr(list.data, '\n'), list.data + list.length - 1);  /* one line */
  assert_int_equal(catalogue_remove(reader, "mosaic", &world->error), -1); /* it may only read */
  world->error = (struct error){0};
  assert_int_equal(catalogue_remove(world->catalogue, "mosaic", &world->error), 0);
  assert_int_equal(catalogue_remove(world->catalogue, "mosaic", &world->error), -1);
  assert_string_equal(world->error.code, "CollectionNotFound");
  buffer_free(&list);
  catalogue_close(reader);
}

/* A child that adds again and again. */
static pid_t start_writer(struct world *world)
{
  pid_t child = fork();
  if (child != 0)
    return child;
  struct catalogue *own = NULL;
  struct error error = {0};
  struct buffer report = {0};
  struct catalogue_add_options options = {.nodata = NULL};
  const char *path = in_world(world, "in/mosaic");
  if (catalogue_open(in_world(world, "data"), true, &own, &error) != 0)
    _exit(1);
  for (;;)
    if (catalogue_add(own, &options, path, &report, &error) != 0)
      _exit(1);
}

/* Writers are killed at any moment while a reader loads: it always finds the whole collection. */
static void test_killed_writers(void **state)
{
  struct world *world = *state;
  const size_t both[] = {0, 1};
  write_mosaic(world);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "mosaic"), 0);
  for (int round = 0; round < 12; round++) {
    pid_t writer = start_writer(world);
    assert_true(writer > 0);
    for (int i = 0; i < 5; i++) {
      const struct source *source = must_load(world, &(struct load_request){.collection = "mosaic"});
      assert_int_equal(source->cube.dimension[3].size, 80);
      nanosleep(&(struct timespec){.tv_nsec = 3000000 + 1700000 * round}, NULL);
    }
    int status = 0;
    kill(writer, SIGKILL);
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_true(WIFSIGNALED(status)); /* it had not failed by itself */
  }
  const struct source *source = must_load(world, &(struct load_request){.collection = "mosaic"});
  assert_int_equal(check_values(world, source, 10, both), 2 * 2 * 2 * TILE * TILE);
  assert_int_equal(add(world, &(struct catalogue_add_options){.nodata = NULL}, "mosaic"), 0);
}

/* ---- real data ---- */

static const char *in_shared(struct world *world, const char *name)
{
  const char *root = getenv("TWINCUBE_SHARED");
  const char *path = arena_printf(world->arena, "%s/data/eo/%s", root ? root : "", name);
  if (root && access(path, R_OK) == 0)
    return path;
  print_message("SKIPPED: %s is not there (set TWINCUBE_SHARED)\n", name);
  return NULL;
}

static void test_landsat_series(void **state)
{
  struct world *world = *state;
  const char *path = in_shared(world, "L8NY18_path014");
  const struct catalogue_nodata nodata[] = {{NULL, 0}, {"BQA", 1}};
  const char *const bands[] = {"red", "B5", "BQA"};
  if (!path)
    skip();
  struct catalogue_add_options options = {.id = "L8", .nodata = nodata, .nodata_count = 2, .resolution = 3000};
  assert_int_equal(add(world, &options, path), 0);
  const struct source *source =
      must_load(world, &(struct load_request){.collection = "L8", .bands = bands, .band_count = 3});
  assert_int_equal(source->cube.dimension[0].size, 9); /* 11 scenes, two days with both rows */
  assert_string_equal(source->cube.dimension[1].texts[0], "B4");
  struct grid grid;
  assert_int_equal(grid_of_cube(&source->cube, &grid), 0);
  assert_true(grid.res_x == 3000 && fmod(grid.west, 3000) == 0 && fmod(grid.north, 3000) == 0);
  json_t *tree = document(world, "L8");
  json_t *values = json_object_get(json_object_get(json_object_get(tree, "cube:dimensions"), "bands"), "values");
  assert_int_equal(json_array_size(values), 12);
  assert_string_equal(json_string_value(json_array_get(values, 9)), "B10");
  json_decref(tree);
}

static void test_real_stac_and_netcdf(void **state)
{
  struct world *world = *state;
  const struct catalogue_add_options options = {.nodata = NULL};
  static const char *const catalogs[] = {"openeo_stac_S2_3dates/example_stac_catalog/collection.json",
                                         "openeo_stac_S2_3dates/recursive-stac-example/collection.json"};
  for (size_t i = 0; i < 2; i++) {
    const char *path = in_shared(world, catalogs[i]);
    if (!path)
      skip();
    assert_int_equal(add(world, &options, path), 0);
    const struct source *source = must_load(world, &(struct load_request){.collection = "unknown-job"});
    assert_int_equal(source->cube.dimension[0].size, 3);
    assert_int_equal(source->cube.dimension[1].size, 3);
    assert_true(source->cube.has_nodata && source->cube.nodata == -32768);
  }
  const char *remote = in_shared(world, "riotiler_cogs/stac.json"), *sinusoidal = in_shared(world, "MOD13Q1_sinop");
  const char *netcdf = in_shared(world, "gfmap_openeo_S2_cubes/resources/test_optical_cube.nc");
  assert_int_equal(add(world, &options, remote), -1);
  assert_string_equal(world->error.code, "FeatureUnsupported");
  assert_int_equal(add(world, &options, sinusoidal), 0);
  const struct source *source = must_load(world, &(struct load_request){.collection = "MOD13Q1_sinop"});
  assert_int_equal(source->cube.dimension[0].size, 12);
  assert_string_equal(source->cube.dimension[1].texts[0], "NDVI");
  assert_int_equal(add(world, &options, netcdf), 0);
  source = must_load(world, &(struct load_request){.collection = "test_optical_cube"});
  assert_int_equal(source->cube.dimension[cube_find_type(&source->cube, DIMENSION_TEMPORAL)].size, 19);
  json_decref(document(world, "test_optical_cube"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_shared_lattice, setup, teardown),
      cmocka_unit_test_setup_teardown(test_box_in_degrees, setup, teardown),
      cmocka_unit_test_setup_teardown(test_dates_of_a_request, setup, teardown),
      cmocka_unit_test_setup_teardown(test_anchored_grid, setup, teardown),
      cmocka_unit_test_setup_teardown(test_days_and_instants, setup, teardown),
      cmocka_unit_test_setup_teardown(test_nodata_option, setup, teardown),
      cmocka_unit_test_setup_teardown(test_bad_requests, setup, teardown),
      cmocka_unit_test_setup_teardown(test_antimeridian, setup, teardown),
      cmocka_unit_test_setup_teardown(test_bad_folders, setup, teardown),
      cmocka_unit_test_setup_teardown(test_stac, setup, teardown),
      cmocka_unit_test_setup_teardown(test_bad_stac, setup, teardown),
      cmocka_unit_test_setup_teardown(test_documents, setup, teardown),
      cmocka_unit_test_setup_teardown(test_list_replace_remove, setup, teardown),
      cmocka_unit_test_setup_teardown(test_killed_writers, setup, teardown),
      cmocka_unit_test_setup_teardown(test_landsat_series, setup, teardown),
      cmocka_unit_test_setup_teardown(test_real_stac_and_netcdf, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
