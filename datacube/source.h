/* A source: something that fills boxes of a cube. Drivers are rows behind this vtable.
 *
 * A source is an immutable description; a reader is one worker's open handle on it. Readers of one source may be used
 * from different threads at once, one reader from one thread at a time. read() does not allocate in steady state. */
#ifndef TWINCUBE_DATACUBE_SOURCE_H
#define TWINCUBE_DATACUBE_SOURCE_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "datacube/cube.h"
#include "datacube/grid.h"

#include <stdint.h>

struct block_cache;
struct source;
struct source_reader; /* each driver has its own */

/* How a source is put on another grid; its CRS texts live as long as the arena. */
struct regrid_request {
  const struct grid *grid; /* the target */
  enum resampling method;
  /* In the CRS of the source's cube, within its bounds, not empty: what of it counts. Target pixels whose centre is not
   * in [west, east) and (south, north] are no-data. */
  const struct extent *clip;
  /* Where the target is coarser than a file, its overviews may stand for its pixels, as far as they suit the method:
   * for maps, whose values are looked at. What is computed for good is made of the pixels themselves. */
  bool overviews;
};

struct source_ops {
  const char *name; /* "raster series", "netCDF", "Markov chain", … for EXPLAIN */
  /* New reader for one worker; the caller closes it. threads: how many a sequential simulator may use inside a read, at
   * least 1; others use the caller's alone. */
  int (*open)(const struct source *source, unsigned threads, struct source_reader **out, struct error *error);
  /* Fills `data`: the box's elements, row-major, last dimension fastest, in source->cube.type. Pixels that no scene
   * covers, and the sources' own no-data values, come as the cube's no-data. */
  int (*read)(struct source_reader *reader, const struct box *box, void *data, struct error *error);
  void (*close)(struct source_reader *reader);
  /* Optional. Decoded blocks are kept there, for the readers of all threads and sources; the cache outlives the reader.
   * Called before the first read, or never: then a reader has a cache of its own. */
  void (*share)(struct source_reader *reader, struct block_cache *cache);
  /* Optional. The same source on another horizontal grid, resampled once, from the original pixels. NULL, or *out set
   * to NULL where that would not be the resampled crop: the plan warps tiles instead. */
  int (*regrid)(const struct source *source, struct arena *arena, const struct regrid_request *request,
                const struct source **out, struct error *error);
  /* Adds text (it may hold any bytes) that changes when a read would give other data or the cube be another: paths,
   * sizes and times of files, selections, grids, parameters, contents. Looks at the files as they are now. What it adds
   * begins with the driver's name; a failure is the buffer's. NULL: each source differs from all others. */
  void (*identity)(const struct source *source, struct buffer *out);
};

struct source {
  const struct source_ops *ops;
  struct cube cube;
  size_t block[CUBE_MAX_DIMENSIONS]; /* natural unit of reading per dimension (GeoTIFF block, HDF5 chunk); 0: any */
  size_t block_phase[CUBE_MAX_DIMENSIONS]; /* index of the first block boundary at or after 0, < block */
  bool sequential;                         /* a chain: dimension 0 must be read in ascending order, all others whole */
  double bytes_per_element;                /* stored bytes read per element, for estimates; 0: as in memory */
  size_t reader_bytes;                     /* upper bound of what one reader keeps in memory */
  const char *origin;                      /* for EXPLAIN: "collection L8NY18, 11 items, 33 assets" */
  void *state;                             /* the driver's own description, in the arena */
};

#endif
