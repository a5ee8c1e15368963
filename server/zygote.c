/* Fork on demand. The server makes the socket pair and passes one end along (SCM_RIGHTS); the answer is the pid. */
#include "server/zygote.h"

#include "datacube/base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct zygote {
  pthread_mutex_t lock; /* one question and answer at a time */
  int fd;
  pid_t pid;
};

static int send_descriptor(int fd, int descriptor)
{
  char byte = 'f';
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  ssize_t sent;
  do
    sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == 1 ? 0 : -1;
}

/* The descriptor, -1 when the server is gone, -2 after a signal. */
static int receive_descriptor(int fd)
{
  char byte;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  ssize_t count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (count < 0 && errno == EINTR)
    return -2;
  const struct cmsghdr *header = count == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header == NULL || header->cmsg_type != SCM_RIGHTS)
    return -1;
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return descriptor;
}

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

/* A child dies with its parent; had the parent died before this call, it is asked for by its pid. */
static void die_with(pid_t parent)
{
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(0);
}

static pid_t fork_worker(int control, int descriptor, const struct worker_options *options)
{
  pid_t self = getpid();
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  die_with(self);
  close(control);
  set_handler(SIGCHLD, SIG_DFL);
  prctl(PR_SET_NAME, "twincube-worker");
  exit(worker_main(descriptor, options));
}

static int run_zygote(int control, const struct worker_options *options)
{
  prctl(PR_SET_NAME, "twincube-zygote");
  /* The server decides about the end: signals for the whole process group are for it. */
  set_handler(SIGINT, SIG_IGN);
  set_handler(SIGTERM, SIG_IGN);
  set_handler(SIGHUP, SIG_IGN);
  set_handler(SIGPIPE, SIG_IGN);
  set_handler(SIGCHLD, on_child);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (;;) {
    reap();
    struct pollfd wait = {.fd = control, .events = POLLIN};
    if (poll(&wait, 1, 1000) <= 0)
      continue;
    int descriptor = receive_descriptor(control);
    if (descriptor == -2)
      continue;
    if (descriptor < 0)
      break;
    int32_t pid = (int32_t)fork_worker(control, descriptor, options);
    close(descriptor);
    if (send(control, &pid, sizeof pid, MSG_NOSIGNAL) != (ssize_t)sizeof pid)
      break;
  }
  reap_rest();
  return 0;
}

int zygote_start(const struct worker_options *options, int keep_closed, struct zygote **out, struct error *error)
{
  int pair[2];
  struct zygote *zygote = calloc(1, sizeof *zygote);
  if (zygote == NULL)
    return error_memory(error);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    free(zygote);
    return error_set(error, "Internal", "cannot make a socket pair: %s", strerror(errno));
  }
  fflush(NULL);
  pid_t self = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    die_with(self);
    free(zygote); /* the parent's */
    close(pair[0]);
    if (keep_closed >= 0)
      close(keep_closed);
    _exit(run_zygote(pair[1], options));
  }
  close(pair[1]);
  if (pid < 0) {
    close(pair[0]);
    free(zygote);
    return error_set(error, "Internal", "cannot fork: %s", strerror(errno));
  }
  pthread_mutex_init(&zygote->lock, NULL);
  zygote->fd = pair[0];
  zygote->pid = pid;
  *out = zygote;
  return 0;
}

void zygote_stop(struct zygote *zygote)
{
  if (zygote == NULL)
    return;
  close(zygote->fd);
  while (waitpid(zygote->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  pthread_mutex_destroy(&zygote->lock);
  free(zygote);
}

int zygote_spawn(struct zygote *zygote, int *fd, int *pidfd, struct error *error)
{
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return error_set(error, "Internal", "cannot make a socket pair: %s", strerror(errno));
  int32_t pid = -1;
  pthread_mutex_lock(&zygote->lock);
  if (send_descriptor(zygote->fd, pair[1]) == 0 &&
      recv(zygote->fd, &pid, sizeof pid, MSG_WAITALL) != (ssize_t)sizeof pid)
    pid = -1;
  pthread_mutex_unlock(&zygote->lock);
  close(pair[1]);
  *pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
  if (*pidfd < 0) {
    close(pair[0]);
    return error_set(error, "Internal", "cannot start a worker process");
  }
  *fd = pair[0];
  return 0;
}
