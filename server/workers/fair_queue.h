/* Work of many owners, taken by turns: first comes the owner who has least under way, of these the one who was served
 * longest ago, of one's own what came first. So nobody waits for more than one piece of each other's.
 *
 * No locks: whoever uses it has one. */
#ifndef TWINCUBE_SERVER_WORKERS_FAIR_QUEUE_H
#define TWINCUBE_SERVER_WORKERS_FAIR_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

enum { FAIR_OWNER_SIZE = 72 };

/* A piece of work; its owner embeds it, and it belongs to the queue from put to done. */
struct fair_item {
  struct fair_item *next;
  uint64_t place;         /* order of arrival */
  struct fair_owner *who; /* the queue's */
};

struct fair_limits {
  unsigned all;       /* pieces that may wait */
  unsigned per_owner; /* … of one owner */
};

enum fair_answer { FAIR_TAKEN, FAIR_OWNER_FULL, FAIR_FULL };

struct fair_queue;

/* NULL when out of memory. `under_way` is the most that is ever taken and not done. */
struct fair_queue *fair_queue_new(const struct fair_limits *limits, unsigned under_way);
/* Changes how many of one owner may wait; those that wait stay. */
void fair_queue_set_per_owner(struct fair_queue *queue, unsigned per_owner);
void fair_queue_free(struct fair_queue *queue); /* NULL is allowed; nothing may wait */

enum fair_answer fair_queue_put(struct fair_queue *queue, struct fair_item *item, const char *owner);
/* The next piece that `wants` takes (NULL: any), or NULL. It is under way then: give it back or say that it is done. */
struct fair_item *fair_queue_take(struct fair_queue *queue, bool (*wants)(const struct fair_item *item));
void fair_queue_give_back(struct fair_queue *queue, struct fair_item *item); /* to its old place */
void fair_queue_done(struct fair_queue *queue, struct fair_item *item);
/* Takes out what nobody wants any more: a list by `next`. These are not under way. */
struct fair_item *fair_queue_drop(struct fair_queue *queue, bool (*is_dead)(const struct fair_item *item));
unsigned fair_queue_waiting(const struct fair_queue *queue);

#endif
