/* What all answers of the STAC API have in common: errors, links, who may change things. */
#include "server/stac_api/stac_api.h"

#include "server/error_table.h"

#include "stac/href.h"

#include <stdio.h>
#include <string.h>

bool stac_api_has(const char *path)
{
  const char *piece;
  const size_t length = path_piece(&path, &piece);
  return length == 4 && (memcmp(piece, "stac", 4) == 0 || memcmp(piece, "dcat", 4) == 0);
}

void stac_write_error(const struct exchange *exchange, const struct error *error, struct http_response *response)
{
  char text[ERROR_TEXT_SIZE];
  struct json_writer w = {.out = &response->body};
  error_text(error, text);
  json_write_object(&w);
  json_kv_string(&w, "id", http_id(exchange->http));
  json_kv_string(&w, "code", error->code[0] != '\0' ? error->code : "Internal");
  json_kv_string(&w, "description", text);
  json_end_object(&w);
}

bool stac_is_editable(const struct server *server)
{
  return server->settings.stac_editor_count > 0;
}

int stac_check_editor(const struct exchange *exchange, struct error *error)
{
  const struct server_settings *settings = &exchange->server->settings;
  for (size_t i = 0; i < settings->stac_editor_count; i++)
    if (strcmp(settings->stac_editors[i], exchange->user) == 0)
      return 0;
  return error_set(error, ERROR_PermissionsInsufficient, "collections and items are changed by %s",
                   settings->stac_editor_count > 0 ? "the users whom the operator names for it" : "the operator alone");
}

void stac_write_link(const struct exchange *exchange, struct json_writer *w, const char *rel, const char *type,
                     const char *const *pieces)
{
  struct buffer href = {0};
  buffer_text(&href, exchange->base);
  for (; *pieces != NULL; pieces++) {
    buffer_text(&href, "/");
    href_encode(*pieces, &href);
  }
  json_write_object(w);
  json_kv_string(w, "rel", rel);
  json_kv_string(w, "type", type);
  json_kv_string(w, "href", href.failed ? exchange->base : href.data);
  json_end_object(w);
  buffer_free(&href);
}

void stac_reply(struct exchange *exchange, int status, const char *media_type, struct buffer *json,
                const struct error *error)
{
  if (status == 0) {
    reply_typed(exchange, media_type, json);
    return;
  }
  buffer_free(json);
  reply_error(exchange, error);
}

void stac_reply_state(struct exchange *exchange, unsigned status, const char *media_type,
                      const struct stac_state *state, struct buffer *json)
{
  struct http_response *response = json->failed ? NULL : http_response_new(status);
  if (response == NULL) {
    buffer_free(json);
  } else {
    response->body = *json;
    *json = (struct buffer){0};
    snprintf(response->media_type, sizeof response->media_type, "%s", media_type);
    http_response_header(response, "ETag", "%s", state->etag);
    if (state->place != NULL)
      http_response_header(response, "Location", "%s", state->place);
  }
  reply(exchange, response);
}

int stac_check_collection(const struct exchange *exchange, const char *id, struct error *error)
{
  struct buffer unused = {0};
  int status = catalogue_collection_json(exchange->catalogue, id, exchange->base, &unused, error);
  buffer_free(&unused);
  return status;
}
