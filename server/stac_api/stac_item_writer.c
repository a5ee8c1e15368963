/* Items as they are sent: see the header. Documents are copied as text; only where some of their members are wanted
 * they become trees. */
#include "server/stac_api/stac_item_writer.h"

#include "server/http/json_text.h"
#include "server/publish/published_links.h"

#include "datacube/base/hash.h"
#include "stac/href.h"
#include "stac/json_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- links ------------------------------------------------------------------------------------------------------ */

static void write_rel(struct json_writer *w, const char *rel, const char *type, const struct buffer *href)
{
  json_write_object(w);
  json_kv_string(w, "rel", rel);
  json_kv_string(w, "type", type);
  json_kv_string(w, "href", href->failed || href->length == 0 ? "" : href->data);
  json_end_object(w);
}

/* Of the links that an item came with those that lead to something else than the item's own place. */
static bool is_kept(const json_t *link)
{
  static const char *const ours[] = {"self", "root", "parent", "collection", "item", "items", "next", "prev"};
  const char *rel = json_tree_text(link, "rel");
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
    if (rel == NULL || strcmp(rel, ours[i]) == 0)
      return false;
  return true;
}

static void write_kept_links(struct json_writer *w, const char *text, size_t length)
{
  size_t at = 0, element_length;
  const char *element;
  while ((element = json_text_element(text, length, &at, &element_length)) != NULL) {
    json_t *link = json_loadb(element, element_length, 0, NULL);
    if (is_kept(link))
      json_write_raw(w, element, element_length);
    json_decref(link);
  }
}

static void write_links(const struct stac_item_writer *writer, const struct found_item *item, struct json_writer *w,
                        const struct text_member *own)
{
  struct buffer collection = {0}, self = {0}, root = {0};
  buffer_printf(&root, "%s/", writer->base);
  buffer_printf(&collection, "%s/collections/", writer->base);
  href_encode(item->collection, &collection);
  buffer_printf(&self, "%s/items/", collection.failed ? "" : collection.data);
  href_encode(item->id, &self);
  json_key(w, "links");
  json_write_array(w);
  write_rel(w, "self", "application/geo+json", &self);
  write_rel(w, "parent", "application/json", &collection);
  write_rel(w, "collection", "application/json", &collection);
  write_rel(w, "root", "application/json", &root);
  if (own->value_length > 0 && own->value[0] == '[')
    write_kept_links(w, own->value, own->value_length);
  json_end_array(w);
  buffer_free(&collection);
  buffer_free(&self);
  buffer_free(&root);
}

/* ---- published files -------------------------------------------------------------------------------------------- */

/* Members as they stand, but for files that this server publishes (stac/published.h). */
static void write_members(const struct stac_item_writer *writer, struct json_writer *w, const char *text, size_t length)
{
  struct buffer out = {0};
  if (!published_are_named(text, length)) {
    json_write_members(w, text, length);
    return;
  }
  published_write_links(writer->base, text, length, &out);
  if (out.failed)
    w->out->failed = true;
  else
    json_write_members(w, out.data, out.length);
  buffer_free(&out);
}

/* ---- items ------------------------------------------------------------------------------------------------------ */

static void write_whole(const struct stac_item_writer *writer, const struct found_item *item, struct json_writer *w)
{
  struct text_member member, links = {.value = NULL};
  size_t at = 0;
  bool has_assets = false;
  json_write_object(w);
  while (json_text_next(item->document, item->length, &at, &member)) {
    has_assets = has_assets || text_member_is(&member, "assets");
    if (text_member_is(&member, "links")) {
      links = member;
      continue;
    }
    /* name and value as they stand, from quotation mark to end */
    const size_t length = (size_t)(member.value + member.value_length - (member.name - 1));
    if (text_member_is(&member, "assets"))
      write_members(writer, w, member.name - 1, length);
    else
      json_write_members(w, member.name - 1, length);
  }
  write_links(writer, item, w, &links);
  if (!has_assets)
    json_write_members(w, "\"assets\":{}", strlen("\"assets\":{}"));
  json_end_object(w);
}

static int write_part(const struct stac_item_writer *writer, const struct found_item *item, struct json_writer *w,
                      struct error *error)
{
  struct buffer text = {0};
  struct json_writer inner = {.out = &text};
  write_whole(writer, item, &inner);
  json_t *whole = text.failed ? NULL : json_loadb(text.data, text.length, 0, NULL);
  json_t *picked = whole != NULL ? stac_fields_pick(writer->fields, whole) : NULL;
  if (picked != NULL)
    json_tree_write(w, picked);
  else
    error_memory(error);
  json_decref(picked);
  json_decref(whole);
  buffer_free(&text);
  return picked != NULL ? 0 : -1;
}

int stac_item_write(const struct stac_item_writer *writer, const struct found_item *item, struct json_writer *w,
                    struct error *error)
{
  if (writer->fields != NULL)
    return write_part(writer, item, w, error);
  write_whole(writer, item, w);
  return w->out->failed ? error_memory(error) : 0;
}

void stac_item_etag(const char *document, size_t length, char out[STAC_ETAG_SIZE])
{
  struct hash hash = {0};
  hash_bytes(&hash, document, length);
  snprintf(out, STAC_ETAG_SIZE, "\"%016" PRIx64 "%016" PRIx64 "\"", hash.a, hash.b);
}
