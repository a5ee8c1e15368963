/* twincube-demo DIR: the data that server/run shows and that tests use where there are no real ones.
 *
 * Writes a year of a small Sentinel-2-like series into DIR: GeoTIFF files S2B_<tile>_<date>_<band>.tif, 10 m,
 * EPSG:32632, bands B02, B03, B04, B08 (uint16, reflectance * 10 000, no data 0) and QA (uint8, classes of
 * demo_scene.h). Tile 32UPU has every date; tile 32UQU lies east of it, overlaps it and has some of them. The same
 * bytes every time. */
#include "datacube/sink.h"
#include "server/demo_scene.h"
#include "server/store/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double west = 690000, north = 5361120, resolution = 10;
static const char *const band_names[DEMO_BAND_COUNT] = {"B02", "B03", "B04", "B08", "QA"};

struct tile_window { /* columns of the landscape that a tile covers */
  const char *name;
  size_t first, width;
};
static const struct tile_window tiles[] = {{"32UPU", 0, 512}, {"32UQU", 400, 256}};
enum { TILE_COUNT = sizeof tiles / sizeof tiles[0] };

struct acquisition {
  const char *date; /* YYYYMMDD */
  int day_of_year;
  double cloudiness; /* see struct demo_scene */
  double swath_edge;
  bool east; /* whether the eastern tile has the date too */
};
static const struct acquisition acquisitions[] = {
    {"20240114", 14, 0.45, 9999, true},  {"20240223", 54, 0.52, 470, false},   {"20240319", 79, 0.28, 9999, true},
    {"20240408", 99, 0.15, 9999, true},  {"20240428", 119, 0.55, 9999, true},  {"20240513", 134, 0.22, 430, false},
    {"20240612", 164, 0.40, 9999, true}, {"20240627", 179, 0.20, 9999, false}, {"20240722", 204, 0.30, 9999, true},
    {"20240811", 224, 0.08, 520, false}, {"20240831", 244, 0.42, 9999, true},  {"20240920", 264, 0.12, 9999, true},
    {"20241015", 289, 0.30, 9999, true}, {"20241124", 329, 0.60, 500, false},
};
enum { ACQUISITION_COUNT = sizeof acquisitions / sizeof acquisitions[0] };

static struct cube describe(const struct tile_window *tile, size_t band)
{
  struct cube cube = {.dimensions = 3,
                      .type = band == DEMO_QA ? ELEMENT_U8 : ELEMENT_U16,
                      .has_nodata = true,
                      .nodata = 0,
                      .crs = "EPSG:32632",
                      .title = "twincube demonstration data"};
  cube.dimension[0] = dimension_texts("bands", DIMENSION_BANDS, &band_names[band], 1);
  cube.dimension[1] = dimension_steps("y", 'y', north - resolution / 2, -resolution, DEMO_HEIGHT);
  cube.dimension[2] =
      dimension_steps("x", 'x', west + resolution * ((double)tile->first + 0.5), resolution, tile->width);
  return cube;
}

static int write_band(const char *path, const struct cube *cube, const void *values, struct error *error)
{
  const struct sink_request request = {.format = "GTiff", .path = path, .history = "made by twincube-demo"};
  struct sink *sink;
  if (sink_format_find(request.format)->open(&request, cube, &sink, error) != 0)
    return -1;
  const struct box all = cube_box(cube);
  int status = sink->ops->put(sink, &all, values, error);
  if (status == 0)
    status = sink->ops->finish(sink, error);
  sink->ops->close(sink);
  return status;
}

/* The scene's bands, one after the other: values[band * pixels + pixel]. */
static void fill_scene(const struct demo_landscape *landscape, const struct tile_window *tile,
                       const struct acquisition *acquisition, uint16_t *values)
{
  const struct demo_scene scene = {acquisition->day_of_year, (unsigned)tile->first, acquisition->cloudiness,
                                   acquisition->swath_edge};
  size_t pixels = tile->width * DEMO_HEIGHT;
  for (size_t i = 0; i < pixels; i++) {
    uint16_t bands[DEMO_BAND_COUNT];
    demo_pixel(landscape, &scene, tile->first + i % tile->width, i / tile->width, bands);
    for (size_t b = 0; b < DEMO_BAND_COUNT; b++)
      values[b * pixels + i] = bands[b];
  }
}

static void narrow(const uint16_t *values, size_t count, uint8_t *out)
{
  for (size_t i = 0; i < count; i++)
    out[i] = (uint8_t)values[i];
}

static int write_scene(const char *folder, const struct tile_window *tile, const struct acquisition *acquisition,
                       uint16_t *values, struct error *error)
{
  size_t pixels = tile->width * DEMO_HEIGHT;
  for (size_t b = 0; b < DEMO_BAND_COUNT; b++) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/S2B_%s_%s_%s.tif", folder, tile->name, acquisition->date, band_names[b]) >=
        (int)sizeof path)
      return error_set(error, "StorageFailure", "the name of the folder is too long");
    const struct cube cube = describe(tile, b);
    uint16_t *band = values + b * pixels;
    if (cube.type == ELEMENT_U8)
      narrow(band, pixels, (uint8_t *)band);
    if (write_band(path, &cube, band, error) != 0)
      return -1;
  }
  return 0;
}

static int write_series(const char *folder, const struct demo_landscape *landscape, uint16_t *values,
                        struct error *error)
{
  for (size_t a = 0; a < ACQUISITION_COUNT; a++)
    for (size_t t = 0; t < TILE_COUNT; t++) {
      if (t > 0 && !acquisitions[a].east)
        continue;
      fill_scene(landscape, &tiles[t], &acquisitions[a], values);
      if (write_scene(folder, &tiles[t], &acquisitions[a], values, error) != 0)
        return -1;
    }
  return 0;
}

int main(int argc, char **argv)
{
  if (argc != 2 || argv[1][0] == '-') {
    fputs("usage: twincube-demo DIR\nWrites a made-up Sentinel-2-like series of 2024 into DIR.\n",
          argc == 2 ? stdout : stderr);
    return argc == 2 ? 0 : 2;
  }
  struct error error = {0};
  struct demo_landscape *landscape = demo_landscape_new();
  uint16_t *values = malloc(sizeof *values * DEMO_BAND_COUNT * DEMO_WIDTH * DEMO_HEIGHT);
  int status = landscape && values ? folder_make(argv[1], &error) : error_memory(&error);
  if (status == 0)
    status = write_series(argv[1], landscape, values, &error);
  if (status != 0)
    fprintf(stderr, "%s: %s\n", error.code, error.message);
  free(values);
  demo_landscape_free(landscape);
  return status == 0 ? 0 : 1;
}
