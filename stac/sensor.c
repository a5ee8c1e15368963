/* Bands of sensors whose products are known by their names: Landsat 8 and 9 (LC08_…, LC09_…) and Sentinel-2
 * (S2A_…, T32TPS_20220601T…). Centre wavelengths in micrometres from the USGS and ESA band tables. */
#include "stac/sensor.h"

#include <ctype.h>
#include <string.h>

struct sensor_band {
  const char *name, *common_name;
  double wavelength;
};

static const struct sensor_band landsat_oli[] = {
    {"B1", "coastal", 0.443}, {"B2", "blue", 0.482},     {"B3", "green", 0.561},    {"B4", "red", 0.655},
    {"B5", "nir", 0.865},     {"B6", "swir16", 1.609},   {"B7", "swir22", 2.201},   {"B8", "pan", 0.590},
    {"B9", "cirrus", 1.373},  {"B10", "lwir11", 10.895}, {"B11", "lwir12", 12.005}, {NULL, NULL, 0}};

static const struct sensor_band sentinel_msi[] = {{"B01", "coastal", 0.443}, {"B02", "blue", 0.490},
                                                  {"B03", "green", 0.560},   {"B04", "red", 0.665},
                                                  {"B05", "rededge", 0.704}, {"B06", "rededge", 0.740},
                                                  {"B07", "rededge", 0.783}, {"B08", "nir", 0.842},
                                                  {"B8A", "nir08", 0.865},   {"B09", "nir09", 0.945},
                                                  {"B10", "cirrus", 1.374},  {"B11", "swir16", 1.610},
                                                  {"B12", "swir22", 2.190},  {NULL, NULL, 0}};

static bool is_tile_name(const char *name)
{
  return name[0] == 'T' && isdigit((unsigned char)name[1]) && isdigit((unsigned char)name[2]) &&
         isupper((unsigned char)name[3]) && isupper((unsigned char)name[4]) && isupper((unsigned char)name[5]) &&
         name[6] == '_' && isdigit((unsigned char)name[7]);
}

static const struct sensor_band *sensor_of(const char *name)
{
  if (strncmp(name, "LC08_", 5) == 0 || strncmp(name, "LC09_", 5) == 0)
    return landsat_oli;
  if ((strncmp(name, "S2", 2) == 0 && strchr("ABCD_", name[2]) && name[2]) || is_tile_name(name))
    return sentinel_msi;
  return NULL;
}

void sensor_describe(const char *item, const char *band, struct band_info *info)
{
  const char *slash = strrchr(item, '/');
  const struct sensor_band *row = sensor_of(slash ? slash + 1 : item);
  if (!row)
    row = sensor_of(item);
  for (; row && row->name; row++)
    if (strcmp(row->name, band) == 0) {
      info->common_name = row->common_name;
      info->wavelength = row->wavelength;
    }
}
