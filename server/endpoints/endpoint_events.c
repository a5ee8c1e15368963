/* GET /jobs/{job_id}/events: for the job's owner, or whoever holds the signed link of the job's document. */
#include "server/endpoints/endpoints.h"

#include "server/endpoints/event_hub.h"
#include "server/endpoints/job_link.h"

#include <stdio.h>
#include <stdlib.h>

/* A number that a header or the query gives, 0 where there is none. */
static int64_t read_number(const char *text)
{
  char *end = NULL;
  const long long number = text != NULL ? strtoll(text, &end, 10) : 0;
  return end != NULL && end != text && *end == '\0' && number > 0 ? number : 0;
}

/* The job of somebody's who may listen: by the link, or else by the token. */
static int find_job(struct exchange *exchange, struct job *job, struct error *error)
{
  char expires[24] = "", signature[SIGNATURE_SIZE + 8] = "";
  const char *const id = exchange->parameters[0];
  const struct auth_request who = {http_header(exchange->http, "Authorization"), http_peer(exchange->http)};
  if (http_query(exchange->http, "signature", signature, sizeof signature) == 0)
    return auth_user(exchange->server->auth, exchange->store, &who, exchange->user, error) != 0
               ? -1
               : store_job_get(exchange->store, exchange->user, id, job, error);
  const int given = http_query(exchange->http, "expires", expires, sizeof expires);
  signature[sizeof signature - 1] = '\0';
  struct job_link link = {
      .name = EVENT_LINK_NAME, .expires = given > 0 ? read_number(expires) : 0, .signature = signature};
  return job_link_check(exchange, id, &link, error) != 0 || store_job_get(exchange->store, NULL, id, job, error) != 0
             ? -1
             : job_link_is_current(exchange, job, ALL_RUNS, &link, error);
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
  if (find_job(exchange, &job, &error) == 0)
    reply_events(exchange, &job);
  else
    reply_error(exchange, &error);
  job_free(&job);
}
