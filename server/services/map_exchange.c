/* Questions on their way to a worker. */
#include "server/services/map_exchange.h"

#include "server/files/file_tree.h"
#include "server/services/service_hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double map_seconds = 60;
enum { QUERY_ROOM = 4096 };

/* ---- the choice -------------------------------------------------------------------------------------------------- */

static int bad_query(struct error *error, const char *name)
{
  return error_parameter(error, ERROR_QueryParameterInvalid, name, "is too long, or badly encoded");
}

/* A value of the query as JSON text: what is JSON already stays, anything else is a text. */
static json_t *query_value(const char *given)
{
  json_t *value = json_loads(given, JSON_DECODE_ANY, NULL);
  json_t *text = value == NULL ? json_string(given) : value;
  char *dumped = json_dumps(text, JSON_COMPACT | JSON_ENCODE_ANY);
  json_t *out = dumped != NULL ? json_string(dumped) : NULL;
  json_decref(text);
  free(dumped);
  return out;
}

static void set_json(json_t *parameters, const char *name, const json_t *value)
{
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
  json_object_set_new(parameters, name, json_string(text != NULL ? text : "null"));
  free(text);
}

/* What the service gives to graphs that ask for it, unless they have parameters of that name. */
static void add_extents(json_t *parameters, const char *datetime)
{
  const char *slash = datetime != NULL ? strchr(datetime, '/') : NULL;
  if (slash != NULL) {
    json_t *ends = json_pack("[s#, s]", datetime, (int)(slash - datetime), slash + 1);
    for (size_t i = 0; i < 2; i++) {
      const char *end = json_string_value(json_array_get(ends, i));
      if (end != NULL && (end[0] == '\0' || strcmp(end, "..") == 0))
        json_array_set_new(ends, i, json_null());
    }
    set_json(parameters, "temporal_extent", ends);
    json_decref(ends);
  } else {
    json_object_set_new(parameters, "temporal_extent", json_string("null"));
  }
  json_object_set_new(parameters, "spatial_extent", json_string("null"));
}

static int add_parameters(const struct exchange *exchange, const struct service_view *view, const char *datetime,
                          json_t *choice, struct error *error)
{
  char given[QUERY_ROOM];
  const json_t *name, *constants = json_object_get(view->configuration, "parameters");
  json_t *parameters = json_object(), *value;
  const char *key;
  size_t i;
  int status = 0;
  add_extents(parameters, datetime);
  json_array_foreach(json_object_get(view->shown, "parameters"), i, name)
      json_object_del(parameters, json_string_value(name));
  json_object_foreach((json_t *)(uintptr_t)constants, key, value) set_json(parameters, key, value);
  json_array_foreach(json_object_get(view->shown, "parameters"), i, name)
  {
    const char *text = json_string_value(name);
    const int found = text != NULL ? http_query(exchange->http, text, given, sizeof given) : 0;
    if (found < 0)
      status = bad_query(error, text);
    else if (found > 0)
      json_object_set_new(parameters, text, query_value(given));
  }
  json_object_set_new(choice, "parameters", parameters);
  return status;
}

static int add_labels(const struct exchange *exchange, const struct service_view *view, json_t *choice,
                      struct error *error)
{
  char given[256];
  const json_t *dimension;
  json_t *labels = json_object();
  size_t i;
  json_array_foreach(json_object_get(json_object_get(view->shown, "cube"), "dimensions"), i, dimension)
  {
    const char *name = json_string_value(json_object_get(dimension, "name"));
    char ogc[128];
    snprintf(ogc, sizeof ogc, "dim_%s", name != NULL ? name : "");
    int found = name != NULL ? http_query(exchange->http, name, given, sizeof given) : 0;
    if (found == 0)
      found = http_query(exchange->http, ogc, given, sizeof given);
    if (found < 0) {
      json_decref(labels);
      return bad_query(error, name);
    }
    if (found > 0)
      json_object_set_new(labels, name, json_string(given));
  }
  json_object_set_new(choice, "labels", labels);
  return 0;
}

/* datetime, or time as the OGC's services call it. "current" is the last date. */
static int read_datetime(const struct exchange *exchange, char *out, size_t room, struct error *error)
{
  int found = http_query(exchange->http, "datetime", out, room);
  if (found == 0)
    found = http_query(exchange->http, "time", out, room);
  if (found < 0)
    return bad_query(error, "datetime");
  if (found == 0 || strcmp(out, "current") == 0 || strcmp(out, "default") == 0)
    out[0] = '\0';
  return 0;
}

json_t *map_choice_read(const struct exchange *exchange, const struct service_view *view, struct error *error)
{
  char datetime[128] = "";
  json_t *choice = json_object();
  if (read_datetime(exchange, datetime, sizeof datetime, error) != 0 ||
      add_labels(exchange, view, choice, error) != 0 ||
      add_parameters(exchange, view, datetime[0] != '\0' ? datetime : NULL, choice, error) != 0) {
    json_decref(choice);
    return NULL;
  }
  if (datetime[0] != '\0')
    json_object_set_new(choice, "datetime", json_string(datetime));
  if (json_object_get(view->shown, "bands") != NULL)
    json_object_set(choice, "bands", json_object_get(view->shown, "bands"));
  return choice;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

struct map_call {
  struct pool_task task; /* first member */
  struct exchange *exchange;
  struct buffer body;
  map_answer *answer;
  void *data;
  char service[SERVICE_ID_SIZE];
};

static void set_outcome(enum worker_outcome outcome, double seconds, struct error *error)
{
  if (outcome == WORKER_TIMEOUT)
    error_set(error, ERROR_RequestTimeout, "the map took longer than %.0f s", seconds);
  else if (outcome == WORKER_CANCELLED)
    error_set(error, ERROR_InfrastructureMaintenance, "the request was cancelled");
  else if (outcome == WORKER_UNAVAILABLE)
    error_set(error, ERROR_InfrastructureBusy, "no worker process is to be had now; please try again");
  else
    error_set(error, ERROR_Internal, "the worker process ended unexpectedly; only this request is lost");
}

static void map_done(struct pool_task *task, enum worker_outcome outcome, const struct worker_reply *worker)
{
  struct map_call *call = (struct map_call *)task;
  struct error error = {0};
  if (outcome != WORKER_REPLIED)
    set_outcome(outcome, task->seconds, &error);
  else
    error = worker->header.error;
  const bool failed = error_is_set(&error);
  if (failed && call->service[0] != '\0' && outcome != WORKER_CANCELLED)
    service_hub_log_error(call->exchange->server->services, call->service, &error);
  const struct map_reply answer = {failed ? NULL : worker->json, failed ? 0 : worker->header.json_size, worker,
                                   task->header.output};
  call->answer(call->exchange, failed ? NULL : &answer, failed ? &error : NULL, call->data);
  buffer_free(&call->body);
  free(call);
}

static bool write_body(const struct map_question *question, struct buffer *out)
{
  struct map_task task = question->task;
  char *choice = json_dumps(question->choice, JSON_COMPACT | JSON_SORT_KEYS);
  if (choice == NULL)
    return false;
  task.choice_size = strlen(choice);
  buffer_add(out, &task, sizeof task);
  buffer_add(out, choice, task.choice_size);
  buffer_text(out, question->service->process);
  free(choice);
  return !out->failed;
}

int map_ask(struct exchange *exchange, const struct map_question *question, map_answer *answer, void *data)
{
  struct map_call *call = calloc(1, sizeof *call);
  if (call == NULL || !write_body(question, &call->body)) {
    if (call != NULL)
      buffer_free(&call->body);
    free(call);
    reply(exchange, NULL);
    return -1;
  }
  call->exchange = exchange;
  call->answer = answer;
  call->data = data;
  snprintf(call->service, sizeof call->service, "%s", question->service->id);
  call->task.header.kind = TASK_MAP;
  call->task.header.room_most = exchange->server->settings.result_size;
  if (exchange->user[0] != '\0')
    snprintf(call->task.owner, sizeof call->task.owner, "%s", exchange->user);
  else /* who looks at a map takes a turn of its owner's maps */
    snprintf(call->task.owner, sizeof call->task.owner, "maps:%s", question->service->owner);
  snprintf(call->task.header.user, sizeof call->task.header.user, "%s", question->service->owner);
  call->task.graph = &call->body;
  call->task.client_fd = http_fd(exchange->http);
  call->task.seconds = question->seconds > 0 ? question->seconds : map_seconds;
  call->task.was_tried = true; /* a worker that holds maps open does in milliseconds what a fresh one is long about */
  call->task.done = map_done;
  struct error error = {0};
  const bool has_files = file_tree_path(exchange->store, exchange->server->settings.data, question->service->owner,
                                        call->task.header.files, &error) == 0;
  if (has_files && !http_hold(exchange->http, call->body.length))
    error_set(&error, ERROR_InfrastructureBusy, "too many maps are being drawn; please try again");
  else if (has_files && worker_pool_submit(exchange->server->pool, &call->task, &error) == 0)
    return 0;
  buffer_free(&call->body);
  free(call);
  reply_error(exchange, &error);
  return -1;
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

void map_reply_bytes(struct exchange *exchange, const char *media_type, struct buffer *bytes, struct hash tag)
{
  char text[40];
  const char *known = http_header(exchange->http, "If-None-Match");
  snprintf(text, sizeof text, "\"%016" PRIx64 "%016" PRIx64 "\"", tag.a, tag.b);
  const bool same = known != NULL && strstr(known, text) != NULL;
  struct http_response *response = bytes->failed ? NULL : http_response_new(same ? 304 : 200);
  http_response_header(response, "ETag", "%s", text);
  http_response_header(response, "Cache-Control", "%s", "public, max-age=60");
  if (response != NULL && !same) {
    snprintf(response->media_type, sizeof response->media_type, "%s", media_type);
    response->body = *bytes;
    *bytes = (struct buffer){0};
  }
  buffer_free(bytes);
  reply(exchange, response);
}

struct picture_call {
  struct hash key;
  enum tile_format format;
  struct buffer kept;   /* the picture as it lies in the folder of tiles; empty: it does not */
  struct hash revision; /* … of which data */
};

static void picture_call_free(struct picture_call *call)
{
  if (call != NULL)
    buffer_free(&call->kept);
  free(call);
}

/* The picture, which the worker has made or found to be as it was. */
static void reply_picture(struct exchange *exchange, struct picture_call *call, struct buffer *picture)
{
  struct hash tag = {0, 0};
  hash_bytes(&tag, picture->data, picture->length);
  tile_cache_put(service_hub_tiles(exchange->server->services), call->key, picture->data, picture->length, tag);
  map_reply_bytes(exchange, tile_format_media_type(call->format), picture, tag);
}

static void picture_answer(struct exchange *exchange, const struct map_reply *answer, const struct error *error,
                           void *data)
{
  struct picture_call *call = data;
  struct hash revision;
  if (error != NULL) {
    reply_error(exchange, error);
  } else if (answer->length < sizeof revision) {
    reply_code(exchange, ERROR_Internal, "the worker's picture is cut off");
  } else if (answer->length == sizeof revision) {
    reply_picture(exchange, call, &call->kept);
  } else {
    struct tile_folder *folder = service_hub_folder(exchange->server->services);
    const char *bytes = answer->bytes + sizeof revision;
    const size_t length = answer->length - sizeof revision;
    struct buffer picture = {0};
    memcpy(&revision, answer->bytes, sizeof revision);
    buffer_add(&picture, bytes, length);
    reply_picture(exchange, call, &picture);
    tile_folder_put(folder, call->key, revision, bytes, length);
  }
  picture_call_free(call);
}

/* All that a picture depends on, but for the files' contents. */
static struct hash key_of(const struct map_question *question)
{
  struct hash key = {0, 0};
  char *choice = json_dumps(question->choice, JSON_COMPACT | JSON_SORT_KEYS);
  hash_text(&key, question->service->id);
  hash_word(&key, (uint64_t)question->service->version);
  hash_text(&key, question->service->process);
  hash_bytes(&key, &question->task, sizeof question->task);
  hash_text(&key, choice);
  free(choice);
  return key;
}

void map_reply_picture(struct exchange *exchange, const struct map_question *question)
{
  struct picture_call *call = calloc(1, sizeof *call);
  struct buffer picture = {0};
  struct hash tag;
  if (call == NULL) {
    reply(exchange, NULL);
    return;
  }
  *call = (struct picture_call){.key = key_of(question), .format = (enum tile_format)question->task.format};
  const bool known = tile_cache_get(service_hub_tiles(exchange->server->services), call->key, &picture, &tag);
  if (known) {
    map_reply_bytes(exchange, tile_format_media_type(call->format), &picture, tag);
    picture_call_free(call);
    return;
  }
  struct map_question asked = *question;
  if (tile_folder_get(service_hub_folder(exchange->server->services), call->key, &call->kept, &call->revision))
    asked.task.have = call->revision;
  if (map_ask(exchange, &asked, picture_answer, call) != 0)
    picture_call_free(call);
}
