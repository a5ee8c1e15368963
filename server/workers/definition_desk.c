#include "server/workers/definition_desk.h"

#include "server/clock.h"
#include "server/export/export_hub.h"
#include "server/federation/backend_load.h"
#include "server/jobs/loaded_results.h"
#include "server/publish/publish.h"
#include "server/store/store_processes.h"
#include "server/workers/worker_protocol.h"

#include <stdlib.h>
#include <string.h>

static int open_store(struct definition_desk *desk, struct error *error)
{
  return desk->store != NULL ? 0 : store_open(desk->place, &desk->store, error);
}

void definition_desk_begin(struct definition_desk *desk, const struct desk_task *task)
{
  buffer_free(&desk->session.used);
  desk->task = *task;
  desk->has_loaded = false;
  json_decref(desk->collections);
  desk->collections = NULL;
  desk->session = (struct remote_session){.started = steady_now(),
                                          .client_fd = task->client_fd,
                                          .cancel_fd = task->cancel_fd,
                                          .is_hurried = task->is_hurried};
}

bool definition_desk_has_own(struct definition_desk *desk)
{
  struct error error = {0};
  bool any = false;
  if (desk->task.user == NULL)
    return false;
  return open_store(desk, &error) != 0 || store_process_any(desk->store, desk->task.user, &any, &error) != 0 || any;
}

static int find_own(struct definition_desk *desk, const char *id, struct buffer *json, struct error *error)
{
  char *document = NULL;
  if (desk->task.user == NULL)
    return 0;
  if (open_store(desk, error) != 0 || store_process_get(desk->store, desk->task.user, id, &document, error) != 0)
    return -1;
  if (document != NULL)
    buffer_text(json, document);
  free(document);
  return 0;
}

static int find_results(struct definition_desk *desk, const char *url, struct buffer *path, struct error *error)
{
  if (desk->task.user == NULL)
    return 0;
  desk->has_loaded = true;
  const struct loaded_results wanted = {desk->data, desk->task.user, desk->task.folder};
  return open_store(desk, error) == 0 ? loaded_results_place(&wanted, desk->store, url, path, error) : -1;
}

bool definition_desk_has_others(const struct definition_desk *desk)
{
  return desk->federation != NULL && !desk->task.is_alone;
}

/* Of the task's time. */
static double seconds_left(const struct definition_desk *desk)
{
  const double used = (double)(steady_now() - desk->session.started) / 1000;
  return desk->task.seconds > used ? desk->task.seconds - used : desk->task.seconds > 0 ? 0.001 : 0;
}

static int find_elsewhere(struct definition_desk *desk, const char *request, struct buffer *path, struct error *error)
{
  if (!definition_desk_has_others(desk) || desk->task.user == NULL)
    return 0;
  if (desk->task.is_hurried) {
    desk->session.is_incomplete = true;
    return error_set(error, ERROR_InfrastructureBusy, "there is no time now to have it computed elsewhere");
  }
  desk->has_loaded = true;
  const struct backend_load load = {request, desk->task.folder, seconds_left(desk), desk->task.client_fd,
                                    desk->task.cancel_fd};
  return backend_load(desk->federation, &load, path, error);
}

static int find_offered(struct definition_desk *desk, const char *collection, struct buffer *json, struct error *error)
{
  return definition_desk_has_others(desk)
             ? backend_offers(desk->federation, collection, !desk->task.is_hurried, json, error)
             : 0;
}

static int find_workspace(struct definition_desk *desk, const char *name, struct buffer *kind)
{
  const struct named_workspace *row =
      desk->task.user != NULL ? export_hub_find(desk->exports, desk->task.user, name) : NULL;
  if (row != NULL)
    buffer_text(kind, place_kind_name(row->kind));
  return 0;
}

static int check_collection(struct definition_desk *desk, const char *id, struct error *error)
{
  struct error found = {0};
  bool is_there;
  if (desk->task.user == NULL || desk->publish == NULL)
    return error_set(error, ERROR_FeatureUnsupported, "results are not published here");
  const struct publication wanted = {.id = id, .user = desk->task.user, .adds = true};
  if (publish_check(desk->publish, &wanted, &is_there, &found) == 0)
    return 0;
  return error_set(
      error, error_is(&found, ERROR_RequestBodyInvalid) ? ERROR_ProcessParameterInvalid : error_code_find(found.code),
      "%s", found.message);
}

/* What is to become a collection is noted: it does when the task has ended well. */
static int note_collection(struct definition_desk *desk, const char *request, struct error *error)
{
  json_t *wanted = json_loads(request, 0, NULL);
  if (desk->collections == NULL)
    desk->collections = json_array();
  if (desk->task.is_job && wanted != NULL && json_array_append_new(desk->collections, wanted) == 0)
    return 0;
  return error_set(error, ERROR_Internal, "what is to be published cannot be noted");
}

static bool wants_collection(const char *request)
{
  json_t *wanted = json_loads(request, 0, NULL);
  const bool found = json_object_get(wanted, "collection") != NULL;
  json_decref(wanted);
  return found;
}

static int send_results(struct definition_desk *desk, const char *request, struct error *error)
{
  if (wants_collection(request))
    return note_collection(desk, request, error);
  if (desk->exports == NULL || desk->task.user == NULL)
    return error_set(error, ERROR_FeatureUnsupported, "there are no workspaces here");
  if (desk->task.is_hurried) {
    desk->session.is_incomplete = true;
    return error_set(error, ERROR_InfrastructureBusy, "there is no time now to export results");
  }
  const struct export_task task = {.user = desk->task.user,
                                   .folder = desk->task.folder,
                                   .request = request,
                                   .seconds = seconds_left(desk),
                                   .client_fd = desk->task.client_fd,
                                   .cancel_fd = desk->task.cancel_fd};
  return export_hub_send(desk->exports, &task, error);
}

int definition_desk_answer(void *data, const char *space, const char *id, struct buffer *json, struct error *error)
{
  struct definition_desk *desk = data;
  if (strcmp(space, "user") == 0)
    return find_own(desk, id, json, error);
  if (strcmp(space, ask_results) == 0)
    return find_results(desk, id, json, error);
  if (strcmp(space, ask_elsewhere) == 0)
    return find_elsewhere(desk, id, json, error);
  if (strcmp(space, ask_offered) == 0)
    return find_offered(desk, id, json, error);
  if (strcmp(space, ask_workspace) == 0)
    return find_workspace(desk, id, json);
  if (strcmp(space, ask_collection) == 0)
    return check_collection(desk, id, error);
  if (strcmp(space, ask_send) == 0)
    return send_results(desk, id, error);
  return remote_definition_get(desk->remote, &desk->session, space, id, json, error);
}

void definition_desk_close(struct definition_desk *desk)
{
  store_close(desk->store);
  desk->store = NULL;
  json_decref(desk->collections);
  desk->collections = NULL;
  buffer_free(&desk->session.used);
}
