#include "server/federation/backend_collection.h"

#include "server/http/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *alias_of(const struct backend_settings *backend, const char *id)
{
  const char *name;
  json_t *collection;
  json_object_foreach((json_t *)(uintptr_t)backend->aliases, name, collection)
  {
    if (strcmp(json_string_value(collection), id) == 0)
      return name;
  }
  return NULL;
}

static bool is_plain(const char *id)
{
  for (; *id != '\0' && *id != '|' && (unsigned char)*id >= ' '; id++)
    ;
  return *id == '\0';
}

bool backend_collection_name(const struct backend_settings *backend, const char *id, char out[COLLECTION_NAME_SIZE])
{
  const char *alias = alias_of(backend, id);
  if (id[0] == '\0' || !is_plain(id))
    return false;
  const int length = alias != NULL ? snprintf(out, COLLECTION_NAME_SIZE, "%s", alias)
                                   : snprintf(out, COLLECTION_NAME_SIZE, "%s|%s", backend->id, id);
  return length < COLLECTION_NAME_SIZE;
}

void backend_collection_url(const struct backend_settings *backend, const char *id, const char *end, struct buffer *out)
{
  buffer_printf(out, "%s/collections/", backend->url);
  http_encode(id, out);
  buffer_text(out, end);
}

void backend_resolve(const char *base, const char *href, struct buffer *out)
{
  CURLU *handle = curl_url();
  char *url = NULL, *scheme = NULL;
  if (handle != NULL && curl_url_set(handle, CURLUPART_URL, base, 0) == CURLUE_OK &&
      curl_url_set(handle, CURLUPART_URL, href, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
      curl_url_get(handle, CURLUPART_URL, &url, 0) == CURLUE_OK &&
      curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
      (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0))
    buffer_text(out, url);
  curl_free(url);
  curl_free(scheme);
  curl_url_cleanup(handle);
}

void backend_resolve_href(json_t *object, const char *base)
{
  struct buffer url = {0};
  const char *href = json_string_value(json_object_get(object, "href"));
  if (href != NULL)
    backend_resolve(base, href, &url);
  if (url.length > 0 && !url.failed)
    json_object_set_new(object, "href", json_string(url.data));
  buffer_free(&url);
}

/* Links of the API that the document comes from; ours take their place. */
static bool is_of_api(const char *relation)
{
  static const char *const those[] = {"self", "root", "parent", "child",      "collection", "data",
                                      "next", "prev", "items",  "queryables", "canonical"};
  for (size_t i = 0; i < sizeof those / sizeof those[0]; i++)
    if (strcmp(relation, those[i]) == 0)
      return true;
  return strstr(relation, "/queryables") != NULL;
}

static void add_json(struct buffer *out, const json_t *value)
{
  char *text = json_dumps(value, JSON_COMPACT);
  if (text == NULL)
    out->failed = true;
  else
    buffer_printf(out, "%s%s", out->length > 0 ? "," : "", text);
  free(text);
}

static void make_links(const json_t *document, const char *self, struct buffer *out)
{
  const json_t *links = json_object_get(document, "links");
  json_t *canonical = json_pack("{s:s,s:s,s:s}", "rel", "canonical", "href", self, "type", "application/json");
  json_t *one;
  size_t i;
  add_json(out, canonical);
  json_decref(canonical);
  json_array_foreach(links, i, one)
  {
    const char *relation = json_string_value(json_object_get(one, "rel"));
    const bool is_items = relation != NULL && strcmp(relation, "items") == 0;
    if (relation == NULL || !json_is_string(json_object_get(one, "href")) || (is_of_api(relation) && !is_items))
      continue;
    backend_resolve_href(one, self);
    add_json(out, one);
  }
}

static void make_object(json_t *document, const char *name, bool is_listed, const char *self, struct buffer *out)
{
  static const char *const listed_without[] = {"cube:dimensions", "summaries"};
  static const char *const without[] = {"links", "federation:backends", "federation:missing"};
  const char *key;
  json_t *asset;
  json_object_set_new(document, "id", json_string(name));
  for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
    json_object_del(document, without[i]);
  for (size_t i = 0; is_listed && i < sizeof listed_without / sizeof listed_without[0]; i++)
    json_object_del(document, listed_without[i]);
  json_object_foreach(json_object_get(document, "assets"), key, asset) backend_resolve_href(asset, self);
  add_json(out, document);
  if (!out->failed)
    out->data[--out->length] = '\0'; /* the object stays open */
}

int backend_collection_make(const struct backend_settings *backend, const json_t *document, const char *name,
                            bool is_listed, struct collection_texts *out, struct error *error)
{
  struct buffer self = {0};
  json_t *own = json_deep_copy(document);
  const char *id = json_string_value(json_object_get(document, "id"));
  *out = (struct collection_texts){0};
  backend_collection_url(backend, id != NULL ? id : "", "", &self);
  bool is_made = own != NULL && !self.failed;
  if (is_made) {
    make_links(own, self.data, &out->links);
    make_object(own, name, is_listed, self.data, &out->json);
    is_made = !out->json.failed && !out->links.failed;
  }
  json_decref(own);
  buffer_free(&self);
  if (is_made)
    return 0;
  buffer_free(&out->json);
  buffer_free(&out->links);
  return error_memory(error);
}
