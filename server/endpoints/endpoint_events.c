/* GET /jobs/{job_id}/events: for the job's owner, or whoever holds the signed link of the job's document. */
#include "server/endpoints/endpoints.h"

#include "server/auth/signed_url.h"
#include "server/endpoints/event_hub.h"

#include <stdio.h>
#include <stdlib.h>

/* A number that a header or the query gives, 0 where there is none. */
static int64_t read_number(const char *text)
{
  char *end = NULL;
  const long long number = text != NULL ? strtoll(text, &end, 10) : 0;
  return end != NULL && end != text && *end == '\0' && number > 0 ? number : 0;
}

/* Who may listen: by the link, 0; else by the token, the user being set. */
static int may_listen(struct exchange *exchange, struct error *error)
{
  char expires[24] = "", signature[SIGNATURE_SIZE + 8] = "";
  const char *const job = exchange->parameters[0];
  const struct auth_request who = {http_header(exchange->http, "Authorization"), http_peer(exchange->http)};
  if (http_query(exchange->http, "signature", signature, sizeof signature) == 0)
    return auth_user(exchange->server->auth, exchange->store, &who, exchange->user, error);
  const int given = http_query(exchange->http, "expires", expires, sizeof expires);
  const int64_t until = given > 0 ? read_number(expires) : 0;
  signature[sizeof signature - 1] = '\0';
  if (signed_url_check(exchange->server->secret, job, EVENT_LINK_NAME, until, signature) != 0)
    return error_set(error, ERROR_PermissionsInsufficient, "the link's signature is not valid");
  if (until < store_now() / 1000)
    return error_set(error, ERROR_ResultLinkExpired, "the link has expired; please ask for the job again");
  return 0;
}

static void reply_events(struct exchange *exchange, const struct job *job)
{
  struct error error = {0};
  char text[24] = "";
  const char *last = http_header(exchange->http, "Last-Event-ID");
  if (last == NULL && http_query(exchange->http, "offset", text, sizeof text) > 0)
    last = text;
  struct http_response *response = http_response_new(200);
  struct http_feed *feed = response != NULL ? http_feed_new() : NULL;
  if (feed == NULL) {
    http_response_free(response);
    reply(exchange, NULL);
    return;
  }
  response->feed = feed;
  snprintf(response->media_type, sizeof response->media_type, "text/event-stream");
  http_response_header(response, "Cache-Control", "%s", "no-store");
  http_response_header(response, "X-Accel-Buffering", "%s", "no"); /* proxies pass it on as it comes */
  if (event_hub_listen(exchange->server->events, job, read_number(last), feed, &error) == 0) {
    reply(exchange, response);
    return;
  }
  http_response_free(response);
  reply_error(exchange, &error);
}

void get_job_events(struct exchange *exchange)
{
  struct error error = {0};
  struct job job = {0};
  if (may_listen(exchange, &error) != 0 ||
      store_job_get(exchange->store, exchange->user[0] ? exchange->user : NULL, exchange->parameters[0], &job,
                    &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  reply_events(exchange, &job);
  job_free(&job);
}
