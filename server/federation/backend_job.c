#include "server/federation/backend_job.h"

#include "server/clock.h"
#include "server/federation/backend_answer.h"
#include "server/federation/backend_collection.h"
#include "server/federation/backend_items.h"
#include "server/federation/backend_survey.h"
#include "server/http/http.h"
#include "server/web/web_fetch.h"
#include "server/workers/backoff.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
  CALL_SECONDS = 30,
  DELETE_SECONDS = 5,
  SLICE_MS = 100,           /* of a pause, after which it is looked whether anybody still waits */
  FAILURES_MOST = 6,        /* of questions after its state, one behind the other */
  DOCUMENT_BYTES = 4 << 20, /* of results and logs */
  LOGS_MOST = 200,          /* entries … */
  MESSAGE_MOST = 1000,      /* … of so many bytes */
  JOB_ID_SIZE = WEB_PLACE_SIZE
};

struct job_run {
  const struct backend_job *job;
  int64_t end;          /* steady_now */
  char id[JOB_ID_SIZE]; /* escaped as part of a path; "": there is none yet */
};

struct job_call {
  const char *path; /* behind that of the job, or of all jobs where there is none yet */
  const struct buffer *json;
  bool deletes;
};

/* ---- one request ------------------------------------------------------------------------------------------------- */

static double seconds_left(const struct job_run *run)
{
  const double left = (double)(run->end - steady_now()) / 1e3;
  return left > 0.001 ? left : 0.001;
}

static int ask(const struct job_run *run, const struct job_call *call, struct web_answer *answer, struct error *error)
{
  static const atomic_bool never = false;
  const struct backend_job *job = run->job;
  const double left = seconds_left(run), most = call->deletes ? DELETE_SECONDS : CALL_SECONDS;
  struct buffer url = {0};
  buffer_printf(&url, "%s/jobs%s%s%s", job->backend->url, run->id[0] != '\0' ? "/" : "", run->id, call->path);
  const struct web_fetch fetch = {.url = url.data,
                                  .bearer = job->token[0] != '\0' ? job->token : NULL,
                                  .ca_file = job->backend->ca_file,
                                  .via = "1.1 " FEDERATION_VIA,
                                  .json = call->json,
                                  .deletes = call->deletes,
                                  .most = DOCUMENT_BYTES,
                                  .seconds = left < most && !call->deletes ? left : most,
                                  .stopping = call->deletes ? &never : job->stopping,
                                  .given_up = call->deletes ? NULL : job->given_up,
                                  .data = job->data};
  *answer = (struct web_answer){0};
  const int status = url.failed ? error_memory(error) : backend_ask(job->backend, &fetch, answer, error);
  buffer_free(&url);
  return status;
}

/* The object that is answered; NULL, and the error, where it is none. */
static json_t *ask_for(const struct job_run *run, const char *path, struct error *error)
{
  struct web_answer answer;
  if (ask(run, &(struct job_call){.path = path}, &answer, error) != 0)
    return NULL;
  json_t *document = answer.status == 200 ? backend_answer_object(&answer) : NULL;
  if (document == NULL)
    backend_refuse(run->job->backend, &answer, error);
  buffer_free(&answer.body);
  return document;
}

/* ---- its life ---------------------------------------------------------------------------------------------------- */

/* Ids are told by a header of openEO, or are the end of the new job's address. */
static int take_id(struct job_run *run, const struct web_answer *answer, struct error *error)
{
  const char *slash = strrchr(answer->place, '/');
  const char *id = answer->identifier[0] != '\0' ? answer->identifier : slash != NULL ? slash + 1 : "";
  struct buffer path = {0};
  http_encode(id, &path);
  const bool fits = path.length > 0 && !path.failed && path.length < sizeof run->id && strspn(id, ".") != strlen(id);
  if (fits)
    snprintf(run->id, sizeof run->id, "%s", path.data);
  buffer_free(&path);
  return fits ? 0
              : error_set(error, ERROR_InfrastructureBusy, "the back-end '%s' does not say which job it made",
                          run->job->backend->id);
}

static int create(struct job_run *run, struct error *error)
{
  struct web_answer answer;
  if (ask(run, &(struct job_call){.path = "", .json = run->job->question}, &answer, error) != 0)
    return -1;
  const int status =
      answer.status == 201 ? take_id(run, &answer, error) : backend_refuse(run->job->backend, &answer, error);
  buffer_free(&answer.body);
  return status;
}

static int start(const struct job_run *run, struct error *error)
{
  static const struct buffer nothing = {.data = ""};
  struct web_answer answer;
  if (ask(run, &(struct job_call){.path = "/results", .json = &nothing}, &answer, error) != 0)
    return -1;
  const bool is_started = answer.status == 202;
  if (!is_started)
    backend_refuse(run->job->backend, &answer, error);
  buffer_free(&answer.body);
  return is_started ? 0 : -1;
}

/* It goes with all that it made, whatever becomes of the answer: the back-end may have forgotten it. */
static void delete_there(const struct job_run *run)
{
  struct web_answer answer;
  struct error ignored = {0};
  if (run->id[0] != '\0' && ask(run, &(struct job_call){.path = "", .deletes = true}, &answer, &ignored) == 0)
    buffer_free(&answer.body);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static int rest(const struct job_run *run, unsigned milliseconds, struct error *error)
{
  const int64_t until = steady_now() + milliseconds;
  const struct backend_job *job = run->job;
  for (int64_t now; (now = steady_now()) < until;) {
    if (atomic_load(job->stopping) || job->given_up(job->data))
      return error_set(error, ERROR_InfrastructureBusy, "nobody waits for it any more");
    if (now >= run->end)
      return error_set(error, ERROR_InfrastructureBusy, "it takes the back-end '%s' too long", job->backend->id);
    const int64_t slice = until - now < SLICE_MS ? until - now : SLICE_MS;
    nanosleep(&(struct timespec){.tv_nsec = (long)slice * 1000000}, NULL);
  }
  return 0;
}

enum ending { NOT_YET, FINISHED, FAILED, CANCELED };

static enum ending read_ending(const json_t *document)
{
  const char *status = json_string_value(json_object_get(document, "status"));
  if (status == NULL)
    return NOT_YET;
  if (strcmp(status, "finished") == 0)
    return FINISHED;
  if (strcmp(status, "error") == 0)
    return FAILED;
  return strcmp(status, "canceled") == 0 ? CANCELED : NOT_YET;
}

/* Questions that get no answer are asked again, some times. */
static int wait_for_end(const struct job_run *run, enum ending *out, struct error *error)
{
  struct backoff backoff = {0};
  unsigned failures = 0;
  for (*out = NOT_YET; *out == NOT_YET;) {
    struct error reason = {0};
    if (rest(run, backoff_next(&backoff), error) != 0)
      return -1;
    json_t *document = ask_for(run, "", &reason);
    failures = document != NULL ? 0 : failures + 1;
    *out = read_ending(document);
    json_decref(document);
    if (failures > FAILURES_MOST || (failures > 0 && !error_is(&reason, ERROR_InfrastructureBusy)))
      return error_set(error, error_code_find(reason.code), "%s", reason.message);
  }
  return 0;
}

/* ---- what it said ------------------------------------------------------------------------------------------------ */

static void add_line(const json_t *entry, struct buffer *logs)
{
  static const char *const levels[] = {"debug", "info", "warning", "error"};
  const char *level = json_string_value(json_object_get(entry, "level"));
  const char *message = json_string_value(json_object_get(entry, "message"));
  size_t known = 1;
  for (size_t i = 0; level != NULL && i < sizeof levels / sizeof levels[0]; i++)
    known = strcmp(levels[i], level) == 0 ? i : known;
  if (message == NULL)
    return;
  buffer_printf(logs, "%s\t", levels[known]);
  const size_t length = strnlen(message, MESSAGE_MOST + 1);
  size_t kept = length <= MESSAGE_MOST ? length : MESSAGE_MOST;
  while (kept < length && kept > 0 && ((unsigned char)message[kept] & 0xc0) == 0x80)
    kept--; /* characters stay whole */
  for (size_t i = 0; i < kept; i++)
    buffer_add(logs, (unsigned char)message[i] < ' ' ? " " : &message[i], 1);
  buffer_text(logs, "\n");
}

/* The last entry of an error is what is wrong, where there is one. */
static void tell_failure(const struct job_run *run, const json_t *entry, struct error *error)
{
  const char *id = run->job->backend->id;
  const char *message = json_string_value(json_object_get(entry, "message"));
  const char *code = json_string_value(json_object_get(entry, "code"));
  const enum error_code known = code != NULL ? error_code_find(code) : ERROR_NONE;
  if (message == NULL)
    error_set(error, ERROR_InfrastructureBusy, "the job at the back-end '%s' failed", id);
  else
    error_set(error, known == ERROR_NONE || known == ERROR_Internal ? ERROR_InfrastructureBusy : known,
              "the job at the back-end '%s' failed: %.400s", id, message);
}

static void read_logs(const struct job_run *run, bool has_failed, struct buffer *logs, struct error *error)
{
  struct error ignored = {0};
  json_t *document = ask_for(run, "/logs", &ignored);
  const json_t *entries = json_object_get(document, "logs"), *entry, *last = NULL;
  size_t i;
  json_array_foreach(entries, i, entry)
  {
    const char *level = json_string_value(json_object_get(entry, "level"));
    if (level != NULL && strcmp(level, "error") == 0)
      last = entry;
    if (i < LOGS_MOST)
      add_line(entry, logs);
  }
  if (has_failed)
    tell_failure(run, last, error);
  json_decref(document);
}

/* ---- its files --------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct job_run *run, const json_t *asset)
{
  const bool is_raster = run->job->is_raster;
  const char *end = is_raster ? ".tif" : ".nc";
  const char *type = json_string_value(json_object_get(asset, "type"));
  const char *href = json_string_value(json_object_get(asset, "href"));
  const size_t length = href != NULL ? strcspn(href, "?#") : 0;
  if (type != NULL)
    return strcasestr(type, is_raster ? "tiff" : "netcdf") != NULL;
  return length > strlen(end) && strncasecmp(href + length - strlen(end), end, strlen(end)) == 0;
}

static int count_files(const struct job_run *run, json_t *assets, struct error *error)
{
  const char *key;
  json_t *asset;
  const size_t most = run->job->is_raster ? 1 : ANSWER_FILES_MOST;
  size_t count = 0;
  json_object_foreach(assets, key, asset) count += is_wanted(run, asset);
  return count > 0 && count <= most
             ? 0
             : error_set(error, ERROR_FeatureUnsupported,
                         "the job at the back-end '%s' made %zu %s files, of 1 to %zu that are due",
                         run->job->backend->id, count, run->job->is_raster ? "GTiff" : "netCDF", most);
}

static int find_file(const struct job_run *run, const json_t *asset, struct buffer *url, struct error *error)
{
  const char *href = json_string_value(json_object_get(asset, "href"));
  struct buffer base = {0};
  buffer_printf(&base, "%s/jobs/%s/results", run->job->backend->url, run->id);
  if (!base.failed && href != NULL)
    backend_resolve(base.data, href, url);
  buffer_free(&base);
  return url->length > 0 && !url->failed
             ? 0
             : error_set(error, ERROR_InfrastructureBusy, "the back-end '%s' does not say where its file is",
                         run->job->backend->id);
}

/* Files may have as many bytes together as one. */
static int download(const struct job_run *run, const char *url, struct error *error)
{
  const struct backend_job *job = run->job;
  const bool is_there = backend_is_there(job->backend, url);
  struct web_answer answer;
  if (answer_files_next(job->files, error) != 0)
    return -1;
  const uint64_t had = job->files->bytes, most = job->backend->result_size;
  const struct web_fetch fetch = {.url = url,
                                  .is_public = !is_there,
                                  .bearer = is_there && job->token[0] != '\0' ? job->token : NULL,
                                  .ca_file = is_there ? job->backend->ca_file : NULL,
                                  .via = "1.1 " FEDERATION_VIA,
                                  .file = job->files->file,
                                  .most = most > had ? most - had : 1,
                                  .seconds = seconds_left(run),
                                  .stopping = job->stopping,
                                  .given_up = job->given_up,
                                  .data = job->data};
  if (backend_ask(job->backend, &fetch, &answer, error) != 0)
    return -1;
  const int status = answer.status == 200 ? 0 : backend_refuse(job->backend, &answer, error);
  buffer_free(&answer.body);
  return status;
}

static int fetch_files(const struct job_run *run, struct error *error)
{
  const char *key;
  json_t *results = ask_for(run, "/results", error), *assets = json_object_get(results, "assets"), *asset;
  int status = results != NULL ? count_files(run, assets, error) : -1;
  json_object_foreach(assets, key, asset)
  {
    struct buffer url = {0};
    if (status == 0 && is_wanted(run, asset))
      status = find_file(run, asset, &url, error) == 0 ? download(run, url.data, error) : -1;
    buffer_free(&url);
  }
  json_decref(results);
  return status;
}

/* ---- together ---------------------------------------------------------------------------------------------------- */

static int finish(const struct job_run *run, struct buffer *logs, struct error *error)
{
  enum ending ending;
  if (start(run, error) != 0 || wait_for_end(run, &ending, error) != 0)
    return -1;
  if (ending == CANCELED)
    return error_set(error, ERROR_InfrastructureBusy, "the back-end '%s' cancelled the job", run->job->backend->id);
  read_logs(run, ending == FAILED, logs, error);
  return ending == FINISHED ? fetch_files(run, error) : -1;
}

int backend_job_run(const struct backend_job *job, struct buffer *logs, struct error *error)
{
  struct job_run run = {.job = job, .end = steady_now() + (int64_t)(job->seconds * 1e3)};
  if (create(&run, error) != 0)
    return -1;
  const int status = finish(&run, logs, error);
  delete_there(&run);
  return status;
}
