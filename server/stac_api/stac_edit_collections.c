/* Collections whose items are stored as they came are made, replaced, patched and removed; those that are made from
 * files are the operator's. */
#include "server/stac_api/stac_edit.h"
#include "server/stac_api/stac_item_writer.h"

#include "server/http/request_json.h"

#include "stac/href.h"
#include "stac/json_tree.h"
#include "stac/merge_patch.h"

#include <string.h>

/* The collection as it is now, and where it is. */
static void reply_collection(struct exchange *exchange, const char *id)
{
  struct error error = {0};
  struct buffer json = {0}, place = {0};
  char etag[STAC_ETAG_SIZE];
  if (catalogue_collection_json(exchange->catalogue, id, exchange->base, &json, &error) != 0) {
    buffer_free(&json);
    reply_error(exchange, &error);
    return;
  }
  buffer_printf(&place, "%s/collections/", exchange->base);
  href_encode(id, &place);
  stac_item_etag(json.data, json.length, etag);
  const struct stac_state state = {etag, place.failed ? NULL : place.data};
  stac_reply_state(exchange, 201, "application/json", &state, &json);
  buffer_free(&place);
}

/* The state that the collection is in now. */
static void reply_state(struct exchange *exchange)
{
  struct error error = {0};
  struct buffer json = {0};
  char etag[STAC_ETAG_SIZE];
  const int status =
      catalogue_collection_json(exchange->catalogue, exchange->parameters[0], exchange->base, &json, &error);
  if (status == 0)
    stac_item_etag(json.data, json.length, etag);
  buffer_free(&json);
  if (status == 0)
    stac_reply_changed(exchange, etag);
  else
    reply_error(exchange, &error);
}

/* The collection of the path, in the state that is expected; the tree is owned by the caller. */
static int read_present(const struct exchange *exchange, json_t **out, struct error *error)
{
  struct buffer json = {0};
  char etag[STAC_ETAG_SIZE];
  *out = NULL;
  int status = catalogue_collection_json(exchange->catalogue, exchange->parameters[0], exchange->base, &json, error);
  if (status == 0) {
    stac_item_etag(json.data, json.length, etag);
    status = stac_edit_expects(exchange, etag, error);
  }
  if (status == 0) {
    *out = json_loadb(json.data, json.length, 0, NULL);
    status = *out != NULL ? 0 : error_memory(error);
  }
  buffer_free(&json);
  return status;
}

/* The document of the body, as it came. */
static int put_body(const struct stac_edit *edit, const char *id, enum item_writing writing, struct error *error)
{
  size_t length;
  const char *text = stac_body_text(edit->exchange, &length);
  return item_writer_put_collection(edit->writer, id, writing, text, length, error);
}

void stac_post_collections(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_edit edit;
  char id[STAC_TEXT_SIZE] = "";
  const struct buffer *body = http_body(exchange->http);
  int status = request_check_object(exchange, &error) == 0 ? stac_edit_begin(exchange, &edit, &error) : -1;
  if (status == 0) {
    stac_member_text(body->data, body->length, "id", id);
    status = stac_edit_end(&edit, put_body(&edit, NULL, ITEM_INSERT, &error), &error);
  }
  if (status == 0)
    reply_collection(exchange, id);
  else
    reply_error(exchange, &error);
}

void stac_put_collection(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_edit edit;
  json_t *present = NULL;
  int status = request_check_object(exchange, &error) == 0 ? stac_edit_begin(exchange, &edit, &error) : -1;
  if (status == 0) {
    status = read_present(exchange, &present, &error);
    if (status == 0)
      status = put_body(&edit, exchange->parameters[0], ITEM_UPDATE, &error);
    status = stac_edit_end(&edit, status, &error);
  }
  json_decref(present);
  if (status == 0)
    reply_state(exchange);
  else
    reply_error(exchange, &error);
}

static int patch_collection(const struct stac_edit *edit, const json_t *patch, struct error *error)
{
  json_t *present = NULL;
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  int status = read_present(edit->exchange, &present, error);
  json_t *patched = status == 0 ? merge_patched(present, patch) : NULL;
  json_tree_write(&w, patched);
  if (status == 0)
    status = patched == NULL || text.failed ? error_memory(error)
                                            : item_writer_put_collection(edit->writer, edit->exchange->parameters[0],
                                                                         ITEM_UPDATE, text.data, text.length, error);
  buffer_free(&text);
  json_decref(patched);
  json_decref(present);
  return status;
}

void stac_patch_collection(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_edit edit;
  json_t *patch = request_read_members(exchange, &error);
  int status = patch != NULL ? stac_edit_begin(exchange, &edit, &error) : -1;
  if (status == 0)
    status = stac_edit_end(&edit, patch_collection(&edit, patch, &error), &error);
  json_decref(patch);
  if (status == 0)
    reply_state(exchange);
  else
    reply_error(exchange, &error);
}

void stac_delete_collection(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_edit edit;
  json_t *present = NULL;
  int status = stac_edit_begin(exchange, &edit, &error);
  if (status == 0) {
    status = read_present(exchange, &present, &error);
    if (status == 0)
      status = item_writer_remove_collection(edit.writer, exchange->parameters[0], &error);
    status = stac_edit_end(&edit, status, &error);
  }
  json_decref(present);
  if (status == 0)
    reply_empty(exchange, 204);
  else
    reply_error(exchange, &error);
}
