/* What documents call dimensions, and the order in which they list bands: "cube:dimensions" of the collection, of a
 * single item's properties otherwise; the order also by "bands" (STAC 1.1) or "eo:bands" of the collection. */
#include "stac/scan.h"

#include <stdlib.h>
#include <string.h>

static json_t *dimensions_of(const struct scan *scan)
{
  json_t *own = json_object_get(scan->source, "cube:dimensions");
  if (!own && scan->item_count == 1)
    own = json_object_get(scan->items[0].properties, "cube:dimensions");
  return own;
}

/* ---- the order of bands ------------------------------------------------------------------------------------------ */

struct placed_band {
  struct scan_band band;
  size_t place, before; /* in the documents' list; in the scan */
};

static int compare_places(const void *left, const void *right)
{
  const struct placed_band *a = left, *b = right;
  if (a->place != b->place)
    return a->place < b->place ? -1 : 1;
  return a->before < b->before ? -1 : a->before > b->before;
}

/* Labels, or objects with names. */
static size_t place_in(const json_t *list, const char *name)
{
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *entry = json_array_get(list, i);
    const char *text = json_is_object(entry) ? json_tree_text(entry, "name") : json_string_value(entry);
    if (text && strcmp(text, name) == 0)
      return i;
  }
  return SIZE_MAX;
}

static const json_t *list_of_bands(const struct scan *scan)
{
  json_t *dimensions = dimensions_of(scan);
  const json_t *summaries = json_object_get(scan->source, "summaries");
  for (void *at = json_object_iter(dimensions); at; at = json_object_iter_next(dimensions, at)) {
    const char *type = json_tree_text(json_object_iter_value(at), "type");
    if (type && strcmp(type, "bands") == 0)
      return json_tree_array(json_object_iter_value(at), "values");
  }
  const json_t *const lists[] = {json_tree_array(scan->source, "bands"), json_tree_array(summaries, "bands"),
                                 json_tree_array(summaries, "eo:bands")};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    if (lists[i])
      return lists[i];
  return NULL;
}

int scan_order_bands(struct scan *scan, struct error *error)
{
  const json_t *list = list_of_bands(scan);
  if (!list || scan->band_count < 2)
    return 0;
  struct placed_band *rows = ARENA_ARRAY(scan->arena, struct placed_band, scan->band_count);
  size_t *moved = ARENA_ARRAY(scan->arena, size_t, scan->band_count);
  if (!rows || !moved)
    return error_memory(error);
  for (size_t i = 0; i < scan->band_count; i++)
    rows[i] = (struct placed_band){scan->bands[i], place_in(list, scan->bands[i].name), i};
  qsort(rows, scan->band_count, sizeof *rows, compare_places);
  for (size_t i = 0; i < scan->band_count; i++) {
    scan->bands[i] = rows[i].band;
    moved[rows[i].before] = i;
  }
  for (size_t i = 0; i < scan->asset_count; i++)
    scan->assets[i].band = moved[scan->assets[i].band];
  for (size_t i = 0; i < scan->band_key_count; i++)
    scan->band_keys[i].band = moved[scan->band_keys[i].band];
  return 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static const char **name_of_dimension(struct catalogue_names *names, const json_t *dimension)
{
  const char *type = json_tree_text(dimension, "type"), *axis = json_tree_text(dimension, "axis");
  if (type && strcmp(type, "temporal") == 0)
    return &names->t;
  if (type && strcmp(type, "bands") == 0)
    return &names->bands;
  if (!type || strcmp(type, "spatial") != 0 || !axis)
    return NULL;
  return strcmp(axis, "x") == 0   ? &names->x
         : strcmp(axis, "y") == 0 ? &names->y
         : strcmp(axis, "z") == 0 ? &names->z
                                  : NULL;
}

static int copy_text(struct arena *arena, const char *text, const char **out, struct error *error)
{
  *out = arena_strdup(arena, text);
  return *out ? 0 : error_memory(error);
}

static int copy_keys(const struct scan *scan, struct arena *arena, struct catalogue_names *out, struct error *error)
{
  struct catalogue_band_key *keys = ARENA_ARRAY(arena, struct catalogue_band_key, scan->band_key_count + 1);
  if (!keys)
    return error_memory(error);
  for (size_t i = 0; i < scan->band_key_count; i++)
    if (copy_text(arena, scan->band_keys[i].key, &keys[i].key, error) != 0 ||
        copy_text(arena, scan->bands[scan->band_keys[i].band].name, &keys[i].band, error) != 0)
      return -1;
  out->keys = keys;
  out->key_count = scan->band_key_count;
  return 0;
}

int scan_names(const struct scan *scan, struct arena *arena, struct catalogue_names *out, struct error *error)
{
  json_t *dimensions = dimensions_of(scan);
  *out = (struct catalogue_names){.x = NULL};
  for (void *at = json_object_iter(dimensions); at; at = json_object_iter_next(dimensions, at)) {
    const char **name = name_of_dimension(out, json_object_iter_value(at));
    if (name && !*name && copy_text(arena, json_object_iter_key(at), name, error) != 0)
      return -1;
  }
  return copy_keys(scan, arena, out, error);
}
