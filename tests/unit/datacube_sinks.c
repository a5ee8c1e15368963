/* Sinks: what GDAL reads back from GeoTIFF, COG and PNG is what was put, whatever the order of dimensions, boxes and
 * threads; JSON is compared as text; refused cubes, bad options and full disks give their errors and leave nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "datacube/sink.h"

#if __has_include(<gdal.h>)
#include <gdal.h>
#include <ogr_srs_api.h>
#else
#include <gdal/gdal.h>
#include <gdal/ogr_srs_api.h>
#endif

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static const char *path_of(char room[512], const char *name)
{
  snprintf(room, 512, "%s/%s", folder, name);
  return room;
}

static size_t files_in_folder(void)
{
  size_t n = 0;
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *e; (e = readdir(dir)) != NULL;)
    n += e->d_name[0] != '.';
  closedir(dir);
  return n;
}

static void remove_files(void)
{
  char name[1024];
  DIR *dir = opendir(folder);
  for (struct dirent *e; (e = readdir(dir)) != NULL;) {
    if (e->d_name[0] == '.')
      continue;
    snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
    unlink(name);
  }
  closedir(dir);
}

/* Cubes: dimensions are given as a string of letters, "tbyx" or "ybxt". */

enum { WIDTH = 1100, HEIGHT = 530, DATES = 2, BANDS = 3 };
static const int64_t dates[] = {INT64_C(1515196800000), INT64_C(1517875200000)}; /* 2018-01-06, 2018-02-06 */
static const char *const band_names[] = {"B4", "B5", "BQA"};

static struct cube make_cube(const char *order, size_t width, size_t height, enum element_type type)
{
  struct cube cube = {.dimensions = strlen(order), .type = type, .crs = "EPSG:32618", .title = "made by a test"};
  for (size_t d = 0; d < cube.dimensions; d++) {
    struct dimension *to = &cube.dimension[d];
    switch (order[d]) {
    case 'x':
      *to = dimension_steps("x", 'x', 500015, 30, width);
      break;
    case 'y':
      *to = dimension_steps("y", 'y', 4699985, -30, height);
      break;
    case 't':
      *to = dimension_times("t", dates, DATES, CALENDAR_GREGORIAN);
      break;
    case 'b':
      *to = dimension_texts("bands", DIMENSION_BANDS, band_names, BANDS);
      break;
    case 'm':
      *to = dimension_enumerated("member", DIMENSION_OTHER, 2);
      break;
    default:
      fail();
    }
  }
  return cube;
}

/* The value at a position, from what the position means and not from where it lies in memory. */
static double value_at(const struct cube *cube, const size_t index[])
{
  size_t x = 0, y = 0, t = 0, b = 0, m = 0;
  for (size_t d = 0; d < cube->dimensions; d++) {
    const char *name = cube->dimension[d].name;
    *(name[0] == 'x' ? &x : name[0] == 'y' ? &y : name[0] == 't' ? &t : name[0] == 'b' ? &b : &m) = index[d];
  }
  size_t n = x * 7 + y * 13 + t * 31 + b * 57 + m * 5;
  if (cube->type == ELEMENT_BOOLEAN)
    return n % 3 == 2 ? 255 : (double)(n % 3);
  if (cube->type == ELEMENT_I8)
    return (double)(n % 251) - 125;
  if (cube->type == ELEMENT_U8)
    return (double)(n % 251);
  double value = (double)(n % 30011);
  return element_info(cube->type)->is_float ? value * 0.37 - 1000 : value;
}

static void store(enum element_type type, void *data, size_t i, double v)
{
  switch (type) {
  case ELEMENT_U8:
  case ELEMENT_BOOLEAN:
    ((uint8_t *)data)[i] = (uint8_t)v;
    break;
  case ELEMENT_I8:
    ((int8_t *)data)[i] = (int8_t)v;
    break;
  case ELEMENT_U16:
    ((uint16_t *)data)[i] = (uint16_t)v;
    break;
  case ELEMENT_I16:
    ((int16_t *)data)[i] = (int16_t)v;
    break;
  case ELEMENT_U32:
    ((uint32_t *)data)[i] = (uint32_t)v;
    break;
  case ELEMENT_I32:
    ((int32_t *)data)[i] = (int32_t)v;
    break;
  case ELEMENT_U64:
    ((uint64_t *)data)[i] = (uint64_t)v;
    break;
  case ELEMENT_I64:
    ((int64_t *)data)[i] = (int64_t)v;
    break;
  case ELEMENT_F32:
    ((float *)data)[i] = (float)v;
    break;
  default:
    ((double *)data)[i] = v;
    break;
  }
}

static bool next_index(const struct box *box, size_t index[])
{
  for (size_t d = box->dimensions; d-- > 0;) {
    if (++index[d] < box->start[d] + box->count[d])
      return true;
    index[d] = box->start[d];
  }
  return false;
}

static void put_box(struct sink *sink, const struct cube *cube, const struct box *box)
{
  size_t n = box_elements(box), i = 0, index[CUBE_MAX_DIMENSIONS];
  void *data = malloc(n * element_info(cube->type)->size);
  assert_non_null(data);
  memcpy(index, box->start, sizeof index);
  do
    store(cube->type, data, i++, value_at(cube, index));
  while (next_index(box, index));
  struct error error = {0};
  assert_int_equal(sink->ops->put(sink, box, data, &error), 0);
  free(data);
}

struct work { /* every second tile of the cube */
  struct sink *sink;
  const struct cube *cube;
  size_t tile[CUBE_MAX_DIMENSIONS];
  size_t first, workers;
};

static void *put_tiles(void *argument)
{
  struct work *work = argument;
  const struct cube *cube = work->cube;
  struct box tiles = {.dimensions = cube->dimensions};
  for (size_t d = 0; d < cube->dimensions; d++)
    tiles.count[d] = (cube->dimension[d].size + work->tile[d] - 1) / work->tile[d];
  size_t index[CUBE_MAX_DIMENSIONS] = {0}, n = 0;
  do {
    struct box box = {.dimensions = cube->dimensions};
    for (size_t d = 0; d < cube->dimensions; d++) {
      size_t left = cube->dimension[d].size - index[d] * work->tile[d];
      box.start[d] = index[d] * work->tile[d];
      box.count[d] = left < work->tile[d] ? left : work->tile[d];
    }
    if (n++ % work->workers == work->first)
      put_box(work->sink, cube, &box);
  } while (next_index(&tiles, index));
  return NULL;
}

static void put_all(struct sink *sink, const struct cube *cube, size_t side, size_t other)
{
  struct work work[2];
  pthread_t thread;
  for (size_t w = 0; w < 2; w++) {
    work[w] = (struct work){.sink = sink, .cube = cube, .first = w, .workers = 2};
    for (size_t d = 0; d < cube->dimensions; d++)
      work[w].tile[d] = cube->dimension[d].type == DIMENSION_SPATIAL ? side : other;
  }
  assert_int_equal(pthread_create(&thread, NULL, put_tiles, &work[1]), 0);
  put_tiles(&work[0]);
  pthread_join(thread, NULL);
}

static struct sink *open_sink(const char *format, const struct cube *cube, const char *path,
                              const struct sink_option *options, size_t count)
{
  struct sink_request request = {.format = format,
                                 .options = options,
                                 .option_count = count,
                                 .path = path,
                                 .history = "made by datacube_sinks",
                                 .threads = 2};
  struct sink *sink = NULL;
  struct error error = {0};
  if (sink_format_find(format)->open(&request, cube, &sink, &error) != 0)
    fail_msg("%s: %s", error.code, error.message);
  return sink;
}

static void finish(struct sink *sink)
{
  struct error error = {0};
  if (sink->ops->finish(sink, &error) != 0)
    fail_msg("%s: %s", error.code, error.message);
  sink->ops->close(sink);
}

/* Compares a file of GDAL's with the cube's formula. */
static void compare_raster(const char *path, const struct cube *cube)
{
  GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
  assert_non_null(file);
  size_t x = cube_find_axis(cube, 'x'), y = cube_find_axis(cube, 'y');
  size_t width = cube->dimension[x].size, height = cube->dimension[y].size;
  assert_int_equal(GDALGetRasterXSize(file), width);
  assert_int_equal(GDALGetRasterYSize(file), height);
  assert_int_equal(GDALGetRasterCount(file), cube_elements(cube) / width / height);
  double *row = malloc(width * sizeof *row);
  struct box others = cube_box(cube);
  others.count[x] = others.count[y] = 1;
  size_t index[CUBE_MAX_DIMENSIONS] = {0};
  int band = 1;
  do {
    GDALRasterBandH from = GDALGetRasterBand(file, band++);
    bool signed_byte = cube->type == ELEMENT_I8 && GDALGetRasterDataType(from) == GDT_Byte;
    for (size_t r = 0; r < height; r++) {
      assert_int_equal(GDALRasterIO(from, GF_Read, 0, (int)r, (int)width, 1, row, (int)width, 1, GDT_Float64, 0, 0), 0);
      for (size_t c = 0; c < width; c++) {
        size_t at[CUBE_MAX_DIMENSIONS];
        memcpy(at, index, sizeof at);
        at[x] = c;
        at[y] = cube->dimension[y].step > 0 ? height - 1 - r : r;
        double expected = value_at(cube, at);
        if (cube->type == ELEMENT_F32)
          expected = (float)expected;
        double got = signed_byte && row[c] > 127 ? row[c] - 256 : row[c];
        if (got != expected)
          fail_msg("band %d row %zu column %zu: %g, expected %g", band - 1, r, c, got, expected);
      }
    }
  } while (next_index(&others, index));
  free(row);
  GDALClose(file);
}

/* GeoTIFF. */

static void test_gtiff_types(void **state)
{
  (void)state;
  char path[512];
  for (int type = 0; type < ELEMENT_TYPE_COUNT; type++) {
    if (element_info((enum element_type)type)->is_complex)
      continue;
    struct cube cube = make_cube("byx", 600, 530, (enum element_type)type);
    struct sink *sink = open_sink("gtiff", &cube, path_of(path, "types.tif"), NULL, 0);
    put_all(sink, &cube, 512, 1);
    finish(sink);
    compare_raster(path, &cube);
  }
}

static void test_gtiff_orders_and_tiles(void **state)
{
  (void)state;
  static const char *const orders[] = {"tbyx", "yxbt", "xty", "btxy", "yx", "mtyx"};
  static const size_t sides[] = {512, 100};
  char path[512];
  for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++)
    for (size_t s = 0; s < 2; s++) {
      struct cube cube = make_cube(orders[o], WIDTH, HEIGHT, ELEMENT_F32);
      struct sink *sink = open_sink("GeoTIFF", &cube, path_of(path, "orders.tif"), NULL, 0);
      put_all(sink, &cube, sides[s], s == 0 ? 10 : 1);
      finish(sink);
      compare_raster(path, &cube);
    }
}

static void test_gtiff_options(void **state)
{
  (void)state;
  static const struct sink_option sets[][3] = {
      {{.name = "compress", .value = "none"}, {.name = "tiled", .value = "true"}, {.name = "tiled", .value = "true"}},
      {{.name = "compress", .value = "deflate"}, {.name = "zlevel", .value = "6"}, {.name = "tiled", .value = "false"}},
      {{.name = "compress", .value = "none"}, {.name = "tiled", .value = "false"}, {.name = "tiled", .value = "false"}},
      {{.name = "compress", .value = "lzw"}, {.name = "tiled", .value = "true"}, {.name = "cog", .value = "false"}},
      {{.name = "compress", .value = "zstd"}, {.name = "zlevel", .value = "3"}, {.name = "cog", .value = "false"}},
      {{.name = "cog", .value = "true"}, {.name = "compress", .value = "deflate"}, {.name = "zlevel", .value = "1"}},
      {{.name = "cog", .value = "true"},
       {.name = "compress", .value = "none"},
       {.name = "overviews", .value = "false"}},
  };
  static const enum element_type types[] = {ELEMENT_U16, ELEMENT_F64, ELEMENT_I8};
  char path[512];
  for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
    for (size_t k = 0; k < 3; k++) {
      struct cube cube = make_cube("byx", WIDTH, HEIGHT, types[k]);
      struct sink *sink = open_sink("GTiff", &cube, path_of(path, "options.tif"), sets[i], 3);
      put_all(sink, &cube, 300, 1);
      finish(sink);
      compare_raster(path, &cube);
    }
}

static void test_gtiff_metadata(void **state)
{
  (void)state;
  char path[512];
  struct band_info info[BANDS] = {{.scale = 0.0001, .offset = -0.1, .unit = "1", .long_name = "red"},
                                  {.scale = 1, .offset = 0},
                                  {.scale = 1, .offset = 0}};
  struct cube cube = make_cube("tbyx", 100, 70, ELEMENT_U16);
  cube.has_nodata = true;
  cube.nodata = 0;
  cube.bands = info;
  struct sink *sink = open_sink("GTiff", &cube, path_of(path, "metadata.tif"), NULL, 0);
  assert_string_equal(sink->media_type, "image/tiff; application=geotiff");
  put_all(sink, &cube, 512, 10);
  finish(sink);
  GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
  assert_non_null(file);
  double transform[6];
  assert_int_equal(GDALGetGeoTransform(file, transform), 0);
  const double expected[6] = {500000, 30, 0, 4700000, 0, -30}; /* edges, not centres */
  for (int i = 0; i < 6; i++)
    assert_true(transform[i] == expected[i]);
  OGRSpatialReferenceH crs = GDALGetSpatialRef(file);
  assert_non_null(crs);
  assert_string_equal(OSRGetAuthorityCode(crs, NULL), "32618");
  assert_string_equal(GDALGetMetadataItem(file, "HISTORY", NULL), "made by datacube_sinks");
  GDALRasterBandH fifth = GDALGetRasterBand(file, 5); /* second date, second band */
  assert_string_equal(GDALGetDescription(fifth), "2018-02-06T00:00:00Z B5");
  assert_string_equal(GDALGetMetadataItem(fifth, "TIME", NULL), "2018-02-06T00:00:00Z");
  assert_string_equal(GDALGetMetadataItem(fifth, "BAND", NULL), "B5");
  int given = 0;
  assert_true(GDALGetRasterNoDataValue(fifth, &given) == 0 && given);
  GDALRasterBandH first = GDALGetRasterBand(file, 1);
  assert_true(GDALGetRasterScale(first, &given) == 0.0001);
  assert_true(GDALGetRasterOffset(first, &given) == -0.1);
  assert_string_equal(GDALGetRasterUnitType(first), "1");
  assert_string_equal(GDALGetMetadataItem(first, "LONG_NAME", NULL), "red");
  GDALClose(file);
}

static void test_gtiff_ascending_y(void **state)
{
  (void)state;
  char path[512];
  struct cube cube = make_cube("byx", 700, 600, ELEMENT_I16);
  cube.dimension[1].start = 4682015;
  cube.dimension[1].step = 30;
  struct sink *sink = open_sink("GTiff", &cube, path_of(path, "ascending.tif"), NULL, 0);
  put_all(sink, &cube, 256, 1);
  finish(sink);
  compare_raster(path, &cube);
  GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
  double transform[6];
  GDALGetGeoTransform(file, transform);
  assert_true(transform[3] == 4700000 && transform[5] == -30);
  GDALClose(file);
}

static void test_gtiff_missing_tiles(void **state)
{
  (void)state;
  char path[512];
  struct cube cube = make_cube("yx", 1000, 1000, ELEMENT_I32);
  cube.has_nodata = true;
  cube.nodata = -9999;
  struct sink *sink = open_sink("GTiff", &cube, path_of(path, "missing.tif"), NULL, 0);
  put_box(sink, &cube, &(struct box){.dimensions = 2, .count = {10, 10}});
  finish(sink);
  GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
  int32_t corner[4];
  GDALRasterBandH band = GDALGetRasterBand(file, 1);
  assert_int_equal(GDALRasterIO(band, GF_Read, 9, 9, 2, 2, corner, 2, 2, GDT_Int32, 0, 0), 0);
  assert_int_equal(corner[0], 9 * 7 + 9 * 13);
  assert_int_equal(corner[3], -9999);
  assert_int_equal(GDALRasterIO(band, GF_Read, 998, 998, 2, 2, corner, 2, 2, GDT_Int32, 0, 0), 0);
  assert_int_equal(corner[0], -9999);
  GDALClose(file);
}

static void test_cog(void **state)
{
  (void)state;
  char path[512];
  struct cube cube = make_cube("tyx", WIDTH, 1040, ELEMENT_F32);
  cube.has_nodata = true;
  cube.nodata = NAN;
  struct sink *sink = open_sink("COG", &cube, path_of(path, "cog.tif"), NULL, 0);
  assert_string_equal(sink->media_type, "image/tiff; application=geotiff; profile=cloud-optimized");
  put_all(sink, &cube, 512, 1);
  finish(sink);
  compare_raster(path, &cube);
  GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
  assert_string_equal(GDALGetMetadataItem(file, "LAYOUT", "IMAGE_STRUCTURE"), "COG");
  GDALRasterBandH band = GDALGetRasterBand(file, 2);
  assert_string_equal(GDALGetDescription(band), "2018-02-06T00:00:00Z");
  assert_int_equal(GDALGetOverviewCount(band), 2);
  GDALClose(file);
}

/* JSON. */

static void expect_file(const char *path, const char *expected)
{
  char text[4096] = {0};
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  size_t n = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  assert_true(n < sizeof text - 1);
  assert_string_equal(text, expected);
}

static void put_values(const char *format, const struct cube *cube, const char *path, const void *data)
{
  struct sink *sink = open_sink(format, cube, path, NULL, 0);
  struct error error = {0};
  struct box box = cube_box(cube);
  assert_int_equal(sink->ops->put(sink, &box, data, &error), 0);
  finish(sink);
}

static void test_json(void **state)
{
  (void)state;
  char path[512];
  struct cube cube = make_cube("tb", 0, 0, ELEMENT_F32);
  cube.crs = NULL;
  cube.title = NULL;
  const float values[] = {0.1f, 1e10f, NAN, -2.5f, INFINITY, 16777216.0f};
  put_values("json", &cube, path_of(path, "a.json"), values);
  expect_file(path, "{\"type\":\"datacube\",\"history\":\"made by datacube_sinks\",\"dtype\":\"float32\",\"crs\":null,"
                    "\"dimensions\":[{\"name\":\"t\",\"type\":\"temporal\",\"labels\":[\"2018-01-06T00:00:00Z\","
                    "\"2018-02-06T00:00:00Z\"]},{\"name\":\"bands\",\"type\":\"bands\",\"labels\":[\"B4\",\"B5\","
                    "\"BQA\"]}],\"data\":[[0.1,1e+10,null],[-2.5,null,16777216]]}\n");
  struct cube scalar = {.type = ELEMENT_U64};
  const uint64_t large = UINT64_C(18446744073709551615);
  put_values("JSON", &scalar, path_of(path, "b.json"), &large);
  expect_file(path, "{\"type\":\"datacube\",\"history\":\"made by datacube_sinks\",\"dtype\":\"uint64\",\"crs\":null,"
                    "\"dimensions\":[],\"data\":18446744073709551615}\n");
  struct cube logic = {.dimensions = 1, .type = ELEMENT_BOOLEAN};
  logic.dimension[0] = dimension_enumerated("i", DIMENSION_OTHER, 3);
  const uint8_t truth[] = {0, 1, 255};
  put_values("JSON", &logic, path_of(path, "c.json"), truth);
  expect_file(path, "{\"type\":\"datacube\",\"history\":\"made by datacube_sinks\",\"dtype\":\"boolean\",\"crs\":null,"
                    "\"dimensions\":[{\"name\":\"i\",\"type\":\"other\",\"labels\":[0,1,2]}],"
                    "\"data\":[false,true,null]}\n");
}

/* The same cube in one box and in many, from two threads, gives the same bytes. */
static void test_json_boxes(void **state)
{
  (void)state;
  char one[512], many[512];
  struct cube cube = make_cube("tybx", 5, 4, ELEMENT_I16);
  static const char *const names[] = {"one.json", "many.json"};
  for (size_t i = 0; i < 2; i++) {
    struct sink *sink = open_sink("JSON", &cube, path_of(one, names[i]), NULL, 0);
    put_all(sink, &cube, i == 0 ? 10 : 2, i == 0 ? 10 : 1);
    finish(sink);
  }
  char text[2][8192] = {{0}};
  for (size_t i = 0; i < 2; i++) {
    FILE *file = fopen(path_of(many, names[i]), "r");
    assert_non_null(file);
    assert_true(fread(text[i], 1, sizeof text[i] - 1, file) > 100);
    fclose(file);
  }
  assert_string_equal(text[0], text[1]);
}

/* PNG. */

static void read_band(GDALDatasetH file, int band, int width, int height, unsigned char *out)
{
  GDALRasterBandH from = GDALGetRasterBand(file, band);
  assert_int_equal(GDALRasterIO(from, GF_Read, 0, 0, width, height, out, width, height, GDT_Byte, 0, 0), 0);
}

static void test_png_bytes(void **state)
{
  (void)state;
  char path[512];
  struct cube cube = make_cube("byx", 300, 200, ELEMENT_U8);
  struct sink *sink = open_sink("PNG", &cube, path_of(path, "bytes.png"), NULL, 0);
  put_all(sink, &cube, 64, 1);
  finish(sink);
  compare_raster(path, &cube); /* three bands, values as they are */
}

static void test_png_stretch(void **state)
{
  (void)state;
  char path[512];
  struct cube cube = make_cube("yx", 4, 2, ELEMENT_F32);
  const float values[] = {-1, 0, 1, NAN, 3, -1, 1, 1};
  unsigned char grey[8], opacity[8];
  put_values("png", &cube, path_of(path, "stretch.png"), values);
  GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
  assert_int_equal(GDALGetRasterCount(file), 2);
  read_band(file, 1, 4, 2, grey);
  read_band(file, 2, 4, 2, opacity);
  GDALClose(file);
  assert_memory_equal(grey, ((const unsigned char[]){0, 64, 128, 0, 255, 0, 128, 128}), 8);
  assert_memory_equal(opacity, ((const unsigned char[]){255, 255, 255, 0, 255, 255, 255, 255}), 8);
  const struct sink_option scale = {.name = "scale", .value = "[0, 2]"};
  struct sink *sink = open_sink("png", &cube, path, &scale, 1);
  struct error error = {0};
  struct box box = cube_box(&cube);
  assert_int_equal(sink->ops->put(sink, &box, values, &error), 0);
  finish(sink);
  file = GDALOpen(path, GA_ReadOnly);
  read_band(file, 1, 4, 2, grey);
  GDALClose(file);
  assert_memory_equal(grey, ((const unsigned char[]){0, 0, 128, 0, 255, 0, 128, 128}), 8);
}

/* Values that somebody has scaled to 0 … 255 are shown as they are, those of 0 … 1 are stretched. */
static void test_picture_of_scaled_floats(void **state)
{
  (void)state;
  char path[512];
  struct cube cube = make_cube("yx", 2, 2, ELEMENT_F32);
  static const struct {
    float values[4];
    unsigned char shown[4];
  } cases[] = {{{20, 60.4f, 100, 200.6f}, {20, 60, 100, 201}},
               {{0, 0.5f, 1, 0.25f}, {0, 128, 255, 64}},
               {{-1, 255, 0, 127}, {0, 255, 1, 128}},
               {{0, 256, 128, 64}, {0, 255, 128, 64}}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    unsigned char grey[4];
    put_values("PNG", &cube, path_of(path, "scaled.png"), cases[i].values);
    GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
    read_band(file, 1, 2, 2, grey);
    GDALClose(file);
    assert_memory_equal(grey, cases[i].shown, 4);
  }
}

/* Grey and colour pictures of both lossy formats; WebP without a quality is exact. */
static void test_jpeg_and_webp(void **state)
{
  (void)state;
  static const struct {
    const char *format, *driver, *order;
    int bands, tolerance;
  } cases[] = {{"JPEG", "JPEG", "yx", 1, 12},
               {"jpg", "JPEG", "byx", 3, 40},
               {"WebP", "WEBP", "yx", 3, 0},
               {"WEBP", "WEBP", "ybx", 3, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char path[512];
    struct cube cube = make_cube(cases[i].order, 33, 17, ELEMENT_U8);
    unsigned char pixels[33 * 17];
    struct sink *sink = open_sink(cases[i].format, &cube, path_of(path, "picture"), NULL, 0);
    put_all(sink, &cube, 16, 1);
    finish(sink);
    GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
    assert_non_null(file);
    assert_string_equal(GDALGetDriverShortName(GDALGetDatasetDriver(file)), cases[i].driver);
    assert_int_equal(GDALGetRasterCount(file), cases[i].bands);
    read_band(file, 1, 33, 17, pixels);
    double off = 0;
    for (size_t k = 0; k < 33 * 17; k++)
      off += abs(pixels[k] - (int)((k % 33 * 7 + k / 33 * 13) % 251));
    assert_true(off / (33 * 17) <= cases[i].tolerance);
    GDALClose(file);
  }
}

/* What is refused, and what stays behind. */

static void expect_refused(const char *format, const struct cube *cube, const char *name, const char *value,
                           const char *code)
{
  const struct sink_option option = {.name = name, .value = value};
  struct error error = {0};
  assert_int_equal(sink_format_find(format)->check(cube, &option, name != NULL ? 1 : 0, &error), -1);
  assert_string_equal(error.code, code);
  assert_true(strlen(error.message) > 20);
}

static void test_refusals(void **state)
{
  (void)state;
  struct cube flat = make_cube("tb", 0, 0, ELEMENT_F32), good = make_cube("yx", 8, 8, ELEMENT_F32);
  struct cube uneven = good, empty = make_cube("yx", 0, 8, ELEMENT_F32), films = make_cube("tbyx", 8, 8, ELEMENT_U8);
  struct cube huge = make_cube("yx", 60000, 60000, ELEMENT_U8), wide = make_cube("yx", 16384, 8, ELEMENT_U8);
  struct cube pairs = make_cube("tyx", 8, 8, ELEMENT_U8);
  const double centres[] = {0, 1, 2, 4, 8, 16, 32, 64};
  uneven.dimension[1].labels = LABEL_NUMBER;
  uneven.dimension[1].numbers = centres;
  expect_refused("GTiff", &flat, NULL, NULL, "FormatUnsuitable");
  expect_refused("GTiff", &uneven, NULL, NULL, "FormatUnsuitable");
  expect_refused("GTiff", &empty, NULL, NULL, "FormatUnsuitable");
  expect_refused("PNG", &films, NULL, NULL, "FormatUnsuitable");
  expect_refused("PNG", &huge, NULL, NULL, "FormatUnsuitable");
  expect_refused("JSON", &huge, NULL, NULL, "FormatUnsuitable");
  expect_refused("GTiff", &good, "compress", "jpeg", "ProcessParameterInvalid");
  expect_refused("GTiff", &good, "zlevel", "13", "ProcessParameterInvalid");
  expect_refused("GTiff", &good, "tiled", "perhaps", "ProcessParameterInvalid");
  expect_refused("PNG", &good, "scale", "[1]", "ProcessParameterInvalid");
  expect_refused("PNG", &good, "min", "low", "ProcessParameterInvalid");
  expect_refused("JPEG", &good, "quality", "0", "ProcessParameterInvalid");
  expect_refused("WebP", &wide, NULL, NULL, "FormatUnsuitable");
  expect_refused("JPEG", &pairs, NULL, NULL, "FormatUnsuitable");
  assert_null(sink_format_find("JPEG9000"));
  assert_null(sink_format_find(NULL));
}

static void test_unfinished_leaves_nothing(void **state)
{
  (void)state;
  static const char *const formats[] = {"GTiff", "COG", "PNG", "JSON"};
  char path[512];
  remove_files();
  for (size_t i = 0; i < 4; i++) {
    struct cube cube = make_cube("yx", 64, 64, ELEMENT_F32);
    struct sink *sink = open_sink(formats[i], &cube, path_of(path, "unfinished"), NULL, 0);
    put_all(sink, &cube, 32, 1);
    sink->ops->close(sink);
    assert_int_equal(files_in_folder(), 0);
  }
}

static void test_no_folder(void **state)
{
  (void)state;
  static const char *const formats[] = {"GTiff", "COG", "PNG", "JSON"};
  char path[512];
  for (size_t i = 0; i < 4; i++) {
    struct cube cube = make_cube("yx", 8, 8, ELEMENT_F32);
    struct sink_request request = {.format = formats[i], .path = path_of(path, "nowhere/result")};
    struct sink *sink = NULL;
    struct error error = {0};
    assert_int_equal(sink_format_find(formats[i])->open(&request, &cube, &sink, &error), -1);
    assert_string_equal(error.code, "StorageFailure");
    assert_null(sink);
  }
}

/* A limit on the size of files plays the full disk. */
static void test_full_disk(void **state)
{
  (void)state;
  static const char *const formats[] = {"GTiff", "COG", "PNG", "JSON"};
  char path[512];
  struct rlimit before;
  remove_files();
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  for (size_t i = 0; i < 4; i++) {
    struct cube cube = make_cube("yx", 512, 512, ELEMENT_F32);
    struct error error = {0};
    struct sink *sink = open_sink(formats[i], &cube, path_of(path, "full"), NULL, 0);
    struct box box = cube_box(&cube);
    float *data = malloc(512 * 512 * sizeof *data);
    uint64_t noise = 1;
    for (size_t k = 0; k < 512 * 512; k++) {
      noise = noise * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      data[k] = (float)(noise >> 40);
    }
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){65536, before.rlim_max});
    int put = sink->ops->put(sink, &box, data, &error);
    int end = put == 0 ? sink->ops->finish(sink, &error) : -1;
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(end, -1);
    assert_string_equal(error.code, "StorageFailure");
    sink->ops->close(sink);
    free(data);
    assert_int_equal(files_in_folder(), 0);
  }
}

static int make_folder(void **state)
{
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/twincube-sinks-XXXXXX", base != NULL ? base : "/tmp");
  GDALAllRegister();
  return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
  (void)state;
  remove_files();
  return rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gtiff_types),
      cmocka_unit_test(test_gtiff_orders_and_tiles),
      cmocka_unit_test(test_gtiff_options),
      cmocka_unit_test(test_gtiff_metadata),
      cmocka_unit_test(test_gtiff_ascending_y),
      cmocka_unit_test(test_gtiff_missing_tiles),
      cmocka_unit_test(test_cog),
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_json_boxes),
      cmocka_unit_test(test_png_bytes),
      cmocka_unit_test(test_png_stretch),
      cmocka_unit_test(test_picture_of_scaled_floats),
      cmocka_unit_test(test_jpeg_and_webp),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_unfinished_leaves_nothing),
      cmocka_unit_test(test_no_folder),
      cmocka_unit_test(test_full_disk),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
