/* Batch jobs: create, read, change, delete, list. */
#include "server/endpoints/endpoints.h"

#include "server/store/folder.h"
#include "server/endpoints/job_default.h"
#include "server/endpoints/job_link.h"
#include "server/jobs/job_folder.h"
#include "server/http/json_text.h"
#include "server/http/request_json.h"
#include "server/publish/publish.h"
#include "server/publish/publish_option.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum { MAX_TITLE = 10000, MAX_DESCRIPTION = 1000000, MAX_OPTIONS = 100000 };
/* A page of the list ends after so many jobs where the request does not say, and where their texts are long. */
enum { PAGE_JOBS = 1000, PAGE_BYTES = 4 * 1024 * 1024 };

/* ---- reading requests ---- */

static int set_text(char **text, const char *value, struct error *error)
{
  char *copy = value != NULL ? strdup(value) : NULL;
  if (value != NULL && copy == NULL)
    return error_memory(error);
  free(*text);
  *text = copy;
  return 0;
}

/* A member that is a text, null, or absent (then the text stays). */
static int take_text(const json_t *root, const char *name, size_t longest, char **text, struct error *error)
{
  const json_t *member = json_object_get(root, name);
  if (member == NULL)
    return 0;
  if (!json_is_string(member) && !json_is_null(member))
    return error_parameter(error, ERROR_RequestBodyInvalid, name, "wants a string or null");
  if (json_string_length(member) > longest)
    return error_parameter(error, ERROR_RequestBodyInvalid, name, "is longer than %zu bytes", longest);
  return set_text(text, json_string_value(member), error);
}

static int take_budget(const json_t *root, struct job *job, struct error *error)
{
  const json_t *member = json_object_get(root, "budget");
  if (member == NULL)
    return 0;
  if (!json_is_number(member) && !json_is_null(member))
    return error_parameter(error, ERROR_BudgetInvalid, "budget", "wants a number or null");
  job->has_budget = json_is_number(member);
  job->budget = json_number_value(member);
  if (job->has_budget && !(job->budget > 0))
    return error_parameter(error, ERROR_BudgetInvalid, "budget", "wants to be above 0");
  return 0;
}

static int take_log_level(const json_t *root, struct job *job, struct error *error)
{
  const json_t *member = json_object_get(root, "log_level");
  enum log_level level;
  if (member == NULL || json_is_null(member))
    return 0;
  if (!json_is_string(member) || log_level_parse(json_string_value(member), &level) != 0)
    return error_parameter(error, ERROR_RequestBodyInvalid, "log_level", "wants error, warning, info or debug");
  snprintf(job->log_level, sizeof job->log_level, "%s", log_level_name(level));
  return 0;
}

/* The process is kept as it was sent: numbers keep their digits. */
static int take_process(const struct exchange *exchange, struct job *job, struct error *error)
{
  char *text = NULL;
  if (request_copy_process(exchange, &text, error) != 0)
    return -1;
  if (text == NULL)
    return 0;
  free(job->process);
  job->process = text;
  return 0;
}

static bool is_defined(const char *name)
{
  static const char *const names[] = {"title",  "description", "process", "plan",    "budget", "log_level", "id",
                                      "status", "progress",    "created", "updated", "usage",  "costs",     "links"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(name, names[i]) == 0)
      return true;
  return false;
}

/* job_options.priority, or priority itself: whole numbers; what is given twice is the option's. */
static int check_priority(const json_t *priority, struct job *job, struct error *error)
{
  const json_int_t number = json_integer_value(priority);
  if (priority != NULL && !json_is_null(priority) &&
      (!json_is_integer(priority) || number < -JOB_MAX_PRIORITY || number > JOB_MAX_PRIORITY))
    return error_parameter(error, ERROR_RequestBodyInvalid, "priority", "wants a whole number from %d to %d",
                           -JOB_MAX_PRIORITY, (int)JOB_MAX_PRIORITY);
  job->priority = number;
  return 0;
}

/* The request's word counts before the process's. */
static int take_priority(const struct exchange *exchange, const json_t *kept, struct job *job, struct error *error)
{
  const json_t *option = json_object_get(json_object_get(kept, "job_options"), "priority");
  const json_t *priority = option != NULL ? option : json_object_get(kept, "priority");
  if (priority != NULL)
    return check_priority(priority, job, error);
  json_t *own = NULL;
  if (job_default_option(exchange, job, "priority", &own, error) != 0)
    return -1;
  const int status = check_priority(own, job, error);
  json_decref(own);
  return status;
}

/* The option "publish", which the process may have too: what is wrong with it is said before anything is computed. */
static int take_publish(const struct exchange *exchange, json_t *kept, struct job *job, struct error *error)
{
  const struct server_settings *settings = &exchange->server->settings;
  const struct publish_place place = {settings->published, settings->catalogue, settings->shared_catalogue};
  struct publication p = {.user = exchange->user};
  bool is_there;
  if (json_object_get(kept, PUBLISH_OPTION) == NULL &&
      json_object_get(json_object_get(kept, "job_options"), PUBLISH_OPTION) == NULL) {
    json_t *own = NULL;
    if (job_default_option(exchange, job, PUBLISH_OPTION, &own, error) != 0)
      return -1;
    if (own != NULL && json_object_set_new(kept, PUBLISH_OPTION, own) != 0)
      return error_memory(error);
  }
  const json_t *option = publish_option_find(kept);
  if (option == NULL)
    return 0;
  if (publish_option_read(option, &p, error) != 0)
    return -1;
  if (publish_check(&place, &p, &is_there, error) == 0)
    return 0;
  snprintf(error->parameter, sizeof error->parameter, "%s", PUBLISH_OPTION);
  return -1;
}

/* What the API does not define, such as job_options, is kept and shown with the job; its log will say that it has no
 * effect. A PATCH replaces members by name. */
static int take_options(const struct exchange *exchange, json_t *root, struct job *job, struct error *error)
{
  const char *name;
  json_t *member, *kept = job->options != NULL ? json_loads(job->options, 0, NULL) : json_object();
  int status = kept == NULL ? -1 : 0;
  json_object_foreach(root, name, member) if (!is_defined(name) && status == 0) status =
      json_object_set(kept, name, member);
  int taken = status == 0 ? take_priority(exchange, kept, job, error) : 0;
  if (status == 0 && taken == 0)
    taken = take_publish(exchange, kept, job, error);
  char *text = status == 0 && json_object_size(kept) > 0 ? json_dumps(kept, JSON_COMPACT) : NULL;
  const bool failed = status != 0 || (text == NULL && json_object_size(kept) > 0);
  json_decref(kept);
  if (failed)
    return error_memory(error);
  free(job->options);
  job->options = text;
  if (text != NULL && strlen(text) > MAX_OPTIONS)
    return error_set(error, ERROR_RequestBodyInvalid,
                     "the members that the API does not define take more than %d bytes", (int)MAX_OPTIONS);
  return taken;
}

static int take_job(const struct exchange *exchange, json_t *root, struct job *job, struct error *error)
{
  if (take_text(root, "title", MAX_TITLE, &job->title, error) != 0 ||
      take_text(root, "description", MAX_DESCRIPTION, &job->description, error) != 0 ||
      take_text(root, "plan", MAX_TITLE, &job->plan, error) != 0 ||
      tariff_check_plan(exchange->server->limits.tariff, job->plan, error) != 0 || take_budget(root, job, error) != 0 ||
      take_log_level(root, job, error) != 0 || take_process(exchange, job, error) != 0)
    return -1;
  return take_options(exchange, root, job, error);
}

/* ---- writing jobs ---- */

static bool is_status(const struct job *job, const char *status)
{
  return strcmp(job->status, status) == 0;
}

static void write_progress(struct json_writer *w, const struct exchange *exchange, const struct job *job)
{
  double progress = job->progress;
  if (is_status(job, "running")) {
    double live = job_queue_progress(exchange->server->jobs, job->id);
    progress = live >= 0 ? live : progress;
  } else if (is_status(job, "created") || is_status(job, "queued")) {
    progress = 0;
  }
  if (progress >= 0)
    json_kv_number(w, "progress", (double)(int)(progress * 100) / 100);
}

/* Good for a while and without a token: browsers cannot send one with an EventSource. */
static void write_events_link(struct json_writer *w, const struct exchange *exchange, const struct job *job)
{
  struct error ignored = {0}; /* such as a database that has just gone away: then there is no link */
  struct job_link link = {.name = EVENT_LINK_NAME, .expires = store_now() / 1000 + EVENT_LINK_SECONDS};
  char signature[SIGNATURE_SIZE], path[256];
  if (job_link_begin(exchange, job, ALL_RUNS, &link, &ignored) != 0)
    return;
  job_link_sign(exchange, job->id, &link, signature);
  snprintf(path, sizeof path, "/jobs/%s/events?expires=%" PRId64 "&signature=%s", job->id, link.expires, signature);
  write_link(w, "events", exchange->base, path, "text/event-stream", "State, progress and logs as they change");
}

static void write_job_links(struct json_writer *w, const struct exchange *exchange, const struct job *job)
{
  char path[128];
  json_key(w, "links");
  json_write_array(w);
  snprintf(path, sizeof path, "/jobs/%s", job->id);
  write_link(w, "self", exchange->base, path, "application/json", NULL);
  snprintf(path, sizeof path, "/jobs/%s/logs", job->id);
  write_link(w, "monitor", exchange->base, path, "application/json", "Logs");
  snprintf(path, sizeof path, "/jobs/%s/explain", job->id);
  write_link(w, "explain", exchange->base, path, "application/json", "The plan: stages, kernels, tiles, memory");
  write_events_link(w, exchange, job);
  if (is_status(job, "finished")) {
    snprintf(path, sizeof path, "/jobs/%s/results", job->id);
    write_link(w, "result", exchange->base, path, "application/json", "Results");
  }
  json_end_array(w);
}

/* The members of an object, within another one. */
static void write_options(struct json_writer *w, const char *options)
{
  json_t *object = json_loads(options, 0, NULL);
  const char *name;
  json_t *member;
  json_object_foreach(object, name, member)
  {
    char *text = json_dumps(member, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL) {
      w->out->failed = true;
      break;
    }
    json_key(w, name);
    json_write_raw(w, text, strlen(text));
    free(text);
  }
  json_decref(object);
}

/* Absent fields are left out: some validators do not take null for them. */
static void write_job(struct json_writer *w, const struct exchange *exchange, const struct job *job, bool whole)
{
  json_write_object(w);
  json_kv_string(w, "id", job->id);
  if (job->title != NULL)
    json_kv_string(w, "title", job->title);
  if (job->description != NULL)
    json_kv_string(w, "description", job->description);
  if (whole) {
    json_key(w, "process");
    json_write_raw(w, job->process, strlen(job->process));
  }
  json_kv_string(w, "status", job->status);
  write_progress(w, exchange, job);
  write_time(w, "created", job->created);
  write_time(w, "updated", job->updated);
  if (job->plan != NULL)
    json_kv_string(w, "plan", job->plan);
  if (job->has_budget)
    json_kv_number(w, "budget", job->budget);
  if (job->costs >= 0)
    json_kv_number(w, "costs", job->costs);
  json_kv_string(w, "log_level", job->log_level);
  if (whole && job->options != NULL)
    write_options(w, job->options);
  if (whole && job->usage != NULL) {
    json_key(w, "usage");
    json_write_raw(w, job->usage, strlen(job->usage));
  }
  write_own_backend(exchange, w);
  if (whole)
    write_job_links(w, exchange, job);
  json_end_object(w);
}

/* ---- handlers ---- */

/* What is left of the disk at the end is for states, logs and logins. */
static int keep_reserve(const struct exchange *exchange, struct error *error)
{
  static const double most = 64.0 * 1024 * 1024;
  const char *data = exchange->server->settings.data;
  struct statvfs disk;
  if (statvfs(data, &disk) != 0)
    return 0;
  const double size = (double)disk.f_blocks * (double)disk.f_frsize;
  const double given = (double)disk.f_bavail * (double)disk.f_frsize, reserve = size / 50 < most ? size / 50 : most;
  if (given >= reserve)
    return 0;
  return error_set(error, ERROR_StorageFailure, "the disk has %.0f bytes free; new jobs want %.0f", given, reserve);
}

void post_jobs(struct exchange *exchange)
{
  struct error error = {0};
  struct job job = {.log_level = "info"};
  snprintf(job.owner, sizeof job.owner, "%s", exchange->user);
  json_t *root = request_read_members(exchange, &error);
  int status = root == NULL ? -1 : take_job(exchange, root, &job, &error);
  json_decref(root);
  if (status == 0)
    status = keep_reserve(exchange, &error);
  if (status == 0 && job.process == NULL)
    status = error_parameter(&error, ERROR_ProcessGraphMissing, "process", "is missing");
  if (status == 0)
    status = store_job_put(exchange->store, &job, &error);
  if (status != 0) {
    reply_error(exchange, &error);
  } else {
    struct http_response *response = http_response_new(201);
    http_response_header(response, "Location", "%s/jobs/%s", exchange->base, job.id);
    http_response_header(response, "OpenEO-Identifier", "%s", job.id);
    reply(exchange, response);
  }
  job_free(&job);
}

int get_own_job(struct exchange *exchange, struct job *job)
{
  struct error error = {0};
  if (store_job_get(exchange->store, exchange->user, exchange->parameters[0], job, &error) == 0)
    return 0;
  reply_error(exchange, &error);
  return -1;
}

void get_job(struct exchange *exchange)
{
  struct job job = {0};
  if (get_own_job(exchange, &job) != 0)
    return;
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  write_job(&w, exchange, &job, true);
  job_free(&job);
  reply_json(exchange, 200, &json);
}

void patch_job(struct exchange *exchange)
{
  struct error error = {0};
  struct job job = {0};
  if (get_own_job(exchange, &job) != 0)
    return;
  json_t *root = request_read_members(exchange, &error);
  int status = root == NULL ? -1 : take_job(exchange, root, &job, &error);
  json_decref(root);
  if (status == 0)
    status = store_job_update(exchange->store, &job, &error);
  job_free(&job);
  if (status != 0)
    reply_error(exchange, &error);
  else
    reply_empty(exchange, 204);
}

void delete_job(struct exchange *exchange)
{
  struct error error = {0};
  char folder[JOB_FOLDER_SIZE];
  const char *id = exchange->parameters[0];
  int64_t run = 0;
  if (store_job_delete(exchange->store, &(struct job_key){exchange->user, id}, &run, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  /* The row is gone: whoever still runs it will find no row to finish, and sweeps. */
  job_queue_cancel(exchange->server->jobs, id, run);
  job_folder(exchange->server->settings.data, id, folder);
  folder_remove(folder);
  job_queue_tidy(exchange->server->jobs);
  reply_empty(exchange, 204);
}

struct listing {
  struct exchange *exchange;
  struct json_writer *w;
  long limit, written;
  int64_t last;
  bool more;
};

static bool write_listed(void *data, const struct job *job)
{
  struct listing *listing = data;
  listing->more = listing->more || listing->written == listing->limit ||
                  (listing->written > 0 && listing->w->out->length > PAGE_BYTES);
  if (listing->more)
    return false;
  write_job(listing->w, listing->exchange, job, false);
  listing->written++;
  listing->last = job->seq;
  return true;
}

static void write_next(struct json_writer *w, const struct exchange *exchange, const struct listing *listing)
{
  char path[128];
  json_key(w, "links");
  json_write_array(w);
  if (listing->more) {
    snprintf(path, sizeof path, "/jobs?limit=%ld&before=%" PRId64, listing->limit, listing->last);
    write_link(w, "next", exchange->base, path, "application/json", NULL);
  }
  json_end_array(w);
}

/* Where the page begins: behind the job of this number. */
static int read_before(const struct exchange *exchange, int64_t *out, struct error *error)
{
  char text[24] = "", *end = text;
  int given = http_query(exchange->http, "before", text, sizeof text);
  *out = given > 0 ? strtoll(text, &end, 10) : 0;
  if (given < 0 || *end != '\0' || *out < 0)
    return error_parameter(error, ERROR_QueryParameterInvalid, "before", "is no position in the list");
  return 0;
}

void get_jobs(struct exchange *exchange)
{
  struct error error = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct listing listing = {.exchange = exchange, .w = &w};
  int64_t before = 0;
  int status = read_limit(exchange, &listing.limit, &error);
  if (status == 0)
    status = read_before(exchange, &before, &error);
  if (listing.limit == 0)
    listing.limit = PAGE_JOBS;
  json_write_object(&w);
  json_key(&w, "jobs");
  json_write_array(&w);
  if (status == 0)
    status = store_job_list(exchange->store, exchange->user, before, write_listed, &listing, &error);
  json_end_array(&w);
  write_next(&w, exchange, &listing);
  json_end_object(&w);
  reply_made(exchange, status, &json, &error);
}
