/* Files opened by their tags alone: what these say has to be what GDAL says, and the pixels GDAL's; what GDAL has from
 * elsewhere, or sees otherwise, is left to it. GDAL writes the files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/gdal_init.h"
#include "datacube/source/raster_file.h"
#include "datacube/source/tiff_blocks.h"
#include "datacube/source/tiff_image.h"

#include <cpl_string.h>
#include <fcntl.h>
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH = 61, HEIGHT = 37, MOST_BYTES = 8, FILE_MOST = 1 << 16 };

struct fixture {
  char folder[256], path[300], beside[320];
  struct tiff_blocks *blocks;
};

struct recipe {
  GDALDataType type;
  int bands;
  const char *options; /* of creation, separated by blanks */
  double t[6];         /* all 0: a plain one */
  bool is_point;       /* places are those of pixels' centres */
  bool sparse;         /* nothing is written */
};

static const double plain[6] = {300000, 30, 0, 4800000, 0, -20};

static int set_up(void **state)
{
  gdal_init();
  struct fixture *f = calloc(1, sizeof *f);
  const char *root = getenv("TMPDIR");
  struct error error = {.code = ""};
  snprintf(f->folder, sizeof f->folder, "%s/twincube-test-XXXXXX", root && *root ? root : P_tmpdir);
  assert_non_null(mkdtemp(f->folder));
  snprintf(f->path, sizeof f->path, "%s/a.tif", f->folder);
  snprintf(f->beside, sizeof f->beside, "%s.aux.xml", f->path);
  assert_int_equal(tiff_blocks_new(&f->blocks, &error), 0);
  *state = f;
  return 0;
}

static int tear_down(void **state)
{
  struct fixture *f = *state;
  tiff_blocks_free(f->blocks);
  unlink(f->path);
  unlink(f->beside);
  assert_int_equal(rmdir(f->folder), 0);
  free(f);
  return 0;
}

/* Pixel i of band b is 7 i + b, which all types hold, turned round at 100. */
static void write_band(GDALDatasetH d, int number)
{
  static double values[WIDTH * HEIGHT];
  for (size_t i = 0; i < WIDTH * HEIGHT; i++)
    values[i] = (double)((7 * i + (size_t)number) % 100);
  assert_int_equal(GDALRasterIO(GDALGetRasterBand(d, number), GF_Write, 0, 0, WIDTH, HEIGHT, values, WIDTH, HEIGHT,
                                GDT_Float64, 0, 0),
                   CE_None);
}

static void make_file(const struct fixture *f, const struct recipe *r)
{
  double t[6];
  unlink(f->path);
  unlink(f->beside);
  char **options = CSLTokenizeString(r->options);
  GDALDatasetH d = GDALCreate(GDALGetDriverByName("GTiff"), f->path, WIDTH, HEIGHT, r->bands, r->type, options);
  CSLDestroy(options);
  assert_non_null(d);
  memcpy(t, r->t[1] == 0 ? plain : r->t, sizeof t);
  GDALSetGeoTransform(d, t);
  if (r->is_point)
    GDALSetMetadataItem(d, "AREA_OR_POINT", "Point", NULL);
  for (int b = 1; b <= r->bands && !r->sparse; b++)
    write_band(d, b);
  GDALClose(d);
}

static bool same_place(const double *a, const double *b)
{
  for (size_t i = 0; i < 6; i++)
    if (!(fabs(a[i] - b[i]) <= 1e-9 * (1 + fabs(a[i]))))
      return false;
  return true;
}

/* Whether the tags say what the dataset is. */
static bool agrees(const struct tiff_image *image, GDALDatasetH d)
{
  double t[6];
  GDALGetGeoTransform(d, t);
  return image->width == (size_t)GDALGetRasterXSize(d) && image->height == (size_t)GDALGetRasterYSize(d) &&
         image->bands == (size_t)GDALGetRasterCount(d) && image->type == raster_element_type(GDALGetRasterBand(d, 1)) &&
         same_place(image->transform, t);
}

static void check_pixels(const struct fixture *f, struct tiff_file *file, GDALDatasetH d)
{
  const struct tiff_window w = {.row = 3, .column = 5, .height = HEIGHT - 4, .width = WIDTH - 6};
  static unsigned char ours[WIDTH * HEIGHT * MOST_BYTES], theirs[WIDTH * HEIGHT * MOST_BYTES];
  for (int b = 1; b <= GDALGetRasterCount(d); b++) {
    GDALRasterBandH band = GDALGetRasterBand(d, b);
    const GDALDataType type = GDALGetRasterDataType(band);
    const size_t size = (size_t)GDALGetDataTypeSizeBytes(type);
    assert_int_equal(tiff_window_read(f->blocks, file, b, &w, w.width * size, ours), CE_None);
    assert_int_equal(GDALRasterIO(band, GF_Read, (int)w.column, (int)w.row, (int)w.width, (int)w.height, theirs,
                                  (int)w.width, (int)w.height, type, 0, 0),
                     CE_None);
    assert_memory_equal(ours, theirs, w.width * w.height * size);
  }
}

static void check_file(const struct fixture *f)
{
  struct tiff_image image;
  struct tiff_file *file = tiff_file_open_image(f->path, &image);
  GDALDatasetH d = GDALOpen(f->path, GA_ReadOnly);
  assert_non_null(d);
  assert_non_null(file);
  assert_true(agrees(&image, d));
  check_pixels(f, file, d);
  tiff_file_close(file);
  GDALClose(d);
}

static void tags_say_what_gdal_says(void **state)
{
  static const GDALDataType types[] = {GDT_Byte,  GDT_Int16,   GDT_UInt16, GDT_UInt32,
                                       GDT_Int32, GDT_Float32, GDT_Float64};
  static const char *const options[] = {"COMPRESS=DEFLATE PREDICTOR=2", "TILED=YES BLOCKXSIZE=16 BLOCKYSIZE=32",
                                        "ENDIANNESS=BIG INTERLEAVE=BAND", "BIGTIFF=YES COMPRESS=LZW",
                                        "BIGTIFF=YES ENDIANNESS=BIG"};
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
      for (int bands = 1; bands <= 7; bands += 3) {
        const bool predicts = strstr(options[o], "PREDICTOR") && GDALDataTypeIsFloating(types[t]);
        make_file(*state, &(struct recipe){.type = types[t],
                                           .bands = bands,
                                           .options = predicts ? "COMPRESS=DEFLATE PREDICTOR=3" : options[o],
                                           .t = {-180.5, 1.0 / 3, 0, 12.25, 0, -1.0 / 7},
                                           .is_point = (t + o) % 2 == 0});
        check_file(*state);
      }
}

/* GDAL opens the file for them, later. */
static void absent_blocks_are_read_by_gdal(void **state)
{
  struct fixture *f = *state;
  const struct recipe sparse = {.type = GDT_Int16, .bands = 2, .options = "SPARSE_OK=YES COMPRESS=LZW", .sparse = true};
  const struct tiff_window w = {.height = HEIGHT, .width = WIDTH};
  static int16_t values[WIDTH * HEIGHT];
  struct tiff_image image;
  make_file(f, &sparse);
  check_file(f);
  struct tiff_file *file = tiff_file_open_image(f->path, &image);
  raster_quiet_begin();
  make_file(
      f, &(struct recipe){.type = GDT_Float64, .bands = 2, .options = "COMPRESS=LZW"}); /* another file in its place */
  assert_int_equal(tiff_window_read(f->blocks, file, 1, &w, WIDTH * sizeof *values, (unsigned char *)values),
                   CE_Failure);
  tiff_file_close(file);
  make_file(f, &sparse);
  file = tiff_file_open_image(f->path, &image);
  unlink(f->path);
  assert_int_equal(tiff_window_read(f->blocks, file, 1, &w, WIDTH * sizeof *values, (unsigned char *)values),
                   CE_Failure);
  tiff_file_close(file);
  raster_quiet_end();
}

static void check_left(const struct fixture *f, const char *what)
{
  struct tiff_image image;
  struct tiff_file *file = tiff_file_open_image(f->path, &image);
  if (file)
    fail_msg("%s is not left to GDAL", what);
}

static void others_are_left_to_gdal(void **state)
{
  struct fixture *f = *state;
  static const struct recipe others[] = {
      {.type = GDT_CInt16, .bands = 1, .options = "COMPRESS=NONE"},
      {.type = GDT_CFloat32, .bands = 1, .options = "COMPRESS=NONE"},
      {.type = GDT_Int64, .bands = 1, .options = "COMPRESS=NONE"},
      {.type = GDT_UInt64, .bands = 1, .options = "COMPRESS=NONE"},
      {.type = GDT_Byte, .bands = 1, .options = "PIXELTYPE=SIGNEDBYTE"},
      {.type = GDT_UInt16, .bands = 1, .options = "NBITS=12"},
      {.type = GDT_Float32, .bands = 1, .options = "NBITS=16"},
      {.type = GDT_Byte, .bands = 1, .options = "COMPRESS=PACKBITS"},
      {.type = GDT_Byte, .bands = 1, .options = "COMPRESS=NONE", .t = {300000, 30, 0, 4800000, 0, 20}},
      {.type = GDT_Byte, .bands = 1, .options = "COMPRESS=NONE", .t = {300000, 30, 5, 4800000, 5, -20}},
      {.type = GDT_Byte, .bands = 1, .options = "PROFILE=BASELINE"},
  };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    make_file(f, &others[i]);
    check_left(f, others[i].options);
  }
  make_file(f, &(struct recipe){.type = GDT_Byte, .bands = 1, .options = "COMPRESS=NONE"});
  check_file(f);
  int beside = open(f->beside, O_WRONLY | O_CREAT, 0600);
  close(beside);
  check_left(f, "a file with company");
  unlink(f->path);
  check_left(f, "an absent file");
  assert_int_equal(mkfifo(f->path, 0600), 0);
  check_left(f, "a pipe");
}

/* Bits turned round one by one before the pixels: the tags are refused, or say what GDAL says, or GDAL refuses them. */
static void damaged_tags_are_no_other_image(void **state)
{
  struct fixture *f = *state;
  static unsigned char bytes[FILE_MOST];
  make_file(f,
            &(struct recipe){
                .type = GDT_Int16, .bands = 1, .options = "TILED=YES BLOCKXSIZE=16 BLOCKYSIZE=16", .is_point = true});
  int descriptor = open(f->path, O_RDWR), opened = 0;
  const ssize_t length = read(descriptor, bytes, sizeof bytes);
  assert_true(length > 1000 && length < FILE_MOST);
  raster_quiet_begin();
  for (size_t i = 0; i < 8000; i += 3) { /* each bit of every byte, in turns */
    const unsigned char bad = bytes[i / 8] ^ (unsigned char)(1 << i % 8);
    struct tiff_image image;
    assert_int_equal(pwrite(descriptor, &bad, 1, (off_t)(i / 8)), 1);
    struct tiff_file *file = tiff_file_open_image(f->path, &image);
    GDALDatasetH d = file ? GDALOpen(f->path, GA_ReadOnly) : NULL;
    if (d && !agrees(&image, d))
      fail_msg("bit %zu of byte %zu: another image", i % 8, i / 8);
    opened += file != NULL;
    if (d)
      GDALClose(d);
    tiff_file_close(file);
    assert_int_equal(pwrite(descriptor, &bytes[i / 8], 1, (off_t)(i / 8)), 1);
  }
  raster_quiet_end();
  close(descriptor);
  assert_true(opened > 100);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(tags_say_what_gdal_says, set_up, tear_down),
      cmocka_unit_test_setup_teardown(absent_blocks_are_read_by_gdal, set_up, tear_down),
      cmocka_unit_test_setup_teardown(others_are_left_to_gdal, set_up, tear_down),
      cmocka_unit_test_setup_teardown(damaged_tags_are_no_other_image, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
