/* Chunks of arrays of DAP 2: asked for by their address, and decoded from what comes.
 *
 *   Dataset { Int16 t[time = 12][lat = 64]; } x;      what is sent, as a DDS
 *   Data:
 *   count count values                                XDR: larger bytes first, all of at least four, but Byte
 *
 * The count stands there twice, of texts once; a number alone has none. An answer counts only where it is of the shape
 * that was asked for, and as long as that is. */
#ifndef TWINCUBE_DATACUBE_DAP_DAP_CHUNK_H
#define TWINCUBE_DATACUBE_DAP_DAP_CHUNK_H

#include "datacube/dap/dap_store.h"

/* Bytes of an element as it is sent; of a text its length alone. */
size_t dap_sent_size(enum dap_type type);

struct dap_room { /* for bytes on their way, at least 4096 each */
  unsigned char *one, *other;
  size_t size;
};

/* Decodes the chunk of that index into `out`: all its elements, row-major, of machine byte order; those that reach
 * beyond the array are left as they are. 1, or -1 with an error that names the address. */
int dap_chunk_read(const struct zarr_array *array, const size_t *index, const struct dap_room *room, void *out,
                   struct error *error);
/* The same of texts, as zarr_chunk_texts has them; they lie in room->other. */
int dap_chunk_texts(const struct zarr_array *array, const size_t *index, const struct dap_room *room, size_t *length,
                    struct error *error);

/* Lets a chunk come that will be read. False: too many are on their way. */
bool dap_chunk_ahead(const struct zarr_array *array, const size_t *index);

/* A number that stands for what is asked for, within the work at hand. */
uint64_t dap_chunk_state(const struct zarr_array *array, const size_t *index);

#endif
