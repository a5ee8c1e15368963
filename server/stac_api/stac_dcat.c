/* What data spaces harvest: all collections as DCAT-AP (JSON-LD) at /dcat, and an OpenSearch description.
 *
 * A dataset is a collection; what its document does not say is not said. */
#include "server/stac_api/stac_api.h"
#include "server/stac_api/stac_collection_match.h"

#include "server/endpoints/endpoints.h"
#include "server/services/xml_writer.h"

#include "stac/href.h"
#include "stac/json_tree.h"

#include <string.h>

static const char context[] =
    "{\"dcat\":\"http://www.w3.org/ns/dcat#\",\"dct\":\"http://purl.org/dc/terms/\","
    "\"foaf\":\"http://xmlns.com/foaf/0.1/\",\"geosparql\":\"http://www.opengis.net/ont/geosparql#\","
    "\"xsd\":\"http://www.w3.org/2001/XMLSchema#\"}";

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static void write_reference(struct json_writer *w, const char *key, const char *base, const char *path)
{
  struct buffer address = {0};
  buffer_printf(&address, "%s%s", base, path);
  if (key != NULL) {
    json_key(w, key);
    json_write_object(w);
  }
  json_kv_string(w, "@id", address.failed ? base : address.data);
  if (key != NULL)
    json_end_object(w);
  buffer_free(&address);
}

static void write_typed(struct json_writer *w, const char *key, const char *type, const char *value)
{
  json_key(w, key);
  json_write_object(w);
  json_kv_string(w, "@type", type);
  json_kv_string(w, "@value", value);
  json_end_object(w);
}

static void write_spatial(struct json_writer *w, const json_t *extent)
{
  const json_t *box = json_array_get(json_object_get(json_object_get(extent, "spatial"), "bbox"), 0);
  const size_t count = json_array_size(box), half = count / 2;
  struct buffer shape = {0};
  if (count != 4 && count != 6)
    return;
  const double west = json_number_value(json_array_get(box, 0)), south = json_number_value(json_array_get(box, 1));
  const double east = json_number_value(json_array_get(box, half)),
               north = json_number_value(json_array_get(box, half + 1));
  if (west > east) /* across the antimeridian */
    buffer_printf(&shape,
                  "MULTIPOLYGON(((%.9g %.9g,180 %.9g,180 %.9g,%.9g %.9g,%.9g %.9g)),((-180 %.9g,%.9g %.9g,"
                  "%.9g %.9g,-180 %.9g,-180 %.9g)))",
                  west, south, south, north, west, north, west, south, south, east, south, east, north, north, south);
  else
    buffer_printf(&shape, "POLYGON((%.9g %.9g,%.9g %.9g,%.9g %.9g,%.9g %.9g,%.9g %.9g))", west, south, east, south,
                  east, north, west, north, west, south);
  json_key(w, "dct:spatial");
  json_write_object(w);
  json_kv_string(w, "@type", "dct:Location");
  write_typed(w, "dcat:bbox", "geosparql:wktLiteral", shape.failed ? "" : shape.data);
  json_end_object(w);
  buffer_free(&shape);
}

static void write_temporal(struct json_writer *w, const json_t *extent)
{
  const json_t *ends = json_array_get(json_object_get(json_object_get(extent, "temporal"), "interval"), 0);
  const char *start = json_string_value(json_array_get(ends, 0)), *end = json_string_value(json_array_get(ends, 1));
  if (start == NULL && end == NULL)
    return;
  json_key(w, "dct:temporal");
  json_write_object(w);
  json_kv_string(w, "@type", "dct:PeriodOfTime");
  if (start != NULL)
    write_typed(w, "dcat:startDate", "xsd:dateTime", start);
  if (end != NULL)
    write_typed(w, "dcat:endDate", "xsd:dateTime", end);
  json_end_object(w);
}

static void write_creators(struct json_writer *w, const json_t *providers)
{
  if (json_array_size(providers) == 0)
    return;
  json_key(w, "dct:creator");
  json_write_array(w);
  for (size_t i = 0; i < json_array_size(providers); i++) {
    const json_t *provider = json_array_get(providers, i);
    json_write_object(w);
    json_kv_string(w, "@type", "foaf:Agent");
    json_kv_string(w, "foaf:name", json_tree_text(provider, "name"));
    if (json_tree_text(provider, "url") != NULL)
      write_reference(w, "foaf:homepage", json_tree_text(provider, "url"), "");
    json_end_object(w);
  }
  json_end_array(w);
}

/* Identifiers of SPDX have an address; STAC's other words have none. */
static void write_licence(struct json_writer *w, const char *licence)
{
  if (licence == NULL)
    return;
  if (strcmp(licence, "proprietary") == 0 || strcmp(licence, "various") == 0 || strcmp(licence, "other") == 0)
    json_kv_string(w, "dct:rights", licence);
  else
    write_reference(w, "dct:license", "https://spdx.org/licenses/", licence);
}

static void write_distribution(struct json_writer *w, const struct exchange *exchange, const char *place,
                               const char *licence)
{
  json_key(w, "dcat:distribution");
  json_write_array(w);
  json_write_object(w);
  json_kv_string(w, "@type", "dcat:Distribution");
  json_kv_string(w, "dct:title", "Items");
  write_reference(w, "dcat:accessURL", place, "/items");
  write_reference(w, "dcat:accessService", exchange->base, "");
  write_reference(w, "dcat:mediaType", "https://www.iana.org/assignments/media-types/", GEOJSON_MEDIA_TYPE);
  write_licence(w, licence);
  json_end_object(w);
  json_end_array(w);
}

/* ---- datasets --------------------------------------------------------------------------------------------------- */

struct dataset_writing {
  const struct exchange *exchange;
  struct json_writer *w;
  struct error *error;
  int status;
};

static void write_dataset(const struct dataset_writing *writing, const char *id, const json_t *document)
{
  struct json_writer *w = writing->w;
  struct buffer place = {0};
  const char *title = json_tree_text(document, "title");
  buffer_printf(&place, "%s/collections/", writing->exchange->base);
  href_encode(id, &place);
  const char *address = place.failed ? writing->exchange->base : place.data;
  json_write_object(w);
  json_kv_string(w, "@id", address);
  json_kv_string(w, "@type", "dcat:Dataset");
  json_kv_string(w, "dct:identifier", id);
  json_kv_string(w, "dct:title", title != NULL ? title : id);
  json_kv_string(w, "dct:description", json_tree_text(document, "description"));
  if (json_tree_array(document, "keywords") != NULL) {
    json_key(w, "dcat:keyword");
    json_tree_write(w, json_tree_array(document, "keywords"));
  }
  write_creators(w, json_tree_array(document, "providers"));
  write_spatial(w, json_object_get(document, "extent"));
  write_temporal(w, json_object_get(document, "extent"));
  write_distribution(w, writing->exchange, address, json_tree_text(document, "license"));
  json_end_object(w);
  buffer_free(&place);
}

static bool write_one(void *data, const char *id, const char *title)
{
  struct dataset_writing *writing = data;
  struct buffer text = {0};
  (void)title;
  writing->status =
      catalogue_collection_json(writing->exchange->catalogue, id, writing->exchange->base, &text, writing->error);
  json_t *document = writing->status == 0 ? json_loadb(text.data, text.length, 0, NULL) : NULL;
  if (writing->status == 0)
    write_dataset(writing, id, document);
  json_decref(document);
  buffer_free(&text);
  return writing->status == 0;
}

static void write_service(struct json_writer *w, const struct exchange *exchange)
{
  json_key(w, "dcat:service");
  json_write_array(w);
  json_write_object(w);
  write_reference(w, NULL, exchange->base, "");
  json_kv_string(w, "@type", "dcat:DataService");
  json_kv_string(w, "dct:title", "STAC API");
  write_reference(w, "dcat:endpointURL", exchange->base, "");
  write_reference(w, "dcat:endpointDescription", exchange->base, "/api");
  write_reference(w, "dct:conformsTo", "https://api.stacspec.org/v1.0.0/core", "");
  json_end_object(w);
  json_write_object(w);
  write_reference(w, NULL, exchange->host, exchange->api->root);
  json_kv_string(w, "@type", "dcat:DataService");
  json_kv_string(w, "dct:title", "openEO API");
  write_reference(w, "dcat:endpointURL", exchange->host, exchange->api->root);
  json_end_object(w);
  json_end_array(w);
}

/* Who runs the server is known by its address alone. */
void get_dcat(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  struct dataset_writing writing = {.exchange = exchange, .w = &w, .error = &error};
  json_write_object(&w);
  json_key(&w, "@context");
  json_write_raw(&w, context, strlen(context));
  write_reference(&w, NULL, exchange->host, "/dcat");
  json_kv_string(&w, "@type", "dcat:Catalog");
  json_kv_string(&w, "dct:title", "twincube");
  json_kv_string(&w, "dct:description", "The collections of this server.");
  json_key(&w, "dct:publisher");
  json_write_object(&w);
  json_kv_string(&w, "@type", "foaf:Agent");
  json_kv_string(&w, "foaf:name", exchange->host);
  json_end_object(&w);
  write_service(&w, exchange);
  json_key(&w, "dcat:dataset");
  json_write_array(&w);
  int status = catalogue_each(exchange->catalogue, write_one, &writing, &error);
  json_end_array(&w);
  json_end_object(&w);
  stac_reply(exchange, status != 0 ? status : writing.status, "application/ld+json", &json, &error);
}

/* ---- OpenSearch ------------------------------------------------------------------------------------------------- */

static void write_url(struct buffer *out, const struct exchange *exchange, const char *relation, const char *type,
                      const char *path)
{
  struct buffer attributes = {0}, address = {0};
  buffer_printf(&address, "%s%s", exchange->base, path);
  xml_attribute(&attributes, "rel", relation);
  xml_attribute(&attributes, "type", type);
  xml_attribute(&attributes, "template", address.failed ? "" : address.data);
  xml_empty(out, "Url", attributes.failed ? NULL : attributes.data + 1);
  buffer_free(&attributes);
  buffer_free(&address);
}

/* What a template leaves out is empty, and an interval without ends would be none: it has an address of its own. */
void stac_get_opensearch(struct exchange *exchange)
{
  struct buffer xml = {0};
  buffer_text(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  xml_open(&xml, "OpenSearchDescription",
           "xmlns=\"http://a9.com/-/spec/opensearch/1.1/\" xmlns:eo=\"http://a9.com/-/opensearch/extensions/eo/1.0/\" "
           "xmlns:geo=\"http://a9.com/-/opensearch/extensions/geo/1.0/\" "
           "xmlns:time=\"http://a9.com/-/opensearch/extensions/time/1.0/\"");
  xml_element(&xml, "ShortName", "twincube");
  xml_element(&xml, "Description", "Collections and items of this server");
  write_url(&xml, exchange, "collection", "application/json",
            "/collections?q={searchTerms?}&bbox={geo:box?}&limit={count?}");
  write_url(&xml, exchange, "results", GEOJSON_MEDIA_TYPE,
            "/search?collections={eo:parentIdentifier?}&bbox={geo:box?}&ids={geo:uid?}&limit={count?}");
  write_url(
      &xml, exchange, "results", GEOJSON_MEDIA_TYPE,
      "/search?collections={eo:parentIdentifier?}&bbox={geo:box?}&datetime={time:start}/{time:end?}&limit={count?}");
  xml_close(&xml, "OpenSearchDescription");
  buffer_text(&xml, "\n");
  reply_typed(exchange, "application/opensearchdescription+xml", &xml);
}
