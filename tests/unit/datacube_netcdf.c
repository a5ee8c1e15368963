/* The netCDF sink: what it writes, the source reads back, and NetCDF-C alone agrees. */
#include "datacube/sink/formats.h"
#include "tests/unit/datacube_netcdf.h"

#include <math.h>
#include <pthread.h>

/* ---- sink, then source ---- */

static const char *const two_bands[] = {"B4", "B5"};

static struct cube scene_cube(enum element_type type, size_t height, size_t width)
{
  struct cube cube = {.dimensions = 4, .type = type, .crs = "EPSG:32631", .title = "a test"};
  cube.dimension[0] = dimension_times("t", three_days, 3, CALENDAR_GREGORIAN);
  cube.dimension[1] = dimension_texts("bands", DIMENSION_BANDS, two_bands, 2);
  cube.dimension[2] = dimension_steps("y", 'y', 5000005, -10, height);
  cube.dimension[3] = dimension_steps("x", 'x', 500005, 10, width);
  return cube;
}

static struct sink *open_sink(const struct world *w, const struct cube *cube, const struct sink_option *options,
                              size_t count)
{
  struct error error = {0};
  struct sink *sink = NULL;
  const struct sink_request request = {
      .format = "netCDF", .options = options, .option_count = count, .path = w->path, .history = "made by a test"};
  ok(sink_format_netcdf.check(cube, options, count, &error), &error);
  ok(sink_format_netcdf.open(&request, cube, &sink, &error), &error);
  return sink;
}

/* Puts the whole cube in tiles of the given size, in a scrambled order. */
static void put_tiles(struct sink *sink, const struct cube *cube, const char *data, const size_t *tile)
{
  struct error error = {0};
  const size_t size = element_info(cube->type)->size;
  size_t tiles = 1, grid[CUBE_MAX_DIMENSIONS];
  for (size_t d = 0; d < cube->dimensions; d++)
    tiles *= grid[d] = (cube->dimension[d].size + tile[d] - 1) / tile[d];
  size_t stride = tiles / 3 * 2 + 1; /* coprime with the number of tiles, so every tile comes once */
  for (size_t a = stride, b = tiles; b != 0 || a != 1;) {
    if (b == 0) {
      stride++;
      a = stride;
      b = tiles;
    }
    const size_t r = b == 0 ? 0 : a % b;
    a = b;
    b = r;
  }
  for (size_t k = 0; k < tiles; k++) {
    struct box box = {.dimensions = cube->dimensions};
    size_t number = k * stride % tiles;
    for (size_t d = cube->dimensions; d-- > 0;) {
      box.start[d] = number % grid[d] * tile[d];
      number /= grid[d];
      const size_t left = cube->dimension[d].size - box.start[d];
      box.count[d] = left < tile[d] ? left : tile[d];
    }
    char *part = malloc(box_elements(&box) * size + 1);
    for (size_t i = 0; i < box_elements(&box); i++) {
      size_t rest = i, place = 0, step = 1;
      for (size_t d = box.dimensions; d-- > 0;) {
        place += (box.start[d] + rest % box.count[d]) * step;
        rest /= box.count[d];
        step *= cube->dimension[d].size;
      }
      memcpy(part + i * size, data + place * size, size);
    }
    ok(sink->ops->put(sink, &box, part, &error), &error);
    free(part);
  }
}

static void finish(struct sink *sink)
{
  struct error error = {0};
  ok(sink->ops->finish(sink, &error), &error);
  sink->ops->close(sink);
}

static char *random_data(const struct cube *cube, uint32_t seed)
{
  const size_t n = cube_elements(cube), size = element_info(cube->type)->size;
  char *data = malloc(n * size + 1);
  for (size_t i = 0; i < n; i++) {
    const uint32_t r = next_random(&seed);
    if (cube->type == ELEMENT_F32) {
      const float v = r % 17 == 0 ? NAN : (float)r / 100;
      memcpy(data + i * size, &v, size);
    } else if (cube->type == ELEMENT_F64) {
      const double v = r % 17 == 0 ? NAN : r / 3.0;
      memcpy(data + i * size, &v, size);
    } else if (cube->type == ELEMENT_BOOLEAN) {
      data[i] = (char)(r % 3 == 2 ? 255 : r % 3);
    } else {
      const uint64_t v = (uint64_t)r * UINT64_C(0x9E3779B97F4A7C15);
      memcpy(data + i * size, &v, size);
    }
  }
  return data;
}

static void check_same_cube(const struct cube *a, const struct cube *b)
{
  assert_int_equal(a->dimensions, b->dimensions);
  assert_int_equal(a->type, b->type);
  for (size_t d = 0; d < a->dimensions; d++) {
    assert_string_equal(a->dimension[d].name, b->dimension[d].name);
    assert_int_equal(a->dimension[d].type, b->dimension[d].type);
    assert_int_equal(a->dimension[d].labels, b->dimension[d].labels);
    assert_int_equal(a->dimension[d].enumerated, b->dimension[d].enumerated);
    assert_true(dimension_labels_equal(&a->dimension[d], &b->dimension[d]));
  }
  if (a->crs == NULL || b->crs == NULL)
    assert_ptr_equal(a->crs, b->crs);
  else
    assert_string_equal(a->crs, b->crs);
}

static void round_trip(struct world *w, const struct cube *cube, const size_t *tile, const struct sink_option *options,
                       size_t count)
{
  char *data = random_data(cube, 7);
  unlink(w->path);
  struct sink *sink = open_sink(w, cube, options, count);
  put_tiles(sink, cube, data, tile);
  assert_int_not_equal(access(w->path, F_OK), 0); /* not visible before it is whole */
  finish(sink);
  const struct source *source = open_source(w, NULL);
  check_same_cube(cube, &source->cube);
  if (cube->has_nodata && !isnan(cube->nodata))
    assert_true(source->cube.has_nodata && source->cube.nodata == cube->nodata);
  char *back = read_all(source);
  assert_memory_equal(data, back, cube_bytes(cube));
  free(back);
  free(data);
}

static void every_type_comes_back(void **state)
{
  static const enum element_type types[] = {ELEMENT_U8,  ELEMENT_I8,  ELEMENT_U16,    ELEMENT_I16,
                                            ELEMENT_U32, ELEMENT_I32, ELEMENT_U64,    ELEMENT_I64,
                                            ELEMENT_F32, ELEMENT_F64, ELEMENT_BOOLEAN};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    struct cube cube = scene_cube(types[i], 33, 41);
    cube.has_nodata = types[i] == ELEMENT_BOOLEAN || i % 2 == 0;
    cube.nodata = types[i] == ELEMENT_BOOLEAN ? 255 : element_info(types[i])->is_float ? (double)NAN : 7;
    round_trip(*state, &cube, (size_t[]){2, 2, 10, 13}, NULL, 0);
  }
}

static void any_tiling_and_compression(void **state)
{
  static const struct sink_option none[] = {{.name = "compress", .value = "none"}},
                                  nine[] = {{.name = "zlevel", .value = "9"}};
  struct cube cube = scene_cube(ELEMENT_F32, 600, 530);
  round_trip(*state, &cube, (size_t[]){1, 2, 512, 512}, NULL, 0); /* whole chunks */
  round_trip(*state, &cube, (size_t[]){3, 1, 600, 530}, NULL, 0); /* many chunks a tile */
  round_trip(*state, &cube, (size_t[]){2, 1, 200, 530}, nine, 1); /* parts of chunks */
  round_trip(*state, &cube, (size_t[]){1, 2, 512, 512}, nine, 1);
  round_trip(*state, &cube, (size_t[]){1, 2, 512, 512}, none, 1);
  round_trip(*state, &cube, (size_t[]){1, 2, 300, 300}, none, 1);
}

static void cubes_of_other_shapes(void **state)
{
  static const double betas[] = {5.7, 5.8, 6};
  static const char *const regions[] = {"north", "south/east", "überall"};
  static const char *const months[] = {"2018-01", "2018-02", "2018-03"};
  struct cube lattice = {.dimensions = 5, .type = ELEMENT_F64, .has_nodata = true, .nodata = NAN};
  lattice.dimension[0] = dimension_enumerated("configuration", DIMENSION_OTHER, 4);
  lattice.dimension[1] =
      (struct dimension){.name = "beta", .type = DIMENSION_OTHER, .size = 3, .labels = LABEL_NUMBER, .numbers = betas};
  lattice.dimension[2] = dimension_texts("region", DIMENSION_OTHER, regions, 3);
  lattice.dimension[3] = dimension_enumerated("x0", DIMENSION_OTHER, 6);
  lattice.dimension[4] = dimension_texts("bands", DIMENSION_BANDS, two_bands, 2); /* last: there is no x or y */
  round_trip(*state, &lattice, (size_t[]){2, 3, 1, 4, 1}, NULL, 0);

  struct cube reversed = {.dimensions = 4, .type = ELEMENT_I16, .has_nodata = true, .nodata = -1, .crs = "EPSG:4326"};
  reversed.dimension[0] = dimension_steps("x", 'x', 10.5, 1, 5); /* bands go before x; y ascends; x varies slowest */
  reversed.dimension[1] = dimension_steps("y", 'y', -3, 0.25, 7);
  reversed.dimension[2] = dimension_times("t", three_days, 3, CALENDAR_360_DAY);
  reversed.dimension[2].texts = months;
  memmove(&reversed.dimension[1], &reversed.dimension[0], 3 * sizeof reversed.dimension[0]);
  reversed.dimension[0] = dimension_texts("bands", DIMENSION_BANDS, two_bands, 2);
  round_trip(*state, &reversed, (size_t[]){1, 5, 2, 3}, NULL, 0);
}

/* What NetCDF-C alone sees in the sink's file. */
static void netcdf_library_agrees(void **state)
{
  struct world *w = *state;
  struct cube cube = scene_cube(ELEMENT_F32, 600, 530);
  struct band_info info[2] = {{.scale = 1e-4, .offset = -0.1, .unit = "1"},
                              {.scale = 1, .standard_name = "reflectance"}};
  cube.bands = info;
  cube.dimension[0].size = 1;
  char *data = random_data(&cube, 3);
  struct sink *sink = open_sink(w, &cube, NULL, 0);
  put_tiles(sink, &cube, data, (size_t[]){1, 1, 512, 512});
  finish(sink);
  int file, id, rank;
  double numbers[2];
  char text[128] = "";
  float *values = malloc(600 * 530 * sizeof *values);
  nc(nc_open(w->path, NC_NOWRITE, &file));
  for (size_t b = 0; b < 2; b++) {
    nc(nc_inq_varid(file, two_bands[b], &id));
    nc(nc_inq_varndims(file, id, &rank));
    assert_int_equal(rank, 3);
    nc(nc_get_var_float(file, id, values));
    assert_memory_equal(values, data + b * 600 * 530 * sizeof(float), 600 * 530 * sizeof(float));
    nc(nc_get_att_text(file, id, "grid_mapping", text));
    assert_memory_equal(text, "crs", 3);
  }
  nc(nc_inq_varid(file, "B4", &id));
  nc(nc_get_att_double(file, id, "scale_factor", numbers));
  assert_true(numbers[0] == 1e-4);
  nc(nc_inq_varid(file, "t", &id));
  nc(nc_get_var_double(file, id, numbers));
  assert_true(numbers[0] == 17532); /* 2018-01-01 in days */
  nc(nc_inq_varid(file, "crs", &id));
  nc(nc_get_att_double(file, id, "longitude_of_central_meridian", numbers));
  assert_true(numbers[0] == 3);
  nc(nc_get_att_double(file, id, "false_easting", numbers));
  assert_true(numbers[0] == 500000);
  nc(nc_close(file));
  free(values);
  free(data);
}

static void a_cube_without_bands_is_var(void **state)
{
  struct world *w = *state;
  struct error error = {0};
  struct cube cube = {.dimensions = 1, .type = ELEMENT_U16};
  cube.dimension[0] = dimension_enumerated("crs", DIMENSION_OTHER, 5);
  const uint16_t data[5] = {1, 2, 3, 4, 5};
  const struct box box = cube_box(&cube);
  struct sink *sink = open_sink(w, &cube, NULL, 0);
  ok(sink->ops->put(sink, &box, data, &error), &error);
  finish(sink);
  const struct source *source = open_source(w, NULL);
  assert_int_equal(source->cube.dimensions, 2);
  assert_string_equal(source->cube.dimension[1].texts[0], "var");
  uint16_t *back = read_all(source);
  assert_memory_equal(back, data, sizeof data);
  free(back);

  struct cube scalar = {.type = ELEMENT_F64};
  const double value = 42.5;
  sink = open_sink(w, &scalar, NULL, 0);
  ok(sink->ops->put(sink, &(struct box){0}, &value, &error), &error);
  finish(sink);
  source = open_source(w, NULL);
  double *number = read_all(source);
  assert_true(number[0] == 42.5);
  free(number);
}

static void awkward_band_names(void **state)
{
  static const char *const names[] = {"t", "a/b", "crs", "B 1", "", "a_b"};
  struct world *w = *state;
  struct cube cube = scene_cube(ELEMENT_U8, 4, 4);
  cube.dimension[1] = dimension_texts("bands", DIMENSION_BANDS, names, 6);
  char *data = random_data(&cube, 5);
  struct sink *sink = open_sink(w, &cube, NULL, 0);
  put_tiles(sink, &cube, data, (size_t[]){3, 6, 4, 4});
  finish(sink);
  const struct source *source = open_source(w, NULL);
  assert_int_equal(source->cube.dimension[1].size, 6);
  char *back = read_all(source);
  assert_memory_equal(back, data, cube_bytes(&cube));
  free(back);
  free(data);
}

struct putter {
  struct sink *sink;
  const struct cube *cube;
  const char *data;
  size_t part;
};

static void *put_some_rows(void *argument)
{
  struct putter *p = argument;
  struct error error = {0};
  for (size_t i = 0; i < 6; i++) { /* planes of (t, bands) */
    if (i % 2 != p->part)
      continue;
    struct box box = cube_box(p->cube);
    box.start[0] = i / 2;
    box.start[1] = i % 2;
    box.count[0] = box.count[1] = 1;
    if (p->sink->ops->put(p->sink, &box, p->data + i * box_elements(&box) * sizeof(float), &error) != 0)
      return NULL;
  }
  return p;
}

static void *read_again(void *argument)
{
  return read_all(argument);
}

static void threads_write_and_read(void **state)
{
  struct world *w = *state;
  struct cube cube = scene_cube(ELEMENT_F32, 520, 520);
  char *data = random_data(&cube, 11);
  struct sink *sink = open_sink(w, &cube, NULL, 0);
  pthread_t thread[2];
  struct putter putter[2];
  for (size_t i = 0; i < 2; i++) {
    putter[i] = (struct putter){sink, &cube, data, i};
    assert_int_equal(pthread_create(&thread[i], NULL, put_some_rows, &putter[i]), 0);
  }
  for (size_t i = 0; i < 2; i++) {
    void *done = NULL;
    pthread_join(thread[i], &done);
    assert_non_null(done);
  }
  finish(sink);
  const struct source *source = open_source(w, NULL);
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&thread[i], NULL, read_again, (void *)(uintptr_t)source), 0);
  for (size_t i = 0; i < 2; i++) {
    void *back = NULL;
    pthread_join(thread[i], &back);
    assert_memory_equal(back, data, cube_bytes(&cube));
    free(back);
  }
  free(data);
}

static void what_does_not_fit_is_refused(void **state)
{
  struct world *w = *state;
  struct error error = {0};
  struct cube cube = scene_cube(ELEMENT_F32, 0, 4);
  assert_int_equal(sink_format_netcdf.check(&cube, NULL, 0, &error), -1);
  assert_string_equal(error.code, "FormatUnsuitable");
  error = (struct error){0};
  const struct sink_option option = {.name = "zlevel", .value = "eleven"};
  cube = scene_cube(ELEMENT_F32, 4, 4);
  assert_int_equal(sink_format_netcdf.check(&cube, &option, 1, &error), -1);
  assert_string_equal(error.parameter, "options");
  struct sink *sink = open_sink(w, &cube, NULL, 0); /* given up half-way: nothing stays */
  sink->ops->close(sink);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      CASE(every_type_comes_back),  CASE(any_tiling_and_compression),   CASE(cubes_of_other_shapes),
      CASE(netcdf_library_agrees),  CASE(a_cube_without_bands_is_var),  CASE(awkward_band_names),
      CASE(threads_write_and_read), CASE(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests_name("datacube_netcdf", tests, NULL, NULL);
}
