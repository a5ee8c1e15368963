/* WMTS 1.0.0 (OGC 07-057r7): one layer on the matrix set of web mercator, by key-value pairs and by path. */
#include "server/services/ogc_documents.h"
#include "server/services/xml_writer.h"

#include <string.h>

enum { ZOOMS = 25 };
static const double scale_of_zoom_0 = 559082264.0287178; /* of 256 pixels of 0.28 mm */

static void write_operation(struct buffer *out, const char *name, const char *url)
{
  buffer_printf(out, "<ows:Operation name=\"%s\"><ows:DCP><ows:HTTP><ows:Get", name);
  xml_attribute(out, "xlink:href", url);
  buffer_text(out, "><ows:Constraint name=\"GetEncoding\"><ows:AllowedValues><ows:Value>KVP</ows:Value>"
                   "</ows:AllowedValues></ows:Constraint></ows:Get></ows:HTTP></ows:DCP></ows:Operation>");
}

static void write_time_dimension(const struct ogc_document *d)
{
  const json_t *time = service_dimension(&d->at->view, "temporal"), *labels = json_object_get(time, "labels");
  const json_t *label;
  size_t i, count = json_array_size(labels);
  if (count == 0)
    return;
  buffer_text(d->out, "<Dimension><ows:Identifier>Time</ows:Identifier>");
  xml_element(d->out, "Default", "%s", json_string_value(json_array_get(labels, count - 1)));
  json_array_foreach(labels, i, label) xml_element(d->out, "Value", "%s", json_string_value(label));
  buffer_text(d->out, "</Dimension>");
}

static void write_resources(const struct ogc_document *d)
{
  const bool has_time = service_dimension(&d->at->view, "temporal") != NULL;
  for (int f = 0; f < TILE_FORMATS; f++) {
    buffer_printf(d->out, "<ResourceURL resourceType=\"tile\" format=\"%s\" template=\"",
                  tile_format_media_type((enum tile_format)f));
    xml_text(d->out, d->url);
    buffer_printf(d->out, "/{TileMatrix}/{TileRow}/{TileCol}.%s%s\"/>", tile_format_name((enum tile_format)f),
                  has_time ? "?time={Time}" : "");
  }
}

/* The legend is a resource of the service, beside its tiles. */
static void write_legend(const struct ogc_document *d)
{
  struct buffer url = {0};
  buffer_printf(&url, "%.*s/legend", (int)(strlen(d->url) - strlen(d->at->view.type->path)), d->url);
  buffer_text(d->out, "<LegendURL format=\"image/png\"");
  xml_attribute(d->out, "xlink:href", url.data);
  buffer_text(d->out, "/>");
  buffer_free(&url);
}

static void write_layer(const struct ogc_document *d)
{
  const json_t *box = json_object_get(json_object_get(d->at->view.shown, "cube"), "lonlat");
  double edges[4];
  for (size_t i = 0; i < 4; i++)
    edges[i] = json_number_value(json_array_get(box, i));
  buffer_text(d->out, "<Layer><ows:Title>");
  xml_text(d->out, d->at->service.title != NULL ? d->at->service.title : d->at->service.id);
  buffer_text(d->out, "</ows:Title><ows:Abstract>");
  xml_text(d->out, d->at->service.description);
  buffer_text(d->out, "</ows:Abstract><ows:WGS84BoundingBox>");
  xml_element(d->out, "ows:LowerCorner", "%.10g %.10g", edges[0], edges[1]);
  xml_element(d->out, "ows:UpperCorner", "%.10g %.10g", edges[2], edges[3]);
  buffer_text(d->out, "</ows:WGS84BoundingBox><ows:Identifier>" MAP_LAYER "</ows:Identifier>"
                      "<Style isDefault=\"true\"><ows:Identifier>default</ows:Identifier>");
  write_legend(d);
  buffer_text(d->out, "</Style>");
  for (int f = 0; f < TILE_FORMATS; f++)
    xml_element(d->out, "Format", "%s", tile_format_media_type((enum tile_format)f));
  write_time_dimension(d);
  buffer_text(d->out, "<TileMatrixSetLink><TileMatrixSet>WebMercatorQuad</TileMatrixSet></TileMatrixSetLink>");
  write_resources(d);
  buffer_text(d->out, "</Layer>");
}

static void write_matrices(const struct ogc_document *d)
{
  const unsigned size = d->at->view.tile_size;
  buffer_text(d->out, "<TileMatrixSet><ows:Identifier>WebMercatorQuad</ows:Identifier>"
                      "<ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>");
  if (size == 256)
    buffer_text(d->out, "<WellKnownScaleSet>urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible</WellKnownScaleSet>");
  for (int zoom = 0; zoom < ZOOMS; zoom++) {
    const double tiles = (double)(1L << zoom);
    buffer_printf(d->out, "<TileMatrix><ows:Identifier>%d</ows:Identifier>", zoom);
    xml_element(d->out, "ScaleDenominator", "%.17g", scale_of_zoom_0 * 256 / size / tiles);
    xml_element(d->out, "TopLeftCorner", "%.12f %.12f", -map_world_edge, map_world_edge);
    xml_element(d->out, "TileWidth", "%u", size);
    xml_element(d->out, "TileHeight", "%u", size);
    xml_element(d->out, "MatrixWidth", "%.0f", tiles);
    xml_element(d->out, "MatrixHeight", "%.0f", tiles);
    buffer_text(d->out, "</TileMatrix>");
  }
  buffer_text(d->out, "</TileMatrixSet>");
}

void wmts_capabilities(const struct ogc_document *d)
{
  buffer_text(d->out,
              "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Capabilities xmlns=\"http://www.opengis.net/wmts/1.0\""
              " xmlns:ows=\"http://www.opengis.net/ows/1.1\" xmlns:xlink=\"http://www.w3.org/1999/xlink\""
              " version=\"1.0.0\"><ows:ServiceIdentification><ows:Title>");
  xml_text(d->out, d->at->service.title != NULL ? d->at->service.title : d->at->service.id);
  buffer_text(d->out, "</ows:Title><ows:ServiceType>OGC WMTS</ows:ServiceType>"
                      "<ows:ServiceTypeVersion>1.0.0</ows:ServiceTypeVersion></ows:ServiceIdentification>"
                      "<ows:OperationsMetadata>");
  write_operation(d->out, "GetCapabilities", d->url);
  write_operation(d->out, "GetTile", d->url);
  buffer_text(d->out, "</ows:OperationsMetadata><Contents>");
  write_layer(d);
  write_matrices(d);
  buffer_text(d->out, "</Contents><ServiceMetadataURL");
  struct buffer url = {0};
  buffer_printf(&url, "%s/1.0.0/WMTSCapabilities.xml", d->url);
  xml_attribute(d->out, "xlink:href", url.data);
  buffer_free(&url);
  buffer_text(d->out, "/></Capabilities>\n");
}
