/* The zygote's own loop: a descriptor comes over the control socket (SCM_RIGHTS), a worker is forked that holds it,
 * its pid is the answer. What workers may read is gathered here, once for each state of the catalogue. */
#include "server/workers/zygote.h"

#include "server/confine/read_folders.h"

#include "server/workers/descriptors.h"
#include "server/workers/spawn_self.h"
#include "server/workers/zygote_protocol.h"

#include "datacube/base/logger.h"
#include "datacube/gdal_init.h"
#include "processes/graph/table.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void on_child(int number)
{
  (void)number; /* only interrupts the wait */
}

static void reap(void)
{
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (WIFSIGNALED(status))
      log_message(LOG_WARNING, "worker %d was ended by signal %d", (int)pid, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
      log_message(LOG_WARNING, "worker %d ended with status %d", (int)pid, WEXITSTATUS(status));
  }
}

/* At the end the workers' sockets are closed, so they end by themselves; those that do not are killed with us. */
static void reap_rest(void)
{
  const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
  for (int i = 0; i < 200 && waitpid(-1, NULL, WNOHANG) >= 0; i++) /* until there is no child left */
    nanosleep(&moment, NULL);
}

static void set_handler(int number, void (*handler)(int))
{
  const struct sigaction action = {.sa_handler = handler};
  sigaction(number, &action, NULL);
}

static pid_t fork_worker(const int descriptors[WORKER_DESCRIPTORS], const struct worker_options *options)
{
  pid_t self = getpid();
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  spawned_die_with(self);
  close(ZYGOTE_CONTROL);
  set_handler(SIGCHLD, SIG_DFL);
  prctl(PR_SET_NAME, "twincube-worker");
  exit(worker_main(descriptors, options));
}

static void set_signals(void)
{
  /* The server decides about the end: signals for the whole process group are for it. */
  set_handler(SIGINT, SIG_IGN);
  set_handler(SIGTERM, SIG_IGN);
  set_handler(SIGHUP, SIG_IGN);
  set_handler(SIGPIPE, SIG_IGN);
  set_handler(SIGCHLD, on_child);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- what workers may read ---- */

struct readable {
  struct path_list system, scenes;
  struct hash stamp; /* of the catalogue, when the scenes were gathered */
};

/* A catalogue that cannot be read holds nothing that may be; workers say why it cannot. */
static void gather_scenes(struct worker_options *options, struct readable *reading)
{
  struct error error = {0};
  const struct hash stamp = catalogue_stamp(options->data);
  if (options->confinement.why_off != NULL || hash_equal(stamp, reading->stamp))
    return;
  path_list_free(&reading->scenes);
  if (read_folders_scenes(options->data, &reading->scenes, &error) != 0)
    log_message(LOG_WARNING, "workers read no scenes: %s", error.message);
  reading->stamp = stamp;
  const bool before = options->rules.reads_all;
  options->rules.reads_all = options->confinement.user.changes && confine_reads_all(&options->rules);
  if (options->rules.reads_all && !before)
    log_message(LOG_WARNING, "folders of scenes are closed to the server's user: workers keep the capability to read "
                             "files of others (CAP_DAC_READ_SEARCH) in what landlock leaves them");
}

static int start_reading(struct worker_options *options, struct readable *reading)
{
  options->rules = (struct confine_rules){.data = options->data,
                                          .system = &reading->system,
                                          .scenes = &reading->scenes,
                                          .local = &options->local,
                                          .uses_devices = strcmp(options->device, "cpu") != 0,
                                          .remote = options->remote};
  return read_folders_system(&reading->system);
}

/* ---- the loop ---- */

static void serve(struct worker_options *options, struct readable *reading)
{
  for (;;) {
    reap();
    struct pollfd wait = {.fd = ZYGOTE_CONTROL, .events = POLLIN};
    if (poll(&wait, 1, 1000) <= 0)
      continue;
    int descriptors[WORKER_DESCRIPTORS];
    const int got = descriptors_receive(ZYGOTE_CONTROL, descriptors, WORKER_DESCRIPTORS);
    if (got < 0)
      continue;
    if (got == 0)
      return;
    gather_scenes(options, reading);
    int32_t pid = (int32_t)fork_worker(descriptors, options);
    if (pid < 0)
      log_message(LOG_ERROR, "no worker can be forked: %s", strerror(errno));
    for (size_t i = 0; i < WORKER_DESCRIPTORS; i++)
      if (descriptors[i] >= 0)
        close(descriptors[i]);
    if (send(ZYGOTE_CONTROL, &pid, sizeof pid, MSG_NOSIGNAL) != (ssize_t)sizeof pid)
      return;
  }
}

int zygote_main(int argc, char **argv)
{
  struct error error = {0};
  if (argc < ZYGOTE_ARGUMENTS)
    return 2;
  prctl(PR_SET_NAME, "twincube-zygote");
  close_range(ZYGOTE_CONTROL + 1, UINT_MAX, 0); /* nothing of the server's: no socket, no store */
  set_signals();
  log_set_level((enum log_level)strtol(argv[ZYGOTE_LEVEL], NULL, 10));
  log_set_format((enum log_format)strtol(argv[ZYGOTE_FORMAT], NULL, 10));
  const pid_t parent = (pid_t)strtol(argv[ZYGOTE_PARENT], NULL, 10);
  struct readable reading = {.stamp = {1, 1}};
  struct worker_options options = {.data = argv[ZYGOTE_DATA],
                                   .remote = argv[ZYGOTE_REMOTE],
                                   .local = {.folders = (const char *const *)&argv[ZYGOTE_ARGUMENTS],
                                             .folder_count = (size_t)(argc - ZYGOTE_ARGUMENTS),
                                             .published = argv[ZYGOTE_PUBLISHED][0] ? argv[ZYGOTE_PUBLISHED] : NULL},
                                   .memory = (size_t)strtoull(argv[ZYGOTE_MEMORY], NULL, 10),
                                   .result_size = strtoull(argv[ZYGOTE_RESULT_SIZE], NULL, 10),
                                   .device = argv[ZYGOTE_DEVICE],
                                   .device_memory = (size_t)strtoull(argv[ZYGOTE_DEVICE_MEMORY], NULL, 10)};
  if (argv[ZYGOTE_SPECS][0] != '\0' && process_table_use_specs(argv[ZYGOTE_SPECS], &error) != 0) {
    log_message(LOG_ERROR, "%s", error.message);
    return 1;
  }
  gdal_init(); /* once for all workers: they share it */
  if (confine_probe(confine_mode_find(argv[ZYGOTE_CONFINE]), &options.confinement, &error) != 0 ||
      confine_zygote(&options.confinement, &error) != 0 || start_reading(&options, &reading) != 0) {
    log_message(LOG_ERROR, "%s", error.message);
    return 1;
  }
  spawned_die_with(parent);
  serve(&options, &reading);
  path_list_free(&reading.system);
  path_list_free(&reading.scenes);
  reap_rest();
  return 0;
}
