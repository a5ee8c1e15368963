/* The federation as handlers see it: fields that stand in documents only where there is one. */
#include "server/endpoints/endpoints.h"
#include "server/federation/federation.h"

#include <string.h>

struct federation *asked_federation(const struct exchange *exchange)
{
  const char *via = http_header(exchange->http, "Via");
  return via != NULL && strstr(via, FEDERATION_VIA) != NULL ? NULL : exchange->server->federation;
}

void write_own_backend(const struct exchange *exchange, struct json_writer *w)
{
  if (asked_federation(exchange) != NULL)
    federation_write_own(w);
}

void tell_items_elsewhere(const struct exchange *exchange, struct error *error)
{
  struct federation *federation = asked_federation(exchange);
  struct federated_collection where;
  struct buffer url = {0};
  if (federation == NULL || !error_is(error, ERROR_CollectionNotFound) ||
      federation_find(federation, exchange->parameters[0], &where, &(struct error){0}) != 0)
    return;
  backend_collection_url(where.backend, where.id, "/items", &url);
  *error = (struct error){{0}, {0}, {0}, {0}};
  error_set(error, ERROR_FeatureUnsupported, "its items are listed by the back-end that has it: %.400s",
            url.failed ? "" : url.data);
  buffer_free(&url);
}

/* An object that stands as a text gets a further member. */
void write_supported(struct federation *federation, const char *id, const char *json, size_t length,
                     struct json_writer *w)
{
  struct buffer object = {0};
  struct json_writer members = {.out = &object, .depth = 1, .need_comma = true};
  while (length > 0 && json[length - 1] != '}')
    length--;
  buffer_add(&object, json, length > 0 ? length - 1 : 0);
  if (id != NULL)
    federation_write_support(federation, SURVEY_PROCESSES, id, &members);
  else
    federation_write_own(&members);
  json_end_object(&members);
  if (object.failed)
    w->out->failed = true;
  else
    json_write_raw(w, object.data, object.length);
  buffer_free(&object);
}
