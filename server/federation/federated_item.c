/* One item of a back-end: see the header. */
#include "server/federation/federated_items.h"

#include "server/federation/federation_state.h"
#include "server/http/http.h"
#include "server/http/json_check.h"
#include "server/web/web_fetch.h"

enum { ITEM_DOCUMENT_BYTES = 1 << 20 };

static json_t *read_item(const struct web_answer *answer)
{
  size_t line;
  json_t *item = answer->body.length > 0 && json_check(answer->body.data, answer->body.length, &line) == NULL
                     ? json_loadb(answer->body.data, answer->body.length, 0, NULL)
                     : NULL;
  if (json_is_object(item))
    return item;
  json_decref(item);
  return NULL;
}

static int take_item(const struct federated_collection *where, const char *url, const char *base,
                     const struct web_answer *answer, json_t **out, struct error *error)
{
  if (answer->status == 404)
    return error_set(error, ERROR_NotFound, "the back-end '%s' has no such item", where->backend->id);
  *out = answer->status == 200 ? read_item(answer) : NULL;
  if (*out != NULL && backend_item_make(where->backend, url, base, *out))
    return 0;
  json_decref(*out);
  *out = NULL;
  return error_set(error, ERROR_InfrastructureBusy, "%.300s answers with status %ld and no item", url, answer->status);
}

int federated_item(struct federation *federation, const char *collection, const char *id, const char *base,
                   json_t **out, struct error *error)
{
  struct federated_collection where;
  struct web_answer answer = {0};
  struct buffer url = {0};
  *out = NULL;
  if (federation_find(federation, collection, &where, error) != 0)
    return -1;
  backend_collection_url(where.backend, where.id, "/items/", &url);
  http_encode(id, &url);
  const struct web_fetch question = {.url = url.data,
                                     .via = "1.1 " FEDERATION_VIA,
                                     .ca_file = where.backend->ca_file,
                                     .most = ITEM_DOCUMENT_BYTES,
                                     .stopping = &federation->stopping};
  int status = url.failed ? error_memory(error) : web_fetch(&question, &answer, error);
  if (status == 0)
    status = take_item(&where, url.data, base, &answer, out, error);
  else
    federation_doubt(federation, where.backend);
  buffer_free(&answer.body);
  buffer_free(&url);
  return status;
}
