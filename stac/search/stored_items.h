/* Collections and items that are kept as they came: STAC 1.0 and 1.1 documents, whole, with what we know nothing of.
 *
 * A writer is one transaction. What it refuses leaves no trace, and the others stay; after any other error
 * (StorageFailure, Internal) the whole must be given up. */
#ifndef TWINCUBE_STAC_SEARCH_STORED_ITEMS_H
#define TWINCUBE_STAC_SEARCH_STORED_ITEMS_H

#include "stac/catalogue.h"

enum item_writing {
  ITEM_UPSERT, /* in place of one that is there */
  ITEM_INSERT, /* one that is there is an error */
  ITEM_UPDATE  /* none there is an error */
};

enum {
  STORED_MAX_BYTES = 16 << 20, /* of a document */
  STORED_MAX_MEMBERS = 20000,  /* assets, and links, of an item */
  STORED_MAX_ID = 1024
};

struct item_writer;

/* Begins. The catalogue is open for writing; nothing else is done with the handle before the end. */
int item_writer_new(struct catalogue *catalogue, struct item_writer **out, struct error *error);
/* From now on a collection that is not there is made when an item names it, with the extent of its items. */
void item_writer_make_collections(struct item_writer *writer);
/* Ends, and frees the writer, whether it succeeds or not. */
int item_writer_commit(struct item_writer *writer, struct error *error);
void item_writer_abort(struct item_writer *writer);

/* A STAC collection. `id`: the one it must have, or NULL. Items of a collection that is put again stay. Errors:
 * StacInvalid says what is wrong with the document; StacConflict (INSERT, or a scanned collection is there),
 * CollectionNotFound (UPDATE). */
int item_writer_put_collection(struct item_writer *writer, const char *id, enum item_writing writing, const char *json,
                               size_t length, struct error *error);
/* Makes a collection that is there its owner's own, whom alone it is shown to (catalogue_show_to). */
int item_writer_set_owner(struct item_writer *writer, const char *id, const char *owner, struct error *error);
/* A STAC item. `collection`: the one it belongs to; NULL: the one it names. Errors: StacInvalid, StacConflict (INSERT),
 * CollectionNotFound, NotFound (UPDATE). */
int item_writer_put(struct item_writer *writer, const char *collection, enum item_writing writing, const char *json,
                    size_t length, struct error *error);
/* The same of an item that was read before, on any thread (item_facts.h). */
struct stored_facts;
int item_writer_put_read(struct item_writer *writer, const char *collection, enum item_writing writing,
                         const struct stored_facts *facts, struct error *error);
/* Error CollectionNotFound, NotFound; StacConflict: the collection is a scanned one. */
int item_writer_remove(struct item_writer *writer, const char *collection, const char *id, struct error *error);

/* A collection with all its items. The writer has written nothing of it before. Error CollectionNotFound; StacConflict:
 * it is a scanned one. */
int item_writer_remove_collection(struct item_writer *writer, const char *id, struct error *error);

/* Whether the error says that what was given is wrong, so that the writer may go on. */
bool item_writer_refused(const struct error *error);

#endif
