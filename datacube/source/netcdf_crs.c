/* The CRS of a netCDF file (CF conventions 1.10, appendix F).
 *
 * Tried in this order on the grid mapping variable, the first that PROJ understands wins: WKT (crs_wkt, spatial_ref),
 * an EPSG code, a PROJ text, the CF parameters; then the text attribute "crs" of the data variable itself. CF
 * parameters become a PROJ text by two tables: one row a projection, one row a parameter. */
#include "datacube/source/netcdf_crs.h"

#include "datacube/base/buffer.h"
#include "datacube/grid.h"
#include "datacube/source/netcdf_attribute.h"

#include <math.h>
#include <netcdf.h>
#include <stdlib.h>
#include <string.h>

enum parallels { PARALLELS_NONE, PARALLELS_SECANT, PARALLELS_TRUE_SCALE };

static const struct projection_row {
  const char *grid_mapping_name;
  const char *proj;
  enum parallels parallels; /* what standard_parallel means: lat_1 and lat_2, or lat_ts */
} projection_rows[] = {
    {"transverse_mercator", "tmerc", PARALLELS_NONE},
    {"lambert_conformal_conic", "lcc", PARALLELS_SECANT},
    {"albers_conical_equal_area", "aea", PARALLELS_SECANT},
    {"lambert_azimuthal_equal_area", "laea", PARALLELS_NONE},
    {"azimuthal_equidistant", "aeqd", PARALLELS_NONE},
    {"polar_stereographic", "stere", PARALLELS_TRUE_SCALE},
    {"stereographic", "stere", PARALLELS_NONE},
    {"orthographic", "ortho", PARALLELS_NONE},
    {"mercator", "merc", PARALLELS_TRUE_SCALE},
    {"lambert_cylindrical_equal_area", "cea", PARALLELS_TRUE_SCALE},
    {"sinusoidal", "sinu", PARALLELS_NONE},
};

static const struct parameter_row {
  const char *attribute;
  const char *proj;
  bool length; /* in units of the coordinates */
} parameter_rows[] = {
    {"latitude_of_projection_origin", "lat_0", false},
    {"longitude_of_projection_origin", "lon_0", false},
    {"longitude_of_central_meridian", "lon_0", false},
    {"straight_vertical_longitude_from_pole", "lon_0", false},
    {"scale_factor_at_central_meridian", "k_0", false},
    {"scale_factor_at_projection_origin", "k_0", false},
    {"false_easting", "x_0", true},
    {"false_northing", "y_0", true},
};

struct netcdf_place netcdf_grid_mapping(struct arena *arena, int file, int variable)
{
  static const char *const usual[] = {"crs", "spatial_ref"};
  const char *name = netcdf_attribute_text(arena, file, variable, "grid_mapping");
  if (name == NULL)
    name = netcdf_attribute_text(arena, file, NC_GLOBAL, "grid_mapping");
  char *word = name != NULL ? arena_strndup(arena, name, strcspn(name, ": \t")) : NULL;
  struct netcdf_place place = {.group = file, .id = -1};
  if (word != NULL)
    place = netcdf_find(file, word);
  for (size_t i = 0; place.id < 0 && i < sizeof usual / sizeof usual[0]; i++) {
    place = netcdf_find(file, usual[i]);
    if (place.group == file && place.id == variable)
      place.id = -1;
  }
  return place;
}

/* Canonical CRS of a text, or NULL: a mapping that PROJ does not know is passed over, never an error. */
static const char *understood(struct arena *arena, const char *text)
{
  struct error ignored = {0};
  const char *crs = NULL;
  if (text == NULL || *text == '\0' || crs_canonical(arena, text, &crs, &ignored) != 0)
    return NULL;
  return crs;
}

static const char *crs_of_code(struct arena *arena, int file, int mapping, const char *name)
{
  const double code = netcdf_attribute_number(file, mapping, name, 0);
  const bool plausible = code >= 1024 && code <= 1e6;
  return understood(arena, plausible ? arena_printf(arena, "EPSG:%.0f", code)
                                     : netcdf_attribute_text(arena, file, mapping, name));
}

static const char *crs_of_texts(struct arena *arena, int file, int mapping)
{
  static const char *const codes[] = {"epsg_code", "EPSG_code", "epsg", "EPSG"};
  static const char *const texts[] = {"crs_wkt", "spatial_ref", "proj4", "proj4text", "proj4_params", "proj4_string"};
  const char *crs = NULL;
  for (size_t i = 0; crs == NULL && i < 2; i++)
    crs = understood(arena, netcdf_attribute_text(arena, file, mapping, texts[i]));
  for (size_t i = 0; crs == NULL && i < sizeof codes / sizeof codes[0]; i++)
    crs = crs_of_code(arena, file, mapping, codes[i]);
  for (size_t i = 2; crs == NULL && i < sizeof texts / sizeof texts[0]; i++)
    crs = understood(arena, netcdf_attribute_text(arena, file, mapping, texts[i]));
  return crs;
}

/* " +a=… +b=…", or the datum itself where the numbers are WGS 84's or GRS 80's: PROJ finds EPSG codes by that. */
static void add_figure(struct buffer *text, int file, int mapping)
{
  const double radius = netcdf_attribute_number(file, mapping, "earth_radius", NAN);
  const double a = netcdf_attribute_number(file, mapping, "semi_major_axis", radius);
  const double minor = netcdf_attribute_number(file, mapping, "semi_minor_axis", NAN);
  const double inverse =
      netcdf_attribute_number(file, mapping, "inverse_flattening", isnan(minor) ? NAN : a / (a - minor));
  const double meridian = netcdf_attribute_number(file, mapping, "longitude_of_prime_meridian", 0);
  if (isnan(a) || (a == 6378137 && fabs(inverse - 298.257223563) < 1e-8))
    buffer_text(text, " +datum=WGS84");
  else if (a == 6378137 && fabs(inverse - 298.257222101) < 1e-8)
    buffer_text(text, " +ellps=GRS80");
  else if (isnan(inverse) || isinf(inverse) || inverse == 0)
    buffer_printf(text, " +R=%.17g", a);
  else
    buffer_printf(text, " +a=%.17g +rf=%.17g", a, inverse);
  if (meridian != 0)
    buffer_printf(text, " +pm=%.17g", meridian);
}

static void add_parameters(struct buffer *text, int file, int mapping, const struct projection_row *row, double metres)
{
  double value, parallel[2];
  for (size_t i = 0; i < sizeof parameter_rows / sizeof parameter_rows[0]; i++)
    if (netcdf_attribute_numbers(file, mapping, parameter_rows[i].attribute, &value, 1) == 1)
      buffer_printf(text, " +%s=%.17g", parameter_rows[i].proj, parameter_rows[i].length ? value * metres : value);
  const size_t parallels = netcdf_attribute_numbers(file, mapping, "standard_parallel", parallel, 2);
  if (row->parallels == PARALLELS_TRUE_SCALE && parallels > 0)
    buffer_printf(text, " +lat_ts=%.17g", parallel[0]);
  if (row->parallels == PARALLELS_SECANT && parallels > 0)
    buffer_printf(text, " +lat_1=%.17g", parallel[0]);
  if (row->parallels == PARALLELS_SECANT && parallels > 1)
    buffer_printf(text, " +lat_2=%.17g", parallel[1]);
}

static const char *crs_of_parameters(struct arena *arena, int file, int mapping, double metres)
{
  const char *name = netcdf_attribute_text(arena, file, mapping, "grid_mapping_name");
  const struct projection_row *row = NULL;
  if (name == NULL)
    return NULL;
  for (size_t i = 0; i < sizeof projection_rows / sizeof projection_rows[0]; i++)
    if (strcmp(projection_rows[i].grid_mapping_name, name) == 0)
      row = &projection_rows[i];
  const bool geographic = strcmp(name, "latitude_longitude") == 0;
  if (row == NULL && !geographic)
    return NULL;
  struct buffer text = {.limit = 4096};
  buffer_printf(&text, "+proj=%s", geographic ? "longlat" : row->proj);
  if (!geographic)
    add_parameters(&text, file, mapping, row, metres);
  add_figure(&text, file, mapping);
  buffer_text(&text, geographic ? " +no_defs +type=crs" : " +units=m +no_defs +type=crs");
  const char *crs = text.failed ? NULL : understood(arena, text.data);
  buffer_free(&text);
  return crs;
}

const char *netcdf_crs(struct arena *arena, int file, int variable, double metres)
{
  const struct netcdf_place mapping = netcdf_grid_mapping(arena, file, variable);
  const char *crs = NULL;
  if (mapping.id >= 0) {
    crs = crs_of_texts(arena, mapping.group, mapping.id);
    if (crs == NULL)
      crs = crs_of_parameters(arena, mapping.group, mapping.id, metres);
  }
  return crs != NULL ? crs : understood(arena, netcdf_attribute_text(arena, file, variable, "crs"));
}

bool netcdf_has_transform(struct arena *arena, struct netcdf_place mapping, struct netcdf_transform *out)
{
  double numbers[6];
  const char *text = mapping.id < 0 ? NULL : netcdf_attribute_text(arena, mapping.group, mapping.id, "GeoTransform");
  for (size_t i = 0; i < 6; i++) {
    char *end = NULL;
    numbers[i] = text == NULL ? NAN : strtod(text, &end);
    if (text == NULL || end == text || !isfinite(numbers[i]))
      return false;
    text = end;
  }
  if (numbers[2] != 0 || numbers[4] != 0 || numbers[1] == 0 || numbers[5] == 0)
    return false;
  *out = (struct netcdf_transform){numbers[0], numbers[1], numbers[3], numbers[5]};
  return true;
}
