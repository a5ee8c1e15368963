/* A file of features as a collection: its cube is described once, its properties of numbers are the bands. */
#include "stac/scan.h"

#include "datacube/source/vector_file.h"

int scan_vector(struct scan *scan, const char *path, struct error *error)
{
  const struct catalogue_add_options *options = scan->options;
  const struct vector_file file = {.path = path, .crs = options->crs};
  const struct vector_selection all = {.bands = NULL};
  const struct source *source;
  const struct band_info none = {.scale = 1};
  size_t index;
  if (options->datetime_regex || options->band_regex || options->resolution > 0 || options->nodata_count > 0)
    return error_parameter(error, ERROR_FeatureUnsupported, "path",
                           "%s holds features: of the options only --id and --crs are for it", path);
  if (vector_file_source(scan->arena, &file, &all, &source, error) != 0)
    return error_at_parameter(error, "path");
  const struct cube *cube = &source->cube;
  size_t bands = cube_find_type(cube, DIMENSION_BANDS);
  scan->cube_path = path;
  scan->file_cube = cube;
  scan->crs = cube->crs;
  scan->files = 1;
  for (size_t i = 0; bands != SIZE_MAX && i < cube->dimension[bands].size; i++) {
    if (scan_find_band(scan, cube->dimension[bands].texts[i], &none, &index, error) != 0)
      return -1;
    scan->bands[index].type = cube->type;
  }
  return 0;
}
