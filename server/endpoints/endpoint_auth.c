/* Logging in, and who is logged in. */
#include "server/endpoints/endpoints.h"

void get_credentials_basic(struct exchange *exchange)
{
  struct error error = {0};
  char token[AUTH_TOKEN_SIZE];
  if (!slow_enter(exchange->server)) {
    reply_code(exchange, "InfrastructureBusy", "too many logins at a time");
    return;
  }
  int status = auth_login(exchange->server->auth, exchange->store, http_header(exchange->http, "Authorization"),
                          http_peer(exchange->http), token, &error);
  slow_leave(exchange->server);
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

void get_me(struct exchange *exchange)
{
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_string(&w, "user_id", exchange->user);
  json_kv_string(&w, "name", exchange->user);
  json_key(&w, "links");
  json_write_array(&w);
  json_end_array(&w);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}
