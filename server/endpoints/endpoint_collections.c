/* Collections: documents that the catalogue writes. */
#include "server/endpoints/endpoints.h"

enum { PAGE_COLLECTIONS = 1000 };

/* Takes the buffer. */
static void reply_document(struct exchange *exchange, const char *media_type, int status, struct buffer *json,
                           const struct error *error)
{
  if (status == 0) {
    reply_typed(exchange, media_type, json);
    return;
  }
  buffer_free(json);
  reply_error(exchange, error);
}

void get_collections(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  char after[PATH_PARAMETER_SIZE] = "";
  struct catalogue_page page = {.after = after};
  int status = read_limit(exchange, &page.limit, &error);
  if (page.limit == 0)
    page.limit = PAGE_COLLECTIONS;
  if (status == 0 && http_query(exchange->http, "after", after, sizeof after) < 0)
    status = error_parameter(&error, ERROR_QueryParameterInvalid, "after", "is no collection's id");
  if (status == 0)
    status = catalogue_collections_json(exchange->catalogue, exchange->base, &page, &json, &error);
  reply_document(exchange, "application/json", status, &json, &error);
}

void get_collection(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  int status = catalogue_collection_json(exchange->catalogue, exchange->parameters[0], exchange->base, &json, &error);
  reply_document(exchange, "application/json", status, &json, &error);
}

void get_queryables(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  int status = catalogue_queryables_json(exchange->catalogue, exchange->parameters[0], exchange->base, &json, &error);
  reply_document(exchange, "application/schema+json", status, &json, &error);
}
