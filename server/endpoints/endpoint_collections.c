/* Collections: documents that the catalogue writes. */
#include "server/endpoints/endpoints.h"

static void reply_document(struct exchange *exchange, int status, struct buffer *json, const struct error *error)
{
  if (status == 0) {
    reply_json(exchange, 200, json);
    return;
  }
  buffer_free(json);
  reply_error(exchange, error);
}

void get_collections(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  int status = catalogue_collections_json(exchange->catalogue, exchange->base, &json, &error);
  reply_document(exchange, status, &json, &error);
}

void get_collection(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  int status = catalogue_collection_json(exchange->catalogue, exchange->parameters[0], exchange->base, &json, &error);
  reply_document(exchange, status, &json, &error);
}

void get_queryables(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  int status = catalogue_queryables_json(exchange->catalogue, exchange->parameters[0], exchange->base, &json, &error);
  reply_document(exchange, status, &json, &error);
}
