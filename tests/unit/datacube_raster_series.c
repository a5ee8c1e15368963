/* Raster series, on small rasters made here. Expected values come from the formula that filled them. */
#include "tests/unit/datacube_raster_fixture.h"

#include "datacube/source/raster_series.h"
#include "datacube/warp.h"
#include "datacube/warp_elements.h"

#include <pthread.h>

static struct raster_scene make_scene(struct fixture *f, struct recipe *r, size_t date, size_t band)
{
  const char *path = make_raster(f, r);
  struct raster_file file;
  struct error error = {.code = ""};
  assert_int_equal(raster_file_inspect(f->arena, path, &file, &error), 0);
  return (struct raster_scene){.path = path,
                               .raster_band = 1,
                               .date = date,
                               .band = band,
                               .grid = file.grid,
                               .type = file.bands[0].type,
                               .has_nodata = file.bands[0].has_nodata,
                               .nodata = file.bands[0].nodata};
}

static const int64_t dates[] = {0, MS_PER_DAY, 2 * MS_PER_DAY, 3 * MS_PER_DAY};
static const char *const bands[] = {"red", "nir"};

static const struct source *make_source(struct fixture *f, const struct raster_scene *scenes, size_t count,
                                        size_t date_count, size_t band_count, const struct grid *grid)
{
  struct raster_series series = {.dates = dates,
                                 .date_count = date_count,
                                 .bands = bands,
                                 .band_count = band_count,
                                 .scenes = arena_copy(f->arena, scenes, count * sizeof *scenes),
                                 .scene_count = count,
                                 .grid = *grid,
                                 .method = RESAMPLE_NEAREST,
                                 .title = "test",
                                 .origin = "test"};
  const struct source *source = NULL;
  struct error error = {.code = ""};
  assert_int_equal(raster_series_source(f->arena, &series, &source, &error), 0);
  return source;
}

/* Whole box as doubles, NaN where missing; read in tiles of the given side (0: at once). */
static double *read_all(struct fixture *f, const struct source *source, size_t tile)
{
  const struct cube *c = &source->cube;
  struct box whole = cube_box(c);
  size_t width = whole.count[3], height = whole.count[2], planes = whole.count[0] * whole.count[1];
  size_t size = element_info(c->type)->size;
  double *out = arena_array(f->arena, planes * width * height, sizeof *out);
  unsigned char *data = arena_alloc(f->arena, planes * width * height * size);
  struct source_reader *reader = NULL;
  struct error error = {.code = ""};
  assert_int_equal(source->ops->open(source, 1, &reader, &error), 0);
  tile = tile ? tile : width + height;
  for (size_t y = 0; y < height; y += tile)
    for (size_t x = 0; x < width; x += tile) {
      struct box box = whole;
      box.start[2] = y, box.start[3] = x;
      box.count[2] = height - y < tile ? height - y : tile, box.count[3] = width - x < tile ? width - x : tile;
      if (source->ops->read(reader, &box, data, &error))
        fail_msg("%s: %s", error.code, error.message);
      for (size_t k = 0; k < box_elements(&box); k++) {
        size_t row = k / box.count[3] % box.count[2], plane = k / (box.count[3] * box.count[2]);
        elements_to_doubles(c->type, c->has_nodata, c->nodata, 1, data + k * size,
                            &out[(plane * height + y + row) * width + x + k % box.count[3]]);
      }
    }
  source->ops->close(reader);
  return out;
}

static bool same(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

/* What a scene gives the point (x, y) in its CRS: the value of the pixel that holds it, NaN where there is none. */
static double at_point(const struct recipe *r, double x, double y, int band)
{
  double column = floor((x - r->west) / r->res + 1e-9), row = floor((r->north - y) / r->res + 1e-9);
  if (column < 0 || row < 0 || column >= r->width || row >= r->height)
    return (double)NAN;
  double value = stored(r, (int)column, (int)row, band);
  return r->has_nodata && value == r->nodata ? (double)NAN : value;
}

/* Compares a plane of the cube with a mosaic of recipes of the same CRS. */
static void check_plane(const double *plane, const struct grid *g, const struct recipe *recipes, size_t count)
{
  for (size_t j = 0; j < g->height; j++)
    for (size_t i = 0; i < g->width; i++) {
      double expected = (double)NAN;
      for (size_t k = 0; k < count && isnan(expected); k++)
        expected =
            at_point(&recipes[k], g->west + ((double)i + 0.5) * g->res_x, g->north - ((double)j + 0.5) * g->res_y, 0);
      if (!same(plane[j * g->width + i], expected))
        fail_msg("pixel %zu, %zu is %g and not %g", i, j, plane[j * g->width + i], expected);
    }
}

/* ---- On the lattice -------------------------------------------------------------------------------------------- */

static void values_come_through_untouched(void **state)
{
  struct fixture *f = *state;
  static const GDALDataType types[] = {GDT_Byte, GDT_UInt16, GDT_Int16, GDT_Int32, GDT_Float32, GDT_Float64};
  static const enum element_type elements[] = {ELEMENT_U8,  ELEMENT_U16, ELEMENT_I16,
                                               ELEMENT_I32, ELEMENT_F32, ELEMENT_F64};
  for (size_t k = 0; k < 6; k++) {
    struct recipe r = {.type = types[k], .option = {"TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=16", "COMPRESS=DEFLATE"}};
    struct raster_scene scene = make_scene(f, &r, 0, 0);
    assert_string_equal(scene.grid.crs, "EPSG:32618");
    const struct source *source = make_source(f, &scene, 1, 1, 1, &scene.grid);
    assert_int_equal(source->cube.type, elements[k]);
    assert_false(source->cube.has_nodata);
    assert_true(source->block[2] == 16 && source->block[3] == 32 && source->block[0] == 1 && source->block[1] == 1);
    assert_true(source->block_phase[2] == 0 && source->block_phase[3] == 0);
    check_plane(read_all(f, source, 0), &scene.grid, &r, 1);
    check_plane(read_all(f, source, 17), &scene.grid, &r, 1);
  }
}

static void a_crop_keeps_type_and_knows_blocks(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.option = {"TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=16"}};
  struct raster_scene scene = make_scene(f, &r, 0, 0);
  struct grid crop = scene.grid;
  crop.west += 10 * 30;
  crop.north -= 16 * 30;
  crop.width = 50, crop.height = 40;
  const struct source *source = make_source(f, &scene, 1, 1, 1, &crop);
  assert_int_equal(source->cube.type, ELEMENT_U16);
  assert_false(source->cube.has_nodata);
  assert_true(source->block_phase[3] == 22 && source->block_phase[2] == 0);
  assert_true(source->bytes_per_element > 0 && source->reader_bytes > 0);
  check_plane(read_all(f, source, 7), &crop, &r, 1);
  assert_int_equal(source->cube.dimensions, 4);
  assert_int_equal(source->cube.dimension[3].size, 50);
  double west, south, east, north;
  assert_true(cube_bounds(&source->cube, &west, &south, &east, &north));
  assert_true(west == crop.west && north == crop.north && east == crop.west + 1500 && south == crop.north - 1200);
}

static void the_first_valid_pixel_wins(void **state)
{
  struct fixture *f = *state;
  struct recipe r[3] = {{.has_nodata = true, .nodata = 0, .hole = 3, .width = 60, .base = 1000},
                        {.has_nodata = true, .nodata = 0, .hole = 5, .west = 300300, .north = 4799700, .base = 3000},
                        {.has_nodata = true, .nodata = 0, .west = 299700, .north = 4800300, .base = 5000}};
  struct raster_scene scenes[3];
  for (size_t k = 0; k < 3; k++)
    scenes[k] = make_scene(f, &r[k], 0, 0);
  struct grid g = {
      .west = 299400, .north = 4800600, .res_x = 30, .res_y = 30, .width = 170, .height = 130, .crs = "EPSG:32618"};
  const struct source *source = make_source(f, scenes, 3, 1, 1, &g);
  assert_int_equal(source->cube.type, ELEMENT_U16);
  assert_true(source->cube.has_nodata && source->cube.nodata == 0);
  check_plane(read_all(f, source, 0), &g, r, 3);
  check_plane(read_all(f, source, 23), &g, r, 3);
}

static void dates_and_bands_find_their_scenes(void **state)
{
  struct fixture *f = *state;
  struct recipe r[5];
  struct raster_scene scenes[5];
  static const size_t date[5] = {1, 0, 1, 2, 0}, band[5] = {1, 0, 0, 1, 1};
  for (size_t k = 0; k < 5; k++) {
    r[k] = (struct recipe){.base = 1000.0 * (double)(k + 1), .has_nodata = true, .nodata = 65535};
    scenes[k] = make_scene(f, &r[k], date[k], band[k]);
  }
  const struct source *source = make_source(f, scenes, 5, 3, 2, &scenes[0].grid);
  const double *all = read_all(f, source, 0);
  size_t plane = 100 * 80;
  for (size_t k = 0; k < 5; k++)
    check_plane(all + (date[k] * 2 + band[k]) * plane, &scenes[0].grid, &r[k], 1);
  check_plane(all + 4 * plane, &scenes[0].grid, NULL, 0); /* date 2 has no red */
  struct source_reader *reader = NULL;
  struct error error = {.code = ""};
  uint16_t two[2];
  struct box box = {.dimensions = 4, .start = {0, 1, 5, 6}, .count = {2, 1, 1, 1}};
  assert_int_equal(source->ops->open(source, 1, &reader, &error), 0);
  assert_int_equal(source->ops->read(reader, &box, two, &error), 0);
  assert_true(two[0] == stored(&r[4], 6, 5, 0) && two[1] == stored(&r[0], 6, 5, 0));
  source->ops->close(reader);
}

static void one_of_many_bands_of_a_file(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.bands = 3, .option = {"INTERLEAVE=PIXEL"}};
  struct raster_scene scenes[2] = {make_scene(f, &r, 0, 0)};
  scenes[1] = scenes[0];
  scenes[0].raster_band = 3;
  scenes[1].raster_band = 2;
  scenes[1].band = 1;
  const struct source *source = make_source(f, scenes, 2, 1, 2, &scenes[0].grid);
  const double *all = read_all(f, source, 0);
  for (size_t i = 0; i < 8000; i++) {
    assert_true(all[i] == stored(&r, (int)(i % 100), (int)(i / 100), 2));
    assert_true(all[8000 + i] == stored(&r, (int)(i % 100), (int)(i / 100), 1));
  }
}

/* ---- Types and no-data ----------------------------------------------------------------------------------------- */

static enum element_type type_of(struct fixture *f, struct recipe *a, struct recipe *b, bool *has_nodata,
                                 double *nodata)
{
  struct raster_scene scenes[2] = {make_scene(f, a, 0, 0), make_scene(f, b, 0, 1)};
  const struct source *source = make_source(f, scenes, 2, 1, 2, &scenes[0].grid);
  *has_nodata = source->cube.has_nodata;
  *nodata = source->cube.nodata;
  const double *all = read_all(f, source, 31);
  check_plane(all, &scenes[0].grid, a, 1);
  check_plane(all + 8000, &scenes[0].grid, b, 1);
  return source->cube.type;
}

static void types_are_the_narrowest_that_hold_all(void **state)
{
  struct fixture *f = *state;
  static const struct {
    struct recipe a, b;
    enum element_type type;
    bool has_nodata;
    double nodata;
  } cases[] = {{{.type = GDT_Byte}, {.type = GDT_UInt16, .base = 300}, ELEMENT_U16, false, 0},
               {{.type = GDT_Byte}, {.type = GDT_Int16, .base = -300}, ELEMENT_I16, false, 0},
               {{.type = GDT_UInt16, .base = 60000}, {.type = GDT_Int16, .base = -300}, ELEMENT_I32, false, 0},
               {{.type = GDT_UInt16}, {.type = GDT_Float32, .base = 0.5}, ELEMENT_F32, false, 0},
               {{.type = GDT_Int32, .base = 16777217}, {.type = GDT_Float32, .base = 0.5}, ELEMENT_F64, false, 0},
               {{.has_nodata = true, .nodata = 7, .hole = 3},
                {.has_nodata = true, .nodata = 7, .hole = 4},
                ELEMENT_U16,
                true,
                7},
               {{.has_nodata = true, .nodata = 0, .hole = 3},
                {.has_nodata = true, .nodata = 1, .hole = 4},
                ELEMENT_F32,
                true,
                (double)NAN},
               {{.has_nodata = true, .nodata = 0, .hole = 3}, {.base = 0}, ELEMENT_F32, true, (double)NAN},
               {{.type = GDT_Int32, .has_nodata = true, .nodata = -1, .hole = 3},
                {.type = GDT_Int32},
                ELEMENT_F64,
                true,
                (double)NAN},
               {{.type = GDT_Float32, .has_nodata = true, .nodata = -9999, .hole = 3},
                {.type = GDT_Float32, .has_nodata = true, .nodata = -9999, .hole = 7},
                ELEMENT_F32,
                true,
                -9999},
               {{.type = GDT_Float32, .has_nodata = true, .nodata = -9999, .hole = 3},
                {.type = GDT_Float32, .has_nodata = true, .nodata = (double)NAN, .hole = 7},
                ELEMENT_F32,
                true,
                (double)NAN},
               {{.base = 0}, {.width = 90}, ELEMENT_F32, true, (double)NAN}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    struct recipe a = cases[k].a, b = cases[k].b;
    bool has_nodata;
    double nodata;
    assert_int_equal(type_of(f, &a, &b, &has_nodata, &nodata), cases[k].type);
    assert_int_equal(has_nodata, cases[k].has_nodata);
    if (has_nodata)
      assert_true(same(nodata, cases[k].nodata));
  }
}

static void signed_bytes_keep_their_sign(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.type = GDT_Byte, .option = {"PIXELTYPE=SIGNEDBYTE"}}, wide = {.type = GDT_Int16};
  struct raster_scene scenes[2] = {make_scene(f, &r, 0, 0), make_scene(f, &wide, 0, 1)};
  assert_int_equal(scenes[0].type, ELEMENT_I8);
  const double *alone = read_all(f, make_source(f, scenes, 1, 1, 1, &scenes[0].grid), 0);
  const double *beside = read_all(f, make_source(f, scenes, 2, 1, 2, &scenes[0].grid), 0);
  int negative = 0;
  for (int i = 0; i < 8000; i++) {
    double raw = stored(&r, i % 100, i / 100, 0), expected = raw >= 128 ? raw - 256 : raw;
    assert_true(alone[i] == expected && beside[i] == expected);
    negative += expected < 0;
  }
  assert_true(negative > 0);
}

/* ---- Off the lattice ------------------------------------------------------------------------------------------- */

static void other_lattices_are_resampled_once(void **state)
{
  struct fixture *f = *state;
  struct recipe r[2] = {{.res = 30, .has_nodata = true, .nodata = 0, .hole = 4, .west = 300015, .north = 4799985},
                        {.res = 20, .has_nodata = true, .nodata = 0, .hole = 7, .west = 300010, .north = 4800050}};
  struct raster_scene scenes[2] = {make_scene(f, &r[0], 0, 0), make_scene(f, &r[1], 0, 0)};
  static const double res[] = {30, 10, 7, 45};
  for (size_t k = 0; k < 4; k++) {
    struct grid g = {.west = 299970,
                     .north = 4800060,
                     .res_x = res[k],
                     .res_y = res[k],
                     .width = 120,
                     .height = 110,
                     .crs = "EPSG:32618"};
    const struct source *source = make_source(f, scenes, 2, 1, 1, &g);
    check_plane(read_all(f, source, 0), &g, r, 2);
    check_plane(read_all(f, source, 19), &g, r, 2);
    assert_true(source->block[2] == 0 && source->block[3] == 0);
  }
}

/* Two zones: the pixel must be that which holds the transformed centre. */
static void other_zones_are_warped(void **state)
{
  struct fixture *f = *state;
  struct recipe r[2] = {{.west = 231000, .north = 4600000, .res = 100, .has_nodata = true, .nodata = 0, .hole = 5},
                        {.crs = "EPSG:32617",
                         .west = 739000,
                         .north = 4600500,
                         .res = 100,
                         .has_nodata = true,
                         .nodata = 0,
                         .base = 500}};
  struct raster_scene scenes[2] = {make_scene(f, &r[0], 0, 0), make_scene(f, &r[1], 0, 0)};
  assert_string_equal(scenes[1].grid.crs, "EPSG:32617");
  struct grid g = scenes[0].grid;
  g.width = 160, g.height = 150;
  const double *all = read_all(f, make_source(f, scenes, 2, 1, 1, &g), 0);
  const double *tiles = read_all(f, make_source(f, scenes, 2, 1, 1, &g), 37);
  double x[160 * 150], y[160 * 150];
  for (size_t i = 0; i < 160 * 150; i++) {
    x[i] = g.west + ((double)(i % 160) + 0.5) * 100;
    y[i] = g.north - ((double)(i / 160) + 0.5) * 100;
  }
  struct error error = {.code = ""};
  assert_int_equal(points_transform("EPSG:32618", "EPSG:32617", 160 * 150, x, y, &error), 0);
  size_t from_second = 0;
  for (size_t i = 0; i < 160 * 150; i++) {
    double first =
        at_point(&r[0], g.west + ((double)(i % 160) + 0.5) * 100, g.north - ((double)(i / 160) + 0.5) * 100, 0);
    double expected = isnan(first) ? at_point(&r[1], x[i], y[i], 0) : first;
    assert_true(same(all[i], expected) && same(tiles[i], expected));
    from_second += isnan(first) && !isnan(expected);
  }
  assert_true(from_second > 1000);
}

/* A file whose rows run from the south is the same cube, in strips and tiles, on its grid and on others. */
static void south_up_files_are_turned(void **state)
{
  struct fixture *f = *state;
  struct recipe north = {.hole = 7, .has_nodata = true, .nodata = 0}, south = north, tiled = north;
  south.south_up = tiled.south_up = true;
  tiled.option[0] = "TILED=YES", tiled.option[1] = "BLOCKXSIZE=32", tiled.option[2] = "BLOCKYSIZE=16";
  const struct raster_scene scenes[] = {make_scene(f, &north, 0, 0), make_scene(f, &south, 0, 0),
                                        make_scene(f, &tiled, 0, 0)};
  struct grid g = scenes[0].grid;
  for (size_t n = 0; n < 3; n++, g.west += 17, g.north -= 450, g.height -= 20, g.res_y += 7) {
    const double *expected = read_all(f, make_source(f, scenes, 1, 1, 1, &g), 0);
    for (size_t k = 1; k < 3; k++)
      assert_memory_equal(read_all(f, make_source(f, &scenes[k], 1, 1, 1, &g), n * 13), expected,
                          g.width * g.height * sizeof(double));
  }
}

/* With the bounds of the source's cube as the clip. */
static int regrid(struct fixture *f, const struct source *source, const struct grid *grid, enum resampling method,
                  const struct source **out)
{
  struct error error = {.code = ""};
  struct extent clip = {.crs = source->cube.crs};
  const struct regrid_request request = {.grid = grid, .method = method, .clip = &clip};
  assert_true(cube_bounds(&source->cube, &clip.west, &clip.south, &clip.east, &clip.north));
  int status = source->ops->regrid(source, f->arena, &request, out, &error);
  if (status)
    assert_string_equal(error.code, "FeatureUnsupported");
  return status;
}

/* Overviews hold values of their own here, so that it would show if one were read. */
static void overviews_are_not_read(void **state)
{
  struct fixture *f = *state;
  struct recipe with = {.width = 128, .height = 96, .overviews = true}, without = {.width = 128, .height = 96};
  const struct raster_scene scene[2] = {make_scene(f, &with, 0, 0), make_scene(f, &without, 0, 0)};
  struct grid g = scene[0].grid;
  for (g.res_x = g.res_y = 60, g.width = 19, g.height = 14; g.res_x <= 200; g.res_x += 70, g.res_y += 70)
    for (enum resampling method = RESAMPLE_NEAREST; method < RESAMPLE_GEOCODE; method++) {
      const double *values[2];
      for (size_t k = 0; k < 2; k++) {
        const struct source *source = make_source(f, &scene[k], 1, 1, 1, &scene[k].grid);
        assert_int_equal(regrid(f, source, &g, method, &source), 0);
        values[k] = read_all(f, source, 11);
      }
      assert_memory_equal(values[0], values[1], g.width * g.height * sizeof(double));
    }
}

static void regrid_goes_back_to_the_pixels(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.type = GDT_Byte};
  struct raster_scene scene = make_scene(f, &r, 0, 0);
  struct grid coarse = scene.grid, fine = scene.grid;
  coarse.res_x = coarse.res_y = 50, coarse.width = 60, coarse.height = 48;
  fine.res_x = fine.res_y = 15, fine.width = 200, fine.height = 160;
  const struct source *first = make_source(f, &scene, 1, 1, 1, &coarse), *second = NULL;
  assert_int_equal(regrid(f, first, &fine, RESAMPLE_NEAREST, &second), 0);
  check_plane(read_all(f, second, 0), &fine, &r, 1);
  assert_int_equal(regrid(f, first, &coarse, RESAMPLE_AVERAGE, &second), 0);
  const double *mean = read_all(f, second, 0);
  double p00 = stored(&r, 0, 0, 0), p10 = stored(&r, 1, 0, 0), p01 = stored(&r, 0, 1, 0), p11 = stored(&r, 1, 1, 0);
  assert_float_equal(mean[0], (900 * p00 + 600 * p10 + 600 * p01 + 400 * p11) / 2500, 0.5 + 1e-9);
  assert_int_equal(regrid(f, first, &coarse, RESAMPLE_GEOCODE, &second), -1);
}

/* A world map whose corners are no place on Earth: what the samples of its extent miss, the north, is found. */
static void scenes_that_have_no_image_in_part_are_read(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.crs = "ESRI:54009",
                     .west = -19e6,
                     .north = 9.4e6,
                     .res = 100000,
                     .width = 380,
                     .height = 188,
                     .has_nodata = true,
                     .nodata = 0};
  struct raster_scene scene = make_scene(f, &r, 0, 0);
  struct grid world = {
      .crs = "EPSG:3857", .west = -20e6, .north = 15e6, .res_x = 250000, .res_y = 250000, .width = 160, .height = 120};
  const double *have = read_all(f, make_source(f, &scene, 1, 1, 1, &world), 0);
  enum { PIXELS = 160 * 120 };
  static double x[PIXELS], y[PIXELS];
  for (size_t i = 0; i < PIXELS; i++)
    x[i] = -20e6 + 250000 * ((double)(i % 160) + 0.5), y[i] = 15e6 - 250000 * ((double)(i / 160) + 0.5);
  struct error error = {.code = ""};
  assert_int_equal(points_transform("EPSG:3857", "ESRI:54009", PIXELS, x, y, &error), 0);
  for (size_t i = 0; i < PIXELS; i++) {
    assert_true(same(have[i], at_point(&r, x[i], y[i], 0)));
    assert_false(isnan(have[i]));
  }
}

static void a_transformation_that_is_not_there_names_the_file(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.width = 10};
  struct raster_scene scene = make_scene(f, &r, 0, 0);
  struct grid cube = scene.grid;
  scene.grid.crs = "LOCAL_CS[\"a hall\",UNIT[\"metre\",1]]";
  struct raster_series series = {.dates = dates,
                                 .date_count = 1,
                                 .bands = bands,
                                 .band_count = 1,
                                 .scenes = &scene,
                                 .scene_count = 1,
                                 .grid = cube,
                                 .method = RESAMPLE_NEAREST};
  const struct source *source;
  struct error error = {.code = ""};
  assert_int_equal(raster_series_source(f->arena, &series, &source, &error), -1);
  assert_string_equal(error.code, "CRSInvalid");
  assert_non_null(strstr(error.message, strrchr(scene.path, '/') + 1));
}

/* ---- Cropped, then put on another grid ------------------------------------------------------------------------- */

/* The generic way: the plane of the cropped source, warped. NaN is missing in both. */
static float *warped_plane(const struct grid *from, const struct grid *to, enum resampling method, const double *plane)
{
  struct error error = {.code = ""};
  struct warper *w = NULL;
  size_t from_start[2] = {0, 0}, from_count[2] = {from->height, from->width}, to_count[2] = {to->height, to->width};
  float *values = malloc(from->width * from->height * sizeof *values);
  float *out = malloc(to->width * to->height * sizeof *out);
  for (size_t i = 0; i < from->width * from->height; i++)
    values[i] = (float)plane[i];
  assert_int_equal(warper_new(from, to, method, &w, &error), 0);
  assert_int_equal(warper_run(w, ELEMENT_F32, true, (double)NAN, 1, from_start, from_count, values, from_start,
                              to_count, out, &error),
                   0);
  warper_free(w);
  free(values);
  return out;
}

/* Nearest pixels come straight from the files. Kernels would find over the rim what was cut away: they are left to the
 * plan, which warps the pixels of the crop. */
static void check_crop(struct fixture *f, const struct source *cropped, const struct grid *from, const struct grid *to)
{
  const struct source *source = NULL;
  size_t valid = 0, missing = 0;
  for (enum resampling m = RESAMPLE_BILINEAR; m <= RESAMPLE_CUBIC; m++) {
    assert_int_equal(regrid(f, cropped, to, m, &source), 0);
    assert_null(source);
  }
  assert_int_equal(regrid(f, cropped, to, RESAMPLE_NEAREST, &source), 0);
  assert_true(source->cube.has_nodata);
  const double *have = read_all(f, source, 0), *tiles = read_all(f, source, 37);
  float *want = warped_plane(from, to, RESAMPLE_NEAREST, read_all(f, cropped, 0));
  for (size_t i = 0; i < to->width * to->height; i++) {
    assert_true(same(have[i], tiles[i]) && same(have[i], (double)want[i]));
    valid += !isnan(have[i]), missing += isnan(have[i]);
  }
  free(want);
  assert_true(valid > 100 && missing > 100);
}

static void a_crop_stays_a_crop_on_another_grid(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.width = 300, .height = 260, .has_nodata = true, .nodata = 0, .base = 300};
  struct recipe bare = {.width = 300, .height = 260, .base = 300};
  struct raster_scene scenes[2] = {make_scene(f, &r, 0, 0), make_scene(f, &bare, 0, 0)};
  struct grid crop = scenes[0].grid, wider = crop, shifted = crop;
  crop.west += 60 * 30, crop.north -= 50 * 30, crop.width = 90, crop.height = 70;
  shifted.west -= 11, shifted.north += 7; /* not the lattice's */
  wider.west -= 40 * 30, wider.width += 80;
  struct grid degrees = {.crs = "EPSG:4326",
                         .west = -77.47,
                         .north = 43.36,
                         .res_x = 0.0003,
                         .res_y = 0.0003,
                         .width = 250,
                         .height = 250};
  struct grid zone = {
      .west = 788000, .north = 4812000, .res_x = 30, .res_y = 30, .width = 300, .height = 500, .crs = "EPSG:32617"};
  for (size_t k = 0; k < 2; k++) {
    const struct source *cropped = make_source(f, &scenes[k], 1, 1, 1, &crop);
    check_crop(f, cropped, &crop, &wider);
    check_crop(f, cropped, &crop, &shifted);
    check_crop(f, cropped, &crop, &degrees);
    check_crop(f, cropped, &crop, &zone);
  }
}

/* A smaller clip, and a grid on a grid: what one of them leaves out stays out. */
static void clips_add_up(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.has_nodata = true, .nodata = 0};
  struct raster_scene scene = make_scene(f, &r, 0, 0);
  const struct source *whole = make_source(f, &scene, 1, 1, 1, &scene.grid), *first = NULL, *second = NULL;
  struct error error = {.code = ""};
  const struct extent clip = {.west = 300000 + 40 * 30,
                              .south = 4800000 - 60 * 30,
                              .east = 300000 + 70 * 30,
                              .north = 4800000 - 20 * 30,
                              .crs = "EPSG:32618"};
  struct grid fine = scene.grid;
  fine.res_x = fine.res_y = 15, fine.width = 200, fine.height = 160;
  const struct regrid_request request = {.grid = &fine, .method = RESAMPLE_NEAREST, .clip = &clip};
  assert_int_equal(whole->ops->regrid(whole, f->arena, &request, &first, &error), 0);
  assert_int_equal(regrid(f, first, &scene.grid, RESAMPLE_NEAREST, &second), 0);
  const double *a = read_all(f, first, 64), *b = read_all(f, second, 0);
  for (size_t i = 0; i < 200 * 160; i++) {
    size_t column = i % 200 / 2, row = i / 200 / 2;
    bool inside = column >= 40 && column < 70 && row >= 20 && row < 60;
    assert_true(inside ? a[i] == stored(&r, (int)column, (int)row, 0) : isnan(a[i]));
    assert_true(same(b[row * 100 + column], a[i]));
  }
}

/* ---- Handles, threads, errors ---------------------------------------------------------------------------------- */

static void more_files_than_handles(void **state)
{
  struct fixture *f = *state;
  enum { FILES = 150 };
  static struct recipe r[FILES];
  static struct raster_scene scenes[FILES];
  for (size_t k = 0; k < FILES; k++) { /* a strip of files from west to east */
    r[k] =
        (struct recipe){.west = 300000 + 120.0 * (double)k, .width = 4, .height = 4, .has_nodata = true, .nodata = 0};
    scenes[k] = make_scene(f, &r[k], 0, 0);
  }
  struct grid g = scenes[0].grid;
  g.width = 4 * FILES;
  const struct source *source = make_source(f, scenes, FILES, 1, 1, &g);
  check_plane(read_all(f, source, 0), &g, r, FILES);
  check_plane(read_all(f, source, 3), &g, r, FILES);
}

struct job {
  const struct source *source;
  int failures;
};

static void *read_in_thread(void *data)
{
  struct job *job = data;
  struct source_reader *reader = NULL;
  struct error error = {.code = ""};
  struct box box = cube_box(&job->source->cube);
  uint16_t *values = malloc(box_elements(&box) * sizeof *values), *again = malloc(box_elements(&box) * sizeof *again);
  for (int round = 0; round < 5; round++) {
    if (job->source->ops->open(job->source, 1, &reader, &error)) {
      job->failures++;
      break;
    }
    job->failures += job->source->ops->read(reader, &box, round ? again : values, &error) != 0;
    job->failures += round && memcmp(values, again, box_elements(&box) * sizeof *values) != 0;
    job->source->ops->close(reader);
  }
  free(values);
  free(again);
  return NULL;
}

static void readers_work_side_by_side(void **state)
{
  struct fixture *f = *state;
  struct recipe r[2] = {
      {.has_nodata = true, .nodata = 0, .west = 231000, .north = 4600000, .res = 100},
      {.has_nodata = true, .nodata = 0, .crs = "EPSG:32617", .west = 739000, .north = 4600500, .res = 100}};
  struct raster_scene scenes[2] = {make_scene(f, &r[0], 0, 0), make_scene(f, &r[1], 0, 0)};
  struct grid g = scenes[0].grid;
  g.width = 160, g.height = 150;
  struct job jobs[4];
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    jobs[i] = (struct job){.source = make_source(f, scenes, 2, 1, 1, &g)};
    assert_int_equal(pthread_create(&threads[i], NULL, read_in_thread, &jobs[i]), 0);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(jobs[i].failures, 0);
  }
}

static void read_must_fail(const struct source *source, const char *name)
{
  struct source_reader *reader = NULL;
  struct error error = {.code = ""};
  struct box box = cube_box(&source->cube);
  double *data = malloc(box_elements(&box) * 16);
  assert_int_equal(source->ops->open(source, 1, &reader, &error), 0);
  assert_int_equal(source->ops->read(reader, &box, data, &error), -1);
  assert_string_equal(error.code, "FileContentInvalid");
  assert_non_null(strstr(error.message, name));
  assert_null(strstr(error.message, "twincube-test")); /* no folders in messages */
  source->ops->close(reader);
  free(data);
}

static void broken_files_are_errors(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.option = {"COMPRESS=DEFLATE", "BLOCKYSIZE=8"}};
  struct raster_scene scene = make_scene(f, &r, 0, 0);
  const char *name = strrchr(scene.path, '/') + 1;
  const struct source *source = make_source(f, &scene, 1, 1, 1, &scene.grid);
  struct raster_scene other = scene;
  other.grid.width = 99;
  read_must_fail(make_source(f, &other, 1, 1, 1, &scene.grid), name);
  other = scene;
  other.raster_band = 2;
  read_must_fail(make_source(f, &other, 1, 1, 1, &scene.grid), name);
  FILE *file = fopen(scene.path, "rb+");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  fseek(file, 600, SEEK_SET);
  for (long i = 600; i < size - 100; i++)
    fputc(0x5A, file);
  fclose(file);
  read_must_fail(source, name); /* garbage in the strips */
  assert_int_equal(truncate(scene.path, 100), 0);
  read_must_fail(source, name);
  assert_int_equal(truncate(scene.path, 0), 0);
  read_must_fail(source, name);
  assert_int_equal(unlink(scene.path), 0);
  read_must_fail(source, name);
}

static void bad_series_are_refused(void **state)
{
  struct fixture *f = *state;
  struct recipe r = {.base = 0};
  struct raster_scene scene = make_scene(f, &r, 0, 0);
  struct raster_series good = {.dates = dates,
                               .date_count = 1,
                               .bands = bands,
                               .band_count = 1,
                               .scenes = &scene,
                               .scene_count = 1,
                               .grid = scene.grid};
  struct raster_series bad = good;
  const struct source *source = NULL;
  struct error error = {.code = ""};
  bad.scene_count = 0;
  assert_int_equal(raster_series_source(f->arena, &bad, &source, &error), -1);
  assert_string_equal(error.code, "NoDataAvailable");
  bad = good;
  bad.grid.width = 0;
  assert_int_equal(raster_series_source(f->arena, &bad, &source, &error), -1);
  bad = good;
  bad.method = RESAMPLE_GEOCODE;
  error = (struct error){.code = ""};
  assert_int_equal(raster_series_source(f->arena, &bad, &source, &error), -1);
  assert_string_equal(error.code, "FeatureUnsupported");
}

/* ---- Real scenes ----------------------------------------------------------------------------------------------- */

/* Two Landsat-8 scenes onto an anchored grid: every value is that of the pixel that holds the centre. */
static void landsat_scenes(void **state)
{
  struct fixture *f = *state;
  const char *shared = getenv("TWINCUBE_SHARED");
  if (!shared || !*shared) {
    print_message("SKIPPED: landsat_scenes needs TWINCUBE_SHARED\n");
    skip();
  }
  static const char *const names[] = {"LC08_L1TP_014031_20180428_20180502_01_T1/LC08_L1TP_014031_20180428_B4.TIF",
                                      "LC08_L1TP_014032_20180428_20180502_01_T1/LC08_L1TP_014032_20180428_B4.TIF"};
  struct raster_scene scenes[2];
  uint16_t *pixels[2];
  for (size_t k = 0; k < 2; k++) {
    const char *path = arena_printf(f->arena, "%s/data/eo/L8NY18_path014/%s", shared, names[k]);
    struct raster_file file;
    struct error error = {.code = ""};
    if (raster_file_inspect(f->arena, path, &file, &error)) {
      print_message("SKIPPED: %s\n", error.message);
      skip();
    }
    assert_string_equal(file.grid.crs, "EPSG:32618");
    scenes[k] = (struct raster_scene){
        .path = path, .raster_band = 1, .grid = file.grid, .type = file.bands[0].type, .has_nodata = true, .nodata = 0};
    int width = (int)file.grid.width, height = (int)file.grid.height;
    pixels[k] = arena_array(f->arena, file.grid.width * file.grid.height, 2);
    GDALDatasetH d = GDALOpen(path, GA_ReadOnly);
    assert_int_equal(
        GDALRasterIO(GDALGetRasterBand(d, 1), GF_Read, 0, 0, width, height, pixels[k], width, height, GDT_UInt16, 0, 0),
        CE_None);
    GDALClose(d);
  }
  struct grid g = {
      .west = 390000, .north = 4743000, .res_x = 3000, .res_y = 3000, .width = 95, .height = 135, .crs = "EPSG:32618"};
  const double *all = read_all(f, make_source(f, scenes, 2, 1, 1, &g), 40);
  for (size_t i = 0; i < g.width * g.height; i++) {
    double x = g.west + ((double)(i % g.width) + 0.5) * 3000, y = g.north - ((double)(i / g.width) + 0.5) * 3000;
    double expected = (double)NAN;
    for (size_t k = 0; k < 2 && isnan(expected); k++) {
      const struct grid *s = &scenes[k].grid;
      double column = floor((x - s->west) / s->res_x), row = floor((s->north - y) / s->res_y);
      if (column < 0 || row < 0 || column >= (double)s->width || row >= (double)s->height)
        continue;
      uint16_t value = pixels[k][(size_t)row * s->width + (size_t)column];
      expected = value ? (double)value : (double)NAN;
    }
    assert_true(same(all[i], expected));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
      CASE(values_come_through_untouched),
      CASE(a_crop_keeps_type_and_knows_blocks),
      CASE(the_first_valid_pixel_wins),
      CASE(dates_and_bands_find_their_scenes),
      CASE(one_of_many_bands_of_a_file),
      CASE(types_are_the_narrowest_that_hold_all),
      CASE(signed_bytes_keep_their_sign),
      CASE(other_lattices_are_resampled_once),
      CASE(other_zones_are_warped),
      CASE(overviews_are_not_read),
      CASE(south_up_files_are_turned),
      CASE(regrid_goes_back_to_the_pixels),
      CASE(clips_add_up),
      CASE(a_crop_stays_a_crop_on_another_grid),
      CASE(more_files_than_handles),
      CASE(scenes_that_have_no_image_in_part_are_read),
      CASE(readers_work_side_by_side),
      CASE(a_transformation_that_is_not_there_names_the_file),
      CASE(broken_files_are_errors),
      CASE(bad_series_are_refused),
      CASE(landsat_scenes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
