/* Logging in, and who is logged in. */
#include "server/endpoints/endpoints.h"

#include "server/files/file_tree.h"
#include "server/publish/published_files.h"
#include "server/store/store_jobs.h"

#include <unistd.h>

void get_credentials_basic(struct exchange *exchange)
{
  struct error error = {0};
  char token[AUTH_TOKEN_SIZE];
  const struct auth_request request = {http_header(exchange->http, "Authorization"), http_peer(exchange->http)};
  if (!auth_has_basic(exchange->server->auth)) {
    reply_code(exchange, ERROR_NotFound,
               "this server has no users with passwords; log in with OpenID Connect, see %s/credentials/oidc",
               exchange->base);
    return;
  }
  if (!slow_enter(exchange->server, SLOW_LOGIN)) {
    reply_code(exchange, ERROR_InfrastructureBusy, "too many logins at a time");
    return;
  }
  int status = auth_login(exchange->server->auth, exchange->store, &request, token, &exchange->retry_seconds, &error);
  slow_leave(exchange->server, SLOW_LOGIN);
  if (status != 0) {
    reply_error(exchange, &error);
    return;
  }
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_string(&w, "access_token", token);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}

/* The specification wants at least one provider in the list: where there is none the answer says what there is. */
void get_credentials_oidc(struct exchange *exchange)
{
  struct oidc *oidc = auth_oidc(exchange->server->auth);
  if (oidc == NULL) {
    reply_code(exchange, ERROR_NotFound,
               "this server has no OpenID Connect provider; log in with name and password, by HTTP Basic at %s"
               "/credentials/basic (authenticate_basic in the clients)",
               exchange->base);
    return;
  }
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  oidc_write_providers(oidc, &w);
  oidc_stop(oidc);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}

struct storage_room { /* bytes; all zero where there is no limit */
  uint64_t free, quota;
};

static struct storage_room room_of(uint64_t quota, uint64_t used)
{
  return (struct storage_room){used < quota ? quota - used : 0, quota};
}

static int find_room_for_files(const struct exchange *exchange, struct storage_room *out, struct error *error)
{
  const struct server_settings *settings = &exchange->server->settings;
  char folder[USER_FOLDER_SIZE];
  struct file_listing list = {0};
  if (store_user_folder(exchange->store, exchange->user, false, folder, error) != 0)
    return -1;
  const int root = folder[0] ? file_tree_open(settings->data, folder) : -1;
  const int status = root < 0 ? 0 : file_tree_list(root, &list, error);
  *out = room_of(exchange->server->limits.user_files, list.bytes);
  file_listing_free(&list);
  if (root >= 0)
    close(root);
  return status;
}

static int find_room_for_results(const struct exchange *exchange, uint64_t quota, struct storage_room *out,
                                 struct error *error)
{
  uint64_t used = 0;
  if (quota > 0 && store_job_bytes(exchange->store, exchange->user, &used, error) != 0)
    return -1;
  if (quota > 0)
    used += published_bytes(exchange->server->settings.published, exchange->user);
  *out = room_of(quota, used);
  return 0;
}

static void write_room(struct json_writer *w, const struct storage_room *room)
{
  json_kv_integer(w, "free", (int64_t)room->free);
  json_kv_integer(w, "quota", (int64_t)room->quota);
}

/* What the user may keep, and may still add: in all, then of which kind. Results count where they are limited. */
static int write_storage(struct json_writer *w, const struct exchange *exchange, uint64_t quota, struct error *error)
{
  struct storage_room files, results;
  if (find_room_for_files(exchange, &files, error) != 0 || find_room_for_results(exchange, quota, &results, error) != 0)
    return -1;
  json_key(w, "storage");
  json_write_object(w);
  write_room(w, &(struct storage_room){files.free + results.free, files.quota + results.quota});
  json_key(w, "files");
  json_write_object(w);
  write_room(w, &files);
  json_end_object(w);
  if (quota > 0) {
    json_key(w, "results");
    json_write_object(w);
    write_room(w, &results);
    json_end_object(w);
  }
  json_end_object(w);
  return 0;
}

static void write_roles(struct json_writer *w, unsigned roles)
{
  json_key(w, "roles");
  json_write_array(w);
  if (roles & ROLE_USER)
    json_write_string(w, "user");
  if (roles & ROLE_OPERATOR)
    json_write_string(w, "operator");
  json_end_array(w);
}

void get_me(struct exchange *exchange)
{
  struct error error = {0};
  struct user_rights rights;
  char name[IDENTITY_NAME_SIZE];
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  int status = store_user_rights(exchange->store, exchange->user, &rights, name, &error);
  json_write_object(&w);
  json_kv_string(&w, "user_id", exchange->user);
  json_kv_string(&w, "name", name[0] ? name : exchange->user);
  write_roles(&w, rights.roles);
  if (status == 0)
    status =
        write_storage(&w, exchange, rights.results ? rights.results : exchange->server->limits.user_results, &error);
  json_key(&w, "budget");
  json_write_null(&w); /* of the user: none is set; jobs and requests have their own */
  json_key(&w, "links");
  json_write_array(&w);
  json_end_array(&w);
  json_end_object(&w);
  reply_made(exchange, status, &json, &error);
}
