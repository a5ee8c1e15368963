/* One thread polls all sockets in its care; new ones come through a pipe, whose end ends the thread. */
#include "server/http/drain.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 256, DRAIN_MS = 5000, LAST_MS = 1000 };

struct drain {
  pthread_t thread;
  int entry; /* the pipe's end to write descriptors into */
  /* Of the thread alone. */
  struct pollfd fds[MOST + 1]; /* [0]: the pipe's other end */
  int64_t until[MOST + 1];     /* monotonic milliseconds */
  unsigned count;              /* of fds */
};

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the earliest end, or for ever. */
static int time_left(const struct drain *drain)
{
  int64_t first = INT64_MAX, now = now_ms();
  for (unsigned i = 1; i < drain->count; i++)
    first = drain->until[i] < first ? drain->until[i] : first;
  return first == INT64_MAX ? -1 : first <= now ? 0 : (int)(first - now);
}

/* Drops what is there: false at the end of the stream. */
static bool drop(int fd)
{
  char bytes[65536];
  return recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0;
}

static void look(struct drain *drain)
{
  const int64_t now = now_ms();
  for (unsigned i = drain->count; i-- > 1;) {
    if (now < drain->until[i] && (drain->fds[i].revents == 0 || drop(drain->fds[i].fd)))
      continue;
    close(drain->fds[i].fd);
    drain->count--;
    drain->fds[i] = drain->fds[drain->count];
    drain->until[i] = drain->until[drain->count];
  }
}

/* false: the pipe has ended. */
static bool take_new(struct drain *drain)
{
  int fd;
  if (read(drain->fds[0].fd, &fd, sizeof fd) != (ssize_t)sizeof fd)
    return false;
  if (drain->count > MOST) {
    close(fd);
    return true;
  }
  drain->fds[drain->count] = (struct pollfd){.fd = fd, .events = POLLIN};
  drain->until[drain->count++] = now_ms() + DRAIN_MS;
  return true;
}

static void *run(void *data)
{
  struct drain *drain = data;
  do {
    poll(drain->fds, drain->count, time_left(drain));
    look(drain);
  } while (drain->fds[0].revents == 0 || take_new(drain));
  for (unsigned i = 1; i < drain->count; i++) /* the last ones linger, too, if less */
    drain->until[i] = drain->until[i] < now_ms() + LAST_MS ? drain->until[i] : now_ms() + LAST_MS;
  drain->fds[0].events = 0;
  close(drain->fds[0].fd);
  drain->fds[0].fd = -1;
  while (drain->count > 1) {
    poll(drain->fds, drain->count, time_left(drain));
    look(drain);
  }
  return NULL;
}

struct drain *drain_start(void)
{
  struct drain *drain = calloc(1, sizeof *drain);
  int ends[2];
  if (drain == NULL || pipe2(ends, O_CLOEXEC) != 0) {
    free(drain);
    return NULL;
  }
  drain->entry = ends[1];
  drain->fds[0] = (struct pollfd){.fd = ends[0], .events = POLLIN};
  drain->count = 1;
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  if (pthread_create(&drain->thread, NULL, run, drain) == 0)
    return drain;
  close(ends[0]);
  close(ends[1]);
  free(drain);
  return NULL;
}

void drain_stop(struct drain *drain)
{
  if (drain == NULL)
    return;
  close(drain->entry);
  pthread_join(drain->thread, NULL);
  free(drain);
}

void drain_add(struct drain *drain, int fd)
{
  int held = drain != NULL ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
  if (held >= 0 && write(drain->entry, &held, sizeof held) != (ssize_t)sizeof held)
    close(held);
}
