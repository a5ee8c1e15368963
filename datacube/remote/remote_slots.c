#include "datacube/remote/remote_slots.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct remote_slots {
  int descriptor;
  size_t users;
  char path[512];
};

static struct { /* of this process; the lock guards both, and users */
  pthread_mutex_t lock;
  struct remote_slots *last; /* that were opened, or NULL: another fetcher has others */
} open_slots = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct remote_slots *open_anew(const char *path)
{
  struct remote_slots *slots = malloc(sizeof *slots);
  if (!slots)
    return NULL;
  *slots = (struct remote_slots){.descriptor = open(path, O_RDONLY | O_CLOEXEC), .users = 1};
  snprintf(slots->path, sizeof slots->path, "%s", path);
  if (slots->descriptor >= 0)
    return slots;
  free(slots);
  return NULL;
}

struct remote_slots *remote_slots_use(const char *path)
{
  pthread_mutex_lock(&open_slots.lock);
  struct remote_slots *slots = open_slots.last;
  if (slots && strcmp(slots->path, path) == 0)
    slots->users++;
  else if ((slots = open_anew(path)) != NULL)
    open_slots.last = slots;
  pthread_mutex_unlock(&open_slots.lock);
  return slots;
}

void remote_slots_leave(struct remote_slots *slots)
{
  if (!slots)
    return;
  pthread_mutex_lock(&open_slots.lock);
  if (--slots->users == 0) {
    open_slots.last = open_slots.last == slots ? NULL : open_slots.last;
    close(slots->descriptor);
    free(slots);
  }
  pthread_mutex_unlock(&open_slots.lock);
}

int remote_slots_descriptor(const struct remote_slots *slots)
{
  return slots->descriptor;
}
