#include "server/export/export_hub.h"

#include "server/clock.h"
#include "server/export/send_plan.h"
#include "server/publish/published_document.h"
#include "server/store/folder.h"
#include "server/workers/descriptors.h"
#include "server/workers/spawn_self.h"

#include "stac/href.h"
#include "stac/json_tree.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = 3, GRACE_MS = 10000 /* in which a sender that was told to give up takes back what it sent */ };

struct export_hub {
  struct export_options options;
  pthread_mutex_t lock;
  int accounts; /* a file in memory that holds them; guarded by the lock */
};

/* ---- the hub ----------------------------------------------------------------------------------------------------- */

static int memory_file(const void *bytes, size_t size)
{
  const int fd = memfd_create("export", MFD_CLOEXEC);
  if (fd < 0 || size == 0 || write(fd, bytes, size) == (ssize_t)size)
    return fd;
  close(fd);
  return -1;
}

/* A sender may write all of a workspace's folder. */
static int check_folders(const struct export_options *options, struct error *error)
{
  for (size_t i = 0; i < options->settings->count; i++) {
    const struct named_workspace *row = &options->settings->rows[i];
    char *path = row->kind == PLACE_FOLDER ? realpath(row->url, NULL) : NULL;
    const bool is_apart = path == NULL || (!path_is_below(options->data, path) && !path_is_below(path, options->data));
    free(path);
    if (row->kind == PLACE_FOLDER && path == NULL)
      return error_set(error, ERROR_ServerConfigInvalid, "the folder of workspace '%s' is not there", row->name);
    if (!is_apart)
      return error_set(error, ERROR_ServerConfigInvalid,
                       "the folder of workspace '%s' wants to lie apart from the data folder", row->name);
  }
  return 0;
}

int export_hub_new(const struct export_options *options, struct export_hub **out, struct error *error)
{
  if (check_folders(options, error) != 0)
    return -1;
  struct export_hub *hub = calloc(1, sizeof *hub);
  if (hub == NULL)
    return error_memory(error);
  hub->options = *options;
  hub->accounts =
      memory_file(options->access.accounts, options->access.account_count * sizeof *options->access.accounts);
  if (hub->accounts < 0) {
    free(hub);
    return error_set(error, ERROR_Internal, "no file can be made in memory: %s", strerror(errno));
  }
  pthread_mutex_init(&hub->lock, NULL);
  *out = hub;
  return 0;
}

void export_hub_free(struct export_hub *hub)
{
  if (hub == NULL)
    return;
  close(hub->accounts);
  pthread_mutex_destroy(&hub->lock);
  free(hub);
}

int export_hub_renew(struct export_hub *hub, const struct fetch_account *accounts, size_t count)
{
  const int fd = memory_file(accounts, count * sizeof *accounts);
  if (fd < 0)
    return -1;
  pthread_mutex_lock(&hub->lock);
  close(hub->accounts);
  hub->accounts = fd;
  pthread_mutex_unlock(&hub->lock);
  return 0;
}

const struct workspace_settings *export_hub_workspaces(const struct export_hub *hub)
{
  static const struct workspace_settings none;
  return hub != NULL ? hub->options.settings : &none;
}

const struct named_workspace *export_hub_find(const struct export_hub *hub, const char *user, const char *name)
{
  const struct named_workspace *row = named_workspace_find(export_hub_workspaces(hub), name);
  return row != NULL && named_workspace_is_for(row, user) ? row : NULL;
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

static json_t *place_of(const struct named_workspace *row)
{
  return json_pack("{s:s, s:s, s:s, s:i}", "kind", place_kind_name(row->kind), "url", row->url, "href", row->href,
                   "part_mib", (int)row->part_mib);
}

struct sending {
  struct export_hub *hub;
  const struct export_task *task;
  const struct named_workspace *row, *files; /* files: of a STAC API, else NULL */
  json_t *plan;
  int *results; /* descriptors */
  size_t count;
};

/* The task's files, whose sizes go into the plan. A worker names them: what is not directly in its folder is refused.
 */
static int open_results(struct sending *e, json_t *list, struct error *error)
{
  const size_t count = json_array_size(list);
  if (count == 0 || count > SEND_RESULTS_MOST)
    return error_set(error, ERROR_FeatureUnsupported, "an export wants at least one file, and has at most %d",
                     (int)SEND_RESULTS_MOST);
  if ((e->results = calloc(count, sizeof *e->results)) == NULL)
    return error_memory(error);
  for (; e->count < count; e->count++) {
    json_t *one = json_array_get(list, e->count);
    const char *name = json_tree_text(one, "file");
    char path[2304 + 300];
    uint64_t size = 0;
    snprintf(path, sizeof path, "%.2300s%.255s", e->task->folder, name != NULL ? name : "");
    const int fd = name != NULL && strchr(name, '/') == NULL ? folder_open_file(e->task->folder, path, &size) : -1;
    if (fd < 0)
      return error_set(error, ERROR_Internal, "a result that is to be exported is not there");
    e->results[e->count] = fd;
    json_object_set_new(one, "size", json_integer((json_int_t)size));
  }
  return 0;
}

static int make_plan(struct sending *e, struct error *error)
{
  static const char *const told[] = {"merge", "name", "results"};
  char stamp[40];
  json_t *request = json_loads(e->task->request, 0, NULL);
  const char *name = json_tree_text(request, "workspace");
  e->row = name != NULL ? export_hub_find(e->hub, e->task->user, name) : NULL;
  int status = 0;
  if (e->row == NULL) {
    status = error_parameter(error, ERROR_ProcessParameterInvalid, "workspace", "there is no workspace '%.100s'",
                             name != NULL ? name : "");
  } else {
    e->files = e->row->files != NULL ? named_workspace_find(export_hub_workspaces(e->hub), e->row->files) : NULL;
    status = open_results(e, json_object_get(request, "results"), error);
  }
  if (status == 0) {
    published_stamp(stamp);
    e->plan = place_of(e->row);
    if (e->files != NULL)
      json_object_set_new(e->plan, "files", place_of(e->files));
    json_object_set_new(e->plan, "stamp", json_string(stamp));
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
      json_object_set(e->plan, told[i], json_object_get(request, told[i]));
    status = e->plan != NULL ? 0 : error_memory(error);
  }
  json_decref(request);
  return status;
}

/* ---- the sender -------------------------------------------------------------------------------------------------- */

static int spawn_sender(const struct sending *e, pid_t *pid, struct error *error)
{
  const struct export_options *options = &e->hub->options;
  const struct named_workspace *files = e->files != NULL ? e->files : e->row;
  char parent[24], level[24], format[24];
  snprintf(parent, sizeof parent, "%ld", (long)getpid());
  snprintf(level, sizeof level, "%d", (int)options->level);
  snprintf(format, sizeof format, "%d", (int)options->format);
  const char *const arguments[] = {"twincube",
                                   "sender",
                                   parent,
                                   level,
                                   format,
                                   confine_mode_name(options->confine),
                                   files->kind == PLACE_FOLDER ? files->url : "",
                                   NULL};
  return spawn_self(arguments, CONTROL, "exports results", pid, error);
}

/* Accounts, plan and results, as sender.h wants them. */
static int hand_over(const struct sending *e, int fd, struct error *error)
{
  char *text = json_dumps(e->plan, JSON_COMPACT);
  const int plan = text != NULL ? memory_file(text, strlen(text)) : -1;
  pthread_mutex_lock(&e->hub->lock);
  int status = plan >= 0 ? descriptors_send(fd, &e->hub->accounts, 1) : -1;
  pthread_mutex_unlock(&e->hub->lock);
  if (status == 0)
    status = descriptors_send(fd, &plan, 1);
  for (size_t i = 0; i < e->count && status == 0; i++)
    status = descriptors_send(fd, &e->results[i], 1);
  if (plan >= 0)
    close(plan);
  free(text);
  return status == 0 ? 0 : error_set(error, ERROR_Internal, "the process that exports results does not listen");
}

/* Until there is an answer, or the end, of the sender's: true; or somebody gives up. */
static bool wait_for(const struct export_task *task, int fd, int64_t milliseconds, bool gives_up)
{
  const int64_t end = steady_now() + milliseconds;
  struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                         {.fd = gives_up ? task->client_fd : -1, .events = POLLRDHUP},
                         {.fd = gives_up ? task->cancel_fd : -1, .events = POLLIN}};
  for (;;) {
    const int64_t left = end - steady_now();
    const int count = poll(fds, 3, milliseconds < 0 ? -1 : left <= 0 ? 0 : left > 60000 ? 60000 : (int)left);
    if (count > 0)
      return fds[0].revents != 0;
    if (count == 0 && milliseconds >= 0 && left <= 0)
      return false;
  }
}

static int take_answer(int fd, struct error *error)
{
  struct error answer;
  if (recv(fd, &answer, sizeof answer, MSG_WAITALL) != (ssize_t)sizeof answer)
    return error_set(error, ERROR_InfrastructureBusy, "the process that exports results ended unexpectedly");
  answer.message[sizeof answer.message - 1] = '\0';
  if (!error_is_set(&answer))
    return 0;
  *error = answer;
  return -1;
}

static int wait_for_sender(const struct export_task *task, int fd, pid_t pid, struct error *error)
{
  if (wait_for(task, fd, task->seconds > 0 ? (int64_t)(task->seconds * 1000) : -1, true))
    return take_answer(fd, error);
  shutdown(fd, SHUT_WR);
  if (wait_for(task, fd, GRACE_MS, false) && take_answer(fd, error) == 0)
    return 0; /* it was done by then */
  kill(pid, SIGKILL);
  *error = (struct error){0};
  return error_set(error, ERROR_RequestTimeout, "the export was given up");
}

/* ---- together ---------------------------------------------------------------------------------------------------- */

/* Names in place of addresses, which are the operator's to know. */
static void hide_address(const struct named_workspace *row, char *message, size_t room)
{
  struct buffer text = {0};
  const size_t length = strlen(row->url);
  char *at;
  for (const char *rest = message;; rest = at + length) {
    at = strstr(rest, row->url);
    if (at == NULL) {
      buffer_text(&text, rest);
      break;
    }
    buffer_add(&text, rest, (size_t)(at - rest));
    buffer_printf(&text, "%s:", row->name);
  }
  if (!text.failed && text.length > 0)
    snprintf(message, room, "%.*s", (int)(room - 1), text.data);
  buffer_free(&text);
}

static int run_sender(const struct sending *e, struct error *error)
{
  pid_t pid = -1;
  const int fd = spawn_sender(e, &pid, error);
  if (fd < 0)
    return -1;
  int status = hand_over(e, fd, error);
  if (status == 0)
    status = wait_for_sender(e->task, fd, pid, error);
  close(fd);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return status;
}

static void tell(const struct sending *e, struct error *error)
{
  log_message(LOG_WARNING, "workspace '%s': %s", e->row->name, error->message);
  hide_address(e->row, error->message, sizeof error->message);
  if (e->files != NULL)
    hide_address(e->files, error->message, sizeof error->message);
}

int export_hub_send(struct export_hub *hub, const struct export_task *task, struct error *error)
{
  struct sending e = {.hub = hub, .task = task};
  int status = make_plan(&e, error);
  if (status == 0 && (status = run_sender(&e, error)) != 0)
    tell(&e, error);
  for (size_t i = 0; i < e.count; i++)
    close(e.results[i]);
  free(e.results);
  json_decref(e.plan);
  return status;
}
