/* A row says which of our errors is which of theirs; the first that fits counts. */
#include "server/services/ogc_errors.h"

#include "server/error_table.h"
#include "server/services/xml_writer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct ogc_row {
  const char *code;      /* ours; NULL: any */
  const char *parameter; /* that the error names, in any case; NULL: any, "": none */
  const char *theirs;
  const char *locator; /* NULL: the parameter */
  unsigned status;     /* 0: of our code */
};

static const struct ogc_row wms_rows[] = {{"CRSInvalid", NULL, "InvalidCRS", NULL, 0},
                                          {NULL, "crs", "InvalidCRS", NULL, 0},
                                          {NULL, "layers", "LayerNotDefined", NULL, 0},
                                          {NULL, "query_layers", "LayerNotDefined", NULL, 0},
                                          {NULL, "styles", "StyleNotDefined", NULL, 0},
                                          {NULL, "format", "InvalidFormat", NULL, 0},
                                          {NULL, "info_format", "InvalidFormat", NULL, 0},
                                          {NULL, "i", "InvalidPoint", NULL, 0},
                                          {NULL, "j", "InvalidPoint", NULL, 0},
                                          {NULL, "request", "OperationNotSupported", NULL, 0},
                                          {"QueryParameterInvalid", "bbox", "InvalidParameterValue", NULL, 0},
                                          {"QueryParameterInvalid", "width", "InvalidParameterValue", NULL, 0},
                                          {"QueryParameterInvalid", "height", "InvalidParameterValue", NULL, 0},
                                          {"QueryParameterInvalid", NULL, "InvalidDimensionValue", NULL, 0},
                                          {NULL, NULL, "NoApplicableCode", NULL, 0}};

static const struct ogc_row wmts_rows[] = {{"NotFound", "row", "TileOutOfRange", "TileRow", 400},
                                           {"NotFound", "column", "TileOutOfRange", "TileCol", 400},
                                           {"NotFound", "zoom", "InvalidParameterValue", "TileMatrix", 400},
                                           {"NotFound", "format", "InvalidParameterValue", "Format", 400},
                                           {NULL, "request", "OperationNotSupported", "Request", 501},
                                           {NULL, "datetime", "InvalidParameterValue", "Time", 0},
                                           {"QueryParameterInvalid", NULL, "InvalidParameterValue", NULL, 0},
                                           {NULL, NULL, "NoApplicableCode", NULL, 0}};

static const struct ogc_row wcs_rows[] = {
    {"NotFound", "coverageId", "NoSuchCoverage", NULL, 404},
    {NULL, "request", "OperationNotSupported", NULL, 501},
    {"CRSInvalid", "outputcrs", "OutputCrs-NotSupported", NULL, 404},
    {"CRSInvalid", NULL, "SubsettingCrs-NotSupported", NULL, 404},
    {NULL, "axis", "InvalidAxisLabel", "subset", 404},
    {NULL, "scale-axis", "ScaleAxisUndefined", NULL, 404},
    {NULL, "scalefactor", "InvalidScaleFactor", NULL, 404},
    {NULL, "scaleextent", "InvalidExtent", NULL, 404},
    {NULL, "properties", "NoSuchField", "rangesubset", 404},
    {NULL, "subset", "InvalidSubsetting", NULL, 404},
    {NULL, "bbox", "InvalidSubsetting", "subset", 404},
    {NULL, "interpolation", "InterpolationMethodNotSupported", NULL, 404},
    {"QueryParameterInvalid", "format", "InvalidParameterValue", NULL, 0},
    {"QueryParameterInvalid", "version", "InvalidParameterValue", NULL, 0},
    {"QueryParameterInvalid", "coverageId", "MissingParameterValue", NULL, 0},
    {"QueryParameterInvalid", "mediatype", "InvalidParameterValue", NULL, 0},
    {"QueryParameterInvalid", "scalesize", "InvalidParameterValue", NULL, 0},
    {"QueryParameterInvalid", "scaleaxes", "InvalidParameterValue", NULL, 0},
    {"QueryParameterInvalid", NULL, "InvalidSubsetting", NULL, 404}, /* a dimension's name */
    {NULL, NULL, "NoApplicableCode", NULL, 0}};

static const struct ogc_row *row_of(const struct ogc_row *row, const struct error *error)
{
  while ((row->code != NULL && strcmp(row->code, error->code) != 0) ||
         (row->parameter != NULL && strcasecmp(row->parameter, error->parameter) != 0))
    row++;
  return row;
}

/* ServiceExceptionReport of WMS 1.3.0 (06-042, annex A) and 1.1.1, whose name for a CRS is another. */
static void write_wms(const struct exchange *exchange, const struct error *error, struct http_response *response)
{
  const struct ogc_row *row = row_of(wms_rows, error);
  char version[16] = "", text[ERROR_TEXT_SIZE];
  struct buffer *out = &response->body;
  http_query(exchange->http, "version", version, sizeof version);
  const bool is_old = strncmp(version, "1.1", 3) == 0;
  error_text(error, text);
  buffer_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  buffer_text(out, is_old ? "<ServiceExceptionReport version=\"1.1.1\">"
                          : "<ServiceExceptionReport version=\"1.3.0\" xmlns=\"http://www.opengis.net/ogc\">");
  buffer_text(out, "<ServiceException");
  xml_attribute(out, "code", is_old && strcmp(row->theirs, "InvalidCRS") == 0 ? "InvalidSRS" : row->theirs);
  if (error->parameter[0] != '\0')
    xml_attribute(out, "locator", error->parameter);
  buffer_text(out, ">");
  xml_text(out, text);
  buffer_text(out, "</ServiceException></ServiceExceptionReport>\n");
  snprintf(response->media_type, sizeof response->media_type, "%s",
           is_old ? "application/vnd.ogc.se_xml" : "text/xml; charset=utf-8");
}

struct ows_dialect { /* of OWS Common */
  const struct ogc_row *rows;
  const char *space, *version;
  bool finds_missing; /* a parameter that an error names and the query lacks is missing */
};

/* Whether the query, which names an operation, lacks the parameter that the error is about. */
static bool is_missing(const struct exchange *exchange, const char *locator)
{
  char request[32], value[4];
  return http_query(exchange->http, "request", request, sizeof request) > 0 && locator[0] != '\0' &&
         http_query(exchange->http, locator, value, sizeof value) == 0;
}

static void write_report(const struct exchange *exchange, const struct ows_dialect *dialect, const struct error *error,
                         struct http_response *response)
{
  const struct ogc_row *row = row_of(dialect->rows, error);
  const char *locator = row->locator != NULL ? row->locator : error->parameter;
  const bool missing = dialect->finds_missing && response->status < 500 && is_missing(exchange, locator);
  char text[ERROR_TEXT_SIZE];
  struct buffer *out = &response->body;
  error_text(error, text);
  buffer_printf(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ows:ExceptionReport xmlns:ows=\"%s\" version=\"%s\""
                " xml:lang=\"en\"><ows:Exception exceptionCode=\"%s\"",
                dialect->space, dialect->version, missing ? "MissingParameterValue" : row->theirs);
  if (locator[0] != '\0')
    xml_attribute(out, "locator", locator);
  buffer_text(out, "><ows:ExceptionText>");
  xml_text(out, text);
  buffer_text(out, "</ows:ExceptionText></ows:Exception></ows:ExceptionReport>\n");
  if (row->status != 0)
    response->status = row->status;
  snprintf(response->media_type, sizeof response->media_type, "application/xml");
}

static void write_wmts(const struct exchange *exchange, const struct error *error, struct http_response *response)
{
  static const struct ows_dialect dialect = {wmts_rows, "http://www.opengis.net/ows/1.1", "1.0.0", true};
  write_report(exchange, &dialect, error, response);
}

static void write_wcs(const struct exchange *exchange, const struct error *error, struct http_response *response)
{
  static const struct ows_dialect dialect = {wcs_rows, "http://www.opengis.net/ows/2.0", "2.0.1", false};
  write_report(exchange, &dialect, error, response);
}

void ogc_errors_begin(struct exchange *exchange, enum ogc_service service)
{
  static error_writer *const writers[] = {[OGC_WMS] = write_wms, [OGC_WMTS] = write_wmts, [OGC_WCS] = write_wcs};
  char wanted[64] = "";
  http_query(exchange->http, "exceptions", wanted, sizeof wanted);
  if (strncasecmp(wanted, "application/json", strlen("application/json")) != 0)
    exchange->write_error = writers[service];
}
