/* libmicrohttpd: an internal epoll thread, suspended connections, responses from buffers and from files (sendfile).
 * What it reads has come through a gate (gate.h). */
#include "server/http/http_state.h"

#include "datacube/base/logger.h"
#include "server/clock.h"
#include "server/http/access_log.h"
#include "server/http/drain.h"
#include "server/http/http_feed.h"
#include "server/http/tls.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
  CONNECTION_MEMORY = 64 * 1024, /* headers and read buffer of a connection */
  IDLE_SECONDS = 75,
  GRACE_SECONDS = 30,      /* at the end, for answers that are on their way */
  QUIET_MS = 100,          /* at the end: nobody has anything on its way */
  SMALL_BODY = 16 * 1024,  /* bytes that are kept … */
  SMALL_ANSWER = 64 * 1024 /* … and that are sent without a place in the budget */
};

/* ---- requests ---- */

/* Values of X-Forwarded-For, as one list. */
static enum MHD_Result add_forwarded(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  struct buffer *list = data;
  (void)kind;
  if (strcasecmp(name, "X-Forwarded-For") == 0 && value != NULL)
    buffer_printf(list, "%s%s", list->length > 0 ? "," : "", value);
  return MHD_YES;
}

/* The client's address instead of its proxy's. */
static void see_through_proxy(struct http_request *request)
{
  struct buffer list = {0};
  char client[CLIENT_ADDRESS_SIZE];
  MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_forwarded, &list);
  client_address(&request->server->options.proxies, request->peer, list.data, client);
  memcpy(request->peer, client, sizeof client);
  buffer_free(&list);
}

static struct http_client *client_of(struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info != NULL ? info->socket_context : NULL;
}

static struct http_request *request_new(struct http_server *server, struct MHD_Connection *connection,
                                        const char *method, const char *path)
{
  struct http_client *client = client_of(connection);
  struct http_request *request = client != NULL ? calloc(1, sizeof *request) : NULL;
  if (request == NULL)
    return NULL;
  atomic_fetch_add(&server->events, 1);
  request->server = server;
  request->connection = connection;
  request->method = method;
  request->path = path;
  request->body.limit = server->options.body_limit;
  request->started = steady_seconds();
  request_id_choose(http_header(request, "X-Request-Id"), request->id);
  request->client = client;
  request->number = ++client->requests;
  memcpy(request->peer, client->address, sizeof request->peer);
  if (server->options.proxies.count > 0)
    see_through_proxy(request);
  const char *length = http_header(request, "Content-Length");
  request->body_length = length != NULL ? strtoull(length, NULL, 10) : 0;
  request->has_body = request->body_length > 0 || http_header(request, "Transfer-Encoding") != NULL;
  request->stage = request->has_body ? STAGE_HEAD : STAGE_BODY;
  if (request->body_length > server->options.body_limit)
    request->body_state = HTTP_BODY_TOO_LARGE;
  return request;
}

static void request_free(struct http_request *request)
{
  http_give_back(request);
  if (request->sink != NULL)
    pump_put(request->server->pump, &request->sink->ending);
  buffer_free(&request->body);
  buffer_free(&request->piece);
  http_response_free(atomic_load(&request->response));
  free(request);
}

/* ---- responses ---- */

static struct http_response *fixed_error(const struct http_request *request, unsigned status, const char *json)
{
  struct http_response *response = http_response_new(status);
  if (response != NULL) {
    buffer_printf(&response->body, "{\"id\":\"%s\",%s", request->id, json);
    snprintf(response->media_type, sizeof response->media_type, "application/json");
  }
  return response;
}

void http_hand_in(struct http_request *request)
{
  struct http_server *server = request->server;
  pthread_mutex_lock(&server->lock);
  request->is_writing = false;
  patient_is(server->patience, request->client->patient, PATIENT_ANSWERED);
  MHD_resume_connection(request->connection);
  if (--server->open_requests == 0)
    pthread_cond_broadcast(&server->idle);
  pthread_mutex_unlock(&server->lock);
}

void http_continue(struct http_request *request, bool keeps_body)
{
  request->keeps_body = keeps_body;
  http_hand_in(request);
}

void http_respond(struct http_request *request, struct http_response *response)
{
  if (response != NULL && response->body.length > SMALL_ANSWER && !http_hold(request, response->body.length)) {
    http_response_free(response);
    response = fixed_error(request, 503,
                           "\"code\":\"InfrastructureBusy\",\"message\":\"too many bytes wait to be sent; "
                           "please try again\",\"links\":[]}");
    http_response_header(response, "Retry-After", "%s", "5");
  }
  if (response == NULL)
    response = fixed_error(request, 500, "\"code\":\"Internal\",\"message\":\"out of memory\",\"links\":[]}");
  atomic_store(&request->response, response);
  http_hand_in(request);
}

static struct MHD_Response *make_response(struct http_request *request, struct http_response *response)
{
  struct MHD_Response *made;
  if (strcmp(request->method, "HEAD") != 0)
    request->sent = response->fd >= 0 ? response->fd_size : response->body.length;
  if (response->feed != NULL) {
    made = http_feed_response(response->feed, request->connection, &request->sent);
    response->feed = NULL; /* the library lets it go */
  } else if (response->fd >= 0) {
    made = MHD_create_response_from_fd_at_offset64(response->fd_size, response->fd, response->fd_offset);
    if (made != NULL)
      response->fd = -1; /* the library closes it */
  } else if (response->body.length > 0) {
    made = MHD_create_response_from_buffer(response->body.length, response->body.data, MHD_RESPMEM_MUST_FREE);
    if (made != NULL)
      response->body = (struct buffer){0};
  } else {
    made = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
  }
  return made;
}

static void add_headers(struct MHD_Response *made, const struct http_response *response, const char *id)
{
  MHD_add_response_header(made, "X-Request-Id", id);
  MHD_add_response_header(made, "Access-Control-Allow-Origin", "*");
  MHD_add_response_header(made, "Access-Control-Expose-Headers",
                          "Link, Location, OpenEO-Costs, OpenEO-Identifier, Accept-Ranges, Content-Length, "
                          "Content-Range, Range, Retry-After, ETag, X-Request-Id");
  MHD_add_response_header(made, "X-Content-Type-Options", "nosniff");
  if (response->media_type[0])
    MHD_add_response_header(made, "Content-Type", response->media_type);
  for (size_t i = 0; i < response->header_count; i++)
    MHD_add_response_header(made, response->headers[i].name, response->headers[i].value);
}

static enum MHD_Result send_response(struct http_request *request)
{
  struct http_response *response = atomic_load(&request->response);
  struct MHD_Response *made = make_response(request, response);
  if (made == NULL)
    return MHD_NO;
  if (request->stage == STAGE_HEAD || http_fault(request) != NULL) /* more is still to come */
    drain_add(request->server->drain, request->client->fd);
  add_headers(made, response, request->id);
  const struct gate *gate = &request->client->gate;
  if (http_fault(request) != NULL || (gate->has_ended && gate->requests == request->number) ||
      atomic_load(request->server->options.stopping))
    MHD_add_response_header(made, "Connection", "close");
  request->status = response->status;
  enum MHD_Result result = MHD_queue_response(request->connection, response->status, made);
  MHD_destroy_response(made);
  return result;
}

/* ---- the library's callbacks ---- */

void http_suspend(struct http_request *request)
{
  patient_is(request->server->patience, request->client->patient, PATIENT_SERVED);
  pthread_mutex_lock(&request->server->lock);
  request->server->open_requests++;
  pthread_mutex_unlock(&request->server->lock);
  MHD_suspend_connection(request->connection);
}

static void hand_out(struct http_request *request)
{
  struct http_server *server = request->server;
  http_suspend(request);
  server->options.handle(server->options.data, request);
}

/* A small body that is here already is read at once, where its route reads any: to have somebody look at the head first
 * would spare nothing, and take as long as the request itself. */
static bool takes_small_body(struct http_request *request)
{
  const struct http_options *options = &request->server->options;
  const bool is_small = request->body_length > 0 && request->body_length <= SMALL_BODY;
  request->has_come = is_small && gate_has_whole(&request->client->gate, request->number) &&
                      options->wants_body(options->data, request);
  return request->has_come;
}

/* Called first when the headers are there; where a body follows, again when the connection was resumed; then for each
 * piece of the body, then once without data, and once more after the connection was resumed. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **slot)
{
  struct http_request *request = *slot;
  if (request == NULL) {
    request = request_new(data, connection, method, url);
    if (request == NULL)
      return MHD_NO;
    patient_takes_interim(request->server->patience, request->client->patient,
                          request->server->options.tls == NULL && strcmp(version, "HTTP/1.1") == 0);
    *slot = request;
    if (request->stage != STAGE_HEAD)
      return MHD_YES;
    if (takes_small_body(request)) {
      request->keeps_body = true;
      request->stage = STAGE_BODY;
    } else {
      hand_out(request);
    }
    return MHD_YES;
  }
  if (atomic_load(&request->response) != NULL)
    return send_response(request);
  if (request->stage == STAGE_HEAD || (*upload_size > 0 && request->sink != NULL))
    patient_is(request->server->patience, request->client->patient, PATIENT_READING);
  if (request->stage == STAGE_HEAD) {
    request->stage = STAGE_BODY;
    return MHD_YES;
  }
  if (*upload_size > 0)
    return http_body_take(request, upload, upload_size);
  if (request->sink != NULL && request->stage == STAGE_BODY && http_body_rest(request))
    return MHD_YES;
  if (request->stage == STAGE_BODY) {
    request->stage = STAGE_WHOLE;
    hand_out(request);
  }
  return MHD_YES;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code)
{
  (void)connection;
  struct http_server *server = data;
  struct http_request *request = *slot;
  if (request == NULL)
    return;
  atomic_fetch_add(&server->events, 1);
  request->client->gate.answered = request->number;
  patient_is(server->patience, request->client->patient, PATIENT_WAITING);
  access_log_write(&(struct access_entry){.id = request->id,
                                          .peer = request->peer,
                                          .method = request->method,
                                          .route = request->note.route != NULL ? request->note.route : "",
                                          .path = request->path,
                                          .user = request->note.user,
                                          .job = request->note.job,
                                          .status = request->status,
                                          .seconds = steady_seconds() - request->started,
                                          .bytes = request->sent,
                                          .is_cut_off = code != MHD_REQUEST_TERMINATED_COMPLETED_OK});
  request_free(request);
  *slot = NULL;
}

static enum MHD_Result on_accept(void *data, const struct sockaddr *address, socklen_t size)
{
  (void)size;
  const struct http_server *server = data;
  return http_clients_admit(server->clients, address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *data, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
  struct http_server *server = data;
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    http_client_free(server->clients, *slot);
    return;
  }
  const union MHD_ConnectionInfo *socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  const union MHD_ConnectionInfo *peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  *slot = http_client_new(server->clients, socket->connect_fd, peer->client_addr, server->options.tls != NULL);
  if (server->options.tls != NULL)
    tls_begin(server->options.tls, connection);
}

/* Paths and query values are decoded by us, after the path was split at its slashes. */
static size_t on_unescape(void *data, struct MHD_Connection *connection, char *text)
{
  (void)data, (void)connection;
  return strlen(text);
}

static void on_log(void *data, const char *format, va_list arguments)
{
  (void)data;
  char text[512];
  vsnprintf(text, sizeof text, format, arguments);
  text[strcspn(text, "\r\n")] = '\0';
  log_message(LOG_DEBUG, "http: %s", text);
}

int http_start(const struct http_options *options, struct http_server **out, struct error *error)
{
  struct http_server *server = calloc(1, sizeof *server);
  if (server == NULL)
    return error_memory(error);
  server->options = *options;
  pthread_mutex_init(&server->lock, NULL);
  steady_condition_init(&server->idle);
  server->drain = drain_start();
  server->pump = pump_start();
  if (patience_start(options->connections - options->connections / 32, &server->patience, error) != 0) {
    http_stop(server);
    return -1;
  }
  server->clients = http_clients_new(server->patience, options->per_address, &server->options.proxies);
  if (server->clients == NULL) {
    http_stop(server);
    return error_memory(error);
  }
  struct MHD_OptionItem secure[TLS_OPTIONS];
  const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  server->daemon = MHD_start_daemon(
      flags | tls_options(options->tls, secure), 0, on_accept, server, on_request, server, MHD_OPTION_ARRAY, secure,
      MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, options->listen_fd,
      MHD_OPTION_CONNECTION_LIMIT, options->connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
      MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
      MHD_OPTION_END);
  if (server->daemon == NULL) {
    http_stop(server);
    return error_set(error, ERROR_Internal, "the HTTP server does not start");
  }
  *out = server;
  return 0;
}

/* Until nobody has anything on its way: a request here, one that the kernel holds, an answer. */
static void answer_all(struct http_server *server)
{
  const int64_t end = steady_now() + GRACE_SECONDS * 1000;
  bool is_quiet = false;
  pthread_mutex_lock(&server->lock);
  while (!is_quiet && steady_now() < end) {
    const unsigned seen = atomic_load(&server->events);
    steady_wait(&server->idle, &server->lock, steady_now() + QUIET_MS);
    is_quiet = atomic_load(&server->events) == seen && !patience_has_askers(server->patience) &&
               !http_listen_has_waiting(server->options.listen_fd);
  }
  while (server->open_requests > 0)
    pthread_cond_wait(&server->idle, &server->lock);
  pthread_mutex_unlock(&server->lock);
}

void http_stop(struct http_server *server)
{
  if (server == NULL)
    return;
  if (server->daemon != NULL) {
    http_listen_no_more(server->options.listen_fd);
    answer_all(server);
    MHD_socket fd = MHD_quiesce_daemon(server->daemon);
    MHD_stop_daemon(server->daemon);
    if (fd != MHD_INVALID_SOCKET)
      close(fd);
  }
  http_clients_free(server->clients);
  patience_stop(server->patience);
  pump_stop(server->pump);
  drain_stop(server->drain);
  pthread_mutex_destroy(&server->lock);
  pthread_cond_destroy(&server->idle);
  free(server);
}
