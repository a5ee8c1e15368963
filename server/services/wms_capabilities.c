/* WMS 1.3.0 (OGC 06-042) and 1.1.1 (OGC 01-068r3): the two differ in names of elements and in the order of axes. */
#include "server/services/ogc_documents.h"
#include "server/services/xml_writer.h"

#include <string.h>

static void write_get(const struct ogc_document *d, const char *operation, const char *const *formats)
{
  xml_open(d->out, operation, NULL);
  for (size_t i = 0; formats[i] != NULL; i++)
    xml_element(d->out, "Format", "%s", formats[i]);
  buffer_text(d->out, "<DCPType><HTTP><Get><OnlineResource xmlns:xlink=\"http://www.w3.org/1999/xlink\""
                      " xlink:type=\"simple\"");
  struct buffer url = {0};
  buffer_printf(&url, "%s?", d->url);
  xml_attribute(d->out, "xlink:href", url.data);
  buffer_free(&url);
  buffer_text(d->out, "/></Get></HTTP></DCPType>");
  xml_close(d->out, operation);
}

static void write_operations(const struct ogc_document *d, bool is_new)
{
  static const char *const xml[] = {"text/xml", NULL}, *const old_xml[] = {"application/vnd.ogc.wms_xml", NULL},
                           *const pictures[] = {"image/png", "image/jpeg", "image/webp", NULL},
                           *const values[] = {"application/json", "text/plain", NULL};
  buffer_text(d->out, "<Request>");
  write_get(d, "GetCapabilities", is_new ? xml : old_xml);
  write_get(d, "GetMap", pictures);
  write_get(d, "GetFeatureInfo", values);
  buffer_text(d->out, "</Request><Exception>");
  xml_element(d->out, "Format", "%s", is_new ? "XML" : "application/vnd.ogc.se_xml");
  buffer_text(d->out, "<Format>application/json</Format></Exception>");
}

static void write_box(const struct ogc_document *d, const char *key, const char *crs, const double box[4])
{
  buffer_printf(d->out, "<BoundingBox %s=\"%s\" minx=\"%.12g\" miny=\"%.12g\" maxx=\"%.12g\" maxy=\"%.12g\"/>", key,
                crs, box[0], box[1], box[2], box[3]);
}

static void read_box(const json_t *cube, const char *name, double box[4])
{
  for (size_t i = 0; i < 4; i++)
    box[i] = json_number_value(json_array_get(json_object_get(cube, name), i));
}

static void write_boxes(const struct ogc_document *d, bool is_new)
{
  const json_t *cube = json_object_get(d->at->view.shown, "cube");
  const char *crs = json_string_value(json_object_get(cube, "crs")), *key = is_new ? "CRS" : "SRS";
  static const char *const always[] = {"EPSG:3857", "EPSG:4326", "EPSG:3395", "EPSG:3035", NULL};
  double box[4], own[4];
  read_box(cube, "lonlat", box);
  read_box(cube, "bbox", own);
  for (size_t i = 0; always[i] != NULL; i++)
    xml_element(d->out, key, "%s", always[i]);
  if (is_new)
    xml_element(d->out, key, "CRS:84");
  const bool is_other = crs != NULL && strncmp(crs, "EPSG:", 5) == 0 && strcmp(crs, "EPSG:4326") != 0;
  if (is_other && strcmp(crs, "EPSG:3857") != 0)
    xml_element(d->out, key, "%s", crs);
  if (is_new) {
    buffer_text(d->out, "<EX_GeographicBoundingBox>");
    xml_element(d->out, "westBoundLongitude", "%.12g", box[0]);
    xml_element(d->out, "eastBoundLongitude", "%.12g", box[2]);
    xml_element(d->out, "southBoundLatitude", "%.12g", box[1]);
    xml_element(d->out, "northBoundLatitude", "%.12g", box[3]);
    buffer_text(d->out, "</EX_GeographicBoundingBox>");
    write_box(d, key, "CRS:84", box);
    write_box(d, key, "EPSG:4326", (double[]){box[1], box[0], box[3], box[2]});
  } else {
    buffer_printf(d->out, "<LatLonBoundingBox minx=\"%.12g\" miny=\"%.12g\" maxx=\"%.12g\" maxy=\"%.12g\"/>", box[0],
                  box[1], box[2], box[3]);
    write_box(d, key, "EPSG:4326", box);
  }
  if (is_other && !(is_new && crs_starts_north(crs)))
    write_box(d, key, crs, own);
}

static void write_dimension(const struct ogc_document *d, const json_t *dimension, bool is_new)
{
  const char *type = json_string_value(json_object_get(dimension, "type"));
  const char *name = json_string_value(json_object_get(dimension, "name"));
  const json_t *labels = json_object_get(dimension, "labels"), *label;
  const size_t count = json_array_size(labels);
  const bool is_time = type != NULL && strcmp(type, "temporal") == 0;
  size_t i;
  if (count == 0 || type == NULL || strcmp(type, "bands") == 0)
    return;
  const char *shown = json_string_value(json_array_get(labels, is_time ? count - 1 : 0));
  buffer_text(d->out, "<Dimension");
  xml_attribute(d->out, "name", is_time ? "time" : name);
  xml_attribute(d->out, "units", is_time ? "ISO8601" : "");
  if (is_new)
    xml_attribute(d->out, "default", shown);
  buffer_text(d->out, is_new ? ">" : "/><Extent");
  if (!is_new) {
    xml_attribute(d->out, "name", is_time ? "time" : name);
    xml_attribute(d->out, "default", shown);
    buffer_text(d->out, ">");
  }
  json_array_foreach(labels, i, label)
  {
    buffer_text(d->out, i > 0 ? "," : "");
    xml_text(d->out, json_string_value(label));
  }
  buffer_text(d->out, is_new ? "</Dimension>" : "</Extent>");
}

static void write_layer(const struct ogc_document *d, bool is_new)
{
  const json_t *dimension;
  size_t i;
  buffer_text(d->out, "<Layer queryable=\"1\"><Name>" MAP_LAYER "</Name><Title>");
  xml_text(d->out, d->at->service.title != NULL ? d->at->service.title : d->at->service.id);
  buffer_text(d->out, "</Title><Abstract>");
  xml_text(d->out, d->at->service.description);
  buffer_text(d->out, "</Abstract>");
  write_boxes(d, is_new);
  json_array_foreach(json_object_get(json_object_get(d->at->view.shown, "cube"), "dimensions"), i, dimension)
      write_dimension(d, dimension, is_new);
  buffer_text(d->out, "<Style><Name>default</Name><Title>default</Title><LegendURL width=\"256\" height=\"20\">"
                      "<Format>image/png</Format><OnlineResource xmlns:xlink=\"http://www.w3.org/1999/xlink\""
                      " xlink:type=\"simple\"");
  struct buffer url = {0};
  buffer_printf(&url, "%s?service=WMS&request=GetLegendGraphic&layer=" MAP_LAYER "&format=image/png", d->url);
  xml_attribute(d->out, "xlink:href", url.data);
  buffer_free(&url);
  buffer_text(d->out, "/></LegendURL></Style></Layer>");
}

void wms_capabilities(const struct ogc_document *d, const char *version)
{
  const bool is_new = strcmp(version, "1.3.0") == 0;
  buffer_text(d->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  buffer_text(d->out, is_new ? "<WMS_Capabilities version=\"1.3.0\" xmlns=\"http://www.opengis.net/wms\">"
                             : "<WMT_MS_Capabilities version=\"1.1.1\">");
  buffer_text(d->out, is_new ? "<Service><Name>WMS</Name><Title>" : "<Service><Name>OGC:WMS</Name><Title>");
  xml_text(d->out, d->at->service.title != NULL ? d->at->service.title : d->at->service.id);
  buffer_text(d->out, "</Title><OnlineResource xmlns:xlink=\"http://www.w3.org/1999/xlink\" xlink:type=\"simple\"");
  xml_attribute(d->out, "xlink:href", d->url);
  buffer_text(d->out, "/>");
  if (is_new)
    buffer_printf(d->out, "<LayerLimit>1</LayerLimit><MaxWidth>%d</MaxWidth><MaxHeight>%d</MaxHeight>",
                  (int)MAP_MOST_SIDE, (int)MAP_MOST_SIDE);
  buffer_text(d->out, "</Service><Capability>");
  write_operations(d, is_new);
  write_layer(d, is_new);
  buffer_text(d->out, is_new ? "</Capability></WMS_Capabilities>\n" : "</Capability></WMT_MS_Capabilities>\n");
}
