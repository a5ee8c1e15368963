/* Boxes of variables become encoded chunks, by any thread, without the file: netcdf_store writes them. */
#ifndef TWINCUBE_DATACUBE_SINK_NETCDF_ENCODING_H
#define TWINCUBE_DATACUBE_SINK_NETCDF_ENCODING_H

#include "datacube/sink/netcdf_plan.h"
#include "datacube/sink/statistics.h"

#include <stdint.h>

/* A box of one variable: start and count in the variable's dimensions; element `data[i0 * step[0] + …]`, steps in
 * elements. */
struct netcdf_piece {
  size_t variable;
  size_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS];
  size_t step[CUBE_MAX_DIMENSIONS];
  const char *data;
};

struct netcdf_held { /* a chunk, or a part of one, that waits for its turn */
  struct netcdf_held *next;
  size_t variable;
  size_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS];
  bool is_chunk; /* a whole one, encoded; `mask` names the filters that were not used */
  uint32_t mask;
  unsigned char *bytes; /* kept in a room */
  size_t length;
  struct statistics statistics;
};

struct netcdf_parcel { /* in the order of encoding; all zero: empty */
  struct netcdf_held *first, **last;
};

struct netcdf_encoding;

struct netcdf_encoding *netcdf_encoding_new(const struct netcdf_plan *plan); /* borrows; NULL: out of memory */
void netcdf_encoding_free(struct netcdf_encoding *encoding);                 /* NULL is allowed */
/* Adds the chunks and parts of chunks that the piece covers. Thread safe for parcels of different threads. Error
 * Internal (memory). */
int netcdf_encoding_add(struct netcdf_encoding *encoding, const struct netcdf_piece *piece, struct netcdf_parcel *to,
                        struct error *error);
/* For a chunk that comes in parts: room for one, filled with no-data (NULL: out of memory), what gives it back, and the
 * encoded bytes of it (-1: out of memory). */
unsigned char *netcdf_encoding_blank(struct netcdf_encoding *encoding);
void netcdf_encoding_unblank(struct netcdf_encoding *encoding, unsigned char *chunk);
int netcdf_encoding_chunk(struct netcdf_encoding *encoding, const unsigned char *chunk, struct netcdf_held *out);
void netcdf_held_release(struct netcdf_encoding *encoding, struct netcdf_held *held); /* its bytes */
const struct netcdf_plan *netcdf_encoding_plan(const struct netcdf_encoding *encoding);
void netcdf_parcel_free(struct netcdf_encoding *encoding, struct netcdf_parcel *parcel);

#endif
