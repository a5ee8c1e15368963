/* The index: DIR/catalogue.sqlite and its prepared statements.
 *
 *   collections  one row each, with its documents as JSON, ready but for their links
 *   bands        of a collection, in order
 *   grids        pixel grids of files; scenes of one tile share a row
 *   items        a scene: instant, lonlat box, properties as JSON, document (item_document.h); in mosaic order by key
 *   item_boxes   R*Tree: lonlat box of an item; its collection's key and its instant as further axes (single precision,
 *                widened); all round where the box crosses the antimeridian
 *   assets       one band of one file
 *
 * WAL with a busy timeout; each change is one transaction, so a reader sees the old collection or the new one. */
#ifndef TWINCUBE_STAC_INDEX_H
#define TWINCUBE_STAC_INDEX_H

#include "stac/catalogue.h"
#include "stac/scan.h"

#include <sqlite3.h>

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
  STATEMENT_DELETE_ITEMS,
  STATEMENT_DELETE_GRIDS,
  STATEMENT_DELETE_BANDS,
  STATEMENT_DELETE_COLLECTION,
  STATEMENT_INSERT_COLLECTION,
  STATEMENT_INSERT_BAND,
  STATEMENT_INSERT_GRID,
  STATEMENT_INSERT_ITEM,
  STATEMENT_INSERT_BOX,
  STATEMENT_INSERT_ASSET,
  STATEMENT_BANDS,
  STATEMENT_ITEMS,
  STATEMENT_ITEMS_IN_BOX,
  STATEMENT_FIRST_INSTANT,
  STATEMENT_ASSETS,
  STATEMENT_ITEMS_OF,
  STATEMENT_ITEM_PAGE,
  STATEMENT_ITEM_PAGE_MEETING,
  STATEMENT_ITEM_PAGE_AMONG,
  STATEMENT_ITEM_COUNT,
  STATEMENT_ITEM,
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
  COLLECTION_UNSEEN
};

/* The open database. Lives behind a const catalogue: statements are kept between calls. */
struct index {
  sqlite3 *db; /* NULL: there is no file (yet) */
  sqlite3_stmt *statements[STATEMENT_COUNT];
  bool writable;
  char *path;
};

struct catalogue {
  struct index *index;
};

/* Opens the file where it is there (writable: makes it); no file is no error for a reader, which looks again here. */
int index_open(struct index *index, struct error *error);
void index_close(struct index *index);

/* What makes the indexes and the search tree of the items. */
extern const char index_searches[];
/* Brings a catalogue of the last version up to this one, inside a transaction. (index_upgrade.c) */
int index_upgrade(struct index *index, struct error *error);

/* The statement, reset and without bindings. NULL with an error. Reset it (index_done) as soon as it is not needed. */
sqlite3_stmt *index_statement(struct index *index, enum statement statement, struct error *error);
void index_done(sqlite3_stmt *statement);
/* Runs a statement without rows. */
int index_run(struct index *index, sqlite3_stmt *statement, struct error *error);
int index_execute(struct index *index, enum statement statement, struct error *error);
/* Next row: 1, end: 0, error: -1. */
int index_step(struct index *index, sqlite3_stmt *statement, struct error *error);
/* Error StorageFailure with the database's message. */
int index_error(struct index *index, struct error *error);

/* A box as it is searched by: all round where it crosses the antimeridian. */
struct extent index_search_box(struct extent box);
/* Puts an item into the search tree. */
int index_insert_box(struct index *index, int64_t item, int64_t collection, int64_t instant, const struct extent *box,
                     struct error *error);

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
