/* Arrays of a group of another host without consolidated metadata. Nobody can be asked what is in a group over HTTP;
 * but who knows some of its variables (the item's "cube:variables", or the user) finds the others: dimensions have
 * coordinates of the same name, and by the CF conventions attributes tell the rest. */
#include "datacube/source/zarr_place.h"
#include "datacube/source/zarr_walk.h"

#include <string.h>

enum { NAMES_MOST = 512 };

struct name_list {
  const char *names[NAMES_MOST];
  size_t count, given; /* the first of them were given, and must be there */
};

static int add_name(struct zarr_walk *w, struct name_list *list, const char *name, size_t length)
{
  for (size_t i = 0; i < list->count; i++)
    if (strncmp(list->names[i], name, length) == 0 && list->names[i][length] == '\0')
      return 0;
  if (length == 0)
    return 0;
  if (list->count == NAMES_MOST)
    return error_set(w->error, ERROR_FileContentInvalid, "it has more than %d variables", NAMES_MOST);
  list->names[list->count] = arena_strndup(w->arena, name, length);
  return list->names[list->count++] ? 0 : error_memory(w->error);
}

/* Words of a text, without a colon behind them ("crs: x y"). */
static int add_words(struct zarr_walk *w, struct name_list *list, const char *text, const char *between)
{
  for (const char *at = text + strspn(text, between); *at; at += strspn(at, between)) {
    const size_t length = strcspn(at, between), own = length > 0 && at[length - 1] == ':' ? length - 1 : length;
    if (add_name(w, list, at, own) != 0)
      return -1;
    at += length;
  }
  return 0;
}

/* What an array leads to. */
static int add_related(struct zarr_walk *w, struct name_list *list, const struct zarr_array *a)
{
  static const char *const attributes[] = {"coordinates", "grid_mapping", "bounds"};
  for (size_t d = 0; d < a->rank; d++)
    if (a->names[d] && add_name(w, list, a->names[d], strlen(a->names[d])) != 0)
      return -1;
  for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
    const char *text = zarr_json_text(a->attributes, attributes[i]);
    if (text && add_words(w, list, text, " ") != 0)
      return -1;
  }
  return 0;
}

static enum zarr_found add_array(struct zarr_walk *w, const struct zarr_place *place, const char *name, int version)
{
  struct zarr_node node = {.version = version};
  const char *document = arena_printf(w->arena, "%s/%s", name, version == 2 ? ".zarray" : "zarr.json");
  const char *attributes = arena_printf(w->arena, "%s/.zattrs", name);
  if (!document || !attributes)
    return error_memory(w->error);
  if (version == 2)
    zarr_file_ahead(place, attributes, ZARR_DOCUMENT_MOST);
  const enum zarr_found found = zarr_walk_document(w, place, document, &node.document);
  if (found != ZARR_FOUND)
    return found;
  if (version == 2 && zarr_walk_document(w, place, attributes, &node.attributes) == ZARR_FAILED)
    return ZARR_FAILED;
  const char *type = zarr_json_text(node.document, "node_type");
  if (version == 3 && (!type || strcmp(type, "array") != 0))
    return ZARR_ABSENT;
  if (version == 3)
    node.attributes = zarr_json_member(node.document, "attributes");
  return zarr_walk_add_folder(w, name, strlen(name), &node) == 0 ? ZARR_FOUND : ZARR_FAILED;
}

/* Names come from documents: what is no plain name of a folder is none of an array. */
static bool is_plain(const char *name)
{
  return name[0] != '.' && strcspn(name, "/?#%\\") == strlen(name);
}

int zarr_walk_named(struct zarr_walk *w, const struct zarr_place *place, int version)
{
  const char *given = zarr_place_names(w->store->path);
  struct name_list *list = ARENA_NEW(w->arena, struct name_list);
  if (!given)
    return error_set(w->error, ERROR_FeatureUnsupported,
                     "it has no consolidated metadata, and nothing names its variables: neither cube:variables of "
                     "the item, nor the address (…/x.zarr" ZARR_PLACE_NAMES "a,b)");
  if (!list)
    return error_memory(w->error);
  if (add_words(w, list, given, ",/") != 0)
    return -1;
  list->given = list->count;
  for (size_t i = 0; i < list->count; i++) {
    const size_t before = w->store->array_count;
    const enum zarr_found found = is_plain(list->names[i]) ? add_array(w, place, list->names[i], version) : ZARR_ABSENT;
    if (found == ZARR_ABSENT && i < list->given)
      return error_set(w->error, ERROR_FileNotFound, "there is no array '%.100s'", list->names[i]);
    if (found == ZARR_FAILED ||
        (w->store->array_count > before && add_related(w, list, &w->store->arrays[before]) != 0))
      return -1;
  }
  return 0;
}
