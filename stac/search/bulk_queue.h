/* Items on their way from the thread that reads them to the one that writes them, in order.
 *
 * Batch by batch: so many entries or bytes, of which a few batches are on their way. */
#ifndef TWINCUBE_STAC_SEARCH_BULK_QUEUE_H
#define TWINCUBE_STAC_SEARCH_BULK_QUEUE_H

#include "stac/search/item_facts.h"

enum { BULK_PLACE_SIZE = 512 };

struct bulk_entry {
  struct stored_facts facts; /* of an item; of a collection the document as it came */
  struct error error;        /* of reading the item */
  bool is_collection;
  char place[BULK_PLACE_SIZE]; /* where it stands, for messages */
};

struct bulk_queue;

int bulk_queue_new(struct bulk_queue **out, struct error *error);
void bulk_queue_free(struct bulk_queue *queue);

/* The reader's side: an entry to be filled, its document's room that of an earlier one. NULL: the writer has given up.
 */
struct bulk_entry *bulk_queue_room(struct bulk_queue *queue);
void bulk_queue_add(struct bulk_queue *queue); /* it is filled */
void bulk_queue_end(struct bulk_queue *queue); /* there are no more */

/* The writer's side: the next entry, good until the one after it is asked for. NULL: the end. */
const struct bulk_entry *bulk_queue_next(struct bulk_queue *queue);
void bulk_queue_stop(struct bulk_queue *queue); /* it gives up */

#endif
