/* Answers of an exchange: JSON, nothing, errors. */
#include "server/error_table.h"
#include "server/clock.h"
#include "server/http/metrics.h"
#include "server/http/route_table.h"
#include "server/server.h"

#include "datacube/base/instant.h"
#include "datacube/base/logger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_SECONDS = 5 };

void exchange_free(struct exchange *exchange)
{
  free(exchange);
}

static const char *find_header(const struct http_response *response, const char *name)
{
  for (size_t i = 0; response != NULL && i < response->header_count; i++)
    if (strcmp(response->headers[i].name, name) == 0)
      return response->headers[i].value;
  return NULL;
}

/* What is told to somebody by name, tokens among it, is not kept on the way, unless the route has said how. */
static void keep_private(const struct exchange *exchange, struct http_response *response)
{
  if (response == NULL || http_header(exchange->http, "Authorization") == NULL)
    return;
  if (find_header(response, "Cache-Control") == NULL)
    http_response_header(response, "Cache-Control", "no-store");
}

/* Who asked for what: the job is that of the path, or the one that was made. */
static void note(const struct exchange *exchange, const struct http_response *response)
{
  struct http_note told = {.route = exchange->route != NULL ? exchange->route->path : NULL};
  const char *const path = told.route != NULL ? told.route : "";
  const char *const made = strncmp(path, "/jobs", 5) == 0 ? find_header(response, "OpenEO-Identifier") : NULL;
  snprintf(told.user, sizeof told.user, "%s", exchange->user);
  snprintf(told.job, sizeof told.job, "%.63s",
           strstr(path, "{job_id}") != NULL ? exchange->parameters[0]
           : made != NULL                   ? made
                                            : "");
  http_note(exchange->http, &told);
}

void reply(struct exchange *exchange, struct http_response *response)
{
  keep_private(exchange, response);
  note(exchange, response);
  metrics_count(exchange->server->metrics, exchange->route, response != NULL ? response->status : 500,
                steady_seconds() - exchange->started);
  http_respond(exchange->http, response);
  exchange_free(exchange);
}

static void reply_buffer(struct exchange *exchange, unsigned status, const char *media_type, struct buffer *json)
{
  struct http_response *response = json->failed ? NULL : http_response_new(status);
  if (response == NULL) {
    buffer_free(json);
  } else {
    response->body = *json;
    *json = (struct buffer){0};
    snprintf(response->media_type, sizeof response->media_type, "%s", media_type);
  }
  reply(exchange, response);
}

void reply_json(struct exchange *exchange, unsigned status, struct buffer *json)
{
  reply_buffer(exchange, status, "application/json", json);
}

void reply_typed(struct exchange *exchange, const char *media_type, struct buffer *json)
{
  reply_buffer(exchange, 200, media_type, json);
}

void reply_empty(struct exchange *exchange, unsigned status)
{
  reply(exchange, http_response_new(status));
}

void write_error(struct json_writer *writer, const char *id, const struct error *error)
{
  char text[ERROR_TEXT_SIZE];
  error_text(error, text);
  json_write_object(writer);
  if (id[0])
    json_kv_string(writer, "id", id);
  json_kv_string(writer, "code", error->code[0] ? error->code : "Internal");
  json_kv_string(writer, "message", text);
  json_key(writer, "links");
  json_write_array(writer);
  json_end_array(writer);
  json_end_object(writer);
}

/* The path may hold a key: what is told is its pattern. */
static void log_error(const struct exchange *exchange, unsigned status, const struct error *error)
{
  char text[ERROR_TEXT_SIZE];
  error_text(error, text);
  const struct log_field fields[] = {
      {"code", error->code, NULL},
      {"request", http_id(exchange->http), NULL},
      {"user", exchange->user, NULL},
      {"method", http_method(exchange->http), NULL},
      {"route", exchange->route != NULL ? exchange->route->path : NULL, NULL},
  };
  log_fields(status == 503 ? LOG_INFO : LOG_ERROR, text, fields, sizeof fields / sizeof fields[0]);
}

void reply_error(struct exchange *exchange, const struct error *error)
{
  unsigned status = error_status(error->code[0] ? error->code : "Internal");
  const char *const id = http_id(exchange->http);
  if (status >= 500)
    log_error(exchange, status, error);
  struct http_response *response = http_response_new(status);
  if (response != NULL) {
    struct json_writer writer = {.out = &response->body};
    snprintf(response->media_type, sizeof response->media_type, "application/json");
    if (exchange->write_error != NULL)
      exchange->write_error(exchange, error, response);
    else
      write_error(&writer, id, error);
    if (status == 503 || status == 429)
      http_response_header(response, "Retry-After", "%u",
                           exchange->retry_seconds > 0 ? exchange->retry_seconds : RETRY_SECONDS);
    if (status == 401)
      http_response_header(response, "WWW-Authenticate", "%s", "Bearer realm=\"openEO\"");
  }
  reply(exchange, response);
}

void reply_made(struct exchange *exchange, int status, struct buffer *json, const struct error *error)
{
  if (status == 0) {
    reply_json(exchange, 200, json);
    return;
  }
  buffer_free(json);
  reply_error(exchange, error);
}

void reply_code(struct exchange *exchange, enum error_code code, const char *format, ...)
{
  struct error error = {0};
  char message[sizeof error.message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  error_set(&error, code, "%s", message);
  reply_error(exchange, &error);
}

bool slow_enter(struct server *server, enum slow_kind kind)
{
  static const unsigned most[SLOW_KINDS] = {
      [SLOW_LOGIN] = 4, [SLOW_START] = 2, [SLOW_BACKEND] = 2, [SLOW_SEARCH] = 4, [SLOW_EDIT] = 2};
  if (atomic_fetch_add(&server->slow[kind], 1) < most[kind])
    return true;
  slow_leave(server, kind);
  return false;
}

void slow_leave(struct server *server, enum slow_kind kind)
{
  atomic_fetch_sub(&server->slow[kind], 1);
}

void write_link(struct json_writer *writer, const char *rel, const char *base, const char *path, const char *type,
                const char *title)
{
  char href[2 * BASE_URL_SIZE];
  snprintf(href, sizeof href, "%s%s", base, path);
  json_write_object(writer);
  json_kv_string(writer, "rel", rel);
  json_kv_string(writer, "href", href);
  if (type != NULL)
    json_kv_string(writer, "type", type);
  if (title != NULL)
    json_kv_string(writer, "title", title);
  json_end_object(writer);
}

void write_time(struct json_writer *writer, const char *key, int64_t time)
{
  char text[40];
  instant_format(time - time % MS_PER_SECOND, CALENDAR_GREGORIAN, text);
  json_kv_string(writer, key, text);
}

int read_limit(const struct exchange *exchange, long *out, struct error *error)
{
  char text[24];
  *out = 0;
  int given = http_query(exchange->http, "limit", text, sizeof text);
  if (given == 0)
    return 0;
  char *end = text;
  long number = given > 0 ? strtol(text, &end, 10) : 0;
  if (given < 0 || end == text || *end != '\0' || number < 1)
    return error_parameter(error, ERROR_QueryParameterInvalid, "limit", "wants a positive integer");
  *out = number > 1000000 ? 1000000 : number;
  return 0;
}
