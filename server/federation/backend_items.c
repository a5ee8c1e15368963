/* Pages of items of a back-end: see the header. */
#include "server/federation/backend_items.h"

#include "server/federation/backend_collection.h"
#include "server/federation/backend_survey.h"
#include "server/http/http.h"
#include "server/http/json_check.h"
#include "server/http/json_text.h"
#include "server/web/web_fetch.h"

#include "datacube/base/instant.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 16 << 20, ITEM_BYTES = 1 << 20, NEXT_BYTES = 16384 };

/* ---- lists ------------------------------------------------------------------------------------------------------ */

int item_list_add(struct item_list *list, char *json, json_t *keys)
{
  if (list->count == list->room) {
    const size_t room = list->room > 0 ? 2 * list->room : 64;
    struct gathered_item *longer = realloc(list->items, room * sizeof *longer);
    if (longer != NULL) {
      list->items = longer;
      list->room = room;
    }
  }
  if (json == NULL || keys == NULL || list->count == list->room) {
    free(json);
    json_decref(keys);
    return -1;
  }
  list->items[list->count++] = (struct gathered_item){json, keys};
  return 0;
}

void item_list_free(struct item_list *list)
{
  for (size_t i = 0; i < list->count; i++) {
    free(list->items[i].json);
    json_decref(list->items[i].keys);
  }
  free(list->items);
  *list = (struct item_list){0};
}

/* ---- what items are sorted by ----------------------------------------------------------------------------------- */

static json_t *instant_of(const json_t *properties)
{
  static const char *const names[] = {"datetime", "start_datetime"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const char *text = json_string_value(json_object_get(properties, names[i]));
    int64_t instant;
    if (text != NULL && instant_parse(text, CALENDAR_GREGORIAN, &instant) == 0)
      return json_integer(instant);
  }
  return json_null();
}

static json_t *key_of(const json_t *item, const char *field)
{
  static const char prefix[] = "properties.";
  const char *name = strncmp(field, prefix, strlen(prefix)) == 0 ? field + strlen(prefix) : field;
  const json_t *properties = json_object_get(item, "properties");
  const bool is_own = strcmp(name, "id") == 0 || strcmp(name, "collection") == 0;
  if (strcmp(name, "datetime") == 0)
    return instant_of(properties);
  const json_t *value = json_object_get(is_own ? item : properties, name);
  if (json_is_boolean(value))
    return json_integer(json_is_true(value));
  return json_is_string(value) || json_is_number(value) ? json_copy((json_t *)(uintptr_t)value) : json_null();
}

json_t *item_keys(const json_t *sort, const json_t *item)
{
  json_t *keys = json_array();
  for (size_t i = 0; i < json_array_size(sort); i++)
    json_array_append_new(keys, key_of(item, json_string_value(json_object_get(json_array_get(sort, i), "field"))));
  if (json_array_size(sort) == 0)
    json_array_append_new(keys, key_of(item, "datetime"));
  json_array_append_new(keys, key_of(item, "id"));
  json_array_append_new(keys, key_of(item, "collection"));
  return keys;
}

/* ---- an item ---------------------------------------------------------------------------------------------------- */

static void add_link(json_t *links, const char *relation, const char *type, const char *href)
{
  json_array_append_new(links, json_pack("{s:s,s:s,s:s}", "rel", relation, "type", type, "href", href));
}

static bool leads_around_there(const char *relation)
{
  static const char *const those[] = {"self", "root", "parent", "collection", "item", "items", "next", "prev"};
  for (size_t i = 0; i < sizeof those / sizeof those[0]; i++)
    if (strcmp(relation, those[i]) == 0)
      return true;
  return false;
}

static const char *self_of(const json_t *item)
{
  json_t *link;
  size_t i;
  json_array_foreach(json_object_get(item, "links"), i, link)
  {
    const char *relation = json_string_value(json_object_get(link, "rel"));
    if (relation != NULL && strcmp(relation, "self") == 0)
      return json_string_value(json_object_get(link, "href"));
  }
  return NULL;
}

/* Ours, the item's own place there as the canonical one, and those that lead to something else. */
static json_t *make_links(const json_t *item, const char *there, const char *name, const char *base)
{
  json_t *links = json_array(), *link;
  struct buffer self = {0}, root = {0};
  size_t i, collection;
  buffer_printf(&root, "%s/", base);
  buffer_printf(&self, "%s/collections/", base);
  http_encode(name, &self);
  collection = self.length;
  buffer_text(&self, "/items/");
  http_encode(json_string_value(json_object_get(item, "id")), &self);
  if (!self.failed && !root.failed) {
    add_link(links, "self", "application/geo+json", self.data);
    add_link(links, "canonical", "application/geo+json", there);
    self.data[collection] = '\0';
    add_link(links, "parent", "application/json", self.data);
    add_link(links, "collection", "application/json", self.data);
    add_link(links, "root", "application/json", root.data);
  }
  json_array_foreach(json_object_get(item, "links"), i, link)
  {
    const char *relation = json_string_value(json_object_get(link, "rel"));
    if (relation == NULL || leads_around_there(relation) || strcmp(relation, "canonical") == 0)
      continue;
    backend_resolve_href(link, there);
    json_array_append(links, link);
  }
  buffer_free(&self);
  buffer_free(&root);
  return links;
}

bool backend_item_make(const struct backend_settings *backend, const char *url, const char *base, json_t *item)
{
  const char *id = json_string_value(json_object_get(item, "id"));
  const char *collection = json_string_value(json_object_get(item, "collection"));
  char name[COLLECTION_NAME_SIZE];
  struct buffer there = {0};
  const char *key;
  json_t *asset;
  if (id == NULL || collection == NULL || !backend_collection_name(backend, collection, name))
    return false;
  const char *self = self_of(item);
  if (self != NULL)
    backend_resolve(url, self, &there);
  const char *place = there.length > 0 && !there.failed ? there.data : url;
  json_object_set_new(item, "links", make_links(item, place, name, base));
  json_object_foreach(json_object_get(item, "assets"), key, asset) backend_resolve_href(asset, place);
  json_object_set_new(item, "collection", json_string(name));
  json_object_set_new(item, "federation:backends", json_pack("[s]", backend->id));
  buffer_free(&there);
  return true;
}

/* ---- a page ----------------------------------------------------------------------------------------------------- */

static int take_item(const struct backend_page_place *place, const char *url, const struct item_shape *shape,
                     struct item_list *list, json_t *item)
{
  struct error ignored = {0};
  enum cql2_truth truth = CQL2_TRUE;
  if (!backend_item_make(place->backend, url, shape->base, item))
    return 0;
  if (place->tester != NULL && cql2_test(place->tester, item, &truth, &ignored) != 0)
    return -1; /* memory was short */
  if (truth != CQL2_TRUE)
    return 0;
  json_t *keys = item_keys(shape->sort, item);
  json_t *picked = shape->pick != NULL ? shape->pick(shape->data, item) : json_incref(item);
  char *text = picked != NULL ? json_dumps(picked, JSON_COMPACT) : NULL;
  json_decref(picked);
  return item_list_add(list, text, keys);
}

static int take_items(const struct backend_page_place *place, const char *url, const struct buffer *body,
                      const struct item_shape *shape, struct item_list *list)
{
  size_t length, at = 0, size;
  const char *features = json_text_member(body->data, body->length, "features", &length), *one;
  int status = 0;
  while (status == 0 && (one = json_text_element(features, length, &at, &size)) != NULL) {
    json_t *item = *one == '{' && size <= ITEM_BYTES ? json_loadb(one, size, 0, NULL) : NULL;
    status = take_item(place, url, shape, list, item);
    json_decref(item);
  }
  return status;
}

static bool is_same_part(const char *a, const char *b, CURLUPart part)
{
  CURLU *left = curl_url(), *right = curl_url();
  char *one = NULL, *other = NULL;
  const bool is_same = left != NULL && right != NULL && curl_url_set(left, CURLUPART_URL, a, 0) == CURLUE_OK &&
                       curl_url_set(right, CURLUPART_URL, b, 0) == CURLUE_OK &&
                       curl_url_get(left, part, &one, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                       curl_url_get(right, part, &other, CURLU_DEFAULT_PORT) == CURLUE_OK && strcmp(one, other) == 0;
  curl_free(one);
  curl_free(other);
  curl_url_cleanup(left);
  curl_url_cleanup(right);
  return is_same;
}

bool backend_is_there(const struct backend_settings *backend, const char *url)
{
  return is_same_part(backend->url, url, CURLUPART_SCHEME) && is_same_part(backend->url, url, CURLUPART_HOST) &&
         is_same_part(backend->url, url, CURLUPART_PORT);
}

/* The members of the next page's body that are others than in the first one's. */
static json_t *difference(const json_t *body, const json_t *next)
{
  json_t *out = json_object(), *value;
  const char *key;
  json_object_foreach((json_t *)(uintptr_t)next, key, value)
  {
    if (!json_equal(value, json_object_get(body, key)))
      json_object_set(out, key, value);
  }
  return out;
}

static json_t *take_next(const struct backend_page_place *place, const char *url, const json_t *link)
{
  const char *href = json_string_value(json_object_get(link, "href"));
  const char *method = json_string_value(json_object_get(link, "method"));
  struct buffer whole = {0};
  json_t *next = NULL;
  if (href != NULL)
    backend_resolve(url, href, &whole);
  if (whole.length > 0 && !whole.failed && whole.length < NEXT_BYTES && backend_is_there(place->backend, whole.data)) {
    const bool is_post = method != NULL && strcmp(method, "POST") == 0;
    next = json_pack("{s:s,s:s}", "href", whole.data, "method", is_post ? "POST" : "GET");
    if (is_post)
      json_object_set_new(next, "body", difference(place->body, json_object_get(link, "body")));
  }
  buffer_free(&whole);
  return next;
}

static json_t *find_next(const struct backend_page_place *place, const char *url, const struct buffer *body)
{
  size_t length, at = 0, size;
  const char *links = json_text_member(body->data, body->length, "links", &length), *one;
  json_t *next = NULL;
  while (links != NULL && *links == '[' && next == NULL &&
         (one = json_text_element(links, length, &at, &size)) != NULL) {
    json_t *link = size <= ITEM_BYTES ? json_loadb(one, size, 0, NULL) : NULL;
    const char *relation = json_string_value(json_object_get(link, "rel"));
    if (relation != NULL && strcmp(relation, "next") == 0)
      next = take_next(place, url, link);
    json_decref(link);
  }
  return next;
}

/* The first page's body with what another page has otherwise. */
static void write_body(const struct backend_page_place *place, struct buffer *out)
{
  json_t *body = json_copy((json_t *)(uintptr_t)place->body);
  json_object_update(body, json_object_get(place->at, "body"));
  char *text = json_dumps(body, JSON_COMPACT);
  if (text != NULL)
    buffer_text(out, text);
  else
    out->failed = true;
  free(text);
  json_decref(body);
}

static int fetch(const struct backend_page_place *place, const char *url, struct web_answer *answer,
                 struct error *error)
{
  const char *method = json_string_value(json_object_get(place->at, "method"));
  struct buffer body = {0};
  struct web_fetch question = {.url = url,
                               .via = "1.1 " FEDERATION_VIA,
                               .ca_file = place->backend->ca_file,
                               .most = PAGE_BYTES,
                               .seconds = place->seconds,
                               .stopping = place->stopping};
  if (method == NULL || strcmp(method, "POST") == 0) {
    write_body(place, &body);
    question.json = &body;
  }
  int status = body.failed ? error_memory(error) : web_fetch(&question, answer, error);
  buffer_free(&body);
  if (status == 0 && answer->status != 200)
    status = error_set(error, ERROR_InfrastructureBusy, "%.300s answers with status %ld", url, answer->status);
  return status;
}

/* Whether it is an object with an array "features"; white space before it is taken away. */
static bool is_page(struct buffer *body)
{
  size_t line, length;
  const size_t blank = body->length > 0 ? strspn(body->data, " \t\r\n") : 0;
  if (blank > 0)
    memmove(body->data, body->data + blank, (body->length -= blank) + 1);
  const char *features = body->length > 0 && body->data[0] == '{' && json_check(body->data, body->length, &line) == NULL
                             ? json_text_member(body->data, body->length, "features", &length)
                             : NULL;
  return features != NULL && *features == '[';
}

int backend_items_page(const struct backend_page_place *place, const struct item_shape *shape, struct item_list *list,
                       json_t **next, struct error *error)
{
  const char *href = json_string_value(json_object_get(place->at, "href")), *url = href != NULL ? href : place->search;
  struct web_answer answer = {0};
  *next = NULL;
  if (!backend_is_there(place->backend, url))
    return error_set(error, ERROR_InfrastructureBusy, "%.300s is of another host", url);
  int status = fetch(place, url, &answer, error);
  if (status == 0 && !is_page(&answer.body))
    status = error_set(error, ERROR_InfrastructureBusy, "%.300s sends no items", url);
  if (status == 0) {
    status = take_items(place, url, &answer.body, shape, list) == 0 ? 0 : error_memory(error);
    *next = status == 0 ? find_next(place, url, &answer.body) : NULL;
  }
  buffer_free(&answer.body);
  return status;
}
