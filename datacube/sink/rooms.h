/* Rooms: equal buffers in which encoded pieces of a file wait until it is their turn to be written; used again, so that
 * their pages stay. Thread safe. */
#ifndef TWINCUBE_DATACUBE_SINK_ROOMS_H
#define TWINCUBE_DATACUBE_SINK_ROOMS_H

#include <pthread.h>
#include <stddef.h>

struct rooms {
  pthread_mutex_t lock;
  size_t bytes; /* of each */
  void *idle;   /* a list: each begins with the address of the next */
};

void rooms_begin(struct rooms *rooms, size_t bytes);
void rooms_end(struct rooms *rooms);              /* those that were taken are the takers' to give before */
void *rooms_take(struct rooms *rooms);            /* NULL: out of memory */
void rooms_give(struct rooms *rooms, void *room); /* NULL is allowed */

/* The first `length` bytes for a longer while: in the room itself, or in no more memory than they need where they are
 * few; the room is then given back. NULL: out of memory, the room is given back. */
void *rooms_keep(struct rooms *rooms, void *room, size_t length);
void rooms_release(struct rooms *rooms, void *kept, size_t length); /* what rooms_keep gave for that length */

#endif
