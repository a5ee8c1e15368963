/* The STAC collection of a scan, as openEO 1.2 serves it. Source documents give title, description, licence, keywords,
 * providers, summaries and links; extents, dimensions and bands are what was found in the files. */
#include "stac/document.h"

#include "stac/cube_files.h"
#include "stac/summary.h"

#include "datacube/lonlat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char datacube_extension[] = "https://stac-extensions.github.io/datacube/v2.2.0/schema.json";
static const char eo_extension[] = "https://stac-extensions.github.io/eo/v1.1.0/schema.json";
static const char raster_extension[] = "https://stac-extensions.github.io/raster/v1.1.0/schema.json";

static void write_description(const struct scan *scan, struct json_writer *writer)
{
  const char *given = json_tree_text(scan->source, "description");
  struct buffer text = {0};
  char first[40], last[40];
  if (given && *given) {
    json_kv_string(writer, "description", given);
    return;
  }
  if (scan->contents)
    buffer_text(&text, scan->contents);
  else if (scan->cube_path && cube_find_type(scan->file_cube, DIMENSION_GEOMETRY) != SIZE_MAX)
    buffer_printf(&text, "%zu features with %zu propert%s of numbers", scan->file_cube->dimension[0].size,
                  scan->band_count, scan->band_count == 1 ? "y" : "ies");
  else if (scan->cube_path)
    buffer_printf(&text, "A %s data cube with %zu band%s", cube_files_format(scan->cube_path), scan->band_count,
                  scan->band_count == 1 ? "" : "s");
  else
    buffer_printf(&text, "%zu scene%s with %zu band%s", scan->item_count, scan->item_count == 1 ? "" : "s",
                  scan->band_count, scan->band_count == 1 ? "" : "s");
  if (!scan->cube_path && !scan->timeless)
    buffer_printf(&text, " on %zu date%s", scan->date_count, scan->date_count == 1 ? "" : "s");
  if (document_interval(scan, first, last))
    buffer_printf(&text, ", %.10s to %.10s", first, last);
  buffer_text(&text, ".");
  json_kv_string(writer, "description", text.data ? text.data : "A collection.");
  buffer_free(&text);
}

bool document_is_licence(const char *text)
{
  return text && *text &&
         strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+") == strlen(text);
}

static void write_extent(const struct scan *scan, struct json_writer *writer)
{
  struct extent box = document_lonlat(scan);
  char first[40], last[40];
  bool has_time = document_interval(scan, first, last);
  double edges[4];
  lonlat_edges(&box, edges);
  json_key(writer, "extent");
  json_write_object(writer);
  json_key(writer, "spatial");
  json_write_object(writer);
  json_key(writer, "bbox");
  json_write_array(writer);
  json_write_array(writer);
  for (size_t i = 0; i < 4; i++)
    json_write_number(writer, edges[i]);
  json_end_array(writer);
  json_end_array(writer);
  json_end_object(writer);
  json_key(writer, "temporal");
  json_write_object(writer);
  json_key(writer, "interval");
  json_write_array(writer);
  json_write_array(writer);
  json_write_string(writer, has_time ? first : NULL);
  json_write_string(writer, has_time ? last : NULL);
  json_end_array(writer);
  json_end_array(writer);
  json_end_object(writer);
  json_end_object(writer);
}

static void write_eo_bands(const struct scan *scan, struct json_writer *writer)
{
  json_key(writer, "eo:bands");
  json_write_array(writer);
  for (size_t i = 0; i < scan->band_count; i++) {
    const struct scan_band *band = &scan->bands[i];
    json_write_object(writer);
    json_kv_string(writer, "name", band->name);
    if (band->info.common_name)
      json_kv_string(writer, "common_name", band->info.common_name);
    if (band->info.wavelength > 0)
      json_kv_number(writer, "center_wavelength", band->info.wavelength);
    if (band->info.long_name)
      json_kv_string(writer, "description", band->info.long_name);
    json_end_object(writer);
  }
  json_end_array(writer);
}

/* Type names of the raster extension. */
static const char *data_type(enum element_type type)
{
  switch (type) {
  case ELEMENT_C64:
    return "cfloat32";
  case ELEMENT_C128:
    return "cfloat64";
  case ELEMENT_BOOLEAN:
    return "uint8";
  default:
    return type < ELEMENT_TYPE_COUNT ? element_info(type)->name : "other";
  }
}

static void write_raster_bands(const struct scan *scan, struct json_writer *writer)
{
  json_key(writer, "raster:bands");
  json_write_array(writer);
  for (size_t i = 0; i < scan->band_count; i++) {
    const struct scan_band *band = &scan->bands[i];
    json_write_object(writer);
    json_kv_string(writer, "data_type", data_type(band->type));
    if (band->has_nodata && isfinite(band->nodata))
      json_kv_number(writer, "nodata", band->nodata);
    else if (band->has_nodata)
      json_kv_string(writer, "nodata", isnan(band->nodata) ? "nan" : band->nodata > 0 ? "inf" : "-inf");
    if (band->info.scale != 1)
      json_kv_number(writer, "scale", band->info.scale);
    if (band->info.offset != 0)
      json_kv_number(writer, "offset", band->info.offset);
    if (band->info.unit)
      json_kv_string(writer, "unit", band->info.unit);
    json_end_object(writer);
  }
  json_end_array(writer);
}

static void write_summaries(const struct scan *scan, const struct item_summary *summary, struct json_writer *writer)
{
  json_t *given = json_object_get(scan->source, "summaries");
  json_key(writer, "summaries");
  json_write_object(writer);
  write_eo_bands(scan, writer);
  write_raster_bands(scan, writer);
  for (void *at = json_object_iter(given); at; at = json_object_iter_next(given, at)) {
    const char *key = json_object_iter_key(at);
    if (strcmp(key, "eo:bands") == 0 || strcmp(key, "raster:bands") == 0 || strcmp(key, "bands") == 0)
      continue;
    json_key(writer, key);
    json_tree_write(writer, json_object_iter_value(at));
  }
  summary_write_summaries(summary, given, writer);
  json_end_object(writer);
}

static void write_member(const struct scan *scan, const char *key, struct json_writer *writer)
{
  const json_t *given = json_tree_array(scan->source, key);
  if (json_array_size(given) == 0)
    return;
  json_key(writer, key);
  json_tree_write(writer, given);
}

static void write_keywords(const struct catalogue_add_options *options, struct json_writer *writer)
{
  json_key(writer, "keywords");
  json_write_array(writer);
  for (size_t i = 0; i < options->keyword_count; i++)
    json_write_string(writer, options->keywords[i]);
  json_end_array(writer);
}

static void write_providers(const struct catalogue_add_options *options, struct json_writer *writer)
{
  json_key(writer, "providers");
  json_write_array(writer);
  for (size_t i = 0; i < options->provider_count; i++) {
    json_write_object(writer);
    json_kv_string(writer, "name", options->providers[i].name);
    if (options->providers[i].url)
      json_kv_string(writer, "url", options->providers[i].url);
    json_end_object(writer);
  }
  json_end_array(writer);
}

static bool is_web_address(const char *href)
{
  return href && (strncmp(href, "http://", 7) == 0 || strncmp(href, "https://", 8) == 0);
}

/* Assets of the source that are not data and make sense away from it: thumbnails and descriptions on the web. */
static void write_assets(const struct scan *scan, struct json_writer *writer)
{
  json_t *assets = json_object_get(scan->source, "assets");
  bool any = false;
  for (void *at = json_object_iter(assets); at; at = json_object_iter_next(assets, at)) {
    const json_t *asset = json_object_iter_value(at);
    if (!is_web_address(json_tree_text(asset, "href")) || json_tree_has_text(json_tree_array(asset, "roles"), "data"))
      continue;
    if (!any) {
      json_key(writer, "assets");
      json_write_object(writer);
    }
    any = true;
    json_key(writer, json_object_iter_key(at));
    json_tree_write(writer, asset);
  }
  if (any)
    json_end_object(writer);
}

static void write_document(const struct scan *scan, const struct item_summary *summary, struct json_writer *writer)
{
  const struct catalogue_add_options *options = scan->options;
  const char *license = options->licence ? options->licence : json_tree_text(scan->source, "license");
  json_write_object(writer);
  json_kv_string(writer, "type", "Collection");
  json_kv_string(writer, "stac_version", "1.0.0");
  json_key(writer, "stac_extensions");
  json_write_array(writer);
  json_write_string(writer, datacube_extension);
  json_write_string(writer, eo_extension);
  json_write_string(writer, raster_extension);
  json_end_array(writer);
  json_kv_string(writer, "id", scan->id);
  if (scan->title)
    json_kv_string(writer, "title", scan->title);
  write_description(scan, writer);
  if (options->keyword_count > 0)
    write_keywords(options, writer);
  else
    write_member(scan, "keywords", writer);
  json_kv_string(writer, "license", document_is_licence(license) ? license : "proprietary");
  if (options->provider_count > 0)
    write_providers(options, writer);
  else
    write_member(scan, "providers", writer);
  write_extent(scan, writer);
  document_write_dimensions(scan, writer);
  write_summaries(scan, summary, writer);
  write_assets(scan, writer);
  json_end_object(writer);
}

/* Links of the source that make sense away from it: absolute ones about the data. */
static void write_links(const struct scan *scan, struct json_writer *writer)
{
  static const char *const relations[] = {"license", "about", "via", "cite-as", "describedby", "alternate"};
  const json_t *links = json_tree_array(scan->source, "links");
  json_write_array(writer);
  for (size_t i = 0; i < json_array_size(links); i++) {
    const json_t *link = json_array_get(links, i);
    const char *rel = json_tree_text(link, "rel"), *href = json_tree_text(link, "href");
    bool wanted = false;
    for (size_t r = 0; rel && r < sizeof relations / sizeof relations[0]; r++)
      wanted = wanted || strcmp(rel, relations[r]) == 0;
    if (wanted && is_web_address(href))
      json_tree_write(writer, link);
  }
  json_end_array(writer);
}

void document_write_queryables(const struct item_summary *summary, struct json_writer *writer)
{
  json_write_object(writer);
  json_key(writer, "id");
  json_write_object(writer);
  json_kv_string(writer, "description", "Identifier of the scene.");
  json_kv_string(writer, "type", "string");
  json_end_object(writer);
  json_key(writer, "datetime");
  json_write_object(writer);
  json_kv_string(writer, "description", "When the scene was taken.");
  json_kv_string(writer, "type", "string");
  json_kv_string(writer, "format", "date-time");
  json_end_object(writer);
  summary_write_queryables(summary, writer);
  json_end_object(writer);
}

int document_make(const struct scan *scan, struct index_documents *out, struct error *error)
{
  struct item_summary summary;
  *out = (struct index_documents){0};
  if (summary_make(scan->arena, scan, &summary, error) != 0)
    return -1;
  struct json_writer document = {.out = &out->document};
  struct json_writer links = {.out = &out->links}, queryables = {.out = &out->queryables};
  write_document(scan, &summary, &document);
  write_links(scan, &links);
  document_write_queryables(&summary, &queryables);
  return out->document.failed || out->links.failed || out->queryables.failed ? error_memory(error) : 0;
}
