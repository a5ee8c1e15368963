/* Options are rows with a JSON schema and a check; types name theirs. */
#include "server/services/service_type.h"

#include "server/federation/federation.h"

#include "server/services/colour_ramp.h"

#include "datacube/grid.h"
#include "datacube/sink/tile_picture.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct option {
  const char *name;
  const char *schema; /* JSON object; NULL: written by a function */
  void (*write_schema)(struct json_writer *writer);
  const char *wants;
  bool (*fits)(const json_t *value);
};

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static bool fits_tile_size(const json_t *value)
{
  return json_is_integer(value) && (json_integer_value(value) == 256 || json_integer_value(value) == 512);
}

static bool fits_format(const json_t *value)
{
  return json_is_string(value) && tile_format_find(json_string_value(value)) != TILE_FORMATS;
}

static bool fits_resampling(const json_t *value)
{
  const enum resampling method =
      json_is_string(value) ? resampling_from_name(json_string_value(value)) : RESAMPLE_COUNT;
  return method != RESAMPLE_COUNT && method != RESAMPLE_GEOCODE;
}

static bool fits_bands(const json_t *value)
{
  const json_t *band;
  size_t i;
  json_array_foreach(value, i, band) if (!json_is_string(band)) return false;
  return json_is_array(value) && (json_array_size(value) == 1 || json_array_size(value) == 3);
}

static bool fits_number(const json_t *value)
{
  return json_is_number(value) || json_is_array(value);
}

static bool fits_text(const json_t *value)
{
  return json_is_string(value);
}

static bool fits_object(const json_t *value)
{
  return json_is_object(value);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void write_colormap(struct json_writer *w)
{
  json_write_object(w);
  json_kv_string(w, "type", "string");
  json_kv_string(w, "description",
                 "Colours of one band, from min to max: a ramp by the name that matplotlib gives it; "
                 "a name that ends with _r turns it around.");
  json_kv_string(w, "default", "gray");
  json_key(w, "enum");
  json_write_array(w);
  for (size_t i = 0; colour_ramp_name(i) != NULL; i++) {
    char turned[64];
    snprintf(turned, sizeof turned, "%s_r", colour_ramp_name(i));
    json_write_string(w, colour_ramp_name(i));
    json_write_string(w, turned);
  }
  json_end_array(w);
  json_end_object(w);
}

static const struct option options[] = {
    {"bands",
     "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":\"Names of the bands that are shown: one, or "
     "three as red, green and blue. Without it the first three, or the first where there are fewer.\"}",
     NULL, "an array of one or three names", fits_bands},
    {"categories",
     "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"},\"description\":\"Colours of classes, for "
     "one "
     "band: an object with the value as key and the colour (#rrggbb or #rrggbbaa) as value, such as {\\\"4\\\": "
     "\\\"#00a000\\\"}. Other values are transparent.\"}",
     NULL, "an object of values and colours", fits_object},
    {"colormap", NULL, write_colormap, "the name of a ramp", fits_text},
    {"format",
     "{\"type\":\"string\",\"enum\":[\"png\",\"jpeg\",\"webp\"],\"default\":\"png\",\"description\":\"Format of the "
     "pictures where the request names none. JPEG shows missing pixels white, the others leave them transparent.\"}",
     NULL, "png, jpeg or webp", fits_format},
    {"max",
     "{\"type\":[\"number\",\"array\"],\"items\":{\"type\":\"number\"},\"description\":\"Value of the last colour, or "
     "one for each of the three bands. Without it 255 for 8-bit numbers; else nearly the highest of a sample in the "
     "middle of the data, taken when the service is made.\"}",
     NULL, "a number, or an array of numbers", fits_number},
    {"min",
     "{\"type\":[\"number\",\"array\"],\"items\":{\"type\":\"number\"},\"description\":\"Value of the first colour, or "
     "one for each of the three bands. Without it 0 for 8-bit numbers; else nearly the lowest of the sample.\"}",
     NULL, "a number, or an array of numbers", fits_number},
    {"parameters",
     "{\"type\":\"object\",\"description\":\"Values of the process's own parameters where the request names none: a "
     "request says them as ?name=value.\"}",
     NULL, "an object of names and values", fits_object},
    {"resampling",
     "{\"type\":\"string\",\"enum\":[\"near\",\"bilinear\",\"cubic\",\"cubicspline\",\"lanczos\",\"average\",\"mode\","
     "\"max\",\"min\",\"med\",\"q1\",\"q3\",\"sum\",\"rms\"],\"default\":\"near\",\"description\":\"How the pixels of "
     "the map come from those of the data, by the names of resample_spatial. Where the map is coarser than the "
     "files, their overviews stand for them: any for continuous values, those alone that were made without "
     "mixing for classes.\"}",
     NULL, "a method of resample_spatial", fits_resampling},
    {"tile_size",
     "{\"type\":\"integer\",\"enum\":[256,512],\"default\":256,\"description\":\"Width and height of a tile in "
     "pixels.\"}",
     NULL, "256 or 512", fits_tile_size},
};
enum { OPTIONS = sizeof options / sizeof options[0] };

static const struct option *find_option(const char *name)
{
  for (size_t i = 0; i < OPTIONS; i++)
    if (strcmp(options[i].name, name) == 0)
      return &options[i];
  return NULL;
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

static const char *const tile_options[] = {"bands", "categories", "colormap",   "format",    "max",
                                           "min",   "parameters", "resampling", "tile_size", NULL};
static const char *const coverage_options[] = {"parameters", "resampling", NULL};
static const char *const map_options[] = {"bands", "categories", "colormap",   "format", "max",
                                          "min",   "parameters", "resampling", NULL};

const struct service_type service_types[] = {
    {"XYZ", "Tiles by zoom, column and row",
     "Pictures of the result in web mercator (EPSG:3857), for slippy maps. Nothing is computed before somebody looks, "
     "and then no more than is seen. `?datetime=` chooses the date (or the last of an interval), the names of other "
     "dimensions their label, and names of the process's parameters their values.",
     "/xyz/{z}/{x}/{y}", tile_options, "https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames"},
    {"WMTS", "OGC Web Map Tile Service",
     "The tiles of XYZ with the capabilities document of WMTS 1.0.0, by key-value pairs and by path; dates are its "
     "dimension Time.",
     "/wmts", tile_options, "https://www.ogc.org/standards/wmts"},
    {"WMS", "OGC Web Map Service",
     "Pictures of any part of the result in any size and in any CRS of the EPSG's list, by WMS 1.3.0 and 1.1.1: "
     "GetCapabilities, GetMap, GetFeatureInfo, GetLegendGraphic. Dates are the dimension time, other dimensions "
     "dim_NAME.",
     "/wms", map_options, "https://www.ogc.org/standards/wms"},
    {"WCS", "OGC Web Coverage Service",
     "The numbers of the result as files (GeoTIFF, netCDF, CoverageJSON, PNG, JPEG), by WCS 2.0.1 with key-value "
     "pairs: "
     "subsets of any axis, range subsets, scaling, other CRSs. Nothing is computed but what is asked for.",
     "/wcs", coverage_options, "https://www.ogc.org/standards/wcs"},
    {"OGC-API-Coverages", "OGC API - Coverages",
     "The same by the OGC API: a landing page, one collection, its schema, and its coverage with `bbox`, `datetime`, "
     "`subset`, `properties`, `scale-size`, `scale-factor`, `scale-axes`, `crs` and `f`.",
     "/ogcapi", coverage_options, "https://ogcapi.ogc.org/coverages/"},
};
const size_t service_type_count = sizeof service_types / sizeof service_types[0];

const struct service_type *service_type_find(const char *name)
{
  for (size_t i = 0; i < service_type_count; i++)
    if (strcasecmp(service_types[i].name, name) == 0)
      return &service_types[i];
  return NULL;
}

/* What a graph may refer to with from_parameter. The map's extent is no condition of the graph: it is read where
 * somebody looks. */
static const char process_parameters[] =
    "[{\"name\":\"spatial_extent\",\"description\":\"Where the map is looked at: null, which asks for all of it. The "
    "service reads no more than it shows all the same.\",\"schema\":[{\"type\":\"object\",\"subtype\":\"bounding-box\","
    "\"required\":[\"west\",\"south\",\"east\",\"north\"],\"properties\":{\"west\":{\"type\":\"number\"},"
    "\"south\":{\"type\":\"number\"},\"east\":{\"type\":\"number\"},\"north\":{\"type\":\"number\"}}},"
    "{\"type\":\"null\"}],\"default\":null,\"optional\":true},"
    "{\"name\":\"temporal_extent\",\"description\":\"The interval that the request gives as datetime=START/END, else "
    "null.\",\"schema\":[{\"type\":\"array\",\"subtype\":\"temporal-interval\",\"minItems\":2,\"maxItems\":2,"
    "\"items\":{\"type\":[\"string\",\"null\"]}},{\"type\":\"null\"}],\"default\":null,\"optional\":true}]";

static void write_type(struct json_writer *w, const struct service_type *type, bool is_federated)
{
  json_key(w, type->name);
  json_write_object(w);
  json_kv_string(w, "title", type->title);
  json_kv_string(w, "description", type->description);
  json_key(w, "configuration");
  json_write_object(w);
  for (size_t i = 0; type->options[i] != NULL; i++) {
    const struct option *option = find_option(type->options[i]);
    json_key(w, option->name);
    if (option->schema != NULL)
      json_write_raw(w, option->schema, strlen(option->schema));
    else
      option->write_schema(w);
  }
  json_end_object(w);
  json_key(w, "process_parameters");
  json_write_raw(w, process_parameters, sizeof process_parameters - 1);
  json_key(w, "links");
  json_write_array(w);
  json_write_object(w);
  json_kv_string(w, "rel", "about");
  json_kv_string(w, "href", type->about);
  json_end_object(w);
  json_end_array(w);
  if (is_federated)
    federation_write_own(w);
  json_end_object(w);
}

void service_types_write(struct json_writer *w, bool is_federated)
{
  json_write_object(w);
  for (size_t i = 0; i < service_type_count; i++)
    write_type(w, &service_types[i], is_federated);
  json_end_object(w);
}

int service_options_check(const struct service_type *type, const json_t *configuration, struct error *error)
{
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)configuration, name, value)
  {
    size_t i = 0;
    while (type->options[i] != NULL && strcmp(type->options[i], name) != 0)
      i++;
    if (type->options[i] == NULL)
      return error_parameter(error, ERROR_ServiceConfigUnsupported, name, "%s has no such option", type->name);
    const struct option *option = find_option(name);
    if (!json_is_null(value) && !option->fits(value))
      return error_parameter(error, ERROR_ServiceConfigInvalid, name, "wants %s", option->wants);
  }
  return 0;
}
