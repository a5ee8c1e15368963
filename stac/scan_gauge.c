/* A file of a lattice gauge field as a collection of one configuration. */
#include "stac/scan.h"

#include "datacube/source/gauge_source.h"

int scan_gauge(struct scan *scan, const char *path, struct error *error)
{
  const struct catalogue_add_options *options = scan->options;
  const struct source *source;
  if (options->datetime_regex || options->band_regex || options->resolution > 0 || options->nodata_count > 0 ||
      options->crs)
    return error_parameter(error, ERROR_FeatureUnsupported, "path",
                           "%s holds a gauge field: of the options only --id is for it", path);
  if (gauge_source(scan->arena, &path, 1, &source, error) != 0)
    return error_at_parameter(error, "path");
  scan->cube_path = path;
  scan->files = 1;
  return scan_take_cube(scan, &source->cube, error);
}
