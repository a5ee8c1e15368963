/* Results of finished jobs as collections of this server: PUT /collections/ID with the job's id publishes, DELETE takes
 * back. Such a collection is there for all; its files lie in the folder of what is published, apart from the job. */
#include "server/endpoints/endpoints.h"

#include "server/endpoints/result_document.h"
#include "server/http/reply_file.h"
#include "server/http/request_json.h"
#include "server/jobs/job_folder.h"
#include "server/publish/published_document.h"
#include "server/publish/published_files.h"

#include "datacube/sink.h"
#include "stac/json_tree.h"
#include "stac/search/stored_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_enabled(const struct exchange *exchange, struct error *error)
{
  return exchange->server->settings.published != NULL
             ? 0
             : error_set(error, ERROR_FeatureUnsupported, "results are not published here");
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static int read_body(const json_t *body, const char **job, struct error *error)
{
  *job = json_tree_text(body, "job");
  if (*job == NULL)
    return error_parameter(error, ERROR_RequestBodyInvalid, "job", "wants to be the id of a finished job");
  if (!json_is_true(json_object_get(body, "public")))
    return error_parameter(error, ERROR_FeatureUnsupported, "public",
                           "wants to be true: what is published can be seen and loaded by all; results for their owner "
                           "alone are loaded by load_stac");
  return 0;
}

static int find_job(const struct exchange *exchange, const char *id, struct job *job, struct error *error)
{
  if (store_job_get(exchange->store, exchange->user, id, job, error) != 0)
    return -1;
  return strcmp(job->status, "finished") == 0 && job->result != NULL
             ? 0
             : error_set(error, ERROR_JobNotFinished, "the job has no results to publish");
}

/* One transaction of the catalogue: nothing of what `change` writes counts where it fails. */
static int change_catalogue(const struct exchange *exchange,
                            int (*change)(struct item_writer *, const void *context, struct error *),
                            const void *context, struct error *error)
{
  struct catalogue *catalogue = NULL;
  struct item_writer *writer = NULL;
  int status = catalogue_open(exchange->server->settings.catalogue, true, &catalogue, error);
  if (status == 0)
    status = item_writer_new(catalogue, &writer, error);
  if (status == 0) {
    status = change(writer, context, error);
    if (status == 0)
      status = item_writer_commit(writer, error);
    else
      item_writer_abort(writer);
  }
  catalogue_close(catalogue);
  return status;
}

/* ---- publishing ------------------------------------------------------------------------------------------------- */

static int put_tree(struct item_writer *writer, const char *collection, json_t *tree, struct error *error)
{
  char *text = tree != NULL ? json_dumps(tree, JSON_COMPACT) : NULL;
  int status = text != NULL ? 0 : error_is_set(error) ? -1 : error_memory(error);
  if (status == 0)
    status = collection == NULL ? item_writer_put_collection(writer, NULL, ITEM_INSERT, text, strlen(text), error)
                                : item_writer_put(writer, collection, ITEM_INSERT, text, strlen(text), error);
  free(text);
  json_decref(tree);
  return status;
}

struct published_job {
  const struct publication *publication;
  const struct job *job;
};

static int write_documents(struct item_writer *writer, const void *context, struct error *error)
{
  const struct published_job *whole = context;
  const struct publication *p = whole->publication;
  struct stored_file file;
  size_t at = 0;
  int status = put_tree(writer, NULL, published_collection(p, whole->job, error), error);
  while (status == 0 && stored_file_next(whole->job, &at, &file))
    status = put_tree(writer, p->id, published_item(p, whole->job, &file, error), error);
  return status;
}

static int add_files(const struct exchange *exchange, const struct publication *p, const struct job *job,
                     struct error *error)
{
  char folder[JOB_FOLDER_SIZE];
  struct stored_file file;
  size_t at = 0;
  int status = 0;
  job_result_folder(exchange->server->settings.data, job, folder);
  while (status == 0 && stored_file_next(job, &at, &file))
    status = published_add(exchange->server->settings.published, p->id, folder, file.name, error);
  return status;
}

/* Nothing is replaced: a collection that is there, of whatever kind, must be taken back before. */
static int publish(const struct exchange *exchange, const struct publication *p, const struct job *job,
                   struct error *error)
{
  const char *const folder = exchange->server->settings.published;
  struct buffer there = {0};
  struct error none = {0};
  const bool is_there = catalogue_collection_json(exchange->catalogue, p->id, "", &there, &none) == 0;
  buffer_free(&there);
  if (is_there)
    return error_set(error, ERROR_StacConflict, "there is a collection '%.100s' already", p->id);
  if (!error_is(&none, ERROR_CollectionNotFound)) {
    *error = none;
    return -1;
  }
  if (published_make(folder, p->id, exchange->user, error) != 0)
    return -1;
  int status = add_files(exchange, p, job, error);
  if (status == 0)
    status = change_catalogue(exchange, write_documents, &(struct published_job){p, job}, error);
  if (status != 0)
    published_remove(folder, p->id);
  return status;
}

static int publish_body(struct exchange *exchange, json_t *body, struct error *error)
{
  const struct publication p = {.id = exchange->parameters[0], .base = exchange->base, .body = body};
  struct job job = {0};
  const char *id;
  int status = read_body(body, &id, error);
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

void put_collection(struct exchange *exchange)
{
  struct error error = {0};
  json_t *body = NULL;
  int status = check_enabled(exchange, &error) == 0 ? published_check_id(exchange->parameters[0], &error) : -1;
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

/* A folder that a crash left has no collection. */
static int remove_documents(struct item_writer *writer, const void *id, struct error *error)
{
  int status = item_writer_remove_collection(writer, id, error);
  if (status != 0 && error_is(error, ERROR_CollectionNotFound)) {
    *error = (struct error){0};
    status = 0;
  }
  return status;
}

void delete_collection(struct exchange *exchange)
{
  struct error error = {0};
  const char *const id = exchange->parameters[0], *const folder = exchange->server->settings.published;
  int status = check_enabled(exchange, &error);
  if (status == 0)
    status = published_check_owner(folder, id, exchange->user, &error);
  if (status == 0 && !slow_enter(exchange->server, SLOW_EDIT)) {
    status = error_set(&error, ERROR_InfrastructureBusy, "others change the catalogue; please try again");
  } else if (status == 0) {
    status = change_catalogue(exchange, remove_documents, id, &error);
    if (status == 0)
      published_remove(folder, id);
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

void get_published_file(struct exchange *exchange)
{
  const char *const folder = exchange->server->settings.published, *const name = exchange->parameters[1];
  uint64_t size = 0;
  const int fd = folder != NULL ? published_open(folder, exchange->parameters[0], name, &size) : -1;
  if (fd < 0)
    reply_code(exchange, ERROR_FileNotFound, "no such file is published");
  else
    reply_file(exchange,
               &(struct file_answer){.fd = fd, .size = size, .media_type = media_type_of(name), .is_download = true});
}
