/* Zarr hierarchies whose chunks lie in files of other formats: a document says where, and nothing is copied.
 *
 *   {"version": 1, "templates": {"u": "https://example.org/data"},
 *    "refs": {".zgroup": "{\"zarr_format\": 2}", "t2m/.zarray": "{…}", "t2m/.zattrs": "{…}",
 *             "t2m/0.0.0": ["{{u}}/january.nc", 8192, 40960], "time/0": "base64:AAAA…"}}
 *
 * This is version 1 of what Kerchunk writes and fsspec reads, of Zarr 2. A value is text, bytes as base64, a whole file
 * or a range of one. Files of this machine lie below the document's folder, not behind links; those of other hosts are
 * judged as all remote files are (remote_file.h), and a document of another host leads to no file of this one. What is
 * referred to is bytes, whatever it is: nothing leads in a circle. `gen` and functions in templates are not supported.
 */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_REFERENCES_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_REFERENCES_H

#include "datacube/base/error.h"
#include "datacube/source/zarr_json.h"

enum { ZARR_REFERENCES_MOST = 500000, ZARR_REFERENCES_BYTES = 32 << 20 /* of the document */ };

struct zarr_reference {
  const char *key;            /* as a file of Zarr is called */
  const char *target;         /* below the folder, or of a remote file (remote_file.h); NULL: the bytes are here */
  const unsigned char *bytes; /* or NULL */
  uint64_t at, length;        /* bytes of the target; length UINT64_MAX: all of it */
  uint32_t skipped;           /* codecs that it was written without, a bit each; no document tells */
  uint32_t part;              /* of a GRIB message the field, from 0; no document tells */
  size_t place;               /* in the document */
};

struct zarr_references {       /* immutable */
  const char *folder;          /* of the document, with a slash at the end */
  uint64_t state;              /* changes when the document does */
  struct zarr_reference *rows; /* by key */
  size_t count;
};

/* Whether a path is of such a document: it is called ….json, and its first key is one of the form's. Of another
 * host's path the name alone tells: it is that of a hierarchy (zarr_place.h), so ….json and a slash. */
bool zarr_references_is(const char *path);
/* Errors: FileContentInvalid, FeatureUnsupported, and those of remote_open. */
int zarr_references_read(struct arena *arena, const char *path, const struct zarr_references **out,
                         struct error *error);
/* Brings the rows into the order in which they are found. */
void zarr_references_sort(struct zarr_references *references);
/* NULL where there is none. */
const struct zarr_reference *zarr_references_find(const struct zarr_references *references, const char *key);
/* The documents of its nodes as those of consolidated metadata (zarr_consolidated.c), in their order. */
const struct zarr_json *zarr_references_metadata(struct arena *arena, const struct zarr_references *references,
                                                 struct error *error);

#endif
