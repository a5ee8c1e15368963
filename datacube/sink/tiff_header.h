/* The head of a GeoTIFF: everything but the pixels.
 *
 * GDAL writes a file without pixels (all tags, GeoTIFF keys and its own metadata), tiff_tiles appends the tiles, and
 * the arrays of places and lengths in the head are filled in at the end. */
#ifndef TWINCUBE_DATACUBE_SINK_TIFF_HEADER_H
#define TWINCUBE_DATACUBE_SINK_TIFF_HEADER_H

#include "datacube/sink/layout.h"
#include "datacube/sink/options.h"
#include "datacube/sink/tiff_tiles.h"

struct tiff_head { /* what a head says; all borrowed */
  const struct cube *cube;
  const struct layout *layout;
  const struct tiff_shape *shape;
  const char *history;            /* one line of provenance, or NULL */
  struct sink_options items;      /* metadata of the file */
  struct sink_options band_items; /* for labels of the bands: each one's items */
};

/* Writes the head to path (which may exist). Errors: StorageFailure, CRSInvalid. */
int tiff_header_write(const char *path, const struct tiff_head *head, struct error *error);

/* Fills in what only the tiles tell, once they are flushed: where they are, and GDAL's statistics of each band. */
int tiff_header_complete(int file, const struct tiff_tiles *tiles, const struct tiff_shape *shape, struct error *error);

#endif
