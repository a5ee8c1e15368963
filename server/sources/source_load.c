#include "server/sources/source_load.h"

#include "server/sources/source_bulk.h"

#include "stac/href.h"
#include "stac/json_tree.h"
#include "stac/search/stored_prune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EMPTY_PAGES_MOST = 20 };

struct load_walk {
  struct source_load *what;
  struct source_session *session;
  json_t *seen; /* addresses of documents */
  size_t items, removed;
  unsigned empty_pages;
};

struct load_group {         /* the items of one collection, or of none that is told */
  const json_t *collection; /* or NULL */
  const char *id;           /* of the collection, or NULL */
  json_t *ids;
  FILE *items;
  char path[512], collection_path[512]; /* of files that are written */
};

static int follow(struct load_walk *walk, struct load_group *group, const char *url, unsigned depth,
                  struct error *error);

/* ---- files ------------------------------------------------------------------------------------------------------- */

static FILE *make_file(char path[512], const char *extension)
{
  const char *place = getenv("TMPDIR");
  const int length = snprintf(path, 512, "%.400s/twincube-items-XXXXXX%s", place && *place ? place : "/tmp", extension);
  const int fd = length < 512 ? mkstemps(path, (int)strlen(extension)) : -1;
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (fd >= 0 && !file)
    close(fd);
  return file;
}

static int store(FILE *file, const json_t *document, struct error *error)
{
  char *text = json_dumps(document, JSON_COMPACT);
  const bool is_written = text && fputs(text, file) >= 0 && fputc('\n', file) != EOF;
  free(text);
  return is_written ? 0 : error_set(error, ERROR_StorageFailure, "items cannot be written: %s", strerror(errno));
}

static int begin(struct load_group *group, const json_t *collection, struct error *error)
{
  *group = (struct load_group){.collection = collection, .id = json_tree_text(collection, "id"), .ids = json_object()};
  group->items = make_file(group->path, ".ndjson");
  FILE *file = group->items && collection ? make_file(group->collection_path, ".json") : NULL;
  if (!group->ids || !group->items || (collection && !file))
    return error_set(error, ERROR_StorageFailure, "no file for items can be made: %s", strerror(errno));
  int status = collection ? store(file, collection, error) : 0;
  if (file && fclose(file) != 0 && status == 0)
    status = error_set(error, ERROR_StorageFailure, "%s: %s", group->collection_path, strerror(errno));
  return status;
}

static void end(struct load_group *group)
{
  if (group->items)
    fclose(group->items);
  if (group->path[0])
    unlink(group->path);
  if (group->collection_path[0])
    unlink(group->collection_path);
  json_decref(group->ids);
}

static bool is_listed(void *data, const char *id)
{
  return json_object_get(data, id) != NULL;
}

static int load(struct load_walk *walk, struct load_group *group, struct error *error)
{
  struct bulk_load with = *walk->what->load;
  struct buffer ignored = {0};
  size_t removed = 0;
  if (!group->collection && json_object_size(group->ids) == 0)
    return 0;
  if (fflush(group->items) != 0)
    return error_set(error, ERROR_StorageFailure, "%s: %s", group->path, strerror(errno));
  with.collection = group->collection ? group->collection_path : with.collection;
  int status = catalogue_load_items(walk->what->catalogue, &with, group->path, &ignored, error);
  buffer_free(&ignored);
  if (status == 0 && walk->what->replaces && group->id)
    status = catalogue_prune_items(walk->what->catalogue, group->id, is_listed, group->ids, &removed, error);
  walk->items += json_object_size(group->ids);
  walk->removed += removed;
  return status;
}

/* ---- items ------------------------------------------------------------------------------------------------------- */

static int complete(struct arena *arena, json_t *object, const char *base)
{
  const char *href = json_tree_text(object, "href");
  const char *whole = href && !href_is_remote(href) ? href_resolve(arena, base, href) : NULL;
  return whole ? json_object_set_new(object, "href", json_string(whole)) : 0;
}

static void complete_all(struct arena *arena, json_t *document, const char *base)
{
  json_t *assets = json_object_get(document, "assets"), *links = json_object_get(document, "links");
  for (void *at = json_object_iter(assets); at; at = json_object_iter_next(assets, at))
    complete(arena, json_object_iter_value(at), base);
  for (size_t i = 0; i < json_array_size(links); i++)
    complete(arena, json_array_get(links, i), base);
}

static int take_item(struct load_group *group, json_t *item, const char *url, struct error *error)
{
  const char *id = json_tree_text(item, "id");
  struct arena *arena = arena_new(0);
  if (!arena)
    return error_memory(error);
  complete_all(arena, item, url);
  arena_free(arena);
  if (group->id && !json_tree_text(item, "collection"))
    json_object_set_new(item, "collection", json_string(group->id));
  if (id && json_object_set_new(group->ids, id, json_true()) != 0)
    return error_memory(error);
  return store(group->items, item, error);
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

/* Where the first link of a relation leads, from link *i on, which is moved behind it; NULL: none is left. */
static const char *next_link(struct load_walk *walk, const json_t *document, const char *rel, const char *url,
                             size_t *i)
{
  const json_t *links = json_tree_array(document, "links");
  while (*i < json_array_size(links)) {
    const json_t *link = json_array_get(links, (*i)++);
    const char *own = json_tree_text(link, "rel"), *href = json_tree_text(link, "href");
    const char *method = json_tree_text(link, "method");
    if (own && href && strcmp(own, rel) == 0 && (!method || strcasecmp(method, "GET") == 0))
      return href_resolve(walk->session->arena, url, href);
  }
  return NULL;
}

static int follow_each(struct load_walk *walk, struct load_group *group, const json_t *document, const char *rel,
                       const char *url, unsigned depth, struct error *error)
{
  const char *target;
  for (size_t i = 0; (target = next_link(walk, document, rel, url, &i)) != NULL;)
    if (follow(walk, group, target, depth + 1, error) != 0)
      return -1;
  return 0;
}

static bool has_link(struct load_walk *walk, const json_t *document, const char *rel, const char *url)
{
  size_t i = 0;
  return next_link(walk, document, rel, url, &i) != NULL;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

/* An API lists items in pages; where it links them one by one as well, they are the same ones. */
static int take_collection(struct load_walk *walk, const json_t *document, const char *url, unsigned depth,
                           struct error *error)
{
  struct load_group group;
  const bool is_static = has_link(walk, document, "item", url);
  int status = begin(&group, document, error);
  if (status == 0)
    status = follow_each(walk, &group, document, is_static ? "item" : "items", url, depth, error);
  if (status == 0)
    status = load(walk, &group, error);
  end(&group);
  return status == 0 ? follow_each(walk, NULL, document, "child", url, depth, error) : -1;
}

static int take_catalog(struct load_walk *walk, struct load_group *group, const json_t *document, const char *url,
                        unsigned depth, struct error *error)
{
  const bool has_children = has_link(walk, document, "child", url);
  return follow_each(walk, group, document, "item", url, depth, error) == 0
             ? follow_each(walk, group, document, has_children ? "child" : "data", url, depth, error)
             : -1;
}

static int take_page(struct load_walk *walk, struct load_group *group, const json_t *document, const char *url,
                     const char **next, struct error *error)
{
  const json_t *features = json_tree_array(document, "features");
  size_t first = 0;
  for (size_t i = 0; i < json_array_size(features); i++)
    if (take_item(group, json_array_get(features, i), url, error) != 0)
      return -1;
  walk->empty_pages = json_array_size(features) > 0 ? 0 : walk->empty_pages + 1;
  *next = next_link(walk, document, "next", url, &first);
  if (walk->empty_pages > EMPTY_PAGES_MOST)
    return error_set(error, ERROR_StacInvalid, "%.200s: page after page holds no item", url);
  if (*next && json_object_get(walk->seen, *next))
    return error_set(error, ERROR_StacInvalid, "%.200s: its pages lead in a circle", url);
  return 0;
}

/* The list of an API's collections, its pages too. */
static int take_collections(struct load_walk *walk, const json_t *document, const char *url, unsigned depth,
                            const char **next, struct error *error)
{
  const json_t *list = json_tree_array(document, "collections");
  size_t first = 0;
  for (size_t i = 0; i < json_array_size(list); i++)
    if (take_collection(walk, json_array_get(list, i), url, depth, error) != 0)
      return -1;
  *next = next_link(walk, document, "next", url, &first);
  return 0;
}

static int take_document(struct load_walk *walk, struct load_group *group, json_t *document, const char *url,
                         unsigned depth, const char **next, struct error *error)
{
  const char *type = json_tree_text(document, "type"), *id = json_tree_text(document, "id");
  struct load_group own = {0};
  const bool is_page = type && strcmp(type, "FeatureCollection") == 0, is_item = type && strcmp(type, "Feature") == 0;
  if (depth == 0 && id && !is_page && !is_item)
    snprintf(walk->what->name, sizeof walk->what->name, "%.200s", id);
  if (json_tree_array(document, "collections"))
    return take_collections(walk, document, url, depth, next, error);
  if (type && strcmp(type, "Collection") == 0)
    return take_collection(walk, document, url, depth, error);
  if (!is_page && !is_item && !(type && strcmp(type, "Catalog") == 0))
    return error_set(error, ERROR_StacInvalid, "%.200s is no STAC document", url);
  int status = group ? 0 : begin(&own, NULL, error);
  struct load_group *to = group ? group : &own;
  if (status == 0)
    status = is_page   ? take_page(walk, to, document, url, next, error)
             : is_item ? take_item(to, document, url, error)
                       : take_catalog(walk, to, document, url, depth, error);
  if (status == 0 && !group)
    status = load(walk, to, error);
  if (!group)
    end(&own);
  return status;
}

static int read_one(struct load_walk *walk, struct load_group *group, const char *url, unsigned depth,
                    const char **next, struct error *error)
{
  const struct source_question question = {.url = url, .accept = "application/geo+json, application/json"};
  struct source_answer answer;
  json_error_t reason;
  if (json_object_set_new(walk->seen, url, json_true()) != 0)
    return error_set(error, ERROR_StacInvalid, "an address is no UTF-8");
  if (source_ask(walk->session, &question, &answer, error) != 0)
    return -1;
  json_t *document = json_loadb(answer.body.data ? answer.body.data : "", answer.body.length, 0, &reason);
  const int status = document ? take_document(walk, group, document, answer.url, depth, next, error)
                              : error_set(error, ERROR_StacInvalid, "%.200s is no JSON: %s", url, reason.text);
  json_decref(document);
  source_answer_free(&answer);
  return status;
}

/* A document and the pages that go on where it ends; one that was met before leads nowhere new. */
static int follow(struct load_walk *walk, struct load_group *group, const char *url, unsigned depth,
                  struct error *error)
{
  if (depth > SOURCE_DEPTH_MOST)
    return error_set(error, ERROR_ProcessGraphComplexity, "%.200s: more than %d documents in each other", url,
                     (int)SOURCE_DEPTH_MOST);
  while (url && !json_object_get(walk->seen, url)) {
    const char *next = NULL;
    if (read_one(walk, group, url, depth, &next, error) != 0)
      return -1;
    url = next;
  }
  return 0;
}

static void name_by_address(struct source_load *what)
{
  size_t length = strcspn(what->address, "?#");
  while (length > 0 && what->address[length - 1] == '/')
    length--;
  size_t start = length;
  while (start > 0 && what->address[start - 1] != '/')
    start--;
  snprintf(what->name, sizeof what->name, "%.*s", (int)(length - start), what->address + start);
}

int source_load(struct source_load *what, struct source_session *session, struct buffer *report, struct error *error)
{
  struct load_walk walk = {.what = what, .session = session, .seen = json_object()};
  name_by_address(what);
  if (source_is_bulk(what->address)) {
    json_decref(walk.seen);
    return source_bulk(what, session, report, error);
  }
  const int status = walk.seen ? follow(&walk, NULL, what->address, 0, error) : error_memory(error);
  json_decref(walk.seen);
  if (status != 0)
    return -1;
  if (walk.items == 0 && walk.removed == 0)
    return error_parameter(error, ERROR_NoDataAvailable, "path", "%.200s leads to no item", what->address);
  buffer_printf(report, "%s: %zu item%s", what->name, walk.items, walk.items == 1 ? "" : "s");
  if (walk.removed)
    buffer_printf(report, ", %zu gone", walk.removed);
  buffer_text(report, "\n");
  return report->failed ? error_memory(error) : 0;
}
