/* The catalogue: collections and items in SQLite (DIR/catalogue.sqlite), and sources made from them.
 *
 * Adding a collection reads every file's metadata once (grid, type, no-data, time, band); loading never opens a file
 * before a worker reads pixels. One handle per thread or process; a writer and many readers may coexist (WAL). */
#ifndef TWINCUBE_STAC_CATALOGUE_H
#define TWINCUBE_STAC_CATALOGUE_H

#include "datacube/base/arena.h"
#include "datacube/base/buffer.h"
#include "datacube/grid.h"
#include "datacube/source.h"

struct catalogue;
struct cql2_filter; /* stac/cql2/cql2.h */

/* A catalogue of its own in memory: empty, writable, gone when it is closed. What was loaded from it stays. */
int catalogue_open_in_memory(struct catalogue **out, struct error *error);
/* Opens, and makes when writable, the catalogue of a data folder. A read-only open of a folder without one gives an
 * empty catalogue. */
int catalogue_open(const char *data_dir, bool writable, struct catalogue **out, struct error *error);
/* Opens for writing the catalogue of a data folder, as the copy of one that several servers share, where `uri` is that
 * of its PostgreSQL database (shared/shared_catalogue.h); NULL: it is a catalogue of its own. Errors besides:
 * InfrastructureMaintenance, and StorageFailure where the folder has collections of its own, but the database, too. */
int catalogue_open_shared(const char *data_dir, const char *uri, struct catalogue **out, struct error *error);
/* Brings such a copy up to date: to be called again and again by one of a folder's processes. Nothing where it is none.
 * Errors InfrastructureMaintenance, StorageFailure. */
int catalogue_follow(struct catalogue *catalogue, struct error *error);
/* Waits, of a copy, for another change, or until the descriptor can be read, or so long. False: it can be read. */
bool catalogue_wait(struct catalogue *catalogue, int descriptor, int milliseconds);
/* Makes a copy a catalogue of its own. Error NotFound where it is none. */
int catalogue_leave(struct catalogue *catalogue, struct error *error);
void catalogue_close(struct catalogue *catalogue);

/* From now on the handle, which is open for reading, shows what a user may see: collections that are others' own are
 * not there, nor are their items. "": a stranger. A new handle shows everything. */
void catalogue_show_to(const struct catalogue *catalogue, const char *user);
/* Whether it shows a collection of that id. */
int catalogue_has(const struct catalogue *catalogue, const char *id, bool *out, struct error *error);
/* Whether the collection is somebody's own. */
int catalogue_is_private(const struct catalogue *catalogue, const char *id, bool *out, struct error *error);

struct catalogue_nodata {
  const char *band; /* NULL: every band without a row of its own */
  double value;
};

struct catalogue_provider {
  const char *name;
  const char *url; /* or NULL */
};

struct catalogue_file {
  const char *name; /* its path below what is added: for date, band and id */
  const char *path; /* of this machine, or of a remote file (datacube/remote/remote_file.h) */
};

struct catalogue_add_options {
  const char *id;             /* NULL: from the STAC document, else the folder's or file's name */
  const char *datetime_regex; /* POSIX extended with one group, matched against the path below PATH; NULL: a default
                                 that finds YYYY-MM-DD, YYYYMMDD, with or without a time */
  const char *band_regex;     /* likewise; NULL: the part of the file name after the last '_' or '.', extension off */
  const struct catalogue_nodata *nodata;
  size_t nodata_count;
  const char *title, *licence; /* go before what a STAC document says; NULL: not given. SPDX, or "other" */
  const struct catalogue_provider *providers;
  const char *const *keywords;
  size_t provider_count, keyword_count;
  bool follow;       /* symbolic links that lead to files below PATH are taken too */
  const char *crs;   /* the collection's grid; NULL: the commonest */
  double resolution; /* 0: the finest of the loaded bands */
  bool unpack;       /* rasters' values are loaded as what they stand for by scale and offset, not as they are stored */
  const struct catalogue_file
      *files; /* what a listing of PATH has, in the order of the names; NULL: PATH is looked at */
  size_t file_count;
};

/* Registers PATH: a STAC collection, catalogue, item or ItemCollection (JSON), a netCDF file, a Zarr hierarchy, or a
 * folder of rasters; or the address of a STAC document on the web, where remote files can be read. With `files`, which
 * are rasters, or netCDF files that are one cube together, PATH is what they are called by. Replaces a collection of
 * the same id in one transaction. On success the id and the counts are
 * written to `report` as one line. Files that cannot be read are named in warnings through log_message; none readable
 * is an error. */
int catalogue_add(struct catalogue *catalogue, const struct catalogue_add_options *options, const char *path,
                  struct buffer *report, struct error *error);
/* What a stranger's document may lead to. */
struct catalogue_bounds {
  const char *const *folders; /* all that is read lies below one of them: absolute, without links; NULL: anywhere */
  size_t folder_count;
  const char *published;      /* folder to which "published:" leads (published.h), one of these; or NULL */
  size_t files;               /* most documents and data files that are opened */
  size_t document_bytes;      /* most of one document */
  const char *items_query;    /* what an API on the web is asked for: "bbox=…&datetime=…", or NULL */
  const char *items_filter;   /* what all wanted items fulfil, as CQL2 text, for an API that takes it; or NULL */
  const volatile int *cancel; /* becomes nonzero: nobody wants it any more; or NULL */
  void (*warn)(void *data, const char *message); /* hears what is left out */
  void (*tell)(void *data, const char *message); /* hears who chooses among the items of an API; or NULL */
  void *data;
  const char *text; /* the document itself, PATH being where it would lie; NULL: it is read from there */
  size_t text_length;
  const char *collection_text; /* the collection of its items, as JSON, where it does not lead to it; or NULL */
  struct arena *arena;         /* of the names in what was added */
};

struct catalogue_band_key { /* an asset's key, under which a band is found as well */
  const char *key, *band;
};

struct catalogue_names {             /* what documents call things */
  const char *x, *y, *z, *t, *bands; /* dimensions ("cube:dimensions"); NULL: they do not tell */
  const struct catalogue_band_key *keys;
  size_t key_count;
};

struct catalogue_added {
  char id[256];
  struct catalogue_names names;
  bool has_properties; /* whether some scene has properties to choose it by, beside its id and date */
};

/* Registers a STAC document as catalogue_add does, within bounds. PATH is without links. Errors besides: RequestTimeout
 * (cancelled), ProcessGraphComplexity (more files than allowed). */
int catalogue_add_document(struct catalogue *catalogue, const struct catalogue_bounds *bounds, const char *path,
                           struct catalogue_added *out, struct error *error);
/* Whether a collection of that id is there whose items are stored as they came (search/stored_items.h): its files are
 * not known, and catalogue_load answers FeatureUnsupported. */
int catalogue_is_stored(const struct catalogue *catalogue, const char *id, bool *out, struct error *error);
/* Error CollectionNotFound. */
int catalogue_remove(struct catalogue *catalogue, const char *id, struct error *error);
/* One line each: id, items, bands, dates, title. */
int catalogue_list(struct catalogue *catalogue, struct buffer *out, struct error *error);

/* openEO documents as JSON. base_url has no trailing slash ("http://host/openeo/1.3"). Error CollectionNotFound. */
struct catalogue_page {                    /* of the list */
  const char *after;                       /* id before the first one, "": from the first on */
  long limit;                              /* most collections, at least 1 */
  const struct catalogue_further *further; /* or NULL */
};
/* What else stands in a list of collections than those of the catalogue. */
struct catalogue_further {
  void *data;
  /* Writes members into the open object of one of the catalogue's collections. */
  void (*describe)(void *data, const char *id, struct json_writer *writer);
  /* Writes up to `left` elements behind those of the catalogue. Where the list goes on behind them, `after` gets what
   * the next page's `after` is. */
  void (*add)(void *data, long left, struct json_writer *writer, struct buffer *after);
  void (*finish)(void *data, struct json_writer *writer); /* writes members of the list */
  bool is_behind;                                         /* the page begins behind the collections of the catalogue */
};
/* {"collections": […], "links": […]}, with a link to the next page where there is one. The documents lack their
 * dimensions and summaries. A page also ends after some MB. */
int catalogue_collections_json(const struct catalogue *catalogue, const char *base_url,
                               const struct catalogue_page *page, struct buffer *out, struct error *error);
/* Calls `report` for each collection in the order of the ids, until it answers false; the title may be NULL. */
int catalogue_each(const struct catalogue *catalogue, bool (*report)(void *data, const char *id, const char *title),
                   void *data, struct error *error);
/* Calls `report` with each folder in which data files of collections lie, and with where links among them lead; some
 * come more than once. Error Internal (out of memory) where it answers otherwise than with 0. */
int catalogue_folders(const struct catalogue *catalogue, int (*report)(void *data, const char *folder, size_t length),
                      void *data, struct error *error);
int catalogue_collection_json(const struct catalogue *catalogue, const char *id, const char *base_url,
                              struct buffer *out, struct error *error);
int catalogue_queryables_json(const struct catalogue *catalogue, const char *id, const char *base_url,
                              struct buffer *out, struct error *error);

struct items_query {
  const char *collection;
  bool has_start, has_end; /* instants, both included */
  int64_t start, end;
  bool has_box;
  struct extent box; /* normal (datacube/lonlat.h) */
  const char *token; /* of the page before; NULL: the first one */
  long limit;        /* most items, at least 1 */
  const char *kept;  /* box and interval as they were asked for, for the next page: "&bbox=…" */
};
/* A page of a collection's items as a GeoJSON FeatureCollection, with a link to the next one where there is one; one
 * item. Errors: CollectionNotFound, NotFound, QueryParameterInvalid (token). */
int catalogue_items_json(const struct catalogue *catalogue, const char *base_url, const struct items_query *query,
                         struct buffer *out, struct error *error);
int catalogue_item_json(const struct catalogue *catalogue, const char *base_url, const char *collection, const char *id,
                        struct buffer *out, struct error *error);

/* A property of an item, for load_collection's `properties`. */
struct item_property {
  enum {
    ITEM_PROPERTY_ABSENT,
    ITEM_PROPERTY_NULL,
    ITEM_PROPERTY_BOOLEAN,
    ITEM_PROPERTY_NUMBER,
    ITEM_PROPERTY_TEXT,
    ITEM_PROPERTY_TREE
  } kind;
  double number;    /* BOOLEAN: 0 or 1 */
  const char *text; /* TREE: an array or object, as JSON */
};

struct item_filter {
  const char *const *names; /* properties wanted, "eo:cloud_cover" */
  size_t count;
  /* Decides on one item; values[i] belongs to names[i]. */
  int (*accept)(void *data, const struct item_property *values, bool *accepted, struct error *error);
  void *data;
};

struct load_request {
  const char *collection;
  const struct extent *extent; /* NULL: everything */
  bool has_start, has_end;     /* half-open interval of instants */
  int64_t start, end;
  const char *const *bands; /* names or common names, in order; NULL: all */
  size_t band_count;
  const struct catalogue_names *names; /* whose keys stand for bands, too; or NULL */
  const struct item_filter *filter;    /* or NULL */
  const struct cql2_filter *needed;    /* holds for all that the filter accepts: what the index is asked for; or NULL */
  const volatile int *cancel;          /* becomes nonzero: ends with RequestTimeout, while features are read; or NULL */
};

/* The cube of the request as a source: dimensions t, bands, y, x for rasters; the file's own for netCDF, its variables
 * as bands. Errors: CollectionNotFound, BandNotAvailable (parameter "bands"), NoDataAvailable, TemporalExtentEmpty,
 * CRSInvalid, RequestTimeout, and ExtentTooLarge-like ProcessParameterInvalid for absurd boxes (parameter
 * "spatial_extent"). */
int catalogue_load(const struct catalogue *catalogue, struct arena *arena, const struct load_request *request,
                   const struct source **out, struct error *error);

#endif
