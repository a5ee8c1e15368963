/* Metadata of raster files: what is told, and what is refused. */
#include "tests/unit/datacube_raster_fixture.h"

#include "datacube/source/raster_series.h"

static void inspect_tells_the_metadata(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.type = GDT_Float32, .has_nodata = true, .nodata = -3.4e38, .bands = 2};
  const char *path = make_raster(f, &r);
  GDALDatasetH d = GDALOpen(path, GA_Update);
  GDALSetDescription(GDALGetRasterBand(d, 2), "nir");
  GDALSetRasterScale(GDALGetRasterBand(d, 2), 0.0001);
  GDALSetRasterOffset(GDALGetRasterBand(d, 2), -0.1);
  GDALSetRasterUnitType(GDALGetRasterBand(d, 2), "K");
  GDALClose(d);
  struct raster_file file;
  struct error error = {.code = ""};
  assert_int_equal(raster_file_inspect(f->arena, path, &file, &error), 0);
  assert_int_equal(file.band_count, 2);
  assert_string_equal(file.grid.crs, "EPSG:32618");
  assert_true(file.grid.west == 300000 && file.grid.north == 4800000 && file.grid.res_x == 30 && file.grid.res_y == 30);
  assert_true(file.grid.width == 100 && file.grid.height == 80);
  assert_int_equal(file.bands[1].type, ELEMENT_F32);
  assert_true(file.bands[1].has_nodata && file.bands[1].nodata == (double)-3.4e38f);
  assert_true(file.bands[1].scale == 0.0001 && file.bands[1].offset == -0.1);
  assert_string_equal(file.bands[1].description, "nir");
  assert_string_equal(file.bands[1].unit, "K");
  assert_null(file.bands[0].description);
  assert_null(file.bands[0].unit);
  assert_true(file.bands[0].scale == 1 && file.bands[0].offset == 0);
}

/* What is known of the file before spares the CRS; what else it says of units is told all the same. */
static void the_next_file_is_told_as_if_it_were_the_first(void **state)
{
  struct fixture *f = *state;
  static const char *const units[][2] = {{"", ""}, {"", ""}, {"K", "m"}, {"", "K"}, {"", ""}};
  struct raster_file before = {.wkt = NULL};
  for (size_t k = 0; k < sizeof units / sizeof units[0]; k++) {
    struct recipe r = {.type = GDT_Float32, .bands = 2};
    const char *path = make_raster(f, &r);
    GDALDatasetH d = GDALOpen(path, GA_Update);
    for (int i = 0; i < 2; i++)
      GDALSetRasterUnitType(GDALGetRasterBand(d, i + 1), units[k][i]);
    GDALClose(d);
    struct raster_file next, alone;
    struct error error = {.code = ""};
    const struct raster_file_hints hints = {.before = &before, .before_count = k > 0};
    assert_int_equal(raster_file_inspect_with(f->arena, path, &hints, &next, &error), 0);
    assert_int_equal(raster_file_inspect(f->arena, path, &alone, &error), 0);
    assert_string_equal(next.grid.crs, alone.grid.crs);
    assert_true(next.has_keys == (units[k][1][0] == '\0'));
    for (int i = 0; i < 2; i++) {
      assert_string_equal(next.bands[i].unit ? next.bands[i].unit : "", units[k][i]);
      assert_string_equal(alone.bands[i].unit ? alone.bands[i].unit : "", units[k][i]);
    }
    before = next;
  }
}

static void inspect_must_fail(struct fixture *f, const char *path)
{
  struct raster_file file;
  struct error error = {.code = ""};
  assert_int_equal(raster_file_inspect(f->arena, path, &file, &error), -1);
  assert_string_equal(error.code, "NoDataAvailable");
  assert_true(strlen(error.message) > 10);
}

static void inspect_refuses_what_has_no_place(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.base = 0};
  static const double transforms[][6] = {
      {0, 30, 1, 0, 0, -30}, {0, 30, 0, 0, 2, -30}, {0, -30, 0, 0, 0, 30}, {0, -30, 0, 0, 0, -30}};
  for (size_t k = 0; k < 4; k++) {
    const char *path = make_raster(f, &r);
    GDALDatasetH d = GDALOpen(path, GA_Update);
    double gt[6];
    memcpy(gt, transforms[k], sizeof gt);
    GDALSetGeoTransform(d, gt);
    GDALClose(d);
    inspect_must_fail(f, path);
  }
  char *bare = arena_printf(f->arena, "%s/bare.tif", f->folder), *text = arena_printf(f->arena, "%s/a.txt", f->folder);
  GDALClose(GDALCreate(GDALGetDriverByName("GTiff"), bare, 4, 4, 1, GDT_Byte, NULL));
  inspect_must_fail(f, bare);
  struct raster_file none;
  struct error error = {.code = ""};
  raster_file_inspect(f->arena, bare, &none, &error);
  assert_non_null(strstr(error.message, "is not georeferenced"));
  FILE *file = fopen(text, "w");
  fputs("no raster", file);
  fclose(file);
  inspect_must_fail(f, text);
  inspect_must_fail(f, arena_printf(f->arena, "%s/absent.tif", f->folder));
  inspect_must_fail(f, f->folder);
  inspect_must_fail(f, "");
}

/* A VRT names other files, so it is no file of its own. */
static void virtual_rasters_are_not_opened(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.base = 0};
  const char *path = make_raster(f, &r);
  char *virtual_path = arena_printf(f->arena, "%s/all.vrt", f->folder);
  GDALDatasetH d = GDALOpen(path, GA_ReadOnly);
  GDALClose(GDALCreateCopy(GDALGetDriverByName("VRT"), virtual_path, d, 0, NULL, NULL, NULL));
  GDALClose(d);
  inspect_must_fail(f, virtual_path);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(inspect_tells_the_metadata, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_next_file_is_told_as_if_it_were_the_first, set_up, tear_down),
      cmocka_unit_test_setup_teardown(inspect_refuses_what_has_no_place, set_up, tear_down),
      cmocka_unit_test_setup_teardown(virtual_rasters_are_not_opened, set_up, tear_down)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
