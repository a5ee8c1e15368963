/* Items are made, replaced, patched and removed. What came is kept as it came (stac/search/stored_items.h). */
#include "server/stac_api/stac_edit.h"
#include "server/stac_api/stac_item_writer.h"

#include "server/http/json_text.h"
#include "server/http/request_json.h"

#include "stac/href.h"
#include "stac/json_tree.h"
#include "stac/merge_patch.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is there ---------------------------------------------------------------------------------------------- */

struct present_item {
  char etag[STAC_ETAG_SIZE];
  json_t *tree; /* owned */
};

static int take_present(void *data, const struct found_item *item, struct error *error)
{
  struct present_item *present = data;
  stac_item_etag(item->document, item->length, present->etag);
  present->tree = json_loadb(item->document, item->length, 0, NULL);
  return present->tree != NULL ? 0 : error_memory(error);
}

/* The item of the path, in the state that is expected. */
static int read_present(const struct exchange *exchange, struct present_item *out, struct error *error)
{
  struct item_page page = {.data = out, .take = take_present};
  *out = (struct present_item){.tree = NULL};
  int status = stac_item_find(exchange, exchange->parameters[1], &page, error);
  buffer_free(&page.token);
  return status == 0 ? stac_edit_expects(exchange, out->etag, error) : -1;
}

/* ---- one item --------------------------------------------------------------------------------------------------- */

/* The text of the item, told its collection where it does not say it. */
static int put_text(const struct stac_edit *edit, enum item_writing writing, const char *text, size_t length,
                    struct error *error)
{
  const char *collection = edit->exchange->parameters[0];
  struct buffer told = {0};
  size_t unused;
  if (text[0] != '{' || json_text_member(text, length, "collection", &unused) != NULL)
    return item_writer_put(edit->writer, collection, writing, text, length, error);
  struct json_writer w = {.out = &told};
  json_write_object(&w);
  json_kv_string(&w, "collection", collection);
  const char *rest = text + 1 + strspn(text + 1, " \t\r\n");
  if (*rest != '}')
    buffer_text(&told, ",");
  buffer_add(&told, rest, length - (size_t)(rest - text));
  int status = told.failed ? error_memory(error)
                           : item_writer_put(edit->writer, collection, writing, told.data, told.length, error);
  buffer_free(&told);
  return status;
}

/* The state that the item is in now. */
static void reply_state(struct exchange *exchange)
{
  struct stac_item_reading item = {0};
  struct error error = {0};
  const int status = stac_item_read(exchange, exchange->parameters[1], &item, &error);
  buffer_free(&item.json);
  if (status == 0)
    stac_reply_changed(exchange, item.etag);
  else
    reply_error(exchange, &error);
}

/* The item as it is now, and where it is. */
static void reply_item(struct exchange *exchange, const char *id)
{
  struct stac_item_reading item = {0};
  struct error error = {0};
  struct buffer place = {0};
  if (stac_item_read(exchange, id, &item, &error) != 0) {
    buffer_free(&item.json);
    reply_error(exchange, &error);
    return;
  }
  buffer_printf(&place, "%s/collections/", exchange->base);
  href_encode(exchange->parameters[0], &place);
  buffer_text(&place, "/items/");
  href_encode(id, &place);
  const struct stac_state state = {item.etag, place.failed ? NULL : place.data};
  stac_reply_state(exchange, 201, GEOJSON_MEDIA_TYPE, &state, &item.json);
  buffer_free(&place);
}

/* ---- POST: one, or a collection of features --------------------------------------------------------------------- */

/* All of them or none. */
static int put_elements(const struct stac_edit *edit, enum item_writing writing, const char *array, size_t length,
                        size_t *count, struct error *error)
{
  size_t at = 0, element_length;
  const char *element;
  struct error inner = {0};
  for (*count = 0; (element = json_text_element(array, length, &at, &element_length)) != NULL; ++*count)
    if (put_text(edit, writing, element, element_length, &inner) != 0)
      return error_set(error, error_code_find(inner.code), "item %zu: %s", *count + 1, inner.message);
  return 0;
}

static const char *member_of_body(const struct exchange *exchange, const char *name, size_t *length)
{
  const struct buffer *body = http_body(exchange->http);
  return json_text_member(body->data, body->length, name, length);
}

static int post_items(const struct stac_edit *edit, bool is_many, struct error *error)
{
  size_t length = 0, count;
  if (!is_many) {
    const char *text = stac_body_text(edit->exchange, &length);
    return put_text(edit, ITEM_INSERT, text, length, error);
  }
  const char *features = member_of_body(edit->exchange, "features", &length);
  if (features == NULL || features[0] != '[')
    return error_set(error, ERROR_StacInvalid, "\"features\" must be an array");
  return put_elements(edit, ITEM_INSERT, features, length, &count, error);
}

void stac_post_items(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_edit edit;
  char type[STAC_TEXT_SIZE] = "", id[STAC_TEXT_SIZE] = "";
  int status = request_check_object(exchange, &error);
  const struct buffer *body = http_body(exchange->http);
  if (status == 0) {
    stac_member_text(body->data, body->length, "type", type);
    stac_member_text(body->data, body->length, "id", id);
    status = stac_edit_begin(exchange, &edit, &error);
  }
  const bool is_many = strcmp(type, "FeatureCollection") == 0;
  if (status == 0)
    status = stac_edit_end(&edit, post_items(&edit, is_many, &error), &error);
  if (status != 0)
    reply_error(exchange, &error);
  else if (is_many)
    reply_empty(exchange, 201);
  else
    reply_item(exchange, id);
}

/* ---- PUT, PATCH, DELETE ----------------------------------------------------------------------------------------- */

static int check_id(const struct exchange *exchange, struct error *error)
{
  const struct buffer *body = http_body(exchange->http);
  char id[STAC_TEXT_SIZE];
  stac_member_text(body->data, body->length, "id", id);
  if (strcmp(id, exchange->parameters[1]) == 0)
    return 0;
  return error_set(error, ERROR_StacInvalid, "the \"id\" is '%s', not '%s'", id, exchange->parameters[1]);
}

static int replace_item(const struct stac_edit *edit, struct error *error)
{
  struct present_item present;
  size_t length;
  const char *text = stac_body_text(edit->exchange, &length);
  int status = read_present(edit->exchange, &present, error);
  if (status == 0)
    status = put_text(edit, ITEM_UPDATE, text, length, error);
  json_decref(present.tree);
  return status;
}

void stac_put_item(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_edit edit;
  int status = request_check_object(exchange, &error) == 0 && check_id(exchange, &error) == 0
                   ? stac_edit_begin(exchange, &edit, &error)
                   : -1;
  if (status == 0)
    status = stac_edit_end(&edit, replace_item(&edit, &error), &error);
  if (status == 0)
    reply_state(exchange);
  else
    reply_error(exchange, &error);
}

/* Which item it is stays. */
static int patch_item(const struct stac_edit *edit, const json_t *patch, struct error *error)
{
  struct present_item present;
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  int status = read_present(edit->exchange, &present, error);
  json_t *patched = status == 0 ? merge_patched(present.tree, patch) : NULL;
  if (status == 0 && patched == NULL)
    status = error_memory(error);
  const char *id = json_tree_text(patched, "id");
  if (status == 0 && (id == NULL || strcmp(id, edit->exchange->parameters[1]) != 0))
    status = error_set(error, ERROR_StacInvalid, "the \"id\" of an item stays");
  if (status == 0) {
    json_tree_write(&w, patched);
    status = text.failed ? error_memory(error) : put_text(edit, ITEM_UPDATE, text.data, text.length, error);
  }
  buffer_free(&text);
  json_decref(patched);
  json_decref(present.tree);
  return status;
}

void stac_patch_item(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_edit edit;
  json_t *patch = request_read_members(exchange, &error);
  int status = patch != NULL ? stac_edit_begin(exchange, &edit, &error) : -1;
  if (status == 0)
    status = stac_edit_end(&edit, patch_item(&edit, patch, &error), &error);
  json_decref(patch);
  if (status == 0)
    reply_state(exchange);
  else
    reply_error(exchange, &error);
}

void stac_delete_item(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_edit edit;
  struct present_item present = {.tree = NULL};
  int status = stac_edit_begin(exchange, &edit, &error);
  if (status == 0) {
    status = read_present(exchange, &present, &error);
    if (status == 0)
      status = item_writer_remove(edit.writer, exchange->parameters[0], exchange->parameters[1], &error);
    status = stac_edit_end(&edit, status, &error);
  }
  json_decref(present.tree);
  if (status == 0)
    reply_empty(exchange, 204);
  else
    reply_error(exchange, &error);
}

/* ---- many ------------------------------------------------------------------------------------------------------- */

/* {"items": {ID: item, …}, "method": "insert" or "upsert"} */
static int put_named(const struct stac_edit *edit, enum item_writing writing, size_t *count, struct error *error)
{
  struct text_member member;
  struct error inner = {0};
  size_t length = 0, at = 0;
  const char *items = member_of_body(edit->exchange, "items", &length);
  if (items != NULL && items[0] == '[')
    return put_elements(edit, writing, items, length, count, error);
  if (items == NULL || items[0] != '{')
    return error_parameter(error, ERROR_RequestBodyInvalid, "items", "wants an object or an array of items");
  for (*count = 0; json_text_next(items, length, &at, &member); ++*count)
    if (put_text(edit, writing, member.value, member.value_length, &inner) != 0)
      return error_set(error, error_code_find(inner.code), "item '%.*s': %s",
                       member.name_length < 100 ? (int)member.name_length : 100, member.name, inner.message);
  return 0;
}

static int read_method(const struct exchange *exchange, enum item_writing *out, struct error *error)
{
  const struct buffer *body = http_body(exchange->http);
  char method[STAC_TEXT_SIZE];
  stac_member_text(body->data, body->length, "method", method);
  *out = strcmp(method, "upsert") == 0 ? ITEM_UPSERT : ITEM_INSERT;
  if (*out == ITEM_UPSERT || method[0] == '\0' || strcmp(method, "insert") == 0)
    return 0;
  return error_parameter(error, ERROR_RequestBodyInvalid, "method", "wants insert or upsert");
}

void stac_post_bulk_items(struct exchange *exchange)
{
  struct error error = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct stac_edit edit;
  enum item_writing writing = ITEM_INSERT;
  size_t count = 0;
  int status = request_check_object(exchange, &error) == 0 && read_method(exchange, &writing, &error) == 0
                   ? stac_edit_begin(exchange, &edit, &error)
                   : -1;
  if (status == 0)
    status = stac_edit_end(&edit, put_named(&edit, writing, &count, &error), &error);
  json_write_object(&w);
  json_kv_integer(&w, "count", (int64_t)count);
  json_end_object(&w);
  reply_made(exchange, status, &json, &error);
}
