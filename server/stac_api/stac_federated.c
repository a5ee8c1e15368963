/* Items of this server and of the federation's back-ends as one page (server/federation/federated_items.h). */
#include "server/auth/signed_token.h"
#include "server/endpoints/endpoints.h"
#include "server/federation/federated_items.h"
#include "server/stac_api/stac_items_reply.h"

#include "stac/json_tree.h"

#include <stdlib.h>
#include <string.h>

static const char token_purpose[] = "page of a federated search";

/* ---- this server's part ----------------------------------------------------------------------------------------- */

struct own_part {
  const struct items_reply *reply;
  const json_t *sort;
  struct item_list *list; /* of the call at hand */
  size_t bytes;
};

static int take_own(void *data, const struct found_item *item, struct error *error)
{
  struct own_part *part = data;
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  json_t *document = json_loadb(item->document, item->length, 0, NULL);
  int status = stac_item_write(&part->reply->writer, item, &w, error);
  json_t *keys = document != NULL ? item_keys(part->sort, document) : NULL;
  json_decref(document);
  part->bytes += text.length;
  if (status != 0) {
    json_decref(keys);
    buffer_free(&text);
    return -1;
  }
  if (item_list_add(part->list, text.data, keys) != 0) /* takes the text */
    return error_memory(error);
  return part->bytes > ITEMS_PAGE_BYTES;
}

static int own_page(void *data, const char *token, long limit, struct item_list *list, struct buffer *token_behind,
                    struct error *error)
{
  struct own_part *part = data;
  struct item_search search = part->reply->search.items;
  struct item_page page = {.data = part, .take = take_own};
  search.token = token;
  search.limit = limit;
  part->list = list;
  part->bytes = 0;
  const int status = item_search_page(part->reply->exchange->catalogue, &search, &page, error);
  *token_behind = page.token;
  return status;
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

static json_t *pick(void *data, const json_t *item)
{
  return stac_fields_pick(data, item);
}

/* The place that a token tells; *out is NULL for the first page. */
static int read_state(const struct items_reply *reply, json_t **out, struct error *error)
{
  const char *token = reply->search.items.token;
  struct buffer text = {0};
  *out = NULL;
  if (token == NULL)
    return 0;
  if (signed_token_read(reply->exchange->server->secret, token_purpose, token, &text) == 0)
    *out = json_loadb(text.data, text.length, 0, NULL);
  buffer_free(&text);
  return *out != NULL ? 0 : error_parameter(error, ERROR_QueryParameterInvalid, "token", "is of no page's link");
}

static void write_token(const struct items_reply *reply, const json_t *state, struct buffer *out)
{
  char *text = state != NULL ? json_dumps(state, JSON_COMPACT) : NULL;
  if (text != NULL)
    signed_token_write(reply->exchange->server->secret, token_purpose, text, strlen(text), out);
  free(text);
}

static void write_page(const struct items_reply *reply, const struct federated_page *page)
{
  struct json_writer *w = reply->w;
  struct buffer token = {0};
  write_token(reply, page->state, &token);
  json_write_object(w);
  json_kv_string(w, "type", "FeatureCollection");
  json_key(w, "features");
  json_write_array(w);
  for (size_t i = 0; i < page->count; i++)
    json_write_raw(w, page->list.items[i].json, strlen(page->list.items[i].json));
  json_end_array(w);
  items_write_links(reply, token.length > 0 ? token.data : NULL, NULL);
  json_kv_integer(w, "numberReturned", (int64_t)page->count);
  if (page->missing != NULL) {
    json_key(w, "federation:missing");
    json_tree_write(w, page->missing);
  }
  json_end_object(w);
  w->out->failed = w->out->failed || token.failed;
  buffer_free(&token);
}

bool federated_reply_is_wanted(const struct items_reply *reply, const char *collection)
{
  struct federation *federation = asked_federation(reply->exchange);
  return federation != NULL && federated_items_wanted(federation, reply->query, collection);
}

static int write_items(struct items_reply *reply, const char *collection, struct error *error)
{
  struct own_part part = {.reply = reply};
  struct federated_page page = {0};
  json_t *state = NULL;
  if (stac_query_sort(reply->query, &part.sort, error) < 0 || read_state(reply, &state, error) != 0)
    return -1;
  const struct item_shape shape = {.base = reply->exchange->base,
                                   .sort = part.sort,
                                   .pick = reply->writer.fields != NULL ? pick : NULL,
                                   .data = &reply->fields};
  const long limit = reply->search.items.limit;
  const struct federated_search search = {.query = reply->query,
                                          .filter = reply->search.filter,
                                          .collection = collection,
                                          .state = state,
                                          .limit = limit < FEDERATED_ITEMS_MOST ? limit : FEDERATED_ITEMS_MOST,
                                          .shape = &shape};
  const struct own_items own = {&part, own_page};
  const int status = federated_items_page(asked_federation(reply->exchange), &search, &own, &page, error);
  if (status == 0)
    write_page(reply, &page);
  federated_page_free(&page);
  json_decref(state);
  return status;
}

int federated_write_items(struct items_reply *reply, const char *collection, struct error *error)
{
  struct server *server = reply->exchange->server;
  if (!slow_enter(server, SLOW_SEARCH))
    return error_set(error, ERROR_InfrastructureBusy, "too many searches wait for other back-ends now");
  const int status = write_items(reply, collection, error);
  slow_leave(server, SLOW_SEARCH);
  return status;
}

/* ---- one item --------------------------------------------------------------------------------------------------- */

bool federated_has_collection(const struct exchange *exchange, const char *collection)
{
  struct federation *federation = asked_federation(exchange);
  struct federated_collection where;
  struct error error = {0};
  return federation != NULL &&
         (federation_find(federation, collection, &where, &error) == 0 || !error_is(&error, ERROR_CollectionNotFound));
}

int federated_write_item(const struct exchange *exchange, struct json_writer *w, struct error *error)
{
  json_t *item = NULL;
  if (!slow_enter(exchange->server, SLOW_BACKEND))
    return error_set(error, ERROR_InfrastructureBusy, "too many requests wait for other back-ends now");
  const int status = federated_item(asked_federation(exchange), exchange->parameters[0], exchange->parameters[1],
                                    exchange->base, &item, error);
  slow_leave(exchange->server, SLOW_BACKEND);
  if (status == 0)
    json_tree_write(w, item);
  json_decref(item);
  return status;
}
