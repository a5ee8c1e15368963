/* What a raster series source keeps: shared by its description and its readers. Internal. */
#ifndef TWINCUBE_DATACUBE_SOURCE_RASTER_SERIES_STATE_H
#define TWINCUBE_DATACUBE_SOURCE_RASTER_SERIES_STATE_H

#include "datacube/source/raster_pixels.h"
#include "datacube/source/raster_series.h"

enum {
  RASTER_WARPERS = 8,        /* most warpers it keeps (nearest), */
  RASTER_KERNEL_WARPERS = 2, /* and of the methods that need more memory */
  RASTER_PART = 512,         /* side of the parts in which a series that resamples is read, target pixels */
  RASTER_SOURCE_PIXELS =
      1 << 20,                  /* most source pixels read at once for resampling, unless one target pixel needs more */
  RASTER_FILE_BYTES = 96 * 1024 /* what GDAL keeps for an open file besides its block buffer, about */
};

struct raster_region { /* pixels of a grid */
  size_t row, column, height, width;
};

/* Where a scene lies. Lengths are in pixels of the cube, x from its west edge, y from its north edge. */
struct scene_place {
  size_t file, crs; /* indexes into files and crs */
  bool same_crs;    /* as the cube's */
  bool on_lattice;
  ptrdiff_t column, row; /* on the lattice: the scene's pixel under the cube's first */
  double x0, y0, x1, y1; /* bounding box of its image; x0 > x1 where it has none */
  bool has_nodata;       /* nodata below is a value of the scene's type */
  double nodata;
};

struct series_crop {    /* of the pixels of a cube, before they were put on another grid */
  struct extent extent; /* in the CRS of that cube */
  double res_x, res_y;  /* of its pixels */
};

struct series_state {
  struct raster_series series; /* its arrays are borrowed, and live as long as the arena */
  struct pixel_format format;  /* the cube's */
  bool resamples;              /* whether some scene is not on the lattice */
  struct scene_place *places;  /* one a scene */
  const size_t *first;         /* first[date * bands + band]: where its scenes start in order; one more at the end */
  const size_t *order;         /* scene indexes by date and band, in item order */
  const char **files;          /* paths, each once */
  size_t file_count;
  const char **crs; /* CRSs of scenes, each once */
  size_t crs_count;
  const struct series_crop *crops; /* what the series was put on this grid through: pixels outside one are no-data */
  size_t crop_count;
};

/* raster_places.c: outer edges of a grid; the image of an extent, false where a part of it has none (or that cannot be
 * told); places of all scenes, state->places being there. */
struct extent raster_grid_extent(const struct grid *grid);
bool raster_extent_image(const struct extent *extent, const char *crs, struct extent *out);
int raster_places_make(struct series_state *state, struct error *error);

/* Vtable functions of the reader. */
int raster_reader_open(const struct source *source, unsigned threads, struct source_reader **out, struct error *error);
int raster_reader_read(struct source_reader *reader, const struct box *box, void *data, struct error *error);
void raster_reader_close(struct source_reader *reader);
void raster_reader_share(struct source_reader *reader, struct block_cache *cache);

#endif
