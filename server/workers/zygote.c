/* The server's end of the zygote: started with posix_spawn, which is safe beside threads. A generation counts the
 * zygotes, so that a worker that died with its zygote is told from one that died alone. */
#include "server/workers/zygote.h"

#include "server/fetch/fetch_process.h"
#include "server/workers/descriptors.h"
#include "server/workers/spawn_self.h"
#include "server/workers/zygote_protocol.h"
#include "server/udf/udf_host.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 20 };

struct zygote {
  struct zygote_options options;
  pthread_mutex_t lock; /* one question and answer at a time; guards what follows */
  pid_t pid;            /* -1: none */
  int fd;               /* control socket, or -1 */
  unsigned generation;
};

/* Our end of its control socket, or -1. */
static int spawn_process(const struct zygote_options *options, pid_t *pid, struct error *error)
{
  char parent[24], level[24], format[24], memory[24], result_size[24], device_memory[24];
  snprintf(parent, sizeof parent, "%ld", (long)getpid());
  snprintf(level, sizeof level, "%d", (int)options->level);
  snprintf(format, sizeof format, "%d", (int)options->format);
  snprintf(memory, sizeof memory, "%zu", options->worker.memory);
  snprintf(result_size, sizeof result_size, "%llu", (unsigned long long)options->worker.result_size);
  snprintf(device_memory, sizeof device_memory, "%zu", options->worker.device_memory);
  const struct local_files *local = &options->worker.local;
  const char *const first[ZYGOTE_ARGUMENTS + 1] = {"twincube",
                                                   "zygote",
                                                   parent,
                                                   level,
                                                   format,
                                                   memory,
                                                   result_size,
                                                   confine_mode_name(options->confine),
                                                   options->worker.data,
                                                   options->worker.remote != NULL ? options->worker.remote : "",
                                                   options->specs != NULL ? options->specs : "",
                                                   options->worker.device,
                                                   device_memory,
                                                   local->published != NULL ? local->published : ""};
  const char **arguments = calloc(ZYGOTE_ARGUMENTS + 2 + local->folder_count, sizeof *arguments);
  if (arguments == NULL)
    return error_memory(error);
  memcpy(arguments, first, sizeof first);
  if (local->folder_count > 0)
    memcpy(arguments + ZYGOTE_ARGUMENTS + 1, local->folders, local->folder_count * sizeof *arguments);
  const int fd = spawn_self(arguments, ZYGOTE_CONTROL, "makes workers", pid, error);
  free(arguments);
  return fd;
}

/* Main thread, while there is no zygote. */
static int launch(struct zygote *zygote, struct error *error)
{
  pid_t pid = -1;
  const int fd = spawn_process(&zygote->options, &pid, error);
  if (fd < 0)
    return -1;
  const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  pthread_mutex_lock(&zygote->lock);
  zygote->pid = pid;
  zygote->fd = fd;
  zygote->generation++;
  pthread_mutex_unlock(&zygote->lock);
  return 0;
}

int zygote_start(const struct zygote_options *options, struct zygote **out, struct error *error)
{
  struct zygote *zygote = calloc(1, sizeof *zygote);
  if (zygote == NULL)
    return error_memory(error);
  zygote->options = *options;
  if (confine_probe(options->confine, &zygote->options.worker.confinement, error) != 0) {
    free(zygote);
    return -1;
  }
  zygote->fd = zygote->pid = -1;
  pthread_mutex_init(&zygote->lock, NULL);
  if (launch(zygote, error) != 0) {
    zygote_stop(zygote);
    return -1;
  }
  *out = zygote;
  return 0;
}

static void drop_control(struct zygote *zygote)
{
  if (zygote->fd >= 0)
    close(zygote->fd);
  zygote->fd = -1;
}

/* Whether there is a zygote; one that has ended is forgotten. */
static bool is_alive(struct zygote *zygote)
{
  int status = 0;
  pthread_mutex_lock(&zygote->lock);
  if (zygote->pid > 0 && waitpid(zygote->pid, &status, WNOHANG) != 0) {
    const bool killed = WIFSIGNALED(status);
    log_message(LOG_WARNING, "the process that makes workers has ended (%s %d): it is started again",
                killed ? "signal" : "status", killed ? WTERMSIG(status) : WEXITSTATUS(status));
    zygote->pid = -1;
    drop_control(zygote);
  }
  bool alive = zygote->pid > 0;
  pthread_mutex_unlock(&zygote->lock);
  return alive;
}

int zygote_revive(struct zygote *zygote, struct error *error)
{
  return is_alive(zygote) ? 0 : launch(zygote, error);
}

void zygote_stop(struct zygote *zygote)
{
  if (zygote == NULL)
    return;
  drop_control(zygote);
  while (zygote->pid > 0 && waitpid(zygote->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  pthread_mutex_destroy(&zygote->lock);
  free(zygote);
}

/* The new worker's pid, or -1. A zygote that does not answer is killed: an answer that comes late would be taken for
 * that to the next question. */
static int32_t ask(struct zygote *zygote, const int descriptors[WORKER_DESCRIPTORS], unsigned *generation)
{
  int32_t pid = -1;
  pthread_mutex_lock(&zygote->lock);
  *generation = zygote->generation;
  if (zygote->fd >= 0 && descriptors_send(zygote->fd, descriptors, WORKER_DESCRIPTORS) == 0 &&
      recv(zygote->fd, &pid, sizeof pid, MSG_WAITALL) != (ssize_t)sizeof pid) {
    if (zygote->pid > 0)
      kill(zygote->pid, SIGKILL); /* and is revived */
    pid = -1;
  }
  pthread_mutex_unlock(&zygote->lock);
  return pid;
}

int zygote_spawn(struct zygote *zygote, struct zygote_child *out, struct error *error)
{
  int pair[2];
  *out = (struct zygote_child){.fd = -1, .pidfd = -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return error_set(error, ERROR_Internal, "no worker process can be started: %s", strerror(errno));
  const int given[WORKER_DESCRIPTORS] = {[WORKER_TASKS] = pair[1],
                                         [WORKER_REMOTE] = fetch_process_join(zygote->options.fetch),
                                         [WORKER_SCRIPTS] = udf_host_join(zygote->options.scripts)};
  int32_t pid = ask(zygote, given, &out->generation);
  for (size_t i = 0; i < WORKER_DESCRIPTORS; i++)
    if (given[i] >= 0)
      close(given[i]);
  out->pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
  if (out->pidfd < 0) {
    close(pair[0]); /* a worker that was made after all ends at this */
    return error_set(error, ERROR_Internal, "no worker process can be started");
  }
  out->fd = pair[0];
  return 0;
}

const char *zygote_binds(const struct zygote *zygote)
{
  return zygote->options.worker.confinement.why_off == NULL ? zygote->options.worker.data : NULL;
}

bool zygote_is_lost(struct zygote *zygote, unsigned generation)
{
  pthread_mutex_lock(&zygote->lock);
  struct pollfd look = {.fd = zygote->fd, .events = POLLRDHUP};
  bool lost = zygote->generation != generation || zygote->fd < 0 ||
              (poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0);
  pthread_mutex_unlock(&zygote->lock);
  return lost;
}
