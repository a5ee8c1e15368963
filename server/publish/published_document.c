/* The document of results is taken as it is, but for what belongs to the job: its links, its assets, its state. */
#include "server/publish/published_document.h"

#include "server/endpoints/result_document.h"

#include "stac/catalogue.h"
#include "stac/json_tree.h"
#include "stac/published.h"
#include "stac/result_item.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_SOURCES = 200, DEEPEST = 64 };

/* ---- sources ---------------------------------------------------------------------------------------------------- */

static void add_source(json_t *links, json_t *href, const char *title)
{
  const char *text = json_string_value(href);
  bool is_known = text == NULL || json_array_size(links) >= MOST_SOURCES;
  for (size_t i = 0; i < json_array_size(links) && !is_known; i++)
    is_known = strcmp(json_tree_text(json_array_get(links, i), "href"), text) == 0;
  if (!is_known)
    json_array_append_new(links, json_pack("{s:s, s:O, s:s, s:s}", "rel", "derived_from", "href", href, "type",
                                           "application/json", "title", title));
  json_decref(href);
}

/* An address with a query or a signature may hold what is nobody else's; results of jobs are their owner's. */
static bool may_tell(const char *url)
{
  return (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) && strpbrk(url, "?#@") == NULL &&
         strstr(url, "/download/") == NULL && strstr(url, "/jobs/") == NULL;
}

/* Somebody's own collection that others should not hear of. What cannot be looked up counts as one. */
static bool is_secret(const struct publication *p, const char *collection)
{
  bool is_private = false;
  return p->secrets != NULL &&
         (catalogue_is_private(p->secrets, collection, &is_private, &(struct error){0}) != 0 || is_private);
}

/* Every node of the graph and of the graphs within it. */
static void find_sources(const struct publication *p, json_t *tree, int depth, json_t *links)
{
  const char *process = json_tree_text(tree, "process_id"), *key;
  const json_t *arguments = json_object_get(tree, "arguments");
  const char *id = json_tree_text(arguments, "id"), *url = json_tree_text(arguments, "url");
  json_t *member;
  size_t i;
  if (process != NULL && strcmp(process, "load_collection") == 0 && id != NULL && !is_secret(p, id))
    add_source(links, json_sprintf("%s/collections/%s", p->base, id), id);
  if (process != NULL && strcmp(process, "load_stac") == 0 && url != NULL && may_tell(url))
    add_source(links, json_string(url), url);
  if (depth == DEEPEST)
    return;
  json_object_foreach(tree, key, member) find_sources(p, member, depth + 1, links);
  json_array_foreach(tree, i, member) find_sources(p, member, depth + 1, links);
}

/* Addresses and names that are nobody else's go from the graph, which is published, too. */
static void hide_secrets(const struct publication *p, json_t *tree, int depth)
{
  const char *process = json_tree_text(tree, "process_id"), *key;
  json_t *arguments = json_object_get(tree, "arguments"), *member;
  const char *url = json_tree_text(arguments, "url"), *id = json_tree_text(arguments, "id");
  size_t i;
  if (process != NULL && strcmp(process, "load_collection") == 0 && id != NULL && is_secret(p, id))
    json_object_set_new(arguments, "id", json_string("about:blank"));
  if (process != NULL && strcmp(process, "load_stac") == 0 && url != NULL && !may_tell(url))
    json_object_set_new(arguments, "url", json_string("about:blank"));
  if (depth == DEEPEST)
    return;
  json_object_foreach(tree, key, member) hide_secrets(p, member, depth + 1);
  json_array_foreach(tree, i, member) hide_secrets(p, member, depth + 1);
}

void published_add_sources(const struct publication *p, const struct job *job, json_t *links)
{
  json_t *process = json_loads(job->process, 0, NULL);
  find_sources(p, process, 0, links);
  json_decref(process);
}

static json_t *sources_of(const struct publication *p, const struct job *job)
{
  json_t *links = json_array();
  published_add_sources(p, job, links);
  return links;
}

/* ---- dimensions ------------------------------------------------------------------------------------------------- */

/* The extent of both. */
static void widen(json_t *dimension, const json_t *other)
{
  json_t *own = json_object_get(dimension, "extent");
  const json_t *more = json_object_get(other, "extent");
  const double low = json_number_value(json_array_get(more, 0)), high = json_number_value(json_array_get(more, 1));
  if (!json_is_number(json_array_get(own, 0)) || !json_is_number(json_array_get(more, 0)))
    return;
  if (low < json_number_value(json_array_get(own, 0)))
    json_array_set_new(own, 0, json_real(low));
  if (high > json_number_value(json_array_get(own, 1)))
    json_array_set_new(own, 1, json_real(high));
}

static void add_labels(json_t *dimension, const json_t *other)
{
  json_t *own = json_object_get(dimension, "values"), *label;
  size_t i;
  json_array_foreach(json_object_get(other, "values"), i, label)
  {
    bool is_there = false;
    for (size_t k = 0; k < json_array_size(own) && !is_there; k++)
      is_there = json_equal(json_array_get(own, k), label);
    if (!is_there)
      json_array_append(own, label);
  }
}

/* The dimensions of all files as those of one cube: bands of any, extents around all. */
static json_t *dimensions_of(json_t *assets)
{
  json_t *all = NULL, *asset, *dimension;
  const char *name;
  json_object_foreach(assets, name, asset)
  {
    json_t *own = json_object_get(asset, "cube:dimensions");
    const char *key;
    if (own != NULL && all == NULL)
      all = json_deep_copy(own);
    json_object_foreach(own, key, dimension)
    {
      json_t *mine = json_object_get(all, key);
      const char *type = json_tree_text(dimension, "type");
      if (mine == NULL)
        json_object_set_new(all, key, json_deep_copy(dimension));
      else if (type != NULL && strcmp(type, "bands") == 0)
        add_labels(mine, dimension);
      else if (type != NULL && strcmp(type, "spatial") == 0)
        widen(mine, dimension);
    }
  }
  return all;
}

/* Dates of several files are those of the whole. */
static void set_interval(json_t *dimensions, const json_t *document)
{
  const json_t *temporal = json_object_get(json_object_get(document, "extent"), "temporal");
  json_t *interval = json_array_get(json_object_get(temporal, "interval"), 0), *dimension;
  const char *key;
  json_object_foreach(dimensions, key, dimension)
  {
    const char *type = json_tree_text(dimension, "type");
    if (type == NULL || strcmp(type, "temporal") != 0)
      continue;
    json_object_set_new(dimension, "extent", json_deep_copy(interval));
    json_object_del(dimension, "values");
  }
}

/* ---- the collection --------------------------------------------------------------------------------------------- */

static json_t *result_document(const struct job *job, struct error *error)
{
  struct buffer text = {0};
  json_t *document = NULL;
  if (result_document_write(NULL, job, &text, error) == 0 &&
      (document = json_loadb(text.data, text.length, 0, NULL)) == NULL)
    error_memory(error);
  buffer_free(&text);
  return document;
}

static void take_texts(json_t *document, const struct publication *p)
{
  static const char *const names[] = {"title", "description", "license"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (json_tree_text(p->body, names[i]) != NULL)
      json_object_set(document, names[i], json_object_get(p->body, names[i]));
}

json_t *published_collection(const struct publication *p, const struct job *job, struct error *error)
{
  static const char *const of_job[] = {"assets", "expires", "created", "openeo:status"};
  json_t *document = result_document(job, error);
  const char *type = json_tree_text(document, "type");
  if (document == NULL)
    return NULL;
  if (type == NULL || strcmp(type, "Collection") != 0) {
    json_decref(document);
    error_set(error, ERROR_FeatureUnsupported, "results without a place are not published: a collection needs one");
    return NULL;
  }
  json_t *dimensions = dimensions_of(json_object_get(document, "assets"));
  if (dimensions != NULL && json_object_size(json_object_get(document, "assets")) > 1)
    set_interval(dimensions, document);
  if (dimensions != NULL)
    json_object_set_new(document, "cube:dimensions", dimensions);
  for (size_t i = 0; i < sizeof of_job / sizeof of_job[0]; i++)
    json_object_del(document, of_job[i]);
  json_object_set_new(document, "id", json_string(p->id));
  json_object_set_new(document, "links", sources_of(p, job));
  json_object_set_new(document, "summaries", json_object());
  hide_secrets(p, json_object_get(document, "providers"), 0);
  take_texts(document, p);
  return document;
}

/* ---- items ------------------------------------------------------------------------------------------------------ */

void published_name(const struct publication *p, const struct job *job, const char *file, char out[PUBLISHED_NAME_SIZE])
{
  static const char archive[] = ".zarr.zip";
  const size_t length = strlen(file), end = sizeof archive - 1;
  const bool is_archive = length > end && strcmp(file + length - end, archive) == 0;
  const char *dot = is_archive ? file + length - end : strrchr(file, '.');
  const int stem = dot != NULL ? (int)(dot - file) : (int)length;
  if (!p->adds)
    snprintf(out, PUBLISHED_NAME_SIZE, "%.255s", file);
  else
    snprintf(out, PUBLISHED_NAME_SIZE, "%.*s-%.40s%.40s", stem < 200 ? stem : 200, file, job->id, file + stem);
}

void published_stamp(char out[40])
{
  unsigned char random[4];
  char hex[2 * sizeof random + 1];
  struct tm tm;
  const time_t now = time(NULL);
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(hex, sizeof hex, random, sizeof random);
  gmtime_r(&now, &tm);
  strftime(out, 20, "%Y%m%dt%H%M%S", &tm);
  snprintf(out + strlen(out), 12, "-%.8s", hex);
}

static void place_file(json_t *item, const struct publication *p, const char *name)
{
  json_t *asset = json_object_get(json_object_get(item, "assets"), "data");
  json_object_set_new(asset, "href", json_sprintf(PUBLISHED_SCHEME "%s/%s", p->id, name));
}

/* Where time was reduced, a file has the date at which it was made: items must have one. */
static void date_undated(json_t *properties, const char *made)
{
  static const char *const names[] = {"datetime", "start_datetime", "end_datetime"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (json_tree_text(properties, names[i]) != NULL)
      return;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    json_object_del(properties, names[i]);
  json_object_set_new(properties, names[0], json_string(made));
}

static void format_end(const struct job *job, char out[40])
{
  instant_format(job->ended > 0 ? job->ended : job->updated, CALENDAR_GREGORIAN, out);
}

void published_set_updated(const struct job *job, json_t *document)
{
  char text[40];
  format_end(job, text);
  json_object_set_new(document, "updated", json_string(text));
}

/* The graph of a collection is that of the job that made it; what others add tells its own. */
static void tell_graph(json_t *properties, const struct publication *p, const struct job *job)
{
  json_t *process = json_loads(job->process, 0, NULL);
  hide_secrets(p, process, 0);
  json_object_set_new(properties, "processing:expression",
                      json_pack("{s:s, s:o}", "format", "openeo", "expression", process));
}

static void tell_processing(json_t *item, const struct publication *p, const struct job *job)
{
  static const char *const dates[] = {"processing:datetime", "created", "updated"};
  char text[40];
  json_t *properties = json_object_get(item, "properties");
  format_end(job, text);
  for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
    if (json_object_get(properties, dates[i]) == NULL)
      json_object_set_new(properties, dates[i], json_string(text));
  if (p->adds)
    tell_graph(properties, p, job);
  date_undated(properties, text);
  json_object_set_new(properties, "processing:software", json_pack("{s:s}", "twincube", TWINCUBE_VERSION));
  json_array_append_new(json_object_get(item, "stac_extensions"),
                        json_string("https://stac-extensions.github.io/processing/v1.2.0/schema.json"));
}

json_t *published_item(const struct publication *p, const struct job *job, const struct stored_file *file,
                       struct error *error)
{
  struct buffer text = {0}, metadata = {0};
  if (file->metadata.text != NULL)
    buffer_add(&metadata, file->metadata.text, file->metadata.length);
  char name[PUBLISHED_NAME_SIZE];
  published_name(p, job, file->name, name);
  const struct result_item written = {.id = name,
                                      .file = name,
                                      .media_type = file->media_type,
                                      .size = file->size.text != NULL ? strtoull(file->size.text, NULL, 10) : 0,
                                      .metadata = &metadata,
                                      .changes = p->changes};
  json_t *item = NULL;
  if (metadata.failed)
    error_memory(error);
  else if (result_item_write(&written, &text, error) == 0 &&
           (item = json_loadb(text.data, text.length, 0, NULL)) == NULL)
    error_memory(error);
  buffer_free(&text);
  buffer_free(&metadata);
  if (item == NULL)
    return NULL;
  json_object_set_new(item, "collection", json_string(p->id));
  json_object_set_new(item, "links", sources_of(p, job));
  place_file(item, p, name);
  tell_processing(item, p, job);
  return item;
}
