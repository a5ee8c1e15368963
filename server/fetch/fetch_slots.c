#include "server/fetch/fetch_slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fetch_slots_open(struct fetch_slots *slots, const char *path, struct error *error)
{
  *slots = (struct fetch_slots){.fd = -1};
  if (snprintf(slots->path, sizeof slots->path, "%s", path) < (int)sizeof slots->path)
    slots->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return slots->fd >= 0
             ? 0
             : error_set(error, ERROR_StorageFailure, "no file for what is fetched can be made: %s", strerror(errno));
}

void fetch_slots_close(struct fetch_slots *slots)
{
  if (slots->fd >= 0) {
    unlink(slots->path);
    close(slots->fd);
  }
  free(slots->free);
  *slots = (struct fetch_slots){.fd = -1};
}

uint64_t fetch_slots_take(struct fetch_slots *slots)
{
  if (slots->free_count > 0)
    return slots->free[--slots->free_count];
  slots->end += FETCH_SLOT_BYTES;
  return slots->end - FETCH_SLOT_BYTES;
}

/* One that cannot be noted is never taken again. */
void fetch_slots_give(struct fetch_slots *slots, uint64_t place)
{
  fallocate(slots->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)place, FETCH_SLOT_BYTES);
  if (slots->free_count == slots->free_room) {
    const size_t room = slots->free_room ? 2 * slots->free_room : 256;
    uint64_t *more = realloc(slots->free, room * sizeof *more);
    if (!more)
      return;
    slots->free = more;
    slots->free_room = room;
  }
  slots->free[slots->free_count++] = place;
}
