/* From what is asked for to a search: see the header. */
#include "server/stac_api/stac_search.h"

#include "server/stac_api/stac_condition.h"

#include "datacube/lonlat.h"
#include "stac/cql2/cql2_condition.h"
#include "stac/json_tree.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 16 << 20, TEXTS_MOST = 10000 };

/* An array of texts as pointers into the tree. */
static int take_texts(struct stac_search *s, const json_t *query, const char *name, const char *const **out,
                      size_t *count, struct error *error)
{
  const json_t *texts;
  const int given = stac_query_texts(query, name, &texts, error);
  const size_t size = given == 1 ? json_array_size(texts) : 0;
  if (given < 0)
    return -1;
  if (size > TEXTS_MOST)
    return error_parameter(error, ERROR_QueryParameterInvalid, name, "names more than %d", (int)TEXTS_MOST);
  const char **list = arena_alloc(s->arena, (size + 1) * sizeof *list);
  if (list == NULL)
    return error_memory(error);
  for (size_t i = 0; i < size; i++)
    list[i] = json_string_value(json_array_get(texts, i));
  *out = list;
  *count = size;
  return 0;
}

static int take_box(struct stac_search *s, const json_t *query, struct error *error)
{
  struct stac_box box;
  const int given = stac_query_box(query, &box, error);
  if (given != 1)
    return given;
  const double *sides = box.sides;
  const struct extent wide = {sides[0], sides[1], sides[2] + (sides[0] > sides[2] ? 360 : 0), sides[3], NULL};
  s->items.has_box = true;
  s->items.box = lonlat_normal(&wide);
  s->items.has_heights = box.has_heights;
  s->items.lowest = box.heights[0];
  s->items.highest = box.heights[1];
  return 0;
}

static int take_intersects(struct stac_search *s, const json_t *query, struct error *error)
{
  const json_t *geometry = json_object_get(query, "intersects");
  if (geometry == NULL || json_is_null(geometry))
    return 0;
  if (!json_is_object(geometry))
    return error_parameter(error, ERROR_QueryParameterInvalid, "intersects", "wants a GeoJSON geometry");
  if (s->items.has_box)
    return error_parameter(error, ERROR_QueryParameterInvalid, "intersects", "and bbox exclude each other");
  char *text = json_dumps(geometry, JSON_COMPACT);
  s->items.intersects = text != NULL ? arena_strdup(s->arena, text) : NULL;
  free(text);
  return s->items.intersects != NULL ? 0 : error_memory(error);
}

static int take_interval(struct stac_search *s, const json_t *query, struct error *error)
{
  struct stac_interval interval;
  if (stac_query_interval(query, &interval, error) < 0)
    return -1;
  s->items.has_start = interval.has_start;
  s->items.has_end = interval.has_end;
  s->items.start = interval.start;
  s->items.end = interval.end;
  return 0;
}

static int take_sort(struct stac_search *s, const json_t *query, struct error *error)
{
  const json_t *keys;
  const int given = stac_query_sort(query, &keys, error);
  if (given != 1)
    return given;
  const size_t count = json_array_size(keys);
  struct item_sort *sort = arena_alloc(s->arena, count * sizeof *sort);
  if (sort == NULL)
    return error_memory(error);
  for (size_t i = 0; i < count; i++) {
    const char *way = json_tree_text(json_array_get(keys, i), "direction");
    sort[i] =
        (struct item_sort){json_tree_text(json_array_get(keys, i), "field"), way != NULL && strcmp(way, "desc") == 0};
  }
  s->items.sort = sort;
  s->items.sort_count = count;
  return 0;
}

static int take_page(struct stac_search *s, const json_t *query, struct error *error)
{
  if (stac_query_limit(query, STAC_PAGE_ITEMS, STAC_MOST_ITEMS, &s->items.limit, error) < 0)
    return -1;
  return stac_query_text(query, "token", &s->items.token, error) < 0 ? -1 : 0;
}

/* ---- the filter ------------------------------------------------------------------------------------------------- */

static int take_filter(struct stac_search *s, const json_t *query, struct error *error)
{
  const struct cql2_filter *filter;
  if (stac_condition_read(query, s->arena, &filter, error) != 0)
    return -1;
  if (filter == NULL)
    return 0;
  s->filter = filter;
  s->items.condition = &s->condition;
  return cql2_condition(s->arena, filter, &s->condition, error) == 0 ? cql2_narrow(s->arena, filter, &s->items, error)
                                                                     : -1;
}

/* Some clients name the collection again. */
static int take_only(struct stac_search *s, const char *collection, struct error *error)
{
  for (size_t i = 0; i < s->items.collection_count; i++)
    if (strcmp(s->items.collections[i], collection) != 0)
      return error_parameter(error, ERROR_QueryParameterInvalid, "collections", "is '%s' here", collection);
  s->only[0] = collection;
  s->items.collections = s->only;
  s->items.collection_count = 1;
  return 0;
}

int stac_search_make(const json_t *query, const char *collection, struct stac_search *out, struct error *error)
{
  *out = (struct stac_search){.arena = arena_new(ARENA_BYTES)};
  out->items.milliseconds = STAC_SEARCH_MS;
  if (out->arena == NULL)
    return error_memory(error);
  if (take_texts(out, query, "ids", &out->items.ids, &out->items.id_count, error) != 0 ||
      take_texts(out, query, "collections", &out->items.collections, &out->items.collection_count, error) != 0 ||
      take_box(out, query, error) != 0 || take_intersects(out, query, error) != 0 ||
      take_interval(out, query, error) != 0 || take_sort(out, query, error) != 0 || take_page(out, query, error) != 0)
    return -1;
  if (collection != NULL && take_only(out, collection, error) != 0)
    return -1;
  return take_filter(out, query, error);
}

void stac_search_free(struct stac_search *search)
{
  arena_free(search->arena);
}
