/* A list in order of arrival and a table of owners. An owner is forgotten, when the table is full, once nothing of
 * theirs waits or is under way: the one who was served longest ago goes first. */
#include "server/workers/fair_queue.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REMEMBERED = 64 }; /* owners whose last turn is known though nothing of theirs is here */

struct fair_owner {
  char name[FAIR_OWNER_SIZE];
  unsigned waiting, under_way;
  uint64_t served; /* the queue's clock at the last turn, 0: never */
};

struct fair_queue {
  struct fair_limits limits;
  struct fair_item *first; /* in order of place */
  unsigned waiting;
  uint64_t arrivals, clock;
  unsigned owner_count, owner_room;
  struct fair_owner owners[];
};

struct fair_queue *fair_queue_new(const struct fair_limits *limits, unsigned under_way)
{
  const unsigned room = limits->all + under_way + REMEMBERED;
  struct fair_queue *queue = calloc(1, sizeof *queue + room * sizeof queue->owners[0]);
  if (queue == NULL)
    return NULL;
  queue->limits = *limits;
  queue->owner_room = room;
  return queue;
}

void fair_queue_set_per_owner(struct fair_queue *queue, unsigned per_owner)
{
  queue->limits.per_owner = per_owner;
}

void fair_queue_free(struct fair_queue *queue)
{
  free(queue);
}

/* ---- owners ---- */

/* There is one: the table has room for more owners than can be waiting or under way. */
static struct fair_owner *free_owner(struct fair_queue *queue)
{
  struct fair_owner *oldest = NULL;
  if (queue->owner_count < queue->owner_room)
    return &queue->owners[queue->owner_count++];
  for (unsigned i = 0; i < queue->owner_count; i++) {
    struct fair_owner *owner = &queue->owners[i];
    if (owner->waiting + owner->under_way == 0 && (oldest == NULL || owner->served < oldest->served))
      oldest = owner;
  }
  return oldest;
}

static struct fair_owner *find_owner(struct fair_queue *queue, const char *name)
{
  for (unsigned i = 0; i < queue->owner_count; i++)
    if (strcmp(queue->owners[i].name, name) == 0)
      return &queue->owners[i];
  struct fair_owner *owner = free_owner(queue);
  *owner = (struct fair_owner){0};
  snprintf(owner->name, sizeof owner->name, "%s", name);
  return owner;
}

static bool goes_before(const struct fair_owner *a, const struct fair_owner *b)
{
  return a->under_way != b->under_way ? a->under_way < b->under_way : a->served < b->served;
}

/* ---- the list ---- */

static void insert(struct fair_queue *queue, struct fair_item *item)
{
  struct fair_item **at = &queue->first;
  while (*at != NULL && (*at)->place < item->place)
    at = &(*at)->next;
  item->next = *at;
  *at = item;
  item->who->waiting++;
  queue->waiting++;
}

static struct fair_item *unlink_item(struct fair_queue *queue, struct fair_item **at)
{
  struct fair_item *item = *at;
  *at = item->next;
  item->next = NULL;
  item->who->waiting--;
  queue->waiting--;
  return item;
}

enum fair_answer fair_queue_put(struct fair_queue *queue, struct fair_item *item, const char *owner)
{
  if (queue->waiting >= queue->limits.all)
    return FAIR_FULL;
  struct fair_owner *who = find_owner(queue, owner);
  if (who->waiting >= queue->limits.per_owner)
    return FAIR_OWNER_FULL;
  item->who = who;
  item->place = ++queue->arrivals;
  insert(queue, item);
  return FAIR_TAKEN;
}

struct fair_item *fair_queue_take(struct fair_queue *queue, bool (*wants)(const struct fair_item *item))
{
  struct fair_item **best = NULL;
  for (struct fair_item **at = &queue->first; *at != NULL; at = &(*at)->next)
    if ((wants == NULL || wants(*at)) && (best == NULL || goes_before((*at)->who, (*best)->who)))
      best = at;
  if (best == NULL)
    return NULL;
  struct fair_item *item = unlink_item(queue, best);
  item->who->under_way++;
  item->who->served = ++queue->clock;
  return item;
}

void fair_queue_give_back(struct fair_queue *queue, struct fair_item *item)
{
  item->who->under_way--;
  insert(queue, item);
}

void fair_queue_done(struct fair_queue *queue, struct fair_item *item)
{
  (void)queue;
  item->who->under_way--;
}

struct fair_item *fair_queue_drop(struct fair_queue *queue, bool (*is_dead)(const struct fair_item *item))
{
  struct fair_item *dropped = NULL, **at = &queue->first;
  while (*at != NULL) {
    if (!is_dead(*at)) {
      at = &(*at)->next;
      continue;
    }
    struct fair_item *item = unlink_item(queue, at);
    item->next = dropped;
    dropped = item;
  }
  return dropped;
}

unsigned fair_queue_waiting(const struct fair_queue *queue)
{
  return queue->waiting;
}
