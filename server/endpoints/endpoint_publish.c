/* Results of finished jobs as collections of this server: PUT /collections/ID with the job's id publishes, DELETE takes
 * back. Such a collection is there for all, or for its owner alone; its files lie in the folder of what is published,
 * apart from the job. */
#include "server/endpoints/endpoints.h"

#include "server/http/reply_file.h"
#include "server/http/request_json.h"
#include "server/jobs/job_folder.h"
#include "server/publish/publish.h"
#include "server/publish/publish_option.h"
#include "server/publish/published_files.h"

#include "datacube/sink.h"
#include "stac/json_tree.h"

#include <string.h>

static struct publish_place place_of(const struct exchange *exchange)
{
  const struct server_settings *settings = &exchange->server->settings;
  return (struct publish_place){settings->published, settings->catalogue, settings->shared_catalogue};
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static int read_body(const json_t *body, const char **job, struct publication *p, struct error *error)
{
  *job = json_tree_text(body, "job");
  if (*job == NULL)
    return error_parameter(error, ERROR_RequestBodyInvalid, "job", "wants to be the id of a finished job");
  return publish_read_audience(body, "public", &p->audience, error);
}

static int find_job(const struct exchange *exchange, const char *id, struct job *job, struct error *error)
{
  if (store_job_get(exchange->store, exchange->user, id, job, error) != 0)
    return -1;
  return strcmp(job->status, "finished") == 0 && job->result != NULL
             ? 0
             : error_set(error, ERROR_JobNotFinished, "the job has no results to publish");
}

/* ---- publishing ------------------------------------------------------------------------------------------------- */

static int publish(const struct exchange *exchange, const struct publication *p, const struct job *job,
                   struct error *error)
{
  const struct publish_place place = place_of(exchange);
  char folder[JOB_FOLDER_SIZE];
  job_result_folder(exchange->server->settings.data, job, folder);
  return publish_results(&place, p, job, folder, error);
}

static int publish_body(struct exchange *exchange, json_t *body, struct error *error)
{
  struct publication p = {.id = exchange->parameters[0], .user = exchange->user, .base = exchange->base, .body = body};
  struct job job = {0};
  const char *id;
  int status = read_body(body, &id, &p, error);
  if (status == 0)
    status = find_job(exchange, id, &job, error);
  if (status == 0 && !slow_enter(exchange->server, SLOW_EDIT)) {
    status = error_set(error, ERROR_InfrastructureBusy, "others change the catalogue; please try again");
  } else if (status == 0) {
    status = publish(exchange, &p, &job, error);
    slow_leave(exchange->server, SLOW_EDIT);
  }
  job_free(&job);
  return status;
}

/* Answers where nothing is published: to a client the path then has no such method. */
static bool is_refused(struct exchange *exchange, const struct publish_place *place)
{
  if (place->folder == NULL)
    reply_code(exchange, ERROR_MethodNotAllowed, "results are not published here: this path takes GET");
  return place->folder == NULL;
}

void put_collection(struct exchange *exchange)
{
  struct error error = {0};
  json_t *body = NULL;
  const struct publish_place place = place_of(exchange);
  if (is_refused(exchange, &place))
    return;
  int status = publish_check_id(&place, exchange->parameters[0], &error);
  if (status == 0 && (body = request_read_members(exchange, &error)) == NULL)
    status = -1;
  if (status == 0)
    status = publish_body(exchange, body, &error);
  if (status == 0) {
    struct http_response *response = http_response_new(201);
    http_response_header(response, "Location", "%s/collections/%s", exchange->base, exchange->parameters[0]);
    http_response_header(response, "OpenEO-Identifier", "%s", exchange->parameters[0]);
    reply(exchange, response);
  } else {
    reply_error(exchange, &error);
  }
  json_decref(body);
}

/* ---- taking back ------------------------------------------------------------------------------------------------ */

void delete_collection(struct exchange *exchange)
{
  struct error error = {0};
  const struct publish_place place = place_of(exchange);
  int status = 0;
  if (is_refused(exchange, &place))
    return;
  if (!slow_enter(exchange->server, SLOW_EDIT)) {
    status = error_set(&error, ERROR_InfrastructureBusy, "others change the catalogue; please try again");
  } else {
    status = publish_take_back(&place, exchange->parameters[0], exchange->user, &error);
    slow_leave(exchange->server, SLOW_EDIT);
  }
  if (status == 0)
    reply_empty(exchange, 204);
  else
    reply_error(exchange, &error);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static const char *media_type_of(const char *name)
{
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot != NULL && sink_formats[i] != NULL; i++)
    if (strcmp(sink_formats[i]->extension, dot + 1) == 0)
      return sink_formats[i]->media_type;
  return "application/octet-stream";
}

/* Who does not see the collection gets nothing of it. */
void get_published_file(struct exchange *exchange)
{
  const char *const folder = exchange->server->settings.published, *const id = exchange->parameters[0],
                    *const name = exchange->parameters[1];
  uint64_t size = 0;
  bool is_there = false;
  catalogue_has(exchange->catalogue, id, &is_there, &(struct error){0});
  const int fd = folder != NULL && is_there ? published_open(folder, id, name, &size) : -1;
  if (fd < 0)
    reply_code(exchange, ERROR_FileNotFound, "no such file is published");
  else
    reply_file(exchange,
               &(struct file_answer){.fd = fd, .size = size, .media_type = media_type_of(name), .is_download = true});
}
