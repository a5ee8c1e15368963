/* Identities: the same source made twice has one, and whatever changes the data changes it. */
#include "tests/unit/datacube_raster_fixture.h"

#include "datacube/source/memory_source.h"
#include "datacube/source/netcdf_source.h"
#include "datacube/source/raster_series.h"
#include "processes/lattice/scalar_chain.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct buffer identity_of(const struct source *source)
{
  struct buffer out = {0};
  source->ops->identity(source, &out);
  assert_false(out.failed);
  assert_true(out.length > 0);
  return out;
}

/* Compares and frees. */
static bool same_identity(const struct source *a, const struct source *b)
{
  struct buffer x = identity_of(a), y = identity_of(b);
  bool same = x.length == y.length && memcmp(x.data, y.data, x.length) == 0;
  buffer_free(&x);
  buffer_free(&y);
  return same;
}

/* ---- Raster series --------------------------------------------------------------------------------------------- */

static const int64_t dates[] = {0, MS_PER_DAY};
static const char *const bands[] = {"red", "nir"};

static const struct source *series_of(struct fixture *f, const char *path, const struct raster_series *like)
{
  struct raster_file file;
  struct error error = {.code = ""};
  assert_int_equal(raster_file_inspect(f->arena, path, &file, &error), 0);
  struct raster_scene *scene = ARENA_NEW(f->arena, struct raster_scene);
  *scene = (struct raster_scene){.path = path, .raster_band = 1, .grid = file.grid, .type = file.bands[0].type};
  struct raster_series series = *like;
  series.dates = dates, series.date_count = 1;
  series.bands = bands, series.band_count = 1;
  series.scenes = scene, series.scene_count = 1;
  if (series.grid.width == 0)
    series.grid = file.grid;
  const struct source *source = NULL;
  assert_int_equal(raster_series_source(f->arena, &series, &source, &error), 0);
  return source;
}

static void files_and_grids_count(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.base = 1}, s = {.base = 1};
  const char *path = make_raster(f, &r), *copy = make_raster(f, &s);
  const struct raster_series plain = {.method = RESAMPLE_NEAREST};
  const struct source *first = series_of(f, path, &plain);
  assert_true(same_identity(first, series_of(f, path, &plain)));
  assert_false(same_identity(first, series_of(f, copy, &plain)));
  assert_false(same_identity(first, series_of(f, path, &(struct raster_series){.method = RESAMPLE_AVERAGE})));
  struct raster_series smaller = plain;
  smaller.grid = (struct grid){.west = 300000, .north = 4800000, .res_x = 30, .res_y = 30, .width = 9, .height = 9};
  smaller.grid.crs = "EPSG:32618";
  assert_false(same_identity(first, series_of(f, path, &smaller)));
  const struct extent clip = {300300, 4799000, 300900, 4799700, "EPSG:32618"};
  struct regrid_request request = {.grid = &smaller.grid, .method = RESAMPLE_NEAREST, .clip = &clip};
  struct extent other = clip;
  const struct source *one, *two;
  struct error error = {.code = ""};
  other.west += 30;
  assert_int_equal(first->ops->regrid(first, f->arena, &request, &one, &error), 0);
  request.clip = &other;
  assert_int_equal(first->ops->regrid(first, f->arena, &request, &two, &error), 0);
  assert_false(same_identity(one, two));
}

/* One nanosecond later is another file, whatever its size. */
static void times_count(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.base = 1};
  const char *path = make_raster(f, &r);
  const struct source *source = series_of(f, path, &(struct raster_series){.method = RESAMPLE_NEAREST});
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000, .tv_nsec = 5}};
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  struct buffer before = identity_of(source);
  times[1].tv_nsec = 6;
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  struct buffer after = identity_of(source);
  assert_true(before.length == after.length && memcmp(before.data, after.data, after.length) != 0);
  assert_int_equal(unlink(path), 0);
  struct buffer gone = identity_of(source);
  assert_true(gone.length != after.length);
  buffer_free(&before);
  buffer_free(&after);
  buffer_free(&gone);
}

/* ---- Zarr hierarchies ------------------------------------------------------------------------------------------ */

static void write_file(const struct fixture *f, const char *name, const char *text, int64_t nanoseconds)
{
  const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000, .tv_nsec = nanoseconds}};
  const char *path = arena_printf(f->arena, "%s/%s", f->folder, name);
  const int file = open(path, O_WRONLY | O_CREAT, 0600); /* in place */
  assert_int_equal(strlen(text), write(file, text, strlen(text)));
  assert_int_equal(0, futimens(file, times));
  close(file);
}

/* One array, whose chunks have no codec. */
static const struct source *zarr_of(const struct fixture *f, size_t side, size_t chunk)
{
  const char *document =
      arena_printf(f->arena,
                   "{\"zarr_format\": 3, \"node_type\": \"array\", \"shape\": [%zu, %zu], \"data_type\": \"uint8\", "
                   "\"fill_value\": 0,"
                   " \"chunk_grid\": {\"name\": \"regular\", \"configuration\": {\"chunk_shape\": [%zu, %zu]}},"
                   " \"chunk_key_encoding\": {\"name\": \"v2\"}, \"codecs\": [{\"name\": \"bytes\"}],"
                   " \"dimension_names\": [\"y\", \"x\"]}",
                   side, side, chunk, chunk);
  const struct netcdf_file file = {.path = f->folder};
  const struct netcdf_selection all = {.bands = NULL};
  const struct source *source = NULL;
  struct error error = {.code = ""};
  write_file(f, "zarr.json", document, 1);
  assert_int_equal(0, netcdf_source(f->arena, &file, &all, &source, &error));
  return source;
}

/* The second row of what a reader gives; its chunk stays in the reader's cache. */
static void expect_row(struct source_reader *reader, const struct source *source, const char *expected)
{
  struct box row = {.dimensions = source->cube.dimensions, .start = {0}, .count = {1, 1, 1}};
  row.start[row.dimensions - 2] = 1;
  row.count[row.dimensions - 1] = 4;
  char got[5] = "";
  struct error error = {.code = ""};
  assert_int_equal(0, source->ops->read(reader, &row, got, &error));
  assert_string_equal(expected, got);
}

/* Written in place, with no word in the document: another source, and other data for a reader that has it open. */
static void chunks_count(void **state)
{
  struct fixture *f = *state;
  const struct source *source = zarr_of(f, 4, 4);
  struct source_reader *reader;
  struct error error = {.code = ""};
  write_file(f, "0.0", "abcdefghijklmnop", 1);
  struct buffer before = identity_of(source);
  assert_int_equal(0, source->ops->open(source, 1, &reader, &error));
  expect_row(reader, source, "efgh");
  write_file(f, "0.0", "ABCDEFGHIJKLMNOP", 2);
  expect_row(reader, source, "EFGH");
  source->ops->close(reader);
  struct buffer after = identity_of(source);
  assert_true(before.length == after.length && memcmp(before.data, after.data, after.length) != 0);
  assert_true(same_identity(source, source));
  buffer_free(&before);
  buffer_free(&after);
}

static void what_has_too_many_chunks_is_like_no_other(void **state)
{
  const struct source *source = zarr_of(*state, 65, 1);
  assert_false(same_identity(source, source));
}

/* ---- Contents and parameters ----------------------------------------------------------------------------------- */

static void contents_count(void **state)
{
  struct fixture *f = *state;
  enum { SIDE = 300 };
  uint16_t *values = arena_array(f->arena, SIDE * SIDE, sizeof *values);
  struct cube cube = {.dimensions = 2, .type = ELEMENT_U16};
  cube.dimension[0] = dimension_enumerated("a", DIMENSION_OTHER, SIDE);
  cube.dimension[1] = dimension_enumerated("b", DIMENSION_OTHER, SIDE);
  struct cube signed_cube = cube, small = cube, renamed = cube;
  signed_cube.type = ELEMENT_I16;
  renamed.dimension[1].name = "c";
  small.dimension[0].size = 3;
  const struct source *source = memory_source(f->arena, &cube, values, "x");
  assert_true(same_identity(source, memory_source(f->arena, &cube, values, "another origin")));
  assert_false(same_identity(source, memory_source(f->arena, &signed_cube, values, "x")));
  assert_false(same_identity(source, memory_source(f->arena, &renamed, values, "x")));
  for (size_t k = 0; k < 2; k++) { /* as a sum, and as it is */
    const struct cube *c = k ? &small : &cube;
    for (size_t at = 0; at < 3 * SIDE; at += 299) {
      struct buffer zero = identity_of(memory_source(f->arena, c, values, "x"));
      values[at] = 1;
      struct buffer one = identity_of(memory_source(f->arena, c, values, "x"));
      assert_true(zero.length == one.length && memcmp(zero.data, one.data, one.length) != 0);
      values[at] = 0;
      buffer_free(&zero);
      buffer_free(&one);
    }
  }
}

static void parameters_count(void **state)
{
  struct fixture *f = *state;
  const struct chain_parameters chain = {.action = {2, {4, 4}, -1, 0.5},
                                         .hmc = {.seed = 9, .step_size = 0.1, .steps = 5},
                                         .configurations = 4,
                                         .separation = 1};
  struct chain_parameters others[6] = {chain, chain, chain, chain, chain, chain};
  others[0].hmc.seed = 10;
  others[1].action.m2 = nextafter(-1, 0);
  others[2].thermalisation = 1;
  others[3].quantity = CHAIN_HISTORY;
  others[4].action.extent[1] = 5;
  others[5].hmc.integrator = HMC_OMELYAN;
  struct error error = {.code = ""};
  const struct source *source, *other;
  assert_int_equal(scalar_chain_source(f->arena, &chain, &source, &error), 0);
  assert_int_equal(scalar_chain_source(f->arena, &chain, &other, &error), 0);
  assert_true(same_identity(source, other));
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(scalar_chain_source(f->arena, &others[i], &other, &error), 0);
    assert_false(same_identity(source, other));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(files_and_grids_count, set_up, tear_down),
      cmocka_unit_test_setup_teardown(times_count, set_up, tear_down),
      cmocka_unit_test_setup_teardown(chunks_count, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_has_too_many_chunks_is_like_no_other, set_up, tear_down),
      cmocka_unit_test_setup_teardown(contents_count, set_up, tear_down),
      cmocka_unit_test_setup_teardown(parameters_count, set_up, tear_down)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
