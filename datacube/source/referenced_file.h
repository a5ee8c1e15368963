/* A file of another format as arrays of Zarr 2 whose chunks are ranges of that file.
 *
 * Readers of formats (hdf5_references.h, classic_references.h, grib_references.h) fill in the arrays; referenced_table
 * makes of them what the reader of Zarr takes (zarr_references.h), so that a netCDF file of another host is read by
 * ranges, and what is written as a document. Arrays stand in the order of the file. */
#ifndef TWINCUBE_DATACUBE_SOURCE_REFERENCED_FILE_H
#define TWINCUBE_DATACUBE_SOURCE_REFERENCED_FILE_H

#include "datacube/base/buffer.h"
#include "datacube/box.h"
#include "datacube/source/zarr_references.h"

enum { REFERENCED_DEEP_MOST = 4 /* groups in each other */ };

struct referenced_chunk {
  uint64_t number;            /* in its array, last dimension fastest */
  const char *target;         /* as in zarr_reference; NULL: the bytes are here */
  const unsigned char *bytes; /* or NULL */
  uint64_t at, length;
  uint32_t skipped; /* filters that its writer left out, a bit each */
  uint32_t part;    /* of a GRIB message the field, from 0 */
};

struct referenced_array {
  const char *path; /* "group/name" */
  size_t rank;
  size_t shape[CUBE_MAX_DIMENSIONS], chunk[CUBE_MAX_DIMENSIONS];
  const char *names[CUBE_MAX_DIMENSIONS]; /* of the dimensions */
  char type[8];                           /* as NumPy writes it: "<i2" */
  size_t element_size;
  bool is_by_column;                /* in a chunk the first index varies fastest */
  const char *filters, *compressor; /* JSON; NULL: none */
  const char *fill;                 /* what chunks hold that are not there, JSON; NULL: zero */
  const char *attributes;           /* members of an object, JSON: "a":1,"b":2 */
  struct referenced_chunk *chunks;
  size_t chunk_count, chunk_room;
  struct referenced_array *next;
};

struct referenced_file {
  struct arena *arena;
  const char *attributes; /* of the file */
  uint64_t state;         /* changes when the file does */
  struct referenced_array *first, **end;
  size_t array_count, chunk_count;
};

void referenced_file_init(struct arena *arena, struct referenced_file *out);
/* A new array, at the end. Errors: FileContentInvalid (too many). */
struct referenced_array *referenced_add(struct referenced_file *file, const char *path, struct error *error);
/* Errors: FeatureUnsupported (more chunks than a document of references may have). */
int referenced_add_chunk(struct referenced_file *file, struct referenced_array *array,
                         const struct referenced_chunk *chunk, struct error *error);

/* Chunks for an array whose bytes lie in one piece, at `at` of the target: whole trailing dimensions, half a megabyte
 * at most where they can be cut into equal parts, for Zarr has no chunks that are cut at the end. */
int referenced_add_piece(struct referenced_file *file, struct referenced_array *array, const char *target, uint64_t at,
                         struct error *error);

/* Texts of single characters, as netCDF has them, become texts of as many as their last dimension has. */
void referenced_join_characters(struct referenced_array *array);
/* A text of a file, which may be no UTF-8, up to a NUL or `most` bytes. */
void referenced_write_text(struct json_writer *w, const char *text, size_t most);

/* The table. `folder` as there, borrowed. */
int referenced_table(const struct referenced_file *file, const char *folder, const struct zarr_references **out,
                     struct error *error);

/* The table as a document. Errors: FeatureUnsupported (chunks whose writer left out filters, and fields behind the
 * first of a message, which it cannot say). */
int referenced_document(const struct referenced_file *file, struct buffer *out, struct error *error);

#endif
