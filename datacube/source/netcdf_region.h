/* Regions of a variable as parts of its chunks. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_REGION_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_REGION_H

#include "datacube/source/netcdf_chunk.h"

struct chunk_walk { /* over the chunks of a region, the last dimension fastest */
  size_t rank;
  size_t first[CUBE_MAX_DIMENSIONS], index[CUBE_MAX_DIMENSIONS], last[CUBE_MAX_DIMENSIONS];
  bool at_end;
};

/* At the first chunk of count elements per dimension from start. False where that is nothing. */
bool chunk_walk_begin(const struct netcdf_layout *layout, const size_t *start, const size_t *count,
                      struct chunk_walk *out);
void chunk_walk_on(struct chunk_walk *walk);

struct chunk_part {                      /* what lies of a region in one chunk */
  size_t in_chunk[CUBE_MAX_DIMENSIONS];  /* first index within the chunk */
  size_t in_region[CUBE_MAX_DIMENSIONS]; /* first index within the region */
  size_t count[CUBE_MAX_DIMENSIONS];
};

struct chunk_part chunk_part_of(const struct netcdf_layout *layout, const size_t *index, const size_t *start,
                                const size_t *count);
/* Whether a region is made of whole chunks, which no other region will want. */
bool is_whole_chunks(const struct netcdf_layout *layout, const size_t *start, const size_t *count);

#endif
