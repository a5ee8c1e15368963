/* A netCDF file as a collection: its cube is described once, its variables are the bands. */
#include "stac/scan.h"

#include "datacube/source/netcdf_source.h"

#include <string.h>

static int take_bands(struct scan *scan, const struct cube *cube, struct error *error)
{
  size_t bands = cube_find_type(cube, DIMENSION_BANDS), count = bands == SIZE_MAX ? 1 : cube->dimension[bands].size;
  const struct band_info none = {.scale = 1};
  size_t index;
  for (size_t i = 0; i < count; i++) {
    char room[LABEL_TEXT_ROOM];
    const char *name = bands == SIZE_MAX ? "data" : dimension_label_text(&cube->dimension[bands], i, room);
    if (scan_find_band(scan, name, cube->bands ? &cube->bands[i] : &none, &index, error) != 0)
      return -1;
    struct scan_band *band = &scan->bands[index];
    band->type = cube->type;
    band->has_nodata = cube->has_nodata;
    band->nodata = cube->nodata;
  }
  return 0;
}

static int check_options(const struct catalogue_add_options *options, struct error *error)
{
  if (options->datetime_regex || options->band_regex)
    return error_parameter(error, ERROR_FeatureUnsupported, options->datetime_regex ? "datetime" : "band",
                           "a netCDF file names its dates and bands itself");
  if (options->resolution > 0)
    return error_parameter(error, ERROR_FeatureUnsupported, "resolution",
                           "a netCDF file keeps its own grid; use resample_spatial in the graph");
  for (size_t i = 0; i < options->nodata_count; i++)
    if (options->nodata[i].band)
      return error_parameter(error, ERROR_FeatureUnsupported, "nodata",
                             "a netCDF file has one no-data value for all its bands: give VALUE without a band");
  return 0;
}

int scan_take_cube(struct scan *scan, const struct cube *cube, struct error *error)
{
  const size_t t = cube_find_type(cube, DIMENSION_TEMPORAL);
  scan->file_cube = cube;
  if (!scan->title)
    scan->title = cube->title;
  scan->date_count = t == SIZE_MAX ? 0 : cube->dimension[t].size;
  return take_bands(scan, cube, error);
}

int scan_netcdf(struct scan *scan, const char *path, struct error *error)
{
  const struct catalogue_add_options *options = scan->options;
  if (check_options(options, error) != 0)
    return -1;
  if (options->crs && crs_canonical(scan->arena, options->crs, &scan->crs, error) != 0)
    return error_at_parameter(error, "crs");
  const char *left_out;
  if (netcdf_inspect(scan->arena, path, scan->crs, &scan->file_cube, &left_out, error) != 0)
    return -1;
  if (left_out)
    scan_warn(scan, "%s: left out: %s; what lies over other dimensions is a collection of its own: add FILE:VARIABLE",
              path, left_out);
  scan->cube_path = path;
  scan->files = 1;
  return scan_take_cube(scan, scan->file_cube, error);
}
