/* What the metadata say goes where STAC 1.1 wants it: place at the top, dates and dimensions among the properties, what
 * is the file's own to the asset. */
#include "stac/result_item.h"

#include "stac/merge_patch.h"

#include <jansson.h>
#include <string.h>

static void add_link(json_t *links, const char *rel, const char *href, const char *type)
{
  json_array_append_new(links,
                        json_pack("{s:s, s:o, s:s}", "rel", rel, "href", json_sprintf("./%s", href), "type", type));
}

/* Moves a member, where there is one. */
static void move(json_t *from, const char *name, json_t *to)
{
  json_t *value = json_object_get(from, name);
  if (value != NULL)
    json_object_set(to, name, value);
}

static void add_missing(json_t *properties, const char *name)
{
  if (json_object_get(properties, name) == NULL)
    json_object_set_new(properties, name, json_null());
}

/* An item has its date, or both ends of a period; what nobody knows is null. */
static void complete_dates(json_t *properties)
{
  add_missing(properties, "datetime");
  if (json_is_null(json_object_get(properties, "datetime"))) {
    add_missing(properties, "start_datetime");
    add_missing(properties, "end_datetime");
  }
}

static json_t *make_properties(json_t *metadata)
{
  static const char *const names[] = {"datetime",   "start_datetime", "end_datetime",   "proj:code",
                                      "proj:shape", "proj:transform", "cube:dimensions"};
  json_t *properties = json_object();
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    move(metadata, names[i], properties);
  complete_dates(properties);
  return properties;
}

static json_t *make_asset(const struct result_item *item, json_t *metadata)
{
  static const char *const names[] = {"data_type", "nodata", "bands", "cube:dimensions"}; /* what its bands are */
  json_t *asset = json_pack("{s:o, s:s, s:[s], s:I}", "href", json_sprintf("./%s", item->file), "type",
                            item->media_type, "roles", "data", "file:size", (json_int_t)item->size);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    move(metadata, names[i], asset);
  return asset;
}

static json_t *make_extensions(const json_t *metadata)
{
  json_t *extensions = json_pack("[s]", "https://stac-extensions.github.io/file/v2.1.0/schema.json");
  if (json_object_get(metadata, "cube:dimensions") != NULL)
    json_array_append_new(extensions, json_string("https://stac-extensions.github.io/datacube/v2.2.0/schema.json"));
  if (json_object_get(metadata, "proj:code") != NULL || json_object_get(metadata, "proj:shape") != NULL)
    json_array_append_new(extensions, json_string("https://stac-extensions.github.io/projection/v2.0.0/schema.json"));
  return extensions;
}

static int write_out(json_t *document, struct buffer *out, struct error *error)
{
  char *text = json_dumps(document, JSON_INDENT(2));
  json_decref(document);
  if (text != NULL)
    buffer_text(out, text);
  free(text);
  return text == NULL || out->failed ? error_memory(error) : 0;
}

/* Takes the document, and gives one that is changed; NULL where memory is short. */
static json_t *change(json_t *document, const char *changes)
{
  json_t *patches = json_loads(changes, 0, NULL);
  const size_t count = json_array_size(patches);
  for (size_t i = 0; i < count && document != NULL; i++) {
    json_t *changed = merge_patched(document, json_array_get(patches, i));
    json_decref(document);
    document = changed;
  }
  if (document != NULL)
    complete_dates(json_object_get(document, "properties"));
  json_decref(patches);
  return document;
}

int result_item_write(const struct result_item *item, struct buffer *out, struct error *error)
{
  const struct buffer *text = item->metadata;
  json_t *metadata = text->length > 0 ? json_loadb(text->data, text->length, 0, NULL) : NULL;
  if (metadata == NULL)
    metadata = json_object();
  json_t *links = json_array();
  add_link(links, "root", RESULT_CATALOGUE_NAME, "application/json");
  add_link(links, "parent", RESULT_CATALOGUE_NAME, "application/json");
  json_t *document =
      json_pack("{s:s, s:s, s:o, s:s, s:n, s:o, s:{s:o}, s:o}", "type", "Feature", "stac_version", "1.1.0",
                "stac_extensions", make_extensions(metadata), "id", item->id, "geometry", "properties",
                make_properties(metadata), "assets", "data", make_asset(item, metadata), "links", links);
  if (json_object_get(metadata, "bbox") != NULL) {
    move(metadata, "geometry", document);
    move(metadata, "bbox", document);
  }
  json_decref(metadata);
  if (document != NULL && item->changes != NULL)
    document = change(document, item->changes);
  return document == NULL ? error_memory(error) : write_out(document, out, error);
}

int result_catalogue_write(const char *id, const char *const *items, size_t count, struct buffer *out,
                           struct error *error)
{
  json_t *links = json_array();
  add_link(links, "root", RESULT_CATALOGUE_NAME, "application/json");
  for (size_t i = 0; i < count; i++)
    add_link(links, "item", items[i], "application/geo+json");
  json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:o}", "type", "Catalog", "stac_version", "1.1.0", "id", id,
                               "description", "Results that were exported to a workspace.", "links", links);
  return document == NULL ? error_memory(error) : write_out(document, out, error);
}
