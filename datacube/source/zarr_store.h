/* A Zarr hierarchy of version 2 or 3 in a folder, or on another host: its arrays and what their documents say.
 *
 *   version 2   .zgroup, .zarray, .zattrs in the folder of each group and array; chunk "0.1" or "0/1"
 *   version 3   zarr.json there; chunk "c/0/1" or "c.0.1"; shards, which are files of many chunks
 *
 * Of a folder the documents of each node count; consolidated metadata, which are copies of them, are not needed.
 * Nothing is read outside of the folder, nor through a link in it. Other hosts list no folders, so there it is the
 * consolidated metadata that count (zarr_consolidated.c), unless the hierarchy is one array. A document of references
 * (zarr_references.h) is a hierarchy, too. */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_STORE_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_STORE_H

#include "datacube/base/error.h"
#include "datacube/box.h"
#include "datacube/element.h"
#include "datacube/source/zarr_filter.h"
#include "datacube/source/zarr_references.h"

enum { ZARR_MAX_CODECS = 6 };

struct dap_array;

enum zarr_kind { ZARR_NUMBER, ZARR_BOOL, ZARR_TIME, ZARR_BYTES, ZARR_UCS4, ZARR_TEXTS };

struct zarr_codec {
  enum zarr_codec_kind {
    ZARR_ZLIB,
    ZARR_GZIP,
    ZARR_ZSTD,
    ZARR_BLOSC,
    ZARR_SHUFFLE,
    ZARR_CRC32C,
    ZARR_FLETCHER32,
    ZARR_CRC32,
    ZARR_ADLER32,
    ZARR_DELTA,
    ZARR_SCALE,
    ZARR_BITROUND, /* these two make numbers rounder, which is not undone */
    ZARR_QUANTIZE,
    ZARR_GRIB
  } kind;
  size_t size;               /* of the elements that are shuffled, bytes */
  bool sum_first;            /* of CRC32, ADLER32: the sum stands before the bytes */
  struct zarr_filter filter; /* of DELTA, SCALE */
  bool alternates;           /* every other row of a GRIB message runs back */
};

struct zarr_array {
  const char *group, *name; /* as netCDF has them: "/" for the root */
  const char *folder;       /* below the store's, "" for itself */
  const char *why_not;      /* it cannot be read; NULL where it can */
  size_t rank;
  size_t shape[CUBE_MAX_DIMENSIONS];
  size_t chunk[CUBE_MAX_DIMENSIONS];      /* what is decoded at once; it may reach beyond the shape */
  size_t file_chunk[CUBE_MAX_DIMENSIONS]; /* what a file holds: the same, or a shard of several */
  size_t axis[CUBE_MAX_DIMENSIONS];       /* dimension i as stored is this one */
  const char *names[CUBE_MAX_DIMENSIONS]; /* of the dimensions; NULL: it has none */
  enum zarr_kind kind;
  enum element_type type; /* of numbers and times: ELEMENT_I64; ELEMENT_U8 for all others */
  size_t element_size;    /* as stored; 0 for ZARR_TEXTS, which are of any length */
  bool big_endian;
  const char *time_unit;                     /* of ZARR_TIME: "days" … */
  const struct zarr_json *fill;              /* the document's, or NULL */
  struct zarr_codec codecs[ZARR_MAX_CODECS]; /* in the order of encoding */
  size_t codec_count;
  bool sharded, index_first, index_summed; /* the shard's index: before the chunks; has a checksum */
  const char *separator;                   /* of chunk names, and what they begin with: "." "", "/" "c/" */
  const char *prefix;
  int version;
  const struct zarr_json *attributes;       /* an object, or NULL */
  const struct zarr_references *references; /* where its chunks lie; NULL: below the store */
  const struct dap_array *dap;              /* how they are asked for (dap_store.h); NULL: they are files */
};

struct zarr_store {
  const char *path;
  struct zarr_array *arrays;
  size_t array_count;
  const struct zarr_json *attributes; /* of the root group, or NULL */
};

/* Whether the folder holds a Zarr group or array, or the file references to one. Of another host's path the name alone
 * tells (zarr_place.h), and nobody is asked. */
bool zarr_is(const char *path);
/* Reads all documents of the hierarchy. Errors FileContentInvalid, and of another host FeatureUnsupported (it has no
 * consolidated metadata) and those of remote_open. */
int zarr_store_read(struct arena *arena, const char *path, struct zarr_store *out, struct error *error);
/* The same of a table of references, borrowed; the path is what messages and files of state name. */
int zarr_store_of(struct arena *arena, const char *path, const struct zarr_references *references,
                  struct zarr_store *out, struct error *error);
/* The file that describes an array, and the folder of its chunks, as paths. NULL: out of memory. */
const char *zarr_document(struct arena *arena, const char *store, const struct zarr_array *array);
const char *zarr_folder(struct arena *arena, const char *store, const struct zarr_array *array);
/* The array of a variable; NULL where there is none. */
const struct zarr_array *zarr_store_find(const struct zarr_store *store, const char *group, const char *name);

#endif
