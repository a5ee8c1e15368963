/* twincube serve: puts the server together, waits for a signal, takes it apart.
 *
 * Order matters at the start: the socket is bound and the zygote started; then come the lock, the store, the workers,
 * the handlers, HTTP. The end is the same way back. Meanwhile the main thread replaces a zygote that has died. */
#include "server/workers/backoff.h"
#include "server/commands/command.h"
#include "server/commands/serve_reload.h"
#include "server/commands/data_dir.h"
#include "server/definitions/remote_definitions.h"
#include "server/endpoints/event_hub.h"
#include "server/export/export_hub.h"
#include "server/federation/federation.h"
#include "server/fetch/fetch_process.h"
#include "server/udf/udf_host.h"
#include "server/files/upload.h"
#include "server/http/metrics.h"
#include "server/jobs/shared_folder.h"
#include "server/http/tls.h"
#include "server/publish/published_document.h"
#include "server/services/service_hub.h"
#include "server/sources/refresh_process.h"
#include "server/stac_api/catalogue_follower.h"
#include "server/store/folder.h"
#include "server/server.h"

#include "datacube/base/logger.h"
#include "hpc/device/device.h"
#include "hpc/udf/interpreters.h"
#include "processes/graph/table.h"
#include "stac/href.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BODY_LIMIT = 16 * 1024 * 1024 };
enum { OWN_FILES = 256 }; /* descriptors beside those of connections */
/* Synchronous requests that may wait: of all users; of strangers and of one stranger's address. */
enum { QUEUE = 256, STRANGERS = 32, STRANGER = 8 };
static const size_t kept_limit = (size_t)256 << 20; /* bodies and answers that wait, in the main process */

static const char help_head[] =
    "twincube serve - serve the openEO API\n\n"
    "Usage\n"
    "  twincube serve [OPTION]...\n\n"
    "Serves openEO 1.3.0 and 1.2.0 over HTTP: the collections of the catalogue, the processes, synchronous results\n"
    "and batch jobs. The first line on standard output is the server's address, once it is ready. Clients connect to\n"
    "it and log in by name and password (see twincube user). HTTPS is served with --tls-certificate, or by a\n"
    "proxy in front and --public-url.\n\n";

static const char help_tail[] =
    "\nUntrusted input is computed in worker processes: one that crashes or grows too large costs its own request and\n"
    "is replaced, and so is the process that makes them. Where the machine lacks processes, descriptors or disk, jobs\n"
    "wait until it has them again. SIGTERM or Ctrl-C ends the server; running jobs are queued again and go on at the\n"
    "next start. SIGHUP has --config and certificate read again.\n\n"
    "Exit status\n"
    "  0 ended by a signal, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n\n"
    "Example\n"
    "  twincube serve --listen 0.0.0.0:8080 --data /srv/twincube --memory 8G --public-url https://eo.example.org\n";

/* Everything that start makes and stop unmakes. */
struct server_parts {
  char data[DATA_DIR_SIZE];
  char shared[DATA_DIR_SIZE];    /* folder of jobs and files */
  char temporary[DATA_DIR_SIZE]; /* this server's, beside these: files move between them by rename and link */
  char name[SERVER_NAME_SIZE];   /* where servers share a store */
  const char *store;             /* place: see store.h */
  const char *shared_catalogue;  /* database, or NULL */
  char fetched[DATA_DIR_SIZE];   /* folder of what is read of other hosts; "" where nothing is */
  char address[128];
  char public_url[BASE_URL_SIZE];
  char *stac[SERVE_LIST_MOST];               /* absolute, without links */
  char *published;                           /* likewise, or NULL */
  const char *readable[SERVE_LIST_MOST + 1]; /* all of these: what workers may read for anybody */
  size_t readable_count;
  char *workspaces; /* likewise, or NULL */
  int listen_fd, lock_fd;
  struct tls *tls; /* or NULL */
  struct serve_reload reload;
  struct confinement confinement;      /* of workers */
  struct catalogue *catalogue;         /* kept open, so that its log stays where confined workers read it */
  struct fetch_process *fetch;         /* or NULL */
  struct catalogue_follower *follower; /* of a shared one; or NULL */
  struct publish_place publish;        /* where results are published */
  char base[BASE_URL_SIZE];            /* of the API, as far as nobody asks for another one */
  struct export_hub *exports;          /* or NULL */
  struct refresh_process *refresh;     /* or NULL */
  struct udf_host *scripts;            /* or NULL */
  struct interpreters *interpreters;   /* … asked once what they are; or NULL */
  const char *udf_python;              /* what they are: JSON, of theirs; or NULL */
  struct zygote *zygote;
  struct web_rule namespaces; /* where processes may be published */
  struct remote_definitions *remote;
  struct handlers *handlers;
  struct http_server *http;
  struct server server;
};

/* One server a folder: two would clear each other's temporary files, and run the same jobs. */
static int lock_data(struct server_parts *parts, struct error *error)
{
  char path[DATA_DIR_SIZE + 16];
  snprintf(path, sizeof path, "%s/server.lock", parts->data);
  parts->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (parts->lock_fd < 0)
    return error_set(error, ERROR_StorageFailure, "cannot open %s: %s", path, strerror(errno));
  if (flock(parts->lock_fd, LOCK_EX | LOCK_NB) != 0)
    return error_set(error, ERROR_StorageFailure, "another server uses the folder %s", parts->data);
  return 0;
}

/* Folders, an empty catalogue where there is none, the store and its secret. */
static int prepare_data(struct server_parts *parts, struct error *error)
{
  char path[DATA_DIR_SIZE + 16];
  struct store *store = NULL;
  snprintf(path, sizeof path, "%s/jobs", parts->shared);
  if (folder_make(path, error) != 0)
    return -1;
  folder_clear(parts->temporary);
  if (folder_make(parts->temporary, error) != 0 ||
      catalogue_open_shared(parts->data, parts->shared_catalogue, &parts->catalogue, error) != 0)
    return -1;
  if (parts->shared_catalogue != NULL && catalogue_follower_start(parts->catalogue, &parts->follower, error) != 0)
    return -1;
  if (store_open(parts->store, &store, error) != 0)
    return -1;
  int status = store_secret(store, parts->server.secret, error);
  if (status == 0 && store_is_shared(store))
    status = shared_folder_check(parts->shared, store, error);
  store_close(store);
  return status;
}

static int check_web_editor(const char *folder, struct error *error)
{
  char path[DATA_DIR_SIZE];
  if (folder == NULL)
    return 0;
  snprintf(path, sizeof path, "%s/index.html", folder);
  return access(path, R_OK) == 0 ? 0 : error_set(error, ERROR_FileNotFound, "--web-editor: there is no %s", path);
}

/* Whoever may read all below a folder that holds the data folder may read the store. */
static int refuse_around_data(const struct server_parts *parts, const char *option, const char *folder,
                              struct error *error)
{
  return path_is_below(parts->data, folder)
             ? error_set(error, ERROR_ServerConfigInvalid, "--%s %s holds the data folder, which is the server's alone",
                         option, folder)
             : 0;
}

static int find_stac_folders(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  for (size_t i = 0; i < options->stac.count; i++) {
    parts->stac[i] = realpath(options->stac.values[i], NULL);
    if (parts->stac[i] == NULL)
      return error_set(error, ERROR_FileNotFound, "--stac %s: %s", options->stac.values[i], strerror(errno));
    if (refuse_around_data(parts, "stac", parts->stac[i], error) != 0)
      return -1;
  }
  return 0;
}

static int find_published(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  for (size_t i = 0; i < options->stac.count; i++)
    parts->readable[parts->readable_count++] = parts->stac[i];
  if (options->publish == NULL)
    return 0;
  parts->published = realpath(options->publish, NULL);
  if (parts->published == NULL || strlen(parts->published) > 900)
    return error_set(error, ERROR_FileNotFound, "--publish %s is no folder that can be used", options->publish);
  parts->readable[parts->readable_count++] = parts->published;
  return refuse_around_data(parts, "publish", parts->published, error);
}

static int find_workspaces(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  if (options->workspaces == NULL)
    return 0;
  parts->workspaces = realpath(options->workspaces, NULL);
  if (parts->workspaces == NULL || strlen(parts->workspaces) > 900)
    return error_set(error, ERROR_FileNotFound, "--workspaces %s is no folder that can be used", options->workspaces);
  return refuse_around_data(parts, "workspaces", parts->workspaces, error);
}

/* Makes a folder where there is none; its name without links. */
static int find_folder(const char *name, char out[DATA_DIR_SIZE], struct error *error)
{
  if (folder_make(name, error) != 0)
    return -1;
  char *absolute = realpath(name, NULL);
  const bool is_fine = absolute != NULL && strlen(absolute) <= 900;
  if (is_fine)
    snprintf(out, DATA_DIR_SIZE, "%s", absolute);
  free(absolute);
  return is_fine ? 0 : error_set(error, ERROR_StorageFailure, "the folder %s cannot be used", name);
}

static int find_data(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  char found[DATA_DIR_SIZE];
  if (data_dir_find(options->data, found, error) != 0 || find_folder(found, parts->data, error) != 0)
    return -1;
  return find_folder(options->shared != NULL ? options->shared : parts->data, parts->shared, error);
}

static int find_store(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  if (store_place_find(options->store, parts->data, &parts->store, error) != 0 ||
      shared_catalogue_find(options->catalogue, &parts->shared_catalogue, error) != 0)
    return -1;
  const bool is_shared = store_place_is_shared(parts->store);
  if (options->shared != NULL && !is_shared)
    return error_set(error, ERROR_ServerConfigInvalid, "--shared goes with --store: SQLite is for one server");
  if (is_shared && server_name_read(parts->data, parts->name, error) != 0)
    return -1;
  const bool is_apart = strcmp(parts->data, parts->shared) != 0;
  snprintf(parts->temporary, sizeof parts->temporary, "%.900s/tmp%s%s", parts->shared, is_apart ? "/" : "",
           is_apart ? parts->name : "");
  return 0;
}

/* Where no address is allowed there is no fetcher. Its folder is its own: what is in it goes. */
static int start_fetcher(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  if (options->remotes.prefix_count == 0)
    return 0;
  snprintf(parts->fetched, sizeof parts->fetched, "%.900s/remote", parts->data);
  if (folder_make(parts->fetched, error) != 0)
    return -1;
  const struct fetch_process_options fetch = {.access = account_settings_access(&options->remotes),
                                              .folder = parts->fetched,
                                              .most = options->remote_cache,
                                              .level = (enum log_level)options->log_level,
                                              .format = (enum log_format)options->log_format,
                                              .confine = (enum confine_mode)options->confine};
  return fetch_process_start(&fetch, &parts->fetch, error);
}

static int start_exports(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  const struct export_options exports = {.settings = &options->exports,
                                         .access = account_settings_access(&options->remotes),
                                         .data = parts->data,
                                         .level = (enum log_level)options->log_level,
                                         .format = (enum log_format)options->log_format,
                                         .confine = (enum confine_mode)options->confine};
  return options->exports.count > 0 ? export_hub_new(&exports, &parts->exports, error) : 0;
}

/* Whether users' scripts can be run is asked once. Who names a Python wants that it can. */
static int start_scripts(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  const struct udf_host_options host = {.python = options->udf_python,
                                        .memory = options->udf_memory,
                                        .level = (enum log_level)options->log_level,
                                        .format = (enum log_format)options->log_format,
                                        .confine = (enum confine_mode)options->confine};
  struct error why = {0};
  const char *what;
  if (options->udf_python != NULL && strcmp(options->udf_python, "none") == 0)
    return 0;
  if (udf_host_start(&host, &parts->scripts, error) != 0)
    return -1;
  const struct interpreters_options joined = {.host = udf_host_join(parts->scripts)};
  parts->interpreters = interpreters_new(&joined);
  if (parts->interpreters == NULL)
    return error_memory(error);
  if (interpreters_describe(parts->interpreters, &what, &why) == 0)
    parts->udf_python = strchr(what, '\n') + 1;
  else if (options->udf_python != NULL)
    return error_set(error, ERROR_ServerConfigInvalid, "--udf-python %s: %s", options->udf_python, why.message);
  else
    log_message(LOG_INFO, "%s", why.message);
  return 0;
}

static int start_processes(struct server_parts *parts, const struct serve_options *options, size_t memory,
                           struct error *error)
{
  if (find_data(parts, options, error) != 0 || find_store(parts, options, error) != 0)
    return -1;
  if (find_stac_folders(parts, options, error) != 0 || find_published(parts, options, error) != 0 ||
      find_workspaces(parts, options, error) != 0)
    return -1;
  if (device_choice_read(options->device, &(struct device_options){0}) != 0)
    return error_set(error, ERROR_ServerConfigInvalid, "--device wants auto, cpu, cuda or cuda:N, not '%s'",
                     options->device);
  if (options->specs != NULL && process_table_use_specs(options->specs, error) != 0)
    return -1;
  parts->listen_fd = http_listen(options->listen, parts->address, error);
  if (parts->listen_fd < 0)
    return -1;
  if (start_exports(parts, options, error) != 0)
    return -1;
  if (start_fetcher(parts, options, error) != 0 || start_scripts(parts, options, error) != 0)
    return -1;
  const struct zygote_options zygote = {.worker = {.data = parts->data,
                                                   .remote = parts->fetched,
                                                   .memory = memory,
                                                   .result_size = options->result_size,
                                                   .device = options->device,
                                                   .device_memory = options->device_memory,
                                                   .local = {.folders = parts->readable,
                                                             .folder_count = parts->readable_count,
                                                             .published = parts->published}},
                                        .level = (enum log_level)options->log_level,
                                        .format = (enum log_format)options->log_format,
                                        .specs = options->specs,
                                        .confine = (enum confine_mode)options->confine,
                                        .fetch = parts->fetch,
                                        .scripts = parts->scripts};
  if (confine_probe(zygote.confine, &parts->confinement, error) != 0)
    return -1;
  return zygote_start(&zygote, &parts->zygote, error);
}

/* Of a worker or a job: an eighth of all goes to small requests and to strangers, half of it each. */
static size_t task_memory(const struct serve_options *options)
{
  return (options->memory - options->memory / 8) / (size_t)(options->workers + options->jobs);
}

static int start_workers(struct server_parts *parts, const struct serve_options *options, size_t memory,
                         struct error *error)
{
  struct server *server = &parts->server;
  const size_t resident_limit = ((size_t)256 << 20) + memory / 2;
  const struct worker_pool_options pool = {.zygote = parts->zygote,
                                           .temporary = parts->temporary,
                                           .store = parts->store,
                                           .kept = parts->shared,
                                           .remote = parts->remote,
                                           .federation = server->federation,
                                           .exports = parts->exports,
                                           .publish = &parts->publish,
                                           .workers = (unsigned)options->workers,
                                           .users = {.all = QUEUE, .per_owner = (unsigned)options->user_requests},
                                           .strangers = {.all = STRANGERS, .per_owner = STRANGER},
                                           .memory = memory,
                                           .small_memory = options->memory / 16,
                                           .resident_limit = resident_limit};
  const struct job_queue_options jobs = {.zygote = parts->zygote,
                                         .data = parts->shared,
                                         .store = parts->store,
                                         .server = parts->name[0] != '\0' ? parts->name : NULL,
                                         .silence = options->server_silence,
                                         .remote = parts->remote,
                                         .federation = server->federation,
                                         .exports = parts->exports,
                                         .publish = &parts->publish,
                                         .base = parts->base,
                                         .slots = (unsigned)options->jobs,
                                         .memory = memory,
                                         .result_size = options->result_size,
                                         .workspaces = parts->workspaces,
                                         .limits = &server->limits,
                                         .sweep = options->sweep,
                                         .threads = (unsigned)options->threads,
                                         .resident_limit = resident_limit};
  if (worker_pool_start(&pool, &server->pool, error) != 0)
    return -1;
  if (job_queue_start(&jobs, &server->jobs, error) != 0)
    return -1;
  return event_hub_start(parts->store, server->jobs, &server->events, error);
}

static int start_definitions(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  parts->namespaces = (struct web_rule){options->namespaces.values, options->namespaces.count, false};
  parts->remote = remote_definitions_new(&parts->namespaces, &parts->server.stopping);
  return parts->remote != NULL ? 0 : error_memory(error);
}

/* As many as are asked for, where there are descriptors for them. */
static unsigned connections_most(const struct serve_options *options)
{
  struct rlimit limit;
  const unsigned wanted = (unsigned)options->connections;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= (rlim_t)wanted + OWN_FILES)
    return wanted;
  return limit.rlim_cur > 2 * OWN_FILES ? (unsigned)limit.rlim_cur - OWN_FILES : (unsigned)(limit.rlim_cur + 1) / 2;
}

static int start_threads(struct server_parts *parts, const struct serve_options *options, size_t memory,
                         struct error *error)
{
  struct server *server = &parts->server;
  if (sodium_init() < 0)
    return error_set(error, ERROR_Internal, "libsodium does not start");
  if (serve_options_tls(options, &parts->tls, error) != 0)
    return -1;
  server->settings = (struct server_settings){.data = parts->shared,
                                              .catalogue = parts->data,
                                              .shared_catalogue = parts->shared_catalogue,
                                              .store = parts->store,
                                              .address = parts->address,
                                              .is_secure = parts->tls != NULL,
                                              .workspaces = parts->workspaces,
                                              .exports = parts->exports,
                                              .published = parts->published,
                                              .web_editor = options->web_editor,
                                              .result_size = options->result_size,
                                              .threads = (unsigned)options->threads,
                                              .udf_python = parts->udf_python,
                                              .reads_namespaces = options->namespaces.count > 0,
                                              .stac_editors = options->stac_editors.values,
                                              .stac_editor_count = options->stac_editors.count};
  if (options->public_url != NULL) {
    snprintf(parts->public_url, sizeof parts->public_url, "%s", options->public_url);
    for (size_t i = strlen(parts->public_url); i > 0 && parts->public_url[i - 1] == '/'; i--)
      parts->public_url[i - 1] = '\0';
    server->settings.public_url = parts->public_url;
  }
  snprintf(parts->base, sizeof parts->base, "%s%.*s%s",
           server->settings.public_url != NULL ? ""
           : parts->tls != NULL                ? "https://"
                                               : "http://",
           BASE_URL_SIZE - 64, server->settings.public_url != NULL ? parts->public_url : parts->address,
           api_versions[0].root);
  parts->publish = (struct publish_place){parts->published, parts->data, parts->shared_catalogue};
  if (check_web_editor(options->web_editor, error) != 0 || serve_start_limits(&parts->reload, error) != 0 ||
      metrics_new(&server->metrics, error) != 0)
    return -1;
  if (lock_data(parts, error) != 0 || prepare_data(parts, error) != 0)
    return -1;
  if (serve_start_auth(&parts->reload, error) != 0 || start_definitions(parts, options, error) != 0)
    return -1;
  if (options->federation.count > 0 && federation_start(&options->federation, &server->federation, error) != 0)
    return -1;
  server->uploads = uploads_new(parts->shared, parts->temporary, &server->limits);
  if (server->uploads == NULL)
    return error_memory(error);
  char tiles[DATA_DIR_SIZE + 16];
  snprintf(tiles, sizeof tiles, "%s/tiles", parts->data);
  if (service_hub_open(parts->store, tiles, options->tile_cache, &server->services, error) != 0 ||
      start_workers(parts, options, memory, error) != 0 || handlers_start(server, &parts->handlers, error) != 0)
    return -1;
  const struct http_options http = {.listen_fd = parts->listen_fd,
                                    .body_limit = BODY_LIMIT,
                                    .kept_limit = kept_limit,
                                    .connections = connections_most(options),
                                    .per_address = (unsigned)options->connections_per_address,
                                    .tls = parts->tls,
                                    .proxies = options->proxies,
                                    .stopping = &server->stopping,
                                    .handle = handlers_take,
                                    .wants_body = handlers_want_body,
                                    .data = parts->handlers};
  if (http_start(&http, &parts->http, error) != 0)
    return -1;
  parts->listen_fd = -1; /* HTTP's now */
  return 0;
}

/* The way back; parts that were never made are skipped. */
static void stop(struct server_parts *parts)
{
  atomic_store(&parts->server.stopping, true);
  handlers_stop(parts->handlers); /* nobody uses pool and queue after this */
  event_hub_stop(parts->server.events);
  worker_pool_stop(parts->server.pool); /* answers what it had */
  job_queue_stop(parts->server.jobs);
  remote_definitions_free(parts->remote);
  federation_stop(parts->server.federation);
  service_hub_close(parts->server.services);
  http_stop(parts->http);
  tls_free(parts->tls);
  handlers_free(parts->handlers);
  auth_free(parts->server.auth);
  uploads_free(parts->server.uploads);
  metrics_free(parts->server.metrics);
  zygote_stop(parts->zygote);
  refresh_process_stop(parts->refresh);
  fetch_process_stop(parts->fetch);
  export_hub_free(parts->exports);
  interpreters_free(parts->interpreters);
  udf_host_stop(parts->scripts);
  catalogue_close(parts->server.editing);
  catalogue_follower_stop(parts->follower);
  catalogue_close(parts->catalogue);
  if (parts->listen_fd >= 0)
    close(parts->listen_fd);
  if (parts->lock_fd >= 0)
    close(parts->lock_fd);
  for (size_t i = 0; i < SERVE_LIST_MOST; i++)
    free(parts->stac[i]);
  free(parts->published);
  free(parts->workspaces);
}

/* Bodies and documents of megabytes go back to the system when they are freed. By itself the allocator would learn from
 * the first of them to keep them, in an arena for each thread. */
static void give_memory_back(void)
{
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

static void raise_file_limit(void)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/* Blocked in every thread from here on; the main thread waits for them. */
static void block_signals(sigset_t *set)
{
  sigemptyset(set);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGINT);
  struct sigaction hangup;
  if (sigaction(SIGHUP, NULL, &hangup) != 0 || hangup.sa_handler != SIG_IGN) /* nohup: it stays ignored */
    sigaddset(set, SIGHUP);
  sigaddset(set, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, set, NULL);
  static const int meaningless[] = {SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM}; /* their default is to end the server */
  for (size_t i = 0; i < sizeof meaningless / sizeof *meaningless; i++)
    signal(meaningless[i], SIG_IGN);
}

/* The signal, or -1 when so many milliseconds have passed. */
static int wait_signal(const sigset_t *signals, unsigned milliseconds)
{
  const struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000};
  return sigtimedwait(signals, NULL, &pause);
}

/* Whether a signal ends the server; a hangup may be for its settings. */
static bool is_end(struct server_parts *parts, int received)
{
  if (received != SIGHUP || !serve_reload_is_wanted(parts->reload.started))
    return received > 0 && received != SIGCHLD;
  serve_reload(&parts->reload);
  return false;
}

/* Until a signal ends the server. A zygote that dies is replaced: at once the first time, with growing pauses where
 * that fails or where it dies again and again. */
static void watch_over(struct server_parts *parts, const sigset_t *signals)
{
  enum { LONG_MS = 60000, STEADY_MS = 1000 };
  struct backoff backoff = {0};
  sigset_t ends = *signals;
  sigdelset(&ends, SIGCHLD);
  for (;;) {
    int received = wait_signal(signals, backoff.tries > 0 ? STEADY_MS : LONG_MS);
    if (is_end(parts, received))
      return;
    if (received < 0)
      backoff = (struct backoff){0};
    if (received != SIGCHLD)
      continue;
    for (bool alive = false; !alive;) {
      struct error error = {0};
      if (backoff.tries > 0 && is_end(parts, wait_signal(&ends, backoff.next)))
        return;
      backoff_next(&backoff);
      alive = zygote_revive(parts->zygote, &error) == 0 && fetch_process_revive(parts->fetch, &error) == 0 &&
              udf_host_revive(parts->scripts, &error) == 0 && refresh_process_revive(parts->refresh, &error) == 0;
      if (!alive)
        log_message(LOG_ERROR, "%s", error.message);
    }
  }
}

/* When the server answers: the first refresh may take long, and is nothing that a request waits for. */
static int start_refresh(struct server_parts *parts, const struct serve_options *options, struct error *error)
{
  const struct refresh_process_options refresh = {
      .data = parts->data,
      .shared = parts->shared_catalogue,
      .level = (enum log_level)options->log_level,
      .format = (enum log_format)options->log_format,
      .confine = (enum confine_mode)options->confine,
      .sources = source_tables_write(&options->sources, options->remotes.document)};
  if (options->refresh && refresh_process_start(&refresh, &parts->refresh, error) != 0)
    return -1;
  parts->reload.refresh = parts->refresh;
  return 0;
}

static void tell_confinement(const struct confinement *confinement)
{
  char text[CONFINE_TEXT];
  confine_text(confinement, text);
  log_message(confinement->why_off != NULL ? LOG_WARNING : LOG_INFO, "%s", text);
}

static int serve(const struct serve_options *options, int argc, char **argv, struct error *error)
{
  log_set_level((enum log_level)options->log_level);
  log_set_format((enum log_format)options->log_format);
  raise_file_limit();
  struct server_parts *parts = calloc(1, sizeof *parts);
  if (parts == NULL)
    return error_memory(error);
  parts->listen_fd = parts->lock_fd = -1;
  parts->reload = (struct serve_reload){.argc = argc, .argv = argv, .started = options, .server = &parts->server};
  const size_t memory = task_memory(options);
  sigset_t signals;
  int status = start_processes(parts, options, memory, error);
  if (status == 0) {
    give_memory_back();
    block_signals(&signals);
    status = start_threads(parts, options, memory, error);
  }
  if (status == 0) {
    printf("%s://%s/\n", parts->tls != NULL ? "https" : "http", parts->address);
    fflush(stdout);
    tell_confinement(&parts->confinement);
    parts->reload.tls = parts->tls;
    parts->reload.fetch = parts->fetch;
    parts->reload.exports = parts->exports;
    status = start_refresh(parts, options, error);
  }
  if (status == 0)
    watch_over(parts, &signals);
  stop(parts);
  serve_reload_free(&parts->reload);
  free(parts);
  return status;
}

static int print_help(void)
{
  fputs(help_head, stdout);
  serve_options_help(stdout);
  fputs(help_tail, stdout);
  return EXIT_OK;
}

int command_serve(int argc, char **argv)
{
  struct serve_options options;
  struct error error = {0};
  int status = serve_options_read(argc, argv, &options, &error);
  if (status == EXIT_USAGE)
    command_usage("serve", "%s", error.message);
  else if (status >= 0)
    command_fail(&error);
  else if (options.help)
    status = print_help();
  else
    status = serve(&options, argc, argv, &error) == 0 ? EXIT_OK : command_fail(&error);
  serve_options_free(&options);
  return status;
}
