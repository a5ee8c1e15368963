/* STAC documents as a collection: a Collection or Catalog whose links (item, child, items) are followed, an Item, or an
 * ItemCollection. STAC 0.9 to 1.1.
 *
 * An item's date is its datetime, else its start_datetime. Every document is read once, however many links lead to it,
 * so cycles end; depth, number and size of documents have limits. */
#include "stac/href.h"
#include "stac/published.h"
#include "stac/scan_asset.h"

#include "datacube/source/zarr_store.h"
#include "datacube/remote/remote_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STAC_MAX_DOCUMENTS = 500000, STAC_MAX_DEPTH = 32, STAC_MAX_EMPTY_PAGES = 20 };
enum { STAC_DOCUMENT_LIMIT = 256 << 20 };

struct stac_walk {
  struct scan *scan;
  json_t *patterns;     /* real path -> collection that an item leads to, or null where it cannot be read */
  json_t *seen;         /* real paths of documents */
  const char *next;     /* the page that follows the one just read, or NULL */
  unsigned empty_pages; /* read last, one behind the other */
};

static int read_document(struct stac_walk *walk, const char *path, unsigned depth, struct error *error);

static size_t document_limit(const struct scan *scan)
{
  return scan->bounds ? scan->bounds->document_bytes : STAC_DOCUMENT_LIMIT;
}

/* Nothing on the web leads to files of this machine. */
static int remote_path(struct scan *scan, const char *document, const char *href, const char **out, struct error *error)
{
  const bool is_web = href_is_web(href), is_relative = !is_web && !href_is_remote(href) && remote_is(document);
  const char *url = is_web || is_relative ? href_resolve(scan->arena, remote_url(document), href) : NULL;
  if (!url)
    return error_set(error, ERROR_FeatureUnsupported, "'%s' (in %s) is not an address of the web, nor a local file",
                     href, remote_url(document));
  if (!remote_is_connected())
    return error_set(error, ERROR_FeatureUnsupported,
                     "'%s' (in %s) is not a local file: only documents and files of this machine can be read", href,
                     remote_url(document));
  *out = arena_printf(scan->arena, REMOTE_PREFIX "%s", url);
  return *out ? 0 : error_memory(error);
}

/* A published file's path, or NULL. */
static const char *published_path(struct scan *scan, const char *document, const char *href)
{
  const size_t length = sizeof PUBLISHED_SCHEME - 1;
  const char *folder = scan->bounds ? scan->bounds->published : NULL;
  if (!folder || remote_is(document) || strncmp(href, PUBLISHED_SCHEME, length) != 0)
    return NULL;
  return arena_printf(scan->arena, "%s/%s", folder, href + length);
}

int stac_path(struct scan *scan, const char *document, const char *href, const char **out, struct error *error)
{
  char real[PATH_MAX];
  const char *published = published_path(scan, document, href);
  struct arena *arena = scan->arena;
  struct stat status;
  if (!published && (href_is_remote(href) || remote_is(document)))
    return remote_path(scan, document, href, out, error);
  const char *slash = strrchr(document, '/'), *path = published ? published : href_path(arena, href);
  if (path && *path != '/' && slash)
    path = arena_printf(arena, "%.*s/%s", (int)(slash - document), document, path);
  if (path && stat(path, &status) != 0)
    path = href_decoded(arena, path);
  if (!path)
    return error_memory(error);
  bool found = realpath(path, real) && scan_allows(scan, real) && stat(real, &status) == 0;
  if (!found || (!S_ISREG(status.st_mode) && !zarr_is(real)))
    return error_set(error, ERROR_FileNotFound, "'%s' (in %s) %s%s", href, document,
                     found ? "is neither a regular file nor a Zarr hierarchy" : "does not exist",
                     !found && scan->bounds ? ", or lies outside the folders that may be read" : "");
  *out = path = arena_strdup(arena, real);
  return path ? 0 : error_memory(error);
}

/* start_datetime stands in for a datetime of null. */
static bool read_instant(const json_t *properties, int64_t *instant)
{
  static const char *const names[] = {"datetime", "start_datetime"};
  for (size_t i = 0; i < 2; i++) {
    const char *text = json_tree_text(properties, names[i]);
    if (text && instant_parse(text, CALENDAR_GREGORIAN, instant) == 0)
      return true;
  }
  return false;
}

/* ---- collections that items lead to ------------------------------------------------------------------------------ */

static bool has_rel(const json_t *link, const char *rel)
{
  const char *own = json_tree_text(link, "rel");
  return own && strcmp(own, rel) == 0 && json_tree_text(link, "href");
}

static const json_t *find_link(const json_t *document, const char *rel)
{
  const json_t *links = json_tree_array(document, "links");
  for (size_t i = 0; i < json_array_size(links); i++)
    if (has_rel(json_array_get(links, i), rel))
      return json_array_get(links, i);
  return NULL;
}

/* Whether some asset with a file tells neither bands nor what kind of file it is. */
static bool lacks_words(const json_t *item)
{
  json_t *assets = json_object_get(item, "assets");
  for (void *at = json_object_iter(assets); at; at = json_object_iter_next(assets, at)) {
    const json_t *asset = json_object_iter_value(at);
    if (json_tree_text(asset, "href") && !json_tree_array(asset, "bands") && !json_tree_array(asset, "eo:bands"))
      return true;
  }
  return false;
}

/* What is wrong with the document itself, or forbidden: the item is read without it. */
static bool is_missed(const struct error *reason)
{
  return error_is(reason, ERROR_FileNotFound) || error_is(reason, ERROR_FeatureUnsupported) ||
         error_is(reason, ERROR_ProcessParameterInvalid);
}

/* Reads each once. *out: NULL where it cannot be had. */
static int fetch_collection(struct stac_walk *walk, const char *path, const char *href, json_t **out,
                            struct error *error)
{
  struct scan *scan = walk->scan;
  struct error reason = {0};
  const char *target = NULL;
  const char *key = stac_path(scan, path, href, &target, &reason) == 0 ? target : href;
  json_t *found = json_object_get(walk->patterns, key);
  if (!found) {
    if (target && scan_step(scan, error) != 0)
      return -1;
    scan->documents += target != NULL;
    found = target ? json_tree_read(target, document_limit(scan), &reason) : NULL;
    if (!found && !is_missed(&reason)) {
      *error = reason;
      return -1;
    }
    if (!found)
      scan_warn(scan, "the collection of the items of %s is not read: %s", remote_url(path), reason.message);
    if (json_object_set_new(walk->patterns, key, found ? found : json_null()) != 0)
      return error_memory(error);
  }
  *out = json_is_object(found) ? found : NULL;
  return 0;
}

/* Items that no collection led to may leave to theirs what their assets are. */
static int find_collection(struct stac_walk *walk, const char *path, const json_t *item, json_t **out,
                           struct error *error)
{
  const json_t *link = find_link(item, "collection");
  *out = NULL;
  if (walk->scan->collection || !link || !lacks_words(item))
    return 0;
  return fetch_collection(walk, path, json_tree_text(link, "href"), out, error);
}

/* ---- items ------------------------------------------------------------------------------------------------------- */

static int read_item(struct stac_walk *walk, const char *path, const json_t *item, struct error *error)
{
  struct scan *scan = walk->scan;
  json_t *collection;
  json_t *properties = json_object_get(item, "properties");
  const char *id = json_tree_text(item, "id");
  int64_t instant;
  size_t index;
  if (!id || !json_is_object(properties) || !json_is_object(json_object_get(item, "assets")))
    return error_set(error, ERROR_ProcessParameterInvalid, "%s: an item without id, properties or assets", path);
  bool dated = read_instant(properties, &instant);
  if (!scan->id && json_tree_text(item, "collection"))
    scan->id = arena_strdup(scan->arena, json_tree_text(item, "collection"));
  if (scan_new_item(scan, id, dated ? instant : 0, json_incref(properties), &index, error) != 0)
    return -1;
  scan->items[index].undated = !dated;
  if (find_collection(walk, path, item, &collection, error) != 0)
    return -1;
  const json_t *outer = scan->collection;
  scan->collection = outer ? outer : collection;
  const int result = stac_item_assets(scan, path, item, index, error);
  scan->collection = outer;
  return result;
}

/* The one instant of a collection whose interval is no longer. */
static bool collection_instant(const json_t *document, int64_t *instant)
{
  const json_t *temporal = json_object_get(json_object_get(document, "extent"), "temporal");
  const json_t *interval = json_array_get(json_tree_array(temporal, "interval"), 0);
  const char *start = json_string_value(json_array_get(interval, 0)),
             *end = json_string_value(json_array_get(interval, 1));
  return start && end && strcmp(start, end) == 0 && instant_parse(start, CALENDAR_GREGORIAN, instant) == 0;
}

/* A collection without items whose assets are the data, as results of jobs are: each is an item with a date of its own,
 * where it tells one. */
static int read_collection_assets(struct stac_walk *walk, const char *path, const json_t *document, struct error *error)
{
  struct scan *scan = walk->scan;
  json_t *assets = json_object_get(document, "assets");
  for (void *at = json_object_iter(assets); at; at = json_object_iter_next(assets, at)) {
    const json_t *asset = json_object_iter_value(at);
    int64_t instant;
    size_t index;
    bool dated = read_instant(asset, &instant) || collection_instant(document, &instant);
    if (scan_new_item(scan, json_object_iter_key(at), dated ? instant : 0, NULL, &index, error) != 0)
      return -1;
    scan->items[index].undated = !dated;
    if (stac_asset(scan, path, json_object_iter_key(at), asset, index, error) != 0)
      return -1;
  }
  return 0;
}

/* The page behind this one, for read_document. */
static int note_next(struct stac_walk *walk, const char *path, const json_t *document, struct error *error)
{
  const json_t *next = find_link(document, "next");
  const char *method = json_tree_text(next, "method");
  walk->empty_pages = json_array_size(json_tree_array(document, "features")) > 0 ? 0 : walk->empty_pages + 1;
  if (!next)
    return 0;
  if (walk->empty_pages > STAC_MAX_EMPTY_PAGES)
    return error_set(error, ERROR_ProcessParameterInvalid, "%s: page after page holds no item", remote_url(path));
  if (method && strcasecmp(method, "GET") != 0)
    return error_set(error, ERROR_FeatureUnsupported, "%s: its next page must be asked for by %s", remote_url(path),
                     method);
  return stac_path(walk->scan, path, json_tree_text(next, "href"), &walk->next, error);
}

/* The page behind this one comes from its host while this one is read. */
static void prefetch_next(const struct stac_walk *walk, const char *path, const json_t *document)
{
  const json_t *next = find_link(document, "next");
  const char *method = json_tree_text(next, "method"), *target;
  struct error ignored = {0};
  if (next && remote_is_connected() && (!method || strcasecmp(method, "GET") == 0) &&
      json_array_size(json_tree_array(document, "features")) > 0 &&
      stac_path(walk->scan, path, json_tree_text(next, "href"), &target, &ignored) == 0 &&
      !json_object_get(walk->seen, target))
    remote_prefetch_document(target, document_limit(walk->scan));
}

/* Some items ahead, what will be read of other hosts is asked for. */
static int read_items(struct stac_walk *walk, const char *path, const json_t *document, struct error *error)
{
  const json_t *features = json_tree_array(document, "features");
  prefetch_next(walk, path, document);
  for (size_t i = 0, ahead = 0; i < json_array_size(features); i++) {
    ahead = ahead > i ? ahead : i;
    while (ahead < i + REMOTE_AHEAD && ahead < json_array_size(features) && remote_is_connected() &&
           stac_item_prefetch(walk->scan, path, json_array_get(features, ahead)))
      ahead++;
    if (read_item(walk, path, json_array_get(features, i), error) != 0)
      return -1;
  }
  return note_next(walk, path, document, error);
}

/* Whether the API whose landing page this is takes CQL2 text with its items (OGC API Features, part 3). */
static bool conforms(const json_t *landing)
{
  static const char *const classes[] = {"/conf/features-filter", "/conf/cql2-text"};
  const json_t *list = json_tree_array(landing, "conformsTo");
  size_t found = 0;
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < json_array_size(list); i++) {
      const char *uri = json_string_value(json_array_get(list, i));
      const size_t length = uri ? strlen(uri) : 0, own = strlen(classes[k]);
      if (length > own && strcmp(uri + length - own, classes[k]) == 0) {
        found++;
        break;
      }
    }
  return found == 2;
}

static bool takes_filter(struct stac_walk *walk, const char *path, const json_t *collection)
{
  struct scan *scan = walk->scan;
  const json_t *root = find_link(collection, "root");
  struct error ignored = {0};
  const char *target;
  if (!root || stac_path(scan, path, json_tree_text(root, "href"), &target, &ignored) != 0)
    return false;
  json_t *landing = json_tree_read(target, document_limit(scan), &ignored);
  const bool takes = conforms(landing);
  json_decref(landing);
  return takes;
}

/* The address with the filter, where the API takes it. Whatever it does, the load decides once more. */
static const char *with_filter(struct stac_walk *walk, const char *path, const json_t *collection, const char *target)
{
  const struct catalogue_bounds *bounds = walk->scan->bounds;
  const bool takes = takes_filter(walk, path, collection);
  struct buffer text = {0};
  buffer_text(&text, target);
  if (takes) {
    buffer_text(&text, "&filter-lang=cql2-text&filter=");
    href_encode(bounds->items_filter, &text);
  }
  const char *out = text.failed ? NULL : arena_strdup(walk->scan->arena, text.data);
  buffer_free(&text);
  const char *said = arena_printf(walk->scan->arena,
                                  takes ? "%s chooses its items by the properties: %s"
                                        : "%s takes no CQL2, so items are chosen by their properties here: %s",
                                  remote_url(path), bounds->items_filter);
  if (bounds->tell && said)
    bounds->tell(bounds->data, said);
  return out;
}

/* The items of an API's collection, those that lie in the extents asked for. */
static int follow_items(struct stac_walk *walk, const char *path, const json_t *document, const json_t *link,
                        unsigned depth, struct error *error)
{
  struct scan *scan = walk->scan;
  const char *query = scan->bounds ? scan->bounds->items_query : NULL, *target;
  if (stac_path(scan, path, json_tree_text(link, "href"), &target, error) != 0)
    return -1;
  if (query && remote_is(target))
    target = arena_printf(scan->arena, "%s%c%s", target, strchr(target, '?') ? '&' : '?', query);
  if (target && query && remote_is(target) && scan->bounds->items_filter)
    target = with_filter(walk, path, document, target);
  return target ? read_document(walk, target, depth + 1, error) : error_memory(error);
}

/* Lets item documents of other hosts be fetched, of the links from `first` on; where to go on. */
static size_t prefetch_links(const struct stac_walk *walk, const char *path, const json_t *links, size_t first,
                             size_t end)
{
  struct error ignored = {0};
  const char *target;
  for (; first < end && first < json_array_size(links); first++)
    if (remote_is_connected() && has_rel(json_array_get(links, first), "item") &&
        stac_path(walk->scan, path, json_tree_text(json_array_get(links, first), "href"), &target, &ignored) == 0 &&
        !json_object_get(walk->seen, target) && !remote_prefetch_document(target, document_limit(walk->scan)))
      break;
  return first;
}

/* Item links and items are the same items: an API that lists both needs to be read once. */
static int follow_links(struct stac_walk *walk, const char *path, const json_t *document, unsigned depth,
                        struct error *error)
{
  const json_t *links = json_tree_array(document, "links"), *items = find_link(document, "items");
  const char *target;
  size_t ahead = 0;
  for (size_t i = 0; i < json_array_size(links); i++) {
    ahead = prefetch_links(walk, path, links, ahead > i ? ahead : i, i + REMOTE_AHEAD);
    const json_t *link = json_array_get(links, i);
    if (!has_rel(link, "item") && !has_rel(link, "child"))
      continue;
    if (stac_path(walk->scan, path, json_tree_text(link, "href"), &target, error) != 0 ||
        read_document(walk, target, depth + 1, error) != 0)
      return -1;
  }
  if (!items || find_link(document, "item") || (href_is_web(json_tree_text(items, "href")) && !remote_is_connected()))
    return 0;
  return follow_items(walk, path, document, items, depth, error);
}

/* The first collection met gives the metadata; a catalogue does until one is met. */
static int take_source(struct scan *scan, const json_t *document, bool is_collection)
{
  bool have_collection = scan->source && json_object_get(scan->source, "extent");
  if (scan->source && (have_collection || !is_collection))
    return 0;
  json_decref(scan->source);
  scan->source = json_incref((json_t *)document);
  return 1;
}

static int read_tree(struct stac_walk *walk, const char *path, const json_t *document, unsigned depth,
                     struct error *error)
{
  const char *type = json_tree_text(document, "type");
  if (type && strcmp(type, "Feature") == 0)
    return read_item(walk, path, document, error);
  if (type && strcmp(type, "FeatureCollection") == 0)
    return read_items(walk, path, document, error);
  bool is_collection = (type && strcmp(type, "Collection") == 0) || json_object_get(document, "extent");
  if (!is_collection && !(type && strcmp(type, "Catalog") == 0) && !json_object_get(document, "stac_version"))
    return error_set(error, ERROR_ProcessParameterInvalid,
                     "%s is no STAC document (a Collection, Catalog, Item or ItemCollection is expected)", path);
  take_source(walk->scan, document, is_collection);
  const json_t *outer = walk->scan->collection;
  walk->scan->collection = is_collection ? document : outer;
  int result = follow_links(walk, path, document, depth, error);
  if (result == 0 && walk->scan->item_count == 0)
    result = read_collection_assets(walk, path, document, error);
  walk->scan->collection = outer;
  return result;
}

/* The text that was given is that of the first document. */
static json_t *read_json(struct stac_walk *walk, const char *path, struct error *error)
{
  const struct catalogue_bounds *bounds = walk->scan->bounds;
  json_error_t reason;
  if (!bounds || !bounds->text || walk->scan->documents > 1)
    return json_tree_read(path, document_limit(walk->scan), error);
  json_t *document = json_loadb(bounds->text, bounds->text_length, 0, &reason);
  if (!document)
    error_set(error, ERROR_ProcessParameterInvalid, "%s is no JSON: %s", path, reason.text);
  return document;
}

static int read_page(struct stac_walk *walk, const char *path, unsigned depth, struct error *error)
{
  struct scan *scan = walk->scan;
  if (json_object_get(walk->seen, path))
    return 0;
  if (depth > STAC_MAX_DEPTH || json_object_size(walk->seen) >= STAC_MAX_DOCUMENTS)
    return error_set(error, ERROR_ProcessParameterInvalid, "%s: more than %d levels or %d documents", remote_url(path),
                     STAC_MAX_DEPTH, STAC_MAX_DOCUMENTS);
  if (json_object_set_new(walk->seen, path, json_true()) != 0)
    return error_memory(error);
  if (scan_step(scan, error) != 0)
    return -1;
  scan->documents++;
  json_t *document = read_json(walk, path, error);
  int result = document ? read_tree(walk, path, document, depth, error) : -1;
  json_decref(document);
  return result;
}

/* A document, and the pages that go on where it ends. */
static int read_document(struct stac_walk *walk, const char *path, unsigned depth, struct error *error)
{
  for (; path; path = walk->next) {
    walk->next = NULL;
    if (read_page(walk, path, depth, error) != 0)
      return -1;
  }
  walk->next = NULL;
  return 0;
}

/* The collection that was given with the items. */
static void take_given(struct scan *scan)
{
  const char *text = scan->bounds ? scan->bounds->collection_text : NULL;
  json_t *given = text ? json_loads(text, 0, NULL) : NULL;
  if (json_is_object(given))
    take_source(scan, given, true);
  json_decref(given);
  scan->collection = scan->source;
}

int scan_stac(struct scan *scan, const char *path, struct error *error)
{
  struct stac_walk walk = {.scan = scan, .seen = json_object(), .patterns = json_object()};
  take_given(scan);
  int result = walk.seen && walk.patterns ? read_document(&walk, path, 0, error) : error_memory(error);
  scan->collection = NULL;
  json_decref(walk.seen);
  json_decref(walk.patterns);
  if (result != 0)
    return -1;
  if (scan->source) {
    const char *id = json_tree_text(scan->source, "id"), *title = json_tree_text(scan->source, "title");
    scan->id = id ? arena_strdup(scan->arena, id) : scan->id;
    scan->title = title ? arena_strdup(scan->arena, title) : NULL;
  }
  if (scan->item_count == 0)
    return error_set(error, ERROR_NoDataAvailable, "%s leads to no item", remote_url(path));
  if (!scan->id)
    scan->id = scan->item_count == 1 ? scan->items[0].id : NULL;
  return 0;
}
