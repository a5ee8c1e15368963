/* A writer, for the files that make it up (stored_items.c, stored_collections.c). */
#ifndef TWINCUBE_STAC_SEARCH_STORED_WRITER_H
#define TWINCUBE_STAC_SEARCH_STORED_WRITER_H

#include "stac/index.h"
#include "stac/search/stored_items.h"

struct written_collection {
  char *id; /* owned */
  int64_t key;
  bool is_stored;
  bool is_made;             /* by this writer, without a document: its extent is that of its items */
  int64_t added, span;      /* items by this writer, less those removed; of them */
  int64_t count;            /* items whose extent is that below */
  struct extent box;        /* normal */
  struct item_times extent; /* first and last */
};

struct item_writer {
  bool makes_collections; /* of the items' names, where there is none */
  struct index *index;
  struct written_collection *collections;
  size_t collection_count, collection_room, latest;
  int64_t before; /* the greatest key of an item when it began: items beyond it have no box until the end */
};

/* The collection, which stays where it is until another one is asked for. NULL with an error (CollectionNotFound;
 * StacInvalid where one would be made and its id does not fit). */
struct written_collection *writer_collection(struct item_writer *writer, const char *id, struct error *error);
/* Makes the usual indexes of properties for what was written (property_index.h). */
int writer_index_properties(struct item_writer *writer, struct error *error);
/* Tells the index of the items of all collections. */
int writer_finish_collections(struct item_writer *writer, struct error *error);

#endif
