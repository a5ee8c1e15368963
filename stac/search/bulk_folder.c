/* A static catalogue: documents that link to each other below one folder.
 *
 * Every document is read once, however many links lead to it, so that cycles end. What lies outside of the folder, or
 * on the web, is not followed. */
#include "stac/search/bulk_load.h"

#include "datacube/base/logger.h"
#include "stac/href.h"
#include "stac/json_tree.h"
#include "stac/search/item_facts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_DOCUMENTS = 5000000, MOST_DEPTH = 32 };

struct catalogue_walk {
  struct bulk_queue *queue;
  json_t *seen;     /* real paths */
  const char *root; /* folder, ending in a slash */
  size_t documents;
};

static int read_linked(struct catalogue_walk *walk, const char *path, unsigned depth, struct error *error);

/* Where a link of a document leads; false: elsewhere than below the folder. `out` has room for PATH_MAX. */
static bool follow(struct catalogue_walk *walk, const char *document, const char *href, char *out)
{
  struct arena *arena = arena_new(1 << 20);
  const char *slash = strrchr(document, '/');
  bool found = false;
  if (arena && href && !href_is_remote(href)) {
    const char *path = href_path(arena, href);
    if (path && *path != '/')
      path = arena_printf(arena, "%.*s/%s", (int)(slash - document), document, path);
    if (path && !realpath(path, out))
      path = href_decoded(arena, path);
    found = path && realpath(path, out) && strncmp(out, walk->root, strlen(walk->root)) == 0;
  }
  arena_free(arena);
  return found;
}

/* Items first: what is below needs the collection, which is put before both. */
static int follow_links(struct catalogue_walk *walk, const char *path, const json_t *document, unsigned depth,
                        struct error *error)
{
  static const char *const relations[] = {"item", "child"};
  const json_t *links = json_object_get(document, "links");
  char target[PATH_MAX];
  for (size_t r = 0; r < 2; r++)
    for (size_t i = 0; i < json_array_size(links); i++) {
      const json_t *link = json_array_get(links, i);
      const char *relation = json_tree_text(link, "rel"), *href = json_tree_text(link, "href");
      if (!relation || strcmp(relation, relations[r]) != 0)
        continue;
      if (!follow(walk, path, href, target)) {
        log_message(LOG_WARNING, "%s: the link to %s is not followed: it leads to nothing below %s", path,
                    href ? href : "nothing", walk->root);
        continue;
      }
      if (read_linked(walk, target, depth + 1, error) != 0)
        return -1;
    }
  return 0;
}

static int read_text(struct catalogue_walk *walk, const char *path, const struct bulk_text *text, unsigned depth,
                     struct error *error)
{
  json_error_t reason;
  json_t *tree = text->length <= STORED_MAX_BYTES ? json_loadb(text->data, text->length, 0, &reason) : NULL;
  const char *type = json_tree_text(tree, "type");
  int result = 0;
  if (!type || strcmp(type, "Feature") == 0)
    result = bulk_put(walk->queue, text, false, path, error); /* which says what is wrong */
  else if (strcmp(type, "Collection") == 0)
    result = bulk_put(walk->queue, text, true, path, error);
  if (result == 0 && type && strcmp(type, "Feature") != 0)
    result = follow_links(walk, path, tree, depth, error);
  json_decref(tree);
  return result;
}

static int read_linked(struct catalogue_walk *walk, const char *path, unsigned depth, struct error *error)
{
  struct bulk_text text;
  if (json_object_get(walk->seen, path))
    return 0;
  if (depth > MOST_DEPTH || ++walk->documents > MOST_DOCUMENTS)
    return error_set(error, ERROR_StacInvalid, "%s: the catalogue has more than %d documents, or is more than %d deep",
                     path, MOST_DOCUMENTS, MOST_DEPTH);
  if (json_object_set_new(walk->seen, path, json_true()) != 0)
    return error_set(error, ERROR_StacInvalid, "%s: the name is no UTF-8", path);
  if (bulk_text_open(path, &text, error) != 0)
    return -1;
  const int result = read_text(walk, path, &text, depth, error);
  bulk_text_close(&text);
  return result;
}

/* The document of a folder; `out` has room for PATH_MAX. */
static int find_document(const char *path, char *out, struct error *error)
{
  static const char *const names[] = {"", "/catalog.json", "/collection.json"};
  char joined[PATH_MAX + 32];
  struct stat status;
  for (size_t i = 0; i < 3; i++) {
    struct buffer name = {.limit = sizeof joined - 1};
    buffer_printf(&name, "%s%s", path, names[i]);
    const bool found = !name.failed && realpath(name.data, out) && stat(out, &status) == 0 && S_ISREG(status.st_mode);
    buffer_free(&name);
    if (found)
      return 0;
  }
  return error_parameter(error, ERROR_FileNotFound, "path", "%s: has neither catalog.json nor collection.json", path);
}

int bulk_folder(struct bulk_queue *queue, const char *path, struct error *error)
{
  char document[PATH_MAX], root[PATH_MAX];
  if (find_document(path, document, error) != 0)
    return -1;
  memcpy(root, document, strlen(document) + 1);
  strrchr(root, '/')[1] = '\0';
  struct catalogue_walk walk = {.queue = queue, .root = root, .seen = json_object()};
  if (!walk.seen)
    return error_memory(error);
  const int result = read_linked(&walk, document, 0, error);
  json_decref(walk.seen);
  return result;
}
