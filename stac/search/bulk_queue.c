/* See the header. A ring of batches; each belongs to the reader or to the writer. */
#include "stac/search/bulk_queue.h"

#include <pthread.h>
#include <stdlib.h>

enum { BATCHES = 4, BATCH_ENTRIES = 128, BATCH_BYTES = 1 << 20, KEPT_BYTES = 1 << 16 };

struct bulk_batch {
  struct bulk_entry entries[BATCH_ENTRIES];
  size_t count, bytes;
};

struct bulk_queue {
  pthread_mutex_t lock;
  pthread_cond_t moved;
  size_t filled, taken;      /* batches since the beginning; each written by one side only */
  bool is_ended, is_stopped; /* by the reader, by the writer */
  bool is_open;              /* the reader has a batch that it fills */
  size_t next;               /* entry of the writer's batch */
  struct bulk_batch batches[BATCHES];
};

int bulk_queue_new(struct bulk_queue **out, struct error *error)
{
  struct bulk_queue *queue = calloc(1, sizeof *queue);
  if (!queue)
    return error_memory(error);
  pthread_mutex_init(&queue->lock, NULL);
  pthread_cond_init(&queue->moved, NULL);
  *out = queue;
  return 0;
}

void bulk_queue_free(struct bulk_queue *queue)
{
  for (size_t i = 0; i < BATCHES; i++)
    for (size_t k = 0; k < BATCH_ENTRIES; k++)
      stored_facts_free(&queue->batches[i].entries[k].facts);
  pthread_cond_destroy(&queue->moved);
  pthread_mutex_destroy(&queue->lock);
  free(queue);
}

static void set(struct bulk_queue *queue, bool *flag)
{
  pthread_mutex_lock(&queue->lock);
  *flag = true;
  pthread_cond_broadcast(&queue->moved);
  pthread_mutex_unlock(&queue->lock);
}

static void count(struct bulk_queue *queue, size_t *number)
{
  pthread_mutex_lock(&queue->lock);
  ++*number;
  pthread_cond_broadcast(&queue->moved);
  pthread_mutex_unlock(&queue->lock);
}

/* ---- the reader -------------------------------------------------------------------------------------------------- */

struct bulk_entry *bulk_queue_room(struct bulk_queue *queue)
{
  struct bulk_batch *batch = &queue->batches[queue->filled % BATCHES];
  if (!queue->is_open) {
    pthread_mutex_lock(&queue->lock);
    while (queue->filled - queue->taken == BATCHES && !queue->is_stopped)
      pthread_cond_wait(&queue->moved, &queue->lock);
    queue->is_open = !queue->is_stopped;
    pthread_mutex_unlock(&queue->lock);
  }
  if (!queue->is_open)
    return NULL;
  struct bulk_entry *entry = &batch->entries[batch->count];
  entry->error = (struct error){0};
  if (entry->facts.document.capacity > KEPT_BYTES)
    buffer_free(&entry->facts.document);
  return entry;
}

static void hand_over(struct bulk_queue *queue)
{
  queue->is_open = false;
  count(queue, &queue->filled);
}

void bulk_queue_add(struct bulk_queue *queue)
{
  struct bulk_batch *batch = &queue->batches[queue->filled % BATCHES];
  batch->bytes += batch->entries[batch->count++].facts.document.length;
  if (batch->count == BATCH_ENTRIES || batch->bytes >= BATCH_BYTES)
    hand_over(queue);
}

void bulk_queue_end(struct bulk_queue *queue)
{
  if (queue->is_open && queue->batches[queue->filled % BATCHES].count > 0)
    hand_over(queue);
  set(queue, &queue->is_ended);
}

/* ---- the writer -------------------------------------------------------------------------------------------------- */

const struct bulk_entry *bulk_queue_next(struct bulk_queue *queue)
{
  struct bulk_batch *batch = &queue->batches[queue->taken % BATCHES];
  if (queue->next > 0 && queue->next == batch->count) {
    batch->count = batch->bytes = queue->next = 0;
    count(queue, &queue->taken);
    batch = &queue->batches[queue->taken % BATCHES];
  }
  if (queue->next == 0) {
    pthread_mutex_lock(&queue->lock);
    while (queue->filled == queue->taken && !queue->is_ended)
      pthread_cond_wait(&queue->moved, &queue->lock);
    const bool is_there = queue->filled > queue->taken;
    pthread_mutex_unlock(&queue->lock);
    if (!is_there)
      return NULL;
  }
  return &batch->entries[queue->next++];
}

void bulk_queue_stop(struct bulk_queue *queue)
{
  set(queue, &queue->is_stopped);
}
