/* Logging in, and who is logged in. */
#include "server/endpoints/endpoints.h"

void get_credentials_basic(struct exchange *exchange)
{
  struct error error = {0};
  char token[AUTH_TOKEN_SIZE];
  if (!slow_enter(exchange->server)) {
    reply_code(exchange, ERROR_InfrastructureBusy, "too many logins at a time");
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

/* The specification wants at least one provider in the list: there is none, and the answer says what there is. */
void get_credentials_oidc(struct exchange *exchange)
{
  reply_code(exchange, ERROR_NotFound,
             "this server has no OpenID Connect provider; log in with name and password, by HTTP Basic at %s"
             "/credentials/basic (authenticate_basic in the clients)",
             exchange->base);
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
