/* Boxes of variables of netCDF and arrays of Zarr, chunk by chunk.
 *
 * A variable is a grid of chunks. Where the file is HDF5 and its filters are shuffle, deflate and zstd, or none, a
 * chunk's stored bytes are read under the lock and inflated outside of it. Everything else (netCDF-3, other filters,
 * contiguous) goes through NetCDF-C under the lock, in blocks of our own choice. One handle is one worker's. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_CHUNK_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_CHUNK_H

#include "datacube/source/block_cache.h"
#include "datacube/source/netcdf_convert.h"
#include "datacube/source/netcdf_describe.h"

struct netcdf_layout { /* how one variable lies in the file; immutable */
  size_t rank;
  size_t shape[CUBE_MAX_DIMENSIONS];
  size_t chunk[CUBE_MAX_DIMENSIONS]; /* of HDF5, or our own block */
  size_t element_size;
  bool raw;            /* stored bytes of chunks are read and inflated here */
  int shuffle, packed; /* positions of shuffle and of deflate or zstd in the filter pipeline, -1: not there */
  bool zstd;           /* which of the two */
  bool big_endian;
  const struct zarr_array *zarr; /* its chunks are files of their own, and decoded elsewhere (zarr_chunk.h); or NULL */
  unsigned char fill[16];        /* one element, machine order: the value of chunks that were never written */
  double stored_bytes;           /* in the file; 0 unknown */
};

/* Reads the layouts of the variables. Takes the lock. Error FileContentInvalid. */
int netcdf_layouts_read(const char *path, const struct netcdf_variable *variables, size_t count,
                        struct netcdf_layout *layouts, struct error *error);

struct netcdf_chunks; /* one worker's open file */

/* Borrows everything for the handle's life. Takes the lock. Errors: FileContentInvalid, Internal (memory). */
int netcdf_chunks_open(const char *path, const struct netcdf_variable *variables, const struct netcdf_layout *layouts,
                       size_t count, struct netcdf_chunks **out, struct error *error);
/* Chunks are kept in `cache`, which outlives the handle; without that, in a cache of its own. Before the first read. */
void netcdf_chunks_share(struct netcdf_chunks *chunks, struct block_cache *cache);
void netcdf_chunks_close(struct netcdf_chunks *chunks); /* NULL is allowed */
/* Bytes that a handle allocates. */
size_t netcdf_chunks_bytes(const struct netcdf_layout *layouts, size_t count);

struct netcdf_target {              /* where a region of a variable goes */
  char *data;                       /* first element */
  size_t step[CUBE_MAX_DIMENSIONS]; /* elements from one index to the next, per dimension of the variable */
  enum element_type type;
  double nodata;
};

/* Reads count elements per dimension from start (indexes of the file). Error FileContentInvalid. */
int netcdf_chunks_read(struct netcdf_chunks *chunks, size_t variable, const size_t *start, const size_t *count,
                       const struct netcdf_target *target, struct error *error);

#endif
