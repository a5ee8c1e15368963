/* Consolidated metadata of a Zarr hierarchy on another host: one document that holds those of all its nodes.
 *
 *   version 2   .zmetadata: {"metadata": {".zattrs": {}, "a/.zarray": {}, "a/.zattrs": {}}}
 *   version 3   zarr.json of the root: {"consolidated_metadata": {"metadata": {"a": {}}}}
 *
 * A hierarchy that is one array has none, and needs none. References (zarr_references.h) hold the documents, too. Where
 * a group has none, the variables that are named behind its address are looked for (zarr_named.c). */
#include "datacube/source/zarr_walk.h"

#include "datacube/base/rooted_path.h"
#include "datacube/source/zarr_place.h"

#include <stdlib.h>
#include <string.h>

/* Whom its host does not let read may not be told that there is none: that is as absent. */
enum zarr_found zarr_walk_document(const struct zarr_walk *w, const struct zarr_place *place, const char *name,
                                   const struct zarr_json **out)
{
  struct zarr_file file;
  struct error reason = {0};
  *out = NULL;
  const int found = zarr_file_open(place, name, ZARR_DOCUMENT_MOST, &file, &reason);
  if (found == 0 || error_is(&reason, ERROR_PermissionsInsufficient))
    return ZARR_ABSENT;
  if (found < 0) {
    *w->error = reason;
    return ZARR_FAILED;
  }
  char *bytes = arena_alloc(w->arena, (size_t)file.size + 1);
  const bool is_read = bytes && zarr_file_read(&file, 0, (size_t)file.size, bytes, &reason);
  *out = is_read ? zarr_json_read(w->arena, bytes, (size_t)file.size) : NULL;
  zarr_file_close(&file);
  if (zarr_json_is(*out, ZARR_JSON_OBJECT))
    return ZARR_FOUND;
  error_set(w->error, ERROR_FileContentInvalid, "%.200s is no document of Zarr", name);
  return ZARR_FAILED;
}

int zarr_walk_add_folder(struct zarr_walk *w, const char *key, size_t length, struct zarr_node *node)
{
  char plain[ROOTED_PATH_SIZE];
  struct error ignored = {0};
  size_t depth = 0;
  const char *folder = arena_strndup(w->arena, key, length);
  if (!folder)
    return error_memory(w->error);
  node->folder = folder;
  node->group = "/";
  node->name = "data";
  if (length == 0)
    return zarr_walk_add(w, node);
  if (rooted_path_read(folder, plain, &ignored) != 0 || strcmp(plain, folder) != 0)
    return error_set(w->error, ERROR_FileContentInvalid, "'%.100s' is no path of an array", folder);
  for (const char *at = folder; (at = strchr(at, '/')); at++)
    depth++;
  if (depth > ZARR_DEEP_MOST)
    return error_set(w->error, ERROR_FileContentInvalid, "its groups nest deeper than %d", ZARR_DEEP_MOST);
  const char *slash = strrchr(folder, '/');
  node->name = slash ? slash + 1 : folder;
  if (slash && !(node->group = arena_printf(w->arena, "/%.*s", (int)(slash - folder), folder)))
    return error_memory(w->error);
  return zarr_walk_add(w, node);
}

static int compare_arrays(const void *a, const void *b)
{
  return strcmp(((const struct zarr_array *)a)->folder, ((const struct zarr_array *)b)->folder);
}

/* ---- version 2 --------------------------------------------------------------------------------------------------- */

/* The attributes of the node whose .zarray has this key. */
static const struct zarr_json *attributes_of(const struct zarr_walk *w, const struct zarr_json *metadata,
                                             const char *key, size_t length)
{
  const char *name = arena_printf(w->arena, "%.*s.zattrs", (int)length, key);
  return name ? zarr_json_member(metadata, name) : NULL;
}

static int read_2(struct zarr_walk *w, const struct zarr_json *document)
{
  static const char end[] = ".zarray";
  const struct zarr_json *metadata = zarr_json_member(document, "metadata");
  w->store->attributes = zarr_json_member(metadata, ".zattrs");
  for (const struct zarr_json *v = zarr_json_is(metadata, ZARR_JSON_OBJECT) ? metadata->first : NULL; v; v = v->next) {
    const size_t length = strlen(v->key), tail = sizeof end - 1;
    if (length < tail || strcmp(v->key + length - tail, end) != 0 ||
        (length > tail && v->key[length - tail - 1] != '/'))
      continue;
    struct zarr_node node = {.version = 2, .document = v};
    node.attributes = attributes_of(w, metadata, v->key, length - tail);
    if (zarr_walk_add_folder(w, v->key, length > tail ? length - tail - 1 : 0, &node) != 0)
      return -1;
  }
  return 0;
}

/* An array alone. */
static enum zarr_found read_single_2(struct zarr_walk *w, const struct zarr_place *place)
{
  struct zarr_node node = {.version = 2};
  const enum zarr_found found = zarr_walk_document(w, place, ".zarray", &node.document);
  if (found != ZARR_FOUND)
    return found;
  if (zarr_walk_document(w, place, ".zattrs", &node.attributes) == ZARR_FAILED)
    return ZARR_FAILED;
  return zarr_walk_add_folder(w, "", 0, &node) == 0 ? ZARR_FOUND : ZARR_FAILED;
}

/* ---- version 3 --------------------------------------------------------------------------------------------------- */

static bool is_array(const struct zarr_json *document)
{
  const char *type = zarr_json_text(document, "node_type");
  return type && strcmp(type, "array") == 0;
}

static int read_3(struct zarr_walk *w, const struct zarr_place *place, const struct zarr_json *document)
{
  struct zarr_node root = {.version = 3, .document = document, .attributes = zarr_json_member(document, "attributes")};
  if (is_array(document))
    return zarr_walk_add_folder(w, "", 0, &root);
  const struct zarr_json *metadata = zarr_json_member(zarr_json_member(document, "consolidated_metadata"), "metadata");
  w->store->attributes = root.attributes;
  if (!zarr_json_is(metadata, ZARR_JSON_OBJECT))
    return zarr_walk_named(w, place, 3);
  for (const struct zarr_json *v = metadata->first; v; v = v->next) {
    struct zarr_node node = {.version = 3, .document = v, .attributes = zarr_json_member(v, "attributes")};
    if (is_array(v) && zarr_walk_add_folder(w, v->key, strlen(v->key), &node) != 0)
      return -1;
  }
  return 0;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static int read_any(struct zarr_walk *w, const struct zarr_place *place)
{
  const struct zarr_json *document;
  zarr_file_ahead(place, ".zmetadata", ZARR_DOCUMENT_MOST);
  enum zarr_found found = zarr_walk_document(w, place, "zarr.json", &document);
  if (found != ZARR_ABSENT)
    return found == ZARR_FOUND ? read_3(w, place, document) : -1;
  found = zarr_walk_document(w, place, ".zmetadata", &document);
  if (found != ZARR_ABSENT)
    return found == ZARR_FOUND ? read_2(w, document) : -1;
  found = read_single_2(w, place);
  if (found != ZARR_ABSENT)
    return found == ZARR_FOUND ? 0 : -1;
  found = zarr_walk_document(w, place, ".zgroup", &document);
  if (found == ZARR_ABSENT)
    return error_set(w->error, ERROR_FileNotFound, "there is no Zarr hierarchy, or none that may be read");
  if (found != ZARR_FOUND || zarr_walk_document(w, place, ".zattrs", &w->store->attributes) == ZARR_FAILED)
    return -1;
  return zarr_walk_named(w, place, 2);
}

int zarr_walk_consolidated(struct zarr_walk *w)
{
  struct zarr_place place;
  if (w->references) { /* whose order is that of the file to which they lead */
    const struct zarr_json *documents = zarr_references_metadata(w->arena, w->references, w->error);
    return documents ? read_2(w, documents) : -1;
  }
  if (zarr_place_open(w->store->path, NULL, &place, w->error) != 0 || read_any(w, &place) != 0)
    return -1;
  if (w->store->array_count > 1)
    qsort(w->store->arrays, w->store->array_count, sizeof *w->store->arrays, compare_arrays);
  return 0;
}
