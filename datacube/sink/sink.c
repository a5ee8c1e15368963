/* The table of output formats, and the look-up by name or alias. A new format is a driver file and one row here. */
#include "datacube/sink/formats.h"

#include <strings.h>

const struct sink_format *const sink_formats[] = {
    &sink_format_gtiff, &sink_format_json, &sink_format_netcdf, &sink_format_png, NULL,
};

static const struct {
  const char *name;
  const struct sink_format *format;
} aliases[] = {
    {"GeoTIFF", &sink_format_gtiff}, {"TIFF", &sink_format_gtiff},     {"COG", &sink_format_gtiff},
    {"NC", &sink_format_netcdf},     {"netCDF4", &sink_format_netcdf},
};

const struct sink_format *sink_format_find(const char *name)
{
  if (name == NULL)
    return NULL;
  for (size_t i = 0; sink_formats[i] != NULL; i++)
    if (strcasecmp(name, sink_formats[i]->name) == 0)
      return sink_formats[i];
  for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
    if (strcasecmp(name, aliases[i].name) == 0)
      return aliases[i].format;
  return NULL;
}
