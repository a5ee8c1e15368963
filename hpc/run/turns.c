/* Turns: a ring of flags from the first tile that is not placed on, one lock, one condition. */
#include "hpc/run/turns.h"

#include <pthread.h>
#include <stdlib.h>

struct turns {
  pthread_mutex_t lock;  /* guards what follows, but is not held while a tile is placed */
  pthread_cond_t moved;  /* `first` has grown, or the end has come */
  size_t window, first;  /* the first tile that is not placed */
  bool *made;            /* tile t: made[t % window] */
  bool placing, stopped; /* a thread is at it */
  turns_place *place;
  void *data;
};

int turns_new(size_t window, turns_place *place, void *data, struct turns **out, struct error *error)
{
  struct turns *turns = calloc(1, sizeof *turns);
  bool *made = calloc(window, sizeof *made);
  if (!turns || !made) {
    free(turns);
    free(made);
    return error_memory(error);
  }
  *turns = (struct turns){.window = window, .made = made, .place = place, .data = data};
  pthread_mutex_init(&turns->lock, NULL);
  pthread_cond_init(&turns->moved, NULL);
  *out = turns;
  return 0;
}

void turns_free(struct turns *turns)
{
  if (!turns)
    return;
  pthread_cond_destroy(&turns->moved);
  pthread_mutex_destroy(&turns->lock);
  free(turns->made);
  free(turns);
}

bool turns_enter(struct turns *turns, size_t tile)
{
  pthread_mutex_lock(&turns->lock);
  while (!turns->stopped && tile >= turns->first + turns->window)
    pthread_cond_wait(&turns->moved, &turns->lock);
  bool goes_on = !turns->stopped;
  pthread_mutex_unlock(&turns->lock);
  return goes_on;
}

int turns_leave(struct turns *turns, size_t tile, struct error *error)
{
  int status = 0;
  pthread_mutex_lock(&turns->lock);
  turns->made[tile % turns->window] = true;
  while (status == 0 && !turns->placing && !turns->stopped && turns->made[turns->first % turns->window]) {
    turns->placing = true;
    pthread_mutex_unlock(&turns->lock);
    status = turns->place(turns->data, turns->first, error);
    pthread_mutex_lock(&turns->lock);
    turns->placing = false;
    turns->made[turns->first % turns->window] = false;
    turns->first++;
    pthread_cond_broadcast(&turns->moved);
  }
  pthread_mutex_unlock(&turns->lock);
  return status;
}

void turns_stop(struct turns *turns)
{
  if (!turns)
    return;
  pthread_mutex_lock(&turns->lock);
  turns->stopped = true;
  pthread_cond_broadcast(&turns->moved);
  pthread_mutex_unlock(&turns->lock);
}
