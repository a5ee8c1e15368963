/* From the HTTP thread to a route's function: refuse at once what needs no work, queue the rest for the handlers. The
 * catalogue's searches have a queue and threads of their own, so that long ones keep nobody else waiting. */
#include "server/http/route_table.h"
#include "server/clock.h"
#include "server/endpoints/endpoints.h"
#include "server/server.h"
#include "server/stac_api/stac_api.h"

#include "datacube/base/logger.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WAITING = 1024 };

struct lane { /* a queue and its threads */
  struct handlers *handlers;
  pthread_t threads[HANDLER_THREADS];
  unsigned thread_count;
  pthread_cond_t wake;
  struct exchange *first, **last;
  unsigned waiting;
};

enum { LANE_MAIN, LANE_SEARCHES, LANES };
static const unsigned lane_threads[LANES] = {[LANE_MAIN] = HANDLER_THREADS, [LANE_SEARCHES] = SEARCH_THREADS};

struct handlers {
  struct server *server;
  struct lane lanes[LANES];
  pthread_mutex_t lock;
  bool stopping;
};

/* Host names, ports and IPv6 brackets only: the text ends up in links. */
static bool host_is_plain(const char *host)
{
  size_t length = strlen(host);
  return length > 0 && length < 256 &&
         strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") == length;
}

static void set_base(struct exchange *exchange)
{
  const struct server_settings *settings = &exchange->server->settings;
  const char *host = http_header(exchange->http, "Host");
  if (settings->public_url != NULL)
    snprintf(exchange->host, sizeof exchange->host, "%.*s", BASE_URL_SIZE - 64, settings->public_url);
  else
    snprintf(exchange->host, sizeof exchange->host, "%s://%s", settings->is_secure ? "https" : "http",
             host != NULL && host_is_plain(host) ? host : settings->address);
  const bool is_stac = stac_api_has(http_path(exchange->http));
  snprintf(exchange->base, sizeof exchange->base, "%.*s%s", BASE_URL_SIZE - 32, exchange->host,
           is_stac ? STAC_API_ROOT : exchange->api->root);
  if (is_stac)
    exchange->write_error = stac_write_error;
}

static void reply_options(struct exchange *exchange, const struct route_match *match)
{
  struct http_response *response = http_response_new(204);
  http_response_header(response, "Access-Control-Allow-Headers", "%s",
                       "Authorization, Content-Type, Range, Accept, If-Match, If-None-Match, If-Range, X-Request-Id");
  http_response_header(response, "Access-Control-Allow-Methods", "%s",
                       match->path_known ? match->methods : "OPTIONS, GET, HEAD, POST, PATCH, PUT, DELETE");
  http_response_header(response, "Access-Control-Max-Age", "%s", "86400");
  if (response != NULL)
    snprintf(response->media_type, sizeof response->media_type, "application/json");
  reply(exchange, response);
}

static void reply_method_not_allowed(struct exchange *exchange, const struct route_match *match)
{
  struct http_response *response = http_response_new(405);
  struct error error = {0};
  error_set(&error, ERROR_MethodNotAllowed, "this path takes %s", match->methods);
  http_response_header(response, "Allow", "%s", match->methods);
  if (response != NULL) {
    struct json_writer writer = {.out = &response->body};
    snprintf(response->media_type, sizeof response->media_type, "application/json");
    if (exchange->write_error != NULL)
      exchange->write_error(exchange, &error, response);
    else
      write_error(&writer, "", &error);
  }
  reply(exchange, response);
}

/* Answers what needs no work; true when it did. */
static bool refuse(struct exchange *exchange, const struct route_match *match)
{
  const struct http_request *http = exchange->http;
  const struct head_fault *fault = http_fault(http);
  if (fault != NULL)
    reply_code(exchange, fault->code, "%s", fault->reason);
  else if (strcmp(http_method(http), "OPTIONS") == 0)
    reply_options(exchange, match);
  else if (!match->path_known && api_version_is_unknown(http_path(http)))
    reply_code(exchange, ERROR_UnsupportedApiVersion, "the versions that this server speaks are listed at %s%s",
               exchange->host, "/.well-known/openeo");
  else if (!match->path_known)
    reply_code(exchange, ERROR_NotFound, "there is nothing at this path");
  else if (match->route == NULL)
    reply_method_not_allowed(exchange, match);
  else if (http_body_state(http) == HTTP_BODY_TOO_LARGE && match->route->body == BODY_READ)
    reply_code(exchange, ERROR_ContentTooLarge, "the body is longer than %zu bytes", http_body(http)->limit);
  else if (http_body_state(http) == HTTP_BODY_NO_ROOM)
    reply_code(exchange, ERROR_InfrastructureBusy, "too many bodies are being received; please try again");
  else if (atomic_load(&exchange->server->stopping))
    reply_code(exchange, ERROR_InfrastructureMaintenance, "the server is going down");
  else
    return false;
  return true;
}

bool handlers_want_body(void *data, const struct http_request *request)
{
  char parameters[MAX_PATH_PARAMETERS][PATH_PARAMETER_SIZE];
  struct route_match match;
  (void)data;
  if (http_fault(request) != NULL)
    return false;
  route_find(http_method(request), http_path(request), &match, parameters);
  return match.route != NULL && match.route->body == BODY_READ;
}

void handlers_take(void *data, struct http_request *request)
{
  struct handlers *handlers = data;
  struct exchange *exchange = calloc(1, sizeof *exchange);
  if (exchange == NULL) {
    http_respond(request, NULL);
    return;
  }
  exchange->server = handlers->server;
  exchange->http = request;
  exchange->started = steady_seconds();
  struct route_match match = {0};
  if (http_fault(request) == NULL)
    route_find(http_method(request), http_path(request), &match, exchange->parameters);
  exchange->route = match.route;
  http_note(request, &(struct http_note){.route = match.route != NULL ? match.route->path : NULL});
  exchange->api = match.api != NULL ? match.api : &api_versions[0];
  set_base(exchange);
  if (refuse(exchange, &match))
    return;
  struct lane *lane = &handlers->lanes[match.route->kind == ROUTE_STAC ? LANE_SEARCHES : LANE_MAIN];
  pthread_mutex_lock(&handlers->lock);
  bool busy = handlers->stopping || lane->waiting >= MAX_WAITING;
  if (!busy) {
    lane->waiting++;
    *lane->last = exchange;
    lane->last = &exchange->next;
  }
  pthread_mutex_unlock(&handlers->lock);
  if (!busy)
    pthread_cond_signal(&lane->wake); /* who wakes finds the lock free */
  else
    reply_code(exchange, ERROR_InfrastructureBusy, "too many requests are waiting");
}

static struct exchange *next_exchange(struct lane *lane)
{
  struct handlers *handlers = lane->handlers;
  pthread_mutex_lock(&handlers->lock);
  while (lane->first == NULL && !handlers->stopping)
    pthread_cond_wait(&lane->wake, &handlers->lock);
  struct exchange *exchange = lane->first;
  if (exchange != NULL) {
    lane->waiting--;
    lane->first = exchange->next;
    if (lane->first == NULL)
      lane->last = &lane->first;
  }
  pthread_mutex_unlock(&handlers->lock);
  return exchange;
}

/* Whether who asks makes a difference: to what may be done, or to which collections are there. */
static bool asks_by_name(const struct route *route)
{
  return route->body || route->kind != ROUTE_ROOT || route->handle == get_published_file;
}

/* Who asks is judged before the body is read. Where a route allows strangers, a token that is no good makes one. */
static void handle(struct exchange *exchange)
{
  struct error error = {0};
  const struct route *route = exchange->route;
  const struct auth_request who = {http_header(exchange->http, "Authorization"), http_peer(exchange->http)};
  bool is_known = false;
  if (route->bearer || (who.authorization != NULL && asks_by_name(route)))
    is_known = auth_user(exchange->server->auth, exchange->store, &who, exchange->user, &error) == 0;
  if (is_known)
    http_set_known(exchange->http);
  catalogue_show_to(exchange->catalogue, is_known ? exchange->user : "");
  if (route->bearer && !is_known) {
    reply_error(exchange, &error);
  } else if (http_body_is_pending(exchange->http) && route->body != BODY_STREAMED) {
    http_continue(exchange->http, route->body == BODY_READ);
    free(exchange);
  } else {
    route->handle(exchange);
  }
}

/* What is not open yet. A thread does so before it is asked: a database that goes away later is then met by those
 * routes alone that want it. */
static int open_own(const struct server_settings *settings, struct store **store, struct catalogue **catalogue,
                    struct error *error)
{
  if (*store == NULL && store_open(settings->store, store, error) != 0)
    return -1;
  return *catalogue == NULL ? catalogue_open(settings->catalogue, false, catalogue, error) : 0;
}

static void *run_handler(void *data)
{
  struct lane *lane = data;
  struct store *store = NULL;
  struct catalogue *catalogue = NULL;
  struct exchange *exchange;
  const struct server_settings *settings = &lane->handlers->server->settings;
  open_own(settings, &store, &catalogue, &(struct error){0});
  while ((exchange = next_exchange(lane)) != NULL) {
    struct error error = {0};
    if (open_own(settings, &store, &catalogue, &error) != 0) {
      reply_error(exchange, &error);
      continue;
    }
    exchange->store = store;
    exchange->catalogue = catalogue;
    handle(exchange);
  }
  store_close(store);
  if (catalogue != NULL)
    catalogue_close(catalogue);
  return NULL;
}

static int start_lane(struct handlers *handlers, unsigned which, struct error *error)
{
  struct lane *lane = &handlers->lanes[which];
  for (; lane->thread_count < lane_threads[which]; lane->thread_count++)
    if (pthread_create(&lane->threads[lane->thread_count], NULL, run_handler, lane) != 0)
      return error_set(error, ERROR_Internal, "cannot start threads");
  return 0;
}

int handlers_start(struct server *server, struct handlers **out, struct error *error)
{
  struct handlers *handlers = calloc(1, sizeof *handlers);
  if (handlers == NULL)
    return error_memory(error);
  handlers->server = server;
  pthread_mutex_init(&handlers->lock, NULL);
  for (unsigned i = 0; i < LANES; i++) {
    struct lane *lane = &handlers->lanes[i];
    lane->handlers = handlers;
    lane->last = &lane->first;
    pthread_cond_init(&lane->wake, NULL);
  }
  for (unsigned i = 0; i < LANES; i++)
    if (start_lane(handlers, i, error) != 0) {
      handlers_stop(handlers);
      handlers_free(handlers);
      return -1;
    }
  *out = handlers;
  return 0;
}

void handlers_stop(struct handlers *handlers)
{
  if (handlers == NULL)
    return;
  pthread_mutex_lock(&handlers->lock);
  handlers->stopping = true;
  for (unsigned i = 0; i < LANES; i++)
    pthread_cond_broadcast(&handlers->lanes[i].wake);
  pthread_mutex_unlock(&handlers->lock);
  for (unsigned i = 0; i < LANES; i++) {
    struct lane *lane = &handlers->lanes[i];
    for (unsigned j = 0; j < lane->thread_count; j++)
      pthread_join(lane->threads[j], NULL);
    lane->thread_count = 0;
  }
}

void handlers_free(struct handlers *handlers)
{
  if (handlers == NULL)
    return;
  pthread_mutex_destroy(&handlers->lock);
  for (unsigned i = 0; i < LANES; i++)
    pthread_cond_destroy(&handlers->lanes[i].wake);
  free(handlers);
}
