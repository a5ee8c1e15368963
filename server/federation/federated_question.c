/* Names of collections are put in place in the filter as it is sent: a tree of CQL2 in JSON. */
#include "server/federation/federated_question.h"

#include <string.h>

bool federated_question_names_any(const json_t *query, const char *collection)
{
  return collection != NULL || json_array_size(json_object_get(query, "collections")) > 0;
}

/* The ids there of the collections that are asked for; NULL: none of them is there. */
static json_t *ids_there(const struct backend *backend, const json_t *query, const char *collection)
{
  json_t *ids = json_array(), *name;
  size_t i;
  const struct listed_collection *found = collection != NULL ? backend_named(backend, collection) : NULL;
  if (found != NULL)
    json_array_append_new(ids, json_string(found->id));
  json_array_foreach(collection == NULL ? json_object_get(query, "collections") : NULL, i, name)
  {
    found = json_is_string(name) ? backend_named(backend, json_string_value(name)) : NULL;
    if (found != NULL)
      json_array_append_new(ids, json_string(found->id));
  }
  if (json_array_size(ids) > 0)
    return ids;
  json_decref(ids);
  return NULL;
}

bool federated_question_has_any(const struct backend *backend, const json_t *query, const char *collection)
{
  json_t *ids = ids_there(backend, query, collection);
  const bool has_any = ids != NULL;
  json_decref(ids);
  return has_any;
}

/* ---- names within filters ---------------------------------------------------------------------------------------- */

static bool is_collection(const json_t *operand)
{
  const char *name = json_string_value(json_object_get(operand, "property"));
  return name != NULL && (strcmp(name, "collection") == 0 || strcmp(name, "properties.collection") == 0);
}

/* What a collection is called there. What is not there gets a name with a bar at its front: nobody's whose items are
 * taken has one. */
static json_t *name_there(const struct backend *backend, const char *name)
{
  const struct listed_collection *found = backend_named(backend, name);
  return found != NULL ? json_string(found->id) : json_sprintf("|%s", name);
}

static bool rename_list(const struct backend *backend, json_t *list)
{
  json_t *name;
  size_t i;
  json_array_foreach(list, i, name)
  {
    if (!json_is_string(name))
      return false;
    json_array_set_new(list, i, name_there(backend, json_string_value(name)));
  }
  return true;
}

/* Of two operands of which `i` is the collection. Only whether names are the same is the same there. */
static bool rename_other(const struct backend *backend, const char *op, json_t *operands, size_t i)
{
  json_t *other = json_array_get(operands, 1 - i);
  const bool is_equality = strcmp(op, "=") == 0 || strcmp(op, "<>") == 0;
  if (json_array_size(operands) != 2)
    return false;
  if (strcmp(op, "in") == 0 && i == 0 && json_is_array(other))
    return rename_list(backend, other);
  if (!is_equality || !json_is_string(other))
    return false;
  json_array_set_new(operands, 1 - i, name_there(backend, json_string_value(other)));
  return true;
}

/* Changes the filter in place; false where that cannot be said there. Its depth is that of a filter that was read. */
static bool rename_collections(const struct backend *backend, json_t *filter)
{
  const char *op = json_string_value(json_object_get(filter, "op")), *key;
  json_t *operands = json_object_get(filter, "args"), *inner;
  size_t i;
  if (is_collection(filter))
    return false;
  json_array_foreach(filter, i, inner) if (!rename_collections(backend, inner)) return false;
  json_array_foreach(op != NULL ? operands : NULL, i, inner)
  {
    if (is_collection(inner))
      return rename_other(backend, op, operands, i);
  }
  json_object_foreach(filter, key, inner) if (!rename_collections(backend, inner)) return false;
  return true;
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

static json_t *filter_there(const struct backend *backend, const struct cql2_filter *filter)
{
  struct buffer text = {0};
  cql2_write_json(filter, &(struct json_writer){.out = &text});
  json_t *tree = text.failed ? NULL : json_loadb(text.data, text.length, 0, NULL);
  buffer_free(&text);
  if (tree != NULL && rename_collections(backend, tree))
    return tree;
  json_decref(tree);
  return NULL;
}

static bool queries_collections(const json_t *query)
{
  return json_object_get(json_object_get(query, "query"), "collection") != NULL;
}

/* What is asked beyond place and time: both filter and query as one filter in JSON, where that is read; the query alone
 * where that is; else nothing. Whether that leaves something to be judged here. */
static bool set_filter(const struct backend *backend, const struct federated_search *search, json_t *body)
{
  static const char *const given[] = {"filter", "filter-lang", "filter-crs", "query"};
  const struct search_ability *ability = &backend->ability;
  const bool has_filter = json_object_get(search->query, "filter") != NULL;
  const bool keeps_query = !ability->filters && ability->queries && !queries_collections(search->query);
  for (size_t i = 0; i < sizeof given / sizeof given[0] - keeps_query; i++)
    json_object_del(body, given[i]);
  if (search->filter == NULL)
    return false;
  if (!ability->filters)
    return has_filter || !keeps_query;
  json_t *filter = filter_there(backend, search->filter);
  if (filter == NULL)
    return true;
  json_object_set_new(body, "filter", filter);
  json_object_set_new(body, "filter-lang", json_string("cql2-json"));
  return false;
}

static bool sorts_by_collection(const json_t *sort)
{
  const json_t *key;
  size_t i;
  json_array_foreach(sort, i, key)
  {
    const char *field = json_string_value(json_object_get(key, "field"));
    if (field != NULL && (strcmp(field, "collection") == 0 || strcmp(field, "properties.collection") == 0))
      return true;
  }
  return false;
}

/* The order here, where the request tells none: that there may be another one. */
static void set_order(const struct federated_search *search, json_t *body)
{
  if (search->shape->sort == NULL || json_array_size(search->shape->sort) == 0)
    json_object_set_new(body, "sortby", json_pack("[{s:s,s:s}]", "field", "properties.datetime", "direction", "desc"));
}

/* Aliases are in another order than what they stand for. */
static bool sorts_as_here(const struct backend *backend, const struct federated_search *search)
{
  return backend->ability.sorts && (backend->settings->aliases == NULL || !sorts_by_collection(search->shape->sort));
}

struct federated_question federated_question_make(const struct backend *backend, const struct federated_search *search,
                                                  long limit)
{
  static const char *const ours[] = {"token", "fields", "collections", "limit"};
  const bool is_named = federated_question_names_any(search->query, search->collection);
  json_t *ids = is_named ? ids_there(backend, search->query, search->collection) : NULL;
  struct federated_question out = {.sorts = sorts_as_here(backend, search)};
  if (is_named && ids == NULL)
    return out;
  out.body = json_deep_copy(search->query);
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
    json_object_del(out.body, ours[i]);
  if (ids != NULL)
    json_object_set_new(out.body, "collections", ids);
  out.is_judged_here = set_filter(backend, search, out.body);
  if (out.sorts)
    set_order(search, out.body);
  else
    json_object_del(out.body, "sortby");
  json_object_set_new(out.body, "limit", json_integer(out.sorts ? search->limit : limit));
  return out;
}
