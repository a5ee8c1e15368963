/* twincube fetcher PARENT LEVEL FORMAT CONFINE FOLDER MOST PREFIX…, with the control socket as descriptor 3. */
#include "server/fetch/fetch_process.h"

#include "server/fetch/fetch_loop.h"
#include "server/workers/descriptors.h"
#include "server/workers/spawn_self.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL = 3, REVIVAL_SECONDS = 5 };
enum argument { PARENT = 1, LEVEL, FORMAT, CONFINE, FOLDER, MOST, ARGUMENTS };

struct fetch_process {
  struct fetch_process_options options;
  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t revived;
  pid_t pid;    /* -1: none */
  int fd;       /* control socket, or -1 */
  int accounts; /* a file in memory that holds them, never a word of the command line; -1: none */
};

/* ---- the server's end -------------------------------------------------------------------------------------------- */

/* Our end of its control socket, or -1. */
static int spawn_fetcher(const struct fetch_process_options *options, pid_t *pid, struct error *error)
{
  char parent[24], level[24], format[24], most[24];
  snprintf(parent, sizeof parent, "%ld", (long)getpid());
  snprintf(level, sizeof level, "%d", (int)options->level);
  snprintf(format, sizeof format, "%d", (int)options->format);
  snprintf(most, sizeof most, "%llu", (unsigned long long)options->most);
  const char *const first[ARGUMENTS + 1] = {
      "twincube", "fetcher", parent, level, format, confine_mode_name(options->confine), options->folder, most};
  const char **arguments = calloc(ARGUMENTS + 2 + options->access.rule.prefix_count, sizeof *arguments);
  if (arguments == NULL)
    return error_memory(error);
  memcpy(arguments, first, sizeof first);
  memcpy(arguments + ARGUMENTS + 1, options->access.rule.prefixes,
         options->access.rule.prefix_count * sizeof *arguments);
  const int fd = spawn_self(arguments, CONTROL, "reads from other hosts", pid, error);
  free(arguments);
  return fd;
}

static int start_one(struct fetch_process *process, struct error *error)
{
  pid_t pid = -1;
  const int fd = spawn_fetcher(&process->options, &pid, error);
  if (fd < 0)
    return -1;
  pthread_mutex_lock(&process->lock);
  process->pid = pid;
  process->fd = fd;
  const int status = process->accounts < 0 ? 0 : descriptors_send(fd, &process->accounts, 1);
  pthread_cond_broadcast(&process->revived);
  pthread_mutex_unlock(&process->lock);
  return status == 0 ? 0 : error_set(error, ERROR_Internal, "the process that reads from other hosts does not listen");
}

/* A file in memory that holds the accounts; -1 with errno. */
static int accounts_file(const struct fetch_account *accounts, size_t count)
{
  const int fd = memfd_create("accounts", MFD_CLOEXEC);
  const size_t size = count * sizeof *accounts;
  if (fd < 0 || size == 0 || write(fd, accounts, size) == (ssize_t)size)
    return fd;
  close(fd);
  return -1;
}

int fetch_process_renew(struct fetch_process *process, const struct fetch_account *accounts, size_t count)
{
  const int fd = accounts_file(accounts, count);
  if (fd < 0)
    return -1;
  pthread_mutex_lock(&process->lock);
  close(process->accounts);
  process->accounts = fd;
  const int status = process->fd < 0 ? 0 : descriptors_send(process->fd, &fd, 1);
  pthread_mutex_unlock(&process->lock);
  return status;
}

int fetch_process_start(const struct fetch_process_options *options, struct fetch_process **out, struct error *error)
{
  struct fetch_process *process = calloc(1, sizeof *process);
  if (process == NULL)
    return error_memory(error);
  *process = (struct fetch_process){.options = *options, .pid = -1, .fd = -1, .accounts = -1};
  pthread_mutex_init(&process->lock, NULL);
  pthread_cond_init(&process->revived, NULL);
  process->accounts = accounts_file(options->access.accounts, options->access.account_count);
  if (process->accounts < 0)
    error_set(error, ERROR_Internal, "no file can be made in memory: %s", strerror(errno));
  if (process->accounts < 0 || start_one(process, error) != 0) {
    fetch_process_stop(process);
    return -1;
  }
  *out = process;
  return 0;
}

static bool is_alive(struct fetch_process *process)
{
  int status = 0;
  pthread_mutex_lock(&process->lock);
  if (process->pid > 0 && waitpid(process->pid, &status, WNOHANG) != 0) {
    const bool killed = WIFSIGNALED(status);
    log_message(LOG_WARNING, "the process that reads from other hosts has ended (%s %d): it is started again",
                killed ? "signal" : "status", killed ? WTERMSIG(status) : WEXITSTATUS(status));
    process->pid = -1;
    close(process->fd);
    process->fd = -1;
  }
  const bool alive = process->pid > 0;
  pthread_mutex_unlock(&process->lock);
  return alive;
}

int fetch_process_revive(struct fetch_process *process, struct error *error)
{
  return process == NULL || is_alive(process) ? 0 : start_one(process, error);
}

void fetch_process_stop(struct fetch_process *process)
{
  if (process == NULL)
    return;
  if (process->fd >= 0)
    close(process->fd);
  if (process->accounts >= 0)
    close(process->accounts);
  while (process->pid > 0 && waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  pthread_cond_destroy(&process->revived);
  pthread_mutex_destroy(&process->lock);
  free(process);
}

/* Whether the descriptor came to the process, which may have to be replaced first. */
static bool hand_over(struct fetch_process *process, int fd)
{
  struct timespec until;
  int code = 0;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += REVIVAL_SECONDS;
  pthread_mutex_lock(&process->lock);
  bool is_sent = false;
  while (code == 0 && !(is_sent = process->fd >= 0 && descriptors_send(process->fd, &fd, 1) == 0))
    code = pthread_cond_timedwait(&process->revived, &process->lock, &until);
  pthread_mutex_unlock(&process->lock);
  return is_sent;
}

int fetch_process_join(struct fetch_process *process)
{
  int pair[2];
  if (process == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return -1;
  hand_over(process, pair[1]);
  close(pair[1]);
  return pair[0];
}

/* ---- the process itself ------------------------------------------------------------------------------------------ */

static int confine_self(enum confine_mode mode, const char *folder, struct error *error)
{
  struct confinement confinement;
  return confine_probe(mode, &confinement, error) == 0 ? confine_fetcher(&confinement, folder, error) : -1;
}

int fetcher_main(int argc, char **argv)
{
  struct error error = {0};
  if (argc < ARGUMENTS)
    return 2;
  prctl(PR_SET_NAME, "twincube-fetch");
  close_range(CONTROL + 1, UINT_MAX, 0); /* nothing of the server's: no socket, no store */
  log_set_level((enum log_level)strtol(argv[LEVEL], NULL, 10));
  log_set_format((enum log_format)strtol(argv[FORMAT], NULL, 10));
  const pid_t parent = (pid_t)strtol(argv[PARENT], NULL, 10);
  const struct fetch_loop_options options = {
      .access.rule = {.prefixes = (const char *const *)&argv[ARGUMENTS], .prefix_count = (size_t)(argc - ARGUMENTS)},
      .folder = argv[FOLDER],
      .most = strtoull(argv[MOST], NULL, 10),
      .control = CONTROL,
      .reader = -1};
  int status = confine_self(confine_mode_find(argv[CONFINE]), argv[FOLDER], &error);
  spawned_leave_signals(parent);
  if (status == 0)
    status = fetch_loop_run(&options, &error);
  if (status != 0)
    log_message(LOG_ERROR, "%s", error.message);
  return status == 0 ? 0 : 1;
}
