/* The table, and the bytes that files of a format begin with. */
#include "processes/load/input_format.h"

#include "datacube/grib/grib_sections.h"
#include "datacube/sink.h"
#include "datacube/source/gauge_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NO_PARAMETERS "{}"
#define LAYER "{\"layer\":{\"type\":\"string\",\"description\":\"Name of the layer, where the file has several.\"}}"
#define VARIABLE                                                                                                       \
  "{\"variable\":{\"type\":\"string\",\"description\":\"Loads the variables over the dimensions of this one; by "      \
  "default those over the commonest dimensions.\"}}"

const struct input_format input_formats[] = {
    {"CSV", "Comma-separated values", INPUT_FEATURES, ".csv", NULL, NO_PARAMETERS},
    {"ESRI Shapefile", "Shapefile, its parts as files of one name, or zipped", INPUT_FEATURES, NULL, NULL,
     NO_PARAMETERS},
    {"FlatGeobuf", "FlatGeobuf", INPUT_FEATURES, ".fgb", NULL, NO_PARAMETERS},
    {"GPKG", "OGC GeoPackage", INPUT_FEATURES, ".gpkg", "layer", LAYER},
    {"GRIB", "GRIB 1 and 2 on regular and projected grids", INPUT_NETCDF, NULL, "variable", VARIABLE},
    {"GTiff", "GeoTIFF, cloud-optimized or not", INPUT_RASTER, NULL, NULL, NO_PARAMETERS},
    {"GeoJSON", "GeoJSON", INPUT_FEATURES, ".geojson", NULL, NO_PARAMETERS},
    {"ILDG", "Lattice gauge fields in LIME files: ILDG, SciDAC", INPUT_GAUGE, NULL, NULL, NO_PARAMETERS},
    {"JP2OpenJPEG", "JPEG 2000", INPUT_RASTER, NULL, NULL, NO_PARAMETERS},
    {"MILC", "Lattice gauge fields of MILC, version 5", INPUT_GAUGE, NULL, NULL, NO_PARAMETERS},
    {"NERSC", "Lattice gauge fields of the NERSC archive", INPUT_GAUGE, NULL, NULL, NO_PARAMETERS},
    {"PNG", "Portable Network Graphics, with a world file's georeference", INPUT_RASTER, NULL, NULL, NO_PARAMETERS},
    {"Parquet", "GeoParquet", INPUT_FEATURES, ".parquet", NULL, NO_PARAMETERS},
    {"netCDF", "netCDF 3 and 4 by the CF conventions", INPUT_NETCDF, NULL, "variable", VARIABLE},
    {"openQCD", "Lattice gauge fields of openQCD", INPUT_GAUGE, NULL, NULL, NO_PARAMETERS},
};
const size_t input_format_count = sizeof input_formats / sizeof input_formats[0];

static const struct file_start {
  const char *format;
  size_t length;
  const char *bytes;
} file_starts[] = {
    {"GTiff", 4, "II*\0"},
    {"GTiff", 4, "MM\0*"},
    {"GTiff", 4, "II+\0"},
    {"GTiff", 4, "MM\0+"},
    {"PNG", 4, "\x89PNG"},
    {"JP2OpenJPEG", 8, "\0\0\0\x0CjP  "},
    {"JP2OpenJPEG", 4, "\xFF\x4F\xFF\x51"},
    {"netCDF", 3, "CDF"},
    {"netCDF", 4, "\x89HDF"},
};

static const struct input_format *find_name(const char *name)
{
  for (size_t i = 0; i < input_format_count; i++)
    if (strcasecmp(name, input_formats[i].name) == 0)
      return &input_formats[i];
  return NULL;
}

const struct input_format *input_format_find(const char *name)
{
  const struct input_format *found = find_name(name);
  const struct sink_format *output = found ? NULL : sink_format_find(name);
  if (!found && strcasecmp(name, "JPEG2000") == 0)
    return find_name("JP2OpenJPEG");
  return output ? find_name(output->name) : found;
}

bool input_format_fits(const struct input_format *format, const char *path)
{
  char head[8] = {0};
  if (format->kind == INPUT_FEATURES)
    return true;
  if (format->kind == INPUT_GAUGE) {
    const char *name = gauge_file_format(path);
    return name && strcmp(name, format->name) == 0;
  }
  if (strcmp(format->name, "GRIB") == 0)
    return grib_is(path);
  FILE *file = fopen(path, "rbe");
  const size_t length = file ? fread(head, 1, sizeof head, file) : 0;
  if (file)
    fclose(file);
  for (size_t i = 0; i < sizeof file_starts / sizeof file_starts[0]; i++) {
    const struct file_start *start = &file_starts[i];
    if (strcmp(start->format, format->name) == 0 && length >= start->length &&
        memcmp(head, start->bytes, start->length) == 0)
      return true;
  }
  return false;
}
