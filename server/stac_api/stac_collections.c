/* Collections: the list, searched, sorted and in pages, and one.
 *
 * A first pass goes through all documents for those that are wanted and keeps what they are sorted by, the second
 * writes the page. A page begins behind the last collection of the one before it, by what that is sorted by: the token
 * is those values and the id. */
#include "server/endpoints/endpoints.h"
#include "server/federation/federation.h"
#include "server/stac_api/stac_api.h"
#include "server/stac_api/stac_collection_match.h"
#include "server/stac_api/stac_fields.h"
#include "server/stac_api/stac_item_writer.h"
#include "server/stac_api/stac_query.h"

#include "stac/json_tree.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_COLLECTIONS = 100, MOST_COLLECTIONS = 1000, PAGE_BYTES = 16 << 20 };

struct found_collection {
  char *id;
  json_t *keys; /* array of what it is sorted by, the id last */
};

struct collection_search {
  const struct exchange *exchange;
  struct collection_wish wish;
  struct stac_fields fields;
  bool has_fields;
  const json_t *sort; /* NULL: by id */
  json_t *after;      /* keys that the page begins behind, or NULL */
  long limit;
  struct found_collection *found;
  size_t count, room;
  struct error *error;
  int status;
};

/* ---- order ------------------------------------------------------------------------------------------------------ */

static int kind_rank(const json_t *value)
{
  return json_is_number(value) ? 0 : json_is_string(value) ? 1 : json_is_boolean(value) ? 2 : 3;
}

/* Numbers, texts, booleans, then what has none; whatever the direction, what has none is last. */
static int compare_values(const json_t *a, const json_t *b, bool is_down)
{
  const int rank_a = kind_rank(a), rank_b = kind_rank(b);
  if (rank_a != rank_b)
    return rank_a == 3 ? 1 : rank_b == 3 ? -1 : is_down ? rank_b - rank_a : rank_a - rank_b;
  double order = rank_a == 0   ? json_number_value(a) - json_number_value(b)
                 : rank_a == 1 ? strcmp(json_string_value(a), json_string_value(b))
                 : rank_a == 2 ? json_is_true(a) - json_is_true(b)
                               : 0;
  order = is_down ? -order : order;
  return (order > 0) - (order < 0);
}

static bool is_down(const json_t *sort, size_t i)
{
  const char *way = json_tree_text(json_array_get(sort, i), "direction");
  return way != NULL && strcmp(way, "desc") == 0;
}

static int compare_keys(const json_t *sort, const json_t *a, const json_t *b)
{
  const size_t count = json_array_size(sort) + 1;
  int order = 0;
  for (size_t i = 0; i < count && order == 0; i++)
    order = compare_values(json_array_get(a, i), json_array_get(b, i), is_down(sort, i));
  return order;
}

static int compare_found(const void *a, const void *b, void *sort)
{
  const struct found_collection *left = a, *right = b;
  return compare_keys(sort, left->keys, right->keys);
}

/* ---- first pass ------------------------------------------------------------------------------------------------- */

/* The value at a path of the document; what is no scalar sorts like nothing. */
static json_t *sort_value(const struct buffer *document, const char *path)
{
  char name[128];
  const size_t length = strcspn(path, ".");
  if (length >= sizeof name)
    return json_null();
  memcpy(name, path, length);
  name[length] = '\0';
  json_t *member = document_member(document, name);
  const json_t *value = path[length] == '.' ? stac_path_get(member, path + length + 1) : member;
  json_t *out = kind_rank(value) < 3 ? json_copy((json_t *)(uintptr_t)value) : json_null();
  json_decref(member);
  return out;
}

static json_t *make_keys(const json_t *sort, const char *id, const struct buffer *document)
{
  json_t *keys = json_array();
  for (size_t i = 0; i < json_array_size(sort); i++)
    json_array_append_new(keys, sort_value(document, json_tree_text(json_array_get(sort, i), "field")));
  json_array_append_new(keys, json_string(id));
  return keys;
}

static int add_found(struct collection_search *s, const char *id, const struct buffer *document)
{
  json_t *keys = make_keys(s->sort, id, document);
  if (s->after != NULL && compare_keys(s->sort, keys, s->after) <= 0) {
    json_decref(keys);
    return 0;
  }
  if (s->count == s->room) {
    const size_t room = s->room > 0 ? 2 * s->room : 64;
    struct found_collection *grown = realloc(s->found, room * sizeof *grown);
    if (grown != NULL) {
      s->found = grown;
      s->room = room;
    }
  }
  char *name = s->count < s->room ? strdup(id) : NULL;
  if (name == NULL) {
    json_decref(keys);
    return error_memory(s->error);
  }
  s->found[s->count++] = (struct found_collection){name, keys};
  return 0;
}

/* Of this server's catalogue, or of the federation as its list has it. */
static int read_collection(const struct exchange *exchange, const char *id, struct buffer *out, struct error *error)
{
  struct federation *federation = asked_federation(exchange);
  if (catalogue_collection_json(exchange->catalogue, id, exchange->base, out, error) == 0)
    return 0;
  if (federation == NULL || !error_is(error, ERROR_CollectionNotFound))
    return -1;
  buffer_free(out);
  *error = (struct error){0};
  return federation_listed_json(federation, id, exchange->base, out, error);
}

static bool look_at(void *data, const char *id, const char *title)
{
  struct collection_search *s = data;
  struct buffer document = {0};
  (void)title;
  s->status = read_collection(s->exchange, id, &document, s->error);
  if (s->status == 0 && collection_is_wanted(&s->wish, &document))
    s->status = add_found(s, id, &document);
  buffer_free(&document);
  return s->status == 0;
}

static bool add_name(void *data, const char *id, const char *title)
{
  (void)title;
  return json_array_append_new(data, json_string(id)) == 0;
}

/* Those of the federation that this server does not have itself. Its names are gathered first, for it must not be asked
 * while it tells them. */
static void look_elsewhere(struct collection_search *s)
{
  struct federation *federation = asked_federation(s->exchange);
  json_t *names = json_array(), *name;
  size_t i;
  if (federation != NULL)
    federation_each(federation, add_name, names);
  json_array_foreach(names, i, name)
  {
    const bool is_own = stac_check_collection(s->exchange, json_string_value(name), &(struct error){0}) == 0;
    if (!is_own && !look_at(s, json_string_value(name), NULL))
      break;
  }
  json_decref(names);
}

/* ---- second pass ------------------------------------------------------------------------------------------------ */

/* One that was removed meanwhile is left out. */
static int write_found(struct collection_search *s, const struct found_collection *found, struct json_writer *w)
{
  struct buffer document = {0};
  struct error gone = {0};
  int status = read_collection(s->exchange, found->id, &document, &gone);
  if (status != 0) {
    buffer_free(&document);
    return error_is(&gone, ERROR_CollectionNotFound) ? 0
                                                     : error_set(s->error, ERROR_StorageFailure, "%s", gone.message);
  }
  if (!s->has_fields) {
    json_write_raw(w, document.data, document.length);
  } else {
    json_t *whole = json_loadb(document.data, document.length, 0, NULL);
    json_t *picked = whole != NULL ? stac_fields_pick(&s->fields, whole) : NULL;
    json_tree_write(w, picked);
    status = picked != NULL ? 0 : error_memory(s->error);
    json_decref(picked);
    json_decref(whole);
  }
  buffer_free(&document);
  return status;
}

static void write_links(const struct collection_search *s, const json_t *next, struct json_writer *w)
{
  const struct exchange *exchange = s->exchange;
  struct buffer href = {0};
  json_key(w, "links");
  json_write_array(w);
  write_link(w, "self", exchange->base, "/collections", "application/json", NULL);
  write_link(w, "root", exchange->base, "/", "application/json", NULL);
  write_link(w, "parent", exchange->base, "/", "application/json", NULL);
  if (next != NULL) {
    char *token = json_dumps(next, JSON_COMPACT);
    buffer_printf(&href, "%s/collections", exchange->base);
    stac_query_write(exchange, token != NULL ? token : "", &href);
    json_write_object(w);
    json_kv_string(w, "rel", "next");
    json_kv_string(w, "type", "application/json");
    json_kv_string(w, "href", href.failed ? exchange->base : href.data);
    json_kv_string(w, "method", "GET");
    json_end_object(w);
    free(token);
    buffer_free(&href);
  }
  json_end_array(w);
}

static int write_page(struct collection_search *s, struct json_writer *w)
{
  int status = 0;
  size_t written = 0;
  json_write_object(w);
  json_key(w, "collections");
  json_write_array(w);
  for (; status == 0 && written < s->count && written < (size_t)s->limit && w->out->length < PAGE_BYTES; written++)
    status = write_found(s, &s->found[written], w);
  json_end_array(w);
  write_links(s, written > 0 && written < s->count ? s->found[written - 1].keys : NULL, w);
  json_kv_integer(w, "numberReturned", (int64_t)written);
  if (s->after == NULL)
    json_kv_integer(w, "numberMatched", (int64_t)s->count);
  if (asked_federation(s->exchange) != NULL)
    federation_write_missing(asked_federation(s->exchange), SURVEY_COLLECTIONS, w);
  json_end_object(w);
  return status;
}

/* ---- the request ------------------------------------------------------------------------------------------------ */

static int read_token(struct collection_search *s, const json_t *query)
{
  const char *token;
  const int given = stac_query_text(query, "token", &token, s->error);
  if (given != 1)
    return given;
  s->after = json_loads(token, JSON_REJECT_DUPLICATES, NULL);
  const size_t count = json_array_size(s->sort) + 1;
  if (json_array_size(s->after) == count && json_is_string(json_array_get(s->after, count - 1)))
    return 0;
  return error_parameter(s->error, ERROR_QueryParameterInvalid, "token", "is of no page's link");
}

static int read_search(struct collection_search *s, const json_t *query)
{
  if (collection_wish_read(query, &s->wish, s->error) != 0 ||
      stac_query_limit(query, PAGE_COLLECTIONS, MOST_COLLECTIONS, &s->limit, s->error) < 0 ||
      stac_query_sort(query, &s->sort, s->error) < 0)
    return -1;
  const int fields = stac_fields_read(query, &s->fields, s->error);
  s->has_fields = fields == 1;
  return fields < 0 ? -1 : read_token(s, query);
}

void stac_get_collections(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  struct collection_search s = {.exchange = exchange, .error = &error};
  json_t *query = stac_query_read(exchange, STAC_COLLECTIONS, &error);
  int status = query == NULL ? -1 : read_search(&s, query);
  if (status == 0)
    status = catalogue_each(exchange->catalogue, look_at, &s, &error);
  if (status == 0 && s.status == 0)
    look_elsewhere(&s);
  status = status == 0 ? s.status : status;
  if (status == 0) {
    if (s.count > 0)
      qsort_r(s.found, s.count, sizeof s.found[0], compare_found, (void *)(uintptr_t)s.sort);
    status = write_page(&s, &w);
  }
  for (size_t i = 0; i < s.count; i++) {
    free(s.found[i].id);
    json_decref(s.found[i].keys);
  }
  free(s.found);
  json_decref(s.after);
  json_decref(query);
  stac_reply(exchange, status, "application/json", &json, &error);
}

void stac_get_collection(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  char etag[STAC_ETAG_SIZE];
  const int status = collection_document(exchange, &json, &error);
  if (status != 0) {
    stac_reply(exchange, status, "application/json", &json, &error);
    return;
  }
  stac_item_etag(json.data, json.length, etag);
  stac_reply_state(exchange, 200, "application/json", &(struct stac_state){etag, NULL}, &json);
}
