/* The netCDF source. The independent answers are NetCDF-C's own (files made and read by it alone) and dates known from
 * the calendars themselves (cftime agrees). */
#include "datacube/grid.h"
#include "datacube/source/netcdf_convert.h"
#include "datacube/source/netcdf_time.h"
#include "tests/unit/datacube_netcdf.h"

#include <ftw.h>
#include <math.h>
#include <sys/wait.h>

/* Any box of the source equals the same box of the whole. */
static void check_boxes(const struct source *source, uint32_t seed)
{
  struct error error = {0};
  const struct cube *cube = &source->cube;
  const size_t size = element_info(cube->type)->size;
  struct source_reader *reader = NULL;
  char *whole = read_all(source), *part = malloc(cube_bytes(cube) + 1);
  ok(source->ops->open(source, 1, &reader, &error), &error);
  for (int round = 0; round < 40; round++) {
    struct box box = {.dimensions = cube->dimensions};
    for (size_t d = 0; d < box.dimensions; d++) {
      box.start[d] = next_random(&seed) % cube->dimension[d].size;
      box.count[d] = 1 + next_random(&seed) % (cube->dimension[d].size - box.start[d]);
    }
    ok(source->ops->read(reader, &box, part, &error), &error);
    for (size_t i = 0; i < box_elements(&box); i++) {
      size_t rest = i, place = 0, stride = 1;
      for (size_t d = box.dimensions; d-- > 0;) {
        place += (box.start[d] + rest % box.count[d]) * stride;
        rest /= box.count[d];
        stride *= cube->dimension[d].size;
      }
      assert_memory_equal(part + i * size, whole + place * size, size);
    }
  }
  source->ops->close(reader);
  free(whole);
  free(part);
}

/* ---- source: files made by NetCDF-C alone ---- */

static void dates_of_all_units_and_calendars(void **state)
{
  static const struct {
    const char *units, *calendar;
    double value;
    const char *date;
  } rows[] = {
      {"days since 1990-01-01", NULL, 10227, "2018-01-01T00:00:00Z"},
      {"hours since 1900-01-01 00:00:00.0", "gregorian", 1034376, "2018-01-01T00:00:00Z"},
      {"seconds since 2016-12-19T10:27:29.687763", "proleptic_gregorian", 0.312, "2016-12-19T10:27:30Z"},
      {"minutes since 2018-1-1 1:30 +01:30", "standard", 1, "2018-01-01T00:01:00Z"},
      {"days since 2000-02-28", "noleap", 1, "2000-03-01T00:00:00Z"},
      {"days since 2000-02-28", "365_day", 365, "2001-02-28T00:00:00Z"},
      {"days since 2001-02-28", "all_leap", 1, "2001-02-29T00:00:00Z"},
      {"days since 1859-12-01", "360_day", 52575, "2005-12-16T00:00:00Z"},
      {"months since 2018-01-01", "standard", 13, "2019-02-01T00:00:00Z"},
      {"months since 2018-01-01", "standard", 0.5, "2018-01-16T12:00:00Z"},
      {"years since 2000-06-15", "360_day", 2, "2002-06-15T00:00:00Z"},
      {"days since 0001-01-01", "standard", 736696, "2018-01-01T00:00:00Z"}, /* a Julian date: two days back */
      {"days since 0001-01-01", "proleptic_gregorian", 736696, "2018-01-03T00:00:00Z"},
      {"msec since 1970-01-01", NULL, 1500, "1970-01-01T00:00:01.500Z"},
      {"days since -0001-12-31 00:00:00", "noleap", 1, "0000-01-01T00:00:00Z"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct netcdf_time_units units;
    struct error error = {0};
    int64_t time;
    char text[40];
    ok(netcdf_time_units_parse(rows[i].units, rows[i].calendar, &units, &error), &error);
    ok(netcdf_times_decode(&units, &rows[i].value, 1, &time, &error), &error);
    instant_format(time, units.calendar, text);
    assert_string_equal(text, rows[i].date);
  }
}

static void bad_times_are_errors(void **state)
{
  static const char *const bad[] = {"furlongs since 1990-01-01",
                                    "days since tomorrow",
                                    "days since 1990-13-01",
                                    "days since 1990-01-01 25:00",
                                    "days since 1990-01-01 00:00 +99:99",
                                    "days since 99999999999999-01-01",
                                    "days since "};
  struct netcdf_time_units units;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct error error = {0};
    assert_int_equal(netcdf_time_units_parse(bad[i], NULL, &units, &error), -1);
    assert_string_equal(error.code, "FileContentInvalid");
  }
  struct error error = {0};
  assert_int_equal(netcdf_time_units_parse("days since 1990-01-01", "lunar", &units, &error), -1);
  error = (struct error){0};
  int64_t time;
  const double values[] = {NAN, 1e30, -1e300};
  ok(netcdf_time_units_parse("days since 1990-01-01", NULL, &units, &error), &error);
  for (size_t i = 0; i < 3; i++) {
    error = (struct error){0};
    assert_int_equal(netcdf_times_decode(&units, &values[i], 1, &time, &error), -1);
  }
}

enum storage {
  CLASSIC,
  CONTIGUOUS,
  CHUNKED,
  DEFLATED,
  SHUFFLED,
  CHECKSUMMED,
  BIG_ENDIAN_SHUFFLED,
  BIG_ENDIAN_PLAIN,
  SPARSE,
  STORAGE_COUNT
};

static void set_text(int file, int id, const char *name, const char *text)
{
  nc(nc_put_att_text(file, id, name, strlen(text), text));
}

/* time(4) lat(30) lon(50), latitudes ascending; values in *out. */
static void make_file(const char *path, enum storage storage, nc_type type, size_t size, unsigned char *out)
{
  int file, ids[3], axes[3], id;
  const size_t shape[3] = {4, 30, 50}, chunk[3] = {2, 16, 16};
  static const char *const names[] = {"time", "lat", "lon"};
  static const char *const units[] = {"days since 2018-01-01", "degrees_north", "degrees_east"};
  double labels[50];
  unlink(path);
  nc(nc_create(path, storage == CLASSIC ? NC_CLOBBER : NC_CLOBBER | NC_NETCDF4, &file));
  for (size_t d = 0; d < 3; d++) {
    nc(nc_def_dim(file, names[d], d == 0 ? NC_UNLIMITED : shape[d], &ids[d]));
    nc(nc_def_var(file, names[d], NC_DOUBLE, 1, &ids[d], &axes[d]));
    set_text(file, axes[d], "units", units[d]);
  }
  nc(nc_def_var(file, "v", type, 3, ids, &id));
  if (storage != CLASSIC && storage != CONTIGUOUS)
    nc(nc_def_var_chunking(file, id, NC_CHUNKED, chunk));
  if (storage == DEFLATED)
    nc(nc_def_var_deflate(file, id, 0, 1, 3));
  if (storage == SHUFFLED || storage == BIG_ENDIAN_SHUFFLED || storage == SPARSE)
    nc(nc_def_var_deflate(file, id, 1, 1, 1));
  if (storage == CHECKSUMMED)
    nc(nc_def_var_fletcher32(file, id, NC_FLETCHER32));
  if (storage == BIG_ENDIAN_SHUFFLED || storage == BIG_ENDIAN_PLAIN)
    nc(nc_def_var_endian(file, id, NC_ENDIAN_BIG));
  nc(nc_enddef(file));
  for (size_t d = 0; d < 3; d++) {
    const size_t zero = 0;
    for (size_t i = 0; i < shape[d]; i++)
      labels[i] = (double)i;
    nc(nc_put_vara_double(file, axes[d], &zero, &shape[d], labels));
  }
  uint32_t seed = 99;
  unsigned char *data = calloc(6000, size);
  for (size_t i = 0; i < 6000 * size; i++)
    data[i] = (unsigned char)(i % size == size - 1 ? 0x41 : next_random(&seed) % 50); /* never NaN */
  const size_t start[3] = {storage == SPARSE ? 1 : 0, 0, 0}, count[3] = {storage == SPARSE ? 1 : 4, 30, 50};
  nc(nc_put_vara(file, id, start, count, data));
  nc(nc_close(file));
  nc(nc_open(path, NC_NOWRITE, &file)); /* what the library reads is the truth, its own fill values missing */
  nc(nc_inq_varid(file, "v", &id));
  nc(nc_get_var(file, id, out));
  nc(nc_close(file));
  for (size_t i = 0; i < 6000 && type == NC_FLOAT; i++)
    if (((float *)out)[i] == NC_FILL_FLOAT)
      ((float *)out)[i] = NAN;
  for (size_t i = 0; i < 6000 && type == NC_DOUBLE; i++)
    if (((double *)out)[i] == NC_FILL_DOUBLE)
      ((double *)out)[i] = NAN;
  free(data);
}

static void every_storage_reads_alike(void **state)
{
  static const struct {
    nc_type type;
    size_t size;
  } types[] = {{NC_BYTE, 1}, {NC_SHORT, 2}, {NC_INT, 4}, {NC_FLOAT, 4}, {NC_DOUBLE, 8}};
  struct world *w = *state;
  unsigned char *truth = malloc(6000 * 8);
  for (enum storage storage = CLASSIC; storage < STORAGE_COUNT; storage++)
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
      make_file(w->path, storage, types[i].type, types[i].size, truth);
      const struct source *source = open_source(w, NULL);
      assert_int_equal(source->cube.dimensions, 4);
      assert_string_equal(source->cube.dimension[0].name, "t");
      assert_string_equal(source->cube.dimension[1].name, "bands");
      assert_string_equal(source->cube.crs, "EPSG:4326");
      assert_true(source->cube.dimension[2].step == 1); /* as in the file: ascending */
      unsigned char *back = read_all(source);
      assert_memory_equal(back, truth, 6000 * types[i].size);
      free(back);
      check_boxes(source, (uint32_t)storage + 1);
    }
  free(truth);
}

static void selections(void **state)
{
  struct world *w = *state;
  float truth[6000];
  make_file(w->path, SHUFFLED, NC_FLOAT, 4, (unsigned char *)truth);
  const struct extent extent = {.west = 9.6, .south = 3, .east = 20, .north = 7, .crs = "EPSG:4326"};
  const char *const bands[] = {"v"};
  const struct netcdf_selection selection = {.extent = &extent,
                                             .has_start = true,
                                             .has_end = true,
                                             .start = three_days[0] + MS_PER_DAY,
                                             .end = three_days[0] + 3 * MS_PER_DAY,
                                             .bands = bands,
                                             .band_count = 1};
  const struct source *source = open_source(w, &selection);
  assert_int_equal(source->cube.dimension[0].size, 2);
  assert_int_equal(source->cube.dimension[2].size, 4);  /* 3, 4, 5, 6: half-open */
  assert_int_equal(source->cube.dimension[3].size, 10); /* 10 … 19 */
  assert_int_equal(source->block[3], 16);
  assert_int_equal(source->block_phase[3], 6); /* the chunk border at 16 */
  float *back = read_all(source);
  for (size_t t = 0; t < 2; t++)
    for (size_t y = 0; y < 4; y++)
      for (size_t x = 0; x < 10; x++)
        assert_true(back[(t * 4 + y) * 10 + x] == truth[((t + 1) * 30 + y + 3) * 50 + x + 10]);
  free(back);
  check_boxes(source, 5);

  struct error error = {0};
  const struct source *none;
  const struct netcdf_file file = {.path = w->path};
  const struct extent far = {.west = 100, .south = 3, .east = 110, .north = 7, .crs = "EPSG:4326"};
  assert_int_equal(netcdf_source(w->arena, &file, &(struct netcdf_selection){.extent = &far}, &none, &error), -1);
  assert_string_equal(error.code, "NoDataAvailable");
  error = (struct error){0};
  const char *const wrong[] = {"w"};
  assert_int_equal(
      netcdf_source(w->arena, &file, &(struct netcdf_selection){.bands = wrong, .band_count = 1}, &none, &error), -1);
  assert_string_equal(error.code, "BandNotAvailable");
  error = (struct error){0};
  const struct netcdf_selection empty = {.has_start = true, .has_end = true, .start = 5, .end = 5};
  assert_int_equal(netcdf_source(w->arena, &file, &empty, &none, &error), -1);
  assert_string_equal(error.code, "TemporalExtentEmpty");
}

/* Whether two sources have one identity. */
static bool same_identity(const struct source *a, const struct source *b)
{
  struct buffer x = {0}, y = {0};
  a->ops->identity(a, &x);
  b->ops->identity(b, &y);
  bool same = x.length == y.length && memcmp(x.data, y.data, x.length) == 0;
  assert_false(x.failed || y.failed);
  buffer_free(&x);
  buffer_free(&y);
  return same;
}

static void selections_and_no_data_are_of_the_identity(void **state)
{
  struct world *w = *state;
  float truth[6000];
  struct error error = {0};
  make_file(w->path, SHUFFLED, NC_FLOAT, 4, (unsigned char *)truth);
  const struct extent extent = {.west = 9.6, .south = 3, .east = 20, .north = 7, .crs = "EPSG:4326"};
  const struct netcdf_selection box = {.extent = &extent}, times = {.has_start = true, .start = three_days[0] + 1};
  const struct source *all = open_source(w, NULL), *other;
  assert_true(same_identity(all, open_source(w, NULL)));
  assert_false(same_identity(all, open_source(w, &box)));
  assert_false(same_identity(all, open_source(w, &times)));
  const struct netcdf_file marked = {.path = w->path, .has_nodata = true, .nodata = 3};
  ok(netcdf_source(w->arena, &marked, NULL, &other, &error), &error);
  assert_false(same_identity(all, other));
}

/* A global grid from 0 to 360: an extent over Greenwich takes its pixels from both ends. */
static void longitudes_are_a_circle(void **state)
{
  struct world *w = *state;
  int file, ids[2], axes[2], id;
  double lon[36], lat[3] = {10, 0, -10};
  int values[108];
  for (int i = 0; i < 36; i++)
    lon[i] = 10 * i;
  for (int i = 0; i < 108; i++)
    values[i] = i;
  nc(nc_create(w->path, NC_CLOBBER | NC_NETCDF4, &file));
  nc(nc_def_dim(file, "lat", 3, &ids[0]));
  nc(nc_def_dim(file, "lon", 36, &ids[1]));
  nc(nc_def_var(file, "lat", NC_DOUBLE, 1, &ids[0], &axes[0]));
  nc(nc_def_var(file, "lon", NC_DOUBLE, 1, &ids[1], &axes[1]));
  nc(nc_def_var(file, "v", NC_INT, 2, ids, &id));
  nc(nc_enddef(file));
  nc(nc_put_var_double(file, axes[0], lat));
  nc(nc_put_var_double(file, axes[1], lon));
  nc(nc_put_var_int(file, id, values));
  nc(nc_close(file));
  const struct extent extent = {.west = -25, .south = -5, .east = 15, .north = 5, .crs = "EPSG:4326"};
  const struct source *source = open_source(w, &(struct netcdf_selection){.extent = &extent});
  const struct dimension *x = &source->cube.dimension[2];
  assert_int_equal(x->size, 4); /* -20, -10, 0, 10 */
  assert_int_equal(x->labels, LABEL_STEP);
  assert_true(x->start == -20 && x->step == 10);
  int *back = read_all(source);
  const int expected[4] = {36 + 34, 36 + 35, 36, 37};
  assert_memory_equal(back, expected, sizeof expected);
  free(back);
}

/* Two variables whose types or missing values differ. */
static const struct source *two_variables(struct world *w, nc_type type_a, nc_type type_b, const int *fill_a,
                                          const int *fill_b)
{
  int file, dimension, a, b;
  const int data_a[4] = {1, 2, 3, 4}, data_b[4] = {1, 2, -3, 4};
  nc(nc_create(w->path, NC_CLOBBER | NC_NETCDF4, &file));
  nc(nc_def_dim(file, "n", 4, &dimension));
  nc(nc_def_var(file, "a", type_a, 1, &dimension, &a));
  nc(nc_def_var(file, "b", type_b, 1, &dimension, &b));
  if (fill_a != NULL)
    nc(nc_put_att_int(file, a, "_FillValue", type_a, 1, fill_a));
  if (fill_b != NULL)
    nc(nc_put_att_int(file, b, "_FillValue", type_b, 1, fill_b));
  nc(nc_put_var_int(file, a, data_a));
  nc(nc_put_var_int(file, b, data_b));
  nc(nc_close(file));
  return open_source(w, NULL);
}

static void types_and_missing_values_are_reconciled(void **state)
{
  const int one = 1, minus_three = -3;
  const struct source *s = two_variables(*state, NC_UBYTE, NC_SHORT, NULL, NULL);
  assert_int_equal(s->cube.type, ELEMENT_I16);
  assert_true(s->cube.has_nodata && s->cube.nodata == NC_FILL_SHORT); /* no byte is that */
  int16_t *narrow = read_all(s);
  assert_int_equal(narrow[2 * 2 + 1], -3); /* (n, bands) */
  free(narrow);
  s = two_variables(*state, NC_UINT, NC_BYTE, NULL, NULL);
  assert_int_equal(s->cube.type, ELEMENT_I64);
  s = two_variables(*state, NC_SHORT, NC_SHORT, &minus_three, &minus_three);
  assert_int_equal(s->cube.type, ELEMENT_I16);
  assert_true(s->cube.nodata == -3);
  s = two_variables(*state, NC_INT, NC_BYTE, &one, &one);
  assert_int_equal(s->cube.type, ELEMENT_I32);
  assert_true(s->cube.has_nodata && s->cube.nodata == 1);
  s = two_variables(*state, NC_INT, NC_INT, &one, &minus_three);
  assert_int_equal(s->cube.type, ELEMENT_F64);
  s = two_variables(*state, NC_SHORT, NC_BYTE, &one, &minus_three);
  assert_int_equal(s->cube.type, ELEMENT_F32);
  assert_true(s->cube.has_nodata && isnan(s->cube.nodata));
  float *values = read_all(s);
  const float expected[8] = {NAN, 1, 2, 2, 3, NAN, 4, 4};
  for (size_t i = 0; i < 8; i++)
    assert_true(values[i] == expected[i] || (isnan(values[i]) && isnan(expected[i])));
  free(values);
}

static void unsigned_labels_and_own_bands(void **state)
{
  struct world *w = *state;
  int file, ids[3], id, label;
  const short values[8] = {-1, 0, 1, 2, -2, 5, 6, 7};
  const short fill = -1;
  nc(nc_create(w->path, NC_CLOBBER, &file));
  nc(nc_def_dim(file, "band", 2, &ids[0]));
  nc(nc_def_dim(file, "x", 4, &ids[1]));
  nc(nc_def_dim(file, "length", 3, &ids[2]));
  nc(nc_def_var(file, "band", NC_CHAR, 2, (int[]){ids[0], ids[2]}, &label));
  nc(nc_def_var(file, "v", NC_SHORT, 2, ids, &id));
  set_text(file, id, "_Unsigned", "true");
  nc(nc_put_att_short(file, id, "_FillValue", NC_SHORT, 1, &fill));
  nc(nc_enddef(file));
  nc(nc_put_var_text(file, label, "redB8 "));
  nc(nc_put_var_short(file, id, values));
  nc(nc_close(file));
  const char *const bands[] = {"B8", "red"};
  const struct source *source = open_source(w, &(struct netcdf_selection){.bands = bands, .band_count = 2});
  assert_int_equal(source->cube.dimensions, 2); /* the file's own bands, no others */
  assert_int_equal(source->cube.dimension[0].type, DIMENSION_BANDS);
  assert_string_equal(source->cube.dimension[0].texts[0], "B8");
  assert_true(source->cube.dimension[1].enumerated);
  assert_int_equal(source->cube.type, ELEMENT_U16);
  assert_true(source->cube.nodata == 65535);
  uint16_t *back = read_all(source);
  const uint16_t expected[8] = {65534, 5, 6, 7, 65535, 0, 1, 2};
  assert_memory_equal(back, expected, sizeof expected);
  free(back);
}

static void curvilinear_grids_have_no_crs(void **state)
{
  struct world *w = *state;
  int file, ids[2], lat, lon, v;
  nc(nc_create(w->path, NC_CLOBBER, &file));
  nc(nc_def_dim(file, "nj", 2, &ids[0]));
  nc(nc_def_dim(file, "ni", 3, &ids[1]));
  nc(nc_def_var(file, "lat", NC_DOUBLE, 2, ids, &lat));
  nc(nc_def_var(file, "lon", NC_DOUBLE, 2, ids, &lon));
  nc(nc_def_var(file, "sst", NC_FLOAT, 2, ids, &v));
  set_text(file, v, "coordinates", "lat lon");
  nc(nc_close(file));
  const struct source *source = open_source(w, NULL);
  assert_null(source->cube.crs);
  assert_int_equal(source->cube.dimensions, 3);
  assert_true(source->cube.dimension[0].enumerated && source->cube.dimension[1].enumerated);
  assert_int_equal(source->cube.dimension[2].size, 1); /* sst alone; lat and lon are its coordinates */
  const struct extent extent = {.west = 0, .south = 0, .east = 1, .north = 1};
  struct error error = {0};
  const struct source *none;
  const int result = netcdf_source(w->arena, &(struct netcdf_file){.path = w->path},
                                   &(struct netcdf_selection){.extent = &extent}, &none, &error);
  assert_true(result == 0 || error_is(&error, ERROR_CRSInvalid));
}

/* CF parameters of UTM 31 give the same CRS as its code; kilometres become metres. */
static void grid_mapping_by_parameters(void **state)
{
  struct world *w = *state;
  int file, ids[2], axes[2], v, map;
  const double x[3] = {500, 501, 502}, y[2] = {5000, 4999};
  nc(nc_create(w->path, NC_CLOBBER, &file));
  nc(nc_def_dim(file, "northing", 2, &ids[0]));
  nc(nc_def_dim(file, "easting", 3, &ids[1]));
  nc(nc_def_var(file, "northing", NC_DOUBLE, 1, &ids[0], &axes[0]));
  nc(nc_def_var(file, "easting", NC_DOUBLE, 1, &ids[1], &axes[1]));
  set_text(file, axes[0], "units", "km");
  set_text(file, axes[1], "units", "km");
  nc(nc_def_var(file, "v", NC_FLOAT, 2, ids, &v));
  set_text(file, v, "grid_mapping", "utm: easting northing");
  nc(nc_def_var(file, "utm", NC_INT, 0, NULL, &map));
  set_text(file, map, "grid_mapping_name", "transverse_mercator");
  const double parameters[] = {0, 3, 0.9996, 500, 0, 6378137, 298.257223563};
  static const char *const names[] = {"latitude_of_projection_origin",
                                      "longitude_of_central_meridian",
                                      "scale_factor_at_central_meridian",
                                      "false_easting",
                                      "false_northing",
                                      "semi_major_axis",
                                      "inverse_flattening"};
  for (size_t i = 0; i < 7; i++)
    nc(nc_put_att_double(file, map, names[i], NC_DOUBLE, 1, &parameters[i]));
  nc(nc_enddef(file));
  nc(nc_put_var_double(file, axes[0], y));
  nc(nc_put_var_double(file, axes[1], x));
  nc(nc_close(file));
  const struct source *source = open_source(w, NULL);
  assert_string_equal(source->cube.crs, "EPSG:32631");
  assert_true(source->cube.dimension[2].start == 500000 && source->cube.dimension[2].step == 1000);
  assert_true(source->cube.dimension[1].start == 5000000 && source->cube.dimension[1].step == -1000);
}

/* ---- damage ---- */

/* An error with the right code and name, or numbers; asserts by abort, for it runs in a child. */
static void read_quietly(const char *path)
{
  struct error error = {0};
  const struct source *source;
  struct arena *arena = arena_new(0);
  if (netcdf_source(arena, &(struct netcdf_file){.path = path}, NULL, &source, &error) == 0) {
    struct source_reader *reader = NULL;
    const struct box box = cube_box(&source->cube);
    if (cube_bytes(&source->cube) < 1 << 24 && source->ops->open(source, 1, &reader, &error) == 0) {
      void *data = malloc(cube_bytes(&source->cube) + 1);
      if (source->ops->read(reader, &box, data, &error) != 0) {
        if (!error_is(&error, ERROR_FileContentInvalid) || strstr(error.message, "file.nc") == NULL)
          abort();
      }
      free(data);
      source->ops->close(reader);
    }
  } else if (!error_is_set(&error)) {
    abort();
  }
  arena_free(arena);
}

static size_t slurp(const char *path, unsigned char *bytes, size_t room)
{
  FILE *file = fopen(path, "rb");
  const size_t n = fread(bytes, 1, room, file);
  fclose(file);
  return n;
}

static void spill(const char *path, const unsigned char *bytes, size_t n)
{
  unlink(path); /* a new file each time: the library may keep a broken one open */
  FILE *file = fopen(path, "wb");
  fwrite(bytes, 1, n, file);
  fclose(file);
}

enum { FILE_ROOM = 1 << 20 };

static void read_damaged(const char *path, enum storage storage)
{
  unsigned char *bytes = malloc(FILE_ROOM), *copy = malloc(FILE_ROOM), *truth = malloc(6000 * 4);
  uint32_t seed = 4;
  make_file(path, storage, NC_FLOAT, 4, truth);
  const size_t n = slurp(path, bytes, FILE_ROOM);
  for (size_t i = 1; i < 30; i++) { /* cut short */
    spill(path, bytes, n * i / 30);
    read_quietly(path);
  }
  for (size_t i = 0; i < 150; i++) { /* one byte changed */
    memcpy(copy, bytes, n);
    copy[next_random(&seed) % n] ^= (unsigned char)(1 + next_random(&seed) % 255);
    spill(path, copy, n);
    read_quietly(path);
  }
  free(bytes);
  free(copy);
  free(truth);
}

/* In a process of its own: a crash counts as such, and what NetCDF-C leaks after a failed open does not. */
static void damage_never_crashes(void **state)
{
  static const enum storage kinds[] = {CLASSIC, SHUFFLED, CHECKSUMMED};
  struct world *w = *state;
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
      alarm(120);
      read_damaged(w->path, kinds[k]);
      _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
  }
}

static void damaged_files_are_errors(void **state)
{
  struct world *w = *state;
  unsigned char *bytes = malloc(FILE_ROOM), *truth = malloc(6000 * 4);
  struct error error = {0};
  const struct cube *cube;
  for (enum storage storage = CLASSIC; storage <= SHUFFLED; storage++)
    for (size_t i = 0; i < 20; i++) { /* part of a file is never read as a whole one */
      make_file(w->path, storage, NC_FLOAT, 4, truth);
      const size_t n = slurp(w->path, bytes, FILE_ROOM);
      spill(w->path, bytes, i == 0 ? n - 16 : n * i / 20);
      error = (struct error){0};
      assert_int_equal(netcdf_inspect(w->arena, w->path, NULL, &cube, NULL, &error), -1);
      assert_string_equal(error.code, "FileContentInvalid");
      assert_non_null(strstr(error.message, "file.nc"));
    }
  unlink(w->path);
  error = (struct error){0};
  assert_int_equal(netcdf_inspect(w->arena, w->path, NULL, &cube, NULL, &error), -1);
  assert_string_equal(error.code, "FileContentInvalid");
  error = (struct error){0};
  assert_int_equal(netcdf_inspect(w->arena, "https://example.org/a.nc", NULL, &cube, NULL, &error), -1);
  assert_string_equal(error.code, "FileContentInvalid");
  free(bytes);
  free(truth);
}

/* ---- rows ---- */

static void shuffle_and_unpack_are_inverse(void **state)
{
  unsigned char plain[8 * 101], planes[8 * 101], back[8 * 101];
  uint32_t seed = 1;
  (void)state;
  for (size_t i = 0; i < sizeof plain; i++)
    plain[i] = (unsigned char)next_random(&seed);
  for (size_t size = 1; size <= 8; size *= 2) {
    netcdf_shuffle(plain, 101, size, planes);
    const struct netcdf_packed packed = {.data = planes,
                                         .elements = 101,
                                         .size = size,
                                         .shuffled = true,
                                         .big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__};
    netcdf_unpack(&packed, 7, 80, back);
    assert_memory_equal(back, plain + 7 * size, 80 * size);
  }
}

/* ---- real files ---- */

static size_t seen, understood;

static int inspect_file(const char *path, const struct stat *status, int flag, struct FTW *place)
{
  const size_t length = strlen(path);
  (void)status;
  (void)place;
  if (flag != FTW_F || length < 3 || strcmp(path + length - 3, ".nc") != 0)
    return 0;
  struct arena *arena = arena_new(0);
  struct error error = {0};
  const struct cube *cube = NULL;
  seen++;
  if (netcdf_inspect(arena, path, NULL, &cube, NULL, &error) == 0) {
    understood++;
    assert_true(cube->dimensions > 0);
  } else {
    print_message("%s: %s\n", error.code, error.message);
  }
  arena_free(arena);
  return 0;
}

static void real_files(void **state)
{
  struct world *w = *state;
  const char *shared = getenv("TWINCUBE_SHARED");
  if (shared == NULL || *shared == '\0') {
    print_message("SKIPPED: TWINCUBE_SHARED is not set, no real netCDF file was read\n");
    skip();
  }
  char path[1024];
  snprintf(path, sizeof path, "%s/data", shared);
  nftw(path, inspect_file, 16, FTW_PHYS);
  print_message("%zu real files, %zu as cubes\n", seen, understood);
  assert_true(seen > 0 && understood == seen);

  snprintf(path, sizeof path, "%s/data/eo/gfmap_openeo_S2_cubes/results/cdse_sentinel2_l2a.nc", shared);
  struct error error = {0};
  const struct cube *cube;
  ok(netcdf_inspect(w->arena, path, NULL, &cube, NULL, &error), &error);
  assert_string_equal(cube->crs, "EPSG:32631");
  assert_int_equal(cube->type, ELEMENT_U16);
  assert_int_equal(cube->dimension[cube_find_type(cube, DIMENSION_BANDS)].size, 6);
  char room[LABEL_TEXT_ROOM];
  assert_string_equal(dimension_label_text(&cube->dimension[0], 0, room), "2023-04-02T00:00:00Z");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      CASE(dates_of_all_units_and_calendars),
      CASE(bad_times_are_errors),
      CASE(every_storage_reads_alike),
      CASE(selections),
      CASE(selections_and_no_data_are_of_the_identity),
      CASE(longitudes_are_a_circle),
      CASE(types_and_missing_values_are_reconciled),
      CASE(unsigned_labels_and_own_bands),
      CASE(curvilinear_grids_have_no_crs),
      CASE(grid_mapping_by_parameters),
      CASE(damage_never_crashes),
      CASE(damaged_files_are_errors),
      CASE(shuffle_and_unpack_are_inverse),
      CASE(real_files),
  };
  return cmocka_run_group_tests_name("datacube_netcdf_source", tests, NULL, NULL);
}
