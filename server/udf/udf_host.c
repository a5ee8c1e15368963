/* The server's end of the host. */
#include "server/udf/udf_host.h"

#include "server/udf/udf_host_process.h"
#include "server/workers/descriptors.h"
#include "server/workers/spawn_self.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct udf_host {
  struct udf_host_options options;
  pthread_mutex_t lock; /* guards what follows */
  pid_t pid;            /* -1: none */
  int fd;               /* control socket, or -1 */
};

static int spawn_host(const struct udf_host_options *options, pid_t *pid, struct error *error)
{
  char parent[24], level[24], format[24], memory[24];
  snprintf(parent, sizeof parent, "%ld", (long)getpid());
  snprintf(level, sizeof level, "%d", (int)options->level);
  snprintf(format, sizeof format, "%d", (int)options->format);
  snprintf(memory, sizeof memory, "%zu", options->memory);
  const char *const arguments[] = {"twincube",
                                   "udf-host",
                                   parent,
                                   level,
                                   format,
                                   confine_mode_name(options->confine),
                                   options->python != NULL ? options->python : "",
                                   memory,
                                   NULL};
  return spawn_self(arguments, UDF_HOST_CONTROL, "runs users' scripts", pid, error);
}

static int start_one(struct udf_host *host, struct error *error)
{
  pid_t pid = -1;
  const int fd = spawn_host(&host->options, &pid, error);
  if (fd < 0)
    return -1;
  pthread_mutex_lock(&host->lock);
  host->pid = pid;
  host->fd = fd;
  pthread_mutex_unlock(&host->lock);
  return 0;
}

int udf_host_start(const struct udf_host_options *options, struct udf_host **out, struct error *error)
{
  struct udf_host *host = calloc(1, sizeof *host);
  if (host == NULL)
    return error_memory(error);
  *host = (struct udf_host){.options = *options, .pid = -1, .fd = -1};
  pthread_mutex_init(&host->lock, NULL);
  if (start_one(host, error) != 0) {
    udf_host_stop(host);
    return -1;
  }
  *out = host;
  return 0;
}

static bool is_alive(struct udf_host *host)
{
  int status = 0;
  pthread_mutex_lock(&host->lock);
  if (host->pid > 0 && waitpid(host->pid, &status, WNOHANG) != 0) {
    const bool killed = WIFSIGNALED(status);
    log_message(LOG_WARNING, "the process that runs users' scripts has ended (%s %d): it is started again",
                killed ? "signal" : "status", killed ? WTERMSIG(status) : WEXITSTATUS(status));
    host->pid = -1;
    close(host->fd);
    host->fd = -1;
  }
  const bool alive = host->pid > 0;
  pthread_mutex_unlock(&host->lock);
  return alive;
}

int udf_host_revive(struct udf_host *host, struct error *error)
{
  return host == NULL || is_alive(host) ? 0 : start_one(host, error);
}

void udf_host_stop(struct udf_host *host)
{
  if (host == NULL)
    return;
  if (host->fd >= 0)
    close(host->fd);
  while (host->pid > 0 && waitpid(host->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  pthread_mutex_destroy(&host->lock);
  free(host);
}

int udf_host_join(struct udf_host *host)
{
  int pair[2];
  if (host == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return -1;
  pthread_mutex_lock(&host->lock);
  const bool is_sent = host->fd >= 0 && descriptors_send(host->fd, &pair[1], 1) == 0;
  pthread_mutex_unlock(&host->lock);
  close(pair[1]);
  if (is_sent)
    return pair[0];
  close(pair[0]);
  return -1;
}
