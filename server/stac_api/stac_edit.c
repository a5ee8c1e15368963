/* Changes of the catalogue: see the header. */
#include "server/stac_api/stac_edit.h"

#include "server/http/json_text.h"

#include <string.h>

/* What is somebody else's own is not there. */
static int check_shown(const struct exchange *exchange, struct error *error)
{
  const char *id = exchange->parameters[0];
  struct catalogue *all = NULL;
  bool is_shown = false, is_private = false;
  if (id[0] == '\0')
    return 0;
  if (catalogue_has(exchange->catalogue, id, &is_shown, error) != 0 ||
      catalogue_open(exchange->server->settings.catalogue, false, &all, error) != 0)
    return -1;
  const int status = is_shown ? 0 : catalogue_is_private(all, id, &is_private, error);
  catalogue_close(all);
  return status == 0 && is_private
             ? error_parameter(error, ERROR_CollectionNotFound, "collection", "collection '%s' does not exist", id)
             : status;
}

/* Opening one costs more than a small change. Where several change things at once, one of them leaves its own. */
static int take_catalogue(struct server *server, struct catalogue **out, struct error *error)
{
  const struct server_settings *settings = &server->settings;
  *out = atomic_exchange(&server->editing, NULL);
  return *out != NULL ? 0 : catalogue_open_shared(settings->catalogue, settings->shared_catalogue, out, error);
}

static void leave_catalogue(struct server *server, struct catalogue *catalogue)
{
  struct catalogue *none = NULL;
  if (!atomic_compare_exchange_strong(&server->editing, &none, catalogue))
    catalogue_close(catalogue);
}

int stac_edit_begin(struct exchange *exchange, struct stac_edit *out, struct error *error)
{
  *out = (struct stac_edit){.exchange = exchange};
  if (stac_check_editor(exchange, error) != 0 || check_shown(exchange, error) != 0)
    return -1;
  if (!slow_enter(exchange->server, SLOW_EDIT))
    return error_set(error, ERROR_InfrastructureBusy, "others change the catalogue; please try again");
  if (take_catalogue(exchange->server, &out->catalogue, error) == 0 &&
      item_writer_new(out->catalogue, &out->writer, error) == 0)
    return 0;
  catalogue_close(out->catalogue);
  slow_leave(exchange->server, SLOW_EDIT);
  return -1;
}

int stac_edit_end(struct stac_edit *edit, int status, struct error *error)
{
  if (status == 0)
    status = item_writer_commit(edit->writer, error);
  else
    item_writer_abort(edit->writer);
  leave_catalogue(edit->exchange->server, edit->catalogue);
  slow_leave(edit->exchange->server, SLOW_EDIT);
  return status;
}

int stac_edit_expects(const struct exchange *exchange, const char *etag, struct error *error)
{
  const char *expected = http_header(exchange->http, "If-Match");
  if (expected == NULL || strcmp(expected, "*") == 0)
    return 0;
  const size_t length = strlen(etag);
  for (const char *at = expected; (at = strstr(at, etag)) != NULL; at += length)
    if ((at == expected || strchr(" ,\t", at[-1]) != NULL) &&
        (at[length] == '\0' || strchr(" ,\t", at[length]) != NULL))
      return 0;
  return error_set(error, ERROR_PreconditionFailed, "it was changed since: its state is now %s", etag);
}

void stac_reply_changed(struct exchange *exchange, const char *etag)
{
  struct http_response *response = http_response_new(204);
  http_response_header(response, "ETag", "%s", etag);
  reply(exchange, response);
}

const char *stac_body_text(const struct exchange *exchange, size_t *length)
{
  const struct buffer *body = http_body(exchange->http);
  const size_t blanks = strspn(body->data, " \t\r\n");
  *length = body->length - blanks;
  return body->data + blanks;
}

void stac_member_text(const char *json, size_t length, const char *name, char out[STAC_TEXT_SIZE])
{
  size_t size = 0;
  const char *text = json_text_member(json, length, name, &size);
  json_t *value = text != NULL ? json_loadb(text, size, JSON_DECODE_ANY, NULL) : NULL;
  const size_t bytes = json_string_length(value);
  out[0] = '\0';
  if (json_is_string(value) && bytes < STAC_TEXT_SIZE)
    memcpy(out, json_string_value(value), bytes + 1);
  json_decref(value);
}
