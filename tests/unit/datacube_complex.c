/* Complex elements: read from rasters of every complex type, written, read again, and said in JSON as pairs. */
#include "tests/unit/datacube_raster_fixture.h"

#include "datacube/sink.h"
#include "datacube/source/netcdf_source.h"
#include "datacube/source/raster_series.h"

enum { WIDTH = 70, HEIGHT = 50, PIXELS = WIDTH * HEIGHT };

/* Element i of a test image: whole numbers, so that every type holds them. */
static double part_of(size_t i, size_t part)
{
  return part ? (double)(i % 250) - 125 : (double)(i % 1000) + 1;
}

static const char *make_complex(struct fixture *f, GDALDataType type, struct recipe *r)
{
  *r = (struct recipe){.width = WIDTH, .height = HEIGHT, .type = type, .option = {"TILED=YES", "COMPRESS=DEFLATE"}};
  const char *path = make_raster(f, r);
  double *pairs = arena_array(f->arena, 2 * PIXELS, sizeof *pairs);
  for (size_t i = 0; i < 2 * PIXELS; i++)
    pairs[i] = part_of(i / 2, i % 2);
  GDALDatasetH d = GDALOpen(path, GA_Update);
  GDALRasterBandH band = GDALGetRasterBand(d, 1);
  assert_int_equal(
      GDALRasterIO(band, GF_Write, 0, 0, WIDTH, HEIGHT, pairs, WIDTH, HEIGHT, GDT_CFloat64, 0, 0), CE_None);
  GDALClose(d);
  return path;
}

static const int64_t dates[] = {0};
static const char *const bands[] = {"slc"};

static const struct source *series_of(struct fixture *f, const char *path, const struct grid *grid)
{
  struct raster_file file;
  struct error error = {.code = ""};
  assert_int_equal(raster_file_inspect(f->arena, path, &file, &error), 0);
  struct raster_scene *scene = ARENA_NEW(f->arena, struct raster_scene);
  *scene = (struct raster_scene){.path = path, .raster_band = 1, .grid = file.grid, .type = file.bands[0].type};
  const struct raster_series series = {.dates = dates,
                                       .date_count = 1,
                                       .bands = bands,
                                       .band_count = 1,
                                       .scenes = scene,
                                       .scene_count = 1,
                                       .grid = grid ? *grid : file.grid,
                                       .method = RESAMPLE_NEAREST};
  const struct source *source = NULL;
  assert_int_equal(raster_series_source(f->arena, &series, &source, &error), 0);
  return source;
}

/* The whole source; pairs of its part type. */
static void *read_whole(struct fixture *f, const struct source *source)
{
  struct error error = {.code = ""};
  struct source_reader *reader = NULL;
  struct box box = cube_box(&source->cube);
  void *data = arena_alloc(f->arena, cube_bytes(&source->cube));
  assert_int_equal(source->ops->open(source, 1, &reader, &error), 0);
  assert_int_equal(source->ops->read(reader, &box, data, &error), 0);
  source->ops->close(reader);
  return data;
}

static double value(const struct cube *cube, const void *data, size_t i)
{
  return cube->type == ELEMENT_C64 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static const char *write_as(struct fixture *f, const char *format, const char *name, const struct cube *cube,
                            const void *data)
{
  const char *path = arena_printf(f->arena, "%s/%s", f->folder, name);
  struct sink *sink = NULL;
  struct error error = {.code = ""};
  const struct box box = cube_box(cube);
  const struct sink_request request = {.format = format, .path = path};
  if (sink_format_find(format)->open(&request, cube, &sink, &error) || sink->ops->put(sink, &box, data, &error) ||
      sink->ops->finish(sink, &error))
    fail_msg("%s: %s", error.code, error.message);
  sink->ops->close(sink);
  return path;
}

static void rasters_come_back(void **state)
{
  struct fixture *f = *state;
  static const GDALDataType types[] = {GDT_CInt16, GDT_CInt32, GDT_CFloat32, GDT_CFloat64};
  for (size_t k = 0; k < 4; k++) {
    struct recipe r;
    const struct source *source = series_of(f, make_complex(f, types[k], &r), NULL);
    assert_int_equal(source->cube.type, k % 2 ? ELEMENT_C128 : ELEMENT_C64);
    const void *data = read_whole(f, source);
    for (size_t i = 0; i < 2 * PIXELS; i++)
      assert_true(value(&source->cube, data, i) == part_of(i / 2, i % 2));
    const char *path = write_as(f, "GTiff", "again.tif", &source->cube, data);
    const struct source *again = series_of(f, path, NULL);
    assert_int_equal(again->cube.type, source->cube.type);
    assert_memory_equal(read_whole(f, again), data, cube_bytes(&source->cube));
  }
}

/* On another grid by nearest, with no-data outside. */
static void rasters_are_put_on_other_grids(void **state)
{
  struct fixture *f = *state;
  struct recipe r;
  const char *path = make_complex(f, GDT_CFloat32, &r);
  struct grid shifted = {.west = r.west - 5 * r.res,
                         .north = r.north + 3 * r.res,
                         .res_x = r.res / 2,
                         .res_y = r.res / 2,
                         .width = 100,
                         .height = 60,
                         .crs = "EPSG:32618"};
  const struct source *source = series_of(f, path, &shifted);
  assert_true(source->cube.type == ELEMENT_C64 && source->cube.has_nodata);
  const float *data = read_whole(f, source);
  for (size_t i = 0; i < 100 * 60; i++) {
    long column = (long)(i % 100 / 2) - 5, row = (long)(i / 100 / 2) - 3;
    bool inside = column >= 0 && row >= 0;
    size_t at = inside ? (size_t)row * WIDTH + (size_t)column : 0;
    assert_true(inside ? data[2 * i] == (float)part_of(at, 0) && data[2 * i + 1] == (float)part_of(at, 1)
                       : isnan(data[2 * i]));
  }
}

static void json_has_pairs(void **state)
{
  struct fixture *f = *state;
  struct cube cube = {.dimensions = 1, .type = ELEMENT_C128};
  cube.dimension[0] = dimension_enumerated("i", DIMENSION_OTHER, 4);
  const double values[] = {1, -2.5, 0, 1e-7, (double)NAN, 3, 4, (double)NAN};
  const char *path = write_as(f, "JSON", "pairs.json", &cube, values);
  char text[2048] = {0};
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_true(fread(text, 1, sizeof text - 1, file) > 0);
  fclose(file);
  assert_non_null(strstr(text, "[[1,-2.5],[0,1e-07],null,[4,null]]"));
  struct cube narrow = cube;
  narrow.type = ELEMENT_C64;
  const float singles[] = {0.1f, -2.5f, 0, 1, (float)NAN, 3, 4, 5};
  path = write_as(f, "JSON", "singles.json", &narrow, singles);
  file = fopen(path, "r");
  memset(text, 0, sizeof text);
  assert_true(fread(text, 1, sizeof text - 1, file) > 0);
  fclose(file);
  assert_non_null(strstr(text, "[[0.1,-2.5],[0,1],null,[4,5]]"));
}

/* Compounds {r, i}: the same bits, chunks that are covered and such that are not, no-data. */
static void netcdf_comes_back(void **state)
{
  struct fixture *f = *state;
  for (int k = 0; k < 2; k++) {
    struct recipe r;
    struct error error = {.code = ""};
    const struct source *source = series_of(f, make_complex(f, k ? GDT_CFloat64 : GDT_CFloat32, &r), NULL), *again;
    struct cube cube = source->cube;
    void *data = read_whole(f, source);
    cube.has_nodata = true;
    cube.nodata = -7;
    for (size_t i = 0; i < 2 * PIXELS; i++)
      if (i / 2 % 11 == 0 && k)
        ((double *)data)[i] = -7;
      else if (i / 2 % 11 == 0)
        ((float *)data)[i] = -7;
    const char *path = write_as(f, "netCDF", k ? "double.nc" : "single.nc", &cube, data);
    const struct netcdf_file file = {.path = path};
    assert_int_equal(netcdf_source(f->arena, &file, NULL, &again, &error), 0);
    assert_int_equal(again->cube.type, cube.type);
    assert_true(again->cube.has_nodata && again->cube.nodata == -7);
    assert_memory_equal(read_whole(f, again), data, cube_bytes(&cube));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(rasters_come_back, set_up, tear_down),
                                     cmocka_unit_test_setup_teardown(rasters_are_put_on_other_grids, set_up, tear_down),
                                     cmocka_unit_test_setup_teardown(json_has_pairs, set_up, tear_down),
                                     cmocka_unit_test_setup_teardown(netcdf_comes_back, set_up, tear_down)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
