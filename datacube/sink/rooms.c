/* Rooms: a list of idle buffers. */
#include "datacube/sink/rooms.h"

#include <stdlib.h>
#include <string.h>

void rooms_begin(struct rooms *rooms, size_t bytes)
{
  *rooms = (struct rooms){.bytes = bytes < sizeof(void *) ? sizeof(void *) : bytes};
  pthread_mutex_init(&rooms->lock, NULL);
}

void rooms_end(struct rooms *rooms)
{
  while (rooms->idle != NULL) {
    void *room = rooms->idle;
    memcpy(&rooms->idle, room, sizeof rooms->idle);
    free(room);
  }
  pthread_mutex_destroy(&rooms->lock);
}

void *rooms_take(struct rooms *rooms)
{
  pthread_mutex_lock(&rooms->lock);
  void *room = rooms->idle;
  if (room != NULL)
    memcpy(&rooms->idle, room, sizeof rooms->idle);
  pthread_mutex_unlock(&rooms->lock);
  return room != NULL ? room : malloc(rooms->bytes);
}

void rooms_give(struct rooms *rooms, void *room)
{
  if (room == NULL)
    return;
  pthread_mutex_lock(&rooms->lock);
  memcpy(room, &rooms->idle, sizeof rooms->idle);
  rooms->idle = room;
  pthread_mutex_unlock(&rooms->lock);
}

static int is_small(const struct rooms *rooms, size_t length)
{
  return length < rooms->bytes / 4;
}

void *rooms_keep(struct rooms *rooms, void *room, size_t length)
{
  if (!is_small(rooms, length))
    return room;
  void *copy = malloc(length > 0 ? length : 1);
  if (copy != NULL)
    memcpy(copy, room, length);
  rooms_give(rooms, room);
  return copy;
}

void rooms_release(struct rooms *rooms, void *kept, size_t length)
{
  if (is_small(rooms, length))
    free(kept);
  else
    rooms_give(rooms, kept);
}
