/* A list under a lock, first in first out. */
#include "server/http/pump.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PUMP_THREADS = 2 };

struct pump {
  pthread_t threads[PUMP_THREADS];
  unsigned started;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  struct pump_item *first, **last;
  bool stopping;
};

static struct pump_item *next_item(struct pump *pump)
{
  pthread_mutex_lock(&pump->lock);
  while (pump->first == NULL && !pump->stopping)
    pthread_cond_wait(&pump->wake, &pump->lock);
  struct pump_item *item = pump->first;
  if (item != NULL) {
    pump->first = item->next;
    if (pump->first == NULL)
      pump->last = &pump->first;
  }
  pthread_mutex_unlock(&pump->lock);
  return item;
}

static void *run_pump(void *data)
{
  struct pump_item *item;
  while ((item = next_item(data)) != NULL)
    item->work(item);
  return NULL;
}

struct pump *pump_start(void)
{
  struct pump *pump = calloc(1, sizeof *pump);
  if (pump == NULL)
    return NULL;
  pump->last = &pump->first;
  pthread_mutex_init(&pump->lock, NULL);
  pthread_cond_init(&pump->wake, NULL);
  while (pump->started < PUMP_THREADS && pthread_create(&pump->threads[pump->started], NULL, run_pump, pump) == 0)
    pump->started++;
  if (pump->started > 0)
    return pump;
  pump_stop(pump);
  return NULL;
}

void pump_stop(struct pump *pump)
{
  if (pump == NULL)
    return;
  pthread_mutex_lock(&pump->lock);
  pump->stopping = true;
  pthread_cond_broadcast(&pump->wake);
  pthread_mutex_unlock(&pump->lock);
  for (unsigned i = 0; i < pump->started; i++)
    pthread_join(pump->threads[i], NULL);
  pthread_mutex_destroy(&pump->lock);
  pthread_cond_destroy(&pump->wake);
  free(pump);
}

void pump_put(struct pump *pump, struct pump_item *item)
{
  item->next = NULL;
  pthread_mutex_lock(&pump->lock);
  *pump->last = item;
  pump->last = &item->next;
  pthread_cond_signal(&pump->wake);
  pthread_mutex_unlock(&pump->lock);
}
