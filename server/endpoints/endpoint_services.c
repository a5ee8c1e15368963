/* Web services: create, read, change, delete, list, logs. What a service shows is found out by a worker before it is
 * stored: a graph that is no map is refused at once. */
#include "server/endpoints/endpoints.h"

#include "server/http/json_text.h"
#include "server/http/request_json.h"
#include "server/services/map_exchange.h"
#include "server/services/service_hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BODY = 2 * 1024 * 1024, MAX_TEXT = 100000, PAGE_SERVICES = 1000, MOST_SERVICES = 1000 };

/* ---- reading requests ---- */

/* What a service is made of is read again for every tile: it has a size. */
static json_t *read_members(const struct exchange *exchange, struct error *error)
{
  if (http_body(exchange->http)->length <= MAX_BODY)
    return request_read_members(exchange, error);
  error_set(error, ERROR_ContentTooLarge, "a web service takes at most %d bytes", (int)MAX_BODY);
  return NULL;
}

/* A member that is a text, null, or absent (then the text stays). */
static int take_text(const json_t *root, const char *name, char **text, struct error *error)
{
  const json_t *member = json_object_get(root, name);
  if (member == NULL)
    return 0;
  if ((!json_is_string(member) && !json_is_null(member)) || json_string_length(member) > MAX_TEXT)
    return error_parameter(error, ERROR_RequestBodyInvalid, name, "wants a string of at most %d bytes, or null",
                           (int)MAX_TEXT);
  free(*text);
  *text = json_is_null(member) ? NULL : strdup(json_string_value(member));
  return json_is_null(member) || *text != NULL ? 0 : error_memory(error);
}

static int take_switches(const json_t *root, struct service *service, struct error *error)
{
  const json_t *enabled = json_object_get(root, "enabled"), *budget = json_object_get(root, "budget"),
               *level = json_object_get(root, "log_level");
  enum log_level read;
  if (enabled != NULL && !json_is_boolean(enabled))
    return error_parameter(error, ERROR_RequestBodyInvalid, "enabled", "wants true or false");
  if (budget != NULL && !json_is_null(budget) && (!json_is_number(budget) || json_number_value(budget) < 0))
    return error_parameter(error, ERROR_BudgetInvalid, "budget", "wants a number of at least 0, or null");
  if (level != NULL && (!json_is_string(level) || log_level_parse(json_string_value(level), &read) != 0))
    return error_parameter(error, ERROR_RequestBodyInvalid, "log_level", "wants error, warning, info or debug");
  if (enabled != NULL)
    service->enabled = json_is_true(enabled);
  if (budget != NULL) {
    service->has_budget = json_is_number(budget);
    service->budget = json_number_value(budget);
  }
  if (level != NULL)
    snprintf(service->log_level, sizeof service->log_level, "%s", json_string_value(level));
  return 0;
}

/* A member of the body that is an object, as it was sent: numbers keep their digits. */
static int take_object(const struct exchange *exchange, const char *name, char **text, struct error *error)
{
  const struct buffer *body = http_body(exchange->http);
  size_t length = 0;
  const char *at = json_text_member(body->data, body->length, name, &length);
  char *copy = at != NULL ? strndup(at, length) : NULL;
  if (at == NULL)
    return error_parameter(error, ERROR_RequestBodyInvalid, name, "its name is written with escapes");
  if (copy == NULL)
    return error_memory(error);
  free(*text);
  *text = copy;
  return 0;
}

static int take_process(const struct exchange *exchange, struct service *service, struct error *error)
{
  char *text = NULL;
  if (request_copy_process(exchange, &text, error) != 0)
    return -1;
  if (text == NULL)
    return 0;
  free(service->process);
  service->process = text;
  return 0;
}

static int take_configuration(const struct exchange *exchange, const json_t *root, struct service *service,
                              struct error *error)
{
  const json_t *configuration = json_object_get(root, "configuration");
  if (configuration == NULL)
    return 0;
  if (!json_is_object(configuration))
    return error_parameter(error, ERROR_ServiceConfigInvalid, "configuration", "wants an object");
  if (service_options_check(service_type_find(service->type), configuration, error) != 0)
    return -1;
  return take_object(exchange, "configuration", &service->configuration, error);
}

static int take_service(const struct exchange *exchange, const json_t *root, struct service *service,
                        struct error *error)
{
  if (take_text(root, "title", &service->title, error) != 0 ||
      take_text(root, "description", &service->description, error) != 0 ||
      take_text(root, "plan", &service->plan, error) != 0 || take_switches(root, service, error) != 0 ||
      take_process(exchange, service, error) != 0)
    return -1;
  return take_configuration(exchange, root, service, error);
}

static int take_type(const json_t *root, struct service *service, struct error *error)
{
  const json_t *given = json_object_get(root, "type");
  const struct service_type *type = json_is_string(given) ? service_type_find(json_string_value(given)) : NULL;
  if (type == NULL)
    return error_parameter(error, ERROR_ServiceUnsupported, "type",
                           json_is_string(given) ? "there are no services of type '%.40s'; GET /service_types"
                                                 : "wants the name of a type%.0s; GET /service_types",
                           json_is_string(given) ? json_string_value(given) : "");
  snprintf(service->type, sizeof service->type, "%s", type->name);
  return 0;
}

/* ---- writing services ---- */

static void write_raw_member(struct json_writer *w, const char *name, const char *json)
{
  json_key(w, name);
  json_write_raw(w, json, strlen(json));
}

static void write_url(struct json_writer *w, const struct exchange *exchange, const struct service *service)
{
  const struct service_type *type = service_type_find(service->type);
  char url[2 * BASE_URL_SIZE];
  snprintf(url, sizeof url, "%s/services/%s%s", exchange->base, service->id, type != NULL ? type->path : "");
  json_kv_string(w, "url", url);
}

static void write_service(struct json_writer *w, const struct exchange *exchange, const struct service *service,
                          bool whole)
{
  json_write_object(w);
  json_kv_string(w, "id", service->id);
  if (service->title != NULL)
    json_kv_string(w, "title", service->title);
  if (service->description != NULL)
    json_kv_string(w, "description", service->description);
  write_url(w, exchange, service);
  json_kv_string(w, "type", service->type);
  json_kv_bool(w, "enabled", service->enabled);
  if (whole) {
    write_raw_member(w, "process", service->process);
    write_raw_member(w, "configuration", service->configuration);
    write_raw_member(w, "attributes", service->shown);
  }
  write_time(w, "created", service->created);
  if (service->plan != NULL)
    json_kv_string(w, "plan", service->plan);
  if (service->has_budget)
    json_kv_number(w, "budget", service->budget);
  json_kv_string(w, "log_level", service->log_level);
  write_own_backend(exchange, w);
  json_end_object(w);
}

/* ---- making and changing: a worker looks at the graph first ---- */

struct pending { /* a service that waits for the worker */
  struct service service;
  bool is_new;
};

static int store_pending(struct store *store, void *data, struct error *error)
{
  struct pending *pending = data;
  const struct log_entry entry = {.level = LOG_INFO,
                                  .message = pending->is_new ? "the service was made" : "the service was changed"};
  int status = pending->is_new ? store_service_put(store, &pending->service, MOST_SERVICES, error)
                               : store_service_update(store, &pending->service, error);
  return status == 0 ? store_service_log_put(store, pending->service.id, &entry, error) : -1;
}

static void reply_stored(struct exchange *exchange, const struct pending *pending)
{
  struct http_response *response = http_response_new(pending->is_new ? 201 : 204);
  if (pending->is_new) {
    http_response_header(response, "Location", "%s/services/%s", exchange->base, pending->service.id);
    http_response_header(response, "OpenEO-Identifier", "%s", pending->service.id);
  }
  reply(exchange, response);
}

static void pending_free(struct pending *pending)
{
  service_free(&pending->service);
  free(pending);
}

static void finish(struct exchange *exchange, struct pending *pending)
{
  struct error error = {0};
  if (service_hub_store(exchange->server->services, store_pending, pending, &error) != 0)
    reply_error(exchange, &error);
  else
    reply_stored(exchange, pending);
  pending_free(pending);
}

static void described(struct exchange *exchange, const struct map_reply *answer, const struct error *failure,
                      void *data)
{
  struct pending *pending = data;
  struct service_view view = {0};
  struct error error = {0};
  if (failure != NULL)
    error = *failure;
  if (error_is(&error, ERROR_QueryParameterInvalid) && strcmp(error.parameter, "bands") == 0)
    snprintf(error.code, sizeof error.code, "%s", error_code_name(ERROR_ServiceConfigInvalid));
  char *shown = failure == NULL ? service_shown(&pending->service, answer->bytes, answer->length, &error) : NULL;
  if (shown != NULL) {
    free(pending->service.shown);
    pending->service.shown = shown;
    service_view_read(&pending->service, &view, &error);
    service_view_free(&view);
  }
  if (!error_is_set(&error)) {
    finish(exchange, pending);
    return;
  }
  reply_error(exchange, &error);
  pending_free(pending);
}

/* Asks a worker what the graph's cube is, with the bands and parameters of the configuration. Takes `pending`. */
static void describe(struct exchange *exchange, struct pending *pending)
{
  struct error error = {0};
  struct service_view draft = {0};
  struct map_question question = {.service = &pending->service, .task = {.operation = MAP_DESCRIBE}};
  json_t *choice = NULL;
  if (service_view_draft(&pending->service, &draft, &error) == 0)
    choice = map_choice_read(exchange, &draft, &error);
  question.choice = choice;
  if (choice == NULL) {
    reply_error(exchange, &error);
    pending_free(pending);
  } else if (map_ask(exchange, &question, described, pending) != 0) {
    pending_free(pending);
  }
  json_decref(choice);
  service_view_free(&draft);
}

static struct pending *pending_new(struct exchange *exchange, bool is_new)
{
  struct pending *pending = calloc(1, sizeof *pending);
  if (pending == NULL) {
    reply(exchange, NULL);
    return NULL;
  }
  pending->is_new = is_new;
  pending->service = (struct service){.enabled = true, .log_level = "info"};
  snprintf(pending->service.owner, sizeof pending->service.owner, "%s", exchange->user);
  return pending;
}

static int read_new(const struct exchange *exchange, struct service *service, struct error *error)
{
  json_t *root = read_members(exchange, error);
  int status = root == NULL ? -1 : take_type(root, service, error);
  if (status == 0)
    status = take_service(exchange, root, service, error);
  json_decref(root);
  if (status == 0 && service->process == NULL)
    status = error_parameter(error, ERROR_ProcessGraphMissing, "process", "is missing");
  if (status == 0 && service->configuration == NULL && (service->configuration = strdup("{}")) == NULL)
    status = error_memory(error);
  return status;
}

void post_services(struct exchange *exchange)
{
  struct error error = {0};
  struct pending *pending = pending_new(exchange, true);
  if (pending == NULL)
    return;
  if (read_new(exchange, &pending->service, &error) == 0) {
    describe(exchange, pending);
    return;
  }
  reply_error(exchange, &error);
  pending_free(pending);
}

/* *looks: what is shown may have changed. */
static int read_changes(const struct exchange *exchange, struct service *service, bool *looks, struct error *error)
{
  json_t *root = read_members(exchange, error);
  int status = root == NULL ? -1 : 0;
  if (status == 0 && json_object_size(root) == 0)
    status = error_set(error, ERROR_NoDataForUpdate, "the body names nothing that is to be changed");
  if (status == 0 && json_object_get(root, "type") != NULL)
    status = error_parameter(error, ERROR_PropertyNotEditable, "type", "cannot be changed: make another service");
  if (status == 0)
    status = take_service(exchange, root, service, error);
  *looks = json_object_get(root, "process") != NULL || json_object_get(root, "configuration") != NULL;
  json_decref(root);
  return status;
}

void patch_service(struct exchange *exchange)
{
  struct error error = {0};
  bool looks = false;
  struct pending *pending = pending_new(exchange, false);
  if (pending == NULL)
    return;
  if (store_service_get(exchange->store, exchange->user, exchange->parameters[0], &pending->service, &error) != 0 ||
      read_changes(exchange, &pending->service, &looks, &error) != 0) {
    reply_error(exchange, &error);
    pending_free(pending);
  } else if (looks) {
    describe(exchange, pending);
  } else {
    finish(exchange, pending);
  }
}

/* ---- reading and deleting ---- */

void get_service_types(struct exchange *exchange)
{
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  service_types_write(&w, asked_federation(exchange) != NULL);
  reply_json(exchange, 200, &json);
}

void get_service(struct exchange *exchange)
{
  struct error error = {0};
  struct service service = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  if (store_service_get(exchange->store, exchange->user, exchange->parameters[0], &service, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  write_service(&w, exchange, &service, true);
  service_free(&service);
  reply_json(exchange, 200, &json);
}

void delete_service(struct exchange *exchange)
{
  struct error error = {0};
  if (store_service_delete(exchange->store, exchange->user, exchange->parameters[0], &error) != 0)
    reply_error(exchange, &error);
  else
    reply_empty(exchange, 204);
}

struct service_listing {
  struct exchange *exchange;
  struct json_writer *w;
  long limit, written;
  int64_t last;
  bool more;
};

static bool write_listed(void *data, const struct service *service)
{
  struct service_listing *listing = data;
  listing->more = listing->written == listing->limit;
  if (listing->more)
    return false;
  write_service(listing->w, listing->exchange, service, false);
  listing->written++;
  listing->last = service->seq;
  return true;
}

static void write_next(struct json_writer *w, const struct service_listing *listing)
{
  char path[128];
  json_key(w, "links");
  json_write_array(w);
  if (listing->more) {
    snprintf(path, sizeof path, "/services?limit=%ld&before=%" PRId64, listing->limit, listing->last);
    write_link(w, "next", listing->exchange->base, path, "application/json", NULL);
  }
  json_end_array(w);
}

/* A number of the query that is at least 0; 0 where it is absent. */
static int read_number(const struct exchange *exchange, const char *name, int64_t *out, struct error *error)
{
  char text[24] = "", *end = text;
  const int given = http_query(exchange->http, name, text, sizeof text);
  *out = given > 0 ? strtoll(text, &end, 10) : 0;
  if (given < 0 || *end != '\0' || *out < 0)
    return error_parameter(error, ERROR_QueryParameterInvalid, name, "is no position in the list");
  return 0;
}

static void end_list(struct exchange *exchange, int status, struct buffer *json, const struct error *error)
{
  if (status == 0) {
    reply_json(exchange, 200, json);
    return;
  }
  buffer_free(json);
  reply_error(exchange, error);
}

void get_services(struct exchange *exchange)
{
  struct error error = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct service_listing listing = {.exchange = exchange, .w = &w};
  int64_t before = 0;
  int status = read_limit(exchange, &listing.limit, &error);
  if (status == 0)
    status = read_number(exchange, "before", &before, &error);
  if (listing.limit == 0)
    listing.limit = PAGE_SERVICES;
  json_write_object(&w);
  json_key(&w, "services");
  json_write_array(&w);
  if (status == 0)
    status = store_service_list(exchange->store, exchange->user, before, write_listed, &listing, &error);
  json_end_array(&w);
  write_next(&w, &listing);
  json_end_object(&w);
  end_list(exchange, status, &json, &error);
}

/* ---- logs ---- */

static void write_service_log(void *data, const struct job_log *log)
{
  struct json_writer *w = data;
  json_write_object(w);
  write_log_members(w, log);
  json_end_object(w);
}

static int read_level(const struct exchange *exchange, enum log_level *out, struct error *error)
{
  char text[24];
  const int given = http_query(exchange->http, "level", text, sizeof text);
  *out = LOG_DEBUG;
  if (given < 0 || (given > 0 && log_level_parse(text, out) != 0))
    return error_parameter(error, ERROR_QueryParameterInvalid, "level", "wants error, warning, info or debug");
  return 0;
}

static int write_logs(const struct exchange *exchange, const char *id, struct json_writer *w, struct error *error)
{
  int64_t after = 0;
  long limit = 0;
  enum log_level level;
  if (read_limit(exchange, &limit, error) != 0 || read_number(exchange, "offset", &after, error) != 0 ||
      read_level(exchange, &level, error) != 0)
    return -1;
  json_kv_string(w, "level", log_level_name(level));
  json_key(w, "logs");
  json_write_array(w);
  int status = store_service_log_list(exchange->store, id, after, level, limit, write_service_log, w, error);
  json_end_array(w);
  return status;
}

void get_service_logs(struct exchange *exchange)
{
  struct error error = {0};
  struct service service = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  if (store_service_get(exchange->store, exchange->user, exchange->parameters[0], &service, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  json_write_object(&w);
  int status = write_logs(exchange, service.id, &w, &error);
  json_key(&w, "links");
  json_write_array(&w);
  json_end_array(&w);
  json_end_object(&w);
  service_free(&service);
  end_list(exchange, status, &json, &error);
}
