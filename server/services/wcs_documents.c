/* WCS 2.0.1 (09-110r4) with GML 3.2 coverages (09-146r2): the grid's first axis runs east, its second one south. */
#include "server/services/coverage_documents.h"
#include "server/services/coverage_request.h"
#include "server/services/service_crs.h"
#include "server/services/xml_writer.h"

#include <string.h>

#define WCS_EXTENSION "http://www.opengis.net/spec/WCS_service-extension_"

static double number_of(const struct ogc_document *d, const char *member, size_t i)
{
  return json_number_value(json_array_get(json_object_get(coverage_cube(d), member), i));
}

static const char *title_of(const struct ogc_document *d)
{
  return d->at->service.title != NULL ? d->at->service.title : d->at->service.id;
}

/* ---- GetCapabilities --------------------------------------------------------------------------------------------- */

static void write_identification(const struct ogc_document *d)
{
  static const char *const profiles[] = {
      "http://www.opengis.net/spec/WCS_protocol-binding_get-kvp/1.0/conf/get-kvp",
      "http://www.opengis.net/spec/GMLCOV/1.0/conf/gml-coverage",
      "http://www.opengis.net/spec/GMLCOV_geotiff-coverages/1.0/conf/geotiff-coverage",
      WCS_EXTENSION "range-subsetting/1.0/conf/record-subsetting",
      WCS_EXTENSION "scaling/1.0/conf/scaling",
      WCS_EXTENSION "crs/1.0/conf/crs",
      WCS_EXTENSION "interpolation/1.0/conf/interpolation"};
  buffer_text(d->out, "<ows:ServiceIdentification><ows:Title>");
  xml_text(d->out, title_of(d));
  buffer_text(d->out, "</ows:Title><ows:Abstract>");
  xml_text(d->out, d->at->service.description);
  buffer_text(d->out, "</ows:Abstract><ows:ServiceType>urn:ogc:service:wcs</ows:ServiceType>"
                      "<ows:ServiceTypeVersion>2.0.1</ows:ServiceTypeVersion>");
  for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
    xml_element(d->out, "ows:Profile", "%s", profiles[i]);
  buffer_text(d->out, "</ows:ServiceIdentification>");
}

static void write_operations(const struct ogc_document *d)
{
  static const char *const names[] = {"GetCapabilities", "DescribeCoverage", "GetCoverage"};
  struct buffer url = {0};
  buffer_printf(&url, "%s?", d->url);
  buffer_text(d->out, "<ows:OperationsMetadata>");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    buffer_printf(d->out, "<ows:Operation name=\"%s\"><ows:DCP><ows:HTTP><ows:Get", names[i]);
    xml_attribute(d->out, "xlink:href", url.data);
    buffer_text(d->out, "/></ows:HTTP></ows:DCP></ows:Operation>");
  }
  buffer_text(d->out, "</ows:OperationsMetadata>");
  buffer_free(&url);
}

static void write_metadata(const struct ogc_document *d)
{
  static const char *const methods[] = {"nearest-neighbor", "linear", "cubic"};
  static const char *const crss[] = {"EPSG/0/4326", "EPSG/0/3857", "OGC/1.3/CRS84"};
  char native[512];
  buffer_text(d->out, "<wcs:ServiceMetadata>");
  for (const struct coverage_format *f = coverage_formats; f->sink != NULL; f++)
    xml_element(d->out, "wcs:formatSupported", "%.*s", (int)strcspn(f->media_type, ";"), f->media_type);
  buffer_text(d->out, "<wcs:Extension><int:InterpolationMetadata>");
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
    xml_element(d->out, "int:InterpolationSupported", "http://www.opengis.net/def/interpolation/OGC/1/%s", methods[i]);
  buffer_text(d->out, "</int:InterpolationMetadata><crs:CrsMetadata>");
  service_crs_uri(json_string_value(json_object_get(coverage_cube(d), "crs")), native);
  xml_element(d->out, "crs:crsSupported", "%s", native);
  for (size_t i = 0; i < sizeof crss / sizeof crss[0]; i++)
    if (strstr(native, crss[i]) == NULL)
      xml_element(d->out, "crs:crsSupported", "http://www.opengis.net/def/crs/%s", crss[i]);
  buffer_text(d->out, "</crs:CrsMetadata></wcs:Extension></wcs:ServiceMetadata>");
}

void wcs_capabilities(const struct ogc_document *d)
{
  buffer_text(
      d->out,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<wcs:Capabilities xmlns:wcs=\"http://www.opengis.net/wcs/2.0\""
      " xmlns:ows=\"http://www.opengis.net/ows/2.0\" xmlns:xlink=\"http://www.w3.org/1999/xlink\""
      " xmlns:int=\"http://www.opengis.net/wcs/interpolation/1.0\""
      " xmlns:crs=\"http://www.opengis.net/wcs/crs/1.0\" version=\"2.0.1\">");
  write_identification(d);
  write_operations(d);
  write_metadata(d);
  buffer_text(d->out, "<wcs:Contents><wcs:CoverageSummary><ows:Title>");
  xml_text(d->out, title_of(d));
  buffer_text(d->out, "</ows:Title><ows:WGS84BoundingBox>");
  xml_element(d->out, "ows:LowerCorner", "%.12g %.12g", number_of(d, "lonlat", 0), number_of(d, "lonlat", 1));
  xml_element(d->out, "ows:UpperCorner", "%.12g %.12g", number_of(d, "lonlat", 2), number_of(d, "lonlat", 3));
  buffer_text(d->out, "</ows:WGS84BoundingBox><wcs:CoverageId>" MAP_LAYER "</wcs:CoverageId>"
                      "<wcs:CoverageSubtype>RectifiedGridCoverage</wcs:CoverageSubtype>"
                      "</wcs:CoverageSummary></wcs:Contents></wcs:Capabilities>\n");
}

/* ---- DescribeCoverage -------------------------------------------------------------------------------------------- */

/* A position or a vector in the order of the CRS's axes. */
static void write_pair(const struct ogc_document *d, const char *name, double x, double y)
{
  const bool north = coverage_axes_of(json_string_value(json_object_get(coverage_cube(d), "crs"))).north_first;
  xml_element(d->out, name, "%.17g %.17g", north ? y : x, north ? x : y);
}

static void write_envelope(const struct ogc_document *d, const char *crs)
{
  const struct coverage_axes axes = coverage_axes_of(json_string_value(json_object_get(coverage_cube(d), "crs")));
  const json_t *dates = json_object_get(service_dimension(&d->at->view, "temporal"), "labels");
  const size_t count = json_array_size(dates);
  const char *kind = count > 0 ? "gml:EnvelopeWithTimePeriod" : "gml:Envelope";
  const bool degrees = strcmp(axes.x, "Long") == 0;
  buffer_printf(d->out, "<gml:boundedBy><%s", kind);
  xml_attribute(d->out, "srsName", crs);
  buffer_printf(d->out, " axisLabels=\"%s %s%s\" uomLabels=\"%s %s%s\" srsDimension=\"2\">",
                axes.north_first ? axes.y : axes.x, axes.north_first ? axes.x : axes.y, count > 0 ? " time" : "",
                degrees ? "deg" : "m", degrees ? "deg" : "m", count > 0 ? " s" : "");
  write_pair(d, "gml:lowerCorner", number_of(d, "bbox", 0), number_of(d, "bbox", 1));
  write_pair(d, "gml:upperCorner", number_of(d, "bbox", 2), number_of(d, "bbox", 3));
  if (count > 0) {
    xml_element(d->out, "gml:beginPosition", "%s", json_string_value(json_array_get(dates, 0)));
    xml_element(d->out, "gml:endPosition", "%s", json_string_value(json_array_get(dates, count - 1)));
  }
  buffer_printf(d->out, "</%s></gml:boundedBy>", kind);
}

/* Dates that a time subset may name. */
static void write_times(const struct ogc_document *d)
{
  const json_t *dates = json_object_get(service_dimension(&d->at->view, "temporal"), "labels"), *date;
  size_t i;
  if (json_array_size(dates) == 0)
    return;
  buffer_text(d->out, "<gmlcov:metadata><gmlcov:Extension><wcsgs:TimeDomain default=\"all\">");
  json_array_foreach(dates, i, date)
  {
    buffer_printf(d->out, "<gml:TimeInstant gml:id=\"" MAP_LAYER "_time_%zu\">", i);
    xml_element(d->out, "gml:timePosition", "%s", json_string_value(date));
    buffer_text(d->out, "</gml:TimeInstant>");
  }
  buffer_text(d->out, "</wcsgs:TimeDomain></gmlcov:Extension></gmlcov:metadata>");
}

static void write_grid(const struct ogc_document *d, const char *crs)
{
  const double res_x = number_of(d, "resolution", 0), res_y = number_of(d, "resolution", 1);
  buffer_text(d->out, "<gml:domainSet><gml:RectifiedGrid gml:id=\"" MAP_LAYER "_grid\" dimension=\"2\"><gml:limits>"
                      "<gml:GridEnvelope><gml:low>0 0</gml:low>");
  xml_element(d->out, "gml:high", "%.0f %.0f", number_of(d, "size", 0) - 1, number_of(d, "size", 1) - 1);
  buffer_text(d->out, "</gml:GridEnvelope></gml:limits><gml:axisLabels>i j</gml:axisLabels><gml:origin>"
                      "<gml:Point gml:id=\"" MAP_LAYER "_origin\"");
  xml_attribute(d->out, "srsName", crs);
  buffer_text(d->out, ">");
  write_pair(d, "gml:pos", number_of(d, "bbox", 0) + res_x / 2, number_of(d, "bbox", 3) - res_y / 2);
  buffer_text(d->out, "</gml:Point></gml:origin>");
  for (int axis = 0; axis < 2; axis++) {
    const bool north = coverage_axes_of(json_string_value(json_object_get(coverage_cube(d), "crs"))).north_first;
    const double x = axis == 0 ? res_x : 0, y = axis == 0 ? 0 : -res_y;
    buffer_text(d->out, "<gml:offsetVector");
    xml_attribute(d->out, "srsName", crs);
    buffer_printf(d->out, ">%.17g %.17g</gml:offsetVector>", north ? y : x, north ? x : y);
  }
  buffer_text(d->out, "</gml:RectifiedGrid></gml:domainSet>");
}

static void write_range(const struct ogc_document *d)
{
  const json_t *nodata;
  json_t *fields = coverage_fields(d), *field;
  size_t i;
  coverage_type(d, &nodata);
  buffer_text(d->out, "<gmlcov:rangeType><swe:DataRecord>");
  json_array_foreach(fields, i, field)
  {
    buffer_text(d->out, "<swe:field");
    xml_attribute(d->out, "name", json_string_value(field));
    buffer_text(d->out, "><swe:Quantity>");
    if (nodata != NULL) {
      buffer_text(d->out, "<swe:nilValues><swe:NilValues><swe:nilValue"
                          " reason=\"http://www.opengis.net/def/nil/OGC/0/missing\">");
      buffer_printf(d->out, "%.17g</swe:nilValue></swe:NilValues></swe:nilValues>", json_number_value(nodata));
    }
    buffer_text(d->out, "<swe:uom");
    xml_attribute(d->out, "code", coverage_unit(d, i));
    buffer_text(d->out, "/></swe:Quantity></swe:field>");
  }
  buffer_text(d->out, "</swe:DataRecord></gmlcov:rangeType>");
  json_decref(fields);
}

void wcs_description(const struct ogc_document *d)
{
  char crs[512];
  service_crs_uri(json_string_value(json_object_get(coverage_cube(d), "crs")), crs);
  buffer_text(d->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<wcs:CoverageDescriptions"
                      " xmlns:wcs=\"http://www.opengis.net/wcs/2.0\" xmlns:gml=\"http://www.opengis.net/gml/3.2\""
                      " xmlns:gmlcov=\"http://www.opengis.net/gmlcov/1.0\" xmlns:swe=\"http://www.opengis.net/swe/2.0\""
                      " xmlns:wcsgs=\"http://www.geoserver.org/wcsgs/2.0\">"
                      "<wcs:CoverageDescription gml:id=\"" MAP_LAYER "\"><gml:description>");
  xml_text(d->out, d->at->service.description);
  buffer_text(d->out, "</gml:description><gml:name>");
  xml_text(d->out, title_of(d));
  buffer_text(d->out, "</gml:name>");
  write_envelope(d, crs);
  buffer_text(d->out, "<wcs:CoverageId>" MAP_LAYER "</wcs:CoverageId>");
  write_times(d);
  write_grid(d, crs);
  write_range(d);
  buffer_text(d->out, "<wcs:ServiceParameters><wcs:CoverageSubtype>RectifiedGridCoverage</wcs:CoverageSubtype>"
                      "<wcs:nativeFormat>image/tiff</wcs:nativeFormat></wcs:ServiceParameters>"
                      "</wcs:CoverageDescription></wcs:CoverageDescriptions>\n");
}
