/* Plain GeoTIFFs read without GDAL: every window has to be GDAL's, byte for byte, and of damaged files either GDAL's
 * pixels or an error. GDAL writes the files, and reads them through a dataset of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/gdal_init.h"
#include "datacube/source/raster_file.h"
#include "datacube/source/tiff_blocks.h"
#include "datacube/source/tiff_predictor.h"

#include <cpl_string.h>
#include <fcntl.h>
#include <ftw.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH = 301, HEIGHT = 203, PIXEL_MOST = 16, GUARD = 64 };

struct fixture {
  char folder[256], path[300];
  struct tiff_blocks *blocks;
  uint64_t random;
};

struct kind {
  GDALDataType type;
  int bands;
  const char *options; /* of creation, separated by blanks */
  bool sparse;         /* only a corner is written */
  int height;          /* 0: HEIGHT */
};

static int set_up(void **state)
{
  gdal_init();
  struct fixture *f = calloc(1, sizeof *f);
  const char *root = getenv("TMPDIR");
  snprintf(f->folder, sizeof f->folder, "%s/twincube-test-XXXXXX", root && *root ? root : P_tmpdir);
  assert_non_null(mkdtemp(f->folder));
  snprintf(f->path, sizeof f->path, "%s/a.tif", f->folder);
  struct error error = {.code = ""};
  assert_int_equal(tiff_blocks_new(&f->blocks, &error), 0);
  f->random = 88172645463325252u;
  *state = f;
  return 0;
}

static int tear_down(void **state)
{
  struct fixture *f = *state;
  tiff_blocks_free(f->blocks);
  unlink(f->path);
  rmdir(f->folder);
  free(f);
  return 0;
}

static size_t random_below(struct fixture *f, size_t n)
{
  f->random ^= f->random << 13;
  f->random ^= f->random >> 7;
  f->random ^= f->random << 17;
  return (size_t)(f->random % n);
}

/* ---- Making and comparing -------------------------------------------------------------------------------------- */

/* Mostly slopes with noise in their low bytes, so that there is something to compress and sums run over; or long runs
 * of one value, or noise alone, which no packing makes shorter. */
static void fill_pixels(struct fixture *f, unsigned char *pixels, size_t bytes)
{
  const size_t texture = random_below(f, 4);
  for (size_t i = 0; i < bytes; i++)
    pixels[i] = texture == 1                 ? (unsigned char)(i / 3000)
                : texture == 2 || i % 3 == 0 ? (unsigned char)random_below(f, 256)
                                             : (unsigned char)(i / 5);
}

static void make_file(struct fixture *f, const struct kind *k)
{
  size_t size = (size_t)GDALGetDataTypeSizeBytes(k->type);
  int full = k->height ? k->height : HEIGHT;
  size_t bytes = WIDTH * (size_t)full * size;
  unsigned char *pixels = malloc(bytes);
  char **options = CSLTokenizeString(k->options);
  unlink(f->path);
  GDALDatasetH d = GDALCreate(GDALGetDriverByName("GTiff"), f->path, WIDTH, full, k->bands, k->type, options);
  if (!d)
    fail_msg("GDAL cannot create %s", k->options);
  CSLDestroy(options);
  for (int b = 1; b <= k->bands; b++) {
    GDALRasterBandH band = GDALGetRasterBand(d, b);
    int width = k->sparse ? WIDTH / 3 : WIDTH, height = k->sparse ? full / 3 : full;
    if (k->sparse)
      GDALSetRasterNoDataValue(band, 7);
    fill_pixels(f, pixels, bytes);
    assert_int_equal(GDALRasterIO(band, GF_Write, 0, 0, width, height, pixels, width, height, k->type, 0, 0), CE_None);
  }
  GDALClose(d);
  free(pixels);
}

static struct tiff_window random_window(struct fixture *f, size_t width, size_t height)
{
  struct tiff_window w = {.row = random_below(f, height), .column = random_below(f, width)};
  w.height = 1 + random_below(f, height - w.row);
  w.width = 1 + random_below(f, width - w.column);
  if (random_below(f, 4) == 0)
    w = (struct tiff_window){.height = height, .width = width};
  return w;
}

struct buffers {
  unsigned char *ours, *theirs;
  size_t bytes;
};

static struct buffers make_buffers(size_t pixels, size_t size)
{
  struct buffers b = {.bytes = pixels * size + GUARD};
  b.ours = malloc(b.bytes);
  b.theirs = malloc(b.bytes);
  memset(b.ours, 0xa5, b.bytes);
  memset(b.theirs, 0xa5, b.bytes);
  return b;
}

/* Reads one window twice, into rows with a gap after them. Whether we could; GDAL has to, then. */
static bool same_window(struct fixture *f, struct tiff_file *file, GDALRasterBandH theirs, const struct tiff_window *w)
{
  GDALDataType type = GDALGetRasterDataType(theirs);
  size_t size = (size_t)GDALGetDataTypeSizeBytes(type), stride = (w->width + 3) * size;
  struct buffers b = make_buffers((w->width + 3) * w->height, size);
  CPLErr a = tiff_window_read(f->blocks, file, GDALGetBandNumber(theirs), w, stride, b.ours);
  CPLErr g = GDALRasterIOEx(theirs, GF_Read, (int)w->column, (int)w->row, (int)w->width, (int)w->height, b.theirs,
                            (int)w->width, (int)w->height, type, (GSpacing)size, (GSpacing)stride, NULL);
  assert_true(a != CE_None || g == CE_None);
  if (a == CE_None && memcmp(b.ours, b.theirs, b.bytes) != 0)
    fail_msg("window %zu+%zu, %zu+%zu differs", w->row, w->height, w->column, w->width);
  free(b.ours);
  free(b.theirs);
  return a == CE_None;
}

/* Compares random windows of all bands. Returns whether the file was read without GDAL; *whole: all windows could be.
 */
static bool compare(struct fixture *f, const char *path, int windows, bool *whole)
{
  struct error error = {.code = ""};
  GDALDatasetH ours, theirs;
  *whole = false;
  if (raster_open(path, ERROR_FileContentInvalid, &ours, &error))
    return false;
  assert_int_equal(raster_open(path, ERROR_FileContentInvalid, &theirs, &error), 0);
  struct tiff_file *file = tiff_file_open(ours, path);
  *whole = true;
  for (int i = 0; file && i < windows; i++) {
    int band = 1 + (int)random_below(f, (size_t)GDALGetRasterCount(ours));
    struct tiff_window w = random_window(f, (size_t)GDALGetRasterXSize(ours), (size_t)GDALGetRasterYSize(ours));
    *whole &= same_window(f, file, GDALGetRasterBand(theirs, band), &w);
  }
  tiff_file_close(file);
  GDALClose(ours);
  GDALClose(theirs);
  return file != NULL;
}

static void check_kind(struct fixture *f, const struct kind *k, bool fast)
{
  bool whole;
  make_file(f, k);
  const struct tiff_counts before = tiff_blocks_counts(f->blocks);
  if (compare(f, f->path, 4, &whole) != fast)
    fail_msg("%s of %s: %s", GDALGetDataTypeName(k->type), k->options, fast ? "left to GDAL" : "not left to GDAL");
  assert_true(whole);
  const struct tiff_counts after = tiff_blocks_counts(f->blocks);
  if ((after.left > before.left && !k->sparse) || (after.decoded > before.decoded) != fast)
    fail_msg("%s of %s: blocks left to GDAL", GDALGetDataTypeName(k->type), k->options);
}

/* All ways to store that there are for the type. */
static void check_stored(struct fixture *f, GDALDataType type, int bands, const char *shape)
{
  static const char *const packings[] = {"NONE", "DEFLATE", "LZW", "ZSTD"};
  for (size_t p = 0; p < sizeof packings / sizeof *packings; p++)
    for (int predictor = 1; predictor <= (p == 0 ? 1 : GDALDataTypeIsFloating(type) ? 3 : 2); predictor++) {
      char options[300];
      snprintf(options, sizeof options, "%s COMPRESS=%s PREDICTOR=%d", shape, packings[p], predictor);
      check_kind(f, &(struct kind){.type = type, .bands = bands, .options = options}, true);
    }
}

/* ---- Tests ----------------------------------------------------------------------------------------------------- */

static const GDALDataType types[] = {GDT_Byte, GDT_Int16, GDT_UInt16, GDT_UInt32, GDT_Int32, GDT_Float32, GDT_Float64};
static const char *const shapes[] = {"TILED=YES BLOCKXSIZE=16 BLOCKYSIZE=48",
                                     "TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=128",
                                     "TILED=YES BLOCKXSIZE=256 BLOCKYSIZE=256",
                                     "TILED=YES BLOCKXSIZE=512 BLOCKYSIZE=512",
                                     "TILED=NO BLOCKYSIZE=1",
                                     "TILED=NO BLOCKYSIZE=7",
                                     "TILED=NO BLOCKYSIZE=203"};

static void plain_files_read_as_by_gdal(void **state)
{
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
      check_stored(*state, types[t], 1, shapes[s]);
}

static void big_endian_files_read_as_by_gdal(void **state)
{
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    if (t % 2)
      check_stored(*state, types[t], 3, "ENDIANNESS=BIG TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=64 INTERLEAVE=PIXEL");
    else
      check_stored(*state, types[t], 2, "ENDIANNESS=BIG BLOCKYSIZE=7 INTERLEAVE=BAND BIGTIFF=YES");
}

static void bands_apart_or_side_by_side(void **state)
{
  static const char *const sides[] = {"INTERLEAVE=BAND", "INTERLEAVE=PIXEL",
                                      "INTERLEAVE=PIXEL PHOTOMETRIC=RGB ALPHA=YES"};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (size_t t = s % 3; t < sizeof types / sizeof *types; t += 3) {
      char options[200];
      size_t side = t / 3;
      snprintf(options, sizeof options, "%s %s", shapes[s], sides[side]);
      check_stored(*state, types[t], side == 2 ? 4 : 2 + (int)t, options);
    }
}

/* Complex values have no predictor. */
static void complex_files_read_as_by_gdal(void **state)
{
  static const GDALDataType complex_types[] = {GDT_CInt16, GDT_CInt32, GDT_CFloat32, GDT_CFloat64};
  static const char *const stored[] = {"COMPRESS=NONE", "COMPRESS=LZW ENDIANNESS=BIG", "COMPRESS=DEFLATE TILED=YES"};
  for (size_t t = 0; t < 4; t++)
    for (size_t c = 0; c < 3; c++)
      for (int bands = 1; bands <= 2; bands++)
        check_kind(*state, &(struct kind){.type = complex_types[t], .bands = bands, .options = stored[c]}, true);
}

static void absent_blocks_are_no_data(void **state)
{
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    char options[200];
    snprintf(options, sizeof options, "%s COMPRESS=%s PREDICTOR=2 SPARSE_OK=YES INTERLEAVE=PIXEL", shapes[s],
             s % 2 ? "LZW" : "DEFLATE");
    check_kind(*state, &(struct kind){.type = GDT_UInt16, .bands = 1 + 2 * (s > 3), .options = options, .sparse = true},
               true);
  }
}

static void other_files_are_left_to_gdal(void **state)
{
  static const struct kind others[] = {
      {GDT_Byte, 1, "COMPRESS=PACKBITS", false, 0},
      {GDT_Byte, 3, "TILED=YES COMPRESS=JPEG PHOTOMETRIC=YCBCR INTERLEAVE=PIXEL", false, 0},
      {GDT_UInt16, 1, "NBITS=12 COMPRESS=DEFLATE", false, 0},
      {GDT_Byte, 1, "NBITS=1", false, 0},
      {GDT_Float32, 1, "NBITS=16 COMPRESS=DEFLATE", false, 0},
      {GDT_Byte, 4, "PHOTOMETRIC=CMYK COMPRESS=DEFLATE", false, 0},
  };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    check_kind(*state, &others[i], false);
}

/* nftw has no argument of the caller's. */
static struct fixture *walker;
static int files_read;

static int look_at_file(const char *path, const struct stat *status, int kind, struct FTW *place)
{
  const char *dot = strrchr(path, '.');
  bool whole;
  (void)status, (void)place;
  if (kind != FTW_F || !dot || strncasecmp(dot, ".tif", 4) != 0)
    return 0;
  files_read += compare(walker, path, 3, &whole);
  return 0;
}

static void real_files_read_as_by_gdal(void **state)
{
  const char *shared = getenv("TWINCUBE_SHARED");
  char folder[4096];
  if (!shared) {
    print_message("SKIPPED: TWINCUBE_SHARED is not set, real files are not read\n");
    return;
  }
  snprintf(folder, sizeof folder, "%s/data", shared);
  walker = *state;
  files_read = 0;
  raster_quiet_begin();
  nftw(folder, look_at_file, 16, FTW_PHYS);
  raster_quiet_end();
  print_message("%d real files without GDAL\n", files_read);
  assert_true(files_read > 150);
}

static void running_sums_of_any_length(void **state)
{
  struct fixture *f = *state;
  unsigned char from[1200], to[1200];
  for (size_t size = 1; size <= 8; size *= 2)
    for (size_t n = 0; n <= 130; n++) {
      fill_pixels(f, from, n * size);
      memset(to, 0xa5, sizeof to);
      tiff_row_undo(&(struct tiff_row){.predictor = 2, .size = size, .swap = 1, .width = n}, from, n, to + 1);
      uint64_t sum = 0;
      for (size_t i = 0; i < n; i++) {
        uint64_t pixel = 0;
        memcpy(&pixel, from + i * size, size); /* low bytes first, as everywhere here */
        sum += pixel;
        assert_memory_equal(to + 1 + i * size, &sum, size);
      }
      assert_true(to[0] == 0xa5 && to[1 + n * size] == 0xa5);
    }
}

/* Windows in turn through two readers, of a file whose 128 x 128 blocks they cut: bands apart or side by side. */
static void readers_decode_each_block_once(void **state)
{
  struct fixture *f = *state;
  static const char *const sides[] = {"COMPRESS=LZW TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=128 INTERLEAVE=BAND",
                                      "COMPRESS=LZW TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=128 INTERLEAVE=PIXEL"};
  static unsigned char to[60 * 60 * 2];
  for (size_t k = 0; k < 2; k++) {
    struct error error = {.code = ""};
    struct tiff_blocks *readers[2];
    struct block_cache *cache;
    make_file(f, &(struct kind){.type = GDT_UInt16, .bands = 2, .options = sides[k]});
    GDALDatasetH d = GDALOpen(f->path, GA_ReadOnly);
    assert_int_equal(block_cache_new(4 << 20, &cache, &error), 0);
    struct tiff_file *files[2];
    for (size_t r = 0; r < 2; r++) {
      assert_int_equal(tiff_blocks_new(&readers[r], &error), 0);
      tiff_blocks_share(readers[r], cache);
      files[r] = tiff_file_open(d, f->path);
    }
    for (size_t row = 0; row + 60 <= HEIGHT; row += 60)
      for (size_t column = 0; column + 60 <= WIDTH; column += 60)
        for (int band = 1; band <= 2; band++) {
          const struct tiff_window w = {.row = row, .column = column, .height = 60, .width = 60};
          const size_t r = (row / 60 + column / 60) % 2;
          assert_int_equal(tiff_window_read(readers[r], files[r], band, &w, 120, to), CE_None);
        }
    assert_int_equal(tiff_blocks_counts(readers[0]).decoded + tiff_blocks_counts(readers[1]).decoded, k ? 6 : 12);
    for (size_t r = 0; r < 2; r++) {
      tiff_file_close(files[r]);
      tiff_blocks_free(readers[r]);
    }
    block_cache_free(cache);
    GDALClose(d);
  }
}

/* More blocks than are kept, cut by every window. */
static void kept_blocks_make_room(void **state)
{
  struct fixture *f = *state;
  const struct kind k = {GDT_Float64, 2, "TILED=YES BLOCKXSIZE=16 BLOCKYSIZE=16 COMPRESS=DEFLATE INTERLEAVE=BAND",
                         false, 0};
  bool whole;
  make_file(f, &k);
  for (int i = 0; i < 5; i++) {
    assert_true(compare(f, f->path, 10, &whole));
    assert_true(whole);
  }
}

/* Pages of a file that are in memory. */
static size_t resident_pages(const char *path)
{
  int descriptor = open(path, O_RDONLY);
  struct stat status;
  assert_true(descriptor >= 0 && fstat(descriptor, &status) == 0);
  const size_t pages = ((size_t)status.st_size + 4095) / 4096;
  unsigned char *residence = calloc(pages, 1);
  void *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
  assert_true(map != MAP_FAILED && mincore(map, (size_t)status.st_size, residence) == 0);
  size_t resident = 0;
  for (size_t i = 0; i < pages; i++)
    resident += residence[i] & 1;
  munmap(map, (size_t)status.st_size);
  free(residence);
  close(descriptor);
  return resident;
}

static void put_out_of_memory(const char *path)
{
  int descriptor = open(path, O_RDONLY);
  assert_true(descriptor >= 0 && fsync(descriptor) == 0);
  assert_int_equal(posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED), 0);
  close(descriptor);
}

/* On a file system that keeps everything in memory there is nothing to see. */
static void windows_are_asked_for_ahead(void **state)
{
  struct fixture *f = *state;
  struct tiff_window w = {.row = 0, .column = 0, .height = HEIGHT, .width = WIDTH};
  make_file(f, &(struct kind){.type = GDT_Float64, .bands = 1, .options = "TILED=YES"});
  GDALDatasetH d = GDALOpen(f->path, GA_ReadOnly);
  struct tiff_file *file = tiff_file_open(d, f->path);
  assert_non_null(file);
  put_out_of_memory(f->path);
  const size_t before = resident_pages(f->path);
  tiff_window_ahead(f->blocks, file, 1, &w);
  size_t after = resident_pages(f->path);
  for (int i = 0; i < 3000 && after < 100; i++, after = resident_pages(f->path))
    usleep(10000);
  print_message("%zu pages before, %zu after\n", before, after);
  assert_true(after >= 100); /* of 2 blocks of 256 x 256 x 8 bytes */
  tiff_file_close(file);
  GDALClose(d);
}

/* ---- Damage ---------------------------------------------------------------------------------------------------- */

static unsigned char *file_content(const char *path, size_t *length)
{
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  *length = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(*length);
  assert_int_equal(fread(bytes, 1, *length, file), *length);
  fclose(file);
  return bytes;
}

static void write_content(const char *path, const unsigned char *bytes, size_t length)
{
  int descriptor = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
  assert_true(descriptor >= 0);
  assert_int_equal(write(descriptor, bytes, length), length);
  close(descriptor);
}

/* Bytes flipped anywhere, in the directory, or the end cut off. */
static void damage(struct fixture *f, const unsigned char *good, size_t length, int round)
{
  unsigned char *bad = malloc(length);
  memcpy(bad, good, length);
  size_t reach = round % 3 == 0 ? length : 400, keep = length;
  for (size_t i = 0; i < 1 + random_below(f, 3); i++)
    bad[random_below(f, reach < length ? reach : length)] ^= (unsigned char)(1u << random_below(f, 8));
  if (round % 5 == 0)
    keep = random_below(f, length);
  write_content(f->path, bad, keep);
  free(bad);
}

static void damage_gives_an_error_or_the_pixels(void **state)
{
  struct fixture *f = *state;
  static const char *const options[] = {"TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64 COMPRESS=DEFLATE PREDICTOR=2",
                                        "COMPRESS=DEFLATE PREDICTOR=2 BLOCKYSIZE=20",
                                        "TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64",
                                        "COMPRESS=DEFLATE BIGTIFF=YES",
                                        "COMPRESS=LZW PREDICTOR=2 TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64",
                                        "COMPRESS=ZSTD BLOCKYSIZE=20",
                                        "COMPRESS=LZW INTERLEAVE=PIXEL ENDIANNESS=BIG BLOCKYSIZE=20"};
  int failures = 0, fast = 0;
  const char *rounds = getenv("TWINCUBE_DAMAGE_ROUNDS");
  long n = rounds ? strtol(rounds, NULL, 10) : 70;
  raster_quiet_begin();
  for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
    size_t length;
    make_file(f, &(struct kind){GDT_UInt16, 1 + (int)(k / 6), options[k], false, 0});
    unsigned char *good = file_content(f->path, &length);
    for (int round = 0; round < n; round++) {
      bool whole;
      damage(f, good, length, round);
      fast += compare(f, f->path, 4, &whole);
      failures += !whole;
    }
    free(good);
  }
  raster_quiet_end();
  assert_true(failures > 0 && fast > 0);
}

/* Eleven strips of 20 rows, of an image of 203 rows: the last has 17 rows too many. */
static void a_last_strip_may_be_too_long(void **state)
{
  struct fixture *f = *state;
  size_t length;
  static unsigned char before[WIDTH * HEIGHT * 2], after[WIDTH * HEIGHT * 2];
  const struct tiff_window w = {.height = HEIGHT, .width = WIDTH};
  make_file(f,
            &(struct kind){.type = GDT_UInt16, .bands = 1, .options = "COMPRESS=DEFLATE BLOCKYSIZE=20", .height = 220});
  GDALDatasetH d = GDALOpen(f->path, GA_ReadOnly);
  assert_int_equal(
      GDALRasterIO(GDALGetRasterBand(d, 1), GF_Read, 0, 0, WIDTH, HEIGHT, before, WIDTH, HEIGHT, GDT_UInt16, 0, 0),
      CE_None);
  GDALClose(d);
  unsigned char *bytes = file_content(f->path, &length);
  const unsigned char tag[] = {1, 1, 3, 0, 1, 0, 0, 0, 220, 0}; /* the height */
  unsigned char *found = memmem(bytes, length, tag, sizeof tag);
  assert_non_null(found);
  found[8] = HEIGHT;
  write_content(f->path, bytes, length);
  free(bytes);
  d = GDALOpen(f->path, GA_ReadOnly);
  struct tiff_file *file = tiff_file_open(d, f->path);
  assert_non_null(file);
  assert_int_equal(tiff_window_read(f->blocks, file, 1, &w, WIDTH * 2, after), CE_None);
  assert_memory_equal(before, after, sizeof before);
  tiff_file_close(file);
  GDALClose(d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_files_read_as_by_gdal),
      cmocka_unit_test(bands_apart_or_side_by_side),
      cmocka_unit_test(big_endian_files_read_as_by_gdal),
      cmocka_unit_test(complex_files_read_as_by_gdal),
      cmocka_unit_test(absent_blocks_are_no_data),
      cmocka_unit_test(other_files_are_left_to_gdal),
      cmocka_unit_test(real_files_read_as_by_gdal),
      cmocka_unit_test(running_sums_of_any_length),
      cmocka_unit_test(readers_decode_each_block_once),
      cmocka_unit_test(windows_are_asked_for_ahead),
      cmocka_unit_test(kept_blocks_make_room),
      cmocka_unit_test(a_last_strip_may_be_too_long),
      cmocka_unit_test(damage_gives_an_error_or_the_pixels),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
