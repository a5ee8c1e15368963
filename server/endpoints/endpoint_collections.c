/* Collections: documents that the catalogue writes, and those of the federation's other back-ends. */
#include "server/endpoints/endpoints.h"
#include "server/federation/federation.h"

#include <string.h>

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

/* ---- the list --------------------------------------------------------------------------------------------------- */

struct federated_list {
  struct federation *federation;
  const struct exchange *exchange;
  const char *after; /* of the back-ends' collections */
};

/* Behind the catalogue's collections a page begins at a bar and the name of a back-end's. */
static const char behind_own[] = "|";

static bool is_own(void *data, const char *name)
{
  const struct exchange *exchange = data;
  struct buffer json = {0};
  struct error error = {0};
  int status = strchr(name, '|') != NULL
                   ? -1
                   : catalogue_collection_json(exchange->catalogue, name, exchange->base, &json, &error);
  buffer_free(&json);
  return status == 0;
}

static void describe(void *data, const char *id, struct json_writer *w)
{
  const struct federated_list *list = data;
  federation_write_hosts(list->federation, id, w);
}

static void add_federated(void *data, long left, struct json_writer *w, struct buffer *after)
{
  const struct federated_list *list = data;
  struct federation_page page = {.after = list->after,
                                 .base = list->exchange->base,
                                 .is_own = is_own,
                                 .data = (void *)(uintptr_t)list->exchange,
                                 .left = left};
  federation_write_collections(list->federation, &page, w);
  if (!page.more)
    return;
  struct buffer name = {0};
  buffer_printf(&name, "%s%s", behind_own, page.last[0] != '\0' ? page.last : list->after);
  http_encode(name.failed ? behind_own : name.data, after);
  buffer_free(&name);
}

static void finish(void *data, struct json_writer *w)
{
  const struct federated_list *list = data;
  federation_write_missing(list->federation, SURVEY_COLLECTIONS, w);
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
  const bool is_behind = after[0] == behind_own[0];
  struct federated_list list = {asked_federation(exchange), exchange, is_behind ? after + 1 : ""};
  const struct catalogue_further further = {
      .data = &list, .describe = describe, .add = add_federated, .finish = finish, .is_behind = is_behind};
  if (list.federation != NULL)
    page.further = &further;
  if (status == 0)
    status = catalogue_collections_json(exchange->catalogue, exchange->base, &page, &json, &error);
  reply_document(exchange, "application/json", status, &json, &error);
}

/* ---- one -------------------------------------------------------------------------------------------------------- */

typedef int write_federated(struct federation *federation, const struct collection_question *question,
                            struct buffer *out, struct error *error);

/* In place of the error that there is no such collection here. A back-end is waited for unless too many do already. */
static int try_federation(struct exchange *exchange, write_federated *write, struct buffer *json, struct error *error)
{
  struct federation *federation = asked_federation(exchange);
  if (federation == NULL || !error_is(error, ERROR_CollectionNotFound))
    return -1;
  buffer_free(json);
  *error = (struct error){0};
  const struct collection_question question = {exchange->parameters[0], exchange->base,
                                               slow_enter(exchange->server, SLOW_BACKEND)};
  int status = write(federation, &question, json, error);
  if (question.may_wait)
    slow_leave(exchange->server, SLOW_BACKEND);
  return status;
}

int collection_document(struct exchange *exchange, struct buffer *json, struct error *error)
{
  struct federation *federation = asked_federation(exchange);
  int status = catalogue_collection_json(exchange->catalogue, exchange->parameters[0], exchange->base, json, error);
  if (status != 0) {
    status = try_federation(exchange, federation_collection_json, json, error);
  } else if (federation != NULL) {
    json->length--; /* the object is reopened */
    struct json_writer w = {.out = json, .depth = 1, .need_comma = true};
    federation_write_hosts(federation, exchange->parameters[0], &w);
    json_end_object(&w);
  }
  return status;
}

void get_collection(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  const int status = collection_document(exchange, &json, &error);
  reply_document(exchange, "application/json", status, &json, &error);
}

void get_queryables(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  int status = catalogue_queryables_json(exchange->catalogue, exchange->parameters[0], exchange->base, &json, &error);
  if (status != 0)
    status = try_federation(exchange, federation_queryables_json, &json, &error);
  reply_document(exchange, "application/schema+json", status, &json, &error);
}
