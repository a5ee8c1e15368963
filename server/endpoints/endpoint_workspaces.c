/* Workspaces that jobs put results into (processes/save/export_workspace.c): folders that users make here, and places
 * that the operator names (server/export), whose addresses nobody is told. */
#include "server/endpoints/endpoints.h"

#include "server/export/export_hub.h"
#include "server/files/workspace_folder.h"
#include "server/http/request_json.h"
#include "server/store/store_workspaces.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MOST_TEXT = 100000 };
static const char provider[] = "folder";

/* A kind of which the operator has named workspaces: users make none. */
static void write_named_kind(struct json_writer *w, enum place_kind kind)
{
  static const char *const rows[] = {
      "{\"title\":\"Folder\",\"description\":\"A folder that the operator of this service keeps.\",",
      "{\"title\":\"S3\",\"description\":\"A part of a bucket that the operator of this service names.\",",
      "{\"title\":\"WebDAV\",\"description\":\"A folder of a WebDAV server that the operator of this service names.\",",
      ("{\"title\":\"STAC API\",\"description\":\"A STAC API that the operator of this service names: results become "
       "items of its collections.\",")};
  struct buffer text = {0};
  buffer_printf(&text, "%s\"parameters\":{},\"links\":[]}", rows[kind]);
  json_key(w, place_kind_name(kind));
  json_write_raw(w, text.failed ? "{}" : text.data, text.failed ? 2 : text.length);
  buffer_free(&text);
}

static bool has_kind(const struct workspace_settings *named, enum place_kind kind)
{
  for (size_t i = 0; i < named->count; i++)
    if (named->rows[i].kind == kind)
      return true;
  return false;
}

void get_workspace_providers(struct exchange *exchange)
{
  const struct workspace_settings *named = export_hub_workspaces(exchange->server->settings.exports);
  static const char row[] =
      "{\"title\":\"Folder\",\"description\":\"A folder at this service. Results that are exported to it stay when "
      "their job is gone, as a STAC catalogue with its files.\",\"intents\":[\"create\"],\"parameters\":{},"
      "\"links\":[]}";
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_key(&w, "providers");
  json_write_object(&w);
  if (exchange->server->settings.workspaces != NULL) {
    json_key(&w, provider);
    json_write_raw(&w, row, strlen(row));
  }
  for (int kind = PLACE_FOLDER; kind <= PLACE_STAC; kind++)
    if (has_kind(named, (enum place_kind)kind) &&
        (kind != PLACE_FOLDER || exchange->server->settings.workspaces == NULL))
      write_named_kind(&w, (enum place_kind)kind);
  json_end_object(&w);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}

/* ---- telling ---------------------------------------------------------------------------------------------------- */

struct workspace_page {
  struct json_writer *w;
  const struct exchange *exchange;
  long limit, count; /* limit 0: none */
  bool has_more;
  char last[WORKSPACE_ID_SIZE];
};

static void write_workspace(struct workspace_page *page, const struct workspace *workspace)
{
  const bool is_ready = page->exchange->server->settings.workspaces != NULL;
  json_write_object(page->w);
  json_kv_string(page->w, "id", workspace->id);
  if (workspace->title != NULL)
    json_kv_string(page->w, "title", workspace->title);
  if (workspace->description != NULL)
    json_kv_string(page->w, "description", workspace->description);
  json_kv_string(page->w, "type", provider);
  json_kv_string(page->w, "status", is_ready ? "ready" : "unavailable");
  json_end_object(page->w);
}

static bool add_workspace(void *data, const struct workspace *workspace)
{
  struct workspace_page *page = data;
  page->has_more = page->limit > 0 && page->count == page->limit;
  if (page->has_more)
    return false;
  write_workspace(page, workspace);
  page->count++;
  snprintf(page->last, sizeof page->last, "%s", workspace->id);
  return true;
}

static void write_named(struct json_writer *w, const struct named_workspace *row)
{
  json_write_object(w);
  json_kv_string(w, "id", row->name);
  if (row->title != NULL)
    json_kv_string(w, "title", row->title);
  if (row->description != NULL)
    json_kv_string(w, "description", row->description);
  json_kv_string(w, "type", place_kind_name(row->kind));
  json_kv_string(w, "status", "ready");
  json_end_object(w);
}

/* On the first page, whatever its limit is. */
static void write_all_named(struct json_writer *w, const struct exchange *exchange)
{
  const struct workspace_settings *named = export_hub_workspaces(exchange->server->settings.exports);
  for (size_t i = 0; i < named->count; i++)
    if (named_workspace_is_for(&named->rows[i], exchange->user))
      write_named(w, &named->rows[i]);
}

static void write_links(struct json_writer *w, const struct workspace_page *page)
{
  char path[128];
  json_key(w, "links");
  json_write_array(w);
  snprintf(path, sizeof path, "/workspaces?limit=%ld&after=%s", page->limit, page->last);
  if (page->has_more)
    write_link(w, "next", page->exchange->base, path, "application/json", NULL);
  json_end_array(w);
}

void get_workspaces(struct exchange *exchange)
{
  struct error error = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct workspace_page page = {.w = &w, .exchange = exchange};
  char after[WORKSPACE_ID_SIZE] = "";
  int status = read_limit(exchange, &page.limit, &error);
  if (status == 0 && http_query(exchange->http, "after", after, sizeof after) < 0)
    status = error_parameter(&error, ERROR_QueryParameterInvalid, "after", "is no workspace's id");
  json_write_object(&w);
  json_key(&w, "workspaces");
  json_write_array(&w);
  if (status == 0 && after[0] == '\0')
    write_all_named(&w, exchange);
  if (status == 0)
    status = store_workspace_each(exchange->store, exchange->user, after, add_workspace, &page, &error);
  json_end_array(&w);
  write_links(&w, &page);
  json_end_object(&w);
  reply_made(exchange, status, &json, &error);
}

void get_workspace(struct exchange *exchange)
{
  struct error error = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct workspace_page page = {.w = &w, .exchange = exchange};
  const struct named_workspace *named =
      export_hub_find(exchange->server->settings.exports, exchange->user, exchange->parameters[0]);
  if (named != NULL) {
    write_named(&w, named);
    reply_json(exchange, 200, &json);
  } else if (store_workspace_get(exchange->store, exchange->user, exchange->parameters[0], add_workspace, &page,
                                 &error) == 0) {
    reply_json(exchange, 200, &json);
  } else {
    reply_error(exchange, &error);
  }
}

/* What the operator names nobody changes here. */
static int check_own(const struct exchange *exchange, struct error *error)
{
  const char *id = exchange->parameters[0];
  return export_hub_find(exchange->server->settings.exports, exchange->user, id) == NULL
             ? 0
             : error_set(error, ERROR_FeatureUnsupported, "'%.100s' is the operator's to change", id);
}

/* ---- changing --------------------------------------------------------------------------------------------------- */

static int take_text(const json_t *root, const char *name, const char **out, struct error *error)
{
  const json_t *member = json_object_get(root, name);
  *out = json_string_value(member);
  if (member == NULL || json_is_null(member) || (json_is_string(member) && json_string_length(member) <= MOST_TEXT))
    return 0;
  return error_parameter(error, ERROR_RequestBodyInvalid, name, "wants a string of at most %d bytes", (int)MOST_TEXT);
}

static int take_texts(const json_t *root, struct workspace *out, struct error *error)
{
  return take_text(root, "title", &out->title, error) == 0 ? take_text(root, "description", &out->description, error)
                                                           : -1;
}

/* Which provider, and whether the workspace is made or one that is there is registered. */
static int check_intent(const json_t *root, struct error *error)
{
  const char *intent, *type;
  if (take_text(root, "intent", &intent, error) != 0 || take_text(root, "type", &type, error) != 0)
    return -1;
  if (intent != NULL && strcmp(intent, "register") == 0)
    return error_parameter(error, ERROR_FeatureUnsupported, "intent",
                           "storage that is elsewhere cannot be registered; `create` makes a folder here");
  if (intent == NULL || strcmp(intent, "create") != 0)
    return error_parameter(error, ERROR_RequestBodyInvalid, "intent", "wants to be `create`");
  if (type != NULL && strcasecmp(type, provider) != 0)
    return error_parameter(error, ERROR_RequestBodyInvalid, "type", "there is no provider '%.100s'; there is '%s'",
                           type, provider);
  return 0;
}

static int make_workspace(const struct exchange *exchange, const json_t *root, struct workspace *made,
                          struct error *error)
{
  const char *const folder = exchange->server->settings.workspaces;
  struct error ignored = {0};
  if (folder == NULL)
    return error_set(error, ERROR_FeatureUnsupported, "there are no workspaces here");
  if (check_intent(root, error) != 0 || take_texts(root, made, error) != 0 ||
      store_workspace_put(exchange->store, exchange->user, made, error) != 0)
    return -1;
  if (workspace_folder_make(exchange->store, folder, exchange->user, made->id, error) == 0)
    return 0;
  store_workspace_remove(exchange->store, exchange->user, made->id, &ignored);
  return -1;
}

void post_workspaces(struct exchange *exchange)
{
  struct error error = {0};
  struct workspace made = {.title = NULL};
  json_t *root = request_read_members(exchange, &error);
  if (root == NULL || make_workspace(exchange, root, &made, &error) != 0) {
    reply_error(exchange, &error);
  } else {
    struct http_response *response = http_response_new(201);
    http_response_header(response, "Location", "%s/workspaces/%s", exchange->base, made.id);
    http_response_header(response, "OpenEO-Identifier", "%s", made.id);
    reply(exchange, response);
  }
  json_decref(root);
}

void patch_workspace(struct exchange *exchange)
{
  struct error error = {0};
  struct workspace change = {.title = NULL};
  snprintf(change.id, sizeof change.id, "%.39s", exchange->parameters[0]); /* what is longer is none */
  json_t *root = request_read_members(exchange, &error);
  int status = root == NULL || check_own(exchange, &error) != 0 ? -1 : take_texts(root, &change, &error);
  if (status == 0 && change.title == NULL && change.description == NULL)
    status = error_set(&error, ERROR_NoDataForUpdate, "title and description can be changed");
  if (status == 0)
    status = store_workspace_change(exchange->store, exchange->user, &change, &error);
  if (status == 0)
    reply_empty(exchange, 204);
  else
    reply_error(exchange, &error);
  json_decref(root);
}

void delete_workspace(struct exchange *exchange)
{
  struct error error = {0};
  const char *const id = exchange->parameters[0];
  if (check_own(exchange, &error) != 0 || store_workspace_remove(exchange->store, exchange->user, id, &error) != 0 ||
      workspace_folder_remove(exchange->store, exchange->server->settings.workspaces, exchange->user, id, &error) != 0)
    reply_error(exchange, &error);
  else
    reply_empty(exchange, 204);
}
