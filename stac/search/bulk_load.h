/* Loading many STAC items into the catalogue as they are, in one transaction. */
#ifndef TWINCUBE_STAC_SEARCH_BULK_LOAD_H
#define TWINCUBE_STAC_SEARCH_BULK_LOAD_H

#include "stac/search/stored_items.h"

struct bulk_load {
  const char *collection;    /* file of a STAC collection that is put first; or NULL */
  enum item_writing writing; /* UPSERT or INSERT */
  bool is_strict;            /* the first item that is refused ends it, and nothing is kept */
  const char *name;          /* what the file is called, where that is not its path; or NULL */
  /* Told of each item that was taken, before it is sure that all are kept; -1 (out of memory) ends it. NULL: nobody. */
  int (*note)(void *data, const char *collection, const char *id);
  void *note_data;
};

/* PATH: lines of JSON (.ndjson, .jsonl, .geojsonl), one item each; an ItemCollection or one item (.json, .geojson);
 * stac-geoparquet (.parquet, .geoparquet; parquet_items.h), whose collections are put first where `collection` is NULL;
 * a static catalogue: a folder with catalog.json or collection.json, or such a file, whose links to children and items
 * below its folder are followed. All but Parquet may be packed as a whole with gzip or zstd (.ndjson.gz, .json.zst).
 * A collection that is not there is made with the extent of its items. Items that are
 * refused are named in warnings by their line, place or file, the first ones, and counted. The report is one line. */
int catalogue_load_items(struct catalogue *catalogue, const struct bulk_load *load, const char *path,
                         struct buffer *report, struct error *error);

/* Whether a file of that name has many items: lines of JSON or Parquet. */
bool bulk_is_file(const char *name);

/* ---- between the readers (bulk_load.c, bulk_folder.c, bulk_parquet.c) -------------------------------------------- */

struct bulk_queue;

enum { BULK_MOST_GROWTH = 4096 }; /* bytes of items that a byte of a packed file may become */

struct bulk_text {  /* a file, mapped, or a part of one */
  const char *data; /* a zero byte stands behind the end of the file */
  size_t length;
};
/* What is packed as a whole is unpacked. To be closed where it was opened. */
int bulk_text_open(const char *path, struct bulk_text *out, struct error *error);
void bulk_text_close(struct bulk_text *text);

/* Reads one item or, where `is_collection`, a collection, and hands it on. `place` names it: "items.ndjson, line 7".
 * What is wrong with it is told where it is written; an error here is that nobody writes any more. */
int bulk_put(struct bulk_queue *queue, const struct bulk_text *text, bool is_collection, const char *place,
             struct error *error);
/* Follows a static catalogue from its document on. */
int bulk_folder(struct bulk_queue *queue, const char *path, struct error *error);
/* A file of stac-geoparquet, row by row. */
int bulk_parquet(struct bulk_queue *queue, const char *path, const struct bulk_text *file, bool with_collections,
                 struct error *error);

#endif
