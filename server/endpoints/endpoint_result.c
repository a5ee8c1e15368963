/* What the workers answer: synchronous results, validation, estimates. The handler's thread only hands the work on. */
#include "server/endpoints/endpoints.h"

#include "server/files/workspace_folder.h"
#include "server/http/json_text.h"
#include "server/workers/worker_file.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double validation_seconds = 60.0, strangers_seconds = 5.0;

enum { REQUEST_ID_SIZE = 32 };

/* An exchange that waits for a worker. */
struct work {
  struct pool_task task; /* first member */
  struct exchange *exchange;
  char id[REQUEST_ID_SIZE]; /* of a synchronous request; "" : none */
  struct buffer graph;      /* owned, where it is not the request's body */
};

static void work_free(struct work *work)
{
  buffer_free(&work->graph);
  free(work);
}

static void reply_broken(struct exchange *exchange, enum worker_outcome outcome)
{
  if (outcome == WORKER_TIMEOUT)
    reply_code(exchange, ERROR_RequestTimeout, "the computation took too long; please use a batch job");
  else if (outcome == WORKER_CANCELLED)
    reply_code(exchange, ERROR_InfrastructureMaintenance, "the request was cancelled");
  else if (outcome == WORKER_UNAVAILABLE)
    reply_code(exchange, ERROR_InfrastructureBusy, "no worker process is to be had now; please try again");
  else
    reply_code(exchange, ERROR_Internal, "the worker process ended unexpectedly; only this request is lost");
}

/* What a synchronous result costs, and from openEO 1.3 on the name that the request went by. */
static void add_result_headers(const struct work *work, const struct reply_header *worker,
                               struct http_response *response)
{
  const struct task_header *task = &work->task.header;
  http_response_header(
      response, "OpenEO-Costs", "%.10g",
      tariff_charge(&task->tariff, worker->cpu_seconds, worker->disk_read, task->has_budget ? &task->budget : NULL));
  if (work->id[0] && api_version_reaches(work->exchange->api, 1, 3))
    http_response_header(response, "OpenEO-Identifier", "%s", work->id);
}

static void reply_value(struct exchange *exchange, const struct work *work, const struct worker_reply *worker)
{
  struct http_response *response = http_response_new(200);
  if (response != NULL) {
    buffer_add(&response->body, worker->json, worker->header.json_size);
    snprintf(response->media_type, sizeof response->media_type, "application/json%s",
             work->task.header.official ? "; encoding=official" : "");
    add_result_headers(work, &worker->header, response);
    if (response->body.failed) {
      http_response_free(response);
      response = NULL;
    }
  }
  reply(exchange, response);
}

static void reply_result_file(struct exchange *exchange, const struct work *work, const struct worker_reply *worker)
{
  struct http_response *response = worker_file_response(work->task.header.output, worker);
  if (response == NULL) {
    reply_code(exchange, ERROR_Internal, "the worker left no result file");
    return;
  }
  add_result_headers(work, &worker->header, response);
  reply(exchange, response);
}

static void result_done(struct pool_task *task, enum worker_outcome outcome, const struct worker_reply *worker)
{
  struct work *work = (struct work *)task;
  if (outcome != WORKER_REPLIED)
    reply_broken(work->exchange, outcome);
  else if (error_is_set(&worker->header.error))
    reply_error(work->exchange, &worker->header.error);
  else if (worker->header.files_size == 0)
    reply_value(work->exchange, work, worker);
  else
    reply_result_file(work->exchange, work, worker);
  work_free(work);
}

static void estimate_done(struct pool_task *task, enum worker_outcome outcome, const struct worker_reply *worker)
{
  struct work *work = (struct work *)task;
  if (outcome != WORKER_REPLIED) {
    reply_broken(work->exchange, outcome);
  } else if (error_is_set(&worker->header.error)) {
    reply_error(work->exchange, &worker->header.error);
  } else {
    struct buffer json = {0};
    struct json_writer w = {.out = &json};
    const double bytes = worker->header.write_bytes;
    json_write_object(&w);
    json_kv_integer(&w, "size", isfinite(bytes) && bytes > 0 && bytes < 9e18 ? (int64_t)bytes : 0);
    json_end_object(&w);
    reply_json(work->exchange, 200, &json);
  }
  work_free(work);
}

/* The client asks for the dialect of the official test cases: Content-Type: application/json; encoding=official. */
static bool wants_official(const struct exchange *exchange)
{
  const char *type = http_header(exchange->http, "Content-Type");
  return type != NULL && strstr(type, "encoding=official") != NULL;
}

static void refuse_work(struct work *work, const struct error *error)
{
  struct exchange *exchange = work->exchange;
  work_free(work);
  reply_error(exchange, error);
}

/* A stranger is known by the address, and gets little time. */
static void set_owner(struct pool_task *task, const struct exchange *exchange)
{
  task->is_stranger = exchange->user[0] == '\0';
  snprintf(task->owner, sizeof task->owner, "%s", task->is_stranger ? http_peer(exchange->http) : exchange->user);
  if (task->is_stranger)
    task->seconds = strangers_seconds;
}

/* Hands the exchange to the pool, or answers that it is full. Takes `work`. */
static void submit(struct work *work, const char *purpose)
{
  struct exchange *exchange = work->exchange;
  struct pool_task *task = &work->task;
  task->header.room_most = exchange->server->settings.result_size;
  task->threads = exchange->server->settings.threads;
  snprintf(task->header.history, sizeof task->header.history, "twincube " TWINCUBE_VERSION " %s%s%s", purpose,
           work->id[0] ? " " : "", work->id);
  task->client_fd = http_fd(exchange->http);
  set_owner(task, exchange);
  task->is_alone = asked_federation(exchange) == NULL;
  snprintf(task->header.user, sizeof task->header.user, "%s", exchange->user);
  struct error error = {0};
  const struct server_settings *settings = &exchange->server->settings;
  task->header.workspace_most = exchange->server->limits.user_files;
  if (file_tree_path(exchange->store, settings->data, exchange->user, task->header.files, &error) != 0 ||
      workspace_folder(exchange->store, settings->workspaces, exchange->user, task->header.workspaces, &error) != 0)
    refuse_work(work, &error);
  else if (worker_pool_submit(exchange->server->pool, task, &error) != 0)
    refuse_work(work, &error);
}

/* A new name for a request: "r-" and random digits. */
static void name_request(char out[REQUEST_ID_SIZE])
{
  unsigned char random[12];
  randombytes_buf(random, sizeof random);
  memcpy(out, "r-", 3);
  sodium_bin2hex(out + 2, REQUEST_ID_SIZE - 2, random, sizeof random);
}

static struct work *work_new(struct exchange *exchange, enum task_kind kind, double seconds)
{
  struct work *work = calloc(1, sizeof *work);
  if (work == NULL)
    return NULL;
  work->exchange = exchange;
  if (kind == TASK_EXECUTE)
    name_request(work->id);
  work->task.header.kind = (uint32_t)kind;
  work->task.header.official = wants_official(exchange);
  work->task.header.job = kind == TASK_ESTIMATE || kind == TASK_EXPLAIN; /* of a job: all outcomes */
  work->task.graph = http_body(exchange->http);
  work->task.seconds = seconds;
  work->task.done = kind == TASK_ESTIMATE ? estimate_done : result_done;
  return work;
}

/* A body that is there and starts as an object: the rest is judged where it is read, in the worker. */
static bool body_is_object(const struct exchange *exchange)
{
  const struct buffer *body = http_body(exchange->http);
  for (size_t i = 0; i < body->length; i++)
    if (strchr(" \t\r\n", body->data[i]) == NULL || body->data[i] == '\0')
      return body->data[i] == '{';
  return false;
}

/* `plan` and `budget` of the request; the body's other members are judged in the worker. */
static int take_billing(struct work *work, struct error *error)
{
  const struct tariff *tariff = work->exchange->server->limits.tariff;
  const struct buffer *body = http_body(work->exchange->http);
  struct task_header *task = &work->task.header;
  char plan[64] = "", *end = NULL;
  size_t length = 0;
  const char *text = json_text_member(body->data, body->length, "plan", &length);
  if (text != NULL && length > 2 && text[0] == '"')
    snprintf(plan, sizeof plan, "%.*s", (int)(length - 2 < 60 ? length - 2 : 60), text + 1);
  task->tariff = *tariff;
  text = json_text_member(body->data, body->length, "budget", &length);
  const bool is_given = text != NULL && !(length == 4 && memcmp(text, "null", 4) == 0);
  task->budget = is_given ? strtod(text, &end) : 0;
  if (is_given && (end != text + length || !(task->budget > 0)))
    return error_parameter(error, ERROR_BudgetInvalid, "budget", "wants a number above 0");
  task->has_budget = is_given && tariff_has_prices(tariff);
  return tariff_check_plan(tariff, plan[0] != '\0' ? plan : NULL, error);
}

static void post_graph(struct exchange *exchange, enum task_kind kind, double seconds, const char *purpose)
{
  if (!body_is_object(exchange)) {
    reply_code(exchange, ERROR_RequestBodyInvalid, "the body wants to be a JSON object");
    return;
  }
  struct error error = {0};
  struct work *work = work_new(exchange, kind, seconds);
  if (work == NULL)
    reply(exchange, NULL);
  else if (kind == TASK_EXECUTE && take_billing(work, &error) != 0)
    refuse_work(work, &error);
  else
    submit(work, purpose);
}

void post_result(struct exchange *exchange)
{
  post_graph(exchange, TASK_EXECUTE, exchange->server->limits.request_seconds, "POST /result");
}

void post_validation(struct exchange *exchange)
{
  post_graph(exchange, TASK_VALIDATE, validation_seconds, "POST /validation");
}

/* What a job would be, by its graph; nothing is computed. */
static void foresee(struct exchange *exchange, enum task_kind kind, const char *purpose)
{
  struct job job = {0};
  struct error error = {0};
  if (store_job_get(exchange->store, exchange->user, exchange->parameters[0], &job, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  struct work *work = work_new(exchange, kind, validation_seconds);
  if (work != NULL) {
    buffer_text(&work->graph, job.process);
    work->task.graph = &work->graph;
  }
  job_free(&job);
  if (work != NULL && !http_hold(exchange->http, work->graph.length)) {
    work_free(work);
    reply_code(exchange, ERROR_InfrastructureBusy, "too many graphs wait; please try again");
    return;
  }
  if (work == NULL || work->graph.failed) {
    if (work != NULL)
      work_free(work);
    reply(exchange, NULL);
    return;
  }
  submit(work, purpose);
}

void get_job_estimate(struct exchange *exchange)
{
  foresee(exchange, TASK_ESTIMATE, "estimate");
}

void get_job_explain(struct exchange *exchange)
{
  foresee(exchange, TASK_EXPLAIN, "explain");
}
