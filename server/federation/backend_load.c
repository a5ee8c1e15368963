/* The graph is a worker's, which reads what strangers send: it is taken for data, whose collection and result are put
 * in place here. Where the answer goes, no link is followed. */
#include "server/federation/backend_load.h"

#include "server/federation/answer_files.h"
#include "server/federation/backend_answer.h"
#include "server/federation/backend_job.h"
#include "server/federation/federation_state.h"
#include "server/jobs/loaded_results.h"

#include "processes/local_files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_SIZE = 8192 };

struct request {
  const struct federated_collection *where;
  const struct buffer *question;
  double bytes;               /* that are expected; 0: nothing is known */
  bool is_raster;             /* GTiff is asked for, else netCDF */
  struct answer_files *files; /* get the answer */
  struct buffer *logs;
};

static bool has_given_up(void *data)
{
  const struct backend_load *load = data;
  struct pollfd ends[] = {{.fd = load->client_fd, .events = POLLRDHUP}, {.fd = load->cancel_fd, .events = POLLIN}};
  return poll(ends, 2, 0) > 0;
}

/* ---- the question ------------------------------------------------------------------------------------------------ */

/* Puts the collections' ids there in place of their names; false where one is not there, or no collection is named. */
static bool rename_collections(struct federation *federation, json_t *graph, const struct backend_settings *backend)
{
  char there[COLLECTION_NAME_SIZE];
  const char *id;
  json_t *node;
  json_object_foreach(graph, id, node)
  {
    json_t *arguments = json_object_get(node, "arguments");
    const char *process = json_string_value(json_object_get(node, "process_id"));
    const char *name = json_string_value(json_object_get(arguments, "id"));
    if (process == NULL || strcmp(process, "load_collection") != 0)
      continue;
    if (name == NULL || !federation_id_at(federation, backend, name, there))
      return false;
    json_object_set_new(arguments, "id", json_string(there));
  }
  return true;
}

/* The part as it is asked for there, with the result saved. NULL: it is none. */
static json_t *make_question(json_t *graph, const char *format)
{
  static const char save[] = "federation_save";
  const char *id, *last = NULL;
  json_t *node;
  json_object_foreach(graph, id, node)
  {
    if (json_is_true(json_object_get(node, "result")))
      last = id;
    json_object_del(node, "result");
  }
  if (last == NULL || json_object_get(graph, save) != NULL)
    return NULL;
  node = json_pack("{s:s,s:{s:{s:s},s:s},s:b}", "process_id", "save_result", "arguments", "data", "from_node", last,
                   "format", format, "result", 1);
  json_object_set_new(graph, save, node);
  return json_pack("{s:{s:O}}", "process", "process_graph", graph);
}

/* Our token there, "" where there is none. */
static int read_token(const struct backend_settings *backend, char out[TOKEN_SIZE], struct error *error)
{
  out[0] = '\0';
  if (backend->token_file == NULL)
    return 0;
  FILE *file = fopen(backend->token_file, "re");
  const bool is_read = file != NULL && fgets(out, TOKEN_SIZE, file) != NULL;
  if (file != NULL)
    fclose(file);
  out[strcspn(out, "\r\n")] = '\0';
  return is_read && out[0] != '\0' ? 0
                                   : error_set(error, ERROR_InfrastructureBusy,
                                               "this server has lost its token for the back-end '%s'", backend->id);
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static double seconds_of(const struct backend_load *load, double most)
{
  return load->seconds > 0 && load->seconds < most ? load->seconds : most;
}

static int ask_at_once(struct federation *federation, const struct backend_load *load, const struct request *request,
                       const char *token, struct error *error)
{
  const struct backend_settings *backend = request->where->backend;
  char url[BACKEND_URL_SIZE + 16];
  struct web_answer answer;
  if (answer_files_next(request->files, error) != 0)
    return -1;
  snprintf(url, sizeof url, "%s/result", backend->url);
  const struct web_fetch fetch = {.url = url,
                                  .bearer = token[0] != '\0' ? token : NULL,
                                  .ca_file = backend->ca_file,
                                  .via = "1.1 " FEDERATION_VIA,
                                  .json = request->question,
                                  .file = request->files->file,
                                  .most = backend->result_size,
                                  .seconds = seconds_of(load, BACKEND_LOAD_SECONDS),
                                  .stopping = &federation->stopping,
                                  .given_up = has_given_up,
                                  .data = (void *)(uintptr_t)load};
  if (backend_ask(backend, &fetch, &answer, error) != 0)
    return -1;
  const int status = answer.status == 200 ? 0 : backend_refuse(backend, &answer, error);
  buffer_free(&answer.body);
  return status;
}

static int ask_by_job(struct federation *federation, const struct backend_load *load, const struct request *request,
                      const char *token, struct error *error)
{
  const struct backend_job job = {.backend = request->where->backend,
                                  .token = token,
                                  .question = request->question,
                                  .is_raster = request->is_raster,
                                  .files = request->files,
                                  .seconds = seconds_of(load, BACKEND_JOB_SECONDS),
                                  .stopping = &federation->stopping,
                                  .given_up = has_given_up,
                                  .data = (void *)(uintptr_t)load};
  return backend_job_run(&job, request->logs, error);
}

static int ask(struct federation *federation, const struct backend_load *load, const struct request *request,
               struct error *error)
{
  const struct backend_settings *backend = request->where->backend;
  const bool by_job = request->where->has_jobs && request->bytes > (double)backend->job_size;
  char token[TOKEN_SIZE];
  if (read_token(backend, token, error) != 0)
    return -1;
  const int status = (by_job ? ask_by_job : ask_at_once)(federation, load, request, token, error);
  sodium_memzero(token, sizeof token);
  if (status != 0 && error_is(error, ERROR_InfrastructureBusy))
    federation_doubt(federation, backend);
  return status;
}

/* ---- the files --------------------------------------------------------------------------------------------------- */

/* A name for what is asked for: the same for the same. */
static void name_file(const struct request *request, struct buffer *out)
{
  const struct buffer *question = request->question;
  unsigned char digest[16];
  char hex[2 * sizeof digest + 1];
  crypto_generichash(digest, sizeof digest, (const unsigned char *)question->data, question->length, NULL, 0);
  sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
  buffer_printf(out, "%s-%s.%s", request->where->backend->id, hex, request->is_raster ? "tif" : "nc");
}

static int fill_files(struct federation *federation, const struct backend_load *load, struct request *request,
                      struct answer_files *files, struct error *error)
{
  struct buffer logs = {0};
  request->files = files;
  request->logs = &logs;
  int status = ask(federation, load, request, error);
  if (status == 0)
    status = answer_files_end(files, error);
  if (status != 0)
    answer_files_remove(files);
  else
    answer_files_tell(files, &logs);
  buffer_free(&logs);
  return status;
}

static int place_files(struct federation *federation, const struct backend_load *load, struct request *request,
                       struct buffer *path, struct error *error)
{
  struct buffer name = {0};
  struct stat state;
  name_file(request, &name);
  const int folder = loaded_results_folder(load->folder, error);
  int status = folder < 0 ? -1 : name.failed ? error_memory(error) : 0;
  struct answer_files files = {.folder = folder, .name = name.data};
  if (status == 0 && fstatat(folder, name.data, &state, AT_SYMLINK_NOFOLLOW) != 0)
    status = fill_files(federation, load, request, &files, error);
  if (status == 0)
    buffer_printf(path, "%s" LOADED_RESULTS_FOLDER "/%s", load->folder, name.data);
  if (folder >= 0)
    close(folder);
  buffer_free(&name);
  return status;
}

/* ---- together ---------------------------------------------------------------------------------------------------- */

/* Whether the collection's back-end can be asked. */
static int check_backend(const struct federated_collection *where, struct error *error)
{
  const char *id = where->backend->id;
  if (!where->speaks_openeo)
    return error_set(error, ERROR_FeatureUnsupported, "'%s' is a STAC API, which computes nothing: load_stac loads %s",
                     id, where->backend->url);
  if (!where->is_online)
    return error_set(error, ERROR_InfrastructureBusy, "the back-end '%s' of the federation is away; please try again",
                     id);
  if (!where->writes_netcdf && !where->writes_gtiff)
    return error_set(error, ERROR_FeatureUnsupported,
                     "the back-end '%s' of the federation writes neither netCDF nor GTiff", id);
  return 0;
}

/* Where a collection lies that can be computed with; *is_there is false where no back-end has it. */
static int find_backend(struct federation *federation, const char *name, struct federated_collection *out,
                        bool *is_there, struct error *error)
{
  int status = federation_find(federation, name, out, error);
  *is_there = status == 0 || !error_is(error, ERROR_CollectionNotFound);
  if (*is_there)
    return status == 0 ? check_backend(out, error) : -1;
  *error = (struct error){{0}, {0}, {0}, {0}};
  return 0;
}

static int load_there(struct federation *federation, const struct backend_load *load, json_t *document,
                      const struct federated_collection *where, struct buffer *path, struct error *error)
{
  struct buffer question = {0};
  const bool is_raster = !where->writes_netcdf;
  if (is_raster && !json_is_true(json_object_get(document, "is_raster")))
    return error_set(error, ERROR_FeatureUnsupported,
                     "the back-end '%s' of the federation writes no netCDF, and its cube is more than a raster",
                     where->backend->id);
  json_t *graph = json_object_get(document, "process_graph");
  json_t *body = rename_collections(federation, graph, where->backend)
                     ? make_question(graph, is_raster ? "GTiff" : "netCDF")
                     : NULL;
  char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
  struct request request = {.where = where,
                            .question = &question,
                            .bytes = json_number_value(json_object_get(document, "bytes")),
                            .is_raster = is_raster};
  buffer_text(&question, text != NULL ? text : "");
  int status = text != NULL && !question.failed
                   ? place_files(federation, load, &request, path, error)
                   : error_set(error, ERROR_Internal, "what is to be computed at the back-end '%s' is no graph",
                               where->backend->id);
  free(text);
  json_decref(body);
  buffer_free(&question);
  return status;
}

int backend_load(struct federation *federation, const struct backend_load *load, struct buffer *path,
                 struct error *error)
{
  struct federated_collection where;
  bool is_there = false;
  json_t *request = json_loads(load->request, 0, NULL);
  const char *name = json_string_value(json_object_get(request, "collection"));
  int status = name != NULL ? find_backend(federation, name, &where, &is_there, error)
                            : error_set(error, ERROR_Internal, "a worker asks for no collection");
  if (status == 0 && is_there)
    status = load_there(federation, load, request, &where, path, error);
  json_decref(request);
  return status;
}

/* What tells a collection's sizes; NULL of NULL. */
static json_t *pick_sizes(const json_t *document)
{
  static const char *const those[] = {"extent", "cube:dimensions", "bands", "raster:bands"};
  json_t *summaries = json_object_get(document, "summaries"), *sizes = document != NULL ? json_object() : NULL;
  for (size_t i = 0; sizes != NULL && i < sizeof those / sizeof those[0]; i++) {
    json_t *value = json_object_get(document, those[i]);
    json_object_set(sizes, those[i], value != NULL ? value : json_object_get(summaries, those[i]));
  }
  return sizes;
}

int backend_offers(struct federation *federation, const char *collection, bool may_wait, struct buffer *json,
                   struct error *error)
{
  struct federated_collection where;
  bool is_there;
  if (find_backend(federation, collection, &where, &is_there, error) != 0)
    return -1;
  if (!is_there)
    return 0;
  json_t *document = federation_document(federation, &where, may_wait);
  json_t *sizes = pick_sizes(document);
  json_t *answer = json_pack("{s:s,s:b,s:b,s:o*}", "backend", where.backend->id, "vectors", (int)where.writes_vectors,
                             "rasters_only", (int)!where.writes_netcdf, "collection", sizes);
  if (where.has_jobs)
    json_object_set_new(answer, "job_bytes", json_integer((json_int_t)where.backend->job_size));
  json_decref(document);
  pthread_rwlock_rdlock(&federation->lock);
  for (size_t i = 0; i < federation->count; i++)
    if (federation->backends[i].settings == where.backend)
      json_object_set(answer, "processes", federation->backends[i].survey.processes);
  pthread_rwlock_unlock(&federation->lock);
  char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
  json_decref(answer);
  buffer_text(json, text != NULL ? text : "");
  free(text);
  return json->length > 0 && !json->failed ? 0 : error_memory(error);
}
