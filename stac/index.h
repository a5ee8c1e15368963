/* The index: DIR/catalogue.sqlite and its prepared statements.
 *
 *   collections  one row each, with its documents as JSON, ready but for their links
 *   bands        of a collection, in order
 *   grids        pixel grids of files; scenes of one tile share a row
 *   items        a scene, or an item that is stored as it came: instant, first and last one, lonlat box; in mosaic
 *                order by key
 *   documents    of an item: a STAC item as JSON (item_document.h, search/stored_items.h), and the properties of the
 *                source of a scene
 *   item_boxes   R*Tree: lonlat box of an item; as further axes the key of its collection and its interval in units of
 *                ten days. Boxes are a little wider than what they stand for, since the tree judges by volumes, which
 *                must not be 0. All round where the box crosses the antimeridian
 *   assets       one band of one file
 *   private_collections   whose own a collection is; to others it is not there (catalogue_show_to): handles for
 *                reading see `collections` as a view without them
 *
 * A collection is scanned, its items made from files, or stored: items came as documents, and no file is looked at
 * before it is loaded.
 *
 * WAL with a busy timeout; each change is one transaction, so a reader sees the old collection or the new one. */
#ifndef TWINCUBE_STAC_INDEX_H
#define TWINCUBE_STAC_INDEX_H

#include "stac/catalogue.h"
#include "stac/item_document.h"
#include "stac/scan.h"

#include <sqlite3.h>

struct shared_catalogue;

enum statement {
  STATEMENT_BEGIN_READ,
  STATEMENT_BEGIN_WRITE,
  STATEMENT_COMMIT,
  STATEMENT_ROLLBACK,
  STATEMENT_COLLECTION,
  STATEMENT_LIST,
  STATEMENT_PAGE,
  STATEMENT_NAMES,
  STATEMENT_DELETE_BOXES,
  STATEMENT_DELETE_ASSETS,
  STATEMENT_DELETE_DOCUMENTS,
  STATEMENT_DELETE_ITEMS,
  STATEMENT_DELETE_GRIDS,
  STATEMENT_DELETE_BANDS,
  STATEMENT_DELETE_OWNER,
  STATEMENT_DELETE_COLLECTION,
  STATEMENT_INSERT_COLLECTION,
  STATEMENT_INSERT_BAND,
  STATEMENT_INSERT_GRID,
  STATEMENT_INSERT_ITEM,
  STATEMENT_UPDATE_ITEM,
  STATEMENT_INSERT_DOCUMENT,
  STATEMENT_INSERT_BOX,
  STATEMENT_INSERT_ASSET,
  STATEMENT_BANDS,
  STATEMENT_ITEMS,
  STATEMENT_ITEMS_IN_BOX,
  STATEMENT_FIRST_INSTANT,
  STATEMENT_ASSETS,
  STATEMENT_ITEMS_OF,
  STATEMENT_ITEM,
  STATEMENT_DOCUMENT,
  STATEMENT_EXTENTS,
  STATEMENT_EXTENT,
  STATEMENT_NAME,
  STATEMENT_SPAN,
  STATEMENT_KIND,
  STATEMENT_ITEM_KEY,
  STATEMENT_REMOVE_ITEM,
  STATEMENT_REMOVE_DOCUMENT,
  STATEMENT_REMOVE_BOX,
  STATEMENT_PUT_COLLECTION,
  STATEMENT_OWNER,
  STATEMENT_SET_OWNER,
  STATEMENT_ANY_HIDDEN,
  STATEMENT_COUNT_ITEMS,
  STATEMENT_TREE_NODE,
  STATEMENT_COUNT
};

/* Columns of STATEMENT_COLLECTION, STATEMENT_LIST and STATEMENT_PAGE. */
enum {
  COLLECTION_KEY,
  COLLECTION_ID,
  COLLECTION_TITLE,
  COLLECTION_CRS,
  COLLECTION_EXPLICIT_CRS,
  COLLECTION_RESOLUTION,
  COLLECTION_SUB_DAILY,
  COLLECTION_CUBE_PATH,
  COLLECTION_NODATA_GIVEN,
  COLLECTION_NODATA,
  COLLECTION_ITEMS,
  COLLECTION_BANDS,
  COLLECTION_DATES,
  COLLECTION_DOCUMENT,
  COLLECTION_LINKS,
  COLLECTION_QUERYABLES,
  COLLECTION_WEST,
  COLLECTION_SOUTH,
  COLLECTION_EAST,
  COLLECTION_NORTH,
  COLLECTION_UNSEEN,
  COLLECTION_STORED
};

/* The axis of time in the search tree: as long as that of longitude for some ten years. */
#define INDEX_TIME_UNIT 864000000.0 /* ms */

/* Instants of what has no date, which is of any time: some 285 000 years off. */
#define INDEX_FAR INT64_C(9000000000000000)

/* A statement that was made for one kind of question, kept for the next one. */
struct index_query {
  char *text; /* owned; NULL: free */
  sqlite3_stmt *statement;
  uint64_t used; /* when, in questions */
};

enum { INDEX_QUERIES = 24 };

/* Judges items in a running statement, as the SQL function item_accepted(document). */
struct index_judge {
  int (*accept)(void *data, const char *document, size_t length, struct error *error); /* 1, 0, or -1 with an error */
  void *data;
  struct error *error;
};

/* The open database. Lives behind a const catalogue: statements are kept between calls. */
struct index {
  sqlite3 *db; /* NULL: there is no file (yet) */
  sqlite3_stmt *statements[STATEMENT_COUNT];
  struct index_query queries[INDEX_QUERIES];
  uint64_t question;               /* how many queries there were */
  const struct index_judge *judge; /* of the running search; NULL: none */
  bool writable;
  bool is_shown_to_one; /* `user`, "" for a stranger; else it shows everything */
  char user[256];
  char *path;
  struct shared_catalogue *shared; /* whose copy this is, for changes (shared/shared_catalogue.h); owned; or NULL */
};

struct catalogue {
  struct index *index;
};

/* Opens the file where it is there (writable: makes it); no file is no error for a reader, which looks again here. */
int index_open(struct index *index, struct error *error);
void index_close(struct index *index);

/* What makes the indexes and the search tree of the items. */
extern const char index_searches[];
#define INDEX_OWNERS                                                                                                   \
  "CREATE TABLE private_collections (key INTEGER PRIMARY KEY, owner TEXT NOT NULL);"                                   \
  "PRAGMA user_version = 5;"
/* Brings a catalogue of an earlier version up to this one, inside a transaction. (index_upgrade.c) */
enum { INDEX_VERSION = 5, INDEX_OLDEST = 2 };
int index_upgrade(struct index *index, int version, struct error *error);

/* The statement, reset and without bindings. NULL with an error. Reset it (index_done) as soon as it is not needed. */
sqlite3_stmt *index_statement(struct index *index, enum statement statement, struct error *error);
void index_done(sqlite3_stmt *statement);
/* A statement of that text, likewise. It stays good until as many others as are kept were asked for. */
sqlite3_stmt *index_query(struct index *index, const char *text, struct error *error);
/* Runs a statement without rows. */
int index_run(struct index *index, sqlite3_stmt *statement, struct error *error);
int index_execute(struct index *index, enum statement statement, struct error *error);
/* Next row: 1, end: 0, error: -1. */
int index_step(struct index *index, sqlite3_stmt *statement, struct error *error);
/* A change of the catalogue: nobody else writes it from here to the end. Of a shared one on no server, and the copy is
 * up to date; a copy without its database is not changed (ServerConfigInvalid). (index_change.c) */
int index_begin_change(struct index *index, struct error *error);
/* With `status` 0 all of it counts, else nothing. The status. */
int index_end_change(struct index *index, int status, struct error *error);
/* Error StorageFailure with the database's message. */
int index_error(struct index *index, struct error *error);

/* A box as it is searched by: all round where it crosses the antimeridian. */
struct extent index_search_box(struct extent box);
/* What the items table has of an item. */
struct index_item {
  int64_t key; /* 0: a new one; else the row of this collection and id */
  int64_t collection;
  const char *id;
  struct item_times times;
  struct extent box; /* normal (lonlat.h) */
};
/* Writes the row of an item and its document; `key` of the item becomes that of the row. The properties may be NULL. */
int index_insert_item(struct index *index, struct index_item *item, const struct buffer *document,
                      const char *properties, struct error *error);
/* No item of the collection reaches further from its instant than it did before, or than this. */
int index_note_span(struct index *index, int64_t collection, int64_t span, struct error *error);
/* Puts an item into the search tree. (index_boxes.c) */
int index_insert_box(struct index *index, const struct index_item *item, struct error *error);
/* Puts all items there whose keys are beyond `before`: they have been inserted since, and are not in the tree yet. */
int index_add_boxes(struct index *index, int64_t before, struct error *error);
/* Puts those there whose keys are from `first` to `last`. */
int index_add_boxes_between(struct index *index, int64_t first, int64_t last, struct error *error);
/* The transaction at hand will write much: pages are kept in memory until there are many. */
int index_expect_much(struct index *index, struct error *error);

/* The row of a collection, which the caller ends with index_done; NULL with an error (CollectionNotFound). */
sqlite3_stmt *index_collection(struct index *index, const char *id, struct error *error);

/* Removes everything of a collection; inside a transaction. */
int index_delete(struct index *index, int64_t collection, struct error *error);
/* Writes a finished scan with its documents in place of the collection of the same id: one transaction. */
struct index_documents {
  struct buffer document, links, queryables;
};
int index_replace(struct index *index, const struct scan *scan, const struct index_documents *documents,
                  struct error *error);

#endif
