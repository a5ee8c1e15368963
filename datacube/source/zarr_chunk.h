/* Chunks of Zarr arrays, decoded. */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_CHUNK_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_CHUNK_H

#include "datacube/base/hash.h"
#include "datacube/source/zarr_store.h"

struct zarr_reader; /* one worker's open store */

/* Whether its chunks are messages of GRIB. */
bool zarr_array_is_grib(const struct zarr_array *array);
/* Bytes of the array's chunks, decoded, or of what decoding them needs, where that is more. Not for ZARR_TEXTS. */
size_t zarr_chunk_room(const struct zarr_array *array);
/* Opens the store for arrays whose chunks need at most so much room; with the references of these, or NULL,
 * which it borrows. Error FileContentInvalid. */
int zarr_reader_open(const char *path, const struct zarr_references *references, size_t room, struct zarr_reader **out,
                     struct error *error);
void zarr_reader_close(struct zarr_reader *reader); /* NULL is allowed */
/* Bytes that a reader allocates. */
size_t zarr_reader_bytes(size_t room);

/* Decodes the chunk of that index into `out`: all its elements, row-major, of machine byte order. 1; 0 where it was
 * never written; -1 where it cannot be read, or is not of that size. Not for ZARR_TEXTS. */
int zarr_chunk_read(struct zarr_reader *reader, const struct zarr_array *array, const size_t *index, void *out);

/* The bytes of a chunk of texts: they begin with their count, each with its length, 32 bits, least byte first. 1 with
 * *bytes (the reader's, until its next call) and *length, 0, -1 as above. */
int zarr_chunk_texts(struct zarr_reader *reader, const struct zarr_array *array, const size_t *index,
                     const unsigned char **bytes, size_t *length);

/* Why the last chunk could not be read, where its host is to blame: -1, and it is forgotten; else 0. */
int zarr_reader_failure(struct zarr_reader *reader, struct error *error);

/* Asks for the encoded bytes of a chunk that will soon be read: the system, or another host. What goes wrong is met
 * again by who reads. False where too many are on their way: ask again later. */
bool zarr_chunk_ahead(struct zarr_reader *reader, const struct zarr_array *array, const size_t *index);

/* A number that changes when the file of the chunk does: size, time, or whether there is one. */
uint64_t zarr_chunk_state(const struct zarr_reader *reader, const struct zarr_array *array, const size_t *index);

/* Adds the states of all files of an array of the store, documents and chunks. False where those are more than *left,
 * of which it takes their number. */
bool zarr_files_state(const char *store, const struct zarr_array *array, size_t *left, struct hash *out);

/* The value of chunks that were never written, an element of machine byte order. */
void zarr_fill(const struct zarr_array *array, unsigned char out[16]);

#endif
