/* The table of output formats, and the look-up by name or alias. A new format is a driver file and one row here. */
#include "datacube/sink/formats.h"

#include <strings.h>

const struct sink_format *const sink_formats[] = {
    &sink_format_csv,        &sink_format_coverage_json, &sink_format_shapefile,
    &sink_format_flatgeobuf, &sink_format_geojson,       &sink_format_gpkg,
    &sink_format_gtiff,      &sink_format_ildg,          &sink_format_jpeg,
    &sink_format_json,       &sink_format_milc,          &sink_format_nersc,
    &sink_format_netcdf,     &sink_format_openqcd,       &sink_format_png,
    &sink_format_parquet,    &sink_format_webp,          &sink_format_zarr,
    NULL,
};

const struct sink_alias sink_aliases[] = {
    {"COG", &sink_format_gtiff, true},
    {"GeoTIFF", &sink_format_gtiff, true},
    {"TIFF", &sink_format_gtiff, false},
    {"TIF", &sink_format_gtiff, false},
    {"GTIF", &sink_format_gtiff, false},
    {"CoverageJSON", &sink_format_coverage_json, true},
    {"FGB", &sink_format_flatgeobuf, false},
    {"GeoPackage", &sink_format_gpkg, true},
    {"GeoParquet", &sink_format_parquet, true},
    {"Shapefile", &sink_format_shapefile, true},
    {"SHP", &sink_format_shapefile, false},
    {"LIME", &sink_format_ildg, true},
    {"JPG", &sink_format_jpeg, true},
    {"HDF5", &sink_format_netcdf, true},
    {"NC", &sink_format_netcdf, false},
    {"NC4", &sink_format_netcdf, false},
    {"netCDF4", &sink_format_netcdf, true},
    {"netCDF-4", &sink_format_netcdf, false},
    {NULL, NULL, false},
};

const struct sink_format *sink_format_find(const char *name)
{
  if (name == NULL)
    return NULL;
  for (size_t i = 0; sink_formats[i] != NULL; i++)
    if (strcasecmp(name, sink_formats[i]->name) == 0)
      return sink_formats[i];
  for (size_t i = 0; sink_aliases[i].name != NULL; i++)
    if (strcasecmp(name, sink_aliases[i].name) == 0)
      return sink_aliases[i].format;
  return NULL;
}

bool sink_format_knows(const struct sink_format *format, const char *option)
{
  for (size_t i = 0; format->options != NULL && format->options[i] != NULL; i++)
    if (strcasecmp(option, format->options[i]) == 0)
      return true;
  return false;
}
