/* Links first: clients find their way by them. The domain set and the range type are in the form of the Coverage
 * Implementation Schema 1.1 (09-146r8). */
#include "server/services/coverage_documents.h"

#include "server/services/coverage_request.h"
#include "server/services/service_crs.h"

#include <string.h>

#define REL "http://www.opengis.net/def/rel/ogc/1.0/"
#define HERE "/collections/" MAP_LAYER
static const char crs84[] = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

static void link_to(struct json_writer *w, const struct ogc_document *d, const char *rel, const char *path,
                    const char *type)
{
  write_link(w, rel, d->url, path, type, NULL);
}

static void write_text(struct json_writer *w, const struct ogc_document *d)
{
  const struct service *service = &d->at->service;
  json_kv_string(w, "title", service->title != NULL ? service->title : service->id);
  if (service->description != NULL)
    json_kv_string(w, "description", service->description);
}

/* ---- ways in ----------------------------------------------------------------------------------------------------- */

void coverage_landing(const struct ogc_document *d)
{
  struct json_writer w = {.out = d->out};
  json_write_object(&w);
  write_text(&w, d);
  json_key(&w, "links");
  json_write_array(&w);
  link_to(&w, d, "self", "", "application/json");
  link_to(&w, d, "conformance", "/conformance", "application/json");
  link_to(&w, d, REL "conformance", "/conformance", "application/json");
  link_to(&w, d, "data", "/collections", "application/json");
  link_to(&w, d, REL "data", "/collections", "application/json");
  json_end_array(&w);
  json_end_object(&w);
}

void coverage_conformance(const struct ogc_document *d)
{
  static const char *const classes[] = {"http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
                                        "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
                                        "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/core",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/subsetting",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/scaling",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/fieldselection",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/crs",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/geotiff",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/netcdf",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/coveragejson",
                                        "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/png"};
  struct json_writer w = {.out = d->out};
  json_write_object(&w);
  json_key(&w, "conformsTo");
  json_write_array(&w);
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
    json_write_string(&w, classes[i]);
  json_end_array(&w);
  json_end_object(&w);
}

/* ---- the collection ---------------------------------------------------------------------------------------------- */

static double number_of(const json_t *cube, const char *member, size_t i)
{
  return json_number_value(json_array_get(json_object_get(cube, member), i));
}

static void write_numbers(struct json_writer *w, const json_t *cube, const char *member)
{
  json_write_array(w);
  for (size_t i = 0; i < 4; i++)
    json_write_number(w, number_of(cube, member, i));
  json_end_array(w);
}

static void write_boxes(struct json_writer *w, const json_t *cube, const char *key, const char *member)
{
  json_key(w, key);
  json_write_array(w);
  write_numbers(w, cube, member);
  json_end_array(w);
}

static void write_cells(struct json_writer *w, const json_t *cube)
{
  json_key(w, "grid");
  json_write_array(w);
  for (size_t axis = 0; axis < 2; axis++) {
    json_write_object(w);
    json_kv_number(w, "cellsCount", number_of(cube, "size", axis));
    json_kv_number(w, "resolution", number_of(cube, "resolution", axis));
    json_end_object(w);
  }
  json_end_array(w);
}

static void write_extent(struct json_writer *w, const struct ogc_document *d)
{
  const json_t *cube = coverage_cube(d), *time = service_dimension(&d->at->view, "temporal");
  const json_t *dates = json_object_get(time, "labels");
  json_key(w, "extent");
  json_write_object(w);
  json_key(w, "spatial");
  json_write_object(w);
  write_boxes(w, cube, "bbox", "lonlat");
  json_kv_string(w, "crs", crs84);
  write_boxes(w, cube, "storageCrsBbox", "bbox");
  write_cells(w, cube);
  json_end_object(w);
  if (json_array_size(dates) > 0) {
    json_key(w, "temporal");
    json_write_object(w);
    json_key(w, "interval");
    json_write_array(w);
    json_write_array(w);
    json_write_string(w, json_string_value(json_array_get(dates, 0)));
    json_write_string(w, json_string_value(json_array_get(dates, json_array_size(dates) - 1)));
    json_end_array(w);
    json_end_array(w);
    json_end_object(w);
  }
  json_end_object(w);
}

static void write_crss(struct json_writer *w, const json_t *cube)
{
  static const char *const always[] = {crs84, "http://www.opengis.net/def/crs/EPSG/0/4326",
                                       "http://www.opengis.net/def/crs/EPSG/0/3857"};
  char native[512];
  service_crs_uri(json_string_value(json_object_get(cube, "crs")), native);
  json_kv_string(w, "storageCrs", native);
  json_key(w, "crs");
  json_write_array(w);
  json_write_string(w, native);
  for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
    if (strcmp(always[i], native) != 0)
      json_write_string(w, always[i]);
  json_end_array(w);
}

static void write_collection(struct json_writer *w, const struct ogc_document *d)
{
  json_write_object(w);
  json_kv_string(w, "id", MAP_LAYER);
  write_text(w, d);
  json_kv_string(w, "dataType", "coverage");
  write_extent(w, d);
  write_crss(w, coverage_cube(d));
  json_key(w, "links");
  json_write_array(w);
  link_to(w, d, "self", HERE, "application/json");
  for (const struct coverage_format *f = coverage_formats; f->sink != NULL; f++)
    link_to(w, d, REL "coverage", HERE "/coverage", f->media_type);
  link_to(w, d, REL "schema", HERE "/schema", "application/schema+json");
  link_to(w, d, REL "coverage-domainset", HERE "/coverage/domainset", "application/json");
  link_to(w, d, REL "coverage-rangetype", HERE "/coverage/rangetype", "application/json");
  json_end_array(w);
  json_end_object(w);
}

void coverage_collection(const struct ogc_document *d)
{
  struct json_writer w = {.out = d->out};
  write_collection(&w, d);
}

void coverage_collections(const struct ogc_document *d)
{
  struct json_writer w = {.out = d->out};
  json_write_object(&w);
  json_key(&w, "collections");
  json_write_array(&w);
  write_collection(&w, d);
  json_end_array(&w);
  json_key(&w, "links");
  json_write_array(&w);
  link_to(&w, d, "self", "/collections", "application/json");
  json_end_array(&w);
  json_end_object(&w);
}

/* ---- what its values are ----------------------------------------------------------------------------------------- */

static void write_field_schema(struct json_writer *w, const struct ogc_document *d, const char *name, size_t i)
{
  const json_t *nodata;
  const char *type = coverage_type(d, &nodata);
  json_key(w, name);
  json_write_object(w);
  json_kv_string(w, "title", name);
  json_kv_string(w, "type", strstr(type, "int") != NULL ? "integer" : "number");
  json_kv_string(w, "format", type);
  json_kv_integer(w, "x-ogc-propertySeq", (int64_t)i + 1);
  json_kv_string(w, "x-ogc-unit", coverage_unit(d, i));
  if (nodata != NULL) {
    json_key(w, "x-ogc-nilValues");
    json_write_array(w);
    json_write_number(w, json_number_value(nodata));
    json_end_array(w);
  }
  json_end_object(w);
}

void coverage_schema(const struct ogc_document *d)
{
  struct json_writer w = {.out = d->out};
  json_t *fields = coverage_fields(d), *field;
  size_t i;
  json_write_object(&w);
  json_kv_string(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
  json_kv_string(&w, "type", "object");
  json_kv_string(&w, "title", MAP_LAYER);
  json_key(&w, "properties");
  json_write_object(&w);
  json_array_foreach(fields, i, field) write_field_schema(&w, d, json_string_value(field), i);
  json_end_object(&w);
  json_end_object(&w);
  json_decref(fields);
}

/* Types by the names that the OGC has for them. */
static const char *ogc_type(const char *type)
{
  static const char *const names[][2] = {{"uint8", "ogcType:unsignedByte"},   {"int8", "ogcType:signedByte"},
                                         {"uint16", "ogcType:unsignedShort"}, {"int16", "ogcType:signedShort"},
                                         {"uint32", "ogcType:unsignedInt"},   {"int32", "ogcType:signedInt"},
                                         {"uint64", "ogcType:unsignedLong"},  {"int64", "ogcType:signedLong"},
                                         {"float32", "ogcType:float32"},      {"float64", "ogcType:float64"}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(names[i][0], type) == 0)
      return names[i][1];
  return "ogcType:unsignedByte";
}

void coverage_range(const struct ogc_document *d)
{
  const json_t *nodata;
  const char *type = coverage_type(d, &nodata);
  struct json_writer w = {.out = d->out};
  json_t *fields = coverage_fields(d), *field;
  size_t i;
  json_write_object(&w);
  json_kv_string(&w, "type", "DataRecord");
  json_key(&w, "field");
  json_write_array(&w);
  json_array_foreach(fields, i, field)
  {
    json_write_object(&w);
    json_kv_string(&w, "type", "Quantity");
    json_kv_string(&w, "name", json_string_value(field));
    json_kv_string(&w, "definition", ogc_type(type));
    json_key(&w, "uom");
    json_write_object(&w);
    json_kv_string(&w, "type", "UnitReference");
    json_kv_string(&w, "code", coverage_unit(d, i));
    json_end_object(&w);
    json_end_object(&w);
  }
  json_end_array(&w);
  json_end_object(&w);
  json_decref(fields);
}

/* ---- where its values are ---------------------------------------------------------------------------------------- */

static void write_regular(struct json_writer *w, const json_t *cube, const char *label, size_t axis)
{
  const char *crs = json_string_value(json_object_get(cube, "crs"));
  json_write_object(w);
  json_kv_string(w, "type", "RegularAxis");
  json_kv_string(w, "axisLabel", label);
  json_kv_number(w, "lowerBound", number_of(cube, "bbox", axis));
  json_kv_number(w, "upperBound", number_of(cube, "bbox", axis + 2));
  json_kv_number(w, "resolution", number_of(cube, "resolution", axis));
  json_kv_string(w, "uomLabel", crs_is_geographic(crs) ? "deg" : "m");
  json_end_object(w);
}

static bool is_axis(const json_t *dimension)
{
  const char *type = json_string_value(json_object_get(dimension, "type"));
  return type == NULL || strcmp(type, "bands") != 0;
}

static void write_irregular(struct json_writer *w, const json_t *dimension)
{
  const json_t *label;
  size_t i;
  json_write_object(w);
  json_kv_string(w, "type", "IrregularAxis");
  json_kv_string(w, "axisLabel", json_string_value(json_object_get(dimension, "name")));
  json_key(w, "coordinate");
  json_write_array(w);
  json_array_foreach(json_object_get(dimension, "labels"), i, label) json_write_string(w, json_string_value(label));
  json_end_array(w);
  json_end_object(w);
}

static void write_limits(struct json_writer *w, const json_t *cube)
{
  static const char *const labels[] = {"i", "j"};
  json_key(w, "gridLimits");
  json_write_object(w);
  json_kv_string(w, "type", "GridLimits");
  json_kv_string(w, "srsName", "http://www.opengis.net/def/crs/OGC/0/Index2D");
  json_key(w, "axisLabels");
  json_write_array(w);
  json_write_string(w, "i");
  json_write_string(w, "j");
  json_end_array(w);
  json_key(w, "axis");
  json_write_array(w);
  for (size_t axis = 0; axis < 2; axis++) {
    json_write_object(w);
    json_kv_string(w, "type", "IndexAxis");
    json_kv_string(w, "axisLabel", labels[axis]);
    json_kv_integer(w, "lowerBound", 0);
    json_kv_number(w, "upperBound", number_of(cube, "size", axis) - 1);
    json_end_object(w);
  }
  json_end_array(w);
  json_end_object(w);
}

void coverage_domain(const struct ogc_document *d)
{
  const json_t *cube = coverage_cube(d), *dimensions = json_object_get(cube, "dimensions"), *dimension;
  const char *crs = json_string_value(json_object_get(cube, "crs"));
  const struct coverage_axes axes = coverage_axes_of(crs);
  struct json_writer w = {.out = d->out};
  char uri[512];
  size_t i;
  service_crs_uri(crs, uri);
  json_write_object(&w);
  json_kv_string(&w, "type", "DomainSet");
  json_key(&w, "generalGrid");
  json_write_object(&w);
  json_kv_string(&w, "type", "GeneralGridCoverage");
  json_kv_string(&w, "srsName", uri);
  json_key(&w, "axisLabels");
  json_write_array(&w);
  json_write_string(&w, axes.north_first ? axes.y : axes.x);
  json_write_string(&w, axes.north_first ? axes.x : axes.y);
  json_array_foreach(dimensions, i, dimension)
  {
    if (is_axis(dimension))
      json_write_string(&w, json_string_value(json_object_get(dimension, "name")));
  }
  json_end_array(&w);
  json_key(&w, "axis");
  json_write_array(&w);
  for (size_t k = 0; k < 2; k++) {
    const size_t axis = axes.north_first ? 1 - k : k;
    write_regular(&w, cube, axis == 0 ? axes.x : axes.y, axis);
  }
  json_array_foreach(dimensions, i, dimension)
  {
    if (is_axis(dimension))
      write_irregular(&w, dimension);
  }
  json_end_array(&w);
  write_limits(&w, cube);
  json_end_object(&w);
  json_end_object(&w);
}
