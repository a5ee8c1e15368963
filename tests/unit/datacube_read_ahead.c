/* Reading ahead: what the system is asked for before it is read. posix_fadvise is ours here, and counts. */
#include "tests/unit/datacube_raster_fixture.h"

#include "datacube/box.h"
#include "datacube/source/block_cache.h"
#include "datacube/source/netcdf_source.h"
#include "datacube/source/raster_series.h"

#include <fcntl.h>
#include <ftw.h>
#include <netcdf.h>
#include <sys/stat.h>

enum { DATES = 6, SIDE = 40, CHUNK = 16, ACROSS = 3, CHUNKS = DATES * ACROSS * ACROSS, HINTS = 1000 };

static struct hint {
  char path[512];
  off_t at, length;
} hints[HINTS];
static size_t hint_count;

int posix_fadvise(int descriptor, off_t at, off_t length, int advice)
{
  char link[64];
  assert_int_equal(advice, POSIX_FADV_WILLNEED);
  assert_true(hint_count < HINTS);
  struct hint *hint = &hints[hint_count++];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t n = readlink(link, hint->path, sizeof hint->path - 1);
  hint->path[n > 0 ? n : 0] = '\0';
  hint->at = at;
  hint->length = length;
  return 0;
}

/* Hints inside a file but for its head, whose length nobody knows before. */
static size_t hints_of(const char *path)
{
  struct stat status;
  size_t count = 0;
  assert_int_equal(stat(path, &status), 0);
  for (size_t i = 0; i < hint_count; i++)
    if (strcmp(hints[i].path, path) == 0 && hints[i].at > 0) {
      assert_true(hints[i].length > 0 && hints[i].at + hints[i].length <= status.st_size);
      count++;
    }
  return count;
}

static struct source_reader *reader_of(const struct source *source, struct block_cache *cache)
{
  struct source_reader *reader = NULL;
  struct error error = {.code = ""};
  if (source->ops->open(source, 1, &reader, &error) != 0)
    fail_msg("%s", error.message);
  if (cache)
    source->ops->share(reader, cache);
  return reader;
}

static void read_box(const struct source *source, struct source_reader *reader, const struct box *box, void *data)
{
  struct error error = {.code = ""};
  hint_count = 0;
  if (source->ops->read(reader, box, data, &error) != 0)
    fail_msg("%s", error.message);
}

/* ---- series of rasters ------------------------------------------------------------------------------------------- */

static const int64_t dates[DATES] = {0, 1, 2, 3, 4, 5};
static const char *const bands[] = {"red"};

/* Blocks that are stored as they are come from their file each time, and are never kept. */
static bool is_deflated(size_t date)
{
  return date % 2 == 1;
}

static const struct source *series_of(struct fixture *f, struct raster_scene scenes[DATES], const struct grid *grid)
{
  for (size_t d = 0; d < DATES; d++) {
    struct recipe r = {.width = 300, .height = 260, .has_nodata = true, .nodata = 0, .base = 100 * (double)d};
    r.option[0] = is_deflated(d) ? "COMPRESS=DEFLATE" : NULL;
    struct raster_file file;
    struct error error = {.code = ""};
    const char *path = make_raster(f, &r);
    assert_int_equal(raster_file_inspect(f->arena, path, &file, &error), 0);
    scenes[d] = (struct raster_scene){
        .path = path, .raster_band = 1, .date = d, .grid = file.grid, .type = file.bands[0].type, .has_nodata = true};
  }
  const struct raster_series series = {.dates = dates,
                                       .date_count = DATES,
                                       .bands = bands,
                                       .band_count = 1,
                                       .scenes = scenes,
                                       .scene_count = DATES,
                                       .grid = grid ? *grid : scenes[0].grid};
  const struct source *source = NULL;
  struct error error = {.code = ""};
  assert_int_equal(raster_series_source(f->arena, &series, &source, &error), 0);
  return source;
}

/* All dates at once: the blocks of every file are asked for, and the values are those of each date alone. */
static void check_series(struct fixture *f, const struct source *source, const struct raster_scene *scenes)
{
  const struct box whole = cube_box(&source->cube);
  const size_t plane = whole.count[2] * whole.count[3], size = element_info(source->cube.type)->size;
  unsigned char *all = arena_alloc(f->arena, DATES * plane * size), *one = arena_alloc(f->arena, plane * size);
  struct source_reader *reader = reader_of(source, NULL);
  read_box(source, reader, &whole, all);
  for (size_t d = 0; d < DATES; d++)
    assert_true(hints_of(scenes[d].path) > 0);
  source->ops->close(reader);
  reader = reader_of(source, NULL);
  for (size_t d = 0; d < DATES; d++) {
    struct box box = whole;
    box.start[0] = d;
    box.count[0] = 1;
    read_box(source, reader, &box, one);
    assert_int_equal(hint_count, 0); /* it is read at once */
    assert_memory_equal(one, all + d * plane * size, plane * size);
  }
  source->ops->close(reader);
}

static void scenes_on_the_lattice(void **state)
{
  struct raster_scene scenes[DATES];
  const struct source *source = series_of(*state, scenes, NULL);
  check_series(*state, source, scenes);
}

static const struct grid next_zone = {
    .west = 788000, .north = 4812000, .res_x = 30, .res_y = 30, .width = 300, .height = 500, .crs = "EPSG:32617"};

static void scenes_that_are_warped(void **state)
{
  struct raster_scene scenes[DATES];
  const struct source *source = series_of(*state, scenes, &next_zone);
  check_series(*state, source, scenes);
}

static void scenes_that_are_cropped_and_warped(void **state)
{
  struct fixture *f = *state;
  struct raster_scene scenes[DATES];
  const struct source *whole = series_of(f, scenes, NULL), *source = NULL;
  const struct extent clip = {.west = 300000 + 100 * 30,
                              .south = 4800000 - 160 * 30,
                              .east = 300000 + 200 * 30,
                              .north = 4800000 - 60 * 30,
                              .crs = "EPSG:32618"};
  const struct regrid_request request = {.grid = &next_zone, .method = RESAMPLE_NEAREST, .clip = &clip};
  struct error error = {.code = ""};
  assert_int_equal(whole->ops->regrid(whole, f->arena, &request, &source, &error), 0);
  check_series(f, source, scenes);
}

/* Of pixels that are cropped away nothing is asked for. */
static void what_is_cropped_away_is_not_asked_for(void **state)
{
  struct fixture *f = *state;
  struct raster_scene scenes[DATES];
  const struct source *whole = series_of(f, scenes, NULL), *source = NULL;
  struct grid fine = scenes[0].grid;
  fine.res_x = fine.res_y = 15, fine.width = 600, fine.height = 520;
  const struct extent clip = {
      .west = 300000, .south = 4800000 - 20 * 30, .east = 309000, .north = 4800000, .crs = "EPSG:32618"};
  const struct regrid_request request = {.grid = &fine, .method = RESAMPLE_NEAREST, .clip = &clip};
  struct error error = {.code = ""};
  assert_int_equal(whole->ops->regrid(whole, f->arena, &request, &source, &error), 0);
  struct source_reader *reader = reader_of(source, NULL);
  const size_t size = element_info(source->cube.type)->size;
  struct box box = cube_box(&source->cube);
  box.start[2] = 100, box.count[2] = 400;
  read_box(source, reader, &box, arena_alloc(f->arena, box_elements(&box) * size));
  assert_int_equal(hint_count, 0);
  source->ops->close(reader);
}

/* ---- chunks ------------------------------------------------------------------------------------------------------ */

static uint16_t value_of(size_t i)
{
  return (uint16_t)(i * i * 31 % 50000 + 1);
}

static const size_t shape[] = {DATES, SIDE, SIDE}, chunk[] = {1, CHUNK, CHUNK};
static const char *const axes[] = {"t", "y", "x"};

/* Only the first `written` dates. */
static const char *make_sparse_netcdf(struct fixture *f, size_t written)
{
  const char *path = arena_printf(f->arena, "%s/cube.nc", f->folder);
  uint16_t *values = arena_array(f->arena, DATES * SIDE * SIDE, sizeof *values);
  double labels[SIDE];
  int file, ids[3], coordinates[3], id;
  for (size_t i = 0; i < DATES * SIDE * SIDE; i++)
    values[i] = value_of(i);
  for (size_t i = 0; i < SIDE; i++)
    labels[i] = (double)i;
  assert_int_equal(nc_create(path, NC_CLOBBER | NC_NETCDF4, &file), NC_NOERR);
  for (size_t d = 0; d < 3; d++) {
    nc_def_dim(file, axes[d], shape[d], &ids[d]);
    nc_def_var(file, axes[d], NC_DOUBLE, 1, &ids[d], &coordinates[d]);
  }
  nc_put_att_text(file, coordinates[0], "units", 21, "days since 2018-01-01");
  nc_def_var(file, "v", NC_USHORT, 3, ids, &id);
  nc_def_var_chunking(file, id, NC_CHUNKED, chunk);
  nc_def_var_deflate(file, id, 1, 1, 1);
  nc_enddef(file);
  for (size_t d = 0; d < 3; d++)
    nc_put_var_double(file, coordinates[d], labels);
  const size_t start[3] = {0, 0, 0}, count[3] = {written, SIDE, SIDE};
  assert_int_equal(nc_put_vara_ushort(file, id, start, count, values), NC_NOERR);
  assert_int_equal(nc_close(file), NC_NOERR);
  return path;
}

static const char *make_netcdf(struct fixture *f)
{
  return make_sparse_netcdf(f, DATES);
}

static void spill(const char *path, const void *bytes, size_t length)
{
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, length, file), length);
  fclose(file);
}

static void spill_text(struct fixture *f, const char *store, const char *name, const char *text)
{
  spill(arena_printf(f->arena, "%s/%s", store, name), text, strlen(text));
}

static void spill_axis(struct fixture *f, const char *store, size_t d)
{
  double labels[SIDE];
  for (size_t i = 0; i < SIDE; i++)
    labels[i] = (double)i;
  mkdir(arena_printf(f->arena, "%s/%s", store, axes[d]), 0700);
  spill_text(f, store, arena_printf(f->arena, "%s/.zarray", axes[d]),
             arena_printf(f->arena,
                          "{\"zarr_format\": 2, \"shape\": [%zu], \"chunks\": [%zu], \"dtype\": \"<f8\", \"order\": "
                          "\"C\", \"compressor\": null, \"filters\": null, \"fill_value\": 0}",
                          shape[d], shape[d]));
  spill_text(f, store, arena_printf(f->arena, "%s/.zattrs", axes[d]),
             arena_printf(f->arena, "{\"_ARRAY_DIMENSIONS\": [\"%s\"]%s}", axes[d],
                          d == 0 ? ", \"units\": \"days since 2018-01-01\"" : ""));
  spill(arena_printf(f->arena, "%s/%s/0", store, axes[d]), labels, shape[d] * sizeof *labels);
}

/* Version 2, little endian as this machine is taken to be, nothing packed. */
static const char *make_zarr(struct fixture *f)
{
  const char *store = arena_printf(f->arena, "%s/cube.zarr", f->folder);
  mkdir(store, 0700);
  spill_text(f, store, ".zgroup", "{\"zarr_format\": 2}");
  for (size_t d = 0; d < 3; d++)
    spill_axis(f, store, d);
  mkdir(arena_printf(f->arena, "%s/v", store), 0700);
  spill_text(f, store, "v/.zarray",
             "{\"zarr_format\": 2, \"shape\": [6, 40, 40], \"chunks\": [1, 16, 16], \"dtype\": \"<u2\", \"order\": "
             "\"C\", \"compressor\": null, \"filters\": null, \"fill_value\": 0}");
  spill_text(f, store, "v/.zattrs", "{\"_ARRAY_DIMENSIONS\": [\"t\", \"y\", \"x\"]}");
  for (size_t t = 0; t < DATES; t++)
    for (size_t k = 0; k < ACROSS * ACROSS; k++) {
      uint16_t part[CHUNK * CHUNK] = {0};
      for (size_t i = 0; i < CHUNK * CHUNK; i++) {
        const size_t y = k / ACROSS * CHUNK + i / CHUNK, x = k % ACROSS * CHUNK + i % CHUNK;
        part[i] = y < SIDE && x < SIDE ? value_of((t * SIDE + y) * SIDE + x) : 0;
      }
      spill(arena_printf(f->arena, "%s/v/%zu.%zu.%zu", store, t, k / ACROSS, k % ACROSS), part, sizeof part);
    }
  return store;
}

static int take_away(const char *path, const struct stat *status, int flag, struct FTW *place)
{
  (void)status, (void)flag, (void)place;
  return remove(path);
}

static const struct source *cube_of(struct fixture *f, const char *path)
{
  const struct netcdf_file file = {.path = path, .crs = "EPSG:32618"};
  const struct netcdf_selection all = {.extent = NULL};
  const struct source *source = NULL;
  struct error error = {.code = ""};
  if (netcdf_source(f->arena, &file, &all, &source, &error) != 0)
    fail_msg("%s", error.message);
  return source;
}

/* Reads all of it, in the type of the file. */
static uint16_t *read_cube(struct fixture *f, const struct source *source, struct source_reader *reader)
{
  const struct box whole = cube_box(&source->cube);
  assert_int_equal(box_elements(&whole), DATES * SIDE * SIDE);
  assert_int_equal(source->cube.type, ELEMENT_U16);
  uint16_t *data = arena_array(f->arena, DATES * SIDE * SIDE, sizeof *data);
  read_box(source, reader, &whole, data);
  return data;
}

static void check_values(const uint16_t *data)
{
  for (size_t i = 0; i < DATES * SIDE * SIDE; i++)
    assert_int_equal(data[i], value_of(i));
}

static void chunks_of_netcdf(void **state)
{
  struct fixture *f = *state;
  const char *path = make_netcdf(f);
  const struct source *source = cube_of(f, path);
  struct source_reader *reader = reader_of(source, NULL);
  check_values(read_cube(f, source, reader));
  assert_int_equal(hints_of(path), CHUNKS);
  assert_int_equal(hint_count, CHUNKS);
  for (size_t i = 0; i < CHUNKS; i++) /* each its own */
    for (size_t k = 0; k < i; k++)
      assert_true(hints[i].at >= hints[k].at + hints[k].length || hints[k].at >= hints[i].at + hints[i].length);
  struct box corner = {.dimensions = 4, .count = {1, 1, 10, 10}};
  uint16_t few[100];
  read_box(source, reader, &corner, few);
  assert_int_equal(hint_count, 0); /* one chunk is read at once */
  corner.count[0] = DATES;
  uint16_t more[100 * DATES];
  read_box(source, reader, &corner, more);
  assert_int_equal(hint_count, DATES - 1); /* one of them is kept */
  read_box(source, reader, &corner, more);
  assert_int_equal(hint_count, 0);
  source->ops->close(reader);
}

static void chunks_that_were_never_written(void **state)
{
  struct fixture *f = *state;
  const struct source *source = cube_of(f, make_sparse_netcdf(f, 2));
  struct source_reader *reader = reader_of(source, NULL);
  const uint16_t *data = read_cube(f, source, reader);
  for (size_t i = 0; i < DATES * SIDE * SIDE; i++)
    assert_int_equal(data[i], i < 2 * SIDE * SIDE ? value_of(i) : NC_FILL_USHORT);
  assert_int_equal(hint_count, 2 * ACROSS * ACROSS);
  source->ops->close(reader);
}

static void chunks_of_zarr(void **state)
{
  struct fixture *f = *state;
  const char *store = make_zarr(f);
  const struct source *source = cube_of(f, store);
  struct source_reader *reader = reader_of(source, NULL);
  check_values(read_cube(f, source, reader));
  assert_int_equal(hint_count, CHUNKS);
  for (size_t i = 0; i < CHUNKS; i++) {
    assert_int_equal(hints[i].at, 0);
    assert_int_equal(hints[i].length, CHUNK * CHUNK * 2);
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(hints[i].path, hints[k].path);
  }
  source->ops->close(reader);
  nftw(store, take_away, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- read again -------------------------------------------------------------------------------------------------- */

/* Read whole, cut to nothing, read again: only what was kept is still there. */
static int read_again(struct fixture *f, const struct source *source, const char *path, size_t bytes, bool keeps)
{
  const struct box whole = cube_box(&source->cube);
  const size_t size = element_info(source->cube.type)->size * box_elements(&whole);
  struct error error = {.code = ""};
  struct block_cache *cache = NULL;
  assert_int_equal(block_cache_new(bytes, &cache, &error), 0);
  if (keeps)
    block_cache_keep(cache);
  struct source_reader *reader = reader_of(source, cache);
  unsigned char *first = arena_alloc(f->arena, size), *second = arena_alloc(f->arena, size);
  read_box(source, reader, &whole, first);
  assert_int_equal(truncate(path, 0), 0);
  const int status = source->ops->read(reader, &whole, second, &error);
  if (status == 0)
    assert_memory_equal(first, second, size);
  source->ops->close(reader);
  block_cache_free(cache);
  return status;
}

static void what_is_kept_is_not_read_again(void **state)
{
  struct fixture *f = *state;
  struct raster_scene scenes[DATES];
  for (int keeps = 0; keeps < 2; keeps++)
    for (int roomy = 0; roomy < 2; roomy++) {
      const size_t bytes = roomy ? 16 << 20 : 1 << 10;
      const char *path = make_netcdf(f);
      const struct source *series = series_of(f, scenes, NULL);
      const int expected = keeps && roomy ? 0 : -1;
      assert_int_equal(read_again(f, cube_of(f, path), path, bytes, keeps), expected);
      assert_int_equal(read_again(f, series, scenes[3].path, bytes, keeps), expected);
      series = series_of(f, scenes, NULL);
      assert_int_equal(read_again(f, series, scenes[2].path, bytes, keeps), -1);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      CASE(scenes_on_the_lattice),
      CASE(scenes_that_are_warped),
      CASE(scenes_that_are_cropped_and_warped),
      CASE(what_is_cropped_away_is_not_asked_for),
      CASE(chunks_of_netcdf),
      CASE(chunks_that_were_never_written),
      CASE(chunks_of_zarr),
      CASE(what_is_kept_is_not_read_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
